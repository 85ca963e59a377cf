//! What every handler may use.

use std::sync::Arc;
use std::time::Duration;

use matrixos_proxy::{Authority, Forwarder};
use matrixos_supervisor::accounts::Accounts;
use matrixos_supervisor::channels::Channels;
use matrixos_supervisor::containers::{Containers, WantError};
use matrixos_supervisor::meter::{Level, Notice};
use matrixos_supervisor::relay::Relay;
use matrixos_supervisor::store::{StoreError, User, WantedState};
use matrixos_types::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use url::Url;

use crate::caller::Proxies;
use crate::limits::Rates;

/// How long to wait for a container to come to rest.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// How long until somebody whose computer does not run is tried to be told something again.
const TELL_AGAIN: Duration = Duration::from_secs(30);

/// Under which names the platform and the computers are found.
#[derive(Clone, Debug)]
pub struct Names {
    /// Of the platform's own pages and API.
    pub origin: Url,
    /// The domain below which the computers are, if that is not the platform's host. Scheme and port are the origin's.
    pub user_domain: Option<String>,
}

/// What the platform is made of.
pub struct Parts {
    /// Who is who.
    pub accounts: Accounts,
    /// Everybody's computers.
    pub containers: Arc<Containers>,
    /// The way of their AI calls.
    pub relay: Arc<Relay>,
    /// Where people write to them from.
    pub channels: Arc<Channels>,
    /// The way to them.
    pub forwarder: Forwarder,
}

/// The platform's parts; cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

/// What [`Platform`] gives access to.
pub struct Inner {
    pub(crate) accounts: Accounts,
    pub(crate) containers: Arc<Containers>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) channels: Arc<Channels>,
    pub(crate) authority: Authority,
    /// Scheme, host and port, as browsers write them in `Origin`.
    pub(crate) origin: String,
    pub(crate) scheme: String,
    pub(crate) forwarder: Forwarder,
    pub(crate) rates: Rates,
    pub(crate) proxies: Proxies,
}

impl Platform {
    /// Puts the parts together.
    pub fn new(parts: Parts, names: &Names, proxies: Proxies) -> Self {
        let Parts { accounts, containers, relay, channels, forwarder } = parts;
        let Names { origin, user_domain } = names;
        let authority = Authority::new(origin.host_str().unwrap_or_default(), origin.port());
        let authority = match user_domain {
            Some(domain) => authority.with_computers_below(domain),
            None => authority,
        };
        Self(Arc::new(Inner {
            accounts,
            containers,
            relay,
            channels,
            authority,
            origin: origin.origin().ascii_serialization(),
            scheme: origin.scheme().to_owned(),
            forwarder,
            rates: Rates::default(),
            proxies,
        }))
    }

    /// The origin of a computer: `http://alice.localhost:8080`.
    pub(crate) fn origin_of(&self, handle: &Handle) -> String {
        format!("{}://{}", self.scheme, self.authority.of(handle))
    }

    /// Forgets what is too old to matter, and deletes the accounts whose time has come; to be called now and then.
    pub async fn tidy(&self) {
        self.rates.tidy();
        if let Err(error) = self.accounts.tidy().await {
            tracing::warn!(%error, "could not forget expired sessions");
        }
        match self.accounts.due() {
            Ok(due) => self.part_with_all(due).await,
            Err(error) => tracing::warn!(%error, "could not look for accounts that are to be deleted"),
        }
    }

    /// Tells people on their desktops that their budgets come to an end; each is told again until they could be.
    pub async fn tell_about_budgets(self, mut notices: UnboundedReceiver<Notice>) {
        while let Some(notice) = notices.recv().await {
            tokio::spawn(self.clone().tell_about_a_budget(notice));
        }
    }

    async fn tell_about_a_budget(self, notice: Notice) {
        let text = budget_news(&notice);
        loop {
            let Ok(Some(user)) = self.accounts.account(notice.user) else { return };
            if self.containers.tell(&user.container, &text).await {
                break;
            }
            tokio::time::sleep(TELL_AGAIN).await;
        }
        if let Err(error) = self.relay.meter().told(&notice).await {
            tracing::warn!(%error, "somebody may be told about their budget once more");
        }
    }

    async fn part_with_all(&self, due: Vec<User>) {
        for user in due {
            match self.part_with(&user).await {
                Ok(true) => {}
                Ok(false) => tracing::info!(handle = %user.handle, "an account is being deleted"),
                Err(error) => tracing::warn!(handle = %user.handle, %error, "an account could not be deleted"),
            }
        }
    }

    /// Deletes an account: first the container and its files, then the account, so that, cut in between, the account
    /// still says what is left to do. False if the container is still going.
    pub(crate) async fn part_with(&self, user: &User) -> Result<bool, PartError> {
        let reason = "the account is being deleted";
        match self.containers.want(&user.container, WantedState::Destroyed, reason).await {
            // It went the last time, and the account did not.
            Ok(_) | Err(WantError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
        if !self.containers.part(&user.container, PATIENCE).await {
            return Ok(false);
        }
        self.channels.part_with(user.id).await;
        self.accounts.delete(user.clone()).await?;
        tracing::info!(handle = %user.handle, "an account was deleted");
        Ok(true)
    }
}

fn budget_news(notice: &Notice) -> String {
    let Notice { remaining, quota, .. } = notice;
    match notice.level {
        Level::Low => format!("{remaining} of the AI budget of {quota} are left."),
        Level::Out => format!(
            "The AI budget of {quota} is used up. Everything else goes on working; your AI answers again with a key of your \
             own (on your account page), or when the operator raises the budget."
        ),
    }
}

impl std::ops::Deref for Platform {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Why an account was not deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartError {
    /// The wish could not be written down.
    #[error(transparent)]
    Want(#[from] WantError),
    /// The account could not be deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
}
