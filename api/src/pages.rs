//! The platform's pages: built files, held in the program.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::error::ApiError;
use crate::platform::Platform;

/// Nothing inline, nothing from elsewhere, never in a frame.
const POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'";

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/web/dist"]
#[allow_missing = true]
struct Files;

/// Whether the pages were built before this program was.
pub fn are_built() -> bool {
    Files::get("index.html").is_some()
}

/// A file by its name; for every other address the one page that holds all pages, with 404 where none of them lives.
pub(crate) async fn page(State(platform): State<Platform>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) || uri.path().starts_with("/api/") {
        return ApiError::not_found().into_response();
    }
    let name = uri.path().trim_start_matches('/');
    match Files::get(name).filter(|_| !name.is_empty()) {
        Some(file) if name != "index.html" => serve(name, File::of(file), StatusCode::OK, &headers),
        _ if name.starts_with("assets/") => ApiError::not_found().into_response(),
        _ => match Files::get("index.html") {
            Some(file) => {
                let file = File::of(file).telling(&platform.authority.computers());
                serve("index.html", file, status(name), &headers)
            }
            None => ApiError::not_found().into_response(),
        },
    }
}

fn status(name: &str) -> StatusCode {
    let known = matches!(name, "" | "signup" | "login" | "account") || name.starts_with('@');
    if known { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

/// A built file as it is served.
struct File {
    data: Cow<'static, [u8]>,
    /// Differs where the data does.
    tag: String,
}

impl File {
    fn of(file: EmbeddedFile) -> Self {
        let tag = file.metadata.sha256_hash()[..8].iter().map(|b| format!("{b:02x}")).collect();
        Self { data: file.data, tag }
    }

    /// A page that knows behind which name computers are found: it may be another than its own.
    fn telling(self, computers: &str) -> Self {
        let told = format!("<head><meta name=\"computers\" content=\"{computers}\">");
        let text = String::from_utf8_lossy(&self.data).replacen("<head>", &told, 1);
        Self { data: text.into_bytes().into(), tag: format!("{}-{computers}", self.tag) }
    }
}

fn serve(name: &str, file: File, status: StatusCode, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", file.tag);
    let unchanged = asked.get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let body = if unchanged { Body::empty() } else { Body::from(file.data) };
    let mut response = Response::new(body);
    *response.status_mut() = if unchanged { StatusCode::NOT_MODIFIED } else { status };
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    // Names below assets/ hold a hash of the content (Vite), so they never change.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let fields = [
        (header::CONTENT_TYPE, kind.as_ref()),
        (header::CACHE_CONTROL, caching),
        (header::ETAG, &tag),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (field, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(field, value);
        }
    }
    response
}
