//! How the disk is shared between users.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// By what a user's files are held within their share of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskQuota {
    /// A project quota of the file system that holds the data (ext4, XFS). Costs nothing.
    Project,
    /// A file system of their own in a file, for each user. Works everywhere, costs a mount for each running computer.
    Image,
    /// Nothing: a user can fill the disk.
    Nothing,
}

impl fmt::Display for DiskQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Project => "project quota",
            Self::Image => "one file system image a user",
            Self::Nothing => "nothing",
        })
    }
}

/// A user's share of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskShare {
    /// The most that their files may take.
    pub bytes: Bytes,
    /// The most files, folders and links.
    pub inodes: u64,
}

impl Default for DiskShare {
    /// 1 GiB and 131,072 files.
    fn default() -> Self {
        Self { bytes: Bytes::mib(1024), inodes: 131_072 }
    }
}
