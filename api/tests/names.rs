//! Under which names platform and computers are found, and what browsers are told about them.

mod common;

use common::House;
use matrixos_testkit::authenticator::Device;
use matrixos_testkit::launcher;
use serde_json::{Value, json};

const USERS: &str = "users.localhost";

#[tokio::test]
async fn computers_with_a_domain_of_their_own_are_entered_through_the_platforms_door() {
    let house = House::called(launcher::failing(), "http", Some(USERS)).await;
    let port = house.address.port();
    assert_eq!(house.computer("alice"), format!("alice.{USERS}:{port}"));
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let me = house.page("GET", "/api/me", &member, &Value::Null).await.json();
    assert_eq!(me["computer"], format!("http://alice.{USERS}:{port}/"));
    let visit = house.enter("alice", &member).await;
    let fields = format!("cookie: {visit}\r\nsec-fetch-site: same-origin\r\n");
    let inside = house.ask("GET", &house.computer("alice"), "/api/system/info", &fields, "").await;
    assert!(inside.body.contains("this launcher makes nothing"), "the owner has come that far: {}", inside.body);
    let opened = house.open_page(&house.computer("alice"), "/", &visit).await;
    assert_eq!(opened.header("location"), Some(format!("{}/account", house.origin)), "the account page is elsewhere");
    for (what, fields) in [
        ("the platform's page", format!("origin: {}\r\nsec-fetch-site: cross-site\r\n", house.origin)),
        ("a neighbour's page", format!("origin: http://bobby.{USERS}:{port}\r\nsec-fetch-site: same-site\r\n")),
        ("the old name's page", format!("origin: http://alice.localhost:{port}\r\nsec-fetch-site: same-origin\r\n")),
    ] {
        let refused =
            house.ask("POST", &house.computer("alice"), "/", &format!("{fields}cookie: {visit}\r\n"), "{}").await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden_origin"), "{what}");
    }
    let own = format!("origin: http://alice.{USERS}:{port}\r\nsec-fetch-site: same-origin\r\ncookie: {visit}\r\n");
    assert_eq!(house.ask("POST", &house.computer("alice"), "/", &own, "{}").await.status, 503, "its own may");
    // And no page of a computer acts on the platform.
    let acts = format!("origin: http://alice.{USERS}:{port}\r\nsec-fetch-site: cross-site\r\ncookie: {member}\r\n");
    assert_eq!(house.ask("POST", &house.host(), "/api/logout", &acts, "{}").await.code(), "forbidden_origin");
}

#[tokio::test]
async fn no_name_of_one_domain_is_served_below_the_other() {
    let house = House::called(launcher::failing(), "http", Some(USERS)).await;
    let port = house.address.port();
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    for host in ["alice.localhost", "users.localhost", "a.alice.users.localhost", "alice.users.localhost.localhost"] {
        let nobody = house.ask("GET", &format!("{host}:{port}"), "/", &format!("cookie: {member}\r\n"), "").await;
        assert_eq!(nobody.status, 421, "{host}");
        assert!(nobody.cookies().is_empty() && nobody.header("location").is_none(), "{host}: {}", nobody.head);
    }
}

#[tokio::test]
async fn pages_say_below_which_host_computers_are() {
    for (domain, host) in [(None, "localhost"), (Some(USERS), USERS)] {
        let house = House::called(launcher::failing(), "http", domain).await;
        let page = house.page("GET", "/signup", "", &Value::Null).await;
        if !matrixos_api::are_built() {
            assert_eq!(page.code(), "not_found", "a program without its pages says so");
            continue;
        }
        let told = format!("<meta name=\"computers\" content=\"{host}:{}\">", house.address.port());
        assert!(page.body.contains(&told), "{}", page.body);
        let tag = page.header("etag").expect("a tag");
        assert!(tag.contains(host), "a browser that moves from one to the other asks anew: {tag}");
        let fields = format!("if-none-match: {tag}\r\n");
        assert_eq!(house.ask("GET", &house.host(), "/signup", &fields, "").await.status, 304);
    }
}

#[tokio::test]
async fn who_came_by_https_once_never_comes_without_it() {
    const ALWAYS: &str = "max-age=63072000; includeSubDomains";
    for domain in [None, Some(USERS)] {
        let house = House::called(launcher::failing(), "https", domain).await;
        let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
        let visit = house.enter("alice", &member).await;
        let computer = house.computer("alice");
        let seen = [
            house.page("GET", "/", "", &Value::Null).await,
            house.page("GET", "/api/me", &member, &Value::Null).await,
            house.page("POST", "/api/logout", "", &json!({})).await,
            house.page("GET", "/enter/alice", &member, &Value::Null).await,
            house.open_page(&computer, "/", "").await,
            house.open_page(&computer, "/.matrixos/enter?code=guess", "").await,
            house.ask("GET", &computer, "/", &format!("cookie: {visit}\r\n"), "").await,
            house.ask("POST", &computer, "/", "", "{}").await,
        ];
        for answer in seen {
            assert_eq!(answer.headers("strict-transport-security"), [ALWAYS], "{}", answer.head);
        }
    }
}

#[tokio::test]
async fn every_computers_address_leads_to_the_account_page() {
    for domain in [None, Some(USERS)] {
        let house = House::called(launcher::failing(), "https", domain).await;
        house.sign_up("alice", &mut Device::at(&house.origin)).await;
        let computer = house.computer("alice");
        let led = house.open_page(&computer, "/.matrixos/account", "").await;
        assert_eq!(led.header("location"), Some(format!("{}/account", house.origin)));
        let posted = house.ask("POST", &computer, "/.matrixos/account", "", "{}").await;
        assert_eq!(posted.header("location"), None, "nothing else goes there: {}", posted.head);
    }
}

#[tokio::test]
async fn programs_find_health_and_usage_at_the_name_of_the_api_and_nothing_else() {
    let house = House::open().await;
    let alice = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let mallory = house.sign_up("mallory", &mut Device::at(&house.origin)).await;
    let host = format!("api.{}", house.host());
    let ask =
        async |path: &str, cookie: &str| house.ask("GET", &host, path, &format!("cookie: {cookie}\r\n"), "").await;
    assert_eq!(ask("/health", "").await.json()["status"], "ok");
    let own = ask("/usage/alice", &alice).await;
    assert_eq!((own.status, own.json()["handle"].as_str()), (200, Some("alice")));
    assert_eq!(own.json(), house.page("GET", "/api/usage/alice", &alice, &Value::Null).await.json());
    let (nobody, other) = (ask("/usage/alice", "").await, ask("/usage/alice", &mallory).await);
    assert_eq!((nobody.status, nobody.code().as_str()), (401, "not_signed_in"));
    assert_eq!((other.status, other.code().as_str()), (404, "not_found"));
    for path in ["/", "/account", "/api/me", "/api/usage/alice", "/enter/alice", "/index.html"] {
        let answer = ask(path, &alice).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    let acts = house.ask("POST", &host, "/usage/alice", &house.own(&alice), "{}").await;
    assert_eq!(acts.status, 405, "it changes nothing");
}
