//! What the supervisor itself says to the gateways: are you there, and news for their owners. Small requests on a
//! connection of their own, each with a deadline.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use matrixos_types::computer::NoticeBody;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Endpoint;

/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How long a connection may take within that. A packet that is sent before the bridge forwards for a new port is lost,
/// and TCP itself would try again only after a second.
const CONNECT: Duration = Duration::from_millis(20);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// True if the gateway answers `GET /health` with 200.
pub(super) async fn is_healthy(address: SocketAddr) -> bool {
    let Ok(request) = Request::get("/health").header(header::HOST, address.to_string()).body(Full::default()) else {
        return false;
    };
    matches!(timeout(WITHIN, send(address, request)).await, Ok(Ok(StatusCode::OK)))
}

/// Tells the owner something about their computer.
pub(super) async fn notify(endpoint: &Endpoint, text: &str) -> Result<(), Failure> {
    let body = serde_json::to_vec(&NoticeBody { text: text.to_owned() })?;
    let request = Request::post("/api/notices")
        .header(header::HOST, endpoint.address.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {}", endpoint.token.0))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::from(body))?;
    match timeout(WITHIN, send(endpoint.address, request)).await?? {
        StatusCode::NO_CONTENT => Ok(()),
        other => Err(format!("the gateway answered {other}").into()),
    }
}

async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<StatusCode, Failure> {
    let stream = timeout(CONNECT, TcpStream::connect(address)).await??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped or the gateway goes away.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?.status())
}
