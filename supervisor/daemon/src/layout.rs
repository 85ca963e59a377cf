//! The directories of an installation: who owns each, and who may look.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::config::Config;
use crate::privileges::Account;

/// Where things lie.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    data: PathBuf,
    run: PathBuf,
}

impl Layout {
    /// The places of an installation.
    pub(crate) fn of(config: &Config) -> Self {
        Self { data: config.data.clone(), run: config.run.clone() }
    }

    /// The store of accounts; belongs to the serving account.
    pub(crate) fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// Keys outside the store; belongs to the serving account.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// Where the operator's commands reach the supervisor.
    pub(crate) fn socket(&self) -> PathBuf {
        self.run.join("supervisor/admin.sock")
    }

    /// Makes every directory, as root. Nothing that exists is emptied or given to somebody else's account by surprise:
    /// only the serving account's own directories change owner.
    pub(crate) fn make(&self, account: Account) -> Result<()> {
        directory(&self.data, 0o711)?;
        directory(&self.data.join("users"), 0o711)?;
        // The launcher gives containers a view of their own; accounts of the host have no business in there.
        directory(&self.data.join("images"), 0o700)?;
        directory(&self.run, 0o711)?;
        directory(&self.run.join("containers"), 0o711)?;
        for own in [self.store(), self.keys(), self.run.join("supervisor")] {
            directory(&own, 0o700)?;
            give(&own, account)?;
        }
        Ok(())
    }
}

fn directory(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make the directory {}", path.display()))?;
    let found = fs::symlink_metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    ensure!(found.is_dir(), "{} is not a directory (a symbolic link is not accepted here)", path.display());
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

/// Gives the directory itself, never what is in it: following names that the serving account controls, as root,
/// would let it take over any file.
fn give(path: &Path, account: Account) -> Result<()> {
    lchown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw()))
        .with_context(|| format!("cannot give {} to the serving account", path.display()))
}
