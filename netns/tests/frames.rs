//! What a computer could send into its bridge if it had the right to raw sockets: nobody but the host hears any of it,
//! and the host only what is the computer's own. Needs root.

mod common;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use common::wire::{ARP, EVERYBODY, IPV4, IPV6, Mac, Wire, arp, ethernet, ipv4, ipv6, udp};
use common::{House, SERVICE};

const PAUSE: Duration = Duration::from_millis(300);
const GATEWAY: Mac = [0x02, 0x6d, 0x78, 0x01, 0, 0];
const ALICE: Mac = [0x02, 0x6d, 0x78, 0, 0, 1];
const BOB: Mac = [0x02, 0x6d, 0x78, 0, 0, 2];
const NOBODY: Mac = [0x02, 0x6d, 0x78, 0, 0, 77];
const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
const ALICE_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);
const BOB_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 3);
const TEXT: &str = "hear me";

fn say(to: Mac, from: Mac, addresses: (Ipv4Addr, Ipv4Addr), ports: (u16, u16)) -> Vec<u8> {
    ethernet(to, from, IPV4, &ipv4(addresses.0, addresses.1, 17, &udp(ports.0, ports.1, TEXT)))
}

fn ask(to: Mac, from: Mac, operation: u16, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    ethernet(to, from, ARP, &arp(operation, sender, target, TEXT))
}

fn say6(to: Mac, destination: &str, next: u8) -> Vec<u8> {
    let own = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x6d, 0x78ff, 0xfe00, 1);
    ethernet(to, ALICE, IPV6, &ipv6(own, destination.parse().expect("an address"), next, &udp(5_353, 5_353, TEXT)))
}

/// Frames for a neighbour, for everybody, or in another's name.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let (own, zero) = ((ALICE, ALICE_IP), [0; 6]);
    let to_host = (ALICE_IP, GATEWAY_IP);
    let multicast = [0x01, 0x00, 0x5e, 0, 0, 0xfb];
    let tagged = |tag: u16| {
        ethernet(BOB, ALICE, tag, &[&[0, 1, 8, 0], ipv4(ALICE_IP, BOB_IP, 17, &udp(1, 2, TEXT)).as_slice()].concat())
    };
    let other = |to, kind| ethernet(to, ALICE, kind, TEXT.as_bytes());
    vec![
        ("a neighbour's hardware address", say(BOB, ALICE, (ALICE_IP, BOB_IP), (1, 2))),
        ("a neighbour's, for the host", say(BOB, ALICE, to_host, (1, 2))),
        ("an unknown hardware address", say(NOBODY, ALICE, (ALICE_IP, BOB_IP), (1, 2))),
        ("broadcast", say(EVERYBODY, ALICE, (ALICE_IP, Ipv4Addr::BROADCAST), (1, 2))),
        ("directed broadcast", say(EVERYBODY, ALICE, (ALICE_IP, Ipv4Addr::new(10, 213, 3, 255)), (1, 2))),
        ("mDNS", say(multicast, ALICE, (ALICE_IP, Ipv4Addr::new(224, 0, 0, 251)), (5_353, 5_353))),
        ("a DHCP client", say(EVERYBODY, ALICE, (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST), (68, 67))),
        ("a DHCP server", say(EVERYBODY, ALICE, (ALICE_IP, Ipv4Addr::BROADCAST), (67, 68))),
        ("a neighbour's source", say(GATEWAY, BOB, (BOB_IP, GATEWAY_IP), (1, 2))),
        ("a neighbour's source address", say(GATEWAY, ALICE, (BOB_IP, GATEWAY_IP), (1, 2))),
        ("a neighbour's source hardware address", say(GATEWAY, BOB, to_host, (1, 2))),
        ("the gateway's source address", say(GATEWAY, ALICE, (GATEWAY_IP, GATEWAY_IP), (1, 2))),
        ("the gateway's source hardware address", say(BOB, GATEWAY, (GATEWAY_IP, BOB_IP), (1, 2))),
        ("loopback's source address", say(GATEWAY, ALICE, (Ipv4Addr::LOCALHOST, GATEWAY_IP), (1, 2))),
        ("a public source address", say(GATEWAY, ALICE, (Ipv4Addr::new(9, 9, 9, 9), GATEWAY_IP), (1, 2))),
        ("a group's source hardware address", say(GATEWAY, EVERYBODY, to_host, (1, 2))),
        ("who is the neighbour", ask(EVERYBODY, ALICE, 1, own, (zero, BOB_IP))),
        ("I am here", ask(EVERYBODY, ALICE, 1, own, (zero, ALICE_IP))),
        ("I am the gateway", ask(EVERYBODY, ALICE, 2, (ALICE, GATEWAY_IP), (zero, BOB_IP))),
        ("I am the gateway, to the neighbour", ask(BOB, ALICE, 2, (ALICE, GATEWAY_IP), (BOB, BOB_IP))),
        ("I am the gateway, asking the host", ask(EVERYBODY, ALICE, 1, (ALICE, GATEWAY_IP), (zero, GATEWAY_IP))),
        ("I am the neighbour, to the host", ask(GATEWAY, ALICE, 2, (ALICE, BOB_IP), (GATEWAY, GATEWAY_IP))),
        ("I have the neighbour's hardware", ask(GATEWAY, ALICE, 2, (BOB, ALICE_IP), (GATEWAY, GATEWAY_IP))),
        ("the neighbour asks", ask(EVERYBODY, BOB, 1, (BOB, BOB_IP), (zero, GATEWAY_IP))),
        ("my answer, to the neighbour", ask(BOB, ALICE, 2, own, (GATEWAY, GATEWAY_IP))),
        ("reverse ARP", ethernet(EVERYBODY, ALICE, 0x8035, &arp(3, own, own, TEXT))),
        ("an ARP operation of its own", ask(EVERYBODY, ALICE, 9, own, (zero, GATEWAY_IP))),
        ("IPv6 to the neighbour", say6(BOB, "fe80::6d:78ff:fe00:2", 17)),
        ("IPv6 to the host", say6(GATEWAY, "fe80::6d:78ff:fe01:0", 17)),
        ("IPv6 to all nodes", say6([0x33, 0x33, 0, 0, 0, 1], "ff02::1", 17)),
        ("IPv6 neighbour solicitation or router advertisement", say6([0x33, 0x33, 0, 0, 0, 1], "ff02::1", 58)),
        ("IPv6 to metadata", say6(GATEWAY, "fd00:ec2::254", 17)),
        ("VLAN", tagged(0x8100)),
        ("VLAN in VLAN", tagged(0x88a8)),
        ("spanning tree", other([0x01, 0x80, 0xc2, 0, 0, 0], 38)),
        ("LLDP", other([0x01, 0x80, 0xc2, 0, 0, 0x0e], 0x88cc)),
        ("PPPoE", other(EVERYBODY, 0x8863)),
        ("wake on LAN", other(BOB, 0x0842)),
        ("an experimental protocol", other(BOB, 0x88b5)),
    ]
}

