//! Terminals over a real WebSocket and a real pseudo-terminal.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::{Computer, TOKEN};
use matrixos_types::computer::{TERMINAL_REFUSED, TERMINAL_TAKEN_OVER, TerminalControl};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, connect};

struct Terminal {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    id: String,
    seen: String,
    replay: usize,
}

fn open(computer: &Computer, query: &str) -> Terminal {
    let mut request = format!("ws://{}/ws/terminal?{query}", computer.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    let (mut socket, _) = connect(request).unwrap();
    let MaybeTlsStream::Plain(stream) = socket.get_mut() else { unreachable!() };
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut terminal = Terminal { socket, id: String::new(), seen: String::new(), replay: 0 };
    terminal.until("a session", |t| !t.id.is_empty());
    terminal
}

impl Terminal {
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !holds(self) {
            assert!(Instant::now() < deadline, "in vain: {what}; seen: {}", self.seen);
            // What could not be written at once.
            let _ = self.socket.flush();
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Ok(Message::Text(text)) => match serde_json::from_str(&text).unwrap() {
                    TerminalControl::Session { id, replay } => {
                        self.id = id;
                        self.replay = replay;
                    }
                    TerminalControl::Exit { code } => self.seen.push_str(&format!("<exit {code:?}>")),
                    TerminalControl::Resize { .. } => panic!("not for us"),
                },
                Ok(_) | Err(tungstenite::Error::Io(_)) => {}
                Err(error) => panic!("{what}: {error}; seen: {}", self.seen),
            }
        }
    }

    fn type_in(&mut self, text: &str) {
        self.socket.send(Message::Binary(text.as_bytes().to_vec().into())).unwrap();
    }

    fn sees(&mut self, text: &str) {
        self.until(text, |t| t.seen.contains(text));
    }
}

#[test]
fn a_shell_runs_knows_its_size_and_never_the_token() {
    let computer = Computer::start();
    let mut terminal = open(&computer, "cols=100&rows=30");
    terminal.type_in("echo $((40+2)); stty size; env | grep -c MATRIX_AUTH; pwd\n");
    terminal.sees("42\r\n");
    terminal.sees("30 100\r\n");
    terminal.sees("0\r\n");
    terminal.sees(computer.home.path().to_str().unwrap());
    let resize = serde_json::to_string(&TerminalControl::Resize { cols: 70, rows: 20 }).unwrap();
    terminal.socket.send(Message::Text(resize.into())).unwrap();
    terminal.type_in("stty size\n");
    terminal.sees("20 70\r\n");
    terminal.type_in("exit 7\n");
    terminal.sees("<exit Some(7)>");
}

