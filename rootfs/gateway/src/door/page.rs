//! The pages of the door. Each is whole in itself: nothing else is served to whoever has not come in.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{SIGN_IN, SIGN_OUT};

const STYLE: &str = include_str!("door.css");

/// The style is allowed by its hash, and nothing else is.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Asks for the token; `problem` says what was wrong with the last one.
pub(super) fn sign_in(status: StatusCode, problem: Option<&str>) -> Response {
    let problem = problem.map(|text| format!("<p id=\"problem\" role=\"alert\">{text}</p>")).unwrap_or_default();
    let described = if problem.is_empty() { "help" } else { "problem help" };
    page(
        status,
        "Sign in",
        &format!(
            "<h1>Your computer</h1><form method=\"post\" action=\"{SIGN_IN}\"><label for=\"token\">Token</label>\
             <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus \
             aria-describedby=\"{described}\">{problem}<button>Sign in</button></form>\
             <p id=\"help\">It was shown when this computer was set up, and stands in its settings on the server \
             (<code>MATRIX_AUTH_TOKEN</code>).</p>"
        ),
    )
}

/// For whoever follows a link of another site: from here on the browser shows its cookie, if it has one.
pub(super) fn come_in() -> Response {
    page(StatusCode::UNAUTHORIZED, "Your computer", "<h1>Your computer</h1><p><a href=\"/\">Open the desktop</a></p>")
}

/// Asks whether this browser is to forget the computer.
pub(super) fn sign_out() -> Response {
    page(
        StatusCode::OK,
        "Sign out",
        &format!(
            "<h1>Sign out</h1><p>This browser forgets the computer. What runs on it goes on.</p>\
             <form method=\"post\" action=\"{SIGN_OUT}\"><button>Sign out</button></form><p><a href=\"/\">Back to the desktop</a></p>"
        ),
    )
}

fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><main>{content}</main></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, text).into_response()
}
