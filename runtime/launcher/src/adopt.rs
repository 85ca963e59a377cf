//! Finding containers that run already, and holding on to exactly that process and no later one of the same pid.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use matrixos_runtime::protocol::{Identity, Observed, PAGE};
use matrixos_types::ContainerId;
use nix::errno::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::house::House;
use crate::record::Record;

/// The identity of a living process.
pub(crate) fn identify(pid: i32) -> io::Result<Identity> {
    Ok(Identity { pid, started: start_time(pid)?, boot: boot_id()? })
}

/// Field 22 of `/proc/PID/stat` (proc_pid_stat(5)), counted from behind the name, which may hold anything.
fn start_time(pid: i32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = after_name.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return Err(Errno::ESRCH.into());
    }
    fields.nth(18).and_then(|f| f.parse().ok()).ok_or_else(|| io::Error::other("/proc/PID/stat has too few fields"))
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// A pidfd of the recorded process. The descriptor is opened first and the identity compared afterwards, so that no
/// other process can slip in between.
pub(crate) fn hold(identity: &Identity) -> io::Result<OwnedFd> {
    let pid = Pid::from_raw(identity.pid).ok_or(Errno::ESRCH)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    if identify(identity.pid)? == *identity { Ok(pidfd) } else { Err(Errno::ESRCH.into()) }
}

/// The recorded first process of a container, if it lives.
pub(crate) fn find(house: &House, container: &ContainerId) -> Option<(Identity, OwnedFd)> {
    let identity = Record::read(&house.container(container)).ok()?.identity?;
    let pidfd = hold(&identity).ok()?;
    Some((identity, pidfd))
}

/// Sends SIGTERM to the first process; fine if it has ended.
pub(crate) fn terminate(house: &House, container: &ContainerId) -> io::Result<()> {
    let Some((_, pidfd)) = find(house, container) else { return Ok(()) };
    match pidfd_send_signal(&pidfd, Signal::TERM) {
        Err(rustix::io::Errno::SRCH) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A page of everything that has runtime state, running or half made, and whether more follows.
pub(crate) fn observe(house: &House, after: Option<&ContainerId>) -> io::Result<(Vec<Observed>, bool)> {
    let names = fs::read_dir(house.containers())?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut containers: Vec<ContainerId> = names.filter_map(|name| ContainerId::parse(&name).ok()).collect();
    containers.retain(|container| after.is_none_or(|after| container > after));
    containers.sort_unstable();
    let more = containers.len() > PAGE;
    containers.truncate(PAGE);
    Ok((containers.into_iter().map(|container| look_at(house, container)).collect(), more))
}

fn look_at(house: &House, container: ContainerId) -> Observed {
    let record = Record::read(&house.container(&container)).ok();
    let running = find(house, &container).map(|(identity, _)| identity);
    let (seat, handle) = record.map(|r| (r.seat, r.handle)).unzip();
    Observed { container, seat, handle, running }
}
