//! Extractors that are evidence, and the rule that keeps other sites from acting in a person's name.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::accounts::{AdminGrant, Fresh, FreshGrant, Session};

use crate::caller::{Client, caller};
use crate::cookies::PLATFORM;
use crate::error::ApiError;
use crate::platform::Platform;

/// Finds out who is signed in, and renews what their browser holds when it is time.
pub(crate) async fn identify(State(platform): State<Platform>, mut request: Request, next: Next) -> Response {
    let from = caller(request.headers(), request.extensions().get::<Client>().map(|client| client.0));
    let admitted = match platform.accounts.session(PLATFORM.presented(request.headers()), &from).await {
        Ok(admitted) => admitted,
        Err(error) => return ApiError::internal(error).into_response(),
    };
    let renewed = admitted.map(|admitted| {
        request.extensions_mut().insert(admitted.as_);
        admitted.renewed
    });
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // A handler that signs somebody in or out has the last word.
    if let Some(tokens) = renewed.flatten()
        && !PLATFORM.are_in(headers)
    {
        PLATFORM.give(&tokens, headers);
    }
    response
}

/// Who is signed in, if anybody is.
pub(crate) struct MaybeSignedIn(pub(crate) Option<Session>);

impl<S: Sync> FromRequestParts<S> for MaybeSignedIn {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Session>().cloned()))
    }
}

fn signed_in(parts: &Parts) -> Result<Session, ApiError> {
    parts.extensions.get::<Session>().cloned().ok_or_else(ApiError::not_signed_in)
}

/// The request comes from a signed-in browser.
pub(crate) struct SignedIn(pub(crate) Session);

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        signed_in(parts).map(Self)
    }
}

/// The request comes from somebody who has just proved who they are.
pub(crate) struct Verified(pub(crate) Fresh);

impl FromRequestParts<Platform> for Verified {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, ApiError> {
        platform.accounts.fresh(signed_in(parts)?).map(Self).ok_or_else(ApiError::verify_first)
    }
}

/// The request comes from an administrator.
pub(crate) struct Administrator(pub(crate) AdminGrant);

impl FromRequestParts<Platform> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, ApiError> {
        platform.accounts.administrator(signed_in(parts)?).map(Self).ok_or_else(ApiError::not_admin)
    }
}

/// The request comes from an administrator who has just proved who they are.
pub(crate) struct Acting(pub(crate) FreshGrant);

impl FromRequestParts<Platform> for Acting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, ApiError> {
        let Administrator(grant) = Administrator::from_request_parts(parts, platform).await?;
        platform.accounts.fresh_grant(grant).map(Self).ok_or_else(ApiError::verify_first)
    }
}

/// Whether a request was made by a page of `origin` itself. Computers are sibling subdomains, for which `SameSite`
/// protects nothing, so both fields are required.
pub(crate) fn is_from(headers: &HeaderMap, origin: &str) -> bool {
    let is = |name: &str, expected: &str| headers.get(name).is_some_and(|v| v.as_bytes() == expected.as_bytes());
    is("origin", origin) && is("sec-fetch-site", "same-origin")
}

/// Refuses whatever could change something and was not sent by a page of the platform.
pub(crate) async fn same_origin(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_from(request.headers(), &platform.origin) {
        return next.run(request).await;
    }
    let message = "This can only be done from the platform's own pages.";
    ApiError::new(StatusCode::FORBIDDEN, "forbidden_origin", message).into_response()
}
