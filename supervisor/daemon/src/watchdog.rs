//! What the service manager's watchdog is fed with: not that this process exists, but that its runtime schedules tasks
//! and that store and launcher answer. When they no longer do, the manager starts the platform again.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use matrixos_supervisor::containers::Containers;
use tokio::time::{interval, timeout};
use tracing::warn;

use crate::notify::Manager;

/// Asks for a sign of life several times within the manager's patience, and passes each on. Never ends, unless nobody
/// wants to hear of it.
pub(crate) async fn feed(manager: Arc<Manager>, containers: Arc<Containers>) {
    let Some(patience) = manager.patience() else { return };
    let mut pause = interval(patience / 4);
    loop {
        pause.tick().await;
        if lives(patience / 2, containers.pulse()).await {
            manager.alive();
        }
    }
}

async fn lives<E: std::fmt::Display>(within: Duration, pulse: impl Future<Output = Result<(), E>>) -> bool {
    match timeout(within, pulse).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            warn!(%error, "no sign of life");
            false
        }
        Err(_) => {
            warn!("no sign of life of store and launcher within {} s", within.as_secs());
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn only_an_answer_in_time_is_a_sign_of_life() {
        let within = Duration::from_millis(20);
        assert!(lives(within, ready(Ok::<_, String>(()))).await);
        assert!(!lives(within, ready(Err("the launcher is gone"))).await);
        assert!(!lives(within, pending::<Result<(), String>>()).await);
    }
}
