//! A bad neighbour must not be felt: while one computer does its worst, another answers as it did before.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use matrixos_netns::Network;
use matrixos_runtime::protocol::Launch;
use matrixos_runtime::stats;

use crate::common::{House, ends, until};
use crate::trial;

const BOMB_SECONDS: u64 = 4;
/// A port of the host that computers may reach.
const SERVICE: u16 = 8099;
const PORT: u16 = 4000;
/// What `netns` lets one computer begin at once and within the bomb's time, and what the test itself opens.
const CONNECTIONS: u64 = 2_000 + 30 * 2 * BOMB_SECONDS + 2_000;
/// Where the launcher cuts a log, and room for what is written before it looks.
const LOG: u64 = 1 << 20;

pub(crate) fn trials() -> Vec<Trial> {
    // The table of connections remembers the trials before, so the one that counts them comes first.
    ["conntrack", "fork", "memory", "cpu", "tmpfs", "log"]
        .map(|kind| trial(format!("a_neighbours_{kind}_bomb_is_not_felt"), move || bomb(kind)))
        .into()
}

/// Latencies of one phase, sorted.
struct Phase(Vec<Duration>);

impl Phase {
    /// Asks once every few milliseconds as long as `goes_on`; every question must be answered.
    fn measure(address: SocketAddr, goes_on: impl Fn() -> bool) -> Self {
        let mut all = Vec::new();
        while goes_on() {
            all.push(ask(address).expect("the neighbour answers"));
            std::thread::sleep(Duration::from_millis(4));
        }
        all.sort();
        Self(all)
    }

    fn at(&self, share: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }
}

/// One byte there and back over a connection of its own.
fn ask(address: SocketAddr) -> std::io::Result<Duration> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0])?;
    Ok(begun.elapsed())
}

fn bomb(kind: &'static str) {
    let house = House::with_services(vec![SERVICE]);
    house.install_probe();
    let network = Network::new(house.config.instance.clone(), house.config.pool).unwrap();
    let quiet = house.person(2, &format!("exec /bin/probe first /bin/probe answer {PORT}"));
    house.launch(&quiet).expect("the quiet one");
    let lease = network.lease(quiet.seat).unwrap();
    let address = SocketAddr::from((lease.address, PORT));
    until("it answers", || ask(address).is_ok());
    let service = Service::open();

    let before = Phase::measure(address, for_seconds(2));
    let tracked_before = tracked();
    let bad = house
        .person(1, &format!("exec /bin/probe first /bin/probe bomb {kind} {BOMB_SECONDS} {}:{SERVICE}", lease.gateway));
    let (_, pidfd) = house.launch(&bad).expect("the bad one");
    let during = Phase::measure(address, || !ends(&pidfd, 0));
    let uses = |launch: &Launch| stats::usage(&house.config.groups, &launch.container).unwrap();
    let (bad_kills, quiet_kills) = (uses(&bad).oom_kills, uses(&quiet).oom_kills);
    aftermath(kind, &house, &bad, tracked_before);
    house.take_down(&bad);
    let after = Phase::measure(address, for_seconds(2));
    drop(service);

    println!(
        "{kind}: median {:?} / {:?} / {:?}, p99 {:?} / {:?} / {:?} before / during ({}) / after",
        before.at(0.5),
        during.at(0.5),
        after.at(0.5),
        before.at(0.99),
        during.at(0.99),
        after.at(0.99),
        during.0.len()
    );
    assert!(during.0.len() > 50, "the bomb went on for long enough: {}", during.0.len());
    let bound = |phase: &Phase| phase.at(0.99) * 20 + Duration::from_millis(50);
    assert!(during.at(0.99) <= bound(&before), "{:?} during, {:?} before", during.at(0.99), before.at(0.99));
    assert!(after.at(0.99) <= bound(&before), "{:?} after, {:?} before", after.at(0.99), before.at(0.99));
    assert_eq!(quiet_kills, 0, "the neighbour lost a process");
    assert_eq!(bad_kills > 0, kind == "memory", "{bad_kills} kills in the bad one");
}

/// What the host must look like while the bad one's remains are still there.
fn aftermath(kind: &str, house: &House, bad: &Launch, tracked_before: u64) {
    match kind {
        "conntrack" => {
            let count = tracked().saturating_sub(tracked_before);
            assert!((1_000..=CONNECTIONS).contains(&count), "{count} more connections are tracked");
        }
        "log" => {
            let log = house.config.run.join("containers").join(bad.container.as_str()).join("log");
            until("the log is cut", || {
                // The launcher looks once in a second, also when nobody asks it for anything.
                let length = fs::metadata(&log).unwrap().len();
                length > 0 && length <= LOG
            });
        }
        _ => {}
    }
}

/// Connections in the table of this network namespace.
fn tracked() -> u64 {
    fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count").unwrap().trim().parse().unwrap()
}

fn for_seconds(seconds: u64) -> impl Fn() -> bool {
    let until = Instant::now() + Duration::from_secs(seconds);
    move || Instant::now() < until
}

/// The port of the host that computers may reach: takes every connection and closes it.
struct Service {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, SERVICE)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let watched = done.clone();
        let thread = std::thread::spawn(move || {
            while !watched.load(Ordering::Relaxed) {
                if listener.accept().is_err() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        Self { done, thread: Some(thread) }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
