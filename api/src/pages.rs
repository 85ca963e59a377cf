//! The platform's pages: built files, held in the program.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use http_range_header::parse_range_header;
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
    let mut response = match part(asked, &tag, file.data.len()).filter(|_| !unchanged && status == StatusCode::OK) {
        Some(range) => partial(file.data, &range),
        None if unchanged => (StatusCode::NOT_MODIFIED, Body::empty()).into_response(),
        None => (status, Body::from(file.data)).into_response(),
    };
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    // Names below assets/ hold a hash of the content (Vite), so they never change.
    let caching = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let fields = [
        (header::CONTENT_TYPE, kind.as_ref()),
        (header::CACHE_CONTROL, caching),
        (header::ETAG, &tag),
        (header::ACCEPT_RANGES, "bytes"),
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

/// The one part that is asked for (RFC 9110, section 14.2); some browsers show no film otherwise. Of several parts, of one that
/// is not there and of a part of an earlier file a server may send the whole instead.
fn part(asked: &HeaderMap, tag: &str, length: usize) -> Option<RangeInclusive<u64>> {
    let same = asked.get(header::IF_RANGE).is_none_or(|of| of.as_bytes() == tag.as_bytes());
    let ranges = parse_range_header(asked.get(header::RANGE)?.to_str().ok()?).ok()?.validate(length as u64).ok()?;
    <[_; 1]>::try_from(ranges).ok().map(|[range]| range).filter(|_| same)
}

fn partial(data: Cow<'static, [u8]>, range: &RangeInclusive<u64>) -> Response {
    let described = format!("bytes {}-{}/{}", range.start(), range.end(), data.len());
    let data = match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    };
    let body = data.slice(*range.start() as usize..=*range.end() as usize);
    (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, described)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(fields: &[(header::HeaderName, &str)]) -> (StatusCode, Option<String>, u64) {
        let asked = fields.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect();
        let film = File { data: Cow::Borrowed(b"0123456789"), tag: "film".to_owned() };
        let response = serve("assets/tour.webm", film, StatusCode::OK, &asked);
        let range = response.headers().get(header::CONTENT_RANGE).map(|range| range.to_str().expect("text").to_owned());
        (response.status(), range, axum::body::HttpBody::size_hint(response.body()).lower())
    }

    #[test]
    fn a_part_of_a_film_is_served_as_such() {
        let whole = (StatusCode::OK, None, 10);
        let part = |range: &str, length| (StatusCode::PARTIAL_CONTENT, Some(range.to_owned()), length);
        for (range, expected) in [
            ("bytes=0-1", part("bytes 0-1/10", 2)),
            ("bytes=4-", part("bytes 4-9/10", 6)),
            ("bytes=-3", part("bytes 7-9/10", 3)),
            ("bytes=0-1,4-5", whole.clone()),
            ("bytes=20-30", whole.clone()),
            ("lines=1-2", whole.clone()),
            ("bytes=5-2", whole.clone()),
        ] {
            assert_eq!(served(&[(header::RANGE, range)]), expected, "{range}");
        }
        assert_eq!(served(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "\"film\"")]), part("bytes 0-1/10", 2));
        assert_eq!(served(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "\"older\"")]), whole);
    }
}
