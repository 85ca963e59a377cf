//! Making the plan real: bridges, firewall, and each container's link. Blocking; needs CAP_NET_ADMIN.

use std::fs;
use std::io::{self, Write};
use std::iter;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns, unshare};

use crate::lease::{Lease, Network};
use crate::netlink::{NetError, Netlink, at};
use crate::observe;
use crate::plan;

/// Name of the link inside a container.
const INNER: &str = "eth0";
const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";
const NO_IPV6: [&str; 2] = ["/proc/sys/net/ipv6/conf/all/disable_ipv6", "/proc/sys/net/ipv6/conf/default/disable_ipv6"];

/// Makes bridge `index` and its firewall, unless they are in place: then it costs one netlink request.
pub fn ensure(network: &Network, index: u16, services: &[u16]) -> Result<(), NetError> {
    let netlink = Netlink::open()?;
    let ready = mark(services);
    let found = netlink.find(&network.bridge(index))?;
    if found.is_some_and(|bridge| bridge.alias.as_deref() == Some(&ready)) {
        return Ok(());
    }
    make(&netlink, network, index, services)
}

/// Loads the firewall anew and makes bridge `index`, whatever is in place: for the start of the platform, since
/// somebody may have flushed the rules.
pub fn reload(network: &Network, index: u16, services: &[u16]) -> Result<(), NetError> {
    make(&Netlink::open()?, network, index, services)
}

/// Whether the firewall is the one that the plan makes for the bridges there are. What the plan makes is asked of the
/// kernel, in a network namespace that is thrown away: so nothing has to be remembered, and both are in the same words.
/// The calling thread is back in its own network namespace when this returns.
pub fn stands(network: &Network, services: &[u16]) -> Result<bool, NetError> {
    let bridges = observe::bridges(&Netlink::open()?, network)?;
    let found = listed(network)?;
    let home = fs::File::open("/proc/thread-self/ns/net").map_err(at("open own network namespace"))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(at("make a network namespace"))?;
    let planned = load(&plan::ruleset(network, &bridges, services)).and_then(|()| listed(network));
    setns(&home, CloneFlags::CLONE_NEWNET).map_err(at("return to own network namespace"))?;
    let planned = planned?.ok_or_else(|| NetError::Firewall("what was loaded is not listed".to_owned()))?;
    Ok(found == Some(planned))
}

/// The tables of this installation as nft lists them, in one text: the rules, and the sets that the plan fills. `None` if
/// anything of them is missing.
fn listed(network: &Network) -> Result<Option<String>, NetError> {
    let table = network.table();
    let mut all = String::new();
    for (family, sets) in plan::SETS {
        let rules = format!("list table {family} {table}");
        let sets = sets.iter().map(|set| (["--stateless"].as_slice(), format!("list set {family} {table} {set}")));
        // One thing a command: nft 1.0 does not find the second one.
        for (options, command) in iter::once((["--stateless", "--terse"].as_slice(), rules)).chain(sets) {
            let output = Command::new("nft").args(options).arg(command).stdin(Stdio::null()).output();
            let output = output.map_err(at("start nft (Debian package nftables)"))?;
            if !output.status.success() {
                return Ok(None);
            }
            all.push_str(&String::from_utf8_lossy(&output.stdout));
        }
    }
    Ok(Some(all))
}

fn make(netlink: &Netlink, network: &Network, index: u16, services: &[u16]) -> Result<(), NetError> {
    let mut walled = observe::bridges(netlink, network)?;
    if !walled.contains(&index) {
        walled.push(index);
        walled.sort_unstable();
    }
    // The walls stand before the first door opens.
    load(&plan::ruleset(network, &walled, services))?;
    let name = network.bridge(index);
    netlink.add_bridge(&name, network.bridge_mac(index))?;
    let bridge = netlink.find(&name)?.ok_or(NetError::Missing("make bridge"))?;
    netlink.add_address(bridge.index, network.gateway(index), network.subnet(index).prefix_len())?;
    netlink.up(bridge.index)?;
    // All seats from the start, so that a launch need not touch it. A question to all of a thousand computers, one for each
    // that was not heard of for a while, would wake every one of them.
    netlink.know(bridge.index, network.leases_of(index).map(|lease| (lease.address, lease.mac)))?;
    forward()?;
    // Somebody may have made another bridge meanwhile, and loaded rules that do not know of this one.
    loop {
        let bridges = observe::bridges(netlink, network)?;
        if bridges == walled {
            break;
        }
        load(&plan::ruleset(network, &bridges, services))?;
        walled = bridges;
    }
    netlink.set_alias(bridge.index, &mark(services))
}

