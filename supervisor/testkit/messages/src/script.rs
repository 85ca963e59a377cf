//! A script: one answer of the provider, with what a client makes of it and what it costs. Its file has a head of
//! comments (`: ` in an event stream, `// ` in a document) whose lines that begin with `@` are for us.

use crate::library;
use crate::way::{BadScript, Way};

/// What the answer costs, in nano-dollars (a thousand millionth of a dollar).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Worked out by hand in the script's head.
    Exactly(u64),
    /// The provider made tokens that it did not tell of, or told nonsense: never less than this.
    AtLeast(u64),
    /// Nothing was said before the connection was lost.
    Unknown,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Server-sent events; folded into one message for a call that does not stream.
    Events(String),
    /// One document; a message is unfolded into events for a call that streams.
    Document(String),
}

/// One answer of the provider.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its name: that of its file.
    pub name: String,
    /// What is answered.
    pub content: Content,
    /// How it travels.
    pub way: Way,
    /// The model that the cost was worked out for; others cost something else.
    pub model: Option<String>,
    /// What the provider charges for it.
    pub cost: Cost,
    /// How the official clients end: a stop reason, a class of error, `error` (some), or `any`.
    pub client: String,
    /// The usage is nonsense.
    pub hostile: bool,
    /// Only clients of the provider's beta interface know all of its blocks.
    pub beta: bool,
}

impl Script {
    /// The script of this name, from the files.
    pub fn named(name: &str) -> Result<Self, BadScript> {
        let file = library::find(name).ok_or_else(|| unknown(name))?;
        Self::parse(file.name, file.kind, file.text)
    }

    /// All scripts of the files.
    pub fn all() -> Vec<Self> {
        library::FILES.iter().map(|file| Self::named(file.name).expect("the files are tested")).collect()
    }

    /// A script as a marker says it: its name, then options as `word` or `word=value`.
    pub fn called(call: &str) -> Result<Self, BadScript> {
        let mut words = call.split_whitespace();
        let mut script = Self::named(words.next().unwrap_or_default())?;
        for word in words {
            let (option, value) = word.split_once('=').unwrap_or((word, ""));
            script.way.set(option, value)?;
        }
        Ok(script)
    }

    /// An answer that is made in the test: a document with this status.
    pub fn document(status: u16, text: impl Into<String>) -> Self {
        Self { way: Way { status, ..Way::default() }, ..Self::plain("document", Content::Document(text.into())) }
    }

    /// An answer that is made in the test: these server-sent events.
    pub fn events(text: impl Into<String>) -> Self {
        Self::plain("events", Content::Events(text.into()))
    }

    /// The same with another option, in the words of a script's head.
    pub fn with(mut self, option: &str, value: &str) -> Result<Self, BadScript> {
        self.way.set(option, value)?;
        Ok(self)
    }

    fn plain(name: &str, content: Content) -> Self {
        let (way, name) = (Way::default(), name.to_owned());
        Self { name, content, way, model: None, cost: Cost::Unknown, client: "any".into(), hostile: false, beta: false }
    }

    fn parse(name: &str, kind: library::Kind, text: &str) -> Result<Self, BadScript> {
        let (mark, content): (_, fn(String) -> Content) = match kind {
            library::Kind::Events => (":", Content::Events),
            library::Kind::Document => ("//", Content::Document),
        };
        let is_head = |line: &&str| line.starts_with(mark);
        let body: Vec<&str> = text.lines().skip_while(is_head).collect();
        let body = body.join("\n").trim().to_owned();
        let head = text.lines().take_while(is_head).map(|line| line[mark.len()..].trim());
        let mut script = Self::plain(name, content(body));
        for order in head.filter_map(|line| line.strip_prefix('@')) {
            let (word, value) = order.split_once(' ').unwrap_or((order, ""));
            script.order(word, value.trim())?;
        }
        Ok(script)
    }

    fn order(&mut self, word: &str, value: &str) -> Result<(), BadScript> {
        let number = || value.parse().map_err(|_| BadScript::Value { option: word.into(), value: value.into() });
        match word {
            "like" => self.content = Self::named(value)?.content,
            "model" => self.model = Some(value.to_owned()),
            "nano" => self.cost = Cost::Exactly(number()?),
            "at-least" => self.cost = Cost::AtLeast(number()?),
            "client" => value.clone_into(&mut self.client),
            "hostile" => self.hostile = true,
            "beta" => self.beta = true,
            option => self.way.set(option, value)?,
        }
        Ok(())
    }
}

fn unknown(name: &str) -> BadScript {
    let known: Vec<_> = library::FILES.iter().map(|file| file.name).collect();
    BadScript::Unknown { name: name.to_owned(), known: known.join(", ") }
}
