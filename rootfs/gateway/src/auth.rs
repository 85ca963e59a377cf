//! The bearer token: on every route but `/health`, compared in constant time. Where there is a door, its cookie will do.
//! Without a token this machine alone is served, and of it not the pages that its browsers have open.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::door;
use crate::error::Failure;
use crate::state::Gateway;

pub(crate) async fn require_token(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/health" {
        return next.run(request).await;
    }
    let Some(token) = &gateway.settings.token else { return without_token(request, next).await };
    match &gateway.door {
        _ if shows(request.headers(), token) => next.run(request).await,
        Some(door) => door.pass(request, next).await,
        None => door::refused(),
    }
}

fn shows(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| bool::from(given.ct_eq(token.as_bytes())))
}

/// Only this machine can connect, but any page in its browser could open a terminal: a WebSocket asks nobody, and a name
/// of the page's own may be made to mean this machine (DNS rebinding).
async fn without_token(request: Request, next: Next) -> Response {
    if !names_this_machine(request.headers()) {
        let why = "Without MATRIX_AUTH_TOKEN this computer is served as localhost and 127.0.0.1 only. Open it by one of these, or set a token.";
        return Failure::new(StatusCode::FORBIDDEN, "foreign_name", why).into_response();
    }
    if door::acts(&request) && is_of_a_page_elsewhere(request.headers()) {
        return door::foreign_page();
    }
    next.run(request).await
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(authority) = text(headers, &header::HOST) else { return false };
    let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let host = host.map_or(authority, |(host, _)| host).trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Programs say neither; browsers say one of the two of whatever can do something.
fn is_of_a_page_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, &door::FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().ok().and_then(|o| o.split_once("://")));
    origin.is_some_and(|origin| origin.map(|(_, authority)| authority) != text(headers, &header::HOST))
}