/// The bridge's alias says for which services its firewall was loaded.
fn mark(services: &[u16]) -> String {
    format!("ready for {services:?}")
}

fn forward() -> Result<(), NetError> {
    if fs::read_to_string(FORWARD).map_err(at("read ip_forward"))?.trim() == "1" {
        return Ok(());
    }
    fs::write(FORWARD, "1").map_err(at("switch forwarding on"))
}

/// Gives a container its link: a veth pair whose inner end is made right in the container's namespace, while the
/// outer end is an isolated port of the bridge. A leftover of the same name is removed first. The calling thread is
/// back in its own network namespace when this returns.
pub fn attach(lease: &Lease, container: BorrowedFd<'_>) -> Result<(), NetError> {
    detach(lease)?;
    let home = fs::File::open("/proc/thread-self/ns/net").map_err(at("open own network namespace"))?;
    setns(container, CloneFlags::CLONE_NEWNET).map_err(at("enter the container's network namespace"))?;
    let inside = furnish(lease, home.as_fd());
    setns(&home, CloneFlags::CLONE_NEWNET).map_err(at("return to own network namespace"))?;
    inside?;
    let netlink = Netlink::open()?;
    let bridge = netlink.find(&lease.bridge)?.ok_or(NetError::Missing("find bridge"))?;
    let port = netlink.find(&lease.link)?.ok_or(NetError::Missing("make veth pair"))?;
    netlink.plug(port.index, bridge.index, lease.mac)
}

fn furnish(lease: &Lease, host: BorrowedFd<'_>) -> Result<(), NetError> {
    for path in NO_IPV6 {
        match fs::write(path, "1") {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(at("switch IPv6 off")(e)),
            _ => {}
        }
    }
    let netlink = Netlink::open()?;
    let loopback = netlink.find("lo")?.ok_or(NetError::Missing("find loopback"))?;
    netlink.up(loopback.index)?;
    netlink.add_pair(INNER, lease.mac, &lease.link, host)?;
    let inner = netlink.find(INNER)?.ok_or(NetError::Missing("make veth pair"))?;
    netlink.add_address(inner.index, lease.address, lease.prefix)?;
    netlink.know(inner.index, iter::once((lease.gateway, lease.gateway_mac)))?;
    netlink.default_route(lease.gateway)
}

/// Removes a container's link, if there is one.
pub fn detach(lease: &Lease) -> Result<(), NetError> {
    let netlink = Netlink::open()?;
    match netlink.find(&lease.link)? {
        Some(link) => netlink.remove(link.index),
        None => Ok(()),
    }
}

/// Removes every link, bridge and rule of this installation.
pub fn remove_all(network: &Network) -> Result<(), NetError> {
    let netlink = Netlink::open()?;
    let (links, bridges) = (network.link_prefix(), network.bridge_prefix());
    for link in netlink.all()? {
        if link.name.starts_with(&links) || link.name.starts_with(&bridges) {
            netlink.remove(link.index)?;
        }
    }
    let table = network.table();
    load(&format!("table inet {table}\ndelete table inet {table}\ntable bridge {table}\ndelete table bridge {table}\n"))
}

/// Loads rules in one transaction: all or none.
fn load(rules: &str) -> Result<(), NetError> {
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(at("start nft (Debian package nftables)"))?;
    nft.stdin
        .take()
        .ok_or(NetError::Missing("nft's input"))?
        .write_all(rules.as_bytes())
        .map_err(at("write rules to nft"))?;
    let output = nft.wait_with_output().map_err(at("wait for nft"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(NetError::Firewall(String::from_utf8_lossy(&output.stderr).lines().take(3).collect::<Vec<_>>().join("; ")))
}
