//! Connections: how many, for how long, and what happens when there are too many.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use common::desk::Desk;
use common::{Computer, GATEWAY, TOKEN};

/// A connection that is kept open between requests.
struct Kept(TcpStream);

impl Kept {
    fn open(computer: &Computer) -> Self {
        let stream = TcpStream::connect(computer.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(stream)
    }

    /// Whether a request was answered.
    fn asks(&mut self) -> bool {
        let request = format!("GET /api/identity HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        let mut answer = [0; 4_096];
        self.0.write_all(request.as_bytes()).is_ok()
            && self.0.read(&mut answer).is_ok_and(|length| answer[..length].starts_with(b"HTTP/1.1 200"))
    }
}

/// Hundredths of a second that it has worked.
fn worked(computer: &Computer) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", computer.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn half_requests_take_no_more_than_the_places_and_are_let_go_after_a_time() {
    let computer = Computer::start();
    let mut kept = Kept::open(&computer);
    assert!(kept.asks());
    let before = computer.memory();
    let half: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(computer.address).unwrap();
            stream.write_all(b"GET /api/identity HTTP/1.1\r\nhost: x\r\nx-y: ").unwrap();
            stream
        })
        .collect();
    let taken = || {
        let all = std::fs::read_dir(format!("/proc/{}/fd", computer.child.id())).unwrap().flatten();
        all.filter(|one| std::fs::read_link(one.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:")))
            .count()
    };
    // Asked again and again, it is never idle for so long that it is let go.
    computer.until("the places are taken", || kept.asks() && taken() >= 250);
    // Each of them goes on a little, as long as it can.
    for _ in 0..5 {
        half.iter().for_each(|mut stream| drop(stream.write_all(&[b'x'; 1_000])));
        assert!(kept.asks(), "who was there before is served");
        assert!(taken() <= 270, "{}", taken());
    }
    assert!(computer.memory() < before + 16_000, "{before} kB, then {} kB", computer.memory());
    assert_eq!(computer.get("/api/identity").status, 200, "who comes later is served when they were let go");
    drop(half);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let computer = Computer::start();
    let head = |length: usize| {
        let request = format!(
            "GET /api/identity HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\nx-y: {}\r\n\r\n",
            "x".repeat(length)
        );
        computer.raw(request.as_bytes()).status
    };
    assert_eq!(head(60_000), 200);
    assert_eq!(head(200_000), 431);
}

#[test]
fn without_descriptors_nobody_is_turned_away_and_nothing_spins() {
    let computer = Computer::start();
    let mut kept = Kept::open(&computer);
    assert!(kept.asks());
    let limit = |number: &str| {
        let done = Command::new("prlimit")
            .args(["--pid", &computer.child.id().to_string(), &format!("--nofile={number}:")])
            .status();
        assert!(done.unwrap().success());
    };
    let open = std::fs::read_dir(format!("/proc/{}/fd", computer.child.id())).unwrap().count();
    limit(&open.to_string());
    let waiting: Vec<Kept> = (0..20).map(|_| Kept::open(&computer)).collect();
    computer.until("it is said", || {
        kept.asks() && computer.said.lock().unwrap().contains("connections cannot be taken now")
    });
    let before = worked(&computer);
    std::thread::sleep(Duration::from_secs(2));
    assert!(worked(&computer) - before < 50, "it spins");
    assert_eq!(computer.said.lock().unwrap().matches("cannot be taken").count(), 1, "it is said once");
    assert!(kept.asks(), "who was there before is served");
    limit("1024");
    for mut one in waiting {
        assert!(one.asks(), "who waited is served");
    }
}

#[test]
fn with_few_descriptors_connections_leave_some_for_the_rest() {
    let mut command = Command::new("sh");
    let computer = Computer::start_by(command.args(["-c", &format!("ulimit -n 64; exec {GATEWAY}")]));
    let waiting: Vec<Kept> = (0..60).map(|_| Kept::open(&computer)).collect();
    let mut first = waiting;
    assert!(first[0].asks());
    assert!(!computer.said.lock().unwrap().contains("cannot be taken"));
    drop(first);
    assert_eq!(computer.get("/api/files/list?path=").status, 200);
}

#[test]
fn desktops_are_bounded_and_leave_room_for_requests() {
    let computer = Computer::start();
    let mut desks: Vec<Desk> = (0..64).map(|_| Desk::open(&computer)).collect();
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let head = format!("GET /ws HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{upgrade}\r\n");
    let refused = computer.raw(head.replace("connection: upgrade", "connection: upgrade, close").as_bytes());
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_desktops"));
    assert_eq!(computer.get("/health").status, 200);
    desks.pop();
    computer.until("another one may come", || {
        let mut stream = TcpStream::connect(computer.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 64];
        stream.read(&mut answer).is_ok_and(|length| answer[..length].starts_with(b"HTTP/1.1 101"))
    });
}
