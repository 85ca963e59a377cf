//! What every answer of the platform's own host tells browsers, unless a handler has said more.

use axum::extract::State;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response};

use crate::platform::Platform;

/// For answers that are no pages: nothing in them is ever run or framed.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
/// Two years, names below included: whoever serves one of them by https serves all of them so.
const ALWAYS_HTTPS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

pub(crate) async fn harden<B>(State(platform): State<Platform>, mut answer: Response<B>) -> Response<B> {
    let mut tell = |name: HeaderName, value| {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    };
    tell(CONTENT_SECURITY_POLICY, NO_PAGE);
    tell(X_CONTENT_TYPE_OPTIONS, "nosniff");
    tell(REFERRER_POLICY, "no-referrer");
    only_by_https(&platform, &mut answer);
    answer
}

/// For every answer of whatever host is served here: computers may have a domain of their own, of which the platform's
/// pages cannot speak.
pub(crate) fn only_by_https<B>(platform: &Platform, answer: &mut Response<B>) {
    if platform.scheme == "https" {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, ALWAYS_HTTPS);
    }
}
