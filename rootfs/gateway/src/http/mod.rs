//! Calls to the outside over HTTP/1.1: the model, the platform, pages of the web. One connection each, every step bounded.

mod dial;
mod tls;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

pub(crate) use dial::Reach;

/// For finding a host and connecting to it.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("`{0}` is not an address that can be called")]
    Address(String),
    #[error("{0} is not a public address, so it is not called")]
    NotPublic(String),
    #[error("{host} cannot be reached: {source}")]
    Connect { host: String, source: std::io::Error },
    #[error("{0} did not answer in time")]
    Late(String),
    #[error("{host} broke off: {source}")]
    Broken { host: String, source: hyper::Error },
    #[error("more than {0} bytes came")]
    TooLong(usize),
}

/// One request.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// Until the head of the answer is there.
    pub(crate) within: Duration,
    pub(crate) reach: Reach,
}

/// Sends a request and waits for the head of the answer.
pub(crate) async fn send(call: Call<'_>) -> Result<Response<Incoming>, CallError> {
    let host = call.uri.host().ok_or_else(|| CallError::Address(call.uri.to_string()))?.to_owned();
    let secure = match call.uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(CallError::Address(call.uri.to_string())),
    };
    let port = call.uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let connect = dial::dial(&host, port, call.reach);
    let stream = timeout(CONNECT_WITHIN, connect).await.map_err(|_| CallError::Late(host.clone()))??;
    let request = request(&call, &host)?;
    let within = call.within;
    let answer = async {
        if secure {
            let stream = tls::secure(&host, stream).await?;
            exchange(&host, stream, request).await
        } else {
            exchange(&host, stream, request).await
        }
    };
    timeout(within, answer).await.map_err(|_| CallError::Late(host.clone()))?
}

fn request(call: &Call<'_>, host: &str) -> Result<Request<Full<Bytes>>, CallError> {
    let path = call.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = call.uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("matrixos-gateway/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT_ENCODING, "identity");
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(call.body.clone())).map_err(|_| CallError::Address(call.uri.to_string()))
}

async fn exchange<S>(host: &str, stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |source| CallError::Broken { host: host.to_owned(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with the answer: when its body has been read or dropped.
    tokio::spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(broken)
}

/// The whole body, unless it is longer than `most` or takes longer than `within`.
pub(crate) async fn whole(body: Incoming, most: usize, within: Duration) -> Result<Bytes, CallError> {
    let (bytes, complete) = beginning(body, most, within).await?;
    if complete { Ok(bytes) } else { Err(CallError::TooLong(most)) }
}

/// At most the first `most` bytes of a body, and whether they are all of it.
pub(crate) async fn beginning(body: Incoming, most: usize, within: Duration) -> Result<(Bytes, bool), CallError> {
    let mut body = body;
    let read = async {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|source| CallError::Broken { host: "the other side".to_owned(), source })?;
            let Ok(data) = frame.into_data() else { continue };
            let room = most - bytes.len();
            if data.len() > room {
                bytes.extend_from_slice(&data[..room]);
                return Ok((bytes.freeze(), false));
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.freeze(), true))
    };
    timeout(within, read).await.map_err(|_| CallError::Late("the other side".to_owned()))?
}
