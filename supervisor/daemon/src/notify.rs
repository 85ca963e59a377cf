//! Telling the service manager how this process is: sd_notify(3), a datagram of `NAME=value` lines to the socket that
//! `NOTIFY_SOCKET` names. Without a manager everything here does nothing.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

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
    fn without_a_manager_nothing_is_told() {
        let nobody = Manager::find(|_| None).expect("fine");
        nobody.ready();
        assert_eq!(nobody.patience(), None);
    }
}
