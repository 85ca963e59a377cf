//! Forwarding one request to one computer: streamed both ways, upgrades included.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::copy_bidirectional;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::headers::{clean_request, clean_response};
use crate::meter::{Hold, Listened, Meter, Metered};
use crate::pace::Paced;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Until the head of the answer to a request without a body; an upload may take as long as it takes.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Shorter than the gateway's own patience with idle connections, so that it does not close one while it is reused.
const IDLE: Duration = Duration::from_secs(10);
const IDLE_CONNECTIONS: usize = 64;

/// Where a request goes, and as what.
pub struct Target {
    /// The gateway. Nothing else is ever dialled.
    pub address: SocketAddr,
    /// `Authorization` for the gateway; marked sensitive by whoever made it.
    pub authorization: HeaderValue,
    /// The host the browser asked for.
    pub host: HeaderValue,
    /// `http` or `https`: how the browser came.
    pub scheme: HeaderValue,
    /// The browser's address.
    pub peer: HeaderValue,
    /// Ends upgraded connections when it is cancelled.
    pub until: CancellationToken,
    /// Is told about data that passes.
    pub meter: Arc<dyn Meter>,
    /// Held until the answer has passed; an upgraded connection does not hold it.
    pub hold: Hold,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No answer in time.
    #[error("the computer did not answer in time")]
    Late,
    /// The computer could not be reached, or broke off before it answered.
    #[error("the computer could not be reached: {0}")]
    Unreachable(hyper_util::client::legacy::Error),
    /// The answer's length has two meanings (RFC 9112, section 6.3).
    #[error("the computer's answer is not clear")]
    Unclear,
    /// The address cannot be written as a URI.
    #[error("the request's address cannot be forwarded: {0}")]
    Address(#[from] http::Error),
}

/// Keeps connections to computers and forwards requests over them. Cheap to clone.
#[derive(Clone, Default)]
pub struct Forwarder {
    /// One pool for each computer, so that it can be emptied when that goes to rest.
    pools: Arc<Mutex<HashMap<SocketAddr, Pool>>>,
}

type Pool = Client<HttpConnector, Metered<Paced<Incoming>>>;

fn new_pool() -> Pool {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_WITHIN));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(connector)
}

impl Forwarder {
    /// Closes the idle connections to a computer. One that is frozen does not notice how long they have been idle, and
    /// closes them when it goes on: just when the next request has been sent.
    pub fn forget(&self, address: SocketAddr) {
        self.pools().remove(&address);
    }

    fn pool(&self, address: SocketAddr) -> Pool {
        self.pools().entry(address).or_insert_with(new_pool).clone()
    }

    fn pools(&self) -> MutexGuard<'_, HashMap<SocketAddr, Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards a request. The answer's body streams as it comes.
    pub async fn forward(
        &self,
        mut request: Request<Incoming>,
        target: Target,
    ) -> Result<Response<Metered<Incoming>>, ForwardError> {
        let upgrade = request
            .headers()
            .get(UPGRADE)
            .filter(|protocol| is_websocket(protocol) && asks_for_upgrade(&request))
            .cloned();
        let browser = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
        *request.uri_mut() = address(&request, &target)?;
        *request.version_mut() = Version::HTTP_11;
        clean_request(request.headers_mut());
        introduce(&mut request, &target);
        if let Some(protocol) = upgrade {
            request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
            request.headers_mut().insert(UPGRADE, protocol);
        }
        let patience = if request.body().is_end_stream() { ANSWER_WITHIN } else { Duration::MAX };
        let request = request.map(|body| Metered::new(Paced::new(body), target.meter.clone(), None));
        let answer = timeout(patience, self.pool(target.address).request(request)).await;
        let mut response = answer.map_err(|_| ForwardError::Late)?.map_err(ForwardError::Unreachable)?;
        if response.headers().contains_key(TRANSFER_ENCODING) && response.headers().contains_key(CONTENT_LENGTH) {
            return Err(ForwardError::Unclear);
        }
        let switched =
            response.headers().get(UPGRADE).filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS).cloned();
        clean_response(response.headers_mut());
        if let (Some(protocol), Some(browser)) = (switched, browser) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
            response.headers_mut().insert(UPGRADE, protocol);
            let computer = hyper::upgrade::on(&mut response);
            tokio::spawn(join(browser, computer, target.meter.clone(), target.until));
        }
        Ok(response.map(|body| Metered::new(body, target.meter, Some(target.hold))))
    }
}

/// The one protocol that is passed on; h2c for example would be a way around every rule for requests.
fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
}

fn asks_for_upgrade(request: &Request<Incoming>) -> bool {
    let values = request.headers().get_all(CONNECTION).iter().filter_map(|v| v.to_str().ok());
    request.version() == Version::HTTP_11
        && values.flat_map(|v| v.split(',')).any(|t| t.trim().eq_ignore_ascii_case("upgrade"))
}

fn address(request: &Request<Incoming>, target: &Target) -> Result<Uri, http::Error> {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    Uri::builder().scheme(Scheme::HTTP).authority(target.address.to_string()).path_and_query(path).build()
}

fn introduce(request: &mut Request<Incoming>, target: &Target) {
    let fields = [
        (HOST, &target.host),
        (AUTHORIZATION, &target.authorization),
        (HeaderName::from_static("x-forwarded-host"), &target.host),
        (HeaderName::from_static("x-forwarded-proto"), &target.scheme),
        (HeaderName::from_static("x-forwarded-for"), &target.peer),
    ];
    for (name, value) in fields {
        request.headers_mut().insert(name, value.clone());
    }
}

/// Moves bytes between the two upgraded connections until both have ended, or the permission has.
async fn join(browser: OnUpgrade, computer: OnUpgrade, meter: Arc<dyn Meter>, until: CancellationToken) {
    let (Ok(browser), Ok(computer)) = (browser.await, computer.await) else { return };
    let listened = |side: Upgraded| Listened::new(TokioIo::new(side), meter.clone());
    let (mut browser, mut computer) = (listened(browser), listened(computer));
    tokio::select! {
        _ = copy_bidirectional(&mut browser, &mut computer) => {}
        () = until.cancelled() => {}
    }
}
