//! Raw frames: what a computer could send that had the right to, and who hears it.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};

use super::Namespace;

pub type Mac = [u8; 6];
/// `PACKET_OUTGOING` (packet(7)).
const OUTGOING: u8 = 4;
pub const EVERYBODY: Mac = [0xff; 6];

/// A link's wire: whatever passes can be heard, whatever is sent goes out as it is.
pub struct Wire(OwnedFd);

impl Wire {
    /// Taps a link of a namespace.
    pub fn tap(namespace: &Namespace, link: &str) -> Self {
        let link = link.to_owned();
        namespace.run(move || {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let raw = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).expect("a raw socket");
            bind(raw.as_raw_fd(), &address(&link)).expect("bound to the link");
            Self(raw)
        })
    }

    pub fn send(&self, frame: &[u8]) {
        // A queue that is full for a moment takes it at the next try.
        while let Err(error) = send(self.0.as_raw_fd(), frame, MsgFlags::empty()) {
            assert!(matches!(error, Errno::ENOBUFS | Errno::EAGAIN), "{error}");
        }
    }

    /// How many frames with that text in them have passed, or pass before the time is over.
    pub fn heard(&self, text: &str, within: Duration) -> usize {
        let (until, mut count, mut frame) = (Instant::now() + within, 0, [0; 2_048]);
        loop {
            match recvfrom::<LinkAddr>(self.0.as_raw_fd(), &mut frame) {
                // What this end of the link sends itself, an answer for example, is not heard.
                Ok((_, from)) if from.is_some_and(|from| from.pkttype() == OUTGOING) => {}
                Ok((length, _)) => count += usize::from(contains(&frame[..length], text.as_bytes())),
                Err(Errno::EAGAIN) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Err(Errno::EAGAIN) => return count,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn address(link: &str) -> LinkAddr {
    let all = getifaddrs().expect("a list of links");
    let found =
        all.filter(|entry| entry.interface_name == link).find_map(|entry| entry.address?.as_link_addr().copied());
    found.unwrap_or_else(|| panic!("no link {link}"))
}

/// An Ethernet frame, filled up to the least length.
pub fn ethernet(to: Mac, from: Mac, kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to.as_slice(), &from, &kind.to_be_bytes(), payload].concat();
    frame.resize(frame.len().max(60), 0);
    frame
}

pub const IPV4: u16 = 0x0800;
pub const ARP: u16 = 0x0806;
pub const IPV6: u16 = 0x86dd;

/// An IPv4 packet (RFC 791).
pub fn ipv4(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).expect("short").to_be_bytes();
    let mut header = [[0x45, 0], length, [0, 1], [0, 0], [64, protocol], [0, 0]].concat();
    header.extend(from.octets().into_iter().chain(to.octets()));
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [header.as_slice(), payload].concat()
}

/// A UDP datagram without a checksum, which IPv4 allows (RFC 768).
pub fn udp(from: u16, to: u16, text: &str) -> Vec<u8> {
    let length = u16::try_from(8 + text.len()).expect("short");
    [&from.to_be_bytes(), &to.to_be_bytes(), &length.to_be_bytes(), [0, 0].as_slice(), text.as_bytes()].concat()
}

/// A TCP segment that opens a connection, with data in it for whoever listens to the wire (RFC 9293).
pub fn syn(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), text: &str) -> Vec<u8> {
    let mut segment = [from.1.to_be_bytes(), to.1.to_be_bytes(), [0, 0], [0, 1], [0, 0], [0, 0]].concat();
    segment.extend([0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(text.as_bytes());
    let length = u16::try_from(segment.len()).expect("short").to_be_bytes();
    let pseudo = [&from.0.octets(), &to.0.octets(), [0, 6].as_slice(), &length, &segment].concat();
    let sum = checksum(&pseudo);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// An IPv6 packet (RFC 8200).
pub fn ipv6(from: std::net::Ipv6Addr, to: std::net::Ipv6Addr, next: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short").to_be_bytes();
    let header = [[0x60, 0], [0, 0], length, [next, 64]].concat();
    [header.as_slice(), &from.octets(), &to.octets(), payload].concat()
}

/// An ARP packet (RFC 826), with a text behind it.
pub fn arp(operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr), text: &str) -> Vec<u8> {
    let head = [[0, 1], [8, 0], [6, 4], operation.to_be_bytes()].concat();
    let parts = [&head, sender.0.as_slice(), &sender.1.octets(), &target.0, &target.1.octets(), text.as_bytes()];
    parts.concat()
}

/// The internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
    let sum: u32 = bytes.chunks(2).map(word).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).expect("folded twice")
}
