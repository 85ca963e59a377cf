//! A crowd that asks slowly, sends slowly, reads slowly or not at all, in front of one door: everybody else is answered
//! all the same, and the door's memory does not grow with what is asked of it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use matrixos_proxy::{Paced, listen};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// No test waits longer than this for what has to happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Memory is the whole process's, so the tests of this program take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// How many endless answers have begun and ended.
#[derive(Default)]
struct Count {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// An answer that never ends, unless it is given up.
struct Endless(Arc<Count>);

impl Endless {
    fn begin(count: &Arc<Count>) -> Self {
        count.begun.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 8_192])))))
    }
}

struct Door {
    address: SocketAddr,
    endless: Arc<Count>,
    end: CancellationToken,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// `/endless` is answered without end; a body is read to its end; everything else gets a short answer.
async fn door(limits: listen::Limits) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (endless, end) = (Arc::<Count>::default(), CancellationToken::new());
    let count = endless.clone();
    let service = move |request: http::Request<Incoming>, _| {
        let count = count.clone();
        async move {
            if request.uri().path() == "/endless" {
                return Response::new(BoxBody::new(Endless::begin(&count)));
            }
            let _ = Paced::new(request.into_body()).collect().await;
            Response::new(Full::new(Bytes::from_static(b"hello")).boxed())
        }
    };
    tokio::spawn(listen::serve(listener, limits, service, end.clone()));
    Door { address, endless, end }
}

impl Door {
    /// Connections that have sent this much and no more.
    async fn crowd(&self, size: usize, begin: &[u8]) -> Vec<TcpStream> {
        let mut crowd = Vec::with_capacity(size);
        for _ in 0..size {
            let mut stream = TcpStream::connect(self.address).await.expect("connected");
            stream.write_all(begin).await.expect("written");
            crowd.push(stream);
        }
        crowd
    }

    /// One honest request on a connection of its own; how long it took.
    async fn ask(&self) -> Duration {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("written");
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").expect("read");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
        begun.elapsed()
    }
}

/// Both ends of each connection are in this process.
fn room_for_descriptors(wanted: u64) {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    assert!(most >= wanted, "this test needs {wanted} descriptors and may have {most}; do: ulimit -Hn {wanted}");
    setrlimit(Resource::RLIMIT_NOFILE, wanted, most).expect("raised");
}

/// Memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_slow_ones_is_not_felt_by_others_and_costs_little() {
    let _turn = TURN.lock().await;
    room_for_descriptors(20_000);
    let door = door(listen::Limits { headers_within: PATIENCE, read_within: PATIENCE, ..listen::USUAL }).await;
    door.ask().await;
    let before = resident();
    let slow_head = door.crowd(4_000, b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    let idle = door.crowd(4_000, b"").await;
    let slow_body = door.crowd(500, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx").await;
    let no_reader = door.crowd(500, b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until("all of them are being answered", || door.endless.begun.load(Ordering::SeqCst) == no_reader.len()).await;
    let mut times = Vec::new();
    for _ in 0..200 {
        times.push(door.ask().await);
    }
    times.sort_unstable();
    // A second is far more than it takes and far less than it would take if anybody waited for the crowd.
    assert!(times[197] < Duration::from_secs(1), "p99 {:?}, median {:?}", times[197], times[100]);
    let (grown, open) =
        (resident().saturating_sub(before), slow_head.len() + idle.len() + slow_body.len() + no_reader.len());
    assert!(grown / open < 64, "{grown} KiB for {open} connections");
}

#[tokio::test]
async fn whoever_reads_nothing_is_cut_off() {
    let _turn = TURN.lock().await;
    let door = door(listen::Limits { read_within: Duration::from_millis(300), ..listen::USUAL }).await;
    let crowd = door.crowd(20, b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until("all of them are being answered", || door.endless.begun.load(Ordering::SeqCst) == crowd.len()).await;
    until("none of them is any more", || door.endless.ended.load(Ordering::SeqCst) == crowd.len()).await;
    door.ask().await;
}

#[tokio::test]
async fn a_house_full_of_idle_ones_has_room_again_once_they_have_had_their_time() {
    let limits = listen::Limits { connections: 50, headers_within: Duration::from_millis(500), ..listen::USUAL };
    let _turn = TURN.lock().await;
    let door = door(limits).await;
    let _idle = door.crowd(150, b"").await;
    let _kept = door.crowd(50, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    door.ask().await;
}

#[tokio::test]
async fn what_is_too_large_to_be_a_request_costs_neither_memory_nor_an_answer() {
    let _turn = TURN.lock().await;
    let door = door(listen::USUAL).await;
    door.ask().await;
    let before = resident();
    for _ in 0..50 {
        for request in [
            format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "y".repeat(1 << 20)),
            format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(10_000)),
            format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(1 << 20)),
        ] {
            let mut stream = TcpStream::connect(door.address).await.expect("connected");
            let _ = stream.write_all(request.as_bytes()).await;
            let mut answer = Vec::new();
            // Some of it was never read, so the connection may end with a reset.
            let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the door closes");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        door.ask().await;
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
}
