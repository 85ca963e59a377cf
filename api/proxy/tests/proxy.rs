//! The proxy between raw sockets and a real upstream that records what reaches it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use matrixos_proxy::forward::{Forwarder, Target};
use matrixos_proxy::{Meter, framing, listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What the upstream has received, one text per connection.
type Seen = Arc<Mutex<Vec<String>>>;

struct Bench {
    address: SocketAddr,
    seen: Seen,
    end: CancellationToken,
}

/// An upstream that answers each connection's first request with `reply`, echoing afterwards what it is sent.
async fn upstream(reply: &'static str) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, seen) = (listener.local_addr().expect("an address"), Seen::default());
    tokio::spawn({
        let seen = seen.clone();
        async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let index = {
                        let mut all = seen.lock().expect("no panic");
                        all.push(String::new());
                        all.len() - 1
                    };
                    let (mut buffer, mut answered) = ([0; 4096], false);
                    while let Ok(n) = stream.read(&mut buffer).await {
                        if n == 0 {
                            break;
                        }
                        seen.lock().expect("no panic")[index].push_str(&String::from_utf8_lossy(&buffer[..n]));
                        let whole = seen.lock().expect("no panic")[index].contains("\r\n\r\n");
                        let echo = if answered {
                            buffer[..n].to_vec()
                        } else if whole {
                            reply.as_bytes().to_vec()
                        } else {
                            Vec::new()
                        };
                        answered |= whole;
                        if stream.write_all(&echo).await.is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
    (address, seen)
}

struct Nobody;

impl Meter for Nobody {
    fn passed(&self) {}
}

async fn bench(reply: &'static str) -> Bench {
    let (upstream, seen) = upstream(reply).await;
    let (end, until) = (CancellationToken::new(), CancellationToken::new());
    let stop = until.clone();
    tokio::spawn({
        let end = end.clone();
        async move {
            end.cancelled().await;
            stop.cancel()
        }
    });
    let target = move || Target {
        address: upstream,
        authorization: HeaderValue::from_static("Bearer inner"),
        host: HeaderValue::from_static("alice.localhost"),
        scheme: HeaderValue::from_static("http"),
        peer: HeaderValue::from_static("192.0.2.1"),
        until: until.clone(),
        meter: Arc::new(Nobody),
        hold: Box::new(()),
    };
    let forwarder = Forwarder::default();
    let service = move |request: http::Request<Incoming>, _| {
        let (forwarder, target) = (forwarder.clone(), target());
        async move {
            let (parts, body) = request.into_parts();
            if !framing::is_clear(&parts) {
                return refuse(StatusCode::BAD_REQUEST);
            }
            match forwarder.forward(http::Request::from_parts(parts, body), target).await {
                Ok(response) => response.map(|body| body.map_err(Into::into).boxed()),
                Err(_) => refuse(StatusCode::BAD_GATEWAY),
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = listen::Limits {
        headers_within: Duration::from_millis(700),
        drain_within: Duration::from_secs(2),
        ..listen::Limits::default()
    };
    tokio::spawn(listen::serve(listener, limits, service, end.clone()));
    Bench { address, seen, end }
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

fn refuse(status: StatusCode) -> Response<BoxBody<Bytes, Boxed>> {
    let mut response = Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert("connection", HeaderValue::from_static("close"));
    response
}

impl Bench {
    /// Sends raw bytes and returns everything that comes back until the proxy closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut text = Vec::new();
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut text)).await.expect("the proxy closes");
        String::from_utf8_lossy(&text).into_owned()
    }

    fn requests(&self) -> usize {
        self.seen.lock().expect("no panic").iter().map(|text| text.matches(" HTTP/1.1\r\n").count()).sum()
    }

    fn received(&self) -> String {
        self.seen.lock().expect("no panic").concat()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nstrict-transport-security: max-age=1; includeSubDomains\r\nset-cookie: a=1; Domain=localhost\r\nset-cookie: __Host-mx_session=evil\r\n\r\nok";

#[tokio::test]
async fn requests_that_two_parsers_could_frame_differently_reach_nobody() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    for (name, request) in [
        (
            "length and chunked",
            format!(
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        (
            "two lengths",
            format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: 36\r\n\r\n{smuggled}"),
        ),
        (
            "chunked on 1.0",
            format!("POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        ("unknown encoding", format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n{smuggled}")),
        (
            "chunked twice",
            format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        ),
        (
            "upgrade with a body",
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 5\r\n\r\nhello"
                .to_owned(),
        ),
        ("folded field", format!("GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n content-length: 36\r\n\r\n{smuggled}")),
        ("space before the colon", "GET / HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\nhello".to_owned()),
        ("negative length", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_owned()),
        ("many fields", format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(10_000))),
        ("one huge field", format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(1 << 20))),
    ] {
        let bench = bench(OK).await;
        let mut stream = TcpStream::connect(bench.address).await.expect("connected");
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("the proxy closes");
        let answer = String::from_utf8_lossy(&answer);
        assert!(!bench.received().contains("smuggled"), "{name}: {}", bench.received());
        if name == "length and chunked" {
            // hyper drops the length, answers that one request and closes (RFC 9112, section 6.3, third rule).
            assert!(bench.requests() <= 1 && answer.contains("connection: close"), "{answer}");
            continue;
        }
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"),
            "{name}: {answer}"
        );
        assert_eq!(bench.requests(), 0, "{name}: {}", bench.received());
    }
}

#[tokio::test]
async fn a_request_passes_without_credentials_and_an_answer_without_foreign_cookies() {
    let bench = bench(OK).await;
    let answer = bench
        .raw("GET /a?b=c HTTP/1.1\r\nhost: x\r\nauthorization: Bearer stolen\r\nx-forwarded-for: 6.6.6.6\r\ncookie: __Host-mx_computer=s; mine=1\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    assert!(
        answer.contains("set-cookie: a=1\r\n") && !answer.contains("evil") && !answer.to_lowercase().contains("domain"),
        "{answer}"
    );
    let received = bench.received();
    assert!(received.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{received}");
    for (field, present) in [
        ("authorization: Bearer inner", true),
        ("x-forwarded-for: 192.0.2.1", true),
        ("cookie: mine=1", true),
        ("stolen", false),
        ("6.6.6.6", false),
        ("__Host", false),
    ] {
        assert_eq!(received.contains(field), present, "{field}: {received}");
    }
}

#[tokio::test]
async fn a_slow_request_head_is_cut_off() {
    let bench = bench(OK).await;
    let mut stream = TcpStream::connect(bench.address).await.expect("connected");
    let begun = std::time::Instant::now();
    for byte in b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ".iter().chain(std::iter::repeat_n(&b'z', 400)) {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(8), "cut off");
    assert_eq!(bench.requests(), 0);
}

#[tokio::test]
async fn a_streamed_answer_arrives_piece_by_piece() {
    let bench = bench(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: 1\r\n",
    )
    .await;
    let mut stream = TcpStream::connect(bench.address).await.expect("connected");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    let mut text = String::new();
    while !text.contains("data: 1") {
        let mut buffer = [0; 1024];
        let n = timeout(Duration::from_secs(20), stream.read(&mut buffer))
            .await
            .expect("before the answer has ended")
            .expect("read");
        assert!(n > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
const ASK: &[u8] = b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\r\n";

async fn switched(bench: &Bench) -> TcpStream {
    let mut stream = TcpStream::connect(bench.address).await.expect("connected");
    stream.write_all(ASK).await.expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(Duration::from_secs(20), stream.read_u8()).await.expect("an answer").expect("read"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

#[tokio::test]
async fn an_upgraded_connection_carries_bytes_both_ways_until_the_end() {
    let bench = bench(SWITCH).await;
    let mut stream = switched(&bench).await;
    for message in ["one", "two"] {
        stream.write_all(message.as_bytes()).await.expect("written");
        let mut echo = [0; 3];
        timeout(Duration::from_secs(20), stream.read_exact(&mut echo)).await.expect("an echo").expect("read");
        assert_eq!(&echo, message.as_bytes());
    }
    bench.end.cancel();
    let closed = timeout(Duration::from_secs(5), stream.read(&mut [0; 1])).await.expect("closed within 5 s");
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_computer_that_lies_about_its_answer_is_a_bad_gateway() {
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 50\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "garbage\r\n\r\n",
    ] {
        let bench = bench(reply).await;
        let answer = bench.raw("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let content_length = answer.to_lowercase().contains("content-length: 50");
        assert!(
            answer.starts_with("HTTP/1.1 502") || (reply.contains("chunked") && !content_length),
            "{reply:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn no_protocol_but_websocket_is_switched_to() {
    let bench = bench(OK).await;
    let answer = bench.raw("GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!bench.received().to_lowercase().contains("upgrade"), "{}", bench.received());
}

#[tokio::test]
async fn open_requests_finish_when_the_end_is_announced_and_new_ones_are_refused() {
    let bench = bench(OK).await;
    let mut idle = TcpStream::connect(bench.address).await.expect("connected");
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    let mut buffer = [0; 1024];
    assert!(timeout(Duration::from_secs(20), idle.read(&mut buffer)).await.expect("an answer").expect("read") > 0);
    bench.end.cancel();
    assert_eq!(timeout(Duration::from_secs(5), idle.read(&mut buffer)).await.expect("closed").unwrap_or(0), 0);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(bench.address).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the listener stays open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
