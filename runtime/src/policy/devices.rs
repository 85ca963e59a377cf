//! The device nodes of a container, and the rule that nothing else may be opened.

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    LinuxDevice, LinuxDeviceBuilder, LinuxDeviceCgroup, LinuxDeviceCgroupBuilder, LinuxDeviceType,
};

/// Path, major and minor number (admin-guide/devices.txt of the kernel).
const NODES: [(&str, i64, i64); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];
/// `/dev/ptmx`, and every terminal below `/dev/pts`.
const TERMINALS: [(i64, Option<i64>); 2] = [(5, Some(2)), (136, None)];

/// The nodes in `/dev`.
pub(super) fn nodes() -> Result<Vec<LinuxDevice>, OciSpecError> {
    NODES.into_iter().map(|(path, major, minor)| node(path, major, minor)).collect()
}

fn node(path: &str, major: i64, minor: i64) -> Result<LinuxDevice, OciSpecError> {
    LinuxDeviceBuilder::default()
        .path(path)
        .typ(LinuxDeviceType::C)
        .major(major)
        .minor(minor)
        .file_mode(0o666_u32)
        .build()
}

/// Nothing but the nodes and the terminals may be opened. libcontainer adds `/dev/console` and tun to every
/// container's list by itself; neither has a node, and making one needs a capability that nobody has.
pub(super) fn rules() -> Result<Vec<LinuxDeviceCgroup>, OciSpecError> {
    let everything = LinuxDeviceCgroupBuilder::default().allow(false).typ(LinuxDeviceType::A).access("rwm").build()?;
    let nodes = NODES.into_iter().map(|(_, major, minor)| (major, Some(minor)));
    let allowed = nodes.chain(TERMINALS).map(|(major, minor)| allowed(major, minor));
    std::iter::once(Ok(everything)).chain(allowed).collect()
}

fn allowed(major: i64, minor: Option<i64>) -> Result<LinuxDeviceCgroup, OciSpecError> {
    let rule = LinuxDeviceCgroupBuilder::default().allow(true).typ(LinuxDeviceType::C).major(major).access("rw");
    match minor {
        Some(minor) => rule.minor(minor).build(),
        None => rule.build(),
    }
}
