//! The accept loop: every connection with limits on its headers, its idleness and its number, and a quiet end.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What one listener accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A request's header section must be complete after this long; also how long an idle connection stays open.
    pub headers_within: Duration,
    /// Header fields of a request.
    pub headers: usize,
    /// Bytes of a request's header section.
    pub header_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address (IPv6: from one /64). Not applied to loopback, where a proxy may stand.
    pub connections_per_peer: usize,
    /// How long open requests may go on after the end was announced.
    pub drain_within: Duration,
}

/// What is right for the front door.
pub const USUAL: Limits = Limits {
    headers_within: Duration::from_secs(15),
    headers: 100,
    header_bytes: 64 * 1024,
    connections: 10_000,
    connections_per_peer: 256,
    drain_within: Duration::from_secs(5),
};

impl Default for Limits {
    fn default() -> Self {
        USUAL
    }
}

/// Serves connections with `service` until `end` is cancelled, then lets open requests finish for a while.
pub async fn serve<S, F, B>(listener: TcpListener, limits: Limits, service: S, end: CancellationToken)
where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (open, places, peers) =
        (TaskTracker::new(), Arc::new(Semaphore::new(limits.connections)), Arc::new(Peers::default()));
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
            () = end.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = end.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(visit) = peers.enter(peer.ip(), limits.connections_per_peer) {
                    open.spawn(connection(stream, peer, limits, service.clone(), end.clone(), (place, visit)));
                }
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    open.close();
    let _ = timeout(limits.drain_within, open.wait()).await;
}

/// A peer that gave up concerns nobody; without free descriptors, trying again at once would only spin.
async fn pause_after(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn connection<S, F, B>(
    stream: TcpStream,
    peer: SocketAddr,
    limits: Limits,
    service: S,
    end: CancellationToken,
    _held: (OwnedSemaphorePermit, Visit),
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F,
    F: Future<Output = Response<B>>,
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + 'static,
{
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| {
        let response = service(request, peer);
        async { Ok::<_, Infallible>(response.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers_within)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    let mut served = pin!(served);
    tokio::select! {
        // An error is a peer that broke off or spoke nonsense; it has been answered as far as it could be.
        _ = served.as_mut() => return,
        () = end.cancelled() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// How many connections each peer has.
#[derive(Default)]
struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// One connection of a peer, counted while it lives.
struct Visit {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Peers {
    fn enter(self: &Arc<Self>, peer: IpAddr, most: usize) -> Option<Visit> {
        let peer = network(peer);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= most && !peer.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Visit { peers: self.clone(), peer })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// One subscriber of IPv6 has a /64 at least.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(v6) if !v6.is_loopback() => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        other => other,
    }
}
