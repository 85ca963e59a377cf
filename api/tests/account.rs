//! The account API as docs/api-accounts.md has it, through the front door.

mod common;

use std::time::Duration;

use common::House;
use matrixos_supervisor::accounts::FRESH;
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

const FIREFOX: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";

impl House {
    async fn get(&self, path: &str, cookie: &str) -> Value {
        let answer = self.page("GET", path, cookie, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// What an app with that secret shows now.
    fn code(&self, secret: &Value) -> String {
        let secret = Secret::try_from_base32(secret.as_str().expect("a secret")).expect("Base32");
        let now = self.clock.now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        Builder::new().with_secret(secret).build().expect("160 bits").generate(now.as_secs()).to_string()
    }

    /// A new account with an app: cookies, the app's secret and the recovery codes.
    async fn sign_up_with_app(&self, handle: &str) -> (String, Value, Vec<String>) {
        let offer = self.page("POST", "/api/signup/totp/start", "", &json!({ "handle": handle })).await.json();
        let otpauth = offer["otpauth"].as_str().expect("a URL");
        assert!(otpauth.starts_with("otpauth://totp/") && otpauth.contains(handle), "{otpauth}");
        let body = |code: &str| json!({ "ceremony": offer["ceremony"], "code": code, "feed": true });
        let wrong = self.page("POST", "/api/signup/totp/finish", "", &body("000000")).await;
        assert_eq!((wrong.status, wrong.code().as_str()), (400, "code_rejected"));
        let made = self.page("POST", "/api/signup/totp/finish", "", &body(&self.code(&offer["secret"]))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.header("cache-control").as_deref(), Some("no-store"));
        let codes = made.json()["recoveryCodes"].as_array().expect("codes").clone();
        let codes: Vec<String> = codes.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect();
        assert_eq!(codes.len(), 10);
        (made.cookie(), offer["secret"].clone(), codes)
    }
}

#[tokio::test]
async fn an_app_signs_up_and_in_and_a_recovery_code_stands_in_for_it() {
    let house = House::open().await;
    let (cookie, secret, codes) = house.sign_up_with_app("alice").await;
    assert_eq!(house.get("/api/me", &cookie).await["handle"], "alice");
    house.clock.advance(Duration::from_secs(30));
    let login =
        async |code: &str| house.page("POST", "/api/login/code", "", &json!({ "handle": "alice", "code": code })).await;
    let signed_in = login(&house.code(&secret)).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert!(signed_in.json().get("recoveryCodesLeft").is_none());
    let by_recovery = login(&codes[0].to_uppercase()).await;
    assert_eq!((by_recovery.status, &by_recovery.json()["recoveryCodesLeft"]), (200, &json!(9)));
    let security = house.get("/api/security", &by_recovery.cookie()).await;
    assert_eq!((&security["passkeys"], &security["recoveryCodes"]), (&json!([]), &json!({ "left": 9, "of": 10 })));
    let listed = house.get("/api/sessions", &cookie).await;
    let methods: Vec<_> = listed["sessions"].as_array().expect("a list").iter().map(|s| s["method"].clone()).collect();
    assert_eq!(methods, ["recovery_code", "totp", "totp"]);
    let last = house.page("DELETE", "/api/totp", &cookie, &json!({})).await;
    assert_eq!((last.status, last.code().as_str()), (409, "last_factor"));
    let renewed = house.page("POST", "/api/recovery-codes", &cookie, &json!({})).await.json();
    assert_eq!(renewed["recoveryCodes"].as_array().map(Vec::len), Some(10));
    assert_eq!(login(&codes[1]).await.status, 401, "those before do not work any more");
}

#[tokio::test]
async fn a_refused_code_says_the_same_of_every_handle() {
    let house = House::open().await;
    house.sign_up_with_app("alice").await;
    house.sign_up("passkey", &mut Device::at(&house.origin)).await;
    for code in ["123456", "aaaa-bbbb-cccc-dddd", "", "x"] {
        let mut answers = Vec::new();
        for handle in ["alice", "passkey", "nobody1", "Not A Handle"] {
            let answer = house.page("POST", "/api/login/code", "", &json!({ "handle": handle, "code": code })).await;
            answers.push((answer.status, answer.head.to_lowercase().replace(char::is_numeric, ""), answer.body));
        }
        assert_eq!(answers[0].0, 401);
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{code}: {answers:?}");
    }
    let mut last = None;
    for _ in 0..7 {
        let body = json!({ "handle": "nobody1", "code": "123456" }).to_string();
        let fields = house.own("");
        let answer = house.ask_from("203.0.113.9", "POST", &house.host(), "/api/login/code", &fields, &body).await;
        last = Some((answer.status, answer.code(), answer.header("retry-after")));
    }
    assert_eq!(last, Some((429, "too_many_requests".to_owned(), Some("120".to_owned()))));
}

#[tokio::test]
async fn passkeys_are_seen_to_after_a_fresh_proof() {
    let house = House::open().await;
    let (mut phone, mut laptop) = (Device::at(&house.origin), Device::at(&house.origin));
    let cookie = house.sign_up("alice", &mut phone).await;
    house.clock.advance(FRESH);
    let refused = house.page("POST", "/api/passkeys/start", &cookie, &json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "verify_first"));
    let started = house.page("POST", "/api/verify/start", &cookie, &json!({})).await.json();
    let credential = phone.sign_in(&started["publicKey"]).expect("signed");
    let answer = json!({ "ceremony": started["ceremony"], "credential": credential });
    let verified = house.page("POST", "/api/verify/finish", &cookie, &answer).await;
    assert_eq!(verified.status, 200, "{}", verified.body);
    let security = house.get("/api/security", &cookie).await;
    assert_eq!(security["freshUntil"], verified.json()["freshUntil"]);
    let started = house.page("POST", "/api/passkeys/start", &cookie, &json!({})).await.json();
    let credential = laptop.register(&started["publicKey"]).expect("registered");
    let new = json!({ "ceremony": started["ceremony"], "credential": credential, "name": "Laptop" });
    let added = house.page("POST", "/api/passkeys/finish", &cookie, &new).await;
    assert_eq!((added.status, &added.json()["name"]), (201, &json!("Laptop")), "{}", added.body);
    let path = format!("/api/passkeys/{}", added.json()["id"].as_str().expect("an id"));
    let mallory = house.sign_up("mallory", &mut Device::at(&house.origin)).await;
    for (method, body) in [("PATCH", json!({ "name": "mine" })), ("DELETE", json!({}))] {
        let foreign = house.page(method, &path, &mallory, &body).await;
        assert_eq!((foreign.status, foreign.code().as_str()), (404, "not_found"), "{method}");
    }
    let renamed = house.page("PATCH", &path, &cookie, &json!({ "name": "Work" })).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Work")));
    let bad = house.page("PATCH", &path, &cookie, &json!({ "name": "" })).await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "name_invalid"));
    house.sign_in(&mut laptop).await;
    let listed = house.get("/api/security", &cookie).await["passkeys"].clone();
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&json!("Passkey"), &json!("Work")));
    assert!(listed[1]["lastUsed"].is_u64() && listed.as_array().is_some_and(|l| l.len() == 2), "{listed}");
    assert_eq!(house.page("DELETE", &path, &cookie, &json!({})).await.status, 204);
    let path = format!("/api/passkeys/{}", listed[0]["id"].as_str().expect("an id"));
    let last = house.page("DELETE", &path, &cookie, &json!({})).await;
    assert_eq!((last.status, last.code().as_str()), (409, "last_factor"));
}

