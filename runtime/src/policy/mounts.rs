//! What is mounted in a container: the home, the kernel's own file systems, and memory.

use std::path::PathBuf;

use matrixos_types::Bytes;
use matrixos_types::computer::{HOME, HOME_ID};
use oci_spec::OciSpecError;
use oci_spec::runtime::{Mount, MountBuilder};

use super::Ground;
use crate::protocol::Limits;

/// In order. `/sys` is absent: nothing an everyday program needs is there, and it tells much about the host.
pub(super) fn all(ground: &Ground, limits: Limits) -> Result<Vec<Mount>, OciSpecError> {
    // What lies in them counts as the container's memory; half of it cannot then be lost to forgotten files.
    let half = Bytes(limits.memory.0 / 2);
    let owner = format!("uid={HOME_ID},gid={HOME_ID}");
    Ok(vec![
        mount("/proc", "proc", "proc", &["nosuid", "nodev", "noexec"])?,
        tmpfs("/dev", "mode=0755", Bytes(64 << 10), &["noexec"])?,
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        )?,
        tmpfs("/dev/shm", "mode=1777", half, &["nodev", "noexec"])?,
        tmpfs("/tmp", "mode=1777", half, &["nodev"])?,
        tmpfs("/run", &format!("mode=0755,{owner}"), Bytes::mib(16), &["nodev"])?,
        bind(HOME, ground.home.clone())?,
    ])
}

fn tmpfs(at: &str, owner: &str, size: Bytes, flags: &[&str]) -> Result<Mount, OciSpecError> {
    let size = format!("size={}", size.0);
    let mut options = vec!["nosuid", &size];
    options.extend(owner.split(','));
    options.extend(flags);
    mount(at, "tmpfs", "tmpfs", &options)
}

fn bind(at: &str, from: PathBuf) -> Result<Mount, OciSpecError> {
    mount(at, "bind", from, &["bind", "rw", "nosuid", "nodev"])
}

fn mount(at: &str, typ: &str, source: impl Into<PathBuf>, options: &[&str]) -> Result<Mount, OciSpecError> {
    let options = options.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>();
    MountBuilder::default().destination(at).typ(typ).source(source).options(options).build()
}
