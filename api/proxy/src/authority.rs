//! For whom a request is: one parser of the authority, one answer.

use http::request::Parts;
use http::{Version, header};
use matrixos_types::Handle;

/// The names and the port of the platform and its computers, as browsers write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: String,
    /// The domain below which the computers have their names.
    computers: String,
    /// `None` for the default port of the scheme.
    port: Option<u16>,
}

/// Whose site was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// The platform's own pages and API.
    Platform,
    /// The platform's API for programs, which has a name of its own.
    Api,
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
    /// An authority from the host and port of an origin, with the computers below that host.
    pub fn new(host: &str, port: Option<u16>) -> Self {
        let host = host.to_ascii_lowercase();
        Self { computers: host.clone(), host, port }
    }

    /// The same with the computers below a domain of their own, and no name below the platform's.
    pub fn with_computers_below(self, domain: &str) -> Self {
        Self { computers: domain.to_ascii_lowercase(), ..self }
    }

    /// The platform's host name, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What browsers write for the computer of `handle`: `alice.localhost:8080`.
    pub fn of(&self, handle: &Handle) -> String {
        format!("{handle}.{}", self.computers())
    }

    /// What browsers write behind every handle: `localhost:8080`.
    pub fn computers(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.computers),
            None => self.computers.clone(),
        }
    }

    /// Whose site a request is for.
    ///
    /// | the request has | answer |
    /// |---|---|
    /// | no `Host`, several, or one that differs from an absolute request target | ambiguous |
    /// | another port, a trailing dot, an address, any character outside letters, digits, `-`, `.` | misdirected |
    /// | the platform's host, in any case | the platform |
    /// | `api.` and the platform's host | the API for programs |
    /// | one label that is a handle, below the computers' domain (which may be the platform's host) | that computer |
    /// | anything else: two labels, `xn--`, an underscore, a handle below the domain that is not the computers' | misdirected |
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
        // No handle: it is reserved.
        if name.strip_prefix("api.") == Some(&self.host) {
            return Some(Site::Api);
        }
        let label = name.strip_suffix(&self.computers)?.strip_suffix('.')?;
        Handle::parse(label).ok().map(Site::Computer)
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use matrixos_fuzz::Fuzz;
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
        assert_eq!(site("/", &["API.localhost:8080"]), Ok(Site::Api));
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

    #[test]
    fn with_a_domain_of_their_own_computers_are_found_there_and_nowhere_else() {
        let alice = Handle::parse("alice").expect("a handle");
        let split = Authority::new("matrix-os.example", None).with_computers_below("Matrix-OS-Users.example");
        assert_eq!(split.of(&alice), "alice.matrix-os-users.example");
        assert_eq!(split.host(), "matrix-os.example");
        assert_eq!(split.parse("Matrix-OS.example"), Some(Site::Platform));
        assert_eq!(split.parse("alice.matrix-os-USERS.example"), Some(Site::Computer(alice.clone())));
        for nobody in [
            "alice.matrix-os.example",
            "matrix-os-users.example",
            "www.matrix-os.example",
            "a.alice.matrix-os-users.example",
            "alicematrix-os-users.example",
            "alice.matrix-os-users.example.matrix-os.example",
            "alice.matrix-os-users.example:443",
        ] {
            assert_eq!(split.parse(nobody), None, "{nobody}");
        }
        // The form that can be tried on one machine: the second domain lies below the first.
        let local = Authority::new("localhost", Some(8080)).with_computers_below("users.localhost");
        assert_eq!(local.parse("alice.users.localhost:8080"), Some(Site::Computer(alice)));
        assert_eq!((local.parse("users.localhost:8080"), local.parse("alice.localhost:8080")), (None, None));
    }

    /// What stands before the first line's end is the target, each further line a `Host` field.
    fn parts(input: &[u8]) -> Option<Parts> {
        let mut lines = input.split(|byte| *byte == b'\n');
        let mut request = Request::builder().uri(lines.next()?);
        for line in lines {
            request = request.header(header::HOST, line);
        }
        Some(request.body(()).ok()?.into_parts().0)
    }

    /// The one way in which a request may name somebody.
    fn is_named(request: &Parts, name: &str) -> bool {
        let hosts: Vec<_> = request.headers.get_all(header::HOST).iter().map(|host| host.as_bytes()).collect();
        let said = |text: &[u8]| text.eq_ignore_ascii_case(name.as_bytes());
        hosts.len() == 1
            && said(hosts[0])
            && request.uri.authority().is_none_or(|authority| said(authority.as_str().as_bytes()))
    }

    #[test]
    fn whatever_is_sent_a_site_is_found_only_by_its_one_name() {
        let together = Authority::new("localhost", Some(8080));
        let apart = together.clone().with_computers_below("users.localhost");
        let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/authority.txt"));
        corpus.check(|input| {
            let Some(request) = parts(input) else { return };
            for authority in [&together, &apart] {
                match authority.site(&request) {
                    Ok(Site::Platform) => assert!(is_named(&request, "localhost:8080")),
                    Ok(Site::Api) => assert!(is_named(&request, "api.localhost:8080")),
                    Ok(Site::Computer(handle)) => assert!(is_named(&request, &authority.of(&handle))),
                    Err(Refused::Ambiguous | Refused::Misdirected) => assert!(!is_named(&request, "localhost:8080")),
                }
            }
        });
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
