//! From the Markdown that AIs write to Telegram's MarkdownV2 (core.telegram.org/bots/api#markdownv2-style), in which
//! everything that could be a mark and is none must be escaped.

/// What must be escaped outside of marks.
const RESERVED: &str = r"_*[]()~`>#+-=|{}.!\";
const FENCE: &str = "```";

/// The same text for Telegram. What is not understood is shown as it stands.
pub(crate) fn formatted(text: &str) -> String {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.trim_start().strip_prefix(FENCE) {
            Some(language) => {
                let code: Vec<&str> = lines.by_ref().take_while(|line| !line.trim_start().starts_with(FENCE)).collect();
                out.push(block(language, &code.join("\n")));
            }
            None => out.push(plain_line(line)),
        }
    }
    out.join("\n")
}

/// A block of code; an empty one would be none to Telegram.
fn block(language: &str, code: &str) -> String {
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    let code = if code.trim().is_empty() { " " } else { code };
    format!("{FENCE}{language}\n{}\n{FENCE}", within_code(code))
}

fn plain_line(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    if let Some(heading) = heading(text) {
        return format!("*{}*", escaped(heading));
    }
    match text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
        Some(item) => format!("{indent}• {}", inline(item)),
        None => format!("{indent}{}", inline(text)),
    }
}

fn heading(text: &str) -> Option<&str> {
    let title = text.trim_start_matches('#');
    let marks = text.len() - title.len();
    let title = title.strip_prefix(' ')?.trim().trim_matches('*');
    ((1..=6).contains(&marks) && !title.is_empty()).then_some(title)
}

/// Marks within a line. They do not lie within each other: what is inside of one is text.
fn inline(text: &str) -> String {
    let (mut out, mut rest, mut before) = (String::new(), text, None);
    while let Some(letter) = rest.chars().next() {
        let length = match mark(rest, before) {
            Some((shown, length)) => {
                out.push_str(&shown);
                length
            }
            None => {
                push_escaped(&mut out, letter);
                letter.len_utf8()
            }
        };
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    out
}

/// The mark that a text begins with, as Telegram writes it, and how long it was.
fn mark(text: &str, before: Option<char>) -> Option<(String, usize)> {
    let within = |open: &str| {
        let inner = text.strip_prefix(open)?;
        let inner = &inner[..inner.find(open)?];
        let tight = !inner.is_empty() && inner.trim() == inner;
        tight.then_some((inner, inner.len() + 2 * open.len()))
    };
    if let Some((code, length)) = within("`") {
        return Some((format!("`{}`", within_code(code)), length));
    }
    if let Some((bold, length)) = within("**") {
        return Some((format!("*{}*", escaped(bold)), length)).filter(|_| !bold.contains('*'));
    }
    if let Some((struck, length)) = within("~~") {
        return Some((format!("~{}~", escaped(struck)), length));
    }
    for open in ["*", "_"] {
        // In `snake_case` and `2*3*4` they are no marks, and two next to each other would be another one to Telegram.
        let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && !"*_".contains(c));
        if let Some((leaning, length)) = within(open)
            && free(before)
            && free(text[length..].chars().next())
        {
            return Some((format!("_{}_", escaped(leaning)), length));
        }
    }
    link(text)
}

/// `[text](address)`, where the address is one.
fn link(text: &str) -> Option<(String, usize)> {
    let (shown, rest) = text.strip_prefix('[')?.split_once("](")?;
    let address = &rest[..rest.find(')')?];
    let is_address = ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme));
    let clear = !shown.trim().is_empty() && !shown.contains(['[', ']']) && !address.contains(char::is_whitespace);
    let target = address.replace('\\', r"\\").replace(')', r"\)");
    (is_address && clear).then(|| (format!("[{}]({target})", escaped(shown)), shown.len() + address.len() + 4))
}

fn push_escaped(out: &mut String, letter: char) {
    if RESERVED.contains(letter) {
        out.push('\\');
    }
    out.push(letter);
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        push_escaped(&mut out, letter);
        out
    })
}

fn within_code(text: &str) -> String {
    text.replace('\\', r"\\").replace('`', r"\`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_ais_write_is_what_telegram_shows() {
        for (written, sent) in [
            ("2 + 2 = 4. Really!", r"2 \+ 2 \= 4\. Really\!"),
            ("# The *plan*", r"*The \*plan*"),
            ("**Bold**, *leaning* and _leaning_.", r"*Bold*, _leaning_ and _leaning_\."),
            ("snake_case_name and 2*3*4", r"snake\_case\_name and 2\*3\*4"),
            ("`a_b\\`", r"`a_b\\`"),
            ("- one\n  - two", "• one\n  • two"),
            ("[here](https://e.example/a_(b)", r"[here](https://e.example/a_(b)"),
            ("[no](javascript:x)", r"\[no\]\(javascript:x\)"),
            ("```rust\nlet a = `b`;\n```", "```rust\nlet a = \\`b\\`;\n```"),
            ("```\nnot closed", "```\nnot closed\n```"),
            ("a ** b", r"a \*\* b"),
            ("_a__b_", r"\_a\_\_b\_"),
            ("~~gone~~ > x | y", r"~gone~ \> x \| y"),
        ] {
            assert_eq!(formatted(written), sent, "{written}");
        }
    }
    proptest! {
        #[test]
        fn whatever_an_ai_writes_telegram_takes_it(
            text in r"([a-c]|[_*`~|>#+=.!(){}\[\]\\ \n-]|\*\*|```|https://e|\]\(){0,60}",
        ) {
            let seen = matrixos_telegram::seen(&formatted(&text));
            prop_assert!(seen.is_ok(), "{:?} became {:?}: {:?}", text, formatted(&text), seen);
            let letters = |text: &str| text.chars().filter(|c| "abc".contains(*c)).count();
            // A link's address and a block's language are not seen.
            let hides = text.contains("](http") || text.contains("```");
            prop_assert!(hides || seen.is_ok_and(|seen| letters(&seen) == letters(&text)));
        }
    }
}
