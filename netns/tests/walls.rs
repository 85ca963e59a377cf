//! The walls of `matrixos-net` against real listeners, each test in network namespaces of its own. Needs root.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use matrixos_netns::{Lease, Network, apply, observe};
use matrixos_types::{Instance, Seat};
use nix::sched::{CloneFlags, setns, unshare};

const SERVICE: u16 = 8081;

/// A network namespace that lives as long as this value.
#[derive(Clone)]
struct Namespace(Arc<File>);

impl Namespace {
    fn new() -> Self {
        thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
            Self(Arc::new(File::open("/proc/thread-self/ns/net").expect("its handle")))
        })
        .join()
        .expect("no panic")
    }

    /// Runs `work` inside and returns its result.
    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let this = self.clone();
        thread::spawn(move || {
            setns(this.0.as_fd(), CloneFlags::CLONE_NEWNET).expect("entered");
            work()
        })
        .join()
        .expect("no panic inside the namespace")
    }

    fn sh(&self, command: &'static str) -> bool {
        self.run(move || Command::new("sh").args(["-ec", command]).status().expect("a shell").success())
    }

    /// Answers every connection with the caller's address, until the test ends.
    fn serve(&self, port: u16) {
        self.run(move || {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("a port");
            thread::spawn(move || {
                while let Ok((mut stream, peer)) = listener.accept() {
                    let _ = write!(stream, "{}", peer.ip());
                }
            });
        });
    }

    /// [`ask`](Self::ask), until it succeeds or ten seconds are over: the first packet after a port has come up may be lost.
    fn reach(&self, address: impl Into<SocketAddr>) -> Option<String> {
        let address = address.into();
        (0..10).find_map(|_| self.ask(address))
    }

    /// What the listener at that address answers, or `None` if nothing gets through.
    fn ask(&self, address: impl Into<SocketAddr>) -> Option<String> {
        let address = address.into();
        self.run(move || {
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            Some(text)
        })
    }
}

/// A host with its network, in a namespace of its own.
struct House {
    host: Namespace,
    network: Network,
}

impl House {
    fn new() -> Self {
        let host = Namespace::new();
        assert!(host.sh("ip link set lo up"));
        let network = Network::new(Instance::parse("t").expect("a name"), "10.213.0.0/16".parse().expect("a net"))
            .expect("a pool");
        Self { host, network }
    }

    fn ensure(&self, index: u16) {
        let network = self.network.clone();
        self.host.run(move || apply::ensure(&network, index, &[SERVICE])).expect("the bridge stands");
    }

    fn computer(&self, seat: u16) -> (Namespace, Lease) {
        let lease = self.network.lease(Seat::new(seat).expect("a seat")).expect("room");
        self.ensure(lease.bridge_index);
        let inside = Namespace::new();
        let (for_attach, file) = (lease.clone(), inside.clone());
        self.host.run(move || apply::attach(&for_attach, file.0.as_fd())).expect("attached");
        (inside, lease)
    }

    fn observed(&self) -> observe::Observed {
        let network = self.network.clone();
        self.host.run(move || observe::observe(&network)).expect("observed")
    }

    /// A pretend internet with these addresses, beyond a router link of the host.
    fn internet(&self, addresses: &'static str) -> Namespace {
        let beyond = Namespace::new();
        let (host, there) = (self.host.clone(), beyond.clone());
        host.run(move || {
            use std::os::fd::AsRawFd;
            let fd = format!("/proc/{}/fd/{}", std::process::id(), there.0.as_raw_fd());
            let made = Command::new("sh")
                .args(["-ec", "ip link add wan type veth peer name uplink netns \"$0\"; ip addr add 203.0.113.1/24 dev wan; ip link set wan up; ip route add default via 203.0.113.2", &fd])
                .status();
            assert!(made.expect("a shell").success());
        });
        assert!(beyond.sh("ip link set lo up; ip addr add 203.0.113.2/24 dev uplink; ip link set uplink up"));
        beyond.run(move || {
            for address in addresses.split(' ') {
                let added = Command::new("ip").args(["addr", "add", address, "dev", "lo"]).status();
                assert!(added.expect("ip").success());
            }
        });
        beyond
    }
}

#[test]
fn computers_cannot_reach_each_other_on_one_bridge_or_across_two() {
    let house = House::new();
    let (alice, _) = house.computer(1);
    let (bob, bob_lease) = house.computer(2);
    let (carol, carol_lease) = house.computer(1001);
    assert_eq!((bob_lease.bridge_index, carol_lease.bridge_index), (0, 1));
    for computer in [&bob, &carol] {
        computer.serve(4000);
    }
    for lease in [&bob_lease, &carol_lease] {
        assert!(house.host.reach((lease.address, 4000)).is_some(), "the host reaches it, so it listens");
        assert_eq!(alice.ask((lease.address, 4000)), None);
    }
    assert!(alice.sh("! ip neigh show 10.213.0.3 | grep -q lladdr"), "not even its hardware address is known");
}

