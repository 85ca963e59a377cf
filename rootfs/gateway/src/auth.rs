//! The bearer token: on every route but `/health`, compared in constant time. Where there is a door, its cookie will do.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::door;
use crate::state::Gateway;

pub(crate) async fn require_token(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/health" || admitted(&gateway, &request) {
        return next.run(request).await;
    }
    match &gateway.door {
        Some(door) => door.pass(request, next).await,
        None => door::refused(),
    }
}

fn admitted(gateway: &Gateway, request: &Request) -> bool {
    let Some(token) = &gateway.settings.token else { return true };
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| bool::from(given.ct_eq(token.as_bytes())))
}
