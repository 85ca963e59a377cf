//! A JSON body or a query, or an error in the platform's own shape.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
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

/// What was asked for in the address.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let parsed = Query::from_request_parts(parts, state).await;
        parsed.map(|Query(value)| Self(value)).map_err(|e| ApiError::new(e.status(), "bad_request", e.body_text()))
    }
}
