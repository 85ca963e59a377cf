//! The proxy between raw sockets and a real upstream that records what reaches it.
#![allow(dead_code, reason = "each test program uses a part of it")]

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

pub(crate) struct Bench {
    pub(crate) address: SocketAddr,
    seen: Seen,
    pub(crate) end: CancellationToken,
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

pub(crate) async fn bench(reply: &'static str) -> Bench {
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
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut text = Vec::new();
        let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut text)).await.expect("the proxy closes");
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().expect("no panic").iter().map(|text| text.matches(" HTTP/1.1\r\n").count()).sum()
    }

    pub(crate) fn received(&self) -> String {
        self.seen.lock().expect("no panic").concat()
    }
}

/// A small answer that tries what computers must not do.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nstrict-transport-security: max-age=1; includeSubDomains\r\nset-cookie: a=1; Domain=localhost\r\nset-cookie: __Host-mx_session=evil\r\n\r\nok";

pub(crate) const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
pub(crate) const ASK: &[u8] =
    b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\r\n";

pub(crate) async fn switched(bench: &Bench) -> TcpStream {
    let mut stream = TcpStream::connect(bench.address).await.expect("connected");
    stream.write_all(ASK).await.expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(Duration::from_secs(20), stream.read_u8()).await.expect("an answer").expect("read"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}
