//! Administrators see to other people's accounts, and these see it.

mod common;

use std::time::Duration;

use common::House;
use matrixos_supervisor::store::{FirstFactor, NewAccount};
use matrixos_testkit::authenticator::Device;
use matrixos_types::{Handle, UserId};
use serde_json::{Value, json};

/// A house with an administrator, whose cookie it gives.
async fn with_an_administrator(house: &House, device: &mut Device) -> String {
    let admin = house.sign_up("rooted", device).await;
    let url = house.operator("POST", "/administrators/invite").await.json()["url"].as_str().expect("a link").to_owned();
    let claim = json!({ "token": url.split_once('=').expect("a token").1 });
    assert_eq!(house.page("POST", "/api/admin/claim", &admin, &claim).await.status, 204);
    admin
}

#[tokio::test]
async fn administrators_list_everybody_page_by_page() {
    let house = House::open().await;
    let admin = with_an_administrator(&house, &mut Device::at(&house.origin)).await;
    let alice = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let at = house.page("POST", "/api/account/delete", &alice, &json!({ "confirm": "alice" })).await.json();
    for number in 100..160 {
        let id = UserId::random();
        let factor = FirstFactor::Passkey { id: id.0.simple().to_string(), passkey: Value::Null };
        let handle = Handle::parse(&format!("crowd{number}")).expect("a handle");
        house.store.create_account(&NewAccount { id, handle, created: 7, feed: false, factor }).expect("made");
    }
    let first = house.page("GET", "/api/admin/users", &admin, &Value::Null).await.json();
    let users = first["users"].as_array().expect("users").clone();
    assert_eq!((users.len(), first["next"].as_str()), (50, Some("crowd148")));
    assert_eq!((&users[0]["handle"], &users[0]["deletion"]), (&json!("alice"), &at["deletion"]));
    assert!(users[0]["state"].is_string(), "{}", users[0]);
    assert_eq!(
        (&users[1]["handle"], &users[1]["created"], &users[1]["admin"]),
        (&json!("crowd100"), &json!(7), &json!(false))
    );
    let rest = house.page("GET", "/api/admin/users?after=crowd148", &admin, &Value::Null).await.json();
    let handles: Vec<_> = rest["users"].as_array().expect("users").iter().map(|u| u["handle"].clone()).collect();
    assert_eq!((handles.len(), &handles[0], &handles[11]), (12, &json!("crowd149"), &json!("rooted")));
    assert_eq!((&rest["users"][11]["admin"], &rest["next"]), (&json!(true), &Value::Null));
    let bad = house.page("GET", "/api/admin/users?after=No", &admin, &Value::Null).await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_request"));
}

#[tokio::test]
async fn what_administrators_do_is_done_under_their_name() {
    let house = House::open().await;
    let admin = with_an_administrator(&house, &mut Device::at(&house.origin)).await;
    let mut device = Device::at(&house.origin);
    let alice = house.sign_up("alice", &mut device).await;
    let visit = house.enter("alice", &alice).await;
    let act =
        async |what: &str| house.page("POST", &format!("/api/admin/users/alice/{what}"), &admin, &json!({})).await;
    assert_eq!(act("computer/stop").await.status, 202);
    let fields = format!("cookie: {visit}\r\nsec-fetch-site: same-origin\r\n");
    // The computer's task hears of the wish a moment later.
    let told = async || {
        while !house
            .ask("GET", &house.computer("alice"), "/", &fields, "")
            .await
            .body
            .contains("the administrator rooted stopped it")
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told()).await.expect("its owner is told why");
    assert_eq!(act("computer/start").await.status, 202);
    assert_eq!(act("sessions/revoke-all").await.status, 204);
    assert_eq!(house.page("GET", "/api/me", &alice, &Value::Null).await.status, 401, "at once");
    assert_eq!(house.ask("GET", &house.computer("alice"), "/", &fields, "").await.status, 401, "the visit as well");
    let again = house.sign_in(&mut device).await;
    let own = house.page("GET", "/api/audit", &again, &Value::Null).await.json()["events"].clone();
    let all = house.page("GET", "/api/admin/audit?handle=alice", &admin, &Value::Null).await.json()["events"].clone();
    for (place, what) in [(1, "sessions_revoked"), (2, "computer_started"), (3, "computer_stopped")] {
        let (seen, event) = (&own[place], &all[place]);
        assert_eq!(
            (&seen["what"], &seen["by"], &seen["detail"]),
            (&json!(what), &json!("administrator"), &json!("rooted"))
        );
        assert_eq!((&seen["address"], &seen["browser"]), (&Value::Null, &Value::Null), "not from where");
        assert!(event["what"] == what && event["address"].is_string(), "administrators see that: {event}");
    }
    let nobody = house.page("POST", "/api/admin/users/nobody1/computer/stop", &admin, &json!({})).await;
    assert_eq!((nobody.status, nobody.code().as_str()), (404, "not_found"));
    house.page("POST", "/api/account/delete", &again, &json!({ "confirm": "alice" })).await;
    let start = act("computer/start").await;
    assert_eq!((start.status, start.code().as_str()), (409, "deletion_pending"));
}

#[tokio::test]
async fn an_administrator_changes_what_somebody_may_spend_and_they_read_who_did() {
    let house = House::open().await;
    let admin = with_an_administrator(&house, &mut Device::at(&house.origin)).await;
    let alice = house.sign_up("alice", &mut Device::at(&house.origin)).await;
    let set = async |body: Value| house.page("PUT", "/api/admin/users/alice/quota", &admin, &body).await;
    let more = set(json!({ "dollars": "7.50" })).await;
    assert_eq!((more.status, more.json()["quota_nanos"].as_u64()), (200, Some(7_500_000_000)), "{}", more.body);
    let usage = house.page("GET", "/api/usage/alice", &alice, &Value::Null).await.json();
    assert_eq!(usage["quota_nanos"], 7_500_000_000_u64);
    for bad in [json!({ "dollars": "-1" }), json!({ "dollars": "seven" }), json!({ "dollars": 7 }), json!([])] {
        let refused = set(bad.clone()).await;
        assert!((400..500).contains(&refused.status) && refused.code() == "bad_request", "{bad}: {}", refused.body);
    }
    let usual = set(json!({ "dollars": null })).await.json();
    assert_eq!(usual["quota_nanos"], 5_000_000_000_u64, "what everybody may");
    let events = house.page("GET", "/api/audit", &alice, &Value::Null).await.json()["events"].clone();
    for place in [0, 1] {
        let event = &events[place];
        let said = (&event["what"], &event["by"], &event["detail"]);
        assert_eq!(said, (&json!("quota_set"), &json!("administrator"), &json!("rooted")));
    }
    assert_ne!(events[2]["what"], "quota_set", "what was refused is not written down as done");
    let own = house.page("PUT", "/api/admin/users/alice/quota", &alice, &json!({ "dollars": "9" })).await;
    assert_eq!((own.status, own.code().as_str()), (403, "not_admin"));
}
