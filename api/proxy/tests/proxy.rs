//! What passes between a browser and a computer, and how.

mod common;

use std::time::Duration;

use common::{OK, SWITCH, bench, switched};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

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

#[tokio::test]
async fn a_compressed_answer_passes_as_it_is() {
    const GZIP: &str =
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nvary: accept-encoding\r\ncontent-length: 5\r\n\r\n\x1f\x08ab\x03";
    let bench = bench(GZIP).await;
    let asked = "GET / HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip, br\r\nconnection: close\r\n\r\n";
    let answer = bench.raw(asked).await;
    assert!(answer.contains("content-encoding: gzip\r\n") && answer.ends_with("\x1f\x08ab\x03"), "{answer:?}");
    assert!(bench.received().contains("accept-encoding: gzip, br\r\n"), "{}", bench.received());
}
