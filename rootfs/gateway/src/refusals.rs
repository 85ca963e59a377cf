//! What the web framework refuses by itself (a body that is no JSON, a missing query, a wrong method, no WebSocket) leaves
//! in the gateway's own shape: what, why, and what to do.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Failure;
use crate::kernel::limits::cut;

/// Largest refusal that is read, in bytes: it may quote what was sent, which was let in before.
const QUOTED: usize = 2 << 20;
/// As much of it as is told.
const TOLD: usize = 300;
/// First parts of addresses below which there is never a page of the desktop.
const NO_PAGES: &[&str] = &["api", "apps", "files", "ws"];

/// Says every plain refusal in words.
pub(crate) async fn in_words(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || !is_plain(response.headers()) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let said = to_bytes(body, QUOTED).await.unwrap_or_default();
    let failure = failure(status, &method, &String::from_utf8_lossy(&said)).into_response();
    let (own, body) = failure.into_parts();
    // What the refusal says beside its text stays, as which methods are allowed.
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.extend(own.headers);
    Response::from_parts(head, body)
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// The refusal of an address at which there is nothing, if no page of the desktop can be meant.
pub(crate) fn no_page(path: &str) -> Option<Failure> {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    NO_PAGES.contains(&first).then(nowhere)
}

fn nowhere() -> Failure {
    let message = "There is nothing at this address of the computer. Look at how it is written; a newer desktop may also ask for what this version of the computer does not have yet: update it then.";
    Failure::new(StatusCode::NOT_FOUND, "not_found", message)
}

fn failure(status: StatusCode, method: &Method, said: &str) -> Failure {
    let why = cut(said.trim().trim_end_matches('.'), TOLD);
    let why = if why.is_empty() { status.canonical_reason().unwrap_or("it was refused") } else { why };
    let fails = |code, message| Failure::new(status, code, message);
    match status {
        StatusCode::NOT_FOUND => nowhere(),
        StatusCode::METHOD_NOT_ALLOWED => fails(
            "method_not_allowed",
            format!("This address is not for {method}, so nothing was done. The answer's field `allow` names what it takes."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => fails(
            "too_large",
            "That is larger than this address takes, so nothing of it was kept. Send less at once; large things go into files.".to_owned(),
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => fails(
            "not_json",
            "This address takes JSON, and the request does not say that it is any. Send it with `content-type: application/json`.".to_owned(),
        ),
        _ if status.is_server_error() => {
            fails("internal", format!("The computer could not do that: {why}. Try again; if it stays so, restart the computer."))
        }
        _ => fails("bad_request", format!("The request was not understood, so nothing was done: {why}. Mend it and send it again.")),
    }
}
