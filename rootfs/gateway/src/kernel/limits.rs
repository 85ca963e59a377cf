//! How much of anything the AI is given.

/// Most letters of one message, in bytes.
pub(crate) const MESSAGE: usize = 100_000;
/// Most bytes of one tool's result.
pub(crate) const RESULT: usize = 24_000;
/// Messages of one conversation that wait.
pub(crate) const WAITING: usize = 20;
/// Turns at the same time, over all conversations. The platform allows a person five calls.
pub(crate) const TURNS: usize = 3;
/// Tools of one answer that run at the same time.
pub(crate) const PARALLEL: usize = 4;
/// Most tokens of one answer.
pub(crate) const ANSWER_TOKENS: u32 = 16_000;
/// A conversation whose messages have more bytes than this is summed up before the next turn.
pub(crate) const COMPACT_BYTES: usize = 200_000;

/// At most the first `most` bytes, at a letter's border.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// At most `most` bytes: the beginning and the end, and between them what was left out.
pub(crate) fn both_ends(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = cut(text, most * 2 / 3);
    let tail = &text[text.ceil_char_boundary(text.len() - most / 3)..];
    format!("{head}\n[… {} bytes left out …]\n{tail}", text.len() - head.len() - tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_both_ends() {
        let text = format!("begin{}end", "ü".repeat(50_000));
        let short = both_ends(&text, 1_000);
        assert!(short.starts_with("begin") && short.ends_with("end") && short.len() < 1_100);
        assert_eq!(both_ends("short", 10), "short");
    }
}
