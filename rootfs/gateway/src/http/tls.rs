//! TLS to the provider and to pages of the web, trusting what the machine's own certificate bundle trusts.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::CallError;

/// Where Debian and its relatives keep the certificates; the first that is there counts.
const BUNDLES: &[&str] =
    &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

pub(super) async fn secure(host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, CallError> {
    let failed = |source| CallError::Connect { host: host.to_owned(), source };
    let name = ServerName::try_from(host.to_owned()).map_err(|e| failed(io::Error::other(e)))?;
    let connector = TlsConnector::from(config().map_err(failed)?);
    connector.connect(name, stream).await.map_err(failed)
}

/// Read when it is first needed: a computer on the platform speaks plain HTTP to its proxy and may never need it.
fn config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let named = std::env::var_os("SSL_CERT_FILE").map(std::path::PathBuf::from);
    let path = named.or_else(|| BUNDLES.iter().map(std::path::PathBuf::from).find(|path| path.exists()));
    let path = path.ok_or_else(|| io::Error::other("no certificates found; install the package ca-certificates"))?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(&path).map_err(io::Error::other)?;
    roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}
