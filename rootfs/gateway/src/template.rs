//! The home template: copied at the first boot, brought up to date later, without ever overwriting what its owner changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What was copied, and how it was then.
const RECORD: &str = "system/template.json";

/// Largest file of a template, in bytes.
const LARGEST: u64 = 16 << 20;

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
        let old = standing(&home.join(&name));
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

/// The fingerprint of what stands there, if anything does. A folder, a link, a pipe, which would be waited for, and what is
/// larger than anything of a template is not ours to replace.
fn standing(path: &Path) -> Option<String> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        found => found,
    };
    let ours = found.is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
    Some(ours.then(|| fs::read(path).ok()).flatten().map(|old| fingerprint(&old)).unwrap_or_default())
}

fn put(home: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let path = home.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Beside `todo.html` there may be a `todo.new` of the owner's.
    let draft = path.with_file_name(format!(".draft-{}", uuid::Uuid::new_v4().simple()));
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
        put(home, "left.new", b"mine too")?;
        bring(template, home)?;
        fs::write(home.join("changed"), "by the owner")?;
        fs::remove_file(home.join("deleted"))?;
        // What is no plain file any more is neither read, which would wait for a pipe, nor replaced.
        for name in ["piped", "linked"] {
            put(template, name, b"two")?;
        }
        nix::unistd::mkfifo(&home.join("piped"), nix::sys::stat::Mode::S_IRWXU)?;
        std::os::unix::fs::symlink("own", home.join("linked"))?;
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
            assert_eq!((read("left.new"), read("linked")), ("mine too".into(), "mine".into()));
            assert!(!home.join("piped").is_file());
            assert_eq!((read("own"), read("added"), read("apps/same")), ("mine".into(), "two".into(), "one".into()));
        }
        Ok(())
    }
}
