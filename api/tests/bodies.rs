//! No body that a stranger or a member sends breaks a route: whatever it is, the answer is one of the platform's own.

mod common;

use common::House;
use matrixos_api::routes::table;
use matrixos_fuzz::{Fuzz, text};
use matrixos_testkit::authenticator::Device;

#[tokio::test]
async fn whatever_is_sent_no_route_fails() {
    let house = House::open().await;
    let mut device = Device::at(&house.origin);
    let mut member = house.sign_up("alice", &mut device).await;
    // What deletes is tried elsewhere; this test wants to stay a member.
    let routes: Vec<_> =
        table().into_iter().filter(|route| matches!(route.method.as_str(), "POST" | "PATCH")).collect();
    let corpus = Fuzz::corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/bodies.txt")).slower_by(10);
    for (number, input) in corpus.inputs().enumerate() {
        let route = &routes[number % routes.len()];
        let path = route.path.replace("{handle}", "alice").replace("{id}", "00");
        // A body that is no text is sent as its line of text; the reader of JSON is not ours.
        let body = String::from_utf8(input).unwrap_or_else(|bytes| text::write(bytes.as_bytes()));
        let answer = house.ask(route.method.as_str(), &house.host(), &path, &house.own(&member), &body).await;
        assert!((200..500).contains(&answer.status), "{path} with {body:?}: {} {}", answer.head, answer.body);
        assert!(answer.status < 300 || !answer.code().is_empty(), "{path} with {body:?}: {}", answer.body);
        if house.page("GET", "/api/me", &member, &serde_json::Value::Null).await.status == 401 {
            member = house.sign_in(&mut device).await;
        }
    }
}