#[test]
fn a_shell_survives_a_lost_connection_and_shows_what_was_missed() {
    let computer = Computer::start();
    let mut terminal = open(&computer, "");
    terminal.type_in("MARK=kept; (sleep 0.5; echo later-$MARK) &\n");
    terminal.sees("MARK=kept");
    let id = terminal.id.clone();
    drop(terminal);
    std::thread::sleep(Duration::from_millis(800));
    let mut again = open(&computer, &format!("session={id}"));
    assert_eq!(again.id, id);
    again.sees("later-kept");
    assert!(again.replay > 0 && again.seen.len() >= again.replay, "{} bytes of the past", again.replay);
    again.type_in("echo again-$MARK\n");
    again.sees("again-kept");
    let mut taker = open(&computer, &format!("session={id}"));
    taker.sees("again-kept");
    let taken_over = |t: &mut Terminal| loop {
        match t.socket.read() {
            Ok(Message::Close(Some(frame))) => return u16::from(frame.code),
            Ok(_) | Err(tungstenite::Error::Io(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(taken_over(&mut again), TERMINAL_TAKEN_OVER, "two pages must not fight over one shell");
    let other = open(&computer, "session=unknown");
    assert_ne!(other.id, id, "an unknown session is a new one");
}

#[test]
fn a_flood_of_output_does_not_grow_memory() {
    let mut computer = Computer::start();
    let mut terminal = open(&computer, "");
    terminal.type_in("yes | head -c 300000000\n");
    terminal.sees("y\r\ny\r\n");
    // The desktop stops reading; the programs must wait.
    std::thread::sleep(Duration::from_secs(1));
    let status = std::fs::read_to_string(format!("/proc/{}/status", computer.child.id())).unwrap();
    let resident: u64 =
        status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap().trim().trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 32_000, "{resident} kB");
    assert!(computer.child.try_wait().unwrap().is_none());
    assert_eq!(computer.get("/health").status, 200);
}

#[test]
fn terminals_are_bounded() {
    let computer = Computer::start();
    let mut kept: Vec<_> = (0..8).map(|_| open(&computer, "")).collect();
    let mut request = format!("ws://{}/ws/terminal", computer.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    let (mut refused, _) = connect(request).unwrap();
    match refused.read().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), TERMINAL_REFUSED, "{}", frame.reason),
        other => panic!("{other:?}"),
    }
    let closed = kept.pop().unwrap();
    assert_eq!(computer.ask("DELETE", &format!("/api/terminals/{}", closed.id), b"").status, 204);
    assert_eq!(computer.ask("DELETE", &format!("/api/terminals/{}", closed.id), b"").status, 404);
    kept.push(open(&computer, ""));
    drop(kept);
    // Without a desktop, the oldest shell makes room.
    open(&computer, "");
}

#[test]
fn a_large_paste_into_a_program_that_echoes_arrives_whole() {
    let computer = Computer::start();
    let mut terminal = open(&computer, "");
    terminal.type_in("stty -icanon -echo; echo ready; cat\n");
    terminal.sees("ready\r\n");
    let line = format!("{}\n", "x".repeat(99));
    for _ in 0..20 {
        terminal.type_in(&line.repeat(100));
    }
    terminal.type_in("the-end\n");
    terminal.sees("the-end");
    assert_eq!(terminal.seen.matches(line.trim_end()).count(), 2_000);
}

#[test]
fn a_providers_key_is_not_in_a_shell_and_a_platforms_credential_is() {
    for (url, seen) in [("", "key=<>"), ("http://127.0.0.1:1", "key=<sk-secret>")] {
        let computer = Computer::start_with(&[("ANTHROPIC_API_KEY", "sk-secret"), ("ANTHROPIC_BASE_URL", url)]);
        let mut terminal = open(&computer, "");
        terminal.type_in("echo \"key=<$ANTHROPIC_API_KEY>\" \"token=<$MATRIX_AUTH_TOKEN>\"\n");
        terminal.sees("token=<>");
        assert!(terminal.seen.contains(seen), "{}", terminal.seen);
    }
}

#[test]
fn a_paste_that_nobody_reads_holds_up_neither_what_is_said_nor_memory() {
    let computer = Computer::start();
    let mut terminal = open(&computer, "");
    terminal.type_in("stty -icanon -echo; echo rea''dy; while [ ! -e go ]; do echo beat; sleep 0.05; done; cat\n");
    terminal.sees("ready\r\n");
    let MaybeTlsStream::Plain(stream) = terminal.socket.get_mut() else { unreachable!() };
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    // More than the gateway's queues hold; what does not fit into the network's waits on this side.
    let line = format!("{}\n", "x".repeat(999));
    for _ in 0..1_500 {
        let _ = terminal.socket.write(Message::Binary(line.clone().into_bytes().into()));
    }
    let seen = terminal.seen.len();
    terminal.until("what is said goes on", |t| t.seen[seen..].matches("beat").count() > 40);
    computer.write("go", "");
    terminal.until("the paste arrives whole", |t| t.seen.matches(line.trim_end()).count() == 1_500);
    assert!(computer.peak_memory() < 24_000, "{} kB", computer.peak_memory());
}

#[test]
fn a_message_that_is_too_large_ends_the_connection_and_not_the_shell() {
    let computer = Computer::start();
    let mut terminal = open(&computer, "");
    terminal.type_in("MARK=kept\n");
    terminal.sees("MARK=kept");
    let before = computer.peak_memory();
    // The head of a frame of 15 MB, and as much of it as is taken.
    let MaybeTlsStream::Plain(stream) = terminal.socket.get_mut() else { unreachable!() };
    let head = [&[0x82, 0x80 | 127][..], &15_000_000_u64.to_be_bytes(), &[0; 4]].concat();
    stream.write_all(&head).unwrap();
    let taken = (0..15).take_while(|_| stream.write_all(&[b' '; 1_000_000]).is_ok()).count();
    assert!(taken < 15, "a frame of 15 MB was taken");
    assert!(computer.peak_memory() < before + 4_000, "{before} kB, then {} kB", computer.peak_memory());
    let mut again = open(&computer, &format!("session={}", terminal.id));
    again.type_in("echo again-$MARK\n");
    again.sees("again-kept");
}

#[test]
fn a_desktop_that_answers_no_ping_is_let_go_and_one_that_does_is_kept() {
    let computer = Computer::start_with(&[("MATRIX_PING_SECONDS", "3")]);
    let mut answers = open(&computer, "");
    let address = computer.address;
    let silent = ["/ws", "/ws/terminal"].map(|path| {
        std::thread::spawn(move || {
            let mut silent = TcpStream::connect(address).unwrap();
            silent.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
            let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n{upgrade}\r\n");
            silent.write_all(head.as_bytes()).unwrap();
            let mut heard = Vec::new();
            silent.read_to_end(&mut heard).map(|_| heard)
        })
    });
    answers.until("both are let go", |_| silent.iter().all(std::thread::JoinHandle::is_finished));
    for one in silent {
        let heard = one.join().unwrap().expect("it was not let go");
        let pings = heard.windows(2).filter(|two| *two == [0x89, 0]).count();
        assert_eq!(pings, 2, "{}", String::from_utf8_lossy(&heard));
    }
    answers.type_in("echo st''ill here\n");
    answers.sees("still here\r\n");
}
