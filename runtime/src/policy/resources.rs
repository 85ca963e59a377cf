//! Limits that the kernel keeps for the container as a whole, on both control group layouts.

use std::collections::HashMap;

use oci_spec::OciSpecError;
use oci_spec::runtime::{LinuxCpuBuilder, LinuxMemoryBuilder, LinuxPidsBuilder, LinuxResources, LinuxResourcesBuilder};

use super::devices;
use crate::cgroups::Layout;
use crate::protocol::Limits;

/// Microseconds over which the CPU quota is counted.
const PERIOD: u64 = 100_000;

/// Memory without swap, CPU time, processes, devices.
pub(super) fn limits(limits: Limits, layout: Layout) -> Result<LinuxResources, OciSpecError> {
    let memory = i64::try_from(limits.memory.0).unwrap_or(i64::MAX);
    let quota = i64::from(limits.cpu_milli) * (PERIOD / 1_000) as i64;
    let resources = LinuxResourcesBuilder::default()
        .devices(devices::rules()?)
        // Swap is memory and swap together here, so equal means none.
        .memory(LinuxMemoryBuilder::default().limit(memory).swap(memory).build()?)
        .cpu(LinuxCpuBuilder::default().quota(quota).period(PERIOD).build()?)
        .pids(LinuxPidsBuilder::default().limit(i64::from(limits.pids)).build()?);
    match layout {
        Layout::Unified => resources.unified(unified()).build(),
        Layout::PerController => resources.build(),
    }
}

/// libcgroups leaves `memory.swap.max` at `max` when swap equals memory, and does not know `memory.oom.group`, which
/// ends the container as a whole rather than leaving it without some process.
fn unified() -> HashMap<String, String> {
    let files = [("memory.swap.max", "0"), ("memory.oom.group", "1")];
    files.into_iter().map(|(file, value)| (file.to_owned(), value.to_owned())).collect()
}
