//! The accept loop: every connection within a number of places, with limits on its headers and its buffer.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request's head must be complete after this long; also how long an idle connection stays open.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// Connections at once, WebSockets among them: some desktops with their terminals, and a proxy's supply. Further ones wait
/// in the kernel until one has ended.
const PLACES: usize = 256;
/// What is read ahead of a connection, in bytes: a request's head has to fit in.
const BUFFER: usize = 64 << 10;
/// After a connection could not be taken.
const AGAIN: Duration = Duration::from_millis(100);

/// Serves connections until `closing` is cancelled; `open` knows of those that are served.
pub(crate) async fn serve(listener: TcpListener, router: Router, open: TaskTracker, closing: CancellationToken) {
    let places = Arc::new(Semaphore::new(places()));
    let mut troubled = false;
    loop {
        let place = tokio::select! {
            () = closing.cancelled() => return,
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                troubled = false;
                open.spawn(connection(Placed { stream, _place: place }, router.clone(), closing.clone()));
            }
            // A peer that gave up concerns nobody.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            // Out of descriptors: trying again at once would only spin, and saying it each time fill the log.
            Err(error) => {
                if !std::mem::replace(&mut troubled, true) {
                    eprintln!("matrixos-gateway: connections cannot be taken now, they wait: {error}");
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// No more than leaves as many descriptors for files, terminals and commands.
fn places() -> usize {
    let descriptors = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    usize::try_from(descriptors / 2).unwrap_or(PLACES).clamp(1, PLACES)
}

/// Serves one connection; when the gateway is closing, until its present request is answered. An error is a peer that
/// broke off, and there is nobody to tell.
async fn connection(stream: Placed, router: Router, closing: CancellationToken) {
    let _ = stream.stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    let mut served = pin!(served);
    tokio::select! {
        _ = served.as_mut() => return,
        () = closing.cancelled() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// A connection in its place, which it keeps when it becomes a WebSocket.
struct Placed {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl Placed {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Placed {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, into)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, parts)
    }
}
