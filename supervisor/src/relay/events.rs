//! Server-sent events as far as their boundaries and our own errors go (HTML Living Standard, section 9.2).

use hyper::body::Bytes;
use serde_json::json;

/// Where the first event that ends in `chunk` ends, counted in bytes.
pub(super) fn end_of_first(chunk: &[u8]) -> Option<usize> {
    let ends: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];
    let places = ends.iter().filter_map(|end| {
        let start = chunk.windows(end.len()).position(|window| window == *end)?;
        Some(start + end.len())
    });
    places.min()
}

/// Whether the last event that is in `chunk` is all there.
pub(super) fn ends_with_a_whole_one(chunk: &[u8]) -> bool {
    chunk.ends_with(b"\n\n") || chunk.ends_with(b"\r\n\r\n")
}

/// An error in the middle of a stream, as the Messages API sends it.
pub(super) fn error(kind: &str, message: &str) -> Bytes {
    let data = json!({ "type": "error", "error": { "type": kind, "message": message } });
    Bytes::from(format!("event: error\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_with_an_empty_line() {
        assert_eq!(end_of_first(b"data: 1\n\ndata: 2\n\n"), Some(9));
        assert_eq!(end_of_first(b"data: 1\r\n\r\ndata: 2"), Some(11));
        assert_eq!(end_of_first(b"data: 1\ndata: 2\n"), None);
    }

    #[test]
    fn an_error_of_ours_reads_like_the_providers() {
        let text = error("billing_error", "no \"money\"\n");
        let expected = "event: error\ndata: {\"error\":{\"message\":\"no \\\"money\\\"\\n\",\"type\":\"billing_error\"},\"type\":\"error\"}\n\n";
        assert_eq!(text, expected);
    }
}
