//! For whoever watches the platform: Prometheus asks here, at a listener of its own. It tells counts and nothing of what is
//! in anybody's calls, and yet how many calls there are is nobody else's business.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Request, Response};
use axum::routing::get;
use hyper::body::Incoming;
use tower::ServiceExt;

use crate::admin::metrics;
use crate::error::ApiError;
use crate::platform::Platform;

/// The door for whoever watches.
#[derive(Clone)]
pub struct Watch {
    router: Router,
}

impl Watch {
    /// The door of a platform.
    pub fn new(platform: Platform) -> Self {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .fallback(async || ApiError::not_found())
            .layer(DefaultBodyLimit::max(0))
            .with_state(platform);
        Self { router }
    }

    /// Answers one request.
    pub async fn answer(self, request: Request<Incoming>, _: SocketAddr) -> Response<Body> {
        let answered: Result<_, Infallible> = self.router.oneshot(request.map(Body::new)).await;
        answered.unwrap_or_else(|never| match never {})
    }
}
