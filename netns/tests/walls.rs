//! The walls of `matrixos-net` against real listeners, each test in network namespaces of its own. Needs root.

mod common;

use std::net::Ipv4Addr;

use common::{House, SERVICE};
use matrixos_netns::{apply, observe};
use matrixos_types::Seat;

/// An address of the public internet. It is a pretended one: nothing here is connected to the real network.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 9);

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
        house.internet("9.9.9.9/32 10.9.9.9/32 172.16.9.9/32 192.168.9.9/32 100.64.9.9/32 169.254.169.254/32");
    for port in [80, 25, 465, 587] {
        internet.serve(port);
    }
    let public = PUBLIC;
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

#[test]
fn any_change_of_the_walls_is_noticed_and_nobody_elses_rules_are_mistaken_for_one() {
    let house = House::new();
    let _computers = (house.computer(1), house.computer(1001));
    let stands = |house: &House| {
        let network = house.network.clone();
        house.host.run(move || apply::stands(&network, &[SERVICE])).expect("compared")
    };
    let generation = |house: &House| house.host.run(observe::generation).expect("a number");
    let (before, begun) = (generation(&house), std::time::Instant::now());
    assert!(stands(&house), "as planned");
    println!("compared in {:?}", begun.elapsed());
    assert_eq!(generation(&house), before, "looking changes nothing");
    assert!(house.host.sh("nft add table ip somebody_else; nft add chain ip somebody_else c"));
    assert_ne!(generation(&house), before, "every change is numbered");
    assert!(stands(&house), "what others do beside it is theirs");
    for change in [
        "nft flush ruleset",
        "nft delete table bridge t_net",
        "nft flush chain inet t_net to_host",
        "nft insert rule inet t_net from_computers accept",
        "nft 'chain inet t_net forward { policy drop; }'",
        "nft delete element inet t_net forbidden '{ 10.0.0.0/8 }'",
        "nft flush set bridge t_net computers",
        "nft add element bridge t_net gateways '{ 10.213.0.9 }'",
        "nft 'table inet t_net { flags dormant; }'",
    ] {
        let count = generation(&house);
        assert!(house.host.sh(change));
        assert_ne!(generation(&house), count, "{change}");
        assert!(!stands(&house), "{change}");
        let network = house.network.clone();
        house.host.run(move || apply::reload(&network, 0, &[SERVICE])).expect("loaded");
        assert!(stands(&house), "stands again after: {change}");
    }
}