#[tokio::test]
async fn an_app_is_added_to_an_account_and_taken_away_again() {
    let house = House::open().await;
    let cookie = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    assert_eq!(house.get("/api/security", &cookie).await["totp"], Value::Null);
    let none = house.page("POST", "/api/recovery-codes", &cookie, &json!({})).await;
    assert_eq!((none.status, none.code().as_str()), (404, "not_found"));
    let offer = house.page("POST", "/api/totp/start", &cookie, &json!({})).await.json();
    let body = json!({ "ceremony": offer["ceremony"], "code": house.code(&offer["secret"]) });
    let set = house.page("POST", "/api/totp/finish", &cookie, &body).await;
    assert_eq!(set.json()["recoveryCodes"].as_array().map(Vec::len), Some(10), "{}", set.body);
    assert!(house.get("/api/security", &cookie).await["totp"]["since"].is_u64());
    house.clock.advance(FRESH);
    let code = json!({ "code": house.code(&offer["secret"]) });
    assert_eq!(house.page("POST", "/api/verify/code", &cookie, &code).await.status, 200);
    let again = house.page("POST", "/api/verify/code", &cookie, &code).await;
    assert_eq!((again.status, again.code().as_str()), (400, "code_rejected"), "a code works once");
    assert_eq!(house.page("DELETE", "/api/totp", &cookie, &json!({})).await.status, 204);
    assert_eq!(house.get("/api/security", &cookie).await["recoveryCodes"], Value::Null);
}

