//! Requests to `{handle}.{domain}`: the owner's go to their computer, nobody else's do.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use hyper::body::Incoming;
use matrixos_proxy::{ForwardError, Meter, Target};
use matrixos_supervisor::accounts::{Admitted, Visit};
use matrixos_supervisor::containers::{Activity, NotRunning, Reached};
use matrixos_types::Handle;
use url::form_urlencoded;

use crate::account::local_path;
use crate::auth::is_from;
use crate::caller::caller;
use crate::cookies::{COMPUTER, ENTRY_COOKIE, cookie, set_entry};
use crate::ending::ending;
use crate::error::ApiError;
use crate::platform::Platform;
use crate::waiting;

/// Paths of a computer's host that the platform answers itself: the way in,
pub(crate) const ENTER: &str = "/.matrixos/enter";
/// and the way to its owner's account, which no computer knows by name.
const ACCOUNT: &str = "/.matrixos/account";

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
    client: IpAddr,
) -> Response<Body> {
    let answered = match request.uri().path() {
        ENTER if request.method() == Method::GET => enter(platform, &handle, &request, client).await,
        ACCOUNT if request.method() == Method::GET => Ok(to_the_account(platform)),
        _ => admit(platform, &handle, request, client).await,
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

/// Turns the one-time code that the platform's host gave into this host's own cookies.
async fn enter(
    platform: &Platform,
    handle: &Handle,
    request: &Request<Incoming>,
    client: IpAddr,
) -> Result<Response<Body>, ApiError> {
    let query = request.uri().query().unwrap_or_default();
    let field = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let (code, path) = (field("code").unwrap_or_default(), local_path(field("path").as_deref()));
    let nonce = cookie(request.headers(), ENTRY_COOKIE).unwrap_or_default();
    let from = caller(request.headers(), Some(client));
    match platform.accounts.redeem(&code, nonce, handle, &from).await? {
        Some(tokens) => {
            let mut response = Redirect::to(&path).into_response();
            COMPUTER.give(&tokens, response.headers_mut());
            let private = [(header::REFERRER_POLICY, "no-referrer"), (header::CACHE_CONTROL, "no-store")];
            for (name, value) in private {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            Ok(response)
        }
        // The code was used, is too old, or was given to another browser: the platform gives this one's owner another.
        None => Ok(to_the_door(platform, handle, &path, request.headers())),
    }
}

/// Sends a browser to the platform for a code that is good in this browser only.
fn to_the_door(platform: &Platform, handle: &Handle, path: &str, headers: &HeaderMap) -> Response<Body> {
    // Several tabs may be on their way at once: they share the secret.
    let (state, new) = match cookie(headers, ENTRY_COOKIE).filter(|nonce| !nonce.is_empty()) {
        Some(nonce) => (platform.accounts.entry_state(nonce), None),
        None => {
            let nonce = platform.accounts.entry_nonce();
            (platform.accounts.entry_state(nonce.expose()), Some(nonce))
        }
    };
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("path", path).append_pair("state", &state).finish();
    let mut response = Redirect::to(&format!("{}/enter/{handle}?{query}", platform.origin)).into_response();
    if let Some(nonce) = new {
        set_entry(&nonce, response.headers_mut());
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn admit(
    platform: &Platform,
    handle: &Handle,
    request: Request<Incoming>,
    client: IpAddr,
) -> Result<Response<Body>, ApiError> {
    let (shown, from) = (COMPUTER.presented(request.headers()), caller(request.headers(), Some(client)));
    let Some(Admitted { as_: visit, renewed }) = platform.accounts.visit(handle, shown, &from).await? else {
        if is_navigation(&request) {
            let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
            return Ok(to_the_door(platform, handle, path, request.headers()));
        }
        return Err(ApiError::not_signed_in());
    };
    let mut response =
        let_in(platform, handle, &visit, request, client).await.unwrap_or_else(IntoResponse::into_response);
    if let Some(tokens) = renewed {
        COMPUTER.give(&tokens, response.headers_mut());
    }
    Ok(response)
}

async fn let_in(
    platform: &Platform,
    handle: &Handle,
    visit: &Visit,
    request: Request<Incoming>,
    client: IpAddr,
) -> Result<Response<Body>, ApiError> {
    if !is_by_its_own_page(&request, &platform.origin_of(handle)) {
        let message = "Only this computer's own pages may do that.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden_origin", message));
    }
    let navigating = is_navigation(&request);
    match pass(platform, handle, visit, request, client).await {
        Ok(answer) => Ok(answer),
        Err(Unreached::Resting) => Err(ApiError::resting()),
        Err(Unreached::No(NotRunning::Late)) if navigating => {
            Ok(waiting::page(platform.containers.is_unpacking(&visit.owner().container)))
        }
        // The owner's account page says how the computer is and why, and lets them try again.
        Err(_) if navigating => Ok(to_the_account(platform)),
        Err(Unreached::No(error)) => Err(error.into()),
        Err(Unreached::Failed(error)) => Err(error),
    }
}

fn to_the_account(platform: &Platform) -> Response<Body> {
    Redirect::to(&format!("{}/account", platform.origin)).into_response()
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
    client: IpAddr,
) -> Result<Response<Body>, Unreached> {
    let container = &visit.owner().container;
    let background = request.headers().contains_key(BACKGROUND);
    if background && platform.containers.rests(container) {
        return Err(Unreached::Resting);
    }
    let patience = if is_navigation(&request) { BEFORE_THE_WAITING_PAGE } else { PATIENCE };
    let reached = platform.containers.reach(container, patience, !background).await.map_err(Unreached::No)?;
    let target = target(platform, handle, reached, visit, client).map_err(Unreached::Failed)?;
    let answer = platform.forwarder.forward(request, target).await;
    Ok(answer.map_err(|e| Unreached::Failed(e.into()))?.map(|body| ending(body, visit.until())))
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

fn target(
    platform: &Platform,
    handle: &Handle,
    reached: Reached,
    admitted: &Visit,
    client: IpAddr,
) -> Result<Target, ApiError> {
    let Reached { endpoint, activity, visit } = reached;
    let value = |text: &str| HeaderValue::from_str(text).map_err(ApiError::internal);
    let mut authorization = value(&format!("Bearer {}", endpoint.token.0))?;
    authorization.set_sensitive(true);
    Ok(Target {
        address: endpoint.address,
        authorization,
        host: value(&platform.authority.of(handle))?,
        scheme: value(&platform.scheme)?,
        peer: value(&client.to_string())?,
        until: admitted.until().clone(),
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
