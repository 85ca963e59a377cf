//! The one place where errors become HTTP: a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error as it leaves the platform: `{"error": {"code", "message", "suggestions"?}}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    suggestions: Vec<String>,
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    suggestions: &'a [String],
}

impl ApiError {
    /// An error with its status, a code for programs and a sentence for people.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), suggestions: Vec::new(), retry_after: None }
    }

    /// 401: no valid session.
    pub(crate) fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Please sign in first.")
    }

    /// 404, without saying what exists.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
    }

    /// 500. `cause` is logged, not shown.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        let message = "Something failed on our side. Nothing was changed; please try again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// 503: the platform's own disk is full. `cause` is logged, not shown.
    pub(crate) fn disk_full(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "refused for lack of room");
        let message = "This platform has no room for more at the moment. Nothing was changed; its operator has been told. \
                       Please try again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk_full", message).retry_after(300)
    }

    /// 503: the computer rests, and this request is none that wakes it.
    pub(crate) fn resting() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "asleep", "Your computer sleeps. It wakes as soon as you use it.")
    }

    /// Adds handles that would be available.
    pub(crate) fn suggesting(mut self, suggestions: Vec<String>) -> Self {
        self.suggestions = suggestions;
        self
    }

    /// Adds `Retry-After`, in seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = Detail { code: self.code, message: &self.message, suggestions: &self.suggestions };
        let mut response = (self.status, Json(Envelope { error: detail })).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
