//! The bearer token: on every route but `/health`, compared in constant time.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use crate::error::Failure;
use crate::state::Gateway;

pub(crate) async fn require_token(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/health" || admitted(&gateway, &request) {
        return next.run(request).await;
    }
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", "This computer needs its owner's token.").into_response()
}

fn admitted(gateway: &Gateway, request: &Request) -> bool {
    let Some(token) = &gateway.settings.token else { return true };
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| bool::from(given.ct_eq(token.as_bytes())))
}