struct Street {
    house: House,
    alice: Wire,
    bob: Wire,
    bridge: Wire,
    computers: Vec<common::Namespace>,
}

impl Street {
    fn new() -> Self {
        let house = House::new();
        let ((alice, _), (bob, _)) = (house.computer(1), house.computer(2));
        house.host.serve(SERVICE);
        for computer in [&alice, &bob] {
            assert!(computer.reach((GATEWAY_IP, SERVICE)).is_some(), "the ports forward");
        }
        let taps = (Wire::tap(&alice, "eth0"), Wire::tap(&bob, "eth0"), Wire::tap(&house.host, "t-net0"));
        Self { house, alice: taps.0, bob: taps.1, bridge: taps.2, computers: vec![alice, bob] }
    }

    /// Without the firewall; and the host says nothing by itself, so that nobody is heard but Alice.
    fn tear_down_the_firewall(&self) {
        let mute =
            "add table inet mute; add chain inet mute output { type filter hook output priority 0; policy drop; }";
        assert!(self.house.host.sh(&format!("nft flush ruleset; nft '{mute}'")));
    }

    fn shout(&self, frame: &[u8]) {
        (0..3).for_each(|_| self.alice.send(frame));
    }
}

#[test]
fn a_frame_is_the_computers_own_and_for_the_gateway_or_nobody_hears_it() {
    let street = Street::new();
    street.shout(&say(GATEWAY, ALICE, (ALICE_IP, GATEWAY_IP), (1, 2)));
    street.shout(&ask(EVERYBODY, ALICE, 1, (ALICE, ALICE_IP), ([0; 6], GATEWAY_IP)));
    street.shout(&ask(GATEWAY, ALICE, 2, (ALICE, ALICE_IP), (GATEWAY, GATEWAY_IP)));
    assert_eq!(street.bridge.heard(TEXT, PAUSE), 9, "its own packets, questions and answers reach the host");
    assert_eq!(street.bob.heard(TEXT, PAUSE), 0, "and only the host");
    for (what, frame) in hostile() {
        street.shout(&frame);
        let heard = (street.bridge.heard(TEXT, PAUSE / 4), street.bob.heard(TEXT, Duration::ZERO));
        assert_eq!(heard, (0, 0), "{what}: heard by the host and by the neighbour");
    }
    street.shout(&say(GATEWAY, ALICE, (ALICE_IP, BOB_IP), (1, 2)));
    assert_eq!(street.bridge.heard(TEXT, PAUSE), 3, "the host is asked to pass it on");
    assert_eq!(street.bob.heard(TEXT, PAUSE), 0, "and does not");
}

