//! Key files: made once with mode 0600, flushed, and never replaced because they look wrong.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the key of 32 bytes at `path`, or makes one there if the file does not exist. `lost` says what follows when a
/// damaged file is deleted.
pub(crate) fn load_or_create(path: &Path, lost: &str) -> io::Result<[u8; 32]> {
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| bad_key(path, lost)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let key = random()?;
            write(path, &key)?;
            Ok(key)
        }
        Err(e) => Err(e),
    }
}

/// Replaces the file in one step; afterwards it is on the disk.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// 256 random bits.
pub(crate) fn random() -> io::Result<[u8; 32]> {
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    Ok(key)
}

fn bad_key(path: &Path, lost: &str) -> io::Error {
    let why = format!("{} is not a key of 32 bytes; restore it from a backup, or delete it: {lost}", path.display());
    io::Error::new(io::ErrorKind::InvalidData, why)
}
