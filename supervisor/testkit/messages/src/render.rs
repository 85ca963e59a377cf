//! From a script and a call to the pieces of an answer: blanks filled in, the right form for the call, lines and
//! pieces as the script wants them.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::asked::Asked;
use crate::message;
use crate::script::{Content, Script};

/// What is sent: its type and its pieces, one for each event.
pub(crate) struct Rendered {
    pub(crate) streams: bool,
    pub(crate) gzip: bool,
    pub(crate) pieces: Vec<Bytes>,
}

/// Renders the script for this call; `id` is the answer's own.
pub(crate) fn render(script: &Script, asked: &Asked, id: &str) -> Rendered {
    let fill = |text: &str| fill(text, script, asked, id);
    let (streams, pieces) = match &script.content {
        Content::Events(text) if script.way.status == 200 => {
            let events = events(&expand(text, script, asked), fill);
            if asked.streams { (true, events) } else { (false, folded(events)) }
        }
        Content::Events(text) => (true, events(text, fill)),
        Content::Document(text) => document(fill(text), asked.streams && script.way.status == 200),
    };
    let pieces = pieces.iter().map(|piece| last_touch(piece, streams, script.way.crlf)).collect();
    let gzip = script.way.gzip && asked.takes_gzip;
    Rendered { streams, gzip, pieces: cut_up(if gzip { compress(pieces) } else { pieces }, script.way.chunk) }
}

fn events(text: &str, fill: impl Fn(&str) -> String) -> Vec<String> {
    text.split("\n\n").map(|event| fill(event.trim())).collect()
}

/// Events that hold no message (a test wrote them so) are sent as they are.
fn folded(events: Vec<String>) -> Vec<String> {
    match message::fold(&events) {
        Some(message) => vec![message.to_string()],
        None => events,
    }
}

fn document(text: String, streams: bool) -> (bool, Vec<String>) {
    match message::unfold(&text).filter(|_| streams) {
        Some(events) => (true, events),
        None => (false, vec![text]),
    }
}

/// Repeats the event of the word, once for each token.
fn expand(text: &str, script: &Script, asked: &Asked) -> String {
    let many = usize::try_from(tokens(script, asked)).unwrap_or(usize::MAX);
    let repeat =
        |event: &str| if event.contains("{{word}}") { vec![event.to_owned(); many] } else { vec![event.to_owned()] };
    text.split("\n\n").flat_map(repeat).collect::<Vec<_>>().join("\n\n")
}

fn tokens(script: &Script, asked: &Asked) -> u64 {
    script.way.tokens.min(asked.max_tokens)
}

fn fill(text: &str, script: &Script, asked: &Asked, id: &str) -> String {
    let tokens = tokens(script, asked);
    let stop = if tokens < script.way.tokens { "max_tokens" } else { "end_turn" };
    text.replace("{{model}}", &asked.model)
        .replace("{{id}}", id)
        .replace("{{word}}", "word ")
        .replace("{{stop}}", stop)
        .replace("{{tokens}}", &tokens.to_string())
}

/// `"{{raw:NaN}}"` stands for what no JSON can hold, so it is put in when everything else is done.
fn last_touch(piece: &str, streams: bool, crlf: bool) -> Bytes {
    let piece = piece.replace("\"{{raw:", "").replace("}}\"", "");
    let ended = if streams { piece + "\n\n" } else { piece };
    if crlf && streams { ended.replace('\n', "\r\n").into() } else { ended.into() }
}

/// One gzip stream, flushed after each piece so that a client can read it as it comes.
fn compress(pieces: Vec<Bytes>) -> Vec<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut compressed = Vec::new();
    for piece in pieces {
        encoder.write_all(&piece).and_then(|()| encoder.flush()).expect("a vector takes everything");
        compressed.push(std::mem::take(encoder.get_mut()).into());
    }
    compressed.push(encoder.finish().expect("a vector takes everything").into());
    compressed
}

fn cut_up(pieces: Vec<Bytes>, size: Option<usize>) -> Vec<Bytes> {
    let Some(size) = size else { return pieces };
    let whole = Bytes::from(pieces.concat());
    (0..whole.len()).step_by(size).map(|at| whole.slice(at..whole.len().min(at + size))).collect()
}
