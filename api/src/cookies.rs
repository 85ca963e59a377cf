//! The platform's cookies: read with suspicion, written for one host only.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use matrixos_supervisor::accounts::{ACCESS, Presented, SESSION, Secret, Tokens};

/// How long a browser may take from wanting to open a computer to being let in.
const ENTRY: Duration = Duration::from_secs(600);
/// On a computer's host: the secret of a browser that is on its way in.
pub(crate) const ENTRY_COOKIE: &str = "__Host-mx_enter";

/// The two cookies of a signed-in browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) access: &'static str,
    pub(crate) refresh: &'static str,
}

/// On the platform's host.
pub(crate) const PLATFORM: Names = Names { access: "__Host-mx_session", refresh: "__Host-mx_refresh" };
/// On the host of the owner's computer.
pub(crate) const COMPUTER: Names = Names { access: "__Host-mx_computer", refresh: "__Host-mx_computer_refresh" };

impl Names {
    /// What a browser shows.
    pub(crate) fn presented<'a>(&self, headers: &'a HeaderMap) -> Presented<'a> {
        Presented { access: cookie(headers, self.access), refresh: cookie(headers, self.refresh) }
    }

    /// Gives a browser its tokens.
    pub(crate) fn give(&self, tokens: &Tokens, headers: &mut HeaderMap) {
        set(self.access, &tokens.access, ACCESS, headers);
        if let Some(refresh) = &tokens.refresh {
            set(self.refresh, refresh, SESSION, headers);
        }
    }

    /// Takes them away.
    pub(crate) fn clear(&self, headers: &mut HeaderMap) {
        for name in [self.access, self.refresh] {
            append(name, "", Duration::ZERO, headers);
        }
    }

    /// Whether an answer gives or takes a token already.
    pub(crate) fn are_in(&self, headers: &HeaderMap) -> bool {
        let begins = |value: &HeaderValue, name: &str| {
            value.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        };
        headers.get_all(header::SET_COOKIE).iter().any(|v| begins(v, self.access) || begins(v, self.refresh))
    }
}

/// Remembers a browser that is on its way into a computer.
pub(crate) fn set_entry(nonce: &Secret, headers: &mut HeaderMap) {
    set(ENTRY_COOKIE, nonce, ENTRY, headers);
}

fn set(name: &str, secret: &Secret, age: Duration, headers: &mut HeaderMap) {
    append(name, secret.expose(), age, headers);
}

/// A cookie that only this very host gets back, over TLS or localhost, and that no script can read
/// (RFC 6265bis, section 4.1.3.2). Lax: a person who follows a link arrives signed in.
fn append(name: &str, value: &str, age: Duration, headers: &mut HeaderMap) {
    let text = format!("{name}={value}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", age.as_secs());
    let mut value = HeaderValue::from_str(&text).expect("tokens are base64url, dots and nothing else");
    value.set_sensitive(true);
    headers.append(header::SET_COOKIE, value);
}

/// The value of a cookie. A name that comes twice is not trusted: one of them may have been planted.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values =
        pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(n, _)| *n == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use matrixos_fuzz::Fuzz;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|v| (header::COOKIE, HeaderValue::from_str(v).expect("a value"))).collect()
    }

    #[test]
    fn a_cookie_that_comes_twice_is_not_trusted() {
        for (fields, is) in [
            (&["a=1"][..], Some("1")),
            (&["b=2; a=1; c=3"], Some("1")),
            (&["b=2", "a=1"], Some("1")),
            (&["a=1; a=1"], None),
            (&["a=1", "a=2"], None),
            (&["A=1"], None),
            (&["a"], None),
            (&["a=x=y"], Some("x=y")),
            (&["xa=1; a =2"], None),
        ] {
            assert_eq!(cookie(&headers(fields), "a"), is, "{fields:?}");
        }
    }

    #[test]
    fn emptied_cookies_are_of_this_host_and_known_to_be_there() {
        let mut answer = HeaderMap::new();
        assert!(!PLATFORM.are_in(&answer));
        PLATFORM.clear(&mut answer);
        assert!(PLATFORM.are_in(&answer) && !COMPUTER.are_in(&answer));
        for value in answer.get_all(header::SET_COOKIE) {
            let text = value.to_str().expect("text");
            assert!(text.ends_with("=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"), "{text}");
        }
    }

    /// The values of `a` as another reader finds them: cut at every semicolon and line, then at the first `=`.
    fn found(input: &[u8]) -> Vec<String> {
        let lines = input.split(|byte| *byte == b'\n').filter(|line| HeaderValue::from_bytes(line).is_ok());
        let texts = lines.filter_map(|line| std::str::from_utf8(line).ok()).filter(|line| line.is_ascii());
        let pairs = texts.flat_map(|line| line.split(';')).map(str::trim);
        pairs.filter_map(|pair| pair.strip_prefix("a=")).map(str::to_owned).collect()
    }

    #[test]
    fn whatever_is_sent_a_cookie_counts_if_it_comes_once() {
        let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/cookies.txt"));
        corpus.check(|input| {
            let lines = input.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = lines.map(|value| (header::COOKIE, value)).collect();
            let expected = found(input);
            let once = expected.first().filter(|_| expected.len() == 1).map(String::as_str);
            assert_eq!(cookie(&headers, "a"), once);
        });
    }

    proptest! {
        #[test]
        fn whatever_a_browser_sends_a_value_is_one_that_was_sent(fields in prop::collection::vec("[ -~]{0,60}", 0..4)) {
            let map = headers(&fields.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(value) = cookie(&map, "a") {
                let pair = format!("a={value}");
                let found = |field: &String| field.split(';').filter(|pair_| pair_.trim() == pair).count();
                prop_assert_eq!(fields.iter().map(found).sum::<usize>(), 1);
                prop_assert!(!value.contains(';'));
            }
        }
    }
}
