//! From where a request comes: its address, which a trusted proxy may say, and its browser, in words for people.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use matrixos_supervisor::store::Caller;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Longest part of a browser's name for itself that is looked at, in bytes.
const AGENT: usize = 512;

/// The address that asks, as far as it can be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) IpAddr);

/// The proxies in front of the platform that are believed when they say for whom they ask.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Proxies at these addresses.
    pub fn new(trusted: Vec<IpNet>) -> Self {
        Self(trusted)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address.to_canonical()))
    }

    /// Who asks: the connection's peer or, if that is a trusted proxy, the last one in `X-Forwarded-For` that is not.
    /// What stands before that one may have been made up by it.
    pub(crate) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut client = peer.to_canonical();
        let fields: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().map(|v| v.to_str().unwrap_or("")).collect();
        for hop in fields.iter().rev().flat_map(|field| field.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            // What cannot be read ends the chain: the proxy behind it is the last that is known.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }
}

/// From where a request comes.
pub(crate) struct CalledFrom(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for CalledFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(caller(&parts.headers, parts.extensions.get::<Client>().map(|client| client.0))))
    }
}

/// Puts both together.
pub(crate) fn caller(headers: &HeaderMap, address: Option<IpAddr>) -> Caller {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    Caller { address, browser: agent.and_then(browser) }
}

/// `Firefox on Linux`. Browsers name each other for old servers' sake, so the order matters.
fn browser(agent: &str) -> Option<String> {
    let agent = agent.get(..AGENT).unwrap_or(agent);
    let first = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, n)| *n);
    let name = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => Some(format!("{name} on {system}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use matrixos_fuzz::Fuzz;
    use proptest::prelude::*;

    use super::*;

    fn fields(values: &[&str]) -> HeaderMap {
        values.iter().map(|v| (FORWARDED_FOR, HeaderValue::from_str(v).expect("a value"))).collect()
    }

    fn client(trusted: &[&str], values: &[&str], peer: &str) -> String {
        let proxies = Proxies::new(trusted.iter().map(|net| net.parse().expect("a net")).collect());
        proxies.client(&fields(values), peer.parse().expect("an address")).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_says_for_whom_it_asks() {
        let ours = ["127.0.0.1/32", "10.0.0.0/24", "fd00::/64"];
        for (values, peer, is) in [
            (&[][..], "192.0.2.1", "192.0.2.1"),
            (&["203.0.113.9"], "192.0.2.1", "192.0.2.1"),
            (&["203.0.113.9"], "127.0.0.1", "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "127.0.0.1", "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9, 10.0.0.7"], "127.0.0.1", "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9", "10.0.0.7,127.0.0.1"], "fd00::5", "203.0.113.9"),
            (&["10.0.0.7"], "127.0.0.1", "10.0.0.7"),
            (&["nonsense, 10.0.0.7"], "127.0.0.1", "10.0.0.7"),
            (&["203.0.113.9, 127.0.0.1:80"], "127.0.0.1", "127.0.0.1"),
            (&["2001:db8::1"], "::ffff:127.0.0.1", "2001:db8::1"),
            (&["::ffff:203.0.113.9"], "127.0.0.1", "203.0.113.9"),
            (&[""], "127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(client(&ours, values, peer), is, "{values:?} by {peer}");
        }
        assert_eq!(client(&[], &["203.0.113.9"], "127.0.0.1"), "127.0.0.1", "nobody is trusted unasked");
    }

    #[test]
    fn whatever_is_sent_only_the_last_that_no_trusted_proxy_vouches_for_is_believed() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().expect("a net")]);
        let (proxy, stranger) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
        let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/forwarded.txt"));
        corpus.check(|input| {
            let lines = input.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = lines.map(|value| (FORWARDED_FOR, value)).collect();
            assert_eq!(proxies.client(&headers, stranger), stranger, "nobody vouches for a stranger's word");
            let client = proxies.client(&headers, proxy);
            // Whoever it is, nobody who is not trusted stands behind them in the chain.
            let texts = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or(""));
            let hops: Vec<Option<IpAddr>> =
                texts.flat_map(|text| text.split(',')).map(|hop| hop.trim().parse().ok()).collect();
            let trusted = |hop: &&Option<IpAddr>| hop.is_some_and(|hop| proxies.trusts(hop));
            let behind = hops.iter().rev().take_while(trusted).count();
            let last = hops.len().checked_sub(behind + 1).and_then(|place| hops[place]);
            let nearest = hops.len().checked_sub(behind).and_then(|place| hops.get(place).copied().flatten());
            assert_eq!(client, last.or(nearest).map_or(proxy, |hop| hop.to_canonical()));
        });
    }

    #[test]
    fn browsers_are_named_as_people_know_them() {
        for (agent, is) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Some("Firefox on Linux")),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                Some("Edge on Windows"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            ("curl/8.5.0", None),
            ("<script>alert(1)</script>", None),
        ] {
            assert_eq!(browser(agent).as_deref(), is, "{agent}");
        }
    }

    proptest! {
        #[test]
        fn no_field_panics_and_without_trust_none_is_believed(values in prop::collection::vec("[ -~]{0,40}", 0..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            prop_assert_eq!(client(&[], &values, "192.0.2.1"), "192.0.2.1");
            let _ = client(&["192.0.2.0/24"], &values, "192.0.2.1");
        }

        #[test]
        fn any_name_of_a_browser_gives_a_short_text_of_ours(agent in "\\PC{0,700}") {
            prop_assert!(browser(&agent).is_none_or(|text| text.len() < 40 && text.is_ascii()));
        }
    }
}
