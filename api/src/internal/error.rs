//! What a computer is told when something cannot be done: in the shape of the Messages API, which its clients know.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is an error: `{"type":"error","error":{"type":…,"message":…}}`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
    retry_after: Option<u64>,
    is_final: bool,
    /// The provider's own words, in place of ours.
    passed_on: Option<Box<Response>>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), retry_after: None, is_final: false, passed_on: None }
    }

    /// 400.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// 401: the credential and the address that it comes from are not one container's.
    pub(super) fn stranger() -> Self {
        let message = "This door is for computers of this platform. Show the key of this computer (ANTHROPIC_API_KEY in its \
                       environment), from this computer.";
        Self::new(StatusCode::UNAUTHORIZED, "authentication_error", message)
    }

    /// 404.
    pub(super) fn unknown_path() -> Self {
        let message = "There is nothing at this address. Known are POST /v1/messages, POST /v1/messages/count_tokens and \
                       GET /v1/models.";
        Self::new(StatusCode::NOT_FOUND, "not_found_error", message)
    }

    /// 500; the cause is logged, not told.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a computer's request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "This did not work, and the fault is the platform's.")
    }

    /// An error of the provider as it came.
    pub(super) fn passed_on(response: Response) -> Self {
        Self { passed_on: Some(response.into()), ..Self::new(StatusCode::BAD_GATEWAY, "api_error", "") }
    }

    /// Tells clients that trying again will not help: they would, for some kinds.
    pub(super) fn not_to_be_repeated(mut self) -> Self {
        self.is_final = true;
        self
    }

    /// Adds `Retry-After`, in seconds.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Some(response) = self.passed_on {
            return *response;
        }
        let body = json!({ "type": "error", "error": { "type": self.kind, "message": self.message } });
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.is_final {
            response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
        }
        response
    }
}
