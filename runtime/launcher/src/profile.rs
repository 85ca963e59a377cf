//! Reading a user's profile for strangers: first the home is found, then this process becomes the tenant as far as files
//! are concerned, and only then is anything in the home opened. What a hole in that could show, the tenant may read.

use std::io;

use matrixos_rootfs::tenant::{TenantFileError, TenantHome};
use matrixos_rootfs::{profile, tree};
use matrixos_runtime::protocol::{Failure, FailureKind};
use matrixos_types::{Handle, Seat};
use nix::unistd::{Gid, Uid, setfsgid, setfsuid, setgroups};

use crate::house::House;

/// To be called in a child that ends afterwards: it does not become itself again.
pub(crate) fn read(house: &House, seat: Seat, handle: &Handle) -> Result<Option<String>, Failure> {
    let home = match TenantHome::open(&house.users(), handle, seat) {
        // The computer has not been made yet.
        Err(TenantFileError::NoHome(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(refused)?,
    };
    become_the_tenant(tree::owner(seat)).map_err(|error| failure(FailureKind::Failed, error))?;
    profile::read(&home).map_err(refused)
}

/// Takes the tenant's identity for file-system checks. The kernel takes the capabilities that override them away with
/// it (capabilities(7), "Effect of user ID changes on capabilities").
pub(crate) fn become_the_tenant(id: u32) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    setgroups(&[])?;
    // Each answers the identity of before, also if it failed, so each is asked twice.
    setfsgid(group);
    setfsuid(user);
    if (setfsuid(user), setfsgid(group)) == (user, group) {
        return Ok(());
    }
    Err(io::Error::other("the tenant's file-system identity could not be taken"))
}

fn refused(error: TenantFileError) -> Failure {
    failure(FailureKind::Refused, error)
}

fn failure(kind: FailureKind, message: impl ToString) -> Failure {
    Failure { kind, step: "profile".to_owned(), message: message.to_string() }
}
