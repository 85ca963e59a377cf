//! The provider's key. One type holds it; it does not show itself and cannot be written anywhere.

use std::fmt;

use http::HeaderValue;

/// Longest key that is believed to be one, in bytes.
const LONGEST: usize = 512;

/// A key to the provider of models.
#[derive(Clone)]
pub struct ProviderKey(HeaderValue);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a key: one line of 8 to {LONGEST} printable characters is expected")]
pub struct NotAKey;

impl ProviderKey {
    /// A key from the text of its file.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        let fits = (8..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut value = HeaderValue::from_str(text).ok().filter(|_| fits).ok_or(NotAKey)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// As the provider wants it, in `x-api-key`.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// Whether a text holds the key: such a text is shown to nobody.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let key = self.0.as_bytes();
        text.windows(key.len()).any(|window| window == key)
    }
}

impl fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProviderKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_and_never_shown() {
        let key = ProviderKey::parse("sk-canary-12345\n").expect("a key");
        assert!(!format!("{key:?} {:?}", key.header()).contains("canary"));
        assert!(key.is_in(b"bad key: sk-canary-12345.") && !key.is_in(b"sk-canary-1234"));
        for text in [
            "",
            "short",
            "two lines\nof text",
            "a b c d e f g h",
            &"x".repeat(513),
            "sk-\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(ProviderKey::parse(text).err(), Some(NotAKey), "{text}");
        }
    }
}
