//! All the files of somebody whose computer does not run: packed into an archive, and unpacked again. Each runs in a child
//! of its own, and what it does with the tenant's files in a child of that.

use std::fs::File;
use std::ops::Range;
use std::os::fd::OwnedFd;

use matrixos_rootfs::snapshot::{self, Place, SnapshotError};
use matrixos_runtime::protocol::{Answer, Failure, FailureKind, Limits};
use matrixos_runtime::spec::clamp;
use matrixos_types::{ContainerId, DiskShare, Handle, Seat};
use rustix::process::nice;

use crate::adopt;
use crate::confined::{self, May};
use crate::house::House;
use crate::removal::failed;

/// Nobody waits for an archive.
const GENTLY: i32 = 10;

/// Packs the user's files and removes them.
pub(crate) fn archive(house: &House, container: &ContainerId, seat: Seat, handle: &Handle) -> Result<Answer, Failure> {
    begin(house, container, "archive")?;
    let _ = nice(GENTLY);
    let users = house.users();
    let place = Place { users: &users, handle, seat };
    let pack = |home: OwnedFd, ids: Range<u32>, file: &File| {
        confined::inside(&home, May::Read, || snapshot::write(&home, ids, file))
    };
    let label = snapshot::archive(&place, pack, &mut |_| Ok(())).map_err(|error| refusal("archive", &error))?;
    Ok(Answer::Archived { left_out: label.map_or(0, |label| label.left_out) })
}

/// Unpacks the user's files, if they are packed.
pub(crate) fn restore(
    house: &House,
    container: &ContainerId,
    seat: Seat,
    handle: &Handle,
    disk: DiskShare,
) -> Result<(), Failure> {
    begin(house, container, "restore")?;
    let users = house.users();
    let place = Place { users: &users, handle, seat };
    let share = clamp(Limits { disk, ..Limits::default() }).disk;
    let unpack = |home: OwnedFd, file: &File| {
        confined::inside(&home, May::Make(seat), || snapshot::unpack(file, &home)).map(drop)
    };
    let restored = snapshot::restore(&place, (house.config.disk, share), unpack, &mut |_| Ok(()));
    restored.map(drop).map_err(|error| refusal("unpack", &error))
}

/// Fails if the files of a user are in an archive: a computer that was launched now would begin with an empty home.
pub(crate) fn ensure_there(house: &House, seat: Seat, handle: &Handle) -> Result<(), Failure> {
    let users = house.users();
    match snapshot::settle(&Place { users: &users, handle, seat }) {
        Ok(false) => Ok(()),
        Ok(true) => {
            let message = "its files are packed; they must be unpacked first";
            Err(Failure { kind: FailureKind::Archived, ..failed("home", message) })
        }
        Err(error) => Err(refusal("home", &error)),
    }
}

fn begin(house: &House, container: &ContainerId, step: &str) -> Result<(), Failure> {
    if adopt::find(house, container).is_some() {
        return Err(Failure { kind: FailureKind::Refused, ..failed(step, "the computer runs; stop it first") });
    }
    confined::own_mounts().map_err(|error| failed(step, error))
}

pub(crate) fn refusal(step: &str, error: &SnapshotError) -> Failure {
    let kind = if error.is_for_room() { FailureKind::Exhausted } else { FailureKind::Failed };
    Failure { kind, ..failed(step, error) }
}
