//! Every route, tried as everybody. A route that is missing from the list below fails here.

mod common;

use std::collections::BTreeSet;

use common::{Answer, House};
use matrixos_api::routes::{Audience, Route, table};
use matrixos_api::{channels, internal};
use matrixos_supervisor::accounts::{ACCESS, FRESH};
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};

/// Who may use what, written down a second time: a change of the table has to be meant.
const LIST: &[(&str, &str, Audience)] = &[
    ("GET", "/health", Audience::Public),
    ("GET", "/api/stats", Audience::Public),
    ("GET", "/api/handles/{text}", Audience::Public),
    ("GET", "/api/profiles/{handle}", Audience::Public),
    ("POST", "/api/signup/start", Audience::Public),
    ("POST", "/api/signup/finish", Audience::Public),
    ("POST", "/api/signup/totp/start", Audience::Public),
    ("POST", "/api/signup/totp/finish", Audience::Public),
    ("POST", "/api/login/start", Audience::Public),
    ("POST", "/api/login/finish", Audience::Public),
    ("POST", "/api/login/code", Audience::Public),
    ("GET", "/enter/{handle}", Audience::Door),
    ("POST", "/api/logout", Audience::SignedIn),
    ("GET", "/api/me", Audience::SignedIn),
    ("GET", "/api/computer", Audience::SignedIn),
    ("POST", "/api/computer/start", Audience::SignedIn),
    ("POST", "/api/computer/awake", Audience::SignedIn),
    ("DELETE", "/api/computer/awake", Audience::SignedIn),
    ("GET", "/api/security", Audience::SignedIn),
    ("POST", "/api/passkeys/start", Audience::Fresh),
    ("POST", "/api/passkeys/finish", Audience::Fresh),
    ("PATCH", "/api/passkeys/{id}", Audience::SignedIn),
    ("DELETE", "/api/passkeys/{id}", Audience::Fresh),
    ("POST", "/api/totp/start", Audience::Fresh),
    ("POST", "/api/totp/finish", Audience::Fresh),
    ("DELETE", "/api/totp", Audience::Fresh),
    ("POST", "/api/recovery-codes", Audience::Fresh),
    ("POST", "/api/verify/start", Audience::SignedIn),
    ("POST", "/api/verify/finish", Audience::SignedIn),
    ("POST", "/api/verify/code", Audience::SignedIn),
    ("GET", "/api/sessions", Audience::SignedIn),
    ("DELETE", "/api/sessions/{id}", Audience::SignedIn),
    ("POST", "/api/sessions/revoke-all", Audience::SignedIn),
    ("GET", "/api/usage/{handle}", Audience::SignedIn),
    ("GET", "/api/usage/{handle}/calls.csv", Audience::SignedIn),
    ("PUT", "/api/ai/key", Audience::Fresh),
    ("DELETE", "/api/ai/key", Audience::SignedIn),
    ("GET", "/api/audit", Audience::SignedIn),
    ("GET", "/api/account/export", Audience::Fresh),
    ("POST", "/api/account/delete", Audience::Fresh),
    ("POST", "/api/account/restore", Audience::SignedIn),
    ("POST", "/api/admin/claim", Audience::Fresh),
    ("GET", "/api/admin/audit", Audience::Administrator),
    ("GET", "/api/admin/users", Audience::Administrator),
    ("POST", "/api/admin/users/{handle}/sessions/revoke-all", Audience::FreshAdministrator),
    ("PUT", "/api/admin/users/{handle}/quota", Audience::FreshAdministrator),
    ("POST", "/api/admin/users/{handle}/computer/stop", Audience::FreshAdministrator),
    ("POST", "/api/admin/users/{handle}/computer/start", Audience::FreshAdministrator),
];

/// The same for channels.
const CHANNELS: &[(&str, &str, Audience)] = &[("POST", "/channels/{channel}/{account}", Audience::Channel)];

/// The same for the door for computers.
const INSIDE: &[(&str, &str, Audience)] = &[
    ("POST", "/matrix/awake", Audience::Container),
    ("DELETE", "/matrix/awake", Audience::Container),
    ("PUT", "/matrix/due", Audience::Container),
    ("GET", "/matrix/usage", Audience::Container),
    ("PUT", "/matrix/channels", Audience::Container),
    ("GET", "/matrix/channels/status", Audience::Container),
    ("POST", "/matrix/send", Audience::Container),
    ("PUT", "/matrix/profiles", Audience::Container),
    ("GET", "/v1/models", Audience::Container),
    ("POST", "/v1/messages", Audience::Container),
    ("POST", "/v1/messages/count_tokens", Audience::Container),
];

fn path(route: &Route) -> String {
    let path = route.path.replace("{text}", "bobby").replace("{handle}", "alice");
    path.replace("{id}", "00000000000000000000000000000000")
}