#[tokio::test]
async fn sessions_are_listed_with_where_they_are_and_ended() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    let first = house.sign_up("alice", &mut device).await;
    house.clock.advance(Duration::from_secs(5));
    let started = house.page("POST", "/api/login/start", "", &json!({})).await.json();
    let credential = device.sign_in(&started["publicKey"]).expect("signed");
    let body = json!({ "ceremony": started["ceremony"], "credential": credential }).to_string();
    let fields = format!("{FIREFOX}{}", house.own(""));
    let second =
        house.ask_from("1.1.1.1, 203.0.113.9", "POST", &house.host(), "/api/login/finish", &fields, &body).await;
    let second = second.cookie();
    let listed = house.get("/api/sessions", &second).await["sessions"].clone();
    assert_eq!((&listed[0]["current"], &listed[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!((&listed[0]["browser"], &listed[0]["address"]), (&json!("Firefox on Linux"), &json!("203.0.113.9")));
    assert_eq!(listed[0]["method"], "passkey");
    assert!(listed[0]["expires"].as_u64() > listed[0]["created"].as_u64());
    let mallory = house.sign_up("mallory", &mut Device::at(&house.origin)).await;
    let path = format!("/api/sessions/{}", listed[1]["id"].as_str().expect("an id"));
    assert_eq!(house.page("DELETE", &path, &mallory, &json!({})).await.code(), "not_found");
    let visit = house.enter("alice", &first).await;
    let ended = house.page("DELETE", &path, &second, &json!({})).await;
    assert_eq!((ended.status, ended.cookies().as_str()), (204, ""));
    assert_eq!(house.page("GET", "/api/me", &first, &Value::Null).await.status, 401, "at once");
    let at_computer = house.ask("GET", &house.computer("alice"), "/", &format!("cookie: {visit}\r\n"), "").await;
    assert_eq!(at_computer.status, 401, "and what came from it");
    let third = house.sign_in(&mut device).await;
    let out = house.page("POST", "/api/sessions/revoke-all", &second, &json!({})).await;
    assert_eq!((out.status, out.cookie().as_str()), (204, "__Host-mx_session=; __Host-mx_refresh="));
    for cookie in [&second, &third] {
        assert_eq!(house.page("GET", "/api/me", cookie, &Value::Null).await.status, 401);
    }
}

#[tokio::test]
async fn people_read_what_happened_to_their_own_account_and_administrators_to_all() {
    let house = House::open().await;
    let (mut alice, mut rooted) = (Device::at(&house.origin), Device::at(&house.origin));
    let mut member = house.sign_up("alice", &mut alice).await;
    let admin = house.sign_up("rooted", &mut rooted).await;
    for _ in 0..59 {
        member = house.sign_in(&mut alice).await;
    }
    let first = house.get("/api/audit", &member).await;
    assert_eq!(first["events"].as_array().map(Vec::len), Some(50));
    let event = &first["events"][0];
    assert_eq!((&event["what"], &event["by"], &event["detail"]), (&json!("signed_in"), &json!("self"), &Value::Null));
    assert!(event["at"].is_u64() && event["address"].is_string() && event.get("handle").is_none(), "{event}");
    let rest = house.get(&format!("/api/audit?before={}", first["next"]), &member).await;
    assert_eq!((rest["events"].as_array().map(Vec::len), &rest["next"]), (Some(10), &Value::Null));
    assert_eq!(rest["events"][9]["what"], "signed_up");
    let bad = house.page("GET", "/api/audit?before=x", &member, &Value::Null).await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_request"));
    let url = house.operator("POST", "/administrators/invite").await.json()["url"].as_str().expect("a link").to_owned();
    let token = url.split_once('=').expect("a token").1;
    assert_eq!(house.page("POST", "/api/admin/claim", &admin, &json!({ "token": token })).await.status, 204);
    let all = house.get("/api/admin/audit", &admin).await;
    assert_eq!((&all["events"][0]["what"], &all["events"][0]["handle"]), (&json!("admin_granted"), &json!("rooted")));
    assert_eq!(all["events"][1]["handle"], "alice");
    let one = house.get("/api/admin/audit?handle=rooted", &admin).await;
    assert_eq!(one["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(house.page("GET", "/api/admin/audit?handle=nobody1", &admin, &Value::Null).await.status, 404);
    let exported = house.operator("GET", "/audit?handle=alice").await.json();
    assert_eq!(exported.as_array().map(Vec::len), Some(60));
    assert_eq!(house.operator("GET", "/administrators").await.json(), json!(["rooted"]));
    assert_eq!(house.get("/api/me", &admin).await["admin"], true);
    assert_eq!(house.operator("POST", "/administrators/rooted/dismiss").await.status, 204);
    assert_eq!(house.page("GET", "/api/admin/audit", &admin, &Value::Null).await.code(), "not_admin", "at once");
}

#[tokio::test]
async fn an_account_that_is_to_be_deleted_can_be_kept_for_a_week() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    let cookie = house.sign_up("alice", &mut device).await;
    let typo = house.page("POST", "/api/account/delete", &cookie, &json!({ "confirm": "alicia" })).await;
    assert_eq!((typo.status, typo.code().as_str()), (400, "confirm_mismatch"));
    let body = json!({ "confirm": "alice" });
    let at = house.page("POST", "/api/account/delete", &cookie, &body).await.json()["deletion"].clone();
    assert!(at.is_u64());
    assert_eq!(house.get("/api/me", &cookie).await["deletion"], at);
    let start = house.page("POST", "/api/computer/start", &cookie, &json!({})).await;
    assert_eq!((start.status, start.code().as_str()), (409, "deletion_pending"));
    let kept = house.page("POST", "/api/account/restore", &cookie, &json!({})).await;
    assert_eq!(kept.json(), json!({ "deletion": null }));
    assert_eq!(house.page("POST", "/api/computer/start", &cookie, &json!({})).await.status, 202);
    house.page("POST", "/api/account/delete", &cookie, &body).await;
    house.clock.advance(Duration::from_secs(7 * 24 * 3_600 - 1));
    house.platform.tidy().await;
    let cookie = house.sign_in(&mut device).await;
    house.clock.advance(Duration::from_secs(1));
    house.platform.tidy().await;
    assert_eq!(house.page("GET", "/api/me", &cookie, &Value::Null).await.status, 401);
    assert_eq!(house.get("/api/handles/alice", "").await["available"], false, "nobody gets the handle");
    assert!(house.store.users().expect("store").is_empty());
    assert!(matrixos_supervisor::store::verify(&house.store).is_empty());
}
