//! The page a person sees while their computer wakes up for longer than a moment. It stands on the computer's own host,
//! where no file of the platform's can be had, so everything is in it; it asks again by itself.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("waiting.css");

static WAKING: LazyLock<String> = LazyLock::new(|| text("It will be here in a moment."));
static UNPACKING: LazyLock<String> =
    LazyLock::new(|| text("Nobody has used it for long, so its files are being unpacked first."));

fn text(says: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"1\"><title>Waking up…</title><style>{STYLE}</style>\
         <main><div class=\"sun\" aria-hidden=\"true\"></div><h1>Your computer is waking up</h1>\
         <p role=\"status\">{says} Everything is as you left it.</p></main></html>"
    )
}

/// The style is allowed by its hash, and nothing else is.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'")
});

/// `unpacking` says why it takes longer.
pub(crate) fn page(unpacking: bool) -> Response<Body> {
    let headers = AppendHeaders([
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::RETRY_AFTER, "1"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
    ]);
    let page = if unpacking { &UNPACKING } else { &WAKING };
    (StatusCode::SERVICE_UNAVAILABLE, headers, page.as_str()).into_response()
}
