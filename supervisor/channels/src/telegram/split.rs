//! Long texts in pieces that Telegram takes: at most 4,096 UTF-16 units, cut between paragraphs where possible. A block
//! of code that is cut goes on as a block of code.

/// A little less than Telegram takes, for the marks of a block that is closed and opened again.
const LONGEST: usize = 4_000;
/// A cut before this would leave a piece that is too small.
const SMALLEST: usize = LONGEST / 4;
const FENCE: &str = "```";

/// The pieces of a text, in order.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim().to_owned();
    while fitting(&rest) < rest.len() {
        let (piece, next) = rest.split_at(cut(&rest));
        let (piece, next) = (piece.trim_end(), next.trim_start_matches('\n'));
        match open_fence(piece) {
            Some(language) => {
                pieces.push(format!("{piece}\n{FENCE}"));
                rest = format!("{FENCE}{language}\n{next}");
            }
            None => {
                pieces.push(piece.to_owned());
                rest = next.trim_start().to_owned();
            }
        }
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

/// How many bytes of a text fit into a piece.
fn fitting(text: &str) -> usize {
    let mut units = 0;
    let too_much = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > LONGEST
    });
    too_much.map_or(text.len(), |(place, _)| place)
}

/// Where to cut: behind a paragraph, a line, a word, or where the piece is full.
fn cut(text: &str) -> usize {
    let window = &text[..fitting(text)];
    let behind = |mark: &str| window.rfind(mark).map(|place| place + mark.len()).filter(|place| *place > SMALLEST);
    ["\n\n", "\n", " "].into_iter().find_map(behind).unwrap_or(window.len())
}

/// The language of the block of code that a piece does not close, if there is one.
fn open_fence(piece: &str) -> Option<String> {
    let mut open = None;
    for line in piece.lines().filter_map(|line| line.trim_start().strip_prefix(FENCE)) {
        open = match open {
            Some(_) => None,
            None => Some(line.chars().take_while(char::is_ascii_alphanumeric).take(20).collect()),
        };
    }
    open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> usize {
        text.encode_utf16().count()
    }

    #[test]
    fn a_short_text_is_one_piece_and_an_empty_one_none() {
        assert_eq!(pieces(" hello\n"), ["hello"]);
        assert!(pieces(" \n ").is_empty());
    }

    #[test]
    fn a_long_text_is_cut_between_paragraphs() {
        let paragraph = "Some words. ".repeat(100);
        let text = [paragraph.trim(); 12].join("\n\n");
        let pieces = pieces(&text);
        assert!(pieces.len() > 3 && pieces.iter().all(|piece| units(piece) <= 4_096));
        assert_eq!(pieces.join("\n\n"), text);
    }

    #[test]
    fn a_block_of_code_goes_on_as_one() {
        let text = format!("Look:\n\n```rust\n{}```\nThat was it.", "let answer = 42;\n".repeat(600));
        let pieces = pieces(&text);
        assert!(pieces.len() > 2);
        for piece in &pieces {
            assert_eq!(piece.matches(FENCE).count() % 2, 0, "{piece}");
            assert!(units(piece) <= 4_096);
        }
        assert!(pieces[1].starts_with("```rust\nlet answer"));
    }

    #[test]
    fn letters_of_two_units_are_counted_as_two() {
        let pieces = pieces(&"🦀".repeat(5_000));
        assert!(pieces.len() == 3 && pieces.iter().all(|piece| units(piece) <= 4_096));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn whatever_is_said_nothing_is_lost_and_no_piece_is_too_long(
            words in prop::collection::vec("[A-Z🦀]{1,30}|\n|\n\n|```|```sh\n", 0..2_000),
        ) {
            let text = words.join(" ");
            let pieces = pieces(&text);
            prop_assert!(pieces.iter().all(|piece| units(piece) <= 4_096 && !piece.trim().is_empty()));
            let letters = |text: &str| text.chars().filter(|c| c.is_uppercase() || *c == '🦀').collect::<String>();
            prop_assert_eq!(letters(&pieces.concat()), letters(&text));
        }
    }
}
