//! What a call used, as values.

/// Tokens of a call, or of a part of one. Those of the cache are not among those of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Of the prompt.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
    /// Written to the cache for five minutes.
    pub write_5m: u64,
    /// Written to the cache for an hour.
    pub write_1h: u64,
    /// Written to the cache, and the answer does not say for how long.
    pub write_unsplit: u64,
    /// Read from the cache.
    pub read: u64,
}

impl Tokens {
    /// What decides which rates hold: all that went in.
    pub fn prompt(&self) -> u64 {
        let parts = [self.input, self.write_5m, self.write_1h, self.write_unsplit, self.read];
        parts.into_iter().fold(0, u64::saturating_add)
    }

    /// The most of each. What one of them says was written for a known time is not counted again as of an unknown one.
    #[must_use]
    pub fn most(self, other: Self) -> Self {
        let written = |t: Self| t.write_5m.saturating_add(t.write_1h).saturating_add(t.write_unsplit);
        let (write_5m, write_1h) = (self.write_5m.max(other.write_5m), self.write_1h.max(other.write_1h));
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            write_5m,
            write_1h,
            write_unsplit: written(self).max(written(other)).saturating_sub(write_5m.saturating_add(write_1h)),
            read: self.read.max(other.read),
        }
    }

    /// With what was written to the cache for an unknown time among what was written for an hour, or for five minutes.
    #[must_use]
    pub fn split(mut self, hour: bool) -> Self {
        let place = if hour { &mut self.write_1h } else { &mut self.write_5m };
        *place = place.saturating_add(self.write_unsplit);
        self.write_unsplit = 0;
        self
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            write_5m: self.write_5m.saturating_add(other.write_5m),
            write_1h: self.write_1h.saturating_add(other.write_1h),
            write_unsplit: self.write_unsplit.saturating_add(other.write_unsplit),
            read: self.read.saturating_add(other.read),
        }
    }
}

/// One of several passes that a single call took, perhaps with a model of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The model, if it says.
    pub model: Option<String>,
    /// What it used.
    pub tokens: Tokens,
}

impl Part {
    /// Takes what was said of the same pass later.
    pub(super) fn grow(&mut self, later: Self) {
        self.tokens = self.tokens.most(later.tokens);
        self.model = self.model.take().or(later.model);
    }
}

/// What a call used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the whole.
    pub tokens: Tokens,
    /// Searches of the web.
    pub searches: u64,
    /// At which speed it ran, if it says.
    pub speed: Option<String>,
    /// Where it ran, if it says.
    pub geo: Option<String>,
    /// The passes, where the answer lists them: some tokens are in them only.
    pub parts: Vec<Part>,
}

impl Usage {
    /// Whether the passes that are listed used as much as is said of the whole, of every kind.
    pub(super) fn parts_cover_the_whole(&self) -> bool {
        let listed = self.parts.iter().fold(Tokens::default(), |sum, part| sum.plus(part.tokens)).split(false);
        let whole = self.tokens.split(false);
        let written = |tokens: Tokens| tokens.write_5m.saturating_add(tokens.write_1h);
        !self.parts.is_empty()
            && listed.input >= whole.input
            && listed.output >= whole.output
            && listed.read >= whole.read
            && written(listed) >= written(whole)
    }

    /// All tokens: those of the passes, where they are more than what is said of the whole.
    pub fn total(&self) -> Tokens {
        self.tokens.most(self.parts.iter().fold(Tokens::default(), |sum, part| sum.plus(part.tokens)))
    }
}

/// How much text there is, and how many tokens that may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Letters and spaces of ASCII: words, of which a token has three or more as a rule.
    words: u64,
    /// All other bytes.
    others: u64,
}

impl Text {
    /// This text.
    pub fn of(text: &str) -> Self {
        let words = text.bytes().filter(|b| b.is_ascii_alphabetic() || *b == b' ').count() as u64;
        Self { words, others: text.len() as u64 - words }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = u64::saturating_add;
        Self { words: sum(self.words, other.words), others: sum(self.others, other.others) }
    }

    /// The most tokens that it can be: none has less than a byte.
    pub fn at_most(self) -> u64 {
        self.words.saturating_add(self.others)
    }

    /// How many tokens it may be, rather too many than too few: for an answer that broke off, nobody else tells.
    pub fn likely(self) -> u64 {
        self.words.div_ceil(3).saturating_add(self.others)
    }
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is whole and says what it used.
    Complete,
    /// It broke off, or does not say.
    Partial,
    /// The provider reported an error in the middle of it, of this kind.
    Error(String),
}

/// What is known of an answer, at its end or on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What it says it used.
    pub usage: Usage,
    /// Text in it.
    pub text: Text,
    /// Whether it said what its prompt used, and nothing that cannot be.
    pub known: bool,
    /// How it ended.
    pub ending: Ending,
}

impl Settled {
    /// Nothing is known, because nothing came.
    pub fn nothing() -> Self {
        Self { usage: Usage::default(), text: Text::default(), known: false, ending: Ending::Partial }
    }
}
