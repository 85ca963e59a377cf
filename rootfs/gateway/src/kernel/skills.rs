//! Skills: `agents/skills/{name}.md`. The AI is told the first line of each, and reads one when it needs it.

use cap_std::fs::Dir;
use serde_json::Value;

use super::tools::{Done, given};
use crate::apps::is_name;
use crate::config::small_file;

const FOLDER: &str = "agents/skills";
const LARGEST: u64 = 20_000;

/// `- name: what it is about`, in order.
pub(crate) fn list(home: &Dir) -> String {
    let mut lines: Vec<String> = names(home)
        .into_iter()
        .map(|name| {
            let text = small_file(home, &format!("{FOLDER}/{name}.md"), 400).unwrap_or_default();
            let about =
                text.lines().map(|line| line.trim_start_matches(['#', ' ']).trim()).find(|line| !line.is_empty());
            format!("- {name}: {}", super::limits::cut(about.unwrap_or_default(), 100))
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

fn names(home: &Dir) -> Vec<String> {
    let files =
        home.read_dir(FOLDER).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    files
        .filter_map(|file| file.strip_suffix(".md").filter(|name| is_name(name)).map(str::to_owned))
        .take(100)
        .collect()
}

pub(super) fn load(home: &Dir, input: &Value) -> Done {
    let name = given(input, "name")?;
    let text = if is_name(name) { small_file(home, &format!("{FOLDER}/{name}.md"), LARGEST) } else { None };
    text.ok_or_else(|| format!("There is no skill of that name. There are: {}.", names(home).join(", ")))
}
