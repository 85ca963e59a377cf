//! Sections about services: the provider of models, channels, and whoever watches.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use matrixos_types::Nanos;
use serde::Deserialize;
use url::Url;

/// Where AI calls go, and what they may cost.
#[derive(Clone, Debug)]
pub(crate) struct AiConfig {
    /// The provider's address.
    pub(crate) provider: String,
    /// The file with the platform's key to it; `None` for the service manager's credential, if there is one.
    pub(crate) key_file: Option<PathBuf>,
    /// A table of prices in place of the one that came with this program.
    pub(crate) prices_file: Option<PathBuf>,
    /// Budget and number of calls.
    pub(crate) settings: matrixos_supervisor::meter::Settings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChannelsSection {
    telegram_api: Option<String>,
    /// Messages are brought to the platform's origin; else they are fetched.
    telegram_webhook: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MetricsSection {
    listen: Option<SocketAddr>,
    /// Whoever reaches the address may read: that has to be said twice.
    reachable_by_others: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AiSection {
    provider: Option<String>,
    key_file: Option<PathBuf>,
    prices_file: Option<PathBuf>,
    quota_dollars: Option<String>,
    concurrent_calls: Option<u32>,
}

pub(super) fn ai(section: AiSection) -> Result<AiConfig> {
    let provider = section.provider.unwrap_or_else(|| "https://api.anthropic.com".to_owned());
    matrixos_supervisor::relay::Provider::check(&provider).context("ai.provider")?;
    let mut settings = matrixos_supervisor::meter::Settings::default();
    if let Some(text) = &section.quota_dollars {
        settings.quota = Nanos::parse(text)
            .with_context(|| format!("ai.quota_dollars: {text:?} is no amount; write for example \"5.00\""))?;
    }
    if let Some(calls) = section.concurrent_calls {
        ensure!((1..=100).contains(&calls), "ai.concurrent_calls must be from 1 to 100");
        settings.calls = calls;
    }
    Ok(AiConfig { provider, key_file: section.key_file, prices_file: section.prices_file, settings })
}

pub(super) fn channels(section: ChannelsSection, origin: &Url) -> Result<matrixos_supervisor::channels::Settings> {
    let settings = matrixos_supervisor::channels::Settings {
        telegram_api: section.telegram_api.unwrap_or_else(|| "https://api.telegram.org".to_owned()),
        telegram_webhook: section.telegram_webhook.then(|| origin.origin().ascii_serialization()),
    };
    settings.check().context("channels")?;
    Ok(settings)
}

pub(super) fn metrics(section: &MetricsSection) -> Result<Option<SocketAddr>> {
    if let Some(address) = section.listen {
        ensure!(
            address.ip().is_loopback() || section.reachable_by_others,
            "metrics.listen: whoever reaches {address} could read how much everybody calls, for nobody is asked who they \
             are; listen on 127.0.0.1, or write reachable_by_others = true if a firewall keeps others away"
        );
    }
    Ok(section.listen)
}
