//! What a computer asks of the platform about itself.

mod common;

use common::{Answer, House};
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};

struct Alice {
    house: House,
    cookie: String,
    address: String,
    credential: String,
}

impl Alice {
    async fn arrive() -> Self {
        let house = House::open().await;
        let cookie = house.sign_up("alice", &mut Device::at(&house.origin)).await;
        let (address, credential) = house.resident("alice");
        Self { house, cookie, address, credential }
    }

    async fn asks(&self, method: &str, path: &str, body: &str) -> Answer {
        let fields = format!("authorization: Bearer {}\r\n", self.credential);
        self.house.inside(&self.address, method, path, &fields, body).await
    }

    async fn awake(&self) -> Value {
        self.house.page("GET", "/api/computer", &self.cookie, &Value::Null).await.json()["awake"].clone()
    }
}

#[tokio::test]
async fn a_program_keeps_its_computer_awake_for_a_bounded_time_and_its_owner_sees_why_and_ends_it() {
    let alice = Alice::arrive().await;
    let body = json!({ "seconds": 60, "because": "a long\u{7} build" }).to_string();
    assert_eq!(alice.asks("POST", "/matrix/awake", &body).await.status, 200);
    assert_eq!(alice.awake().await["because"], "a long build");
    let until = alice.awake().await["until"].as_u64().expect("a time");
    assert_eq!(
        until,
        alice.house.clock.now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() + 60
    );
    assert_eq!(alice.asks("DELETE", "/matrix/awake", "").await.status, 204);
    assert_eq!(alice.awake().await, Value::Null);
    assert_eq!(alice.asks("POST", "/matrix/awake", &body).await.status, 200);
    let ended = alice.house.page("DELETE", "/api/computer/awake", &alice.cookie, &json!({})).await;
    assert_eq!((ended.status, alice.awake().await), (204, Value::Null));
}

#[tokio::test]
async fn the_owners_word_outlives_a_programs() {
    let alice = Alice::arrive().await;
    let own = json!({ "minutes": 2, "because": "the owner's" });
    assert_eq!(alice.house.page("POST", "/api/computer/awake", &alice.cookie, &own).await.status, 200);
    let longer = json!({ "seconds": 600, "because": "the program's" }).to_string();
    assert_eq!(alice.asks("POST", "/matrix/awake", &longer).await.status, 200);
    assert_eq!(alice.awake().await["because"], "the program's", "the longer one is what counts");
    assert_eq!(alice.asks("DELETE", "/matrix/awake", "").await.status, 204);
    assert_eq!(alice.awake().await["because"], "the owner's");
}

#[tokio::test]
async fn absurd_wishes_are_refused_with_a_reason() {
    let alice = Alice::arrive().await;
    for (method, path, body, says) in [
        ("POST", "/matrix/awake", r#"{"seconds":31536000,"because":"a year"}"#, "1 to 43200 seconds"),
        ("POST", "/matrix/awake", r#"{"seconds":0,"because":"nothing"}"#, "1 to 43200 seconds"),
        ("POST", "/matrix/awake", r#"{"seconds":-1,"because":"less"}"#, "seconds"),
        ("POST", "/matrix/awake", r#"{"seconds":60,"because":"  "}"#, "say in a few words why"),
        ("POST", "/matrix/awake", r#"{"seconds":60}"#, "because"),
        ("POST", "/matrix/awake", "{", "EOF"),
        ("PUT", "/matrix/due", r#"{"at":18446744073709551615}"#, "before the year 10000"),
        ("PUT", "/matrix/due", r#"{"at":"tomorrow"}"#, "at"),
    ] {
        let refused = alice.asks(method, path, body).await;
        assert!((400..500).contains(&refused.status), "{body}: {}", refused.status);
        let message = refused.json()["error"]["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(says), "{body}: {message}");
    }
    let large = json!({ "seconds": 60, "because": "x".repeat(20_000) }).to_string();
    assert_eq!(alice.asks("POST", "/matrix/awake", &large).await.status, 400, "a body that is too large");
    assert_eq!(alice.awake().await, Value::Null);
    assert_eq!(alice.asks("PUT", "/matrix/due", r#"{"at":null}"#).await.status, 204);
    assert_eq!(alice.asks("PUT", "/matrix/due", r#"{"at":2000000000}"#).await.status, 204);
}

#[tokio::test]
async fn a_computer_that_asks_too_often_is_told_to_wait_in_the_shape_that_its_programs_know() {
    let alice = Alice::arrive().await;
    let mut refused = None;
    for _ in 0..2_000 {
        let answer = alice.asks("GET", "/v1/models", "").await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is a bound");
    assert_eq!((refused.status, &refused.json()["type"]), (429, &json!("error")));
    assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
    assert!(refused.header("retry-after").is_some_and(|text| text.parse::<u64>().is_ok_and(|seconds| seconds > 0)));
    assert_eq!(
        alice.asks("GET", "/matrix/usage", "").await.status,
        200,
        "what is asked before every turn is not counted"
    );
}