#[test]
fn the_list_is_the_table() {
    let row = |method: &str, path: &str, audience: Audience| format!("{method} {path} {audience:?}");
    for (list, table) in [(LIST, table()), (CHANNELS, channels::table()), (INSIDE, internal::table())] {
        let listed: BTreeSet<_> = list.iter().map(|(method, path, audience)| row(method, path, *audience)).collect();
        let there: BTreeSet<_> = table.iter().map(|r| row(r.method.as_str(), r.path, r.audience)).collect();
        assert_eq!(there, listed);
    }
}

/// Whether the request got past the question who asks.
fn is_let_in(answer: &Answer) -> bool {
    !matches!(answer.code().as_str(), "not_signed_in" | "verify_first" | "not_admin" | "forbidden_origin")
}

#[tokio::test]
async fn nobody_gets_in_without_a_session_of_their_own() {
    let house = House::open().await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let visit = house.enter("alice", &member).await;
    let as_session = visit.replace("mx_computer_refresh", "mx_refresh").replace("mx_computer", "mx_session");
    for route in table() {
        let (method, path) = (route.method.as_str(), path(&route));
        let attempts = [
            ("anonymous", String::new()),
            ("a guess", "__Host-mx_session=guess; __Host-mx_refresh=v1.guess".to_owned()),
            ("cookies that come twice", format!("{member}; {member}")),
            ("a computer's cookies", visit.clone()),
            ("a computer's tokens as the platform's", as_session.clone()),
        ];
        for (who, cookie) in attempts {
            let answer = house.page(method, &path, &cookie, &json!({})).await;
            match route.audience {
                Audience::Public => assert!(is_let_in(&answer) && answer.status != 401 || path == "/api/login/code"),
                Audience::Door => assert_eq!(answer.header("location").as_deref(), Some("/@alice"), "{who}: {path}"),
                _ => assert_eq!((answer.status, answer.code().as_str()), (401, "not_signed_in"), "{who}: {path}"),
            }
            assert!(answer.cookies().is_empty(), "{who} is given something: {path}");
        }
        // A container knows its gateway's token, and can send whatever it likes.
        let fields = format!("authorization: Bearer {}\r\n{}", "0".repeat(64), house.own(""));
        let container = house.ask(method, &house.host(), &path, &fields, "{}").await;
        assert_eq!(is_let_in(&container), matches!(route.audience, Audience::Public | Audience::Door), "{path}");
    }
}

#[tokio::test]
async fn the_door_for_computers_knows_them_by_address_and_credential_together() {
    let house = House::open().await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    house.sign_up("mallory", &mut Device::at(&house.origin)).await;
    let ((here, own), (there, other)) = (house.resident("alice"), house.resident("mallory"));
    let bearer = |key: &str| format!("authorization: Bearer {key}\r\n");
    let gateway = house.store.users().expect("the store")[0].container.clone();
    for route in internal::table() {
        let (method, path) = (route.method.as_str(), route.path);
        for (from, fields) in [
            (&here, String::new()),
            (&here, bearer(&other)),
            (&there, bearer(&own)),
            (&here, bearer(&own.to_uppercase())),
            (&here, bearer(&format!("{own}0"))),
            (&here, bearer(&house.key.token(&gateway).0)),
            (&here, format!("authorization: Basic {own}\r\n")),
            (&here, format!("cookie: {member}\r\nx-api-key: {member}\r\n")),
            (&"127.0.0.1".to_owned(), bearer(&own)),
            // The platform's word about who asks is not believed here, whoever says it.
            (&there, format!("x-forwarded-for: {here}\r\n{}", bearer(&own))),
        ] {
            let refused = house.inside(from, method, path, &fields, "{}").await;
            assert_eq!(refused.status, 401, "{method} {path} from {from} with {fields}");
            assert_eq!(refused.json()["type"], "error");
            assert_eq!(refused.json()["error"]["type"], "authentication_error");
        }
        for fields in [bearer(&own), format!("authorization: bearer {own}\r\n"), format!("x-api-key: {own}\r\n")] {
            assert_ne!(house.inside(&here, method, path, &fields, "{}").await.status, 401, "{method} {path}");
        }
    }
    let nothing = house.inside(&here, "POST", "/v1/complete", &bearer(&own), "{}").await;
    assert_eq!((nothing.status, nothing.json()["error"]["type"].as_str()), (404, Some("not_found_error")));
}

#[tokio::test]
async fn nothing_is_changed_for_a_page_of_anybody_else() {
    let house = House::open().await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    for route in table().into_iter().filter(|route| route.method != "GET") {
        let (method, path) = (route.method.as_str(), path(&route));
        for fields in [
            String::new(),
            format!("origin: {}\r\n", house.origin),
            "sec-fetch-site: same-origin\r\n".to_owned(),
            format!("origin: {}\r\nsec-fetch-site: same-site\r\n", house.origin),
            format!("origin: http://{}\r\nsec-fetch-site: same-origin\r\n", house.computer("mallory")),
            format!("origin: http://{}\r\nsec-fetch-site: same-site\r\n", house.computer("mallory")),
            "origin: null\r\nsec-fetch-site: cross-site\r\n".to_owned(),
        ] {
            let with_cookie = format!("{fields}cookie: {member}\r\n");
            let foreign = house.ask(method, &house.host(), &path, &with_cookie, "{}").await;
            assert_eq!((foreign.status, foreign.code().as_str()), (403, "forbidden_origin"), "{path} from {fields:?}");
        }
    }
    assert_eq!(house.page("GET", "/api/me", &member, &Value::Null).await.status, 200, "she is still signed in");
}

