//! What of this installation's network is really there.

use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

use crate::lease::Network;
use crate::netlink::{NetError, Netlink, at};

/// The bridges and links of one installation, as the kernel has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Indices of the bridges, ascending.
    pub bridges: Vec<u16>,
    /// Names of the host's ends of the containers' links.
    pub links: Vec<String>,
}

/// Looks at the calling thread's network namespace.
pub fn observe(network: &Network) -> Result<Observed, NetError> {
    let netlink = Netlink::open()?;
    let prefix = network.link_prefix();
    let links = netlink.all()?.into_iter().map(|l| l.name).filter(|name| name.starts_with(&prefix)).collect();
    Ok(Observed { bridges: bridges(&netlink, network)?, links })
}

pub(crate) fn bridges(netlink: &Netlink, network: &Network) -> Result<Vec<u16>, NetError> {
    let prefix = network.bridge_prefix();
    let mut found: Vec<u16> = netlink
        .all()?
        .iter()
        .filter_map(|l| l.name.strip_prefix(&prefix)?.parse().ok())
        .filter(|i| *i < network.bridges())
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// The number that the kernel gives the firewall of the calling thread's network namespace anew with every change of it,
/// whoever makes it (linux/netfilter/nf_tables.h, `NFT_MSG_GETGEN`).
pub fn generation() -> Result<u32, NetError> {
    const STEP: &str = "ask for the firewall's generation";
    let protocol = SockProtocol::NetlinkNetFilter;
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(at(STEP))?;
    let kernel = NetlinkAddr::new(0, 0);
    sendto(netlink.as_raw_fd(), &get_generation(), &kernel, MsgFlags::empty()).map_err(at(STEP))?;
    let mut answer = [0; 256];
    // The kernel has answered by now; this never waits.
    let length = recv(netlink.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT).map_err(at(STEP))?;
    in_answer(&answer[..length]).ok_or(NetError::Missing("the firewall's generation"))
}

const SUBSYSTEM: u16 = 10 << 8; // NFNL_SUBSYS_NFTABLES
const GET: u16 = SUBSYSTEM | 16; // NFT_MSG_GETGEN
const NEW: u16 = SUBSYSTEM | 15; // NFT_MSG_NEWGEN
const ID: u16 = 1; // NFTA_GEN_ID, a big-endian u32
/// Bytes of `nlmsghdr` and `nfgenmsg`.
const HEADERS: usize = 20;

fn get_generation() -> [u8; HEADERS] {
    let mut message = [0; HEADERS];
    message[..4].copy_from_slice(&(HEADERS as u32).to_ne_bytes());
    message[4..6].copy_from_slice(&GET.to_ne_bytes());
    message[6] = 1; // NLM_F_REQUEST
    message
}

fn in_answer(answer: &[u8]) -> Option<u32> {
    let number = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    if number(4)? != NEW {
        return None;
    }
    let mut at = HEADERS;
    while number(at + 2)? != ID {
        // Attributes begin at multiples of four.
        at += usize::from(number(at)?.max(4)).next_multiple_of(4);
    }
    Some(u32::from_be_bytes(answer.get(at + 4..at + 8)?.try_into().ok()?))
}
