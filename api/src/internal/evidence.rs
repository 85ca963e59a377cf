//! The evidence that a request comes from a container.

use axum::extract::{FromRequest, FromRequestParts, Json, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use matrixos_supervisor::containers::Resident;
use serde::de::DeserializeOwned;

use super::error::Refusal;
use crate::caller::Client;
use crate::platform::Platform;

/// The request comes from this container: from its address, with its credential.
pub(super) struct Inside(pub(super) Resident);

impl FromRequestParts<Platform> for Inside {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Refusal> {
        let address = parts.extensions.get::<Client>().ok_or_else(Refusal::stranger)?.0;
        let credential = credential(&parts.headers).ok_or_else(Refusal::stranger)?;
        platform.containers.resident(address, credential).map(Self).ok_or_else(Refusal::stranger)
    }
}

/// As newer clients of the Messages API send their key, or as older ones do.
fn credential(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
    match bearer {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => Some(key),
        _ => headers.get("x-api-key").map(|value| value.as_bytes()),
    }
}

/// A JSON body, or an error that says what is wrong with it.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let parsed = Json::from_request(request, state).await;
        parsed.map(|Json(value)| Self(value)).map_err(|error| Refusal::invalid(error.body_text()))
    }
}
