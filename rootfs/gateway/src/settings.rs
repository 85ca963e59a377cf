//! What the gateway is told by its environment, read once.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Result, ensure};
use matrixos_types::computer::{
    API_KEY_ENV, API_URL_ENV, DOMAIN_ENV, GATEWAY_PORT, HANDLE_ENV, HOME, SHELL_PATH, TEMPLATE_PATH, TOKEN_ENV,
};

/// Where the model is asked if nobody says otherwise.
pub(crate) const PROVIDER: &str = "https://api.anthropic.com";

/// Where things are, who the owner is, and what may be used.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The bearer token that every request but `/health` must carry; without one only loopback is served.
    pub token: Option<String>,
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
        Ok(Self {
            listen,
            token,
            handle: text(HANDLE_ENV).unwrap_or_else(|| "me".to_owned()),
            domain: text(DOMAIN_ENV).unwrap_or_else(|| "localhost".to_owned()),
            home: path("HOME", HOME),
            shell: path("MATRIX_SHELL", SHELL_PATH),
            template: path("MATRIX_TEMPLATE", TEMPLATE_PATH),
            upload_limit: number("MATRIX_UPLOAD_LIMIT").unwrap_or(1 << 30),
            ai_url: text(API_URL_ENV).unwrap_or_else(|| PROVIDER.to_owned()),
            ai_key: text(API_KEY_ENV),
            fetch_private: text("MATRIX_FETCH_PRIVATE").is_some_and(|value| value == "1"),
            limits: Limits {
                memory: number("MATRIX_MEMORY_LIMIT"),
                cpu_milli: number("MATRIX_CPU_MILLI"),
                disk: number("MATRIX_DISK_LIMIT"),
            },
        })
    }
    /// Nothing in particular.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: None,
            handle: "me".to_owned(),
            domain: "localhost".to_owned(),
            home: PathBuf::new(),
            shell: PathBuf::new(),
            template: PathBuf::new(),
            upload_limit: 0,
            ai_url: PROVIDER.to_owned(),
            ai_key: None,
            fetch_private: false,
            limits: Limits::default(),
        }
    }
}
