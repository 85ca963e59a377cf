//! What confinement is: one pure function from a launch to an OCI runtime spec. No I/O, no clock.

mod devices;
mod mounts;
mod process;
mod resources;

use std::collections::HashMap;
use std::path::PathBuf;

use matrixos_types::{Instance, Seat};
use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Linux, LinuxBuilder, LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace, LinuxNamespaceBuilder,
    LinuxNamespaceType, RootBuilder, Spec, SpecBuilder,
};

use crate::cgroups::{self, Layout};
use crate::protocol::Launch;
use crate::seccomp::Profile;

pub use process::{RLIMITS, Rlimit};

/// Evidence that a value went through [`confine`]. It cannot be made anywhere else.
#[derive(Clone, Debug, PartialEq)]
pub struct Confined<T>(T);

impl<T> Confined<T> {
    /// The confined value.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// What confinement has to know besides the launch itself.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The installation.
    pub instance: Instance,
    /// The platform's domain, for the gateway's environment.
    pub domain: String,
    /// Where the image's root lies when the container is made.
    pub root: PathBuf,
    /// Where the user's tree lies when the container is made.
    pub home: PathBuf,
    /// How the host arranges control groups.
    pub layout: Layout,
    /// Whether the host's kernel has IPv6, so that it must be turned off in the container.
    pub ipv6: bool,
}

/// Paths in the container that show nothing: Docker's list, `/proc/interrupts` and power and thermal counters.
/// The ones below `/sys` matter should `/sys` ever be mounted.
const MASKED: [&str; 14] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/class/thermal",
    "/sys/devices/virtual/powercap",
    "/sys/devices/virtual/thermal",
    "/sys/firmware",
];

/// Paths in the container that can only be read: Docker's list.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// All of them but time, which would change nothing that matters.
const NAMESPACES: [LinuxNamespaceType; 7] = [
    LinuxNamespaceType::User,
    LinuxNamespaceType::Pid,
    LinuxNamespaceType::Mount,
    LinuxNamespaceType::Ipc,
    LinuxNamespaceType::Uts,
    LinuxNamespaceType::Network,
    LinuxNamespaceType::Cgroup,
];

/// The spec of a container that is confined as `docs/SECURITY.md` says: own ids, own namespaces, no capability, no
/// new privileges, an allow-list of system calls, a read-only root, and limits on everything that can run out.
pub fn confine(launch: &Launch, ground: &Ground) -> Result<Confined<Spec>, OciSpecError> {
    let root = RootBuilder::default().path(ground.root.clone()).readonly(true).build()?;
    let spec = SpecBuilder::default()
        .version("1.2.0")
        .hostname(launch.handle.as_str())
        .root(root)
        .mounts(mounts::all(ground, launch.limits.clamped())?)
        .process(process::gateway(launch, ground)?)
        .linux(linux(launch, ground)?)
        .build()?;
    Ok(Confined(spec))
}

fn linux(launch: &Launch, ground: &Ground) -> Result<Linux, OciSpecError> {
    let owned = |paths: &[&str]| paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
    LinuxBuilder::default()
        .namespaces(NAMESPACES.into_iter().map(new_namespace).collect::<Result<Vec<_>, _>>()?)
        .uid_mappings(vec![own_ids(launch.seat)?])
        .gid_mappings(vec![own_ids(launch.seat)?])
        .cgroups_path(cgroups::path(&ground.instance, &launch.container))
        .resources(resources::limits(launch.limits.clamped(), ground.layout)?)
        .devices(devices::nodes()?)
        .seccomp(Profile::reviewed().filter()?)
        .masked_paths(owned(&MASKED))
        .readonly_paths(owned(&READ_ONLY))
        .rootfs_propagation("private")
        .sysctl(sysctls(ground.ipv6))
        .build()
}

fn new_namespace(typ: LinuxNamespaceType) -> Result<LinuxNamespace, OciSpecError> {
    LinuxNamespaceBuilder::default().typ(typ).build()
}

fn own_ids(seat: Seat) -> Result<LinuxIdMapping, OciSpecError> {
    LinuxIdMappingBuilder::default().container_id(0u32).host_id(seat.first_id()).size(Seat::ID_RANGE).build()
}

/// Settings of the container's own network: no IPv6, which the firewall does not carry; low ports and `ping` for all.
fn sysctls(ipv6: bool) -> HashMap<String, String> {
    let last_id = (Seat::ID_RANGE - 1).to_string();
    let mut all = vec![
        ("net.ipv4.ip_unprivileged_port_start", "0".to_owned()),
        ("net.ipv4.ping_group_range", format!("0 {last_id}")),
    ];
    if ipv6 {
        all.push(("net.ipv6.conf.all.disable_ipv6", "1".to_owned()));
        all.push(("net.ipv6.conf.default.disable_ipv6", "1".to_owned()));
    }
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