#[tokio::test]
async fn members_dangerous_acts_and_administrators_are_told_apart() {
    let house = House::open().await;
    let (mut alice, mut root) = (Device::at(&house.origin), Device::at(&house.origin));
    house.sign_up("alice", &mut alice).await;
    let first = house.sign_up("rooted", &mut root).await;
    let invitation = house.operator("POST", "/administrators/invite").await.json()["url"].clone();
    let (page, token) = invitation.as_str().and_then(|url| url.split_once("#invite=")).expect("a link");
    assert_eq!(page, format!("{}/account", house.origin));
    let claim = json!({ "token": token });
    assert_eq!(house.page("POST", "/api/admin/claim", &first, &claim).await.status, 204);
    let again = house.page("POST", "/api/admin/claim", &first, &claim).await;
    assert_eq!((again.status, again.code().as_str()), (410, "invite_invalid"));
    for route in table() {
        let (method, path) = (route.method.as_str(), path(&route));
        // Some routes end the session, so each is tried with one of its own.
        let (member, admin) = (house.sign_in(&mut alice).await, house.sign_in(&mut root).await);
        let fresh = house.page(method, &path, &member, &json!({})).await;
        let granted = house.page(method, &path, &admin, &json!({})).await;
        let (member, admin) = (house.sign_in(&mut alice).await, house.sign_in(&mut root).await);
        house.clock.advance(FRESH);
        let stale = house.page(method, &path, &member, &json!({})).await;
        let stale_admin = house.page(method, &path, &admin, &json!({})).await;
        let is = |answer: &Answer| answer.code();
        match route.audience {
            Audience::Public | Audience::Door | Audience::SignedIn => {
                let all = [&fresh, &granted, &stale, &stale_admin];
                assert!(all.iter().all(|answer| is_let_in(answer)), "{path}");
            }
            Audience::Fresh => {
                assert!(is_let_in(&fresh) && is_let_in(&granted), "{path}: {}", fresh.body);
                assert_eq!((is(&stale), is(&stale_admin)), ("verify_first".to_owned(), "verify_first".to_owned()));
            }
            Audience::Container | Audience::Channel => unreachable!("this table has none of these"),
            Audience::Administrator => {
                assert_eq!((is(&fresh), is(&stale)), ("not_admin".to_owned(), "not_admin".to_owned()), "{path}");
                assert!(is_let_in(&granted) && is_let_in(&stale_admin), "{path}");
            }
            Audience::FreshAdministrator => {
                assert_eq!((is(&fresh), is(&stale)), ("not_admin".to_owned(), "not_admin".to_owned()), "{path}");
                assert!(is_let_in(&granted), "{path}: {}", granted.body);
                assert_eq!(is(&stale_admin), "verify_first", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_browser_holds_is_renewed_on_every_route_that_asks_who_it_is() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    house.sign_up("alice", &mut device).await;
    for route in table().into_iter().filter(|route| !matches!(route.audience, Audience::Public)) {
        let (method, path) = (route.method.as_str(), path(&route));
        let held = house.sign_in(&mut device).await;
        house.clock.advance(ACCESS);
        let answer = house.page(method, &path, &held, &json!({})).await;
        assert_ne!(answer.status, 401, "{path}");
        let given = answer.cookie();
        let emptied = given == "__Host-mx_session=; __Host-mx_refresh=";
        assert_eq!(emptied, matches!(path.as_str(), "/api/logout" | "/api/sessions/revoke-all"), "{path}: {given}");
        assert_eq!(answer.headers("set-cookie").len(), 2, "{path}");
        let me = house.page("GET", "/api/me", &given, &Value::Null).await;
        assert_eq!(me.status == 200, !emptied, "{path}: what it was given is good");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_run_guess_and_frame_nothing() {
    let house = House::open().await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let own = table().into_iter().map(|route| (route.method.to_string(), path(&route)));
    let pages = ["/", "/login", "/nothing-here"].map(|page| ("GET".to_owned(), page.to_owned()));
    for (method, path) in own.chain(pages) {
        let answer = house.page(&method, &path, &member, &json!({})).await;
        let policy = answer.header("content-security-policy").expect("a policy");
        for directive in ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{method} {path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"), "{method} {path}");
        assert!(answer.header("referrer-policy").is_some(), "{method} {path}");
        assert!(answer.header("strict-transport-security").is_none(), "never for plain http");
    }
}
