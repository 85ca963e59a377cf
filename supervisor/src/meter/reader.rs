//! Reading what an answer used, while it passes: a whole answer, or a stream of events in pieces cut anywhere.
//!
//! Of each field the largest value counts that was seen, for those of a stream are totals so far and the first is often a
//! placeholder. What cannot be true (a negative number, a text, more than any call could have) is not believed, and then
//! the answer does not count as known.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::events::Events;
use super::usage::{Ending, Part, Settled, Text, Tokens, Usage};

/// More tokens than any call can have.
const ABSURD: u64 = 1_000_000_000;
/// More passes than any call takes.
const PARTS: usize = 1_000;

/// Reads what an answer used.
#[derive(Debug, Default)]
pub struct UsageReader {
    events: Events,
    seen: Seen,
    text: Text,
    error: Option<String>,
    /// The answer has come to its proper end.
    ended: bool,
    /// It has said how long it is in all: what a stream says first is a placeholder.
    totalled: bool,
}

#[derive(Debug, Default)]
struct Seen {
    input: Option<u64>,
    output: Option<u64>,
    /// All that was written to the cache; how long it stays there may be said apart.
    write: Option<u64>,
    write_5m: Option<u64>,
    write_1h: Option<u64>,
    read: Option<u64>,
    searches: Option<u64>,
    speed: Option<String>,
    geo: Option<String>,
    parts: Vec<Part>,
    /// Something could not be true.
    odd: bool,
}

/// The parts of an event, or of a whole answer, that matter here.
#[derive(Deserialize)]
struct Known<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<std::borrow::Cow<'a, str>>,
    message: Option<Inner>,
    delta: Option<Value>,
    content_block: Option<Value>,
    usage: Option<Value>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Inner {
    usage: Option<Value>,
}

impl UsageReader {
    /// Reads a whole answer that is no stream.
    pub fn json(&mut self, body: &[u8]) {
        let Ok(known) = serde_json::from_slice::<Known<'_>>(body) else {
            self.seen.odd = true;
            return;
        };
        self.total(known.usage);
        match known.kind.as_deref() {
            Some("error") => self.fail(known.error),
            _ => self.ended = true,
        }
    }

    /// Reads the next piece of a stream.
    pub fn sse(&mut self, piece: &[u8]) {
        let mut events = std::mem::take(&mut self.events);
        self.seen.odd |= events.read(piece, |data| self.event(data)).is_err();
        self.events = events;
    }

    /// Whether the answer has come to its proper end or to an error: nothing follows.
    pub fn is_over(&self) -> bool {
        self.ended || self.error.is_some()
    }

    /// What is known by now.
    pub fn progress(&self) -> Settled {
        let known = self.seen.input.is_some() && !self.seen.odd;
        let ending = match &self.error {
            Some(kind) => Ending::Error(kind.clone()),
            None if self.ended && known && self.totalled => Ending::Complete,
            None => Ending::Partial,
        };
        Settled { usage: self.seen.usage(), text: self.text, known, ending }
    }

    fn event(&mut self, data: &[u8]) {
        let Ok(known) = serde_json::from_slice::<Known<'_>>(data) else {
            self.seen.odd = true;
            self.text = self.text.plus(Text::of(&String::from_utf8_lossy(data)));
            return;
        };
        self.usage(known.message.and_then(|message| message.usage));
        self.total(known.usage);
        for shown in [known.delta, known.content_block].into_iter().flatten() {
            self.text = self.text.plus(text_in(&shown));
        }
        match known.kind.as_deref() {
            Some("message_stop") => self.ended = true,
            Some("error") => self.fail(known.error),
            _ => {}
        }
    }

    /// Usage that is said of an answer as a whole.
    fn total(&mut self, usage: Option<Value>) {
        self.totalled |= usage.as_ref().is_some_and(|usage| usage["output_tokens"].is_u64());
        self.usage(usage);
    }

    fn usage(&mut self, usage: Option<Value>) {
        match usage {
            None | Some(Value::Null) => {}
            Some(Value::Object(usage)) => self.seen.add(&usage),
            Some(_) => self.seen.odd = true,
        }
    }

    fn fail(&mut self, error: Option<Value>) {
        let kind = error.as_ref().and_then(|error| error["type"].as_str()).unwrap_or("error");
        self.error = Some(kind.chars().filter(|c| !c.is_control()).take(80).collect());
    }
}

