//! Requests to `{handle}.{domain}`: the owner's go to their computer, nobody else's do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use hyper::body::Incoming;
use matrixos_proxy::{ForwardError, Meter, Target};
use matrixos_supervisor::accounts::Visit;
use matrixos_supervisor::containers::{Activity, NotRunning, Reached};
use matrixos_types::Handle;
use url::form_urlencoded;

use crate::account::local_path;
use crate::auth::{COMPUTER_COOKIE, cookie, is_from, set_cookie};
use crate::error::ApiError;
use crate::platform::Platform;
use crate::waiting;

/// The one path of a computer's host that the platform answers itself.
pub(crate) const ENTER: &str = "/.matrixos/enter";

/// How long a request waits for a computer that is starting.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a person who opens an address waits before they are shown that the computer wakes up.
const BEFORE_THE_WAITING_PAGE: Duration = Duration::from_secs(1);
/// Set by the desktop on requests that nobody made: looking whether the computer is there is no use of it.
const BACKGROUND: &str = "x-matrix-background";

pub(crate) async fn answer(
    platform: &Platform,
    handle: Handle,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Response<Body> {
    let answered = if request.uri().path() == ENTER && request.method() == Method::GET {
        enter(platform, &handle, request.uri().query().unwrap_or_default()).await
    } else {
        admit(platform, &handle, request, peer).await
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

/// Turns the one-time code that the platform's host gave into this host's own cookie.
async fn enter(platform: &Platform, handle: &Handle, query: &str) -> Result<Response<Body>, ApiError> {
    let field = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let token =
        platform.accounts.redeem(&field("code").unwrap_or_default(), handle).await.map_err(ApiError::internal)?;
    let path = local_path(field("path").as_deref());
    match token {
        Some(token) => {
            let headers = AppendHeaders([
                (header::SET_COOKIE, set_cookie(COMPUTER_COOKIE, &token)),
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ]);
            Ok((headers, Redirect::to(&path)).into_response())
        }
        // The code was used or is too old: the platform gives its owner another.
        None => Ok(to_the_door(platform, handle, &path)),
    }
}

fn to_the_door(platform: &Platform, handle: &Handle, path: &str) -> Response<Body> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("path", path).finish();
    Redirect::to(&format!("{}/enter/{handle}?{query}", platform.origin)).into_response()
}

async fn admit(
    platform: &Platform,
    handle: &Handle,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, ApiError> {
    let Some(visit) = visit(platform, handle, request.headers())? else {
        if is_navigation(&request) {
            let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
            return Ok(to_the_door(platform, handle, path));
        }
        return Err(ApiError::not_signed_in());
    };
    if !is_by_its_own_page(&request, &platform.origin_of(handle)) {
        let message = "Only this computer's own pages may do that.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden_origin", message));
    }
    let navigating = is_navigation(&request);
    match pass(platform, handle, &visit, request, peer).await {
        Ok(answer) => Ok(answer),
        Err(Unreached::Resting) => Err(ApiError::resting()),
        Err(Unreached::No(NotRunning::Late)) if navigating => Ok(waiting::page()),
        // The owner's account page says how the computer is and why, and lets them try again.
        Err(_) if navigating => Ok(Redirect::to(&format!("{}/account", platform.origin)).into_response()),
        Err(Unreached::No(error)) => Err(error.into()),
        Err(Unreached::Failed(error)) => Err(error),
    }
}

/// Why a request did not come through to a computer.
enum Unreached {
    /// It rests, and what asked was only a page looking whether it is there.
    Resting,
    No(NotRunning),
    Failed(ApiError),
}

async fn pass(
    platform: &Platform,
    handle: &Handle,
    visit: &Visit,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<Body>, Unreached> {
    let container = &visit.owner().container;
    let background = request.headers().contains_key(BACKGROUND);
    if background && platform.containers.rests(container) {
        return Err(Unreached::Resting);
    }
    let patience = if is_navigation(&request) { BEFORE_THE_WAITING_PAGE } else { PATIENCE };
    let reached = platform.containers.reach(container, patience, !background).await.map_err(Unreached::No)?;
    let target = target(platform, handle, reached, peer).map_err(Unreached::Failed)?;
    let answer = platform.forwarder.forward(request, target).await;
    Ok(answer.map_err(|e| Unreached::Failed(e.into()))?.map(Body::new))
}

fn visit(platform: &Platform, handle: &Handle, headers: &HeaderMap) -> Result<Option<Visit>, ApiError> {
    match cookie(headers, COMPUTER_COOKIE) {
        Some(token) => platform.accounts.visit(token, handle).map_err(ApiError::internal),
        None => Ok(None),
    }
}

fn field<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a [u8]> {
    request.headers().get(name).map(HeaderValue::as_bytes)
}

/// A person who opens an address, as opposed to a page that fetches something.
fn is_navigation(request: &Request<Incoming>) -> bool {
    let asks = |name, value: &[u8]| field(request, name) == Some(value);
    *request.method() == Method::GET && asks("sec-fetch-mode", b"navigate") && asks("sec-fetch-dest", b"document")
}

/// Neighbours are sibling subdomains, whose requests carry the owner's cookies. So what changes something, and every
/// WebSocket, must come from this computer's own pages; reading must, too, but for a person who opens an address.
fn is_by_its_own_page(request: &Request<Incoming>, origin: &str) -> bool {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !safe {
        return is_from(request.headers(), origin);
    }
    if request.headers().contains_key(header::UPGRADE) {
        // Browsers send no Sec-Fetch-Site with the WebSocket handshake over http, but always the origin.
        return field(request, "origin") == Some(origin.as_bytes());
    }
    match field(request, "sec-fetch-site") {
        None => field(request, "origin").is_none_or(|o| o == origin.as_bytes()),
        Some(b"same-origin" | b"none") => true,
        Some(_) => is_navigation(request),
    }
}

fn target(platform: &Platform, handle: &Handle, reached: Reached, peer: SocketAddr) -> Result<Target, ApiError> {
    let Reached { endpoint, activity, visit } = reached;
    let value = |text: &str| HeaderValue::from_str(text).map_err(ApiError::internal);
    let mut authorization = value(&format!("Bearer {}", endpoint.token.0))?;
    authorization.set_sensitive(true);
    Ok(Target {
        address: endpoint.address,
        authorization,
        host: value(&platform.authority.of(handle))?,
        scheme: value(&platform.scheme)?,
        peer: value(&peer.ip().to_string())?,
        until: platform.end.clone(),
        meter: Arc::new(Used(activity)),
        hold: Box::new(visit),
    })
}

/// Data that passes is use of the computer.
struct Used(Option<Arc<Activity>>);

impl Meter for Used {
    fn passed(&self) {
        if let Some(activity) = &self.0 {
            activity.touch();
        }
    }
}

impl From<NotRunning> for ApiError {
    fn from(error: NotRunning) -> Self {
        let message = format!("{error}.");
        match error {
            NotRunning::Unknown => Self::not_found(),
            NotRunning::Stopped(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", message),
            NotRunning::Broken(_) | NotRunning::Late => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(5)
            }
        }
    }
}

impl From<ForwardError> for ApiError {
    fn from(error: ForwardError) -> Self {
        match error {
            ForwardError::Late => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "busy", "The computer did not answer in time.").retry_after(5)
            }
            ForwardError::Unreachable(_) | ForwardError::Unclear => Self::new(
                StatusCode::BAD_GATEWAY,
                "busy",
                "The computer could not be reached. It may be starting anew; please try again.",
            )
            .retry_after(2),
            ForwardError::Address(_) => {
                Self::new(StatusCode::BAD_REQUEST, "bad_request", "That address cannot be forwarded.")
            }
        }
    }
}
