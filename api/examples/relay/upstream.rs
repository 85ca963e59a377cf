//! A provider that answers at once and the same to everybody, so that what is measured is the way to it.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, channel::Channel};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{Failure, announce};

/// A stream that takes its time: so many events, so far apart.
const EVENTS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(100);

const WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5-5","content":[{"type":"text","text":"Good morning."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":12}}"#;
const BEGIN: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n";
const PIECE: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Good morning. \"}}\n\n";
const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":200}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

pub(crate) async fn serve() -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(listener.local_addr()?, &[]);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream));
    }
}

async fn connection(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    // It ends in an error when a caller goes away.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, io::Error> {
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let asks = |what: &str| body.windows(what.len()).any(|window| window == what.as_bytes());
    let (kind, body) = match (asks("slowly"), asks("\"stream\":true")) {
        (true, _) => ("text/event-stream", slowly()),
        (false, true) => ("text/event-stream", whole(format!("{BEGIN}{PIECE}{END}"))),
        (false, false) => ("application/json", whole(WHOLE.to_owned())),
    };
    Response::builder().header("content-type", kind).body(body).map_err(io::Error::other)
}

fn whole(text: String) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::from(text).map_err(|never: Infallible| match never {}).boxed_unsync()
}

fn slowly() -> UnsyncBoxBody<Bytes, io::Error> {
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(4);
    tokio::spawn(async move {
        let _ = sender.send_data(Bytes::from_static(BEGIN.as_bytes())).await;
        for _ in 0..EVENTS {
            tokio::time::sleep(PAUSE).await;
            let _ = sender.send_data(Bytes::from_static(PIECE.as_bytes())).await;
        }
        let _ = sender.send_data(Bytes::from_static(END.as_bytes())).await;
    });
    body.boxed_unsync()
}
