//! Conversations as files: `system/conversations/{id}.jsonl`. Read in one pass with bounded memory, however long they are.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use cap_std::fs::{Dir, OpenOptions};
use matrixos_types::kernel::{ChatMessage, ConversationSummary, Role};

use super::lines::{self, Line};
use crate::config::open_file;

/// Where they are.
pub(crate) const FOLDER: &str = "system/conversations";
/// Longest line that is read; a longer one was not written by us.
const LINE: u64 = 4 << 20;
const PREVIEW: usize = 100;

/// Whether this can be the name of a conversation, and of a file.
pub(crate) fn is_id(id: &str) -> bool {
    (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn path(id: &str) -> io::Result<String> {
    if is_id(id) { Ok(format!("{FOLDER}/{id}.jsonl")) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Adds lines and waits until they are on the disk.
pub(crate) fn append(home: &Dir, id: &str, new: &[Line]) -> io::Result<()> {
    // One at a time: what is taken back of a line that did not fit must not be another's.
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    home.create_dir_all(FOLDER)?;
    // A turn that ends after its conversation was deleted does not bring it back.
    let begins = matches!(new.first(), None | Some(Line::User { .. } | Line::Greeting { .. }));
    let mut file = match home.open_with(path(id)?, OpenOptions::new().create(begins).append(true).read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !begins => return Ok(()),
        file => file?,
    };
    let mut bytes = Vec::new();
    if is_torn(&mut file)? {
        bytes.push(b'\n');
    }
    for line in new {
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
    }
    let length = file.metadata()?.len();
    if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
        // A disk that became full in the middle must not leave half a line.
        let _ = file.set_len(length);
        return Err(error);
    }
    Ok(())
}

/// Whether the last line was cut off.
fn is_torn(file: &mut cap_std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Gives every line to `each`, with the offset behind it. What cannot be read as a line of text is left out.
fn scan(home: &Dir, id: &str, from: u64, mut each: impl FnMut(&str, u64)) -> io::Result<()> {
    let mut file = open_file(home, &path(id)?)?;
    file.seek(SeekFrom::Start(from))?;
    let (mut reader, mut line, mut offset) = (BufReader::new(file), Vec::new(), from);
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        offset += read as u64;
        if let Ok(text) = std::str::from_utf8(&line) {
            each(text.trim_end(), offset);
        }
    }
}

/// What the model needs to know: everything since the last summary, with it, and what was said before it and waits.
pub(crate) fn since_summary(home: &Dir, id: &str) -> io::Result<Vec<Line>> {
    let (mut start, mut before) = (0, 0);
    scan(home, id, 0, |text, after| {
        if text.starts_with(lines::SUMMARY) {
            start = before;
        }
        before = after;
    })?;
    let mut found: Vec<Line> = Vec::new();
    scan(home, id, start, |text, _| found.extend(serde_json::from_str(text)))?;
    if start > 0 {
        let waiting = unanswered(home, id)?.into_iter().map(|(line, _)| line).filter(|line| !found.contains(line));
        let waiting: Vec<Line> = waiting.collect();
        let behind_it = found.len().min(1);
        found.splice(behind_it..behind_it, waiting);
    }
    Ok(found)
}

/// The newest messages before the one of that id, at most `most`; and whether there are older ones.
pub(crate) fn page(home: &Dir, id: &str, before: Option<&str>, most: usize) -> io::Result<(Vec<ChatMessage>, bool)> {
    let (mut kept, mut more, mut done) = (VecDeque::new(), false, false);
    scan(home, id, 0, |text, _| {
        let Ok(line) = serde_json::from_str::<Line>(text) else { return };
        let shown = lines::shown(line, kept.make_contiguous());
        done |= shown.as_ref().is_some_and(|message| Some(message.id.as_str()) == before);
        if let Some(message) = shown.filter(|_| !done) {
            kept.push_back(message);
            if kept.len() > most {
                kept.pop_front();
                more = true;
            }
        }
    })?;
    Ok((kept.into(), more))
}

/// The messages that hold a text, newest first, at most `most`.
pub(crate) fn search(home: &Dir, id: &str, wanted: &str, most: usize) -> io::Result<Vec<ChatMessage>> {
    let wanted = wanted.to_lowercase();
    let mut found = VecDeque::new();
    scan(home, id, 0, |text, _| {
        let Ok(line) = serde_json::from_str::<Line>(text) else { return };
        if let Some(message) = lines::shown(line, &mut []).filter(|m| m.text.to_lowercase().contains(&wanted)) {
            found.push_front(message);
            found.truncate(most);
        }
    })?;
    Ok(found.into())
}

/// What the list of conversations says about one.
pub(crate) fn summary(home: &Dir, id: &str) -> io::Result<ConversationSummary> {
    let mut summary = ConversationSummary {
        id: id.to_owned(),
        preview: String::new(),
        message_count: 0,
        created_at: 0,
        updated_at: 0,
        channel: None,
    };
    scan(home, id, 0, |text, _| {
        let Ok(line) = serde_json::from_str::<Line>(text) else { return };
        let Some(message) = lines::shown(line, &mut []) else { return };
        if summary.created_at == 0 {
            summary.created_at = message.at;
            summary.channel = message.from.as_ref().map(|from| from.channel.clone());
        }
        summary.updated_at = message.at;
        summary.message_count += usize::from(message.role != Role::Note);
        if summary.preview.is_empty() && message.role != Role::Note {
            summary.preview =
                message.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(PREVIEW).collect();
        }
    })?;
    Ok(summary)
}

/// How many messages were taken in since then (milliseconds since 1970). None if there is no such conversation.
pub(crate) fn heard_since(home: &Dir, id: &str, since: u64) -> usize {
    let mut count = 0;
    let scanned = scan(home, id, 0, |text, _| {
        count += usize::from(matches!(serde_json::from_str(text), Ok(Line::User { at, .. }) if at >= since));
    });
    scanned.map_or(0, |()| count)
}

/// Messages that were taken in and not answered, with how often that was begun, oldest first.
pub(crate) fn unanswered(home: &Dir, id: &str) -> io::Result<Vec<(Line, usize)>> {
    let mut open: Vec<(Line, usize)> = Vec::new();
    let is = |line: &Line, wanted: &str| matches!(line, Line::User { id, .. } if id == wanted);
    scan(home, id, 0, |text, _| match serde_json::from_str::<Line>(text) {
        Ok(line @ Line::User { .. }) => open.push((line, 0)),
        Ok(Line::Start { message, .. }) => {
            open.iter_mut().filter(|(line, _)| is(line, &message)).for_each(|(_, starts)| *starts += 1);
        }
        Ok(Line::End { message, .. }) => open.retain(|(line, _)| !is(line, &message)),
        _ => {}
    })?;
    Ok(open)
}

/// A message that was sent with a request id, and the answer to it, once it is there.
pub(crate) type Known = (ChatMessage, Option<String>);

/// The message that was sent with this request id, if one was. Whoever asks again is to hear as well why there is no answer.
pub(crate) fn heard(home: &Dir, id: &str, request: &str) -> io::Result<Option<Known>> {
    Ok(match told(home, id, request)? {
        Told::Nothing => None,
        Told::Waits(message) => Some((message, None)),
        Told::Answer { message, said, note } => {
            Some((message, Some(if said.is_empty() { note.unwrap_or_default() } else { said })))
        }
    })
}

/// What came of a message with a request id.
pub(crate) enum Told {
    /// There is none.
    Nothing,
    /// It is not answered yet.
    Waits(ChatMessage),
    /// Its turn has ended: with what was said, and with a note if something was the matter.
    Answer { message: ChatMessage, said: String, note: Option<String> },
}

/// What came of the message that was sent with this request id.
pub(crate) fn told(home: &Dir, id: &str, request: &str) -> io::Result<Told> {
    let (mut message, mut answering, mut said, mut end) = (None::<ChatMessage>, false, Vec::new(), None);
    let is = |known: &Option<ChatMessage>, id: &str| known.as_ref().is_some_and(|known| known.id == id);
    let scanned = scan(home, id, 0, |text, _| match serde_json::from_str::<Line>(text) {
        Ok(line @ Line::User { .. }) if message.is_none() => {
            let wanted = matches!(&line, Line::User { request_id: Some(known), .. } if known == request);
            message = lines::shown(line, &mut []).filter(|_| wanted);
        }
        Ok(Line::Start { message: id, .. }) => answering = is(&message, &id),
        Ok(Line::Assistant { content, .. }) if answering => said.push(lines::text_of(&content)),
        Ok(Line::End { message: id, note, .. }) if is(&message, &id) => end = Some(note),
        _ => {}
    });
    match scanned {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    said.retain(|text| !text.is_empty());
    Ok(match (message, end) {
        (None, _) => Told::Nothing,
        (Some(message), None) => Told::Waits(message),
        (Some(message), Some(note)) => Told::Answer { message, said: said.join("\n\n"), note },
    })
}

/// All conversations: id and length of the file, the one that changed last first.
pub(crate) fn all(home: &Dir, most: usize) -> io::Result<Vec<(String, u64)>> {
    let folder = match home.open_dir(FOLDER) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<_> = folder
        .entries()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let id = entry.file_name().to_str()?.strip_suffix(".jsonl").filter(|id| is_id(id))?.to_owned();
            let known = entry.metadata().ok().filter(|known| known.is_file())?;
            Some((known.modified().ok()?.into_std(), id, known.len()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    Ok(found.into_iter().take(most).map(|(_, id, length)| (id, length)).collect())
}

/// Begins an empty conversation. One that is there stays as it is.
pub(crate) fn begin(home: &Dir, id: &str) -> io::Result<()> {
    append(home, id, &[])
}

/// Removes a conversation.
pub(crate) fn remove(home: &Dir, id: &str) -> io::Result<()> {
    home.remove_file(path(id)?)
}
