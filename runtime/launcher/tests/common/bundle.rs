//! The launcher's configuration as a bundle for runc, whose root lies where the launcher's view would show it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use matrixos_runtime::cgroups::Layout;
use matrixos_runtime::protocol::Launch;
use matrixos_runtime::spec::{Place, confine};

use super::House;

/// A bundle, which runc can run again and again under one name.
pub(crate) struct Bundle {
    folder: tempfile::TempDir,
    name: String,
}

impl House {
    pub(crate) fn bundle(&self, launch: &Launch) -> Bundle {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            image_root: self.root(),
            home: self.home(launch),
            disk_is_held: false,
            group: format!("/{}/runc", self.config.instance),
            layout: Layout::of_host(),
            domain: "localhost".to_owned(),
            services: None,
        };
        // Without the launcher's view, the mapped user must be able to pass to the root.
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        confine(launch, &place).get().save(folder.path().join("config.json")).unwrap();
        Bundle { folder, name: format!("runc-{}", self.config.instance) }
    }
}

impl Bundle {
    /// Runs runc with these arguments and the container's name. The container's input and output lead nowhere.
    pub(crate) fn runc(&self, arguments: &[&str]) {
        let status = Command::new("runc")
            .arg("--root")
            .arg(self.folder.path().join("state"))
            .args(arguments)
            .arg(&self.name)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("Debian's runc").success(), "runc {arguments:?}");
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}
