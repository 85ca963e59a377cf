//! The server: `/bot{token}/{method}` with JSON, and the orders of tests.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::bots::{Call, State};
use crate::methods::{self, Outcome};
use crate::orders;

/// Serves until it is dropped; the connections that it accepted end with it.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| answer(state.clone(), request));
    // It ends in an error when a test cuts it or the client goes.
    let mut server = hyper::server::conn::http1::Builder::new();
    let _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    if path.starts_with("/_") {
        return Ok(match orders::obey(&state, &path, &body) {
            Ok(value) => reply(200, &value),
            Err(why) => reply(400, &json!({ "error": why })),
        });
    }
    let Some((token, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return Ok(told(methods::error(404, "Not Found")));
    };
    let parameters: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
    if !parameters.is_object() {
        return Ok(told(methods::error(400, "Bad Request: can't parse the parameters")));
    }
    state.note(Call { token: token.to_owned(), method: method.to_owned(), parameters: parameters.clone() });
    match methods::call(&state, token, method, &parameters).await {
        Outcome::Cut => Err(io::Error::other("the test cuts the connection here")),
        outcome => Ok(told(outcome)),
    }
}

fn told(outcome: Outcome) -> Response<Full<Bytes>> {
    match outcome {
        Outcome::Done(result) => reply(200, &json!({ "ok": true, "result": result })),
        Outcome::Error(status, why, wait) => {
            let mut value = json!({ "ok": false, "error_code": status, "description": why });
            if let Some(wait) = wait {
                value["parameters"] = json!({ "retry_after": wait });
            }
            reply(status, &value)
        }
        Outcome::Cut => reply(500, &json!({})),
    }
}

fn reply(status: u16, value: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}
