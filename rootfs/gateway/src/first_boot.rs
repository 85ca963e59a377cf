//! The first boot: the home template is copied, without ever overwriting what is there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::json;

use crate::settings::Settings;

/// Its presence says that the template has been copied.
const MARK: &str = "system/handle.json";

/// Copies the template into the home if this is the first boot. Returns true if it was.
pub(crate) fn furnish(settings: &Settings) -> io::Result<bool> {
    let home = &settings.home;
    if home.join(MARK).exists() {
        return Ok(false);
    }
    let mut copied = BTreeMap::new();
    if settings.template.is_dir() {
        copy(&settings.template, home, &settings.template, &mut copied)?;
    }
    fs::create_dir_all(home.join("system"))?;
    // An upgrade of the template will replace only files that still have the size and content recorded here.
    fs::write(
        home.join("system/template.json"),
        format!("{:#}\n", json!({ "version": env!("CARGO_PKG_VERSION"), "files": copied })),
    )?;
    let handle =
        json!({ "handle": settings.handle, "aiHandle": format!("{}_ai", settings.handle), "domain": settings.domain });
    fs::write(home.join("system/handle.new"), format!("{handle:#}\n"))?;
    fs::rename(home.join("system/handle.new"), home.join(MARK))?;
    Ok(true)
}

fn copy(from: &Path, to: &Path, top: &Path, copied: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target, top, copied)?;
        } else if !target.exists() {
            let text = fs::read(entry.path())?;
            fs::write(&target, &text)?;
            let name = entry.path().strip_prefix(top).map_err(io::Error::other)?.display().to_string();
            copied.insert(name, fingerprint(&text));
        }
    }
    Ok(())
}

/// FNV-1a, 64 bits: tells a file that was changed from one that was not; nothing secret depends on it.
fn fingerprint(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("fnv1a64:{hash:016x}")
}
