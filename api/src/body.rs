//! A JSON body, or an error in the platform's own shape.

use axum::Json;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// What was sent.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let parsed = Json::from_request(request, state).await;
        parsed.map(|Json(value)| Self(value)).map_err(|e| ApiError::new(e.status(), "bad_request", e.body_text()))
    }
}