impl Seen {
    fn add(&mut self, usage: &Map<String, Value>) {
        let (tokens, odd) = (Fields::of(usage), &mut self.odd);
        let grow = |field: &mut Option<u64>, new: Option<u64>| *field = (*field).max(new);
        grow(&mut self.input, tokens.input);
        grow(&mut self.output, tokens.output);
        grow(&mut self.write, tokens.write);
        grow(&mut self.write_5m, tokens.write_5m);
        grow(&mut self.write_1h, tokens.write_1h);
        grow(&mut self.read, tokens.read);
        *odd |= tokens.odd;
        if let Some(tools) = usage.get("server_tool_use").and_then(Value::as_object) {
            grow(&mut self.searches, count(tools, "web_search_requests", odd));
        }
        for (field, name) in [(&mut self.speed, "speed"), (&mut self.geo, "inference_geo")] {
            match usage.get(name) {
                Some(Value::String(text)) => *field = Some(text.chars().take(80).collect()),
                None | Some(Value::Null) => {}
                Some(_) => *odd = true,
            }
        }
        self.add_parts(usage.get("iterations"));
    }

    /// Of each pass the most that was said of it counts, and the model that was named first.
    fn add_parts(&mut self, parts: Option<&Value>) {
        let list = match parts {
            None | Some(Value::Null) => return,
            Some(Value::Array(list)) if list.len() <= PARTS && list.iter().all(Value::is_object) => list,
            Some(_) => {
                self.odd = true;
                return;
            }
        };
        for (place, part) in list.iter().filter_map(Value::as_object).enumerate() {
            let part = self.part(part);
            match self.parts.get_mut(place) {
                Some(before) => before.grow(part),
                None => self.parts.push(part),
            }
        }
    }

    fn part(&mut self, part: &Map<String, Value>) -> Part {
        let fields = Fields::of(part);
        self.odd |= fields.odd;
        Part { model: part.get("model").and_then(Value::as_str).map(str::to_owned), tokens: fields.tokens() }
    }

    fn usage(&self) -> Usage {
        let fields = Fields {
            input: self.input,
            output: self.output,
            write: self.write,
            write_5m: self.write_5m,
            write_1h: self.write_1h,
            read: self.read,
            odd: false,
        };
        Usage {
            tokens: fields.tokens(),
            searches: self.searches.unwrap_or(0),
            speed: self.speed.clone(),
            geo: self.geo.clone(),
            parts: self.parts.clone(),
        }
    }
}

/// The numbers of one usage object.
struct Fields {
    input: Option<u64>,
    output: Option<u64>,
    write: Option<u64>,
    write_5m: Option<u64>,
    write_1h: Option<u64>,
    read: Option<u64>,
    odd: bool,
}

impl Fields {
    fn of(usage: &Map<String, Value>) -> Self {
        let mut odd = false;
        let mut number = |of: &Map<String, Value>, name: &str| count(of, name, &mut odd);
        let (input, output) = (number(usage, "input_tokens"), number(usage, "output_tokens"));
        let write = number(usage, "cache_creation_input_tokens");
        let read = number(usage, "cache_read_input_tokens");
        let split = usage.get("cache_creation").and_then(Value::as_object);
        let write_5m = split.and_then(|split| number(split, "ephemeral_5m_input_tokens"));
        let write_1h = split.and_then(|split| number(split, "ephemeral_1h_input_tokens"));
        Self { input, output, write, write_5m, write_1h, read, odd }
    }

    fn tokens(&self) -> Tokens {
        let (write_5m, write_1h) = (self.write_5m.unwrap_or(0), self.write_1h.unwrap_or(0));
        Tokens {
            input: self.input.unwrap_or(0),
            output: self.output.unwrap_or(0),
            write_5m,
            write_1h,
            write_unsplit: self.write.unwrap_or(0).saturating_sub(write_5m.saturating_add(write_1h)),
            read: self.read.unwrap_or(0),
        }
    }
}

/// A count, if there is one that can be true.
fn count(of: &Map<String, Value>, name: &str, odd: &mut bool) -> Option<u64> {
    match of.get(name) {
        None | Some(Value::Null) => None,
        Some(value) => {
            let count = value.as_u64().filter(|count| *count <= ABSURD);
            *odd |= count.is_none();
            count
        }
    }
}

/// All texts within a value, not the names of its fields. What a tool of the provider's found is no answer.
fn text_in(value: &Value) -> Text {
    let sum = |texts: &mut dyn Iterator<Item = Text>| texts.fold(Text::default(), Text::plus);
    match value {
        Value::String(text) => Text::of(text),
        Value::Object(fields) if fields.get("type").and_then(Value::as_str).is_some_and(is_result) => Text::default(),
        Value::Object(fields) => sum(&mut fields.iter().filter(|(name, _)| *name != "type").map(|(_, v)| text_in(v))),
        Value::Array(list) => sum(&mut list.iter().map(text_in)),
        _ => Text::default(),
    }
}

fn is_result(kind: &str) -> bool {
    kind.ends_with("_tool_result")
}
