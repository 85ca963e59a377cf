//! Where computers may go: a pretend internet holds every address they may not reach, with somebody who listens to
//! whatever arrives. Nothing here is connected to the real network. Needs root.

mod common;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Duration;

use common::wire::{IPV4, IPV6, Mac, Wire, ethernet, ipv4, ipv6, syn, udp};
use common::{House, Namespace, SERVICE};

const PAUSE: Duration = Duration::from_millis(300);
const GATEWAY: Mac = [0x02, 0x6d, 0x78, 0x01, 0, 0];
const ALICE: Mac = [0x02, 0x6d, 0x78, 0, 0, 1];
const ALICE_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);
const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
/// An address that anybody may reach.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);
/// The firewall's bound on the connections of one computer.
const CONNECTIONS: usize = 4_096;

/// One address of each range that is no part of the public internet, as far as an interface can have it.
const SPECIAL: &str = "10.9.9.9 100.64.9.9 100.100.100.200 168.63.129.16 169.254.169.254 169.254.9.9 172.16.9.9 172.31.9.9 \
    192.0.0.8 192.0.0.192 192.0.2.9 192.88.99.9 192.168.9.9 198.18.9.9 198.19.9.9 198.51.100.9 203.0.113.9 240.9.9.9";
/// The rest: no interface can have them, but a frame can be for them.
const NOWHERE: &str = "0.0.0.0 0.9.9.9 127.0.0.1 127.9.9.9 224.0.0.1 224.0.0.251 239.255.255.250 255.255.255.255";

fn all(addresses: &str) -> Vec<Ipv4Addr> {
    addresses.split_whitespace().map(|a| a.parse().expect("an address")).collect()
}

struct World {
    house: House,
    alice: Namespace,
    bob: Namespace,
    internet: Namespace,
    mouth: Wire,
    ear: Wire,
}

impl World {
    fn new() -> Self {
        let house = House::new();
        let ((alice, _), (bob, _)) = (house.computer(1), house.computer(2));
        let addresses: Vec<_> = SPECIAL.split_whitespace().map(|a| format!("{a}/32")).collect();
        let internet = house.internet(&format!("{PUBLIC}/32 {}", addresses.join(" ")));
        for port in [25, 53, 80, 443, 465, 587] {
            internet.serve(port);
        }
        house.host.serve(SERVICE);
        house.host.serve(80);
        for computer in [&alice, &bob] {
            assert!(computer.reach((PUBLIC, 80)).is_some(), "the internet answers");
        }
        let (mouth, ear) = (Wire::tap(&alice, "eth0"), Wire::tap(&internet, "uplink"));
        Self { house, alice, bob, internet, mouth, ear }
    }

    fn say(&self, to: Ipv4Addr, protocol: u8, payload: &[u8]) {
        self.mouth.send(&ethernet(GATEWAY, ALICE, IPV4, &ipv4(ALICE_IP, to, protocol, payload)));
    }

    /// Whether a datagram arrives.
    fn arrives(&self, to: Ipv4Addr, port: u16) -> bool {
        let text = format!("for {to} port {port}.");
        self.say(to, 17, &udp(4_000, port, &text));
        self.ear.heard(&text, PAUSE) > 0
    }

    /// Whom of them a computer can open a connection to.
    fn answering(&self, computer: &Namespace, whom: &[(Ipv4Addr, u16)]) -> Vec<SocketAddr> {
        thread::scope(|scope| {
            let asked: Vec<_> = whom
                .iter()
                .map(|&whom| scope.spawn(move || computer.ask(whom).map(|_| SocketAddr::from(whom))))
                .collect();
            asked.into_iter().filter_map(|one| one.join().expect("no panic")).collect()
        })
    }

    /// What the host's kernel keeps track of.
    fn connections(&self) -> usize {
        let count = || fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count").expect("a count");
        self.house.host.run(count).trim().parse().expect("a number")
    }
}

