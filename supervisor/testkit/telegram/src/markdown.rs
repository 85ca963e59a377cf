//! MarkdownV2 as Telegram reads it (core.telegram.org/bots/api#markdownv2-style): strict, with an error for every mark
//! that is none.

/// What must not stand by itself outside of code.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    TextUrl,
    Code,
    Pre,
}

/// The text without its marks, or what is wrong with them.
pub(crate) fn plain(text: &str) -> Result<String, String> {
    let letters: Vec<char> = text.chars().collect();
    let mut reader = Reader { letters: &letters, at: 0, out: String::new(), open: Vec::new() };
    while reader.at < letters.len() {
        reader.step()?;
    }
    match reader.open.pop() {
        None => Ok(reader.out),
        Some((kind, at)) => Err(format!("Can't find end of {kind:?} entity at byte offset {at}")),
    }
}

struct Reader<'a> {
    letters: &'a [char],
    at: usize,
    out: String,
    open: Vec<(Kind, usize)>,
}

impl Reader<'_> {
    fn is(&self, mark: &str) -> bool {
        mark.chars().enumerate().all(|(n, letter)| self.letters.get(self.at + n) == Some(&letter))
    }

    fn take(&mut self) {
        self.out.push(self.letters[self.at]);
        self.at += 1;
    }

    fn step(&mut self) -> Result<(), String> {
        let letter = self.letters[self.at];
        let escapes = self.letters.get(self.at + 1).is_some_and(|next| (1..=126).contains(&u32::from(*next)));
        if letter == '\\' && escapes {
            self.at += 1;
            self.take();
            return Ok(());
        }
        let inside = self.open.last().map(|(kind, _)| *kind);
        if matches!(inside, Some(Kind::Code | Kind::Pre)) && letter != '`' {
            self.take();
            return Ok(());
        }
        if !RESERVED.contains(letter) {
            self.take();
            return Ok(());
        }
        if let Some(kind) = inside
            && let Some(length) = self.ends(kind)
        {
            self.at += length;
            self.open.pop();
            return if kind == Kind::TextUrl { self.address() } else { Ok(()) };
        }
        self.begin(letter)
    }

    /// How long the mark is that ends this kind, if it stands here.
    fn ends(&self, kind: Kind) -> Option<usize> {
        let (mark, not) = match kind {
            Kind::Bold => ("*", false),
            Kind::Italic => ("_", self.is("__")),
            Kind::Underline => ("__", false),
            Kind::Strikethrough => ("~", false),
            Kind::Spoiler => ("||", false),
            Kind::TextUrl => ("]", false),
            Kind::Code => ("`", false),
            Kind::Pre => ("```", false),
        };
        (self.is(mark) && !not).then_some(mark.len())
    }

    fn begin(&mut self, letter: char) -> Result<(), String> {
        let begun = match letter {
            '_' if self.is("__") => Some((Kind::Underline, 2)),
            '_' => Some((Kind::Italic, 1)),
            '*' => Some((Kind::Bold, 1)),
            '~' => Some((Kind::Strikethrough, 1)),
            '|' if self.is("||") => Some((Kind::Spoiler, 2)),
            '[' => Some((Kind::TextUrl, 1)),
            '`' if self.is("```") => Some((Kind::Pre, 3)),
            '`' => Some((Kind::Code, 1)),
            // A quotation, at the beginning of a line only.
            '>' if self.at == 0 || self.letters[self.at - 1] == '\n' => {
                self.at += 1;
                return Ok(());
            }
            _ => None,
        };
        let Some((kind, length)) = begun else {
            return Err(format!("Character '{letter}' is reserved and must be escaped with the preceding '\\'"));
        };
        if self.open.iter().any(|(open, _)| *open == kind) {
            return Err(format!("Can't find end of the entity starting at byte offset {}", self.at));
        }
        self.open.push((kind, self.at));
        self.at += length;
        if kind == Kind::Pre {
            self.skip_language();
        }
        Ok(())
    }

    fn skip_language(&mut self) {
        let rest = &self.letters[self.at..];
        let length = rest.iter().take_while(|c| !c.is_whitespace() && **c != '`').count();
        if rest.get(length) != Some(&'`') {
            self.at += length;
        }
        if self.letters.get(self.at) == Some(&'\n') {
            self.at += 1;
        }
    }

    /// The address of a link, which follows its text.
    fn address(&mut self) -> Result<(), String> {
        if !self.is("(") {
            return Ok(());
        }
        let begun = self.at;
        self.at += 1;
        while !self.is(")") {
            let step = if self.is("\\") { 2 } else { 1 };
            self.at += step;
            if self.at >= self.letters.len() {
                return Err(format!("Can't find end of a URL at byte offset {begun}"));
            }
        }
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_as_telegram_reads_them() {
        for (text, seen) in [
            (r"2 \+ 2 \= 4\.", "2 + 2 = 4."),
            (r"*bold* _italic_ __under__ ~no~ ||psst||", "bold italic under no psst"),
            (r"*bold _both_*", "bold both"),
            (r"`a_b*` [x](https://e.example/\)y)", "a_b* x"),
            ("```rust\nlet a = \\`b\\`;\n```", "let a = `b`;\n"),
            (">quoted\nnot", "quoted\nnot"),
        ] {
            assert_eq!(plain(text).as_deref(), Ok(seen), "{text}");
        }
        for text in ["a.b", "1 + 1", "*open", "_a", "a > b", "```\nopen", "[x](open", "-", "a|b"] {
            assert!(plain(text).is_err(), "{text}");
        }
    }
}
