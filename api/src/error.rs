//! The one place where errors become HTTP: a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use matrixos_supervisor::accounts::AccountError;
use matrixos_supervisor::store::StoreError;
use serde::Serialize;

use crate::public::unavailable;

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

    /// 403: the person must prove once more who they are.
    pub(crate) fn verify_first() -> Self {
        Self::new(StatusCode::FORBIDDEN, "verify_first", "Please confirm first that it is you.")
    }

    /// 403: for administrators.
    pub(crate) fn not_admin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not_admin", "Only administrators may do that.")
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

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Low { .. } | StoreError::Full => Self::disk_full(error),
            other => Self::internal(other),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        let with = |status, code| Self::new(status, code, message.clone());
        match error {
            AccountError::Malformed(_) => with(StatusCode::BAD_REQUEST, "handle_invalid"),
            AccountError::Unavailable(suggestions) => {
                Self::new(StatusCode::CONFLICT, "handle_taken", unavailable(&suggestions)).suggesting(suggestions)
            }
            AccountError::CeremonyExpired => with(StatusCode::GONE, "ceremony_expired"),
            AccountError::Rejected(cause) => {
                // The person is told nothing of it: it would help whoever tries to get around it.
                tracing::info!(%cause, "a passkey's answer was refused");
                with(StatusCode::BAD_REQUEST, "passkey_rejected")
            }
            AccountError::UnknownPasskey => with(StatusCode::NOT_FOUND, "passkey_unknown"),
            AccountError::KnownPasskey => with(StatusCode::CONFLICT, "passkey_known"),
            AccountError::TooManyPasskeys => with(StatusCode::CONFLICT, "too_many_passkeys"),
            AccountError::SignInRejected => with(StatusCode::UNAUTHORIZED, "code_rejected"),
            AccountError::CodeRejected => with(StatusCode::BAD_REQUEST, "code_rejected"),
            AccountError::TooOften { wait } => {
                with(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").retry_after(wait)
            }
            AccountError::LastFactor => with(StatusCode::CONFLICT, "last_factor"),
            AccountError::BadName => with(StatusCode::BAD_REQUEST, "name_invalid"),
            AccountError::Missing(_) => with(StatusCode::NOT_FOUND, "not_found"),
            AccountError::NotConfirmed => with(StatusCode::BAD_REQUEST, "confirm_mismatch"),
            AccountError::DeletionPending => with(StatusCode::CONFLICT, "deletion_pending"),
            AccountError::BadInvitation => with(StatusCode::GONE, "invite_invalid"),
            AccountError::BadKey => with(StatusCode::BAD_REQUEST, "key_invalid"),
            AccountError::Busy(_) => with(StatusCode::SERVICE_UNAVAILABLE, "busy").retry_after(60),
            AccountError::Store(error) => error.into(),
        }
    }
}