#[test]
fn nothing_for_a_special_address_arrives_anywhere_while_a_public_one_answers() {
    let world = World::new();
    let special: Vec<_> = all(SPECIAL).into_iter().map(|address| (address, 80)).collect();
    assert_eq!(world.answering(&world.house.host, &special).len(), special.len(), "the host reaches them all");
    assert_eq!(world.answering(&world.alice, &special), [], "a computer reaches none");
    assert_eq!(world.answering(&world.alice, &[(PUBLIC, 80)]).len(), 1);
    for address in all(SPECIAL).into_iter().chain(all(NOWHERE)) {
        assert!(!world.arrives(address, 9), "{address}");
    }
    assert!(world.arrives(PUBLIC, 9), "while a permitted address hears it");
    assert!(world.house.host.sh("nft delete table inet t_net"));
    let heard = all(SPECIAL).into_iter().filter(|&address| world.arrives(address, 10)).count();
    assert_eq!(heard, special.len(), "without the rules each of them would have heard");
}

#[test]
fn mail_ports_are_closed_and_the_web_and_names_are_open() {
    let world = World::new();
    for port in [25, 465, 587] {
        assert!(!world.arrives(PUBLIC, port), "UDP {port}");
        let text = format!("connect to {port}.");
        world.say(PUBLIC, 6, &syn((ALICE_IP, 4_000), (PUBLIC, port), &text));
        assert_eq!(world.ear.heard(&text, PAUSE), 0, "TCP {port}");
        assert_eq!(world.alice.ask((PUBLIC, port)), None);
        assert!(world.house.host.reach((PUBLIC, port)).is_some(), "the host itself may");
    }
    for port in [53, 443] {
        assert!(world.arrives(PUBLIC, port), "UDP {port}");
        assert!(world.alice.reach((PUBLIC, port)).is_some(), "TCP {port}");
    }
    for (protocol, name) in [(132, "SCTP"), (33, "DCCP"), (47, "GRE"), (50, "ESP"), (4, "IP in IP"), (2, "IGMP")] {
        let text = format!("by {name}");
        world.say(PUBLIC, protocol, format!("12345678{text}").as_bytes());
        assert_eq!(world.ear.heard(&text, PAUSE), 0, "{name}");
    }
}

#[test]
fn no_address_of_the_host_answers_a_computer_but_its_gateway_for_its_service() {
    let world = World::new();
    world.house.ensure(1);
    let outside = Ipv4Addr::new(203, 0, 113, 1);
    let other_bridge = world.house.network.gateway(1);
    let whom = [(outside, 80), (outside, SERVICE), (GATEWAY_IP, 80), (other_bridge, SERVICE), (other_bridge, 80)];
    assert_eq!(world.answering(&world.house.host, &whom).len(), whom.len(), "each listens");
    assert_eq!(world.answering(&world.alice, &whom), []);
    assert!(world.alice.reach((GATEWAY_IP, SERVICE)).is_some());
}

#[test]
fn ipv6_goes_nowhere_even_if_host_and_computer_would_route_it() {
    let world = World::new();
    let host = &world.house.host;
    assert!(host.sh("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.disable_ipv6=0"));
    assert!(host.sh("ip -6 addr add fd00:1::1/64 dev wan nodad; ip -6 route add fd00:ec2::/32 via fd00:1::2 dev wan"));
    assert!(
        world.internet.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ip -6 addr add fd00:1::2/64 dev uplink nodad")
    );
    assert!(world.internet.sh("ip -6 addr add fd00:ec2::254/128 dev lo nodad"));
    // The next hop is known from the start, so that nothing but a wall keeps a packet back.
    let hop = world.internet.says("ip -o link show uplink | sed -n 's/.*ether \\([0-9a-f:]*\\).*/\\1/p'");
    assert!(host.sh(&format!("ip -6 neigh replace fd00:1::2 lladdr {} dev wan", hop.trim())));
    let bridge = Wire::tap(host, "t-net0");
    let say = |text: &str| {
        let packet = ipv6("fd00::2".parse().expect("v6"), "fd00:ec2::254".parse().expect("v6"), 17, &udp(1, 80, text));
        world.mouth.send(&ethernet(GATEWAY, ALICE, IPV6, &packet));
        (bridge.heard(text, PAUSE), world.ear.heard(text, PAUSE))
    };
    assert_eq!(say("all walls"), (0, 0), "not even the bridge hears it");
    assert!(host.sh("nft delete table bridge t_net"));
    assert_eq!(say("the second wall"), (1, 0), "and the host would not route it");
    assert!(host.sh("nft flush ruleset"));
    assert_eq!(say("no wall"), (1, 1), "without walls it would have arrived");
}

