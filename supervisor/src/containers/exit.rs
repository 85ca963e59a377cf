//! Why a container ended, in words its owner can read.

use std::io::{Read, Seek, SeekFrom};

use matrixos_runtime::client::LauncherClient;
use matrixos_types::ContainerId;

use super::Computer;

/// How much of the end of a log is looked at, in bytes.
const TAIL: i64 = 2_048;

/// Why the first process of a running computer has ended.
pub(super) async fn reason(launcher: &LauncherClient, computer: &Computer) -> String {
    let killed = computer.usage().is_ok_and(|usage| usage.oom_kills > 0);
    if killed {
        return format!("it used more than its {} of memory and was ended by the kernel", computer.limits.memory);
    }
    format!("the computer ended by itself{}", last_words(launcher, &computer.container).await)
}

/// The last line of the container's log as `: …`, or nothing if there is none.
pub(super) async fn last_words(launcher: &LauncherClient, container: &ContainerId) -> String {
    let Ok(log) = launcher.open_log(container.clone()).await else { return String::new() };
    match tail(std::fs::File::from(log)) {
        Ok(text) => text
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .map_or_else(String::new, |line| format!(": {}", line.trim())),
        Err(_) => String::new(),
    }
}

fn tail(mut log: std::fs::File) -> std::io::Result<String> {
    let length = i64::try_from(log.metadata()?.len()).unwrap_or(i64::MAX);
    log.seek(SeekFrom::End(-length.min(TAIL)))?;
    let mut bytes = Vec::new();
    log.take(TAIL.unsigned_abs()).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
