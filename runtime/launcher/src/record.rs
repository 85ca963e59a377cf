//! What is remembered of a container outside of libcontainer: whose it is, and which process is its first.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use matrixos_runtime::protocol::Identity;
use matrixos_types::{ContainerId, Handle, Seat};
use serde::{Deserialize, Serialize};

const NAME: &str = "record.json";

/// A container's record. Lies on a tmpfs, so it is gone after a reboot, like the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) container: ContainerId,
    pub(crate) seat: Seat,
    pub(crate) handle: Handle,
    /// `None` while the container is being made.
    pub(crate) identity: Option<Identity>,
}

impl Record {
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(folder.join(NAME))?).map_err(io::Error::other)
    }

    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let draft = folder.join("record.new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::other)?)?;
        fs::rename(draft, folder.join(NAME))
    }
}
