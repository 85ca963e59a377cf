//! The whole store as text: one JSON object a line, with a last line that says how many there were and their hash.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sled::Tree;

use crate::error::StoreError;
use crate::migrate;
use crate::store::Store;

/// Why an export or import did not finish.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Reading or writing failed.
    #[error("the export file: {0}")]
    Io(#[from] io::Error),
    /// The file is not an export, or not a whole one.
    #[error("line {line} of the export file: {why}; nothing was imported")]
    Content {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A newer program has written the file.
    #[error(
        "the export has version {0}, which this program does not know; use the newer program; nothing was imported"
    )]
    Newer(u32),
    /// Importing would mix two installations.
    #[error("the store is not empty; import into a new one")]
    NotEmpty,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    /// The key, in hexadecimal.
    key: String,
    /// Of the record's envelope.
    version: u8,
    record: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct End {
    /// Of the store: which migrations it has behind it.
    #[serde(default)]
    version: u32,
    records: usize,
    sha256: String,
}

/// Writes every record. Returns how many. What changes meanwhile may be in it or not.
pub fn export(store: &Store, out: &mut dyn Write) -> Result<usize, ExportError> {
    let (mut hash, mut records) = (Sha256::new(), 0);
    for (name, tree) in store.trees() {
        for entry in tree.iter() {
            let (key, value) = entry.map_err(StoreError::from)?;
            let line = line(name, &key, &value)?;
            hash.update(&line);
            out.write_all(line.as_bytes())?;
            records += 1;
        }
    }
    let end = End { version: migrate::version(store)?, records, sha256: to_hex(&hash.finalize()) };
    writeln!(out, "{}", serde_json::to_string(&end).map_err(io::Error::other)?)?;
    Ok(records)
}

fn line(table: &'static str, key: &[u8], value: &[u8]) -> Result<String, ExportError> {
    let damaged = |why: String| StoreError::Damaged { table, why };
    let (version, json) = value.split_first().ok_or_else(|| damaged("an empty record".to_owned()))?;
    let text = std::str::from_utf8(json).map_err(|e| damaged(e.to_string()))?;
    let record = RawValue::from_string(text.to_owned()).map_err(|e| damaged(e.to_string()))?;
    let line = Line { table: table.to_owned(), key: to_hex(key), version: *version, record };
    Ok(serde_json::to_string(&line).map_err(io::Error::other)? + "\n")
}

/// Reads an export into an empty store, in one transaction's stead: the whole file is checked before the first record is
/// written, and the store says that it is whole only after the last.
pub fn import(store: &Store, input: &mut dyn BufRead) -> Result<usize, ExportError> {
    if store.trees().iter().any(|(name, tree)| *name != "meta" && !tree.is_empty()) {
        return Err(ExportError::NotEmpty);
    }
    let lines: Vec<String> = input.lines().collect::<io::Result<_>>()?;
    let (end, lines) = checked(&lines)?;
    let parse = |(index, line): (usize, &String)| parse(store, index + 1, line);
    let parsed: Vec<_> = lines.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
    for (tree, key, value) in parsed {
        tree.insert(key, value).map_err(StoreError::from)?;
    }
    migrate::set_version(store, end.version)?;
    migrate::migrate(store)?;
    store.load_indexes();
    Ok(end.records)
}

/// The last line and the records' lines, if they are what was exported.
fn checked(lines: &[String]) -> Result<(End, &[String]), ExportError> {
    let Some((last, records)) = lines.split_last() else { return Err(content(1, "it is empty")) };
    let cut = |_| content(lines.len(), "the last line is missing: the file is cut off");
    let end: End = serde_json::from_str(last).map_err(cut)?;
    let hash = records.iter().fold(Sha256::new(), |hash, line| hash.chain_update(line).chain_update("\n"));
    if end.records != records.len() || end.sha256 != to_hex(&hash.finalize()) {
        return Err(content(lines.len(), "the count or hash is different: the file was changed"));
    }
    if end.version > migrate::VERSION {
        return Err(ExportError::Newer(end.version));
    }
    Ok((end, records))
}

fn parse<'a>(store: &'a Store, number: usize, line: &str) -> Result<(&'a Tree, Vec<u8>, Vec<u8>), ExportError> {
    let line: Line = serde_json::from_str(line).map_err(|e| content(number, &e.to_string()))?;
    let tree = store.trees().into_iter().find(|(name, _)| *name == line.table);
    let (_, tree) = tree.ok_or_else(|| content(number, "an unknown table"))?;
    let key = from_hex(&line.key).ok_or_else(|| content(number, "a key that is not hexadecimal"))?;
    let value = [&[line.version], line.record.get().as_bytes()].concat();
    Ok((tree, key, value))
}

fn content(line: usize, why: &str) -> ExportError {
    ExportError::Content { line, why: why.to_owned() }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2);
    digits.map(byte).collect()
}
