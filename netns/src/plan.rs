//! The firewall as a pure function of the network: the text that `nft -f` loads in one transaction.

use std::fmt::Write;

use crate::lease::Network;

/// Where computers may not go: whatever is not an address of the public internet (RFC 6890 and IANA's registry of
/// special-purpose addresses), link-local with nearly every cloud's metadata service among it, and the one such service
/// that has a public address (168.63.129.16).
const FORBIDDEN: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Mail submission and relay: the one thing for which hosts of strangers get blocked everywhere.
const MAIL_PORTS: &str = "25, 465, 587";

/// What computers may speak at all. Nothing else is needed, and the kernel's rarer protocols are its rarer bugs.
const PROTOCOLS: &str = "tcp, udp, icmp";

/// Connections that one computer may have open through the host, or to it, so that it cannot fill the host's table.
const CONNECTIONS_PER_COMPUTER: u32 = 4_096;

/// How fast one computer may begin connections, after a burst. The table keeps a closed one for two minutes, and the
/// count of open ones does not see it: with this, it keeps at most 2,000 + 120 * 30 of one computer.
const BEGINNINGS: &str = "30/second burst 2000 packets";

/// The whole ruleset of an installation with these bridges, replacing an earlier one. `services` are the TCP ports on
/// a bridge's own address that computers may reach.
pub fn ruleset(network: &Network, bridges: &[u16], services: &[u16]) -> String {
    let table = network.table();
    let mut text = String::new();
    for family in ["inet", "bridge"] {
        // Declared before it is deleted, since deleting what does not exist fails.
        let _ = writeln!(text, "table {family} {table}\ndelete table {family} {table}");
    }
    text.push_str(&routed(network, bridges, services));
    text.push_str(&bridged(network, bridges));
    text
}

/// What is routed: between computers, to the host, and out.
fn routed(network: &Network, bridges: &[u16], services: &[u16]) -> String {
    let (table, pool) = (network.table(), network.pool());
    let (any_bridge, forbidden) = (format!("\"{}*\"", network.bridge_prefix()), FORBIDDEN.join(", "));
    let services = service_rules(network, bridges, services);
    format!(
        r#"
table inet {table} {{
  set forbidden {{
    type ipv4_addr; flags interval
    elements = {{ {forbidden} }}
  }}
  set connections {{
    type ipv4_addr; flags dynamic; size 65535
  }}
  set beginnings {{
    type ipv4_addr; flags dynamic,timeout; timeout 10m; size 65535
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept
    iifname {any_bridge} jump from_computers
    oifname {any_bridge} jump to_computers
  }}
  chain from_computers {{
    meta nfproto != ipv4 drop
    oifname {any_bridge} drop
    ct state established,related accept
    meta l4proto != {{ {PROTOCOLS} }} drop
    ip daddr @forbidden drop
    meta l4proto {{ tcp, udp }} th dport {{ {MAIL_PORTS} }} drop
    goto counted
  }}
  chain counted {{
    ct state new add @connections {{ ip saddr ct count over {CONNECTIONS_PER_COMPUTER} }} drop
    ct state new update @beginnings {{ ip saddr limit rate over {BEGINNINGS} }} drop
    accept
  }}
  chain to_computers {{
    ct state established,related accept
    drop
  }}
  chain input {{
    type filter hook input priority filter; policy accept
    iifname {any_bridge} jump to_host
  }}
  chain to_host {{
    meta nfproto != ipv4 drop
    ct state established,related accept
{services}    drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept
    ip saddr {pool} oifname != {any_bridge} masquerade
  }}
}}
"#
    )
}

fn service_rules(network: &Network, bridges: &[u16], services: &[u16]) -> String {
    if services.is_empty() {
        return String::new();
    }
    let ports = services.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let rule = |&index: &u16| {
        let (bridge, gateway) = (network.bridge(index), network.gateway(index));
        format!("    iifname \"{bridge}\" ip daddr {gateway} tcp dport {{ {ports} }} goto counted\n")
    };
    bridges.iter().map(rule).collect()
}

