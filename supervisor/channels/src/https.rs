//! One kind of client for services outside: https by the certificate authorities of this machine, plain http to this
//! machine only, because what is sent there are secrets.

use std::time::Duration;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Idle connections are kept for so long.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A client with kept connections.
pub type Client = legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A new client. `purpose` says in the log what cannot work if nobody is trusted.
pub fn client(purpose: &str) -> Client {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    plain.set_connect_timeout(Some(CONNECT_WITHIN));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(trust(purpose))
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEPT_FOR)
        .retry_canceled_requests(true)
        .build(connector)
}

/// Trust in the certificate authorities of this machine. Without any it must still start, for everything but
/// calls to the outside works: they say that they trust nobody, and the log says what to do.
fn trust(purpose: &str) -> ClientConfig {
    ClientConfig::builder().with_native_roots().map(|trusting| trusting.with_no_client_auth()).unwrap_or_else(|why| {
        tracing::warn!(
            "{purpose} over https cannot work: {why}; do: apt-get install ca-certificates, then start this anew"
        );
        ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth()
    })
}

/// Where a service is: scheme, host and port, and what stands before its paths.
#[derive(Clone, Debug)]
pub struct Base {
    scheme: Scheme,
    authority: Authority,
    prefix: String,
}

/// Why a text is no address of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBase {
    /// No absolute http or https URL.
    Malformed,
    /// Plain http to another machine.
    Clear,
}

impl Base {
    /// From `https://api.example` or `http://127.0.0.1:9/prefix`.
    pub fn parse(text: &str) -> Result<Self, BadBase> {
        let parts = text.trim_end_matches('/').parse::<Uri>().map_err(|_| BadBase::Malformed)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(BadBase::Malformed) };
        match scheme.as_str() {
            "https" => {}
            "http" if is_here(authority.host()) => {}
            "http" => return Err(BadBase::Clear),
            _ => return Err(BadBase::Malformed),
        }
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        Ok(Self { scheme, authority, prefix: path.trim_end_matches('/').to_owned() })
    }

    /// Whether nobody on the way can read what is sent.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The address of a path of the service, with its query.
    pub fn at(&self, path: &str) -> Result<Uri, http::Error> {
        let path = format!("{}{path}", self.prefix);
        Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path).build()
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

/// An error with all its causes, in one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_sent_in_the_clear() {
        for base in ["https://api.anthropic.com", "https://api.example/base/", "http://127.0.0.1:9", "http://[::1]:9/x"]
        {
            assert!(Base::parse(base).is_ok(), "{base}");
        }
        for base in ["http://api.anthropic.com", "http://127.0.0.1.example.org", "http://10.0.0.1"] {
            assert_eq!(Base::parse(base).err(), Some(BadBase::Clear), "{base}");
        }
        for base in ["api.anthropic.com", "ftp://x", "/v1", ""] {
            assert_eq!(Base::parse(base).err(), Some(BadBase::Malformed), "{base}");
        }
    }
}
