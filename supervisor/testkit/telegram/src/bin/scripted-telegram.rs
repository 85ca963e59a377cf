//! The scripted Telegram as a program, for tests that cannot link it: prints its base URL and serves until it is ended.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser;
use matrixos_telegram::Scripted;

#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The tokens of bots that there are; more can be made with `POST /_bots`.
    #[arg(long)]
    token: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let scripted = Scripted::listen(cli.listen).await.with_context(|| format!("cannot listen on {}", cli.listen))?;
    cli.token.iter().for_each(|token| scripted.add_bot(token));
    println!("{}", scripted.base_url());
    std::future::pending().await
}