/// Takes the bound on how fast connections begin out of the ruleset, so that the bound on how many there are is met.
fn without_the_pace(world: &World) {
    let chain = world.house.host.says("nft -a list chain inet t_net counted");
    let rule = chain.lines().find(|line| line.contains("@beginnings")).expect("the rule");
    let handle = rule.rsplit(' ').next().expect("its handle");
    assert!(world.house.host.sh(&format!("nft delete rule inet t_net counted handle {handle}")));
}

#[test]
fn connections_begin_at_a_bounded_pace() {
    let world = World::new();
    let begun = std::time::Instant::now();
    for port in 0..6_000 {
        world.say(PUBLIC, 17, &udp(5_000, 10_000 + port, "flood"));
    }
    let most = 2_000 + 30 * (begun.elapsed().as_secs() + 2);
    let kept = world.connections() as u64;
    assert!((1_900..=most).contains(&kept), "{kept} of 6,000 are kept, at most {most}");
    assert!(world.bob.ask((PUBLIC, 80)).is_some(), "the neighbour is served");
}

#[test]
fn a_flood_of_connections_ends_at_the_computers_own_bound() {
    let world = World::new();
    without_the_pace(&world);
    // A table that the flood would fill, where the kernel gives each namespace a bound of its own.
    let small = "test -w /proc/sys/net/netfilter/nf_conntrack_max && sysctl -qw net.netfilter.nf_conntrack_max=6000";
    let bounded = world.house.host.sh(small);
    for port in 0..9_000 {
        world.say(PUBLIC, 17, &udp(5_000, 10_000 + port, "flood"));
    }
    let kept = world.connections();
    assert!((CONNECTIONS..CONNECTIONS + 64).contains(&kept), "{kept} of 9,000 are kept; a table of its own: {bounded}");
    assert_eq!(world.alice.ask((PUBLIC, 80)), None, "whoever floods has no more");
    assert_eq!(world.alice.ask((GATEWAY_IP, SERVICE)), None, "not to the host either");
    assert!(world.bob.ask((PUBLIC, 80)).is_some(), "the neighbour has");
    assert!(world.bob.ask((GATEWAY_IP, SERVICE)).is_some());
    assert!(world.house.host.ask((PUBLIC, 80)).is_some(), "and so has the host");
}

#[test]
fn a_flood_of_connections_to_the_host_is_bounded_as_well() {
    let world = World::new();
    without_the_pace(&world);
    assert!(
        world.alice.sh("nft 'add table ip t; add chain ip t o { type filter hook output priority 0; policy drop; }'")
    );
    for port in 0..9_000 {
        world.say(GATEWAY_IP, 6, &syn((ALICE_IP, 10_000 + port), (GATEWAY_IP, SERVICE), ""));
    }
    for port in 0..9_000 {
        world.say(GATEWAY_IP, 6, &syn((ALICE_IP, 10_000 + port), (GATEWAY_IP, 80), ""));
    }
    let kept = world.connections();
    assert!((CONNECTIONS - 64..CONNECTIONS + 64).contains(&kept), "{kept} of 18,000 are kept");
    assert!(world.bob.ask((GATEWAY_IP, SERVICE)).is_some(), "the neighbour is served");
}
