//! What the gateway is told by its environment, read once.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use matrixos_types::computer::{
    API_KEY_ENV, API_URL_ENV, DOMAIN_ENV, GATEWAY_PORT, HANDLE_ENV, HOME, SHELL_PATH, TEMPLATE_PATH, TOKEN_ENV,
};

use crate::channels::{Given, TOKEN as TELEGRAM_TOKEN};
use crate::door::Door;

/// Where the model is asked if nobody says otherwise.
pub(crate) const PROVIDER: &str = "https://api.anthropic.com";

/// Set to 1 on a server of the owner's own.
const SINGLE: &str = "MATRIX_SINGLE";
/// How browsers call that server.
const ORIGIN: &str = "MATRIX_ORIGIN";
/// How often WebSockets are pinged, in seconds.
const PING: &str = "MATRIX_PING_SECONDS";
/// Fewest characters of a token that stands between the internet and a shell.
const LONG_ENOUGH: usize = 24;

/// Variables that no other program of this computer is to have.
pub(crate) const SECRETS: &[&str] = &[TOKEN_ENV, API_KEY_ENV, TELEGRAM_TOKEN];

/// Where things are, who the owner is, and what may be used.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The bearer token that every request but `/health` must carry; without one only loopback is served.
    pub token: Option<String>,
    /// No platform is in front of this computer: browsers sign in here, with the token.
    pub single: bool,
    /// How browsers call this computer, if no platform is in front of it: `https://computer.example`.
    pub origin: Option<String>,
    /// What is said about channels, if no platform holds them.
    pub channels: Option<Given>,
    /// The owner.
    pub handle: String,
    /// The domain below which the computer has its name.
    pub domain: String,
    /// The owner's home.
    pub home: PathBuf,
    /// The desktop's files.
    pub shell: PathBuf,
    /// The home template.
    pub template: PathBuf,
    /// Largest upload, in bytes.
    pub upload_limit: u64,
    /// Where the model is asked: the platform's proxy, or the provider.
    pub ai_url: String,
    /// What is shown there; without it there is no AI.
    pub ai_key: Option<String>,
    /// The AI may also fetch pages from private addresses: for a computer in one's own network.
    pub fetch_private: bool,
    /// How often WebSockets are pinged. More often than a proxy in front of this computer ends those that are quiet.
    pub ping: Duration,
    /// Limits of the container, as far as they are known.
    pub limits: Limits,
}

/// Limits that the kernel enforces from outside and does not show inside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Thousandths of one CPU.
    pub cpu_milli: Option<u64>,
    /// Bytes of the home; its file system knows how much of them is used.
    pub disk: Option<u64>,
}

impl Settings {
    /// Reads the environment. Fails if that would serve other machines without a token.
    pub fn from_environment() -> Result<Self> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name: &str| text(name).and_then(|value| value.parse().ok());
        let path = |name: &str, usual: &str| PathBuf::from(text(name).unwrap_or_else(|| usual.to_owned()));
        let token = text(TOKEN_ENV);
        let usual = if token.is_some() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let listen =
            text("MATRIX_LISTEN").map(|l| l.parse()).transpose()?.unwrap_or(SocketAddr::from((usual, GATEWAY_PORT)));
        ensure!(
            token.is_some() || listen.ip().is_loopback(),
            "{TOKEN_ENV} is not set, so only this machine may be served; set it, or listen on 127.0.0.1"
        );
        let single = text(SINGLE).is_some_and(|value| value == "1");
        let origin = text(ORIGIN).map(|origin| origin.trim_end_matches('/').to_owned());
        if single {
            check_single(token.as_deref(), origin.as_deref())?;
        }
        Ok(Self {
            listen,
            token,
            single,
            origin,
            channels: single.then(|| Given::read(text)).transpose()?,
            handle: text(HANDLE_ENV).unwrap_or_else(|| "me".to_owned()),
            domain: text(DOMAIN_ENV).unwrap_or_else(|| "localhost".to_owned()),
            home: path("HOME", HOME),
            shell: path("MATRIX_SHELL", SHELL_PATH),
            template: path("MATRIX_TEMPLATE", TEMPLATE_PATH),
            upload_limit: number("MATRIX_UPLOAD_LIMIT").unwrap_or(1 << 30),
            ai_url: text(API_URL_ENV).unwrap_or_else(|| PROVIDER.to_owned()),
            ai_key: text(API_KEY_ENV),
            fetch_private: text("MATRIX_FETCH_PRIVATE").is_some_and(|value| value == "1"),
            ping: Duration::from_secs(number(PING).unwrap_or(30).clamp(1, 3_600)),
            limits: Limits {
                memory: number("MATRIX_MEMORY_LIMIT"),
                cpu_milli: number("MATRIX_CPU_MILLI"),
                disk: number("MATRIX_DISK_LIMIT"),
            },
        })
    }

    /// Where browsers sign in, if they do it here.
    pub(crate) fn door(&self) -> Option<Door> {
        let token = self.token.as_deref().filter(|_| self.single)?;
        Some(Door::new(token, self.origin.as_deref()))
    }

    /// Nothing in particular.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            single: false,
            origin: None,
            channels: None,
            handle: "me".to_owned(),
            domain: "localhost".to_owned(),
            home: PathBuf::new(),
            shell: PathBuf::new(),
            template: PathBuf::new(),
            upload_limit: 0,
            ai_url: PROVIDER.to_owned(),
            ai_key: None,
            fetch_private: false,
            ping: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// A computer that is open to the internet has a token that nobody guesses, and an origin that browsers can have.
fn check_single(token: Option<&str>, origin: Option<&str>) -> Result<()> {
    ensure!(
        token.is_some_and(|token| token.len() >= LONG_ENOUGH),
        "{SINGLE}=1 needs a {TOKEN_ENV} of at least {LONG_ENOUGH} characters: with it anybody gets a shell; make one with: openssl rand -hex 32"
    );
    let authority =
        origin.map(|origin| origin.strip_prefix("https://").or(origin.strip_prefix("http://")).unwrap_or_default());
    ensure!(
        authority.is_none_or(|authority| !authority.is_empty() && !authority.contains(['/', '@', '?', '#', ' '])),
        "{ORIGIN} is the address that browsers show, without a path; write for example https://computer.example"
    );
    Ok(())
}
