//! AI calls: what `serve` needs of the operator's files while it is still root, and `matrixos ai`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hyper::Method;
use matrixos_api::admin::{Ai, NewAi, Quota};
use matrixos_supervisor::clock::SystemClock;
use matrixos_supervisor::meter::{Meter, Notice, Prices};
use matrixos_supervisor::relay::{Circuit, Patience, Provider, ProviderKey, Relay};
use matrixos_supervisor::store::Store;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli;
use crate::config::{AiConfig, Config};
use crate::layout::Layout;
use crate::operator;

/// Name of the key among the service manager's credentials (systemd.exec(5), `LoadCredential=`).
const CREDENTIAL: &str = "provider.key";

/// What AI calls need, read while the files can be.
pub(crate) struct Prepared {
    provider: Provider,
    prices: Prices,
    settings: matrixos_supervisor::meter::Settings,
}

/// Reads key and prices. Without a key the platform runs, and its computers' AIs say what is missing.
pub(crate) fn prepare(config: &AiConfig) -> Result<Prepared> {
    let key = key_text(config)?.map(|(path, text)| parse(&path, &text)).transpose()?;
    if key.is_none() {
        tracing::warn!(
            "there is no key to a provider of models: AI calls are refused unless people give their own (ai.key_file)"
        );
    }
    let prices = match &config.prices_file {
        Some(path) => Prices::load(path)?,
        None => Prices::shipped(),
    };
    Ok(Prepared { provider: Provider::new(&config.provider, key)?, prices, settings: config.settings })
}

impl Prepared {
    /// The way of AI calls, and what people are to be told about their budgets. Blocks for a moment.
    pub(crate) fn open(self, store: Store) -> Result<(Arc<Relay>, UnboundedReceiver<Notice>)> {
        let (meter, notices) = Meter::open(store, self.prices, Arc::new(SystemClock), self.settings)?;
        Ok((Arc::new(Relay::new(self.provider, meter, Patience::default())), notices))
    }
}

fn parse(path: &Path, text: &str) -> Result<ProviderKey> {
    ProviderKey::parse(text).with_context(|| format!("the key to the provider of models in {}", path.display()))
}

/// The key's file and text: the configured file, or the service manager's credential.
fn key_text(config: &AiConfig) -> Result<Option<(PathBuf, String)>> {
    let credential = || std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(CREDENTIAL));
    let path = match &config.key_file {
        Some(path) => path.clone(),
        None => match credential().filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let text = std::fs::read_to_string(&path);
    let text = text.with_context(|| format!("reading the key to the provider of models from {}", path.display()))?;
    Ok(Some((path, text)))
}

pub(crate) fn run(config: &Config, command: cli::Ai) -> Result<()> {
    let socket = Layout::of(config).socket();
    operator::block_on(async {
        match command {
            cli::Ai::Status => status(&socket).await,
            cli::Ai::Reload => reload(&socket, &config.ai).await,
            cli::Ai::Usage(cli::Owner { handle }) => {
                let standing: Value = operator::get(&socket, &format!("/ai/accounts/{handle}")).await?;
                println!("{}", standing_line(&standing));
                Ok(())
            }
            cli::Ai::Quota(cli::NewQuota { handle, amount }) => {
                let quota = Quota { nanos: amount };
                let path = format!("/ai/accounts/{handle}/quota");
                let answer = operator::send(&socket, Method::PUT, &path, &quota).await?;
                println!("{}", standing_line(&serde_json::from_slice(&operator::told(answer).await?)?));
                Ok(())
            }
            cli::Ai::Metrics => {
                let text = operator::told(operator::ask(&socket, Method::GET, "/metrics").await?).await?;
                print!("{}", String::from_utf8_lossy(&text));
                Ok(())
            }
        }
    })
}

fn standing_line(standing: &Value) -> String {
    let text = |name: &str| standing[name].as_str().unwrap_or("?").to_owned();
    format!("{} of {} remain, {} calls in flight", text("text"), text("quota_text"), standing["in_flight"])
}

async fn status(socket: &Path) -> Result<()> {
    let ai: Ai = operator::get(socket, "/ai").await?;
    println!("provider  {}", ai.provider);
    println!("key       {}", if ai.key { "present" } else { "missing: set ai.key_file, then matrixos ai reload" });
    match ai.circuit {
        Circuit::Closed => println!("circuit   closed: calls go through"),
        Circuit::Open => {
            println!("circuit   OPEN: the provider fails; calls are refused, and one looks every few seconds")
        }
    }
    println!("models    {}", ai.models.join(" "));
    Ok(())
}

/// Reads key and prices anew, as root, and hands them to the process that is not.
async fn reload(socket: &Path, config: &AiConfig) -> Result<()> {
    let key = key_text(config)?.map(|(_, text)| text);
    let prices = config.prices_file.as_ref().map(|path| {
        std::fs::read_to_string(path).with_context(|| format!("reading the prices from {}", path.display()))
    });
    let new = NewAi { key, prices: prices.transpose()? };
    if new.key.is_none() && new.prices.is_none() {
        bail!("there is nothing to read anew: set ai.key_file or ai.prices_file in the configuration");
    }
    operator::send(socket, Method::PUT, "/ai", &new).await?;
    println!(
        "used from now on: {}",
        [new.key.map(|_| "key"), new.prices.map(|_| "prices")].into_iter().flatten().collect::<Vec<_>>().join(", ")
    );
    Ok(())
}
