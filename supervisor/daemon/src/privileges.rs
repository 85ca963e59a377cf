//! Giving root away: after this the process that serves the network is nobody special.

use anyhow::{Context, Result, ensure};
use nix::unistd::{Gid, Uid, User, getgroups, setgroups, setresgid, setresuid};
use rustix::thread::{CapabilitySet, capabilities, remove_capability_from_bounding_set, set_no_new_privs};

/// The account that the serving process becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) uid: Uid,
    pub(crate) gid: Gid,
}

/// Looks up the unprivileged account by name.
pub(crate) fn account(name: &str) -> Result<Account> {
    let user = User::from_name(name).with_context(|| format!("cannot look up the account {name:?}"))?;
    let user = user.with_context(|| {
        format!("there is no account {name:?} on this machine; make it: useradd --system --no-create-home --shell /usr/sbin/nologin {name}")
    })?;
    ensure!(!user.uid.is_root() && user.gid.as_raw() != 0, "the account {name:?} must not be root");
    Ok(Account { uid: user.uid, gid: user.gid })
}

/// Becomes `account`, for good: no supplementary groups, no capability in any set, none to be gained by exec.
/// Must be called while the process has a single thread, since credentials are per thread in the kernel.
pub(crate) fn drop_to(account: Account) -> Result<()> {
    for capability in CapabilitySet::all().iter() {
        // Fails for capabilities that this kernel does not have: those need no removing.
        let _ = remove_capability_from_bounding_set(capability);
    }
    setgroups(&[]).context("cannot give up supplementary groups")?;
    setresgid(account.gid, account.gid, account.gid).context("cannot change the group")?;
    setresuid(account.uid, account.uid, account.uid).context("cannot change the user")?;
    set_no_new_privs(true).context("cannot set no_new_privs")?;
    prove()
}

/// Does not trust the calls above: asks the kernel what is left.
fn prove() -> Result<()> {
    let left = capabilities(None).context("cannot read the process's capabilities")?;
    let none = left.effective.is_empty() && left.permitted.is_empty() && left.inheritable.is_empty();
    ensure!(none, "capabilities are left after giving root away: {left:?}");
    ensure!(getgroups().context("cannot read groups")?.is_empty(), "supplementary groups are left");
    ensure!(setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_err(), "root could be taken back");
    Ok(())
}
