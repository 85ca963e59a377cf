//! Where channels bring messages to: each is known by a secret that it was told when it was asked to come.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use matrixos_supervisor::channels::{BroughtError, Channels};
use matrixos_supervisor::store::MailError;
use matrixos_types::UserId;

use crate::error::ApiError;
use crate::platform::Platform;
use crate::routes::{Audience, Rate, Route, route};

/// Largest update that is read, in bytes.
const BODY: usize = 1 << 20;
/// Seconds after which a channel may try again.
const AGAIN: u64 = 10;

/// The table of what is brought.
pub fn table() -> Vec<Route> {
    // A channel comes for everybody from a few addresses, so none of them has a limit.
    vec![route(Method::POST, "/channels/{channel}/{account}", Audience::Channel, Rate::Free, bring)]
}

pub(crate) fn router() -> Router<Platform> {
    let routes = table().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
    routes.layer(DefaultBodyLimit::max(BODY))
}

async fn bring(
    State(platform): State<Platform>,
    Path((channel, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let field = Channels::secret_field(&channel).ok_or_else(ApiError::not_found)?;
    let secret = headers.get(field).ok_or_else(ApiError::not_found)?.as_bytes();
    let user = UserId::parse(&account).ok_or_else(ApiError::not_found)?;
    match platform.channels.brought(user, &channel, secret, &body).await {
        Ok(()) => Ok(StatusCode::OK),
        Err(BroughtError::Unknown) => Err(ApiError::not_found()),
        Err(BroughtError::Mail(MailError::Store(error))) => Err(error.into()),
        Err(BroughtError::Mail(error)) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(ApiError::new(status, "queue_full", format!("Not now: {error}.")).retry_after(AGAIN))
        }
    }
}
