//! A computer of one's own asks the provider itself, over TLS that it checks.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::Computer;
use common::desk::Desk;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A certificate for `localhost` that stands for itself.
fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A provider that says one thing to everybody.
async fn provider(folder: &Path) -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // One that does not trust the certificate breaks off.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 16];
                let _ = stream.read_exact(&mut head).await;
                let body: String = [
                    json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                    json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "in private" } }),
                    json!({ "type": "message_stop" }),
                ]
                .iter()
                .map(|event| format!("data: {event}\n\n"))
                .collect();
                let answer = if &head[..5] == b"POST " { (200, body) } else { (404, String::new()) };
                let answer =
                    format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n\r\n{}", answer.0, answer.1.len(), answer.1);
                let _ = stream.write_all(answer.as_bytes()).await;
                // Until the other side has gone: what it sends still is read.
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            });
        }
    });
    address
}

#[test]
fn the_provider_is_asked_over_tls_and_only_if_its_certificate_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = runtime.block_on(provider(folder.path()));
    let (url, bundle) = (format!("https://localhost:{}", address.port()), folder.path().join("cert.pem"));
    let environment = [("ANTHROPIC_BASE_URL", url.as_str()), ("ANTHROPIC_API_KEY", "x")];
    let trusting = Computer::start_with(&[&environment[..], &[("SSL_CERT_FILE", bundle.to_str().unwrap())]].concat());
    assert_eq!(Desk::open(&trusting).ask("s", "hello"), "in private");
    let strict = Computer::start_with(&environment);
    assert_eq!(Desk::open(&strict).fail("s", "hello"), "offline");
    let note = strict.get("/api/conversations/s").text();
    assert!(note.contains("certificate"), "{note}");
}
