//! Through the front door: the real accept loop and routes, a real store, a software authenticator; only the launcher
//! makes nothing.

mod common;

use common::House;
use matrixos_testkit::authenticator::Device;
use matrixos_testkit::launcher;
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_signs_up_out_and_in_again() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    let cookie = house.sign_up("alice", &mut device).await;
    let me = house.page("GET", "/api/me", &cookie, &Value::Null).await.json();
    assert_eq!((me["handle"].as_str(), me["feed"].as_bool()), (Some("alice"), Some(true)));
    let out = house.page("POST", "/api/logout", &cookie, &json!({})).await;
    assert_eq!((out.status, out.cookie().as_str()), (204, "__Host-mx_session=; __Host-mx_refresh="));
    assert_eq!(house.page("GET", "/api/me", &cookie, &Value::Null).await.status, 401);
    let started = house.page("POST", "/api/login/start", "", &json!({})).await.json();
    let credential = device.sign_in(&started["publicKey"]).expect("signed");
    let answer = json!({ "ceremony": started["ceremony"], "credential": credential });
    let signed_in = house.page("POST", "/api/login/finish", "", &answer).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert_eq!(house.page("GET", "/api/me", &signed_in.cookie(), &Value::Null).await.status, 200);
    let replayed = house.page("POST", "/api/login/finish", "", &answer).await;
    assert_eq!((replayed.status, replayed.code().as_str()), (410, "ceremony_expired"));
}

#[tokio::test]
async fn handles_are_answered_for_whatever_is_typed() {
    let house = House::open().await;
    house.sign_up("alice", &mut Device::at(&house.origin)).await;
    for (text, available, says) in [
        ("bobby", true, ""),
        ("alice", false, "not available"),
        ("admin", false, "not available"),
        ("Al", false, "starts with a lower-case letter"),
        ("%C3%A4bc", false, "lower-case letter"),
        ("a%2Fb", false, "lower-case letters"),
        ("a--b", false, "hyphen"),
        ("%00", false, "lower-case"),
    ] {
        let answer = house.page("GET", &format!("/api/handles/{text}"), "", &Value::Null).await;
        assert_eq!(answer.status, 200, "{text}: {}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["available"], available, "{text}");
        assert!(answer["message"].as_str().unwrap_or_default().contains(says), "{text}: {answer}");
    }
    let taken = house.page("POST", "/api/signup/start", "", &json!({ "handle": "alice" })).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "handle_taken"));
    assert!(taken.json()["error"]["suggestions"].as_array().is_some_and(|s| !s.is_empty()));
    let bad = house.page("POST", "/api/signup/start", "", &json!({ "handle": 7 })).await;
    assert_eq!(bad.code(), "bad_request");
}

#[tokio::test]
async fn only_the_owner_is_shown_through_the_door_of_a_computer() {
    let house = House::open().await;
    let alice = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let bobby = house.sign_up("bobby", &mut Device::at(&house.origin)).await;
    for cookie in ["", bobby.as_str()] {
        let away = house.page("GET", "/enter/alice?path=/x", cookie, &Value::Null).await;
        assert_eq!((away.status, away.header("location").as_deref()), (303, Some("/@alice")));
    }
    let unbound = house.page("GET", "/enter/alice?path=//evil.example/", &alice, &Value::Null).await;
    let begin = format!("http://{}/", house.computer("alice"));
    assert_eq!(unbound.header("location"), Some(begin), "the way begins at the computer, and leads to no other host");
    let away = house.follow(&unbound, &house.computer("alice"), "").await;
    let entry = away.cookie();
    let door = house.follow(&away, &house.host(), &alice).await;
    let location = door.header("location").expect("a way in");
    let (_, query) = location.split_once(&house.computer("alice")).expect("the computer's host");
    for stolen in ["", "__Host-mx_enter=guess"] {
        let victim = house.open_page(&house.computer("alice"), query, stolen).await;
        assert!(victim.header("location").is_some_and(|l| l.contains("/enter/alice?")), "a code of another browser");
        assert!(!victim.cookies().contains("__Host-mx_computer"), "{}", victim.head);
    }
    let door = house.follow(&away, &house.host(), &alice).await;
    let through = house.follow(&door, &house.computer("alice"), &entry).await;
    assert_eq!((through.status, through.header("location").as_deref()), (303, Some("/")));
    let visit = through.cookie();
    let again = house.follow(&door, &house.computer("alice"), &entry).await;
    assert!(again.header("set-cookie").is_none(), "a code works once");
    // Its launcher makes nothing, so the computer is broken; but the owner has come as far as that.
    let owner = house
        .ask(
            "GET",
            &house.computer("alice"),
            "/api/system/info",
            &format!("cookie: {visit}\r\nsec-fetch-site: same-origin\r\n"),
            "",
        )
        .await;
    assert_eq!(owner.status, 503, "{}", owner.body);
    assert!(owner.body.contains("this launcher makes nothing"), "{}", owner.body);
    let opened = house
        .ask(
            "GET",
            &house.computer("alice"),
            "/",
            &format!("cookie: {visit}\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n"),
            "",
        )
        .await;
    assert_eq!(opened.header("location"), Some(format!("{}/account", house.origin)), "a person is shown why");
    for (what, host, fields) in [
        ("no cookie", "alice", String::new()),
        ("the platform's cookie", "alice", format!("cookie: {alice}\r\n")),
        ("another computer", "bobby", format!("cookie: {visit}\r\n")),
        ("nobody's computer", "nobody1", format!("cookie: {visit}\r\n")),
    ] {
        let answer = house.ask("GET", &house.computer(host), "/api/system/info", &fields, "").await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
    }
    let stranger = house
        .ask("GET", &house.computer("alice"), "/x?y=1", "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n", "")
        .await;
    let door = format!("{}/enter/alice?path=%2Fx%3Fy%3D1&state=", house.origin);
    assert!(stranger.header("location").is_some_and(|l| l.starts_with(&door)), "{}", stranger.head);
    for (what, method, fields) in [
        (
            "a neighbour's form",
            "POST",
            format!("origin: http://{}\r\nsec-fetch-site: same-site\r\n", house.computer("bobby")),
        ),
        ("no origin", "PUT", String::new()),
        (
            "a neighbour's frame",
            "GET",
            "sec-fetch-site: same-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: iframe\r\n".to_owned(),
        ),
        (
            "a neighbour's script",
            "GET",
            "sec-fetch-site: same-site\r\nsec-fetch-mode: no-cors\r\nsec-fetch-dest: script\r\n".to_owned(),
        ),
        (
            "a neighbour's socket",
            "GET",
            format!("origin: http://{}\r\nupgrade: websocket\r\n", house.computer("bobby")),
        ),
    ] {
        let answer =
            house.ask(method, &house.computer("alice"), "/", &format!("{fields}cookie: {visit}\r\n"), "").await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden_origin"), "{what}");
    }
    house.page("POST", "/api/logout", &alice, &json!({})).await;
    let ended = house.ask("GET", &house.computer("alice"), "/", &format!("cookie: {visit}\r\n"), "").await;
    assert_eq!(ended.status, 401, "signing out ends the visit");
}

