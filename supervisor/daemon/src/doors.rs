//! The listening sockets. The service manager keeps them while this program is replaced or starts again (sd_notify(3),
//! `FDSTORE=1`), so that whoever comes meanwhile waits in the queue instead of being refused.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::Result;
use listenfd::ListenFd;
use tracing::info;

use crate::notify::Manager;

/// Listens on each address: on the socket that was kept, or on a new one, which is kept from now on.
pub(crate) fn open(addresses: &[SocketAddr], manager: &Manager) -> Result<Vec<TcpListener>> {
    let mut kept = kept();
    let mut doors = Vec::new();
    for address in addresses {
        let door = match kept.remove(address) {
            Some(door) => door,
            None => {
                let door = bind(address)?;
                manager.keep(&door, &name(address));
                door
            }
        };
        door.set_nonblocking(true)?;
        doors.push(door);
    }
    // Nobody would ever answer there again.
    for address in kept.keys() {
        info!(%address, "no longer listening");
        manager.forget(&name(address));
    }
    Ok(doors)
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

fn bind(address: &SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("{address} is in use by another program; end it, or choose another address with --listen")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow::anyhow!("{address} is not an address of this machine; choose one with --listen")
        }
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    })
}
