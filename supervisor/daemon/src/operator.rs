//! How the operator's commands reach the running supervisor: over its Unix socket.

use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

/// Runs the work of a command on a runtime of its own.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Asks for a value.
pub(crate) async fn get<T: DeserializeOwned>(socket: &Path, path: &str) -> Result<T> {
    let body = ask(socket, Method::GET, path).await?.into_body().collect().await?.to_bytes();
    serde_json::from_slice(&body).with_context(|| format!("the platform's answer to {path} is of another version"))
}

/// Asks, and turns a refusal into an error that says why.
pub(crate) async fn ask(socket: &Path, method: Method, path: &str) -> Result<Response<Incoming>> {
    request(socket, method, path, Bytes::new()).await
}

/// The same with a value to be taken.
pub(crate) async fn send<T: Serialize>(
    socket: &Path,
    method: Method,
    path: &str,
    value: &T,
) -> Result<Response<Incoming>> {
    request(socket, method, path, serde_json::to_vec(value)?.into()).await
}

async fn request(socket: &Path, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>> {
    let stream = UnixStream::connect(socket).await.with_context(|| {
        format!(
            "the platform does not answer on {}; start it (matrixos serve), and use the same --instance",
            socket.display()
        )
    })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "matrixos")
        .header("content-type", "application/json")
        .body(Full::<Bytes>::new(body))?;
    let response = sender.send_request(request).await?;
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, body) = (response.status(), response.into_body().collect().await?.to_bytes());
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    match error["error"]["message"].as_str() {
        Some(message) => bail!("{message}"),
        None => bail!("the platform answered {status}"),
    }
}

/// The whole of an answer.
pub(crate) async fn told(response: Response<Incoming>) -> Result<Bytes> {
    Ok(response.into_body().collect().await?.to_bytes())
}
