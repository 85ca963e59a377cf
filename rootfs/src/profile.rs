//! What a user says about themselves to everybody: `profile.md` in their home, as plain text.

use std::time::Duration;

use crate::tenant::{TenantFileError, TenantHome, TenantPath, is_direction};

/// Most bytes of a profile, of the file as well as of the text.
pub const LONGEST: usize = 16 * 1024;

/// The file, relative to the home.
const NAME: &[u8] = b"profile.md";
const WITHIN: Duration = Duration::from_secs(2);

/// The text of a home's profile. `None` if there is none, or nothing in it is meant to be shown.
pub fn read(home: &TenantHome) -> Result<Option<String>, TenantFileError> {
    let name = TenantPath::parse(NAME).expect("a plain name");
    match home.read(&name, LONGEST, WITHIN) {
        Ok(bytes) => Ok(Some(shown(&String::from_utf8_lossy(&bytes))).filter(|text| !text.is_empty())),
        Err(TenantFileError::Absent) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text without comments, without what cannot be seen and without what turns the direction of writing.
fn shown(text: &str) -> String {
    let mut plain: String = without_comments(text).chars().filter_map(visible).collect();
    plain.truncate(plain.floor_char_boundary(LONGEST));
    plain.trim().to_owned()
}

/// Markdown's comments are HTML's: from `<!--` to `-->`.
fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept + rest
}

fn visible(c: char) -> Option<char> {
    match c {
        '\n' => Some('\n'),
        '\t' => Some(' '),
        '\u{2028}' | '\u{2029}' => Some('\n'),
        // A mark of byte order, and the brackets of annotations (Unicode 15.1, section 23.8).
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' => None,
        c if c.is_control() || is_direction(c) => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_text_and_nothing_but_text() {
        let text =
            "\u{feff}<!-- for me -->\r\nHi,\tI am \u{202e}ecila\u{202c}.\u{0}\u{1b}[31m\n\n<script>alert(1)</script>";
        assert_eq!(shown(text), "Hi, I am ecila.[31m\n\n<script>alert(1)</script>");
        assert_eq!(shown("a <!-- never closed"), "a");
        assert_eq!(shown("a <!--> b --> c"), "a  c");
    }

    #[test]
    fn the_text_is_bounded_although_replacement_characters_are_long() {
        let text = String::from_utf8_lossy(&[0xff; LONGEST]).into_owned();
        assert_eq!(text.len(), 3 * LONGEST);
        assert!(shown(&text).len() <= LONGEST && shown(&text).ends_with('\u{fffd}'));
    }

    #[test]
    fn the_template_shows_nothing_until_something_is_written() {
        assert_eq!(shown(include_str!("../home/profile.md")), "");
    }
}
