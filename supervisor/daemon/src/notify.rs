//! Telling the service manager how this process is: sd_notify(3), a datagram of `NAME=value` lines to the socket that
//! `NOTIFY_SOCKET` names. Without a manager everything here does nothing.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use tracing::warn;

/// The service manager that started this process, if one did.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: Option<UnixDatagram>,
    /// How often it wants to hear from this process at least.
    patience: Option<Duration>,
}

impl Manager {
    /// Connects to the manager's socket; to be called while this process is still root, since the way to it may be
    /// closed to others later.
    pub(crate) fn from_env() -> io::Result<Self> {
        Self::find(env::var_os)
    }

    fn find(variable: impl Fn(&'static str) -> Option<OsString>) -> io::Result<Self> {
        let Some(name) = variable("NOTIFY_SOCKET") else { return Ok(Self { socket: None, patience: None }) };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&address(&name)?)?;
        let micros = variable("WATCHDOG_USEC").and_then(|text| text.to_str()?.parse().ok());
        Ok(Self { socket: Some(socket), patience: micros.map(Duration::from_micros) })
    }

    /// How often the manager wants to hear [`Manager::alive`] at least, if it does.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// Starting is over.
    pub(crate) fn ready(&self) {
        self.send("READY=1\n");
    }

    /// The process is about to end.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1\n");
    }

    /// Progress was made.
    pub(crate) fn alive(&self) {
        self.send("WATCHDOG=1\n");
    }

    /// Asks the manager to keep a socket while this process is replaced, under that name.
    pub(crate) fn keep(&self, socket: impl AsFd, name: &str) {
        let Some(manager) = &self.socket else { return };
        let message = format!("FDSTORE=1\nFDNAME={name}\n");
        let sent = sendmsg::<UnixAddr>(
            manager.as_raw_fd(),
            &[IoSlice::new(message.as_bytes())],
            &[ControlMessage::ScmRights(&[socket.as_fd().as_raw_fd()])],
            MsgFlags::empty(),
            None,
        );
        if let Err(error) = sent {
            warn!(%error, name, "the service manager cannot keep a socket; a restart will refuse visitors for a moment");
        }
    }

    /// Tells the manager that it need not keep that socket any more.
    pub(crate) fn forget(&self, name: &str) {
        self.send(&format!("FDSTOREREMOVE=1\nFDNAME={name}\n"));
    }

    fn send(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(message.as_bytes()) {
            warn!(%error, "cannot tell the service manager {}", message.trim_end());
        }
    }
}

/// A path, or a name in the abstract namespace, which begins with `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
        _ => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_to(name: &OsStr, manager: &UnixDatagram) -> Vec<String> {
        let find = |wanted| match wanted {
            "NOTIFY_SOCKET" => Some(name.to_owned()),
            "WATCHDOG_USEC" => Some("30000000".into()),
            _ => None,
        };
        let told = Manager::find(find).expect("connected");
        assert_eq!(told.patience(), Some(Duration::from_secs(30)));
        told.ready();
        told.alive();
        told.stopping();
        let mut message = [0; 64];
        let mut next = || manager.recv(&mut message).map(|n| String::from_utf8_lossy(&message[..n]).into_owned());
        (0..3).map(|_| next().expect("a message")).collect()
    }

    #[test]
    fn the_manager_hears_of_start_progress_and_end_on_either_kind_of_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).expect("bound");
        let name = format!("matrixos-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let by_name = UnixDatagram::bind_addr(&address).expect("bound");
        let expected = ["READY=1\n", "WATCHDOG=1\n", "STOPPING=1\n"];
        assert_eq!(told_to(path.as_os_str(), &by_path), expected);
        assert_eq!(told_to(OsStr::new(&format!("@{name}")), &by_name), expected);
    }

    #[test]
    fn the_manager_is_given_the_socket_itself() {
        use nix::sys::socket::{ControlMessageOwned, recvmsg};

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("bound");
        let told = Manager::find(|name| (name == "NOTIFY_SOCKET").then(|| path.clone().into())).expect("connected");
        let door = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        told.keep(&door, "door");
        let mut text = [0; 64];
        let mut parts = [std::io::IoSliceMut::new(&mut text)];
        let mut space = nix::cmsg_space!([std::os::fd::RawFd; 2]);
        let message = recvmsg::<UnixAddr>(manager.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty());
        let message = message.expect("a message");
        let handed: Vec<_> = message.cmsgs().expect("whole").collect();
        let [ControlMessageOwned::ScmRights(handed)] = &handed[..] else { panic!("{handed:?}") };
        let link = |fd: i32| std::fs::read_link(format!("/proc/self/fd/{fd}")).expect("open");
        assert_eq!(handed.iter().map(|fd| link(*fd)).collect::<Vec<_>>(), [link(door.as_raw_fd())]);
        handed.iter().for_each(|fd| nix::unistd::close(*fd).expect("closed"));
        assert!(text.starts_with(b"FDSTORE=1\nFDNAME=door\n"));
    }

    #[test]
    fn without_a_manager_nothing_is_told() {
        let nobody = Manager::find(|_| None).expect("fine");
        nobody.ready();
        assert_eq!(nobody.patience(), None);
    }
}
