//! The whole store as text: one JSON object a line, with a last line that says how many there were and their hash.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::store::{Store, StoreError};
use crate::table::NAMES;

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
    /// Importing would mix two installations.
    #[error("the store is not empty; import into a new one")]
    NotEmpty,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    /// The key, in hexadecimal.
    key: String,
    version: u8,
    record: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct End {
    records: usize,
    sha256: String,
}

/// Writes every record. Returns how many.
pub fn export(store: &Store, out: &mut dyn Write) -> Result<usize, ExportError> {
    let (mut hash, mut records) = (Sha256::new(), 0);
    for name in NAMES {
        let table = store.table(name).expect("every name has its table");
        for entry in table.tree.iter() {
            let (key, value) = entry.map_err(StoreError::from)?;
            let (version, json) = value.split_first().ok_or_else(|| damaged(name, "an empty record"))?;
            let text = std::str::from_utf8(json).map_err(|e| damaged(name, &e.to_string()))?;
            let record = RawValue::from_string(text.to_owned()).map_err(|e| damaged(name, &e.to_string()))?;
            let line = Line { table: name.to_owned(), key: to_hex(&key), version: *version, record };
            let line = serde_json::to_string(&line).map_err(io::Error::other)? + "\n";
            hash.update(&line);
            out.write_all(line.as_bytes())?;
            records += 1;
        }
    }
    let end = End { records, sha256: to_hex(&hash.finalize()) };
    writeln!(out, "{}", serde_json::to_string(&end).map_err(io::Error::other)?)?;
    Ok(records)
}

/// Reads an export into an empty store. The whole file is checked before the first record is written.
pub fn import(store: &Store, input: &mut dyn BufRead) -> Result<usize, ExportError> {
    if NAMES.iter().any(|name| store.table(name).is_some_and(|t| !t.tree.is_empty())) {
        return Err(ExportError::NotEmpty);
    }
    let lines: Vec<String> = input.lines().collect::<io::Result<_>>()?;
    let Some((last, records)) = lines.split_last() else { return Err(content(1, "it is empty")) };
    let end: End = serde_json::from_str(last)
        .map_err(|_| content(lines.len(), "the last line is missing: the file is cut off"))?;
    let hash = records.iter().fold(Sha256::new(), |hash, line| hash.chain_update(line).chain_update("\n"));
    if end.records != records.len() || end.sha256 != to_hex(&hash.finalize()) {
        return Err(content(lines.len(), "the count or hash is different: the file was changed"));
    }
    let parsed: Vec<_> =
        records.iter().enumerate().map(|(index, line)| parse(store, index + 1, line)).collect::<Result<_, _>>()?;
    for (table, key, value) in parsed {
        table.tree.insert(key, value).map_err(StoreError::from)?;
    }
    store.settle_import()?;
    Ok(records.len())
}

type Parsed<'a> = (&'a crate::table::Table, Vec<u8>, Vec<u8>);

fn parse<'a>(store: &'a Store, number: usize, line: &str) -> Result<Parsed<'a>, ExportError> {
    let line: Line = serde_json::from_str(line).map_err(|e| content(number, &e.to_string()))?;
    let table = store.table(&line.table).ok_or_else(|| content(number, "an unknown table"))?;
    let key = from_hex(&line.key).ok_or_else(|| content(number, "a key that is not hexadecimal"))?;
    let value = [&[line.version], line.record.get().as_bytes()].concat();
    Ok((table, key, value))
}

fn content(line: usize, why: &str) -> ExportError {
    ExportError::Content { line, why: why.to_owned() }
}

fn damaged(table: &'static str, why: &str) -> StoreError {
    StoreError::Damaged { table, why: why.to_owned() }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2))
        .collect()
}
