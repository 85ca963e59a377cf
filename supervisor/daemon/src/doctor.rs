//! `matrixos doctor`: what this machine lacks, and how to get it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use matrixos_rootfs::quota::Finding;
use matrixos_types::DiskQuota;

use crate::config::Config;
use crate::{disk, privileges};

/// One thing the platform needs.
struct Check {
    what: &'static str,
    /// What was found, or what is wrong and what to do.
    outcome: Result<String, String>,
    /// Whether the platform cannot work without it.
    needed: bool,
}

/// Prints every check; fails if any did.
pub(crate) fn run(config: &Config) -> Result<()> {
    let checks = all(config);
    for check in &checks {
        match &check.outcome {
            Ok(found) => println!("ok       {:<22} {found}", check.what),
            Err(wrong) if check.needed => println!("MISSING  {:<22} {wrong}", check.what),
            Err(wrong) => println!("WARNING  {:<22} {wrong}", check.what),
        }
    }
    let missing = checks.iter().filter(|c| c.needed && c.outcome.is_err()).count();
    if missing > 0 {
        bail!("{missing} of {} things are missing", checks.len());
    }
    Ok(())
}

/// The checks that `serve` makes before it starts: without any of these it cannot work.
pub(crate) fn ensure_fit(config: &Config) -> Result<()> {
    let needed = all(config).into_iter().filter(|c| c.needed);
    let wrong: Vec<_> = needed.filter_map(|c| c.outcome.err().map(|e| format!("{}: {e}", c.what))).collect();
    if !wrong.is_empty() {
        bail!("this machine lacks something the platform needs:\n  - {}", wrong.join("\n  - "));
    }
    Ok(())
}

fn all(config: &Config) -> Vec<Check> {
    let check = |what, outcome| Check { what, outcome, needed: true };
    vec![
        check("root", root()),
        check("kernel", kernel()),
        check("user namespaces", namespaces()),
        check("control groups", control_groups()),
        check("seccomp", seccomp()),
        check("firewall", tool("nft", "nftables", &["--version"])),
        check("link-layer tools", tool("ip", "iproute2", &["-V"])),
        check(
            "serving account",
            privileges::account(&config.user).map(|a| format!("uid {}", a.uid)).map_err(|e| e.to_string()),
        ),
        Check { what: "computers' domain", outcome: domain(config), needed: false },
        Check { what: "shares of the disk", outcome: shares(config), needed: config.disk_quota.is_some() },
    ]
}

/// On localhost nobody has neighbours.
fn domain(config: &Config) -> Result<String, String> {
    let platform = config.domain();
    match &config.user_domain {
        Some(own) => Ok(format!("{own}, apart from the platform's {platform}")),
        None if platform == "localhost" => Ok("localhost".into()),
        None => Err(format!(
            "people's computers live below {platform} itself, so browsers take their pages for the same site as the \
             platform's; better: register a second domain, point *.it here as well, and set user_domain"
        )),
    }
}

fn root() -> Result<String, String> {
    if nix::unistd::geteuid().is_root() {
        Ok("yes".into())
    } else {
        Err("run this as root: containers, their network and files need it".into())
    }
}

fn kernel() -> Result<String, String> {
    let release = read("/proc/sys/kernel/osrelease")?;
    let mut parts = release.split(['.', '-']).map_while(|p| p.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if (major, minor) >= (5, 14) => Ok(release),
        _ => Err(format!("{release} is too old; 5.14 or later is needed (Debian 12 has 6.1)")),
    }
}

fn namespaces() -> Result<String, String> {
    for kind in ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup"] {
        if !Path::new("/proc/self/ns").join(kind).exists() {
            return Err(format!("this kernel has no {kind} namespaces; use Debian's kernel"));
        }
    }
    let most = read("/proc/sys/user/max_user_namespaces")?;
    match most.parse::<u64>() {
        Ok(n) if n > 0 => Ok(format!("at most {n}")),
        _ => Err("user namespaces are switched off; do: sysctl user.max_user_namespaces=10000".into()),
    }
}

fn control_groups() -> Result<String, String> {
    let root = Path::new("/sys/fs/cgroup");
    if let Ok(controllers) = std::fs::read_to_string(root.join("cgroup.controllers")) {
        return with_all(|c| controllers.split_whitespace().any(|have| have == c)).map(|()| "unified".into());
    }
    with_all(|c| root.join(c).is_dir()).map(|()| "version 1 controllers".into())
}

fn with_all(has: impl Fn(&str) -> bool) -> Result<(), String> {
    match ["memory", "cpu", "pids"].into_iter().find(|c| !has(c)) {
        None => Ok(()),
        Some(lacking) => {
            Err(format!("the {lacking} controller is not there; mount cgroup2 on /sys/fs/cgroup, or use systemd"))
        }
    }
}

fn shares(config: &Config) -> Result<String, String> {
    match disk::decide(config).map_err(|e| e.to_string())? {
        Finding { means: DiskQuota::Nothing, why } => Err(format!("nothing holds users to theirs: {why}")),
        Finding { means, why } if why.is_empty() => Ok(means.to_string()),
        Finding { means, why } => Ok(format!("{means}, because {why}")),
    }
}

fn seccomp() -> Result<String, String> {
    let status = read("/proc/self/status")?;
    if status.contains("Seccomp_filters:") {
        Ok("filters".into())
    } else {
        Err("this kernel has no seccomp filters; use Debian's kernel".into())
    }
}

fn tool(name: &str, package: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(name).args(arguments).stdin(Stdio::null()).output();
    match output {
        Ok(o) if o.status.success() => {
            Ok(String::from_utf8_lossy(&o.stdout).lines().next().unwrap_or_default().trim().to_owned())
        }
        _ => Err(format!("`{name}` is not there; do: apt-get install {package}")),
    }
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map(|s| s.trim().to_owned()).map_err(|e| format!("cannot read {path}: {e}"))
}
