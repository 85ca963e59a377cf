//! A bad neighbour: keeps using up one thing for so many seconds, as hard as it can.

use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::sys;

/// Processes that make the bomb; fewer than the fork bomb, so that it can be ended.
const HANDS: usize = 4;
/// A bomb that no limit stops does not take the machine with it: most processes, and most mebibytes of memory or files.
const FORKS: usize = 4_000;
const MIBS: usize = 1_024;

/// Runs until the time is over.
pub(crate) fn run(kind: &str, seconds: &str, target: Option<&str>) -> ExitCode {
    let (Ok(seconds), target) = (seconds.parse(), target.and_then(|t| t.parse::<SocketAddr>().ok())) else {
        eprintln!("probe bomb: how many seconds?");
        return ExitCode::from(2);
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    match (kind, target) {
        ("fork", _) => repeat(until, fork),
        ("memory", _) => repeat(until, || _ = sys::in_child(|| hog(until))),
        ("cpu", _) => side_by_side(until, || ()),
        ("tmpfs", _) => repeat(until, tmpfs),
        ("log", _) => repeat(until, || _ = std::io::stdout().write_all(&[b'x'; 65_536])),
        ("conntrack", Some(target)) => side_by_side(until, || _ = TcpStream::connect(target)),
        _ => {
            eprintln!("probe bomb: no such kind");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn repeat(until: Instant, mut work: impl FnMut()) {
    while Instant::now() < until {
        work();
    }
}

fn side_by_side(until: Instant, work: impl Fn()) {
    let mut hands = Vec::new();
    for _ in 0..HANDS {
        match sys::fork() {
            Ok(0) => {
                repeat(until, &work);
                sys::exit(0)
            }
            Ok(child) => hands.push(child),
            Err(_) => break,
        }
    }
    hands.into_iter().for_each(|child| _ = sys::wait(child));
}

/// Forks until that is refused, then ends all and begins anew.
fn fork() {
    let mut children = Vec::new();
    while children.len() < FORKS {
        match sys::fork() {
            Ok(0) => loop {
                std::thread::sleep(Duration::from_secs(60));
            },
            Ok(child) => children.push(child),
            Err(_) => break,
        }
    }
    children.iter().for_each(|child| sys::kill(*child));
    children.iter().for_each(|child| _ = sys::wait(*child));
}

fn hog(until: Instant) -> Result<(), i32> {
    let mut all = Vec::new();
    repeat(until, || {
        if all.len() < MIBS {
            all.push(vec![1_u8; 1 << 20]);
        }
    });
    drop(all);
    Ok(())
}

fn tmpfs() {
    let files = ["/tmp/bomb", "/var/tmp/bomb", "/dev/shm/bomb"];
    for path in files {
        let Ok(mut file) = File::create(path) else { continue };
        let _ = (0..MIBS).try_for_each(|_| file.write_all(&[b'x'; 1 << 20]));
    }
    for path in files {
        let _ = fs::remove_file(path);
    }
}
