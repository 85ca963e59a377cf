//! A handle: the permanent public name of a user, and the DNS label of their computer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A syntactically valid handle: `^[a-z][a-z0-9-]{2,30}$`, no trailing or double hyphen.
///
/// The double-hyphen rule also excludes every `xn--` label (RFC 5890, section 2.3.1). Whether a handle is
/// reserved or taken is not a matter of syntax and is decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

/// Why a text is not a handle. The messages are written for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Fewer than [`Handle::MIN`] characters.
    #[error("A handle needs at least 3 characters.")]
    TooShort,
    /// More than [`Handle::MAX`] characters.
    #[error("A handle has at most 31 characters.")]
    TooLong,
    /// The first character is not a lower-case letter.
    #[error("A handle starts with a lower-case letter, a to z.")]
    FirstCharacter,
    /// A character outside `a-z`, `0-9` and `-`.
    #[error("A handle has only lower-case letters a to z, digits and hyphens.")]
    Character,
    /// A trailing hyphen, or two in a row.
    #[error("A hyphen stands alone between two letters or digits.")]
    Hyphen,
}

impl Handle {
    /// Shortest handle, in characters.
    pub const MIN: usize = 3;
    /// Longest handle, in characters.
    pub const MAX: usize = 31;

    /// Parses a handle. Nothing is trimmed or lower-cased: what a user sees is what they get.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let bytes = text.as_bytes();
        if let Some(bad) = bytes.iter().position(|b| !is_handle_byte(*b)) {
            return Err(if bad == 0 { HandleError::FirstCharacter } else { HandleError::Character });
        }
        match bytes.len() {
            n if n < Self::MIN => return Err(HandleError::TooShort),
            n if n > Self::MAX => return Err(HandleError::TooLong),
            _ => {}
        }
        if !bytes[0].is_ascii_lowercase() {
            return Err(HandleError::FirstCharacter);
        }
        if text.ends_with('-') || text.contains("--") {
            return Err(HandleError::Hyphen);
        }
        Ok(Self(text.to_owned()))
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_handle_byte(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Handle {
    type Err = HandleError;
    fn from_str(text: &str) -> Result<Self, HandleError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Handle {
    type Error = HandleError;
    fn try_from(text: String) -> Result<Self, HandleError> {
        Self::parse(&text)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_follow_the_published_rule() {
        for good in ["abc", "hamed", "a1b", "a-b", "hamed-os-2", &"a".repeat(31)] {
            assert!(Handle::parse(good).is_ok(), "{good}");
        }
        let bad = [
            ("", HandleError::TooShort),
            ("ab", HandleError::TooShort),
            ("1ab", HandleError::FirstCharacter),
            ("-ab", HandleError::FirstCharacter),
            ("Hamed", HandleError::FirstCharacter),
            ("haMed", HandleError::Character),
            ("ha med", HandleError::Character),
            ("ha.med", HandleError::Character),
            ("häm", HandleError::Character),
            ("hаmed", HandleError::Character), // a Cyrillic "а"
            ("ham\0", HandleError::Character),
            ("ham-", HandleError::Hyphen),
            ("ha--med", HandleError::Hyphen),
            ("xn--abc", HandleError::Hyphen),
        ];
        for (text, why) in bad {
            assert_eq!(Handle::parse(text), Err(why), "{text}");
        }
        assert_eq!(Handle::parse(&"a".repeat(32)), Err(HandleError::TooLong));
    }

    #[test]
    fn a_bad_handle_does_not_deserialise() {
        assert!(serde_json::from_str::<Handle>("\"Root\"").is_err());
    }
}
