//! `matrixos account`: asks the running supervisor over its socket.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use matrixos_types::Bytes;

use crate::cli::Account;
use crate::config::Config;
use crate::layout::Layout;
use crate::operator::{self, ask};

pub(crate) fn run(config: &Config, command: Account) -> Result<()> {
    let socket = Layout::of(config).socket();
    let Account::Export { handle, file } = command;
    let size = operator::block_on(async {
        let answer = ask(&socket, Method::GET, &format!("/accounts/{handle}/export")).await?;
        export(answer.into_body(), &file).await
    })?;
    println!("{handle}: {size} in {}", file.display());
    Ok(())
}

/// Half a file would look like a whole one, so none is left.
async fn export(body: Incoming, path: &Path) -> Result<Bytes> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("cannot make the file {}", path.display()))?;
    let written = write(body, &file).await;
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.with_context(|| format!("nothing was left in {}", path.display()))
}

async fn write(mut body: Incoming, mut file: &File) -> Result<Bytes> {
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.context("the export broke off; look at the platform's log")?.into_data() {
            file.write_all(&piece)?;
            size += piece.len() as u64;
        }
    }
    file.sync_all()?;
    Ok(Bytes(size))
}
