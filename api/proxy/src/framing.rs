//! Refusing requests that two parsers could frame differently (RFC 9112, section 11.2, "Request Smuggling").

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Version};

/// True if the request's message framing has exactly one meaning.
pub fn is_clear(request: &Parts) -> bool {
    let lengths = request.headers.get_all(CONTENT_LENGTH).iter().count();
    let encodings: Vec<&HeaderValue> = request.headers.get_all(TRANSFER_ENCODING).iter().collect();
    let chunked_only = encodings.iter().all(|v| v.as_bytes().eq_ignore_ascii_case(b"chunked"));
    let one_framing = lengths <= 1 && encodings.len() <= 1 && (lengths == 0 || encodings.is_empty());
    let allowed_version = request.version == Version::HTTP_11 || encodings.is_empty();
    one_framing && chunked_only && allowed_version && !(request.headers.contains_key(UPGRADE) && has_body(request))
}

fn has_body(request: &Parts) -> bool {
    let length = request.headers.get(CONTENT_LENGTH);
    request.headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|v| v.as_bytes() != b"0")
}
