//! The door for computers: what a container may ask of the platform, on its bridge's own address.

mod awake;
mod channels;
mod error;
mod evidence;
mod messages;
mod profiles;
mod usage;
mod whole;

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::{Router, middleware};
use hyper::body::Incoming;
use matrixos_proxy::Paced;
use tower::ServiceExt;

use crate::caller::Client;
use crate::hardening;
use crate::limits;
use crate::platform::Platform;
use crate::routes::{Audience, Rate, Route, route};

use error::Refusal;

/// Largest body of a request about the computer itself, in bytes.
const BODY: usize = 16 * 1024;
/// Largest body of one that is about texts: each byte of them may be written as six.
const TEXTS: usize = 512 * 1024;

/// The door for computers. It listens on the bridges' own addresses, where nobody else can come in.
#[derive(Clone)]
pub struct Door {
    router: Router,
}

impl Door {
    /// The door of a platform.
    pub fn new(platform: Platform) -> Self {
        Self { router: router(platform) }
    }

    /// Answers one request.
    pub async fn answer(self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let mut request = request.map(|body| Body::new(Paced::new(body)));
        request.extensions_mut().insert(Client(peer.ip()));
        let answered: Result<_, Infallible> = self.router.oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

/// The table of the door for computers.
pub fn table() -> Vec<Route> {
    use Audience::Container;
    vec![
        route(Method::POST, "/matrix/awake", Container, Rate::LookUp, awake::keep),
        route(Method::DELETE, "/matrix/awake", Container, Rate::LookUp, awake::let_go),
        route(Method::GET, "/matrix/usage", Container, Rate::Free, usage::usage),
        route(Method::GET, "/v1/models", Container, Rate::LookUp, messages::models),
        route(Method::POST, "/v1/messages", Container, Rate::Free, messages::create),
        route(Method::POST, "/v1/messages/count_tokens", Container, Rate::LookUp, messages::count_tokens),
        route(Method::PUT, "/matrix/due", Container, Rate::LookUp, awake::due),
        route(Method::PUT, "/matrix/channels", Container, Rate::LookUp, channels::set),
        route(Method::GET, "/matrix/channels/status", Container, Rate::LookUp, channels::status),
        route(Method::POST, "/matrix/send", Container, Rate::LookUp, channels::send).taking(TEXTS),
        route(Method::PUT, "/matrix/profiles", Container, Rate::LookUp, profiles::set).taking(TEXTS),
    ]
}

/// What a computer is told that asks too often.
pub(crate) fn too_many(seconds: u64) -> axum::response::Response {
    let message = "This computer asks too often. Wait a moment, then try again.";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message).retry_after(seconds).into_response()
}

fn router(platform: Platform) -> Router {
    let routes = table().into_iter().fold(Router::new(), |router, route| {
        let keep = middleware::from_fn_with_state((platform.clone(), route.rate), limits::keep_computers);
        router.route(route.path, route.handler.layer(keep))
    });
    routes
        .fallback(async || Refusal::unknown_path())
        .method_not_allowed_fallback(async || Refusal::unknown_path())
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::map_response_with_state(platform.clone(), hardening::harden))
        .with_state(platform)
}
