//! Requests that are made to be read in two ways, or to lead elsewhere.

mod common;

use std::time::Duration;

use common::{ASK, OK, SWITCH, bench};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

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
async fn no_protocol_but_websocket_is_switched_to() {
    let bench = bench(OK).await;
    let answer = bench.raw("GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!bench.received().to_lowercase().contains("upgrade"), "{}", bench.received());
}

#[tokio::test]
async fn only_the_computers_own_address_is_dialled_whatever_the_request_line_says() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let other = elsewhere.local_addr().expect("an address");
    let bench = bench(OK).await;
    let answer =
        bench.raw(&format!("GET http://{other}/x HTTP/1.1\r\nhost: {other}\r\nconnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(bench.received().starts_with("GET /x HTTP/1.1\r\n"), "{}", bench.received());
    assert!(bench.received().contains("host: alice.localhost\r\n"), "{}", bench.received());
    let dialled = timeout(Duration::from_millis(200), elsewhere.accept()).await;
    assert!(dialled.is_err(), "nobody came");
    let tunnel = bench.raw(&format!("CONNECT {other} HTTP/1.1\r\nhost: {other}\r\nconnection: close\r\n\r\n")).await;
    assert!(!tunnel.contains("established"), "{tunnel}");
    assert!(timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err(), "nor by a tunnel");
}

#[tokio::test]
async fn what_is_sent_before_the_switch_is_a_request_of_its_own_or_the_computers_to_read() {
    const EARLY: &str = "GET /early HTTP/1.1\r\nhost: x\r\ncookie: __Host-mx_computer=s\r\nconnection: close\r\n\r\n";
    // Refused: the next request is taken in like any other, and cleaned.
    let refusing = bench(OK).await;
    refusing.raw(&format!("{}{EARLY}", String::from_utf8_lossy(ASK))).await;
    let (early, requests) = (refusing.received(), refusing.requests());
    assert!(requests <= 2 && !early.contains("__Host"), "{early}");
    assert_eq!(early.matches("Bearer inner").count(), requests, "each of them came through the door: {early}");
    // Switched: whatever it is, it is no request any more.
    let switching = bench(SWITCH).await;
    let mut stream = TcpStream::connect(switching.address).await.expect("connected");
    stream.write_all(&[ASK, b"early"].concat()).await.expect("written");
    let mut got = Vec::new();
    while !got.ends_with(b"early") {
        got.push(timeout(Duration::from_secs(20), stream.read_u8()).await.expect("an echo").expect("read"));
    }
    assert_eq!(switching.requests(), 1);
}

#[tokio::test]
async fn lines_that_end_in_a_bare_line_feed_reach_nobody_as_they_are() {
    for request in [
        "GET / HTTP/1.1\nhost: x\nx-a: 1\nconnection: close\n\n",
        "GET / HTTP/1.1\r\nhost: x\nx-a: 1\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ] {
        let bench = bench(OK).await;
        bench.raw(request).await;
        let received = bench.received();
        assert!(bench.requests() <= 1 && !received.replace("\r\n", "").contains(['\n', '\r']), "{received:?}");
    }
    for request in [
        "GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\rx-b: 2\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\0\r\nconnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
    ] {
        let bench = bench(OK).await;
        let answer = bench.raw(request).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"), "{answer}");
        assert!(!bench.received().contains("x-b: 2") && !bench.received().contains(";a"), "{}", bench.received());
    }
}

#[tokio::test]
async fn no_second_version_of_http_is_spoken() {
    let bench = bench(OK).await;
    let answer = bench.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:?}");
    assert_eq!(bench.requests(), 0);
}
