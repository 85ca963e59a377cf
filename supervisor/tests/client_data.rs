//! A passkey's answer with any part of it changed opens nothing, and breaks nothing.

mod common;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{ORIGIN, caller, platform};
use matrixos_fuzz::{Fuzz, Mutator, text};
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap_or_default()).expect("base64url")
}

#[tokio::test]
async fn whatever_is_sent_as_client_data_only_what_was_signed_signs_in() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/client-data.txt")).slower_by(50);
    for input in corpus.inputs() {
        let started = p.accounts.start_login().expect("started");
        let mut answer = device.sign_in(&started.options).expect("signed");
        let challenge = started.options["challenge"].as_str().expect("a challenge");
        let data = String::from_utf8_lossy(&input).replace("CHALLENGE", challenge).into_bytes();
        if data == bytes(&answer["response"]["clientDataJSON"]) {
            continue;
        }
        answer["response"]["clientDataJSON"] = json!(URL_SAFE_NO_PAD.encode(&data));
        let opened = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
        assert!(opened.is_err(), "with the client data {}", text::write(&data));
    }
}

#[tokio::test]
async fn whatever_is_changed_in_an_answer_it_signs_nobody_in() {
    let p = platform();
    let mut device = Device::at(ORIGIN);
    p.sign_up(&mut device, "alice").await;
    let mut mutator = Mutator::new(1, &[]);
    for round in 0..400 {
        let started = p.accounts.start_login().expect("started");
        let mut answer = device.sign_in(&started.options).expect("signed");
        let part = ["clientDataJSON", "authenticatorData", "signature", "userHandle"][round % 4];
        let signed = bytes(&answer["response"][part]);
        let changed = mutator.next(std::slice::from_ref(&signed));
        if changed == signed {
            continue;
        }
        answer["response"][part] = json!(URL_SAFE_NO_PAD.encode(&changed));
        let opened = p.accounts.finish_login(started.ceremony.expose(), &answer, &caller()).await;
        assert!(opened.is_err(), "with another {part}: {} instead of {}", text::write(&changed), text::write(&signed));
    }
}
