//! What passes between browser and computer, and what does not.

use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

/// How the names of the platform's own cookies begin: they open doors, and a computer is a stranger to everybody but its
/// owner.
pub const PLATFORM_COOKIES: &str = "__Host-mx_";

/// Fields that concern one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Fields by which a computer could act on the whole platform's host names.
const NOT_FROM_COMPUTERS: [HeaderName; 4] = [
    STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("alt-svc"),
];

/// Takes out what must not reach a computer: connection fields, claims about who asks, credentials of the platform.
pub fn clean_request(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    headers.remove(AUTHORIZATION);
    headers.remove(HOST);
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
    keep_own_cookies(headers);
}

/// Takes out what a computer must not say to a browser.
pub fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    for name in &NOT_FROM_COMPUTERS {
        headers.remove(name);
    }
    let cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().filter_map(clean_set_cookie).collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn is_claim(name: &str) -> bool {
    name.starts_with("x-forwarded")
        || name.starts_with("x-matrix-")
        || matches!(name, "forwarded" | "x-real-ip" | "via")
}

/// Also if it has no name but a value that looks like one of the platform's: older browsers send such a cookie back as
/// the value alone (RFC 6265bis, section 5.7, step 23).
fn is_platform_cookie(pair: &str) -> bool {
    let name = pair.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    name.get(..PLATFORM_COOKIES.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(PLATFORM_COOKIES))
}

fn keep_own_cookies(headers: &mut HeaderMap) {
    let pairs: Vec<String> = headers
        .get_all(COOKIE)
        .iter()
        // A cookie field that is not text cannot be checked, so it does not pass.
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(str::trim)
        .filter(|pair| !pair.is_empty() && !is_platform_cookie(pair))
        .map(str::to_owned)
        .collect();
    headers.remove(COOKIE);
    if let Ok(value) = HeaderValue::from_str(&pairs.join("; "))
        && !pairs.is_empty()
    {
        headers.insert(COOKIE, value);
    }
}

/// Without `Domain`, so that it stays with this computer's host; `None` if it uses a name of the platform's.
fn clean_set_cookie(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    if is_platform_cookie(text) {
        return None;
    }
    let is_domain = |part: &&str| part.split('=').next().unwrap_or_default().trim().eq_ignore_ascii_case("domain");
    let kept: Vec<&str> = text.split(';').filter(|part| !is_domain(part)).collect();
    HeaderValue::from_str(&kept.join(";")).ok()
}

#[cfg(test)]
mod tests {
    use matrixos_fuzz::Fuzz;

    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn credentials_and_claims_never_reach_a_computer() {
        let mut headers = map(&[
            ("authorization", "Bearer mine"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-anything", "x"),
            ("forwarded", "for=1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x-matrix-user", "admin"),
            ("connection", "close, x-secret-hop"),
            ("x-secret-hop", "1"),
            ("keep-alive", "5"),
            ("accept", "*/*"),
        ]);
        headers.append(COOKIE, HeaderValue::from_static("__Host-mx_session=a; theme=dark"));
        headers.append(
            COOKIE,
            HeaderValue::from_static("__host-MX_computer=b;c=d ; __Host-mx_session;__Host-mx_new=e; mx_=f"),
        );
        clean_request(&mut headers);
        assert_eq!(headers.get(COOKIE).map(HeaderValue::as_bytes), Some(b"theme=dark; c=d; mx_=f".as_slice()));
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "cookie"]);
    }

    #[test]
    fn a_computer_cannot_set_cookies_for_others_or_act_on_the_platforms_hosts() {
        let mut headers = map(&[
            ("strict-transport-security", "max-age=1; includeSubDomains"),
            ("clear-site-data", "\"*\""),
            ("service-worker-allowed", "/"),
            ("content-type", "text/html"),
        ]);
        for cookie in [
            "a=1; Domain=localhost; Path=/",
            "b=2; DOMAIN =.localhost;Secure",
            "__Host-mx_session=evil; Secure",
            "__HOST-mx_computer=evil",
            "c=3",
        ] {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        clean_response(&mut headers);
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|v| v.to_str().expect("text")).collect();
        assert_eq!(cookies, ["a=1; Path=/", "b=2;Secure", "c=3"]);
        assert_eq!(headers.len(), 4);
    }

    /// Header fields, one on each line.
    fn fields(input: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }

    fn texts(headers: &HeaderMap, name: HeaderName) -> Vec<String> {
        let values = headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase()).collect()
    }

    /// Whether the most generous of browsers and servers would take it for one of the platform's.
    fn looks_like_ours(pair: &str) -> bool {
        pair.trim_matches(|c: char| c.is_whitespace() || c == '=').starts_with("__host-mx_")
    }

    fn is_for_a_domain(attribute: &str) -> bool {
        attribute.split('=').next().is_some_and(|name| name.trim() == "domain")
    }

    #[test]
    fn whatever_is_sent_no_credential_of_the_platform_passes_either_way() {
        let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/headers.txt"));
        corpus.check(|input| {
            let mut request = fields(input);
            clean_request(&mut request);
            for name in [AUTHORIZATION, HOST, CONNECTION, TE, TRANSFER_ENCODING, UPGRADE] {
                assert!(!request.contains_key(&name), "{name}");
            }
            assert!(!request.keys().any(|name| is_claim(name.as_str())));
            for field in texts(&request, COOKIE) {
                assert!(!field.split(';').any(looks_like_ours), "{field}");
            }
            let mut response = fields(input);
            clean_response(&mut response);
            for field in texts(&response, SET_COOKIE) {
                let (pair, attributes) = field.split_once(';').unwrap_or((&field, ""));
                assert!(!looks_like_ours(pair) && !attributes.split(';').any(is_for_a_domain), "{field}");
            }
            assert!(NOT_FROM_COMPUTERS.iter().all(|name| !response.contains_key(name)));
        });
    }
}
