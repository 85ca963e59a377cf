//! A host with its network and computers, each in a network namespace of its own, and a pretend internet. Needs root.
#![allow(dead_code, unreachable_pub)]

pub mod wire;

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

pub const SERVICE: u16 = 8081;

/// A network namespace that lives as long as this value.
#[derive(Clone)]
pub struct Namespace(Arc<File>);

impl Namespace {
    pub fn new() -> Self {
        thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
            Self(Arc::new(File::open("/proc/thread-self/ns/net").expect("its handle")))
        })
        .join()
        .expect("no panic")
    }

    /// Runs `work` inside and returns its result.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let this = self.clone();
        thread::spawn(move || {
            setns(this.0.as_fd(), CloneFlags::CLONE_NEWNET).expect("entered");
            work()
        })
        .join()
        .expect("no panic inside the namespace")
    }

    pub fn sh(&self, command: &str) -> bool {
        let command = command.to_owned();
        self.run(move || Command::new("sh").args(["-ec", &command]).status().expect("a shell").success())
    }

    /// What a command says.
    pub fn says(&self, command: &str) -> String {
        let command = command.to_owned();
        let output = self.run(move || Command::new("sh").args(["-ec", &command]).output().expect("a shell"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Answers every connection with the caller's address, until the test ends.
    pub fn serve(&self, port: u16) {
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
    pub fn reach(&self, address: impl Into<SocketAddr>) -> Option<String> {
        let address = address.into();
        (0..10).find_map(|_| self.ask(address))
    }

    /// What the listener at that address answers, or `None` if nothing gets through.
    pub fn ask(&self, address: impl Into<SocketAddr>) -> Option<String> {
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
pub struct House {
    pub host: Namespace,
    pub network: Network,
}

impl House {
    pub fn new() -> Self {
        let host = Namespace::new();
        assert!(host.sh("ip link set lo up"));
        let network = Network::new(Instance::parse("t").expect("a name"), "10.213.0.0/16".parse().expect("a net"))
            .expect("a pool");
        Self { host, network }
    }

    pub fn ensure(&self, index: u16) {
        let network = self.network.clone();
        self.host.run(move || apply::ensure(&network, index, &[SERVICE])).expect("the bridge stands");
    }

    pub fn computer(&self, seat: u16) -> (Namespace, Lease) {
        let lease = self.network.lease(Seat::new(seat).expect("a seat")).expect("room");
        self.ensure(lease.bridge_index);
        let inside = Namespace::new();
        let (for_attach, file) = (lease.clone(), inside.clone());
        self.host.run(move || apply::attach(&for_attach, file.0.as_fd())).expect("attached");
        (inside, lease)
    }

    pub fn observed(&self) -> observe::Observed {
        let network = self.network.clone();
        self.host.run(move || observe::observe(&network)).expect("observed")
    }

    /// A pretend internet with these addresses, beyond a router link of the host.
    pub fn internet(&self, addresses: &str) -> Namespace {
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
        let addresses = addresses.to_owned();
        beyond.run(move || {
            for address in addresses.split(' ') {
                let added = Command::new("ip").args(["addr", "add", address, "dev", "lo"]).status();
                assert!(added.expect("ip").success());
            }
        });
        beyond
    }
}
