//! The scripted provider as a program, for tests that cannot link it: prints its base URL and serves until it is ended.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser;
use matrixos_messages::Scripted;

#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The only key that will do; any will if there is none.
    #[arg(long, env = "SCRIPTED_MESSAGES_KEY", hide_env_values = true)]
    key: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let scripted = Scripted::listen(cli.listen).await.with_context(|| format!("cannot listen on {}", cli.listen))?;
    if let Some(key) = &cli.key {
        scripted.require_key(key);
    }
    println!("{}", scripted.base_url());
    std::future::pending().await
}
