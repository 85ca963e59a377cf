//! What every handler may use.

use std::sync::Arc;

use matrixos_proxy::{Authority, Forwarder};
use matrixos_supervisor::accounts::Accounts;
use matrixos_supervisor::containers::Containers;
use matrixos_types::Handle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::limits::Rates;

/// The platform's parts; cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

/// What [`Platform`] gives access to.
pub struct Inner {
    pub(crate) accounts: Accounts,
    pub(crate) containers: Arc<Containers>,
    pub(crate) authority: Authority,
    /// Scheme, host and port, as browsers write them in `Origin`.
    pub(crate) origin: String,
    pub(crate) scheme: String,
    pub(crate) forwarder: Forwarder,
    pub(crate) rates: Rates,
    /// Cancelled when the platform drains: ends upgraded connections.
    pub(crate) end: CancellationToken,
}

impl Platform {
    /// Puts the parts together.
    pub fn new(
        accounts: Accounts,
        containers: Arc<Containers>,
        forwarder: Forwarder,
        origin: &Url,
        end: CancellationToken,
    ) -> Self {
        let authority = Authority::new(origin.host_str().unwrap_or_default(), origin.port());
        Self(Arc::new(Inner {
            accounts,
            containers,
            authority,
            origin: origin.origin().ascii_serialization(),
            scheme: origin.scheme().to_owned(),
            forwarder,
            rates: Rates::default(),
            end,
        }))
    }

    /// The origin of a computer: `http://alice.localhost:8080`.
    pub(crate) fn origin_of(&self, handle: &Handle) -> String {
        format!("{}://{}", self.scheme, self.authority.of(handle))
    }

    /// Forgets what is too old to matter; to be called now and then.
    pub async fn tidy(&self) {
        self.rates.tidy();
        self.containers.relieve();
        if let Err(error) = self.accounts.tidy().await {
            tracing::warn!(%error, "could not forget expired sessions");
        }
    }
}

impl std::ops::Deref for Platform {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}
