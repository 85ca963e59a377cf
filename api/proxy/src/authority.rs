//! For whom a request is: one parser of the authority, one answer.

use http::request::Parts;
use http::{Version, header};
use matrixos_types::Handle;

/// The platform's name and port, as browsers write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: String,
    /// `None` for the default port of the scheme.
    port: Option<u16>,
}

/// Whose site was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// The platform's own pages and API.
    Platform,
    /// The computer of that handle, whether or not it exists.
    Computer(Handle),
}

/// Why a request is for nobody here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No or several `Host` fields, or one that contradicts the request line: 400 (RFC 9112, section 3.2).
    #[error("the request does not say clearly which host it is for")]
    Ambiguous,
    /// A host that is not served here: 421 (RFC 9110, section 15.5.20).
    #[error("this host is not served here")]
    Misdirected,
}

impl Authority {
    /// An authority from the host and port of an origin.
    pub fn new(host: &str, port: Option<u16>) -> Self {
        Self { host: host.to_ascii_lowercase(), port }
    }

    /// The platform's host name, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What browsers write for the computer of `handle`: `alice.localhost:8080`.
    pub fn of(&self, handle: &Handle) -> String {
        match self.port {
            Some(port) => format!("{handle}.{}:{port}", self.host),
            None => format!("{handle}.{}", self.host),
        }
    }

    /// Whose site a request is for.
    ///
    /// | the request has | answer |
    /// |---|---|
    /// | no `Host`, several, or one that differs from an absolute request target | ambiguous |
    /// | another port, a trailing dot, an address, any character outside letters, digits, `-`, `.` | misdirected |
    /// | the platform's host, in any case | the platform |
    /// | one label below it that is a handle | that computer |
    /// | anything else: two labels, `xn--`, an underscore | misdirected |
    pub fn site(&self, request: &Parts) -> Result<Site, Refused> {
        let mut hosts = request.headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Refused::Ambiguous) };
        let host = host.to_str().map_err(|_| Refused::Misdirected)?;
        if request.version > Version::HTTP_11 {
            return Err(Refused::Misdirected);
        }
        if request.uri.authority().is_some_and(|a| !a.as_str().eq_ignore_ascii_case(host)) {
            return Err(Refused::Ambiguous);
        }
        self.parse(host).ok_or(Refused::Misdirected)
    }

    fn parse(&self, text: &str) -> Option<Site> {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        };
        if port.map(str::to_owned) != self.port.map(|p| p.to_string()) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        if name == self.host {
            return Some(Site::Platform);
        }
        let label = name.strip_suffix(&self.host)?.strip_suffix('.')?;
        Handle::parse(label).ok().map(Site::Computer)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn site(target: &str, hosts: &[&str]) -> Result<Site, Refused> {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Authority::new("localhost", Some(8080)).site(&parts)
    }

    #[test]
    fn one_parser_gives_one_answer() {
        let alice = || Ok(Site::Computer(Handle::parse("alice").expect("a handle")));
        assert_eq!(site("/", &["localhost:8080"]), Ok(Site::Platform));
        assert_eq!(site("/", &["LocalHost:8080"]), Ok(Site::Platform));
        assert_eq!(site("/", &["alice.localhost:8080"]), alice());
        assert_eq!(site("/", &["ALICE.localhost:8080"]), alice());
        assert_eq!(site("http://alice.localhost:8080/x", &["alice.localhost:8080"]), alice());
        let none: [&str; 0] = [];
        assert_eq!(site("/", &none), Err(Refused::Ambiguous));
        assert_eq!(site("/", &["localhost:8080", "alice.localhost:8080"]), Err(Refused::Ambiguous));
        assert_eq!(site("http://localhost:8080/", &["alice.localhost:8080"]), Err(Refused::Ambiguous));
        for host in [
            "localhost",
            "localhost:80",
            "localhost:08080",
            "localhost.:8080",
            "alice.localhost.:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "a.alice.localhost:8080",
            "xn--alice.localhost:8080",
            "al_ice.localhost:8080",
            ".localhost:8080",
            "-.localhost:8080",
            "evil.com:8080",
            "localhost.evil.com:8080",
            "evillocalhost:8080",
            "",
            ":8080",
            "alice.localhost:8080:8080",
            "alice@localhost:8080",
            "alice.localhost:8080 ",
            "al%69ce.localhost:8080",
        ] {
            assert_eq!(site("/", &[host]), Err(Refused::Misdirected), "{host:?}");
        }
    }

    #[test]
    fn on_the_default_port_no_port_is_written() {
        let authority = Authority::new("matrix-os.example", None);
        assert_eq!(
            authority.parse("alice.matrix-os.example"),
            Some(Site::Computer(Handle::parse("alice").expect("a handle")))
        );
        assert_eq!(authority.parse("alice.matrix-os.example:443"), None);
        assert_eq!(authority.of(&Handle::parse("alice").expect("a handle")), "alice.matrix-os.example");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_computer_found_is_written_as_it_was_asked_for(text in "[ -~]{0,60}") {
            let authority = Authority::new("localhost", Some(8080));
            if let Some(Site::Computer(handle)) = authority.parse(&text) {
                prop_assert_eq!(authority.of(&handle), text.to_ascii_lowercase());
            }
        }
    }
}
