//! Connecting to a host, and to which ones.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpStream, lookup_host};

use super::CallError;

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those the operator or the owner configured.
    Any,
    /// What somebody else named: the internet, and nothing near this machine.
    Public,
}

pub(super) async fn dial(host: &str, port: u16, reach: Reach) -> Result<TcpStream, CallError> {
    let failed = |source| CallError::Connect { host: host.to_owned(), source };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let all: Vec<SocketAddr> = lookup_host((bare, port)).await.map_err(failed)?.collect();
    // The address that was checked is the one that is called: a name cannot change its meaning in between.
    let found: Vec<SocketAddr> = all.iter().copied().filter(|a| reach == Reach::Any || is_public(a.ip())).collect();
    if found.is_empty() && !all.is_empty() {
        return Err(CallError::NotPublic(host.to_owned()));
    }
    let stream = TcpStream::connect(&found[..]).await.map_err(failed)?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Not one of the special ranges of RFC 6890.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let special = matches!(
                (a, b, c),
                (0 | 10 | 127, ..)
                    | (100, 64..=127, _)
                    | (169, 254, _)
                    | (172, 16..=31, _)
                    | (192, 0, 0 | 2)
                    | (192, 168, _)
                    | (198, 18..=19, _)
                    | (198, 51, 100)
                    | (203, 0, 113)
                    | (224.., ..)
            );
            !special
        }
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_public_v6(v6), |v4| is_public(v4.into())),
    }
}

/// Only 2000::/3 is given out; of it, documentation and the tunnels that embed an IPv4 address are left out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0x0db8 || second < 0x0200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_near_this_machine_is_public() {
        for near in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:0a00:0001::",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(near.parse().unwrap_or_else(|_| panic!("{near}"))), "{near}");
        }
        for far in ["1.1.1.1", "172.32.0.1", "192.0.66.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(far.parse().unwrap_or_else(|_| panic!("{far}"))), "{far}");
        }
    }
}
