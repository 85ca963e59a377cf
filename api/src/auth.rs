//! Extractors that are evidence, and the rule that keeps other sites from acting in a person's name.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use matrixos_proxy::headers::PLATFORM_COOKIES;
use matrixos_supervisor::accounts::{SESSION, Secret, Session};

use crate::error::ApiError;
use crate::platform::Platform;

/// Name of the cookie of a signed-in browser on the platform's host.
pub(crate) const SESSION_COOKIE: &str = PLATFORM_COOKIES[0];
/// Name of the cookie of the owner's browser on their computer's host.
pub(crate) const COMPUTER_COOKIE: &str = PLATFORM_COOKIES[1];

/// The request comes from a signed-in browser.
pub(crate) struct SignedIn(pub(crate) Session);

impl FromRequestParts<Platform> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, ApiError> {
        session(&parts.headers, platform)?.map(Self).ok_or_else(ApiError::not_signed_in)
    }
}

/// Who is signed in, if anybody is.
pub(crate) fn session(headers: &HeaderMap, platform: &Platform) -> Result<Option<Session>, ApiError> {
    match cookie(headers, SESSION_COOKIE) {
        Some(token) => platform.accounts.session(token).map_err(ApiError::internal),
        None => Ok(None),
    }
}

/// The value of a cookie. A name that comes twice is not trusted: one of them may have been planted.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values =
        pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(n, _)| *n == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// A cookie that only this very host gets back, over TLS or localhost, and that no script can read
/// (RFC 6265bis, section 4.1.3.2). Lax: a person who follows a link arrives signed in.
pub(crate) fn set_cookie(name: &str, token: &Secret) -> String {
    format!("{name}={}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", token.expose(), SESSION.as_secs())
}

/// The same cookie, emptied.
pub(crate) fn clear_cookie(name: &str) -> String {
    format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")
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
