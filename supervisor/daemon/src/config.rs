//! The configuration: a file, overridden by flags, parsed once into values that need no further checks.

mod services;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ipnet::{IpNet, Ipv4Net};
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::protocol::Limits;
use matrixos_supervisor::containers::Sleep;
use matrixos_types::{Bytes, DiskQuota, DiskShare, Instance};
use serde::Deserialize;
use url::Url;

use crate::cli::{Common, Serve};
pub(crate) use services::AiConfig;
use services::{AiSection, ChannelsSection, MetricsSection};

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
    /// The domain below which the computers have their names, if it is one of their own.
    pub(crate) user_domain: Option<String>,
    /// Proxies in front of the platform that are believed when they say for whom they ask.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Name of the unprivileged account that serves.
    pub(crate) user: String,
    pub(crate) pool: Ipv4Net,
    /// TCP port of the door for computers, on each bridge's own address.
    pub(crate) service_port: u16,
    /// Where the containers' control groups lie.
    pub(crate) groups: Groups,
    pub(crate) limits: Limits,
    /// How the users' shares of the disk are to be enforced; `None` for the best that works here.
    pub(crate) disk_quota: Option<DiskQuota>,
    /// When unused computers go to rest.
    pub(crate) sleep: Sleep,
    /// Memory that stays free for the host itself.
    pub(crate) memory_floor: Bytes,
    pub(crate) ai: AiConfig,
    /// Where Prometheus asks what is counted, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// How the channels are reached that people write from.
    pub(crate) channels: matrixos_supervisor::channels::Settings,
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
    user_domain: Option<String>,
    trusted_proxies: Vec<IpNet>,
    user: Option<String>,
    cgroup: Option<Groups>,
    log: LogFormat,
    disk_quota: Option<DiskQuota>,
    network: NetworkSection,
    limits: LimitsSection,
    sleep: SleepSection,
    ai: AiSection,
    metrics: MetricsSection,
    channels: ChannelsSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NetworkSection {
    pool: Option<Ipv4Net>,
    service_port: Option<NonZeroU16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsSection {
    memory_mib: Option<u64>,
    cpu_milli: Option<u32>,
    pids: Option<u32>,
    disk_mib: Option<u64>,
    disk_files: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SleepSection {
    freeze_after_seconds: Option<u64>,
    stop_after_seconds: Option<u64>,
    /// 0 for never.
    archive_after_days: Option<u64>,
    /// The same, for those who try it out.
    archive_after_seconds: Option<u64>,
    memory_floor_mib: Option<u64>,
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
        let user_domain = serve.and_then(|s| s.user_domain.clone()).or(file.user_domain);
        let user_domain = user_domain.map(|text| parse_user_domain(&text, &origin)).transpose()?;
        let channels = services::channels(file.channels, &origin)?;
        let groups = serve.and_then(|s| s.cgroup.clone()).or(file.cgroup).unwrap_or_else(|| Groups::of(&instance));
        Ok(Self {
            instance,
            data,
            run,
            listen,
            origin,
            user_domain,
            trusted_proxies: file.trusted_proxies,
            user: file.user.unwrap_or_else(|| "matrixos".to_owned()),
            pool: file.network.pool.unwrap_or_else(|| Ipv4Net::new_assert(Ipv4Addr::new(10, 213, 0, 0), 16)),
            service_port: file.network.service_port.map_or(4100, NonZeroU16::get),
            groups,
            limits: limits(&file.limits)?,
            disk_quota: file.disk_quota,
            sleep: sleep(&file.sleep)?,
            memory_floor: Bytes::mib(file.sleep.memory_floor_mib.unwrap_or(512)),
            ai: services::ai(file.ai)?,
            metrics: services::metrics(&file.metrics)?,
            channels,
            log: file.log,
        })
    }

    /// The platform's domain: the host part of the origin.
    pub(crate) fn domain(&self) -> &str {
        self.origin.host_str().expect("an origin with a host was checked when it was parsed")
    }

    /// The domain below which every computer has its name.
    pub(crate) fn computers_domain(&self) -> &str {
        self.user_domain.as_deref().unwrap_or(self.domain())
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

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// One of the two below the other would be one site to browsers, which is what a domain of their own is to prevent; on
/// localhost, which browsers take for a suffix like `com`, it is none.
fn parse_user_domain(text: &str, origin: &Url) -> Result<String> {
    let url = Url::parse(&format!("https://{text}/")).ok();
    let domain = url.as_ref().and_then(Url::domain).filter(|domain| domain.eq_ignore_ascii_case(text));
    let is_name = |domain: &&str| domain.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter));
    let Some(domain) = domain.filter(is_name) else {
        bail!(
            "the user_domain {text:?} must be a domain and nothing else, for example matrix-os-users.example; scheme \
             and port are those of the origin"
        )
    };
    let own = origin.host_str().unwrap_or_default();
    let is_below = |name: &str, of: &str| name.strip_suffix(of).is_some_and(|rest| rest.ends_with('.'));
    ensure!(domain != own, "the user_domain {text:?} is the platform's own host; leave it out, or name another domain");
    ensure!(
        own == "localhost" || !is_below(domain, own),
        "the user_domain {text:?} lies below the platform's host {own}, so browsers would take computers for parts of \
         the platform all the same; name a domain of its own, for example matrix-os-users.example, or leave it out"
    );
    ensure!(
        !is_below(own, domain),
        "the platform's host {own} lies below the user_domain {text:?}, where only computers may be; give the platform \
         another host, or the computers another domain"
    );
    Ok(domain.to_owned())
}

fn sleep(section: &SleepSection) -> Result<Sleep> {
    let usual = Sleep::default();
    let seconds = |given: Option<u64>, usual| given.map_or(usual, Duration::from_secs);
    let sleep = Sleep {
        freeze_after: seconds(section.freeze_after_seconds, usual.freeze_after),
        stop_after: seconds(section.stop_after_seconds, usual.stop_after),
        archive_after: archive_after(section, usual.archive_after)?,
    };
    ensure!(sleep.freeze_after >= Duration::from_secs(1), "sleep.freeze_after_seconds must be at least 1");
    ensure!(
        sleep.stop_after > sleep.freeze_after,
        "sleep.stop_after_seconds must be more than sleep.freeze_after_seconds"
    );
    Ok(sleep)
}

fn archive_after(section: &SleepSection, usual: Option<Duration>) -> Result<Option<Duration>> {
    let days = section.archive_after_days.map(|days| days.saturating_mul(24 * 3_600));
    ensure!(
        days.is_none() || section.archive_after_seconds.is_none(),
        "sleep.archive_after_days and sleep.archive_after_seconds say the same; give one of them"
    );
    Ok(match days.or(section.archive_after_seconds) {
        None => usual,
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
    })
}

fn limits(section: &LimitsSection) -> Result<Limits> {
    let usual = Limits::default();
    let limits = Limits {
        memory: section.memory_mib.map_or(usual.memory, Bytes::mib),
        cpu_milli: section.cpu_milli.unwrap_or(usual.cpu_milli),
        pids: section.pids.unwrap_or(usual.pids),
        disk: DiskShare {
            bytes: section.disk_mib.map_or(usual.disk.bytes, Bytes::mib),
            inodes: section.disk_files.unwrap_or(usual.disk.inodes),
        },
    };
    let disk_mib = limits.disk.bytes.0 >> 20;
    ensure!((16..=16 << 20).contains(&disk_mib), "limits.disk_mib must be from 16 to 16777216");
    let files = 1_024..=disk_mib * 256;
    ensure!(
        files.contains(&limits.disk.inodes),
        "limits.disk_files must be from {} to {}: one for each 4 KiB of disk_mib",
        files.start(),
        files.end()
    );
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
        assert_eq!(config.groups.parent(), "/matrixos");
    }

    #[test]
    fn computers_live_below_the_platform_or_below_a_domain_of_their_own() {
        let origin = "origin = \"https://matrix-os.example\"\n";
        let together = load(origin).expect("fine");
        assert_eq!((together.user_domain.as_deref(), together.computers_domain()), (None, "matrix-os.example"));
        let apart = load(&format!("{origin}user_domain = \"Matrix-OS-Users.example\"")).expect("fine");
        assert_eq!((apart.domain(), apart.computers_domain()), ("matrix-os.example", "matrix-os-users.example"));
        let local = load("user_domain = \"users.localhost\"").expect("fine");
        assert_eq!(local.computers_domain(), "users.localhost");
        for (domain, says) in [
            ("https://users.example", "a domain and nothing else"),
            ("users.example:8443", "a domain and nothing else"),
            ("users.example/", "a domain and nothing else"),
            ("users.example.", "a domain and nothing else"),
            (".users.example", "a domain and nothing else"),
            ("*.users.example", "a domain and nothing else"),
            ("192.0.2.1", "a domain and nothing else"),
            ("", "a domain and nothing else"),
            ("matrix-os.example", "is the platform's own host"),
            ("users.matrix-os.example", "lies below the platform's host"),
            ("example", "lies below the user_domain"),
        ] {
            let error = load(&format!("{origin}user_domain = \"{domain}\"")).expect_err(domain);
            assert!(format!("{error:#}").contains(says), "{domain}: {error:#}");
        }
    }

    #[test]
    fn what_is_counted_is_told_on_this_machine_only_unless_somebody_says_so() {
        let metrics = |text| load(text).expect("fine").metrics.map(|address| address.to_string());
        assert_eq!(metrics(""), None);
        assert_eq!(metrics("[metrics]\nlisten = \"127.0.0.1:9464\"").as_deref(), Some("127.0.0.1:9464"));
        let open = "[metrics]\nlisten = \"192.0.2.1:9464\"\nreachable_by_others = true";
        assert_eq!(metrics(open).as_deref(), Some("192.0.2.1:9464"));
    }

    #[test]
    fn no_proxy_is_trusted_that_was_not_named() {
        assert!(load("").expect("fine").trusted_proxies.is_empty());
        let named = load("trusted_proxies = [\"127.0.0.1/32\", \"fd00::/64\"]").expect("fine").trusted_proxies;
        assert_eq!(named.len(), 2);
    }

    #[test]
    fn computers_are_archived_after_thirty_days_or_as_the_file_says_or_never() {
        let after = |text| load(text).expect("fine").sleep.archive_after.map(|time| time.as_secs());
        assert_eq!(after(""), Some(30 * 86_400));
        assert_eq!(after("[sleep]\narchive_after_days = 7"), Some(7 * 86_400));
        assert_eq!(after("[sleep]\narchive_after_seconds = 5"), Some(5));
        assert_eq!(after("[sleep]\narchive_after_days = 0"), None);
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
            ("[limits]\ndisk_mib = 1", "disk_mib must be from 16"),
            ("[limits]\ndisk_mib = 16", "disk_files must be from 1024 to 4096"),
            ("disk_quota = \"some\"", "disk_quota"),
            ("[sleep]\nstop_after_seconds = 10", "must be more than sleep.freeze_after_seconds"),
            ("[sleep]\narchive_after_days = 1\narchive_after_seconds = 5", "give one of them"),
            ("cgroup = \"matrixos.slice\"", "must be an absolute path"),
            ("[network]\npool = \"nonsense\"", "pool"),
            ("[network]\nservice_port = 0", "service_port"),
            ("[ai]\nprovider = \"http://api.example\"", "must use https"),
            ("[channels]\ntelegram_api = \"http://api.example\"", "must use https"),
            ("[channels]\ntelegram_webhook = true", "needs an origin with https"),
            ("[ai]\nprovider = \"api.example\"", "is not the address of a provider"),
            ("[ai]\nquota_dollars = \"five\"", "is no amount"),
            ("[ai]\nquota_dollars = 5", "quota_dollars"),
            ("[ai]\nconcurrent_calls = 0", "from 1 to 100"),
            ("trusted_proxies = [\"caddy\"]", "trusted_proxies"),
            ("[metrics]\nlisten = \"0.0.0.0:9464\"", "reachable_by_others = true"),
            ("[metrics]\nlisten = \"192.0.2.1:9464\"", "listen on 127.0.0.1"),
            ("[metrics]\nlisten = \"[2001:db8::1]:9464\"", "listen on 127.0.0.1"),
            ("[metrics]\nlisten = \"here\"", "listen"),
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
