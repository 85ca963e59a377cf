//! The configuration: a file, overridden by flags, parsed once into values that need no further checks.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use ipnet::{IpNet, Ipv4Net};
use matrixos_runtime::protocol::Limits;
use matrixos_types::{Bytes, Instance};
use serde::Deserialize;
use url::Url;

use crate::cli::{Common, Serve};

const DEFAULT_FILE: &str = "/etc/matrixos/matrixos.toml";

/// Everything the platform is told from outside.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) instance: Instance,
    pub(crate) data: PathBuf,
    pub(crate) run: PathBuf,
    pub(crate) listen: Vec<SocketAddr>,
    /// Scheme, host and port that people type; the host is the platform's domain.
    pub(crate) origin: Url,
    /// Proxies in front of the platform that are believed when they say for whom they ask.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Name of the unprivileged account that serves.
    pub(crate) user: String,
    pub(crate) pool: Ipv4Net,
    pub(crate) limits: Limits,
    pub(crate) log: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    instance: Option<Instance>,
    data: Option<PathBuf>,
    run: Option<PathBuf>,
    listen: Option<Vec<SocketAddr>>,
    origin: Option<String>,
    trusted_proxies: Vec<IpNet>,
    user: Option<String>,
    log: LogFormat,
    network: NetworkSection,
    limits: LimitsSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetworkSection {
    pool: Option<Ipv4Net>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsSection {
    memory_mib: Option<u64>,
    cpu_milli: Option<u32>,
    pids: Option<u32>,
}

impl Config {
    /// Reads the file (if there is one) and lets the flags win.
    pub(crate) fn load(common: &Common, serve: Option<&Serve>) -> Result<Self> {
        let file = read(common.config.as_deref())?;
        let instance = common.instance.clone().or(file.instance).unwrap_or_default();
        let data = common.data.clone().or(file.data).unwrap_or_else(|| PathBuf::from("/var/lib/matrixos"));
        let data = std::path::absolute(&data).with_context(|| format!("the data directory {}", data.display()))?;
        let run = file.run.unwrap_or_else(|| Path::new("/run").join(instance.as_str()));
        let flags = serve.map(|s| s.listen.clone()).filter(|l| !l.is_empty());
        let listen = flags.or(file.listen).unwrap_or_else(default_listen);
        let origin = serve.and_then(|s| s.origin.clone()).or(file.origin);
        let origin = parse_origin(&origin.unwrap_or_else(|| format!("http://localhost:{}", listen[0].port())))?;
        Ok(Self {
            instance,
            data,
            run,
            listen,
            origin,
            trusted_proxies: file.trusted_proxies,
            user: file.user.unwrap_or_else(|| "matrixos".to_owned()),
            pool: file.network.pool.unwrap_or_else(|| Ipv4Net::new_assert(Ipv4Addr::new(10, 213, 0, 0), 16)),
            limits: limits(&file.limits)?,
            log: file.log,
        })
    }

    /// The platform's domain: the host part of the origin.
    pub(crate) fn domain(&self) -> &str {
        self.origin.host_str().expect("an origin with a host was checked when it was parsed")
    }
}

fn default_listen() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, 8080).into(), (Ipv6Addr::LOCALHOST, 8080).into()]
}

fn read(flag: Option<&Path>) -> Result<File> {
    let path = flag.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && flag.is_none() => return Ok(File::default()),
        Err(e) => return Err(e).with_context(|| format!("cannot read the configuration file {}", path.display())),
    };
    toml::from_str(&text).with_context(|| format!("the configuration file {} is not right", path.display()))
}

fn parse_origin(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .with_context(|| format!("the origin {text:?} is not a URL; write for example https://matrix-os.example"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "the origin {text:?} must begin with http:// or https://");
    let bare = url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.fragment().is_none();
    ensure!(bare, "the origin {text:?} must be scheme, host and port only, for example https://matrix-os.example");
    match url.host() {
        Some(url::Host::Domain(domain)) if url.scheme() == "https" || domain == "localhost" => Ok(url),
        Some(url::Host::Domain(_)) => {
            bail!("the origin {text:?} must use https: browsers allow passkeys over http only on localhost")
        }
        _ => bail!("the origin {text:?} must name a domain, not an address: every computer gets a name below it"),
    }
}

fn limits(section: &LimitsSection) -> Result<Limits> {
    let usual = Limits::default();
    let limits = Limits {
        memory: section.memory_mib.map_or(usual.memory, Bytes::mib),
        cpu_milli: section.cpu_milli.unwrap_or(usual.cpu_milli),
        pids: section.pids.unwrap_or(usual.pids),
    };
    ensure!((64..=65_536).contains(&(limits.memory.0 >> 20)), "limits.memory_mib must be from 64 to 65536");
    ensure!((50..=64_000).contains(&limits.cpu_milli), "limits.cpu_milli must be from 50 to 64000 (1000 is one CPU)");
    ensure!((16..=32_768).contains(&limits.pids), "limits.pids must be from 16 to 32768");
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let common = Common { config: Some(file.path().to_owned()), data: None, instance: None };
        Config::load(&common, None)
    }

    #[test]
    fn an_empty_file_gives_a_platform_on_localhost() {
        let config = load("").expect("fine");
        assert_eq!((config.domain(), config.origin.as_str()), ("localhost", "http://localhost:8080/"));
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.run, Path::new("/run/matrixos"));
    }

    #[test]
    fn no_proxy_is_trusted_that_was_not_named() {
        assert!(load("").expect("fine").trusted_proxies.is_empty());
        let named = load("trusted_proxies = [\"127.0.0.1/32\", \"fd00::/64\"]").expect("fine").trusted_proxies;
        assert_eq!(named.len(), 2);
    }

    #[test]
    fn what_is_wrong_in_the_file_is_named() {
        for (text, says) in [
            ("lisen = []", "lisen"),
            ("origin = \"http://example.org\"", "must use https"),
            ("origin = \"https://127.0.0.1\"", "must name a domain"),
            ("origin = \"https://a.example/x\"", "scheme, host and port only"),
            ("instance = \"Not Good\"", "instance name"),
            ("[limits]\nmemory_mib = 1", "memory_mib must be from 64"),
            ("[network]\npool = \"nonsense\"", "pool"),
            ("trusted_proxies = [\"caddy\"]", "trusted_proxies"),
        ] {
            let error = format!("{:#}", load(text).expect_err(text));
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error() {
        let common = Common { config: Some("/nonexistent.toml".into()), data: None, instance: None };
        assert!(Config::load(&common, None).is_err());
    }
}
