//! Errors as they leave the gateway: `{"error": {"code", "message"}}`.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error with its status, a code for programs and a sentence for people.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing of that name.")
    }

    pub(crate) fn outside() -> Self {
        Self::new(StatusCode::FORBIDDEN, "outside_home", "That path leads out of your home, so it was not followed.")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::not_found(),
            // A path that leaves the home is reported without an error number, by the library that guards it.
            Kind::PermissionDenied if error.raw_os_error().is_none() => Self::outside(),
            Kind::PermissionDenied => {
                Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do that with this file.")
            }
            Kind::AlreadyExists => Self::new(StatusCode::CONFLICT, "exists", "Something of that name exists already."),
            Kind::IsADirectory => Self::new(StatusCode::CONFLICT, "is_directory", "That is a folder, not a file."),
            Kind::NotADirectory => {
                Self::new(StatusCode::CONFLICT, "not_directory", "A part of that path is a file, not a folder.")
            }
            Kind::StorageFull | Kind::QuotaExceeded => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "disk_full",
                "Your disk is full, by size or by number of files. Delete something, then try again; nothing was half-written.",
            ),
            Kind::InvalidFilename | Kind::InvalidInput => Self::bad_request("That name cannot be used for a file."),
            _ if error.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) => Self::outside(),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                format!("The computer could not do that: {error}."),
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": { "code": self.code, "message": self.message } }))).into_response()
    }
}
