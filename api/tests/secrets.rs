//! Nothing that opens anything gets into the log, at any level.

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::House;
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("whole").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_holds_no_token_code_or_secret() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).init();
    let house = House::open().await;
    let mut secrets: Vec<String> = Vec::new();
    let mut keep = |text: &Value| secrets.push(text.as_str().expect("a text").to_owned());

    let offer = house.page("POST", "/api/signup/totp/start", "", &json!({ "handle": "alice" })).await.json();
    ["ceremony", "secret", "otpauth"].iter().for_each(|field| keep(&offer[field]));
    let secret = totp_rs::Secret::try_from_base32(offer["secret"].as_str().expect("a text")).expect("Base32");
    let now = house.clock.now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let code = totp_rs::Builder::new().with_secret(secret).build().expect("160 bits").generate(now.as_secs());
    let body = json!({ "ceremony": offer["ceremony"], "code": code.to_string() });
    let arrived = house.page("POST", "/api/signup/totp/finish", "", &body).await;
    assert_eq!(arrived.status, 201, "{}", arrived.body);
    let codes = arrived.json()["recoveryCodes"].clone();
    codes.as_array().expect("a list").iter().for_each(&mut keep);
    let used = house.page("POST", "/api/login/code", "", &json!({ "handle": "alice", "code": codes[0] })).await;
    assert_eq!(used.status, 200);
    let wrong = json!({ "handle": "alice", "code": "zzzz-zzzz-zzzz-zzzz" });
    assert_eq!(house.page("POST", "/api/login/code", "", &wrong).await.status, 401);

    let mut device = Device::at(&house.origin);
    let bobby = house.sign_up("bobby", &mut device).await;
    let visit = house.enter("bobby", &bobby).await;
    device.goes_to("http://evil.localhost:1");
    let started = house.page("POST", "/api/login/start", "", &json!({})).await.json();
    let credential = device.sign_in(&started["publicKey"]).expect("signed");
    let refused = json!({ "ceremony": started["ceremony"], "credential": credential });
    assert_eq!(house.page("POST", "/api/login/finish", "", &refused).await.code(), "passkey_rejected");
    let url = house.operator("POST", "/administrators/invite").await.json()["url"].clone();
    keep(&json!(url.as_str().and_then(|url| url.split_once('=')).expect("a token").1));
    // A token that is used twice is worth a warning, without the token.
    house.clock.advance(matrixos_supervisor::accounts::ACCESS);
    let first = house.page("GET", "/api/me", &bobby, &Value::Null).await.cookie();
    house.clock.advance(std::time::Duration::from_secs(60));
    let refresh = bobby.split("; ").nth(1).expect("two cookies");
    assert_eq!(house.page("GET", "/api/me", refresh, &Value::Null).await.status, 401);

    let cookies = [arrived.cookie(), used.cookie(), bobby, visit, first].join("; ");
    secrets.extend(cookies.split("; ").filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned()));
    let text = String::from_utf8_lossy(&log.0.lock().expect("whole")).into_owned();
    assert!(text.contains("a new account") && text.contains("a refresh token was used twice"), "it is the log: {text}");
    assert!(text.contains("a passkey's answer was refused"), "with its cause");
    for secret in &secrets {
        assert!(secret.len() >= 19 && !text.contains(secret.as_str()), "{secret}");
        // Nor the part that is the secret: tokens begin with what may be known.
        let (_, end) = secret.split_at(secret.len() / 2);
        assert!(!text.contains(end), "{end}");
    }
}
