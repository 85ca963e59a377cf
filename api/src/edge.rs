//! Where a request comes in: one reading of whom it is for, then the platform's own routes or a computer.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use matrixos_proxy::{Paced, Refused, Site, framing};
use tower::ServiceExt;

use crate::caller::Client;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::{computers, hardening, routes};

/// The front door.
#[derive(Clone)]
pub struct Edge {
    platform: Platform,
    router: Router,
    /// The same for programs, at `api.{domain}`.
    api: Router,
}

impl Edge {
    /// The front door of a platform.
    pub fn new(platform: Platform) -> Self {
        Self { router: routes::router(platform.clone()), api: routes::api_router(platform.clone()), platform }
    }

    /// Answers one request.
    pub async fn answer(self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if !framing::is_clear(&parts) {
            return refuse(StatusCode::BAD_REQUEST, "The request's length is not clear.");
        }
        let client = self.platform.proxies.client(&parts.headers, peer.ip());
        match self.platform.authority.site(&parts) {
            Ok(Site::Platform) => own(self.router, Request::from_parts(parts, body), client).await,
            Ok(Site::Api) => own(self.api, Request::from_parts(parts, body), client).await,
            Ok(Site::Computer(handle)) => {
                let request = Request::from_parts(parts, body);
                let mut answer = computers::answer(&self.platform, handle, request, client).await;
                hardening::only_by_https(&self.platform, &mut answer);
                answer
            }
            Err(refused @ Refused::Ambiguous) => refuse(StatusCode::BAD_REQUEST, &refused.to_string()),
            Err(refused @ Refused::Misdirected) => refuse(StatusCode::MISDIRECTED_REQUEST, &refused.to_string()),
        }
    }
}

async fn own(router: Router, request: Request<Incoming>, client: IpAddr) -> Response<Body> {
    let mut request = request.map(|body| Body::new(Paced::new(body)));
    request.extensions_mut().insert(Client(client));
    let answered: Result<_, Infallible> = router.oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}

/// An answer after which the connection is not used again: what follows on it could be anything.
fn refuse(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = ApiError::new(status, "bad_request", message).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
