//! Starting the launcher: from a sealed copy of this program, so that no container can ever overwrite what runs as
//! root (CVE-2019-5736), with an empty environment and no descriptor but its end of the socket.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use matrixos_runtime::protocol::LauncherConfig;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

/// The environment variable that carries the configuration; it holds no secret.
pub(crate) const CONFIG_ENV: &str = "MATRIXOS_LAUNCHER";

/// Name of the sealed copy, as it shows in `/proc/PID/exe`.
pub(crate) const MEMFD: &str = "matrixos-launcher";

/// A launcher that runs.
#[derive(Debug)]
pub struct Spawned {
    /// The supervisor's end of the socketpair. When it closes, the launcher ends; containers go on.
    pub socket: OwnedFd,
    /// The process.
    pub child: Child,
}

/// Why the launcher could not be started.
#[derive(Debug, thiserror::Error)]
#[error("starting the launcher, {step}: {source}")]
pub struct SpawnError {
    step: &'static str,
    source: io::Error,
}

fn at<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> SpawnError {
    move |source| SpawnError { step, source: source.into() }
}

/// Starts this very program again as `NAME launcher`. To be called before the process has a second thread, and while it
/// still is root.
pub fn spawn(config: &LauncherConfig) -> Result<Spawned, SpawnError> {
    let program = sealed_copy()?;
    let (socket, theirs) =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).map_err(at("socketpair"))?;
    let text = serde_json::to_string(config).map_err(at("configuration"))?;
    let child = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .arg0("matrixos-launcher")
        .arg("launcher")
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env(CONFIG_ENV, text)
        // A Ctrl-C in the terminal is for the supervisor; the launcher ends when that has ended.
        .process_group(0)
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()
        .map_err(at("exec"))?;
    Ok(Spawned { socket, child })
}

fn sealed_copy() -> Result<OwnedFd, SpawnError> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let copy = memfd_create(MEMFD, flags).map_err(at("memfd"))?;
    let mut copy = File::from(copy);
    let mut program = File::open("/proc/self/exe").map_err(at("open own program"))?;
    io::copy(&mut program, &mut copy).map_err(at("copy own program"))?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&copy, FcntlArg::F_ADD_SEALS(seals)).map_err(at("seal"))?;
    Ok(copy.into())
}