/// A private pool is among the forbidden ranges, too; this is the wall that stands without that list.
#[test]
fn computers_of_two_bridges_stay_apart_without_the_list_of_ranges() {
    let house = House::new();
    let (alice, _) = house.computer(1);
    let (carol, carol_lease) = house.computer(1001);
    carol.serve(4000);
    assert!(house.host.sh("nft flush set inet t_net forbidden"));
    assert!(house.host.reach((carol_lease.address, 4000)).is_some(), "the host reaches it, so it listens");
    assert_eq!(alice.ask((carol_lease.address, 4000)), None);
}

#[test]
fn a_computer_reaches_only_the_service_port_of_the_host() {
    let house = House::new();
    let (alice, lease) = house.computer(1);
    for port in [SERVICE, 8080] {
        house.host.serve(port);
    }
    assert_eq!(alice.reach((lease.gateway, SERVICE)), Some(lease.address.to_string()));
    assert_eq!(alice.ask((lease.gateway, 8080)), None);
    house.computer(1001);
    assert_eq!(alice.ask((house.network.gateway(1), SERVICE)), None, "nor another bridge's");
}

#[test]
fn private_ranges_metadata_and_mail_are_dropped_while_the_internet_answers() {
    let house = House::new();
    let (alice, lease) = house.computer(1);
    let internet =
        house.internet("198.51.100.7/32 10.9.9.9/32 172.16.9.9/32 192.168.9.9/32 100.64.9.9/32 169.254.169.254/32");
    for port in [80, 25, 465, 587] {
        internet.serve(port);
    }
    let public = Ipv4Addr::new(198, 51, 100, 7);
    assert_eq!(alice.reach((public, 80)), Some("203.0.113.1".to_owned()), "masqueraded as the host");
    for port in [25, 465, 587] {
        assert_eq!(alice.ask((public, port)), None, "mail port {port}");
        assert!(house.host.reach((public, port)).is_some(), "the host itself may");
    }
    for hidden in ["10.9.9.9", "172.16.9.9", "192.168.9.9", "100.64.9.9", "169.254.169.254"] {
        let hidden: Ipv4Addr = hidden.parse().expect("an address");
        assert!(house.host.reach((hidden, 80)).is_some(), "{hidden} is there");
        assert_eq!(alice.ask((hidden, 80)), None, "{hidden}");
    }
    alice.serve(4000);
    assert!(internet.sh("ip route add 10.213.0.0/16 via 203.0.113.1"));
    assert_eq!(internet.ask((lease.address, 4000)), None, "nobody from outside reaches a computer");
}

#[test]
fn a_forged_address_or_hardware_address_gets_nothing_through() {
    let house = House::new();
    let (alice, lease) = house.computer(1);
    house.host.serve(SERVICE);
    assert!(alice.reach((lease.gateway, SERVICE)).is_some());
    assert!(alice.sh("ip link set eth0 down; ip link set eth0 address 02:6d:78:00:00:02; ip link set eth0 up; ip route add default via 10.213.0.1"));
    assert_eq!(alice.ask((lease.gateway, SERVICE)), None, "a forged hardware address");
    assert!(alice.sh("ip link set eth0 down; ip link set eth0 address 02:6d:78:00:00:01; ip link set eth0 up; ip route replace default via 10.213.0.1"));
    assert!(alice.reach((lease.gateway, SERVICE)).is_some(), "its own again");
    assert!(alice.sh("ip addr flush dev eth0; ip addr add 10.213.0.9/22 dev eth0"));
    assert_eq!(alice.ask((lease.gateway, SERVICE)), None, "a forged address");
}

#[test]
fn ports_are_isolated_and_computers_have_no_ipv6() {
    let house = House::new();
    let (alice, _) = house.computer(1);
    assert!(house.host.sh("ip -d link show t-v1 | grep -q 'isolated on'"));
    assert!(house.host.sh("ip link show t-net0 | grep -q 02:6d:78:01:00:00"), "the gateway's hardware address stays");
    assert!(alice.sh("! ip -6 addr show | grep -q inet6"));
}

#[test]
fn ensuring_twice_changes_nothing_and_removal_leaves_nothing() {
    let house = House::new();
    // A link lives as long as its namespace, so the computers are kept.
    let _kept = (house.computer(1), house.computer(1001));
    let before = house.observed();
    assert_eq!((before.bridges.as_slice(), before.links.len()), ([0, 1].as_slice(), 2));
    house.ensure(0);
    let _again = house.computer(1);
    assert_eq!(house.observed().links.len(), 2, "attaching anew replaces the leftover");
    let (network, lease) = (house.network.clone(), house.network.lease(Seat::new(1).expect("seat")).expect("room"));
    house.host.run(move || {
        apply::detach(&lease).expect("detached");
        apply::detach(&lease).expect("detached already");
        apply::remove_all(&network).expect("removed");
        apply::remove_all(&network).expect("removed already");
    });
    assert_eq!(house.observed(), observe::Observed::default());
    assert!(house.host.sh("test -z \"$(nft list tables)\""));
}

#[test]
fn flushed_rules_come_back_with_the_next_start() {
    let house = House::new();
    house.ensure(0);
    assert!(house.host.sh("nft flush ruleset"));
    let network = house.network.clone();
    house.host.run(move || apply::reload(&network, 0, &[SERVICE])).expect("loaded");
    assert!(house.host.sh("nft list table inet t_net | grep -q forbidden"));
}