#[test]
fn ports_keep_neighbours_apart_also_while_the_firewall_is_gone() {
    let street = Street::new();
    street.tear_down_the_firewall();
    let mut at_host = 0;
    for (what, frame) in hostile() {
        street.shout(&frame);
        at_host += street.bridge.heard(TEXT, PAUSE / 4);
        assert_eq!(street.bob.heard(TEXT, Duration::ZERO), 0, "{what}");
    }
    assert!(at_host > 0, "the firewall really is gone");
    assert!(street.house.host.sh("bridge link set dev t-v1 isolated off; bridge link set dev t-v2 isolated off"));
    street.shout(&say(BOB, ALICE, (ALICE_IP, BOB_IP), (1, 2)));
    assert_eq!(street.bob.heard(TEXT, PAUSE), 3, "without isolation the neighbour would have heard");
}

#[test]
fn the_firewall_keeps_neighbours_apart_also_while_ports_are_not_isolated() {
    let street = Street::new();
    let ports = ["t-v1", "t-v2"]
        .map(|port| format!("bridge link set dev {port} isolated off flood on mcast_flood on bcast_flood on"));
    assert!(street.house.host.sh(&ports.join("; ")));
    for (what, frame) in hostile() {
        street.shout(&frame);
        assert_eq!(street.bob.heard(TEXT, PAUSE / 4), 0, "{what}");
    }
    street.tear_down_the_firewall();
    for (what, frame) in hostile().into_iter().take(6) {
        street.shout(&frame);
        assert_eq!(street.bob.heard(TEXT, PAUSE), 3, "without the firewall the neighbour would have heard: {what}");
    }
}

#[test]
fn host_and_computers_know_each_other_without_asking() {
    let street = Street::new();
    let host = &street.house.host;
    let known = host.says("ip neigh show dev t-net0 nud permanent");
    assert_eq!(known.lines().count(), usize::from(matrixos_netns::lease::SEATS_PER_BRIDGE), "every seat of the bridge");
    assert!(known.contains(&format!("{ALICE_IP} lladdr 02:6d:78:00:00:01")), "{known}");
    let inside = street.computers[0].says("ip neigh show dev eth0");
    assert!(inside.starts_with(&format!("{GATEWAY_IP} lladdr 02:6d:78:01:00:00 PERMANENT")), "{inside}");
}

#[test]
fn a_bridge_learns_nothing_from_computers_and_sends_each_only_what_is_its_own() {
    let street = Street::new();
    let host = &street.house.host;
    for link in ["t-v1", "t-v2"] {
        let settings = host.says(&format!("bridge -d link show dev {link}"));
        for setting in ["isolated on", "learning off", " flood off", "mcast_flood off", "bcast_flood off"] {
            assert!(settings.contains(setting), "{setting}: {settings}");
        }
    }
    street.tear_down_the_firewall();
    street.shout(&say(GATEWAY, BOB, (BOB_IP, GATEWAY_IP), (1, 2)));
    street.shout(&say(GATEWAY, NOBODY, (ALICE_IP, GATEWAY_IP), (1, 2)));
    assert!(street.bridge.heard(TEXT, PAUSE) > 0);
    let known = host.says("bridge fdb show br t-net0");
    let places: Vec<_> = known.lines().filter(|line| line.starts_with("02:6d:78:00:00:")).collect();
    assert!(
        places.iter().any(|line| line.starts_with("02:6d:78:00:00:02 dev t-v2") && line.contains("static")),
        "{known}"
    );
    assert!(!places.iter().any(|line| line.starts_with("02:6d:78:00:00:02 dev t-v1")), "{known}");
    assert!(!known.contains("02:6d:78:00:00:4d"), "a forged address: {known}");
    street.bridge.send(&say(NOBODY, GATEWAY, (GATEWAY_IP, BOB_IP), (1, 2)));
    street.bridge.send(&say(BOB, GATEWAY, (GATEWAY_IP, BOB_IP), (1, 2)));
    assert_eq!((street.alice.heard(TEXT, PAUSE), street.bob.heard(TEXT, PAUSE)), (0, 1), "only what is its own");
}
