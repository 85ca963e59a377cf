//! How an answer travels: its status and headers, where it is cut, where it hangs, how fast and in which pieces it
//! comes. The words are the same in a script's head, in a marker in the prompt and in what is sent to `/_script`.

use std::time::Duration;

/// What is wrong with a script or a marker.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadScript {
    /// There is no script of this name.
    #[error("there is no script {name:?}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A word that no script knows.
    #[error("a script has no option {0:?}")]
    Option(String),
    /// A value that does not fit its option.
    #[error("the option {option} cannot be {value:?}")]
    Value {
        /// The option.
        option: String,
        /// What it was given.
        value: String,
    },
    /// Not one of the forms of a script.
    #[error("this is no script: {0}")]
    Form(String),
}

/// Where the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before any header.
    Headers,
    /// After this many bytes of the body.
    After(usize),
    /// Half-way through the body.
    Middle,
    /// Before the last byte of the body.
    Last,
}

/// Where the answer stops until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hang {
    /// Before any header.
    Headers,
    /// After this many events.
    Events(usize),
}

/// How an answer travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside those of every answer.
    pub headers: Vec<(String, String)>,
    /// Where the connection is closed.
    pub cut: Option<Cut>,
    /// Where the answer stops until it is released.
    pub hang: Option<Hang>,
    /// The pause before each piece.
    pub pace: Option<Duration>,
    /// The size of the pieces in bytes; one event each if there is none.
    pub chunk: Option<usize>,
    /// Lines end with CR LF.
    pub crlf: bool,
    /// Compressed for clients that take gzip.
    pub gzip: bool,
    /// How many tokens a long answer has.
    pub tokens: u64,
}

impl Default for Way {
    fn default() -> Self {
        let (headers, tokens) = (Vec::new(), 1);
        let (cut, hang, pace, chunk) = (None, None, None, None);
        Self { status: 200, headers, cut, hang, pace, chunk, crlf: false, gzip: false, tokens }
    }
}

impl Way {
    /// Sets one option by its word.
    pub fn set(&mut self, option: &str, value: &str) -> Result<(), BadScript> {
        let bad = || BadScript::Value { option: option.to_owned(), value: value.to_owned() };
        match option {
            "status" => self.status = value.parse().map_err(|_| bad())?,
            "header" => self.headers.push(header(value).ok_or_else(bad)?),
            "cut" => self.cut = Some(cut(value).ok_or_else(bad)?),
            "hang" => self.hang = Some(hang(value).ok_or_else(bad)?),
            "pace" => self.pace = Some(milliseconds(value).ok_or_else(bad)?),
            "chunk" => self.chunk = Some(value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?),
            "crlf" => self.crlf = true,
            "gzip" => self.gzip = true,
            "tokens" => self.tokens = value.parse().map_err(|_| bad())?,
            other => return Err(BadScript::Option(other.to_owned())),
        }
        Ok(())
    }
}

fn header(value: &str) -> Option<(String, String)> {
    value.split_once(':').map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
}

fn cut(value: &str) -> Option<Cut> {
    match value {
        "headers" => Some(Cut::Headers),
        "first" => Some(Cut::After(1)),
        "middle" => Some(Cut::Middle),
        "last" => Some(Cut::Last),
        bytes => bytes.parse().ok().map(Cut::After),
    }
}

fn hang(value: &str) -> Option<Hang> {
    if value == "headers" { Some(Hang::Headers) } else { value.parse().ok().map(Hang::Events) }
}

fn milliseconds(value: &str) -> Option<Duration> {
    value.strip_suffix("ms")?.parse().ok().map(Duration::from_millis)
}