/// What enters a bridge: only frames whose link, MAC and address belong to one seat, and which are for the gateway, or
/// ask who it is. So neighbours, broadcast and multicast are out of reach even of a port that is not isolated, and a
/// forged address is dropped before the bridge could learn it. The set holds all seats of a bridge from the start, so
/// that a launch need not touch the firewall.
fn bridged(network: &Network, bridges: &[u16]) -> String {
    let table = network.table();
    let gateways = set_of(bridges.iter().map(|&index| network.gateway(index).to_string()));
    let gateway_macs = set_of(bridges.iter().map(|&index| mac(network.bridge_mac(index))));
    let any_link = format!("\"{}*\"", network.link_prefix());
    let mut computers = String::new();
    for lease in bridges.iter().flat_map(|&index| network.leases_of(index)) {
        let _ = writeln!(computers, "      \"{}\" . {} . {},", lease.link, mac(lease.mac), lease.address);
    }
    let computers = elements(&computers);
    format!(
        r#"
table bridge {table} {{
  set computers {{
    type ifname . ether_addr . ipv4_addr
{computers}  }}
  set gateways {{
    type ipv4_addr
{gateways}  }}
  set gateway_macs {{
    type ether_addr
{gateway_macs}  }}
  chain prerouting {{
    type filter hook prerouting priority -300; policy accept
    iifname {any_link} jump from_computer
  }}
  chain from_computer {{
    ether type ip ether daddr @gateway_macs iifname . ether saddr . ip saddr @computers accept
    ether type arp arp operation {{ request, reply }} arp daddr ip @gateways goto arp_from_computer
    drop
  }}
  chain arp_from_computer {{
    ether daddr != ff:ff:ff:ff:ff:ff ether daddr != @gateway_macs drop
    iifname . ether saddr . arp saddr ip @computers iifname . arp saddr ether . arp saddr ip @computers accept
    drop
  }}
}}
"#
    )
}

fn mac([a, b, c, d, e, f]: [u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

fn set_of(members: impl Iterator<Item = String>) -> String {
    elements(&members.map(|member| format!("      {member},\n")).collect::<String>())
}

/// A set without elements must not say so.
fn elements(lines: &str) -> String {
    if lines.is_empty() { String::new() } else { format!("    elements = {{\n{lines}    }}\n") }
}

/// The sets that the plan fills, by family: what is in the others, the kernel put there.
pub(crate) const SETS: &[(&str, &[&str])] =
    &[("inet", &["forbidden"]), ("bridge", &["computers", "gateways", "gateway_macs"])];

#[cfg(test)]
mod tests {
    use matrixos_types::Instance;

    use super::*;

    fn network() -> Network {
        Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool")
    }

    #[test]
    fn every_seat_of_every_bridge_in_use_is_known_to_the_firewall() {
        let text = ruleset(&network(), &[0, 1], &[8081]);
        assert!(text.contains(r#""matrixos-v1" . 02:6d:78:00:00:01 . 10.213.0.2,"#));
        assert!(text.contains(r#""matrixos-v2000" . 02:6d:78:00:07:d0 . 10.213.7.233,"#));
        assert!(!text.contains("matrixos-v2001"));
        assert!(text.contains(r#"iifname "matrixos-net1" ip daddr 10.213.4.1 tcp dport { 8081 } goto counted"#));
    }

    #[test]
    fn without_services_the_host_accepts_nothing_from_computers() {
        let text = ruleset(&network(), &[0], &[]);
        let to_host = &text[text.find("chain to_host").expect("the chain")..];
        let to_host = &to_host[..to_host.find('}').expect("its end")];
        assert_eq!(to_host.matches("accept").count(), 1, "only replies: {to_host}");
    }
}
