//! What every answer of the platform's own host tells browsers, unless a handler has said more.

use axum::extract::State;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response};

use crate::platform::Platform;

/// For answers that are no pages: nothing in them is ever run or framed.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";
/// Two years, computers' hosts included: whoever serves them by https serves all of them so.
const ALWAYS_HTTPS: &str = "max-age=63072000; includeSubDomains";

pub(crate) async fn harden<B>(State(platform): State<Platform>, mut answer: Response<B>) -> Response<B> {
    let mut tell = |name: HeaderName, value| {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    };
    tell(CONTENT_SECURITY_POLICY, NO_PAGE);
    tell(X_CONTENT_TYPE_OPTIONS, "nosniff");
    tell(REFERRER_POLICY, "no-referrer");
    if platform.scheme == "https" {
        tell(STRICT_TRANSPORT_SECURITY, ALWAYS_HTTPS);
    }
    answer
}
