//! Files of the home, for the AI: through the same handle as everywhere, out of which no path and no link leads.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use serde_json::Value;

use super::{Done, given, trouble};
use crate::files::{entries, relative};
use crate::kernel::limits::cut;
use crate::trash::discard;

/// Largest text that is read or written, in bytes.
const LARGEST: u64 = 4 << 20;
const LISTED: usize = 500;
/// Most lines that are read at once.
const LINES: usize = 2_000;
/// Longest line that is shown.
const LINE: usize = 2_000;
/// Files looked into, and hits, of one search.
const SEARCHED: usize = 5_000;
const HITS: usize = 100;
/// Folders nobody means when they search.
const PASSED_OVER: &[&str] = &[".git", ".trash", "node_modules", ".cache", "conversations", "logs"];

/// A path the model gives: relative to the home, or beginning with it.
pub(super) fn path(input: &Value) -> Result<PathBuf, String> {
    let text = input["path"].as_str().unwrap_or_default();
    let text = text.strip_prefix(matrixos_types::computer::HOME).or_else(|| text.strip_prefix("~/")).unwrap_or(text);
    relative(text).map_err(|failure| failure.message().to_owned())
}

fn file_path(input: &Value) -> Result<PathBuf, String> {
    given(input, "path")?;
    let path = path(input)?;
    if path.as_os_str().is_empty() { Err("`path` is empty: name a file.".to_owned()) } else { Ok(path) }
}

pub(super) fn list(home: &Dir, input: &Value) -> Done {
    let path = path(input)?;
    let (entries, more) = entries(home, &path).map_err(trouble("It cannot be listed"))?;
    let line = |entry: &matrixos_types::computer::Entry| match entry.kind {
        matrixos_types::computer::EntryKind::Directory => format!("{}/", entry.name),
        _ => format!("{}  {} bytes", entry.name, entry.size),
    };
    let mut lines: Vec<String> = entries.iter().take(LISTED).map(line).collect();
    if more || entries.len() > LISTED {
        lines.push(format!("… only the first {LISTED} are listed"));
    }
    Ok(if lines.is_empty() { "The folder is empty.".to_owned() } else { lines.join("\n") })
}

fn text(home: &Dir, path: &Path) -> Result<String, String> {
    let problem = trouble("It cannot be read");
    let known = home.metadata(path).map_err(&problem)?;
    if !known.is_file() {
        return Err("That is no file. Use list_files for folders.".to_owned());
    }
    if known.len() > LARGEST {
        return Err(format!(
            "The file has {} bytes, too many to read as a whole. Use run_command with head, tail or rg.",
            known.len()
        ));
    }
    let mut bytes = Vec::new();
    home.open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)).map_err(&problem)?;
    String::from_utf8(bytes).map_err(|_| "The file is not text.".to_owned())
}

pub(super) fn read(home: &Dir, input: &Value) -> Done {
    let text = text(home, &file_path(input)?)?;
    let first = usize::try_from(input["from_line"].as_u64().unwrap_or(1).max(1)).unwrap_or(usize::MAX);
    let count = usize::try_from(input["lines"].as_u64().unwrap_or(LINES as u64)).unwrap_or(LINES).clamp(1, LINES);
    let numbered = |(number, line): (usize, &str)| format!("{:>5}  {}", number + 1, cut(line, LINE));
    let lines: Vec<String> = text.lines().enumerate().skip(first - 1).take(count).map(numbered).collect();
    let all = text.lines().count();
    let end = first.saturating_add(lines.len()).saturating_sub(1);
    let note = if end < all { format!("\n… lines {first} to {end} of {all}") } else { String::new() };
    Ok(if lines.is_empty() { "There are no such lines.".to_owned() } else { lines.join("\n") + &note })
}

pub(super) fn search(home: &Dir, input: &Value) -> Done {
    let wanted = given(input, "text")?.to_lowercase();
    if wanted.trim().is_empty() {
        return Err("`text` is empty: give what to look for.".to_owned());
    }
    let (mut folders, mut looked, mut hits) = (vec![path(input)?], 0, Vec::new());
    while let Some(folder) = folders.pop() {
        let Ok(found) = (if folder.as_os_str().is_empty() { home.entries() } else { home.read_dir(&folder) }) else {
            continue;
        };
        for entry in found.flatten() {
            let (name, kind) = (entry.file_name(), entry.file_type());
            let path = folder.join(&name);
            match kind {
                Ok(kind) if kind.is_dir() && !PASSED_OVER.iter().any(|over| *over == name) => folders.push(path),
                Ok(kind) if kind.is_file() && looked < SEARCHED && hits.len() < HITS => {
                    looked += 1;
                    // A file that cannot be read holds no hit.
                    let _ = look_into(home, &path, &wanted, &mut hits);
                }
                _ => {}
            }
        }
    }
    Ok(if hits.is_empty() { format!("Nothing found in {looked} files.") } else { hits.join("\n") })
}

fn look_into(home: &Dir, path: &Path, wanted: &str, hits: &mut Vec<String>) -> io::Result<()> {
    let reader = BufReader::new(home.open(path)?.take(LARGEST));
    for (number, line) in reader.lines().enumerate() {
        let line = line?;
        if line.to_lowercase().contains(wanted) {
            hits.push(format!("{}:{}: {}", path.display(), number + 1, cut(line.trim(), 300)));
            if hits.len() >= HITS {
                break;
            }
        }
    }
    Ok(())
}

pub(super) fn write(home: &Dir, input: &Value) -> Done {
    let (path, text) = (file_path(input)?, given(input, "text")?);
    put(home, &path, text)?;
    Ok(format!("Written: {}, {} bytes.", path.display(), text.len()))
}

/// Writes a whole file in one step.
pub(super) fn put(home: &Dir, path: &Path, text: &str) -> Result<(), String> {
    if text.len() as u64 > LARGEST {
        return Err(format!("The text is too long; a file may be written with at most {LARGEST} bytes."));
    }
    let write = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            home.create_dir_all(folder)?;
        }
        if home.symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let draft = path.with_file_name(format!(".draft-{}", uuid::Uuid::new_v4().simple()));
        let done = home.write(&draft, text).and_then(|()| home.rename(&draft, home, path));
        if done.is_err() {
            let _ = home.remove_file(&draft);
        }
        done
    };
    write().map_err(trouble("It cannot be written"))
}

pub(super) fn edit(home: &Dir, input: &Value) -> Done {
    let (path, old, new) = (file_path(input)?, given(input, "old")?, given(input, "new")?);
    let before = text(home, &path)?;
    let count = if old.is_empty() { 0 } else { before.matches(old).count() };
    let all = input["all"].as_bool().unwrap_or(false);
    match count {
        0 => {
            return Err("The passage does not stand in the file. Read it again; spaces and line ends count.".to_owned());
        }
        2.. if !all => {
            return Err(format!("The passage stands in the file {count} times. Give more of it, or set all."));
        }
        _ => put(home, &path, &before.replace(old, new))?,
    }
    Ok(format!("Changed {count} place{} in {}.", if count == 1 { "" } else { "s" }, path.display()))
}

pub(super) fn delete(home: &Dir, input: &Value) -> Done {
    let path = file_path(input)?;
    if path.starts_with(".trash") {
        return Err("What is in the trash is deleted only by the owner.".to_owned());
    }
    discard(home, &path).map_err(trouble("It cannot be moved to the trash"))?;
    Ok(format!("{} is in the trash.", path.display()))
}
