//! Everything that somebody has, as one download: for its owner alone, whole or visibly not, and one at a time.

mod common;

use std::time::Duration;

use common::{Answer, House};
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const EXPORT: &str = "/api/account/export";
/// The end of a body that is sent in chunks (RFC 9112, section 7.1).
const END: &str = "0\r\n\r\n";

async fn sign_up(house: &House, handle: &str) -> String {
    house.sign_up(handle, &mut Device::at(&house.origin)).await
}

async fn happened(house: &House, cookie: &str) -> Vec<Value> {
    let answer = house.page("GET", "/api/audit", cookie, &Value::Null).await.json();
    let exports = answer["events"].as_array().expect("a list").iter().filter(|event| event["what"] == "data_exported");
    exports.cloned().collect()
}

/// What the launcher of these tests sends back: the account, and then numbers.
fn account(answer: &Answer) -> Value {
    let text: String = answer.body.split("\r\n").skip(1).step_by(2).collect();
    let mut values = serde_json::Deserializer::from_str(&text).into_iter();
    values.next().expect("a value").expect("JSON")
}

#[tokio::test]
async fn its_owner_gets_a_file_with_everything_but_secrets() {
    let house = House::open().await;
    let alice = sign_up(&house, "alice").await;
    let answer = house.page("GET", EXPORT, &alice, &Value::Null).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type").as_deref(), Some("application/gzip"));
    let name = answer.header("content-disposition").expect("a name");
    assert!(name.starts_with("attachment; filename=\"matrixos-alice-2027-"), "{name}");
    assert!(name.ends_with(".tar.gz\""), "{name}");
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    assert_eq!(answer.header("cross-origin-resource-policy").as_deref(), Some("same-origin"));
    assert!(answer.body.ends_with(END), "whole");
    let account = account(&answer);
    assert_eq!(account["handle"], "alice");
    assert_eq!(account["passkeys"].as_array().map(Vec::len), Some(1));
    assert_eq!(account["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(account["events"][0]["what"], "signed_up");
    assert!(account["computer"]["history"].is_array());
    let text = account.to_string();
    for secret in ["sealed", "hash", "refresh", "\"passkey\":{", "token"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let events = happened(&house, &alice).await;
    assert_eq!((events.len(), &events[0]["by"]), (1, &json!("self")));
}

#[tokio::test]
async fn no_other_page_begins_a_download() {
    let house = House::open().await;
    let alice = sign_up(&house, "alice").await;
    let evil = format!("http://{}", house.computer("mallory"));
    for fields in [
        String::new(),
        format!("origin: {}\r\n", house.origin),
        "sec-fetch-site: none\r\nsec-fetch-mode: navigate\r\n".to_owned(),
        format!("origin: {evil}\r\nsec-fetch-site: same-site\r\n"),
        "sec-fetch-site: same-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n".to_owned(),
        "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: iframe\r\n".to_owned(),
    ] {
        let fields = format!("{fields}cookie: {alice}\r\n");
        let answer = house.ask("GET", &house.host(), EXPORT, &fields, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "forbidden_origin"), "{fields}");
    }
    assert!(happened(&house, &alice).await.is_empty());
}

#[tokio::test]
async fn a_download_that_breaks_off_does_not_look_whole() {
    let house = House::open().await;
    let torn = sign_up(&house, "torn").await;
    let answer = house.page("GET", EXPORT, &torn, &Value::Null).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("\"torn\"") && !answer.body.ends_with(END));
}

/// A download that goes on for as long as somebody reads.
async fn endless(house: &House, cookie: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.address).await.expect("connected");
    let (host, own) = (house.host(), house.own(cookie));
    let request = format!("GET {EXPORT} HTTP/1.1\r\nhost: {host}\r\n{own}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut first = [0; 1_024];
    let read = stream.read(&mut first).await.expect("an answer");
    assert!(first[..read].starts_with(b"HTTP/1.1 200"));
    stream
}

async fn check(house: &House, cookie: &str) -> Answer {
    house.page("GET", &format!("{EXPORT}?check=true"), cookie, &Value::Null).await
}

#[tokio::test]
async fn there_is_one_download_at_a_time_and_whoever_goes_away_ends_theirs() {
    let house = House::open().await;
    let (alice, long) = (sign_up(&house, "alice").await, sign_up(&house, "long").await);
    assert_eq!(check(&house, &long).await.status, 204);
    let open = endless(&house, &long).await;
    for answer in [check(&house, &long).await, house.page("GET", EXPORT, &long, &Value::Null).await] {
        assert_eq!((answer.status, answer.code().as_str()), (409, "export_under_way"));
    }
    assert_eq!(check(&house, &alice).await.status, 204, "others are not concerned");
    drop(open);
    let deadline = Instant::now() + Duration::from_secs(30);
    while check(&house, &long).await.status != 204 {
        assert!(Instant::now() < deadline, "it ends");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(happened(&house, &long).await.len(), 1, "a question is no download");
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_download() {
    let house = House::open().await;
    let long = sign_up(&house, "long").await;
    let mut open = endless(&house, &long).await;
    assert_eq!(house.page("POST", "/api/sessions/revoke-all", &long, &json!({})).await.status, 204);
    let mut rest = Vec::new();
    // Broken off, with or without the courtesy of a last packet.
    let _ = timeout(Duration::from_secs(30), open.read_to_end(&mut rest)).await.expect("it ends");
    assert!(!rest.ends_with(END.as_bytes()));
}

#[tokio::test]
async fn the_operator_may_have_it_and_its_owner_is_told() {
    let house = House::open().await;
    let alice = sign_up(&house, "alice").await;
    let answer = house.operator("GET", "/accounts/alice/export").await;
    assert_eq!((answer.status, &account(&answer)["handle"]), (200, &json!("alice")));
    let events = happened(&house, &alice).await;
    assert_eq!((events.len(), &events[0]["by"]), (1, &json!("operator")));
    assert_eq!(house.operator("GET", "/accounts/nobody/export").await.status, 404);
}
