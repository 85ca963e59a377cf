//! The home template: copied at the first boot, brought up to date later, without ever overwriting what its owner changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What was copied, and how it was then.
const RECORD: &str = "system/template.json";

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    version: String,
    /// Fingerprints of the template's files as they were last seen.
    files: BTreeMap<String, String>,
}

/// Copies what is new, replaces what changed in the template and not in the home, and leaves the rest: three-way, by the
/// recorded fingerprint, the template's and the home's. A file the owner deleted does not come back.
pub(crate) fn bring(template: &Path, home: &Path) -> io::Result<()> {
    if !template.is_dir() {
        return Ok(());
    }
    let text = fs::read_to_string(home.join(RECORD)).unwrap_or_default();
    let mut record: Record = serde_json::from_str(&text).unwrap_or_default();
    let mut names = Vec::new();
    collect(template, template, &mut names)?;
    let mut changed = record.version != env!("CARGO_PKG_VERSION");
    for name in names {
        let new = fs::read(template.join(&name))?;
        let print = fingerprint(&new);
        let recorded = record.files.get(&name);
        if recorded == Some(&print) {
            continue;
        }
        let old = match fs::read(home.join(&name)) {
            Ok(old) => Some(fingerprint(&old)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // A folder, a link that leads nowhere: not ours to replace.
            Err(_) => Some(String::new()),
        };
        if old.as_ref() == recorded {
            put(home, &name, &new)?;
        }
        record.files.insert(name, print);
        changed = true;
    }
    if changed {
        record.version = env!("CARGO_PKG_VERSION").to_owned();
        put(home, RECORD, format!("{:#}\n", serde_json::to_value(&record)?).as_bytes())?;
    }
    Ok(())
}

fn put(home: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = home.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("new");
    fs::write(&draft, bytes)?;
    fs::rename(draft, path)
}

fn collect(folder: &Path, top: &Path, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), top, names)?;
        } else {
            let path = entry.path();
            let name = path.strip_prefix(top).map_err(io::Error::other)?;
            names.extend(name.to_str().map(str::to_owned));
        }
    }
    Ok(())
}

/// FNV-1a, 64 bits: tells a file that was changed from one that was not; nothing secret depends on it.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("fnv1a64:{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_replaces_only_what_its_owner_left_alone() -> io::Result<()> {
        let (template, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (template, home) = (template.path(), home.path());
        for name in ["left", "changed", "deleted", "apps/same"] {
            put(template, name, b"one")?;
        }
        put(home, "own", b"mine")?;
        bring(template, home)?;
        fs::write(home.join("changed"), "by the owner")?;
        fs::remove_file(home.join("deleted"))?;
        for name in ["left", "changed", "deleted", "own", "added"] {
            put(template, name, b"two")?;
        }
        for _ in 0..2 {
            bring(template, home)?;
            let read = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
            assert_eq!(
                (read("left"), read("changed"), read("deleted")),
                ("two".into(), "by the owner".into(), String::new())
            );
            assert_eq!((read("own"), read("added"), read("apps/same")), ("mine".into(), "two".into(), "one".into()));
        }
        Ok(())
    }
}
