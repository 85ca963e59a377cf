//! What the AI remembers: `system/memories.md`, one line each, which the owner can read and change.

use std::io::Write;

use cap_std::fs::{Dir, OpenOptions};
use serde_json::Value;

use super::source::VISITORS;
use super::tools::{Done, given, trouble};
use crate::config::small_file;
use crate::conversations;

pub(crate) const FILE: &str = "system/memories.md";
const KNOWLEDGE: &str = "agents/knowledge";
/// Largest file of memories; behind that something has to be forgotten first.
const LARGEST: u64 = 1 << 20;
const HITS: usize = 30;

pub(super) fn remember(home: &Dir, input: &Value, day: &str) -> Done {
    let text = given(input, "text")?.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.len() > 1_000 {
        return Err("A memory has 1 to 1,000 letters.".to_owned());
    }
    let add = || {
        home.create_dir_all("system")?;
        let mut file = home.open_with(FILE, OpenOptions::new().create(true).append(true))?;
        if file.metadata()?.len() > LARGEST {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        file.write_all(format!("- {text} ({day})\n").as_bytes())
    };
    add().map_err(trouble("It cannot be kept"))?;
    Ok("Remembered.".to_owned())
}

pub(super) fn recall(home: &Dir, input: &Value) -> Done {
    let wanted = given(input, "text")?.trim().to_lowercase();
    if wanted.is_empty() {
        return Err("`text` is empty: give what to look for.".to_owned());
    }
    let mut hits = lines(home, FILE, &wanted);
    let names = home.read_dir(KNOWLEDGE).into_iter().flatten().filter_map(|e| e.ok()?.file_name().into_string().ok());
    for name in names.take(200) {
        hits.extend(lines(home, &format!("{KNOWLEDGE}/{name}"), &wanted));
    }
    // What visitors said is no memory of the owner's.
    let said = conversations::find(home, &wanted, |id| !id.starts_with(VISITORS)).unwrap_or_default();
    hits.extend(said.iter().map(conversations::Hit::line));
    hits.truncate(HITS);
    Ok(if hits.is_empty() { "Nothing is remembered about that.".to_owned() } else { hits.join("\n") })
}

fn lines(home: &Dir, name: &str, wanted: &str) -> Vec<String> {
    let text = small_file(home, name, LARGEST).unwrap_or_default();
    let found = text.lines().filter(|line| line.to_lowercase().contains(wanted)).take(HITS);
    found.map(|line| format!("{name}: {}", super::limits::cut(line, 300))).collect()
}
