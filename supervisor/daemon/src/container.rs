//! `matrixos container`: asks the running supervisor over its socket.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Result, ensure};
use http_body_util::BodyExt;
use hyper::Method;
use matrixos_api::admin::{History, Row};
use matrixos_supervisor::containers::View;
use matrixos_supervisor::store::Change;

use crate::cli::{Container, Destroy, Owner};
use crate::config::Config;
use crate::layout::Layout;
use crate::operator::{self, ask, told};

pub(crate) fn run(config: &Config, command: Container) -> Result<()> {
    let socket = Layout::of(config).socket();
    operator::block_on(async {
        match command {
            Container::List { json } => list(&socket, json).await,
            Container::Logs(Owner { handle }) => logs(&socket, handle.as_str()).await,
            Container::Start(Owner { handle }) => change(&socket, handle.as_str(), "start").await,
            Container::Stop(Owner { handle }) => change(&socket, handle.as_str(), "stop").await,
            Container::Wake(Owner { handle }) => {
                change(&socket, handle.as_str(), "wake?why=the+operator+woke+it").await
            }
            Container::Why(Owner { handle }) => why(&socket, handle.as_str()).await,
            Container::Destroy(Destroy { handle, confirm }) => {
                ensure!(
                    confirm.as_ref() == Some(&handle),
                    "this deletes the account and every file of {handle}, for good; to do it, add: --confirm {handle}"
                );
                ask(&socket, Method::POST, &format!("/containers/{handle}/destroy")).await?;
                println!("{handle}: destroyed");
                Ok(())
            }
        }
    })
}

/// The history, with the time of each event.
async fn why(socket: &Path, handle: &str) -> Result<()> {
    let history: History = operator::get(socket, &format!("/containers/{handle}/history")).await?;
    for Change { at, what, why } in &history.events {
        println!("{}  {what:<8} {why}", time(*at));
    }
    if history.events.is_empty() {
        println!("nothing has happened to it yet");
    }
    if let Some(keep) = history.keep {
        println!("kept awake until {}: {}", time(keep.until), keep.because);
    }
    Ok(())
}

fn time(seconds: u64) -> humantime::Rfc3339Timestamp {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds))
}

async fn list(socket: &Path, json: bool) -> Result<()> {
    let body = told(ask(socket, Method::GET, "/containers").await?).await?;
    if json {
        std::io::stdout().write_all(&body)?;
        println!();
        return Ok(());
    }
    let rows: Vec<Row> = serde_json::from_slice(&body)?;
    println!(
        "{:<20} {:<9} {:>8} {:>12} {:>12} {:>5} {:>5}  {:<22} REASON",
        "HANDLE", "STATE", "PID", "MEMORY", "LIMIT", "PROCS", "OOM", "ADDRESS"
    );
    let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for row in rows {
        println!(
            "{:<20} {:<9} {:>8} {:>12} {:>12} {:>5} {:>5}  {:<22} {}",
            row.handle,
            row.state,
            shown(row.pid.map(|p| p.to_string())),
            shown(row.memory.map(|m| m.to_string())),
            row.memory_limit.to_string(),
            shown(row.processes.map(|p| p.to_string())),
            shown(row.oom_kills.map(|o| o.to_string())),
            row.address,
            row.reason.unwrap_or_default()
        );
    }
    Ok(())
}

async fn logs(socket: &Path, handle: &str) -> Result<()> {
    let mut body = ask(socket, Method::GET, &format!("/containers/{handle}/log")).await?.into_body();
    let mut out = std::io::stdout().lock();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            out.write_all(&bytes)?;
        }
    }
    Ok(())
}

async fn change(socket: &Path, handle: &str, act: &str) -> Result<()> {
    let body = told(ask(socket, Method::POST, &format!("/containers/{handle}/{act}")).await?).await?;
    let view: View = serde_json::from_slice(&body)?;
    match view.reason {
        Some(reason) => println!("{handle}: {} ({reason})", view.condition),
        None => println!("{handle}: {}", view.condition),
    }
    Ok(())
}