#[tokio::test]
async fn a_stranger_reads_what_somebody_says_about_themselves_as_plain_text() {
    let house = House::open().await;
    house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let profile = house.page("GET", "/api/profiles/alice", "", &Value::Null).await;
    assert_eq!(profile.status, 200);
    assert_eq!(profile.json()["about"], "I am alice.\n\n<script>alert(1)</script>");
    assert_eq!(profile.header("content-type").as_deref(), Some("application/json"), "nothing a browser would run");
    assert_eq!(profile.header("x-content-type-options").as_deref(), Some("nosniff"));
    assert_eq!(house.page("GET", "/api/profiles/nobody1", "", &Value::Null).await.code(), "not_found");
}

#[tokio::test]
async fn requests_for_nobody_here_are_misdirected_or_bad() {
    let house = House::open().await;
    for (host, status) in [("evil.example", 421), ("localhost", 421), ("a.b.localhost", 421), ("127.0.0.1", 421)] {
        assert_eq!(house.ask("GET", host, "/health", "", "").await.status, status, "{host}");
    }
    let port = house.address.port();
    assert_eq!(house.ask("GET", &format!("localhost.:{port}"), "/health", "", "").await.status, 421);
    assert_eq!(
        house
            .raw(format!(
                "GET /health HTTP/1.1\r\nhost: localhost:{port}\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n"
            ))
            .await
            .status,
        400
    );
    assert_eq!(house.raw("GET /health HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned()).await.status, 400);
    let health = house.ask("GET", &house.host(), "/health", "", "").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("ok")));
    assert_eq!(house.ask("GET", &house.host(), "/api/nothing", "", "").await.code(), "not_found");
    assert_eq!(
        house.page("POST", "/api/signup/start", "", &json!({ "handle": "x".repeat(100_000) })).await.status,
        413
    );
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_asked_to_wait() {
    let house = House::open().await;
    let mut refused = None;
    for _ in 0..400 {
        let fields = house.own("");
        let answer = house.ask_from("198.51.100.7", "POST", &house.host(), "/api/login/start", &fields, "{}").await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    assert!(refused.header("retry-after").is_some());
    let other = house.page("POST", "/api/login/start", "", &json!({})).await;
    assert_eq!(other.status, 200, "another address does not wait for it");
}

#[tokio::test]
async fn whoever_opens_a_computer_that_takes_long_to_wake_sees_that_it_wakes() {
    let house = House::with(launcher::slow()).await;
    let alice = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let visit = house.enter("alice", &alice).await;
    let fields =
        format!("cookie: {visit}\r\nsec-fetch-site: none\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n");
    let begun = std::time::Instant::now();
    let page = house.ask("GET", &house.computer("alice"), "/", &fields, "").await;
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1), "a shorter wait is not worth a page");
    assert_eq!((page.status, page.header("retry-after").as_deref()), (503, Some("1")), "{}", page.head);
    assert!(page.body.contains("Your computer is waking up"), "{}", page.body);
    assert!(
        page.header("content-security-policy").is_some_and(|p| p.starts_with("default-src 'none'; style-src 'sha256-"))
    );
}
