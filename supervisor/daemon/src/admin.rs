//! `matrixos admin` and `matrixos audit`: asks the running supervisor over its socket.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use hyper::Method;
use serde_json::Value;

use crate::cli::{Admin, Audit, Owner};
use crate::config::Config;
use crate::layout::Layout;
use crate::operator::{ask, told};

pub(crate) fn run(config: &Config, command: Admin) -> Result<()> {
    let socket = Layout::of(config).socket();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Admin::Invite => {
                let answer = told(ask(&socket, Method::POST, "/administrators/invite").await?).await?;
                let answer: Value = serde_json::from_slice(&answer)?;
                println!("{}", answer["url"].as_str().context("the platform gave no link")?);
                eprintln!(
                    "Whoever opens this link first, within an hour, becomes an administrator. They need an account."
                );
                Ok(())
            }
            Admin::List => {
                let answer = told(ask(&socket, Method::GET, "/administrators").await?).await?;
                let handles: Vec<String> = serde_json::from_slice(&answer)?;
                handles.iter().for_each(|handle| println!("{handle}"));
                Ok(())
            }
            Admin::Dismiss(Owner { handle }) => {
                ask(&socket, Method::POST, &format!("/administrators/{handle}/dismiss")).await?;
                println!("{handle}: not an administrator");
                Ok(())
            }
        }
    })
}

pub(crate) fn audit(config: &Config, which: &Audit) -> Result<()> {
    let socket = Layout::of(config).socket();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(export(&socket, which, &mut io::stdout().lock()))
}

/// Page after page, until there is nothing older.
async fn export(socket: &Path, which: &Audit, out: &mut dyn Write) -> Result<()> {
    let mut before = u64::MAX;
    loop {
        let handle = which.handle.as_ref().map(|handle| format!("&handle={handle}")).unwrap_or_default();
        let answer = told(ask(socket, Method::GET, &format!("/audit?before={before}{handle}")).await?).await?;
        let events: Vec<Value> = serde_json::from_slice(&answer)?;
        let Some(oldest) = events.last() else { return Ok(()) };
        before = oldest["number"].as_u64().context("an event without a number")?;
        for event in &events {
            writeln!(out, "{event}")?;
        }
    }
}
