//! Through the front door: the real accept loop and routes, a real store, a software authenticator; only the launcher
//! makes nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use matrixos_api::routes::{Audience, table};
use matrixos_api::{Edge, Platform};
use matrixos_netns::Network;
use matrixos_proxy::{Forwarder, listen};
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::Limits;
use matrixos_supervisor::accounts::Accounts;
use matrixos_supervisor::clock::SystemClock;
use matrixos_supervisor::containers::{Containers, GatewayKey, Settings, Sleep};
use matrixos_supervisor::store::Store;
use matrixos_testkit::authenticator::Device;
use matrixos_testkit::launcher;
use matrixos_types::{Bytes, Instance};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use url::Url;

struct House {
    address: SocketAddr,
    origin: String,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.head, self.body))
    }

    fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> Option<String> {
        let line = self.head.lines().find(|l| l.to_lowercase().starts_with(&format!("{name}: ")))?;
        line.split_once(": ").map(|(_, value)| value.to_owned())
    }

    fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        assert!(
            cookie.contains("; Secure; HttpOnly; SameSite=Lax")
                && cookie.contains("Path=/;")
                && !cookie.contains("Domain"),
            "{cookie}"
        );
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let origin = Url::parse(&format!("http://localhost:{}", address.port())).expect("a URL");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let accounts = Accounts::new(store.clone(), Arc::new(SystemClock), &origin).expect("accounts");
        let settings = Settings {
            groups: Groups::of(&Instance::parse("nothing").expect("a name")),
            network: Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool"),
            limits: Limits::default(),
            image: "sha256:none".to_owned(),
            sleep: Sleep::default(),
            memory_floor: Bytes(0),
            on_rest: Box::new(|_| ()),
            clock: Arc::new(SystemClock),
        };
        let key = GatewayKey::load_or_create(&folder.path().join("key")).expect("a key");
        let client = LauncherClient::new(launcher::failing()).expect("a client");
        let containers = Containers::take_charge(store, client, key, settings).await.expect("nothing runs");
        let end = CancellationToken::new();
        let edge = Edge::new(Platform::new(accounts, containers, Forwarder::default(), &origin, end.clone()));
        let answer = move |request, peer| edge.clone().answer(request, peer);
        tokio::spawn(listen::serve(listener, listen::Limits::default(), answer, end));
        Self { address, origin: origin.origin().ascii_serialization(), _folder: folder }
    }

    async fn raw(&self, request: String) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut text = Vec::new();
        tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut text))
            .await
            .expect("an end")
            .expect("read");
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    async fn ask(&self, method: &str, host: &str, path: &str, fields: &str, body: &str) -> Answer {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        };
        self.raw(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{fields}{length}connection: close\r\n\r\n{body}"))
            .await
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    fn computer(&self, handle: &str) -> String {
        format!("{handle}.{}", self.host())
    }

    /// As the platform's own page, in the browser with that cookie.
    async fn page(&self, method: &str, path: &str, cookie: &str, body: &Value) -> Answer {
        let fields = format!("origin: {}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n", self.origin);
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.ask(method, &self.host(), path, &fields, &body).await
    }

    async fn sign_up(&self, handle: &str, device: &mut Device) -> String {
        let started = self.page("POST", "/api/signup/start", "", &json!({ "handle": handle })).await.json();
        let credential = device.register(&started["publicKey"]).expect("registered");
        let finished = self
            .page(
                "POST",
                "/api/signup/finish",
                "",
                &json!({ "ceremony": started["ceremony"], "credential": credential, "feed": true }),
            )
            .await;
        assert_eq!(finished.status, 201, "{}", finished.body);
        assert_eq!(finished.json()["computer"], format!("http://{}/", self.computer(handle)));
        finished.cookie()
    }
}

#[tokio::test]
async fn every_route_answers_the_right_people_only() {
    let house = House::open().await;
    let member = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    for route in table() {
        let path = route.path.replace("{text}", "bobby").replace("{handle}", "alice");
        let anonymous = house.page(route.method.as_str(), &path, "", &json!({})).await;
        let guessed = house.page(route.method.as_str(), &path, "__Host-mx_session=guess", &json!({})).await;
        match route.audience {
            Audience::Public => assert_ne!(anonymous.status, 401, "{path}"),
            Audience::SignedIn => {
                assert_eq!((anonymous.status, guessed.status), (401, 401), "{path}");
                let planted = format!("{member}; {member}");
                assert_eq!(
                    house.page(route.method.as_str(), &path, &planted, &json!({})).await.status,
                    401,
                    "{path}: a cookie that comes twice"
                );
            }
        }
        if route.method != "GET" {
            for fields in [
                String::new(),
                format!("origin: {}\r\n", house.origin),
                "sec-fetch-site: same-origin\r\n".to_owned(),
                format!("origin: http://{}\r\nsec-fetch-site: same-site\r\n", house.computer("mallory")),
                "origin: null\r\nsec-fetch-site: cross-site\r\n".to_owned(),
            ] {
                let foreign = house
                    .ask(route.method.as_str(), &house.host(), &path, &format!("{fields}cookie: {member}\r\n"), "{}")
                    .await;
                assert_eq!(
                    (foreign.status, foreign.code().as_str()),
                    (403, "forbidden_origin"),
                    "{path} from {fields:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_person_signs_up_out_and_in_again() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    let cookie = house.sign_up("alice", &mut device).await;
    let me = house.page("GET", "/api/me", &cookie, &Value::Null).await.json();
    assert_eq!((me["handle"].as_str(), me["feed"].as_bool()), (Some("alice"), Some(true)));
    assert_eq!(house.page("POST", "/api/logout", &cookie, &json!({})).await.status, 204);
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
    let door = house.page("GET", "/enter/alice?path=//evil.example/", &alice, &Value::Null).await;
    let location = door.header("location").expect("a way in");
    let (base, query) = location.split_once(&house.computer("alice")).expect("the computer's host");
    assert_eq!(base, "http://");
    let through = house.ask("GET", &house.computer("alice"), query, "", "").await;
    assert_eq!((through.status, through.header("location").as_deref()), (303, Some("/")), "no way to another host");
    let visit = through.cookie();
    let again = house.ask("GET", &house.computer("alice"), query, "", "").await;
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
    assert_eq!(stranger.header("location"), Some(format!("{}/enter/alice?path=%2Fx%3Fy%3D1", house.origin)));
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
        let answer = house.page("POST", "/api/login/start", "", &json!({})).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    assert!(refused.header("retry-after").is_some());
}
