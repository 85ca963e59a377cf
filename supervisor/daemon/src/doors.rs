//! The listening sockets. The service manager keeps them while this program is replaced or starts again (sd_notify(3),
//! `FDSTORE=1`), so that whoever comes meanwhile waits in the queue instead of being refused.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Result;
use listenfd::ListenFd;
use socket2::{Domain, Socket, Type};
use tracing::info;

use crate::notify::Manager;

/// Connections that wait to be accepted: what the standard library asks for, too.
const BACKLOG: i32 = 128;

/// Where the platform is reached.
#[derive(Debug)]
pub(crate) struct Doors {
    /// By everybody.
    pub(crate) front: Vec<TcpListener>,
    /// By computers.
    pub(crate) computers: Vec<TcpListener>,
    /// By whoever watches.
    pub(crate) watch: Vec<TcpListener>,
}

/// Listens on each address: on the socket that was kept, or on a new one, which is kept from now on.
pub(crate) fn open(
    front: &[SocketAddr],
    computers: &[SocketAddr],
    watch: &[SocketAddr],
    manager: &Manager,
) -> Result<Doors> {
    let mut kept = kept();
    let mut open = |addresses: &[SocketAddr], bind: fn(SocketAddr) -> Result<TcpListener>| {
        addresses.iter().map(|&address| one(address, kept.remove(&address), bind, manager)).collect::<Result<_>>()
    };
    let doors = Doors { front: open(front, bind)?, computers: open(computers, bind_ahead)?, watch: open(watch, bind)? };
    // Nobody would ever answer there again.
    for address in kept.keys() {
        info!(%address, "no longer listening");
        manager.forget(&name(address));
    }
    Ok(doors)
}

fn one(
    address: SocketAddr,
    kept: Option<TcpListener>,
    bind: fn(SocketAddr) -> Result<TcpListener>,
    manager: &Manager,
) -> Result<TcpListener> {
    let door = match kept {
        Some(door) => door,
        None => {
            let door = bind(address)?;
            manager.keep(&door, &name(&address));
            door
        }
    };
    door.set_nonblocking(true)?;
    Ok(door)
}

/// The sockets that the service manager has kept, by their address.
fn kept() -> HashMap<SocketAddr, TcpListener> {
    let mut handed = ListenFd::from_env();
    let doors = (0..handed.len()).filter_map(|index| handed.take_tcp_listener(index).ok().flatten());
    doors.filter_map(|door| Some((door.local_addr().ok()?, door))).collect()
}

/// What the manager calls the socket: no colon and no control character may be in it.
fn name(address: &SocketAddr) -> String {
    format!("door-{}-{}", address.ip().to_string().replace(':', "_"), address.port())
}

/// Listens on an address that the host does not have yet: its bridge is made for the first computer on it
/// (`IP_FREEBIND`, ip(7)).
fn bind_ahead(address: SocketAddr) -> Result<TcpListener> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_freebind_v4(true)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    bound().map_err(|error| explained(address, &error))
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| explained(address, &error))
}

fn explained(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{address} is in use by another program; end it, or choose another address with --listen")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{address} is not an address of this machine; choose one with --listen")
        }
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    }
}
