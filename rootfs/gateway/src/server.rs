//! From settings to a serving gateway, and to a quiet end.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::settings::Settings;
use crate::state::Gateway;
use crate::{cron, first_boot, kernel, listener, pid1, publisher, router, watch};

const END_WITHIN: Duration = Duration::from_secs(3);

/// Serves until the process is asked to end; then gives open requests and terminals a moment.
pub async fn serve(settings: Settings) -> Result<()> {
    let mut requests = pid1::Requests::heed().context("waiting for signals")?;
    let new =
        first_boot::furnish(&settings).with_context(|| format!("preparing the home {}", settings.home.display()))?;
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("listening on {}", settings.listen))?;
    eprintln!(
        "matrixos-gateway {}: {}serving {}",
        env!("CARGO_PKG_VERSION"),
        if new { "first boot, " } else { "" },
        listener.local_addr().context("asking where it listens")?
    );
    if settings.single && settings.origin.is_none() && !settings.listen.ip().is_loopback() {
        eprintln!(
            "matrixos-gateway: warning: MATRIX_ORIGIN is not set, so the cookie of browsers is not kept to https and the token could be read on the way. Set it to the address that browsers show, like https://computer.example"
        );
    }
    let gateway = Gateway::new(settings).context("opening the home")?;
    let ended = gateway.terminals.ended();
    tokio::spawn(async move {
        if let Err(error) = pid1::reap(ended).await {
            eprintln!("matrixos-gateway: reaping: {error}");
        }
    });
    if new {
        first_boot::begin_history(&gateway.settings);
    }
    begin_log();
    start(&gateway);
    if let Err(error) = say_ready() {
        eprintln!("matrixos-gateway: telling the service manager: {error}");
    }
    let (open, closing) = (TaskTracker::new(), CancellationToken::new());
    let router = router(gateway.clone());
    tokio::select! {
        () = requests.until_end() => {}
        () = listener::serve(listener, router, open.clone(), closing.clone()) => {}
    }
    gateway.terminals.hang_up();
    closing.cancel();
    open.close();
    let channels = async {
        if let Some(own) = &gateway.channels {
            own.end(END_WITHIN).await;
        }
    };
    let _ = tokio::join!(timeout(END_WITHIN, open.wait()), channels);
    Ok(())
}

/// What libraries of ours have to say goes to standard error, as the gateway's own words do; who reads there knows when.
fn begin_log() {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false).without_time();
    // Somebody else's log is as good.
    let _ = log.with_max_level(tracing::Level::INFO).try_init();
}

/// Tells a service manager that waits for it: sd_notify(3), a datagram to the socket that `NOTIFY_SOCKET` names.
fn say_ready() -> std::io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match name.as_encoded_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(&name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address).map(drop)
}

/// Starts what goes on by itself beside the requests.
fn start(gateway: &Gateway) {
    let resumed = gateway.clone();
    tokio::spawn(cron::run(gateway.clone()));
    tokio::spawn(cron::owed::run(gateway.clone()));
    tokio::spawn(publisher::run(gateway.clone()));
    tokio::spawn(async move {
        if let Err(error) = kernel::resume(&resumed).await {
            eprintln!("matrixos-gateway: taking up what was begun: {error}");
        }
    });
    if let Err(error) = watch::start(gateway.clone()) {
        eprintln!("matrixos-gateway: watching files: {error}");
    }
}
