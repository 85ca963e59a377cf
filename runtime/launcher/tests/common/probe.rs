//! The probe (scripts/probe), built statically and run in containers.
//!
//! Cargo offers a test no program of another package, and a build script would make every user of the launcher build
//! the probe. So the first test that needs it asks cargo, with a target folder of its own: the flags for a static
//! program would otherwise throw away what the rest of the workspace has built.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use matrixos_runtime::protocol::Launch;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::House;

/// One thing tried, as the probe reports it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) detail: String,
}

/// A system call tried.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Call {
    pub(crate) number: i32,
    pub(crate) args: [u64; 6],
    pub(crate) outcome: String,
}

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(build);

/// Where the probe lies on a machine without cargo.
const PROBE_ENV: &str = "MATRIXOS_PROBE";

fn build() -> PathBuf {
    if let Some(built) = std::env::var_os(PROBE_ENV) {
        return built.into();
    }
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "matrixos-probe", "--target", &target])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status();
    assert!(built.expect("cargo").success(), "the probe does not build");
    folder.join(target).join("debug/matrixos-probe")
}

impl House {
    /// Puts the probe into the image, once per installation.
    pub(crate) fn install_probe(&self) {
        let inside = self.root().join("bin/probe");
        if !inside.exists() {
            fs::copy(&*PROGRAM, &inside).unwrap();
            fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// A set-user-id copy that belongs to the container's user 0, in the home.
    pub(crate) fn plant_setuid(&self, launch: &Launch) {
        let copy = self.home(launch).join("setuid-probe");
        fs::copy(&*PROGRAM, &copy).unwrap();
        chown(&copy, Some(launch.seat.first_id()), Some(launch.seat.first_id())).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
    }

    /// What the probe prints inside a container of our launcher. The first process is unreadable, as the gateway is.
    pub(crate) fn probe<T: DeserializeOwned>(&self, number: u16, arguments: &str) -> Vec<T> {
        self.install_probe();
        self.plant_setuid(&self.person(number, ""));
        parse(&self.run(number, &format!("exec {}", first(arguments))))
    }
}

/// The command by which a container's first process becomes the probe's parent.
pub(crate) fn first(arguments: &str) -> String {
    format!("/bin/probe first /bin/probe {arguments}")
}

pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in what the probe printed:\n{text}"))
}
