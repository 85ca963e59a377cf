//! What the computer is and uses, from the kernel.

use std::fs;
use std::path::Path;

use axum::Json;
use axum::extract::State;
use matrixos_types::computer::{Health, Measure, SystemInfo};
use nix::sys::statvfs::statvfs;
use serde_json::{Value, json};

use crate::desktop::blocking;
use crate::error::Failure;
use crate::settings::Settings;
use crate::state::Gateway;
use crate::{channels, config};

const PAGE: u64 = 4_096;
/// Files looked at when the home is measured; beyond that the size is unknown rather than slow.
const FILES_MEASURED: u32 = 200_000;

pub(crate) async fn health(State(gateway): State<Gateway>) -> Json<Health> {
    let channels = gateway.channels.as_ref().map(channels::Own::connected).unwrap_or_default();
    Json(Health { status: "ok".to_owned(), channels, cron_jobs: gateway.cron.count() })
}

pub(crate) async fn info(State(gateway): State<Gateway>) -> Result<Json<SystemInfo>, Failure> {
    let (budget, status) = tokio::join!(gateway.platform.budget(), channels::status(&gateway));
    let channels = status.map(channels::connected).unwrap_or_default();
    let read = tokio::task::spawn_blocking(move || SystemInfo { budget, channels, ..read(&gateway) }).await;
    Ok(Json(read.map_err(std::io::Error::other)?))
}

/// `GET /api/channels/status`: as whoever holds the connections says. `why` says what is wrong.
pub(crate) async fn channel_states(State(gateway): State<Gateway>) -> Result<Json<Value>, Failure> {
    if let Some(held) = channels::status(&gateway).await {
        let mut answer = json!({ "telegram": "disabled", "matrix": "disabled" });
        for (name, status) in held {
            answer["why"][&name] = json!(status.why);
            answer[name] = json!(status.state);
        }
        return Ok(Json(answer));
    }
    let config = blocking(gateway, |home| Ok(config::read(home).channels)).await?;
    let state = |name: &str| {
        let settings = config.0.get(name);
        let on = settings.is_some_and(|s| s["enabled"].as_bool().unwrap_or(false));
        if on { "stopped" } else { "disabled" }
    };
    Ok(Json(json!({ "telegram": state("telegram"), "matrix": state("matrix") })))
}

fn read(gateway: &Gateway) -> SystemInfo {
    let (memory, processes) = processes();
    let limits = gateway.settings.limits;
    SystemInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        image: os_name(),
        uptime: gateway.started.elapsed().as_secs(),
        channels: Vec::new(),
        modules: ["desktop", "files", "terminal", "apps", "schedule", "ai"]
            .into_iter()
            .filter(|module| *module != "ai" || gateway.kernel.client.is_some())
            .map(str::to_owned)
            .collect(),
        disk: disk(&gateway.settings),
        memory: Measure { used: Some(memory), limit: limits.memory },
        cpu_limit: limits.cpu_milli.map(|milli| milli as f64 / 1_000.0),
        processes: Some(processes),
        budget: None,
    }
}

fn os_name() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}

/// Memory of all processes that is not shared with files (proc_pid_statm(5): resident less shared), and their number.
fn processes() -> (u64, u64) {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter(|e| is_pid(&e.file_name()));
    let sizes: Vec<u64> = pids.filter_map(|entry| private(&entry.path().join("statm"))).collect();
    (sizes.iter().sum(), sizes.len() as u64)
}

fn is_pid(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

fn private(statm: &Path) -> Option<u64> {
    let text = fs::read_to_string(statm).ok()?;
    let mut fields = text.split_whitespace().skip(1).map_while(|f| f.parse::<u64>().ok());
    Some(fields.next()?.saturating_sub(fields.next()?) * PAGE)
}

/// The kernel knows both figures where it holds the home to a share; else the files are counted.
fn disk(settings: &Settings) -> Measure {
    disk_share(settings).unwrap_or_else(|| Measure { used: size_of(&settings.home), limit: None })
}

/// How much of its share of the disk the home takes, if it has one.
pub(crate) fn disk_share(settings: &Settings) -> Option<Measure> {
    settings.limits.disk?;
    let found = statvfs(&settings.home).ok()?;
    let bytes = |blocks| blocks * found.fragment_size();
    // What a file system keeps for itself is used up as far as its owner is concerned.
    let used = found.blocks().saturating_sub(found.blocks_available());
    Some(Measure { used: Some(bytes(used)), limit: Some(bytes(found.blocks())) })
}

/// Bytes on disk of all files below a folder; links are not followed.
fn size_of(folder: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let (mut sum, mut seen, mut folders) = (0, 0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > FILES_MEASURED {
                return None;
            }
            let Ok(found) = entry.metadata() else { continue };
            sum += found.blocks() * 512;
            if found.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Some(sum)
}
