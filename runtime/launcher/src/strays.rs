//! What a launcher that was killed in the middle of an act may have left: the processes with which libcontainer was
//! making a container. They wait for a parent that is gone, for ever, and may be in no control group yet.

use std::fs;
use std::path::Path;

use matrixos_runtime::protocol::LauncherConfig;
use matrixos_types::Instance;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use crate::spawn::{CONFIG_ENV, MEMFD};

/// Ends the processes of earlier launchers of this installation. Containers are none of them: they run another program.
pub(crate) fn end(instance: &Instance) {
    let names =
        fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let own = getpid().as_raw();
    for pid in names.filter_map(|name| name.parse::<i32>().ok()).filter(|pid| *pid != own) {
        if is_launcher_of(pid, instance) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

fn is_launcher_of(pid: i32, instance: &Instance) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    let program = fs::read_link(process.join("exe")).unwrap_or_default();
    if !program.to_string_lossy().contains(MEMFD) {
        return false;
    }
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let config = environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(format!("{CONFIG_ENV}=").as_bytes()));
    let config = config.and_then(|text| serde_json::from_slice::<LauncherConfig>(text).ok());
    config.is_some_and(|config| config.instance == *instance)
}
