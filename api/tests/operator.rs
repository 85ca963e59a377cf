//! What the operator's commands are told when they cannot be done, or not alone.

mod common;

use common::House;
use matrixos_api::Watch;
use matrixos_proxy::listen;
use matrixos_testkit::authenticator::Device;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

async fn house() -> House {
    let house = House::open().await;
    house.sign_up("alice", &mut Device::at(&house.origin)).await;
    house
}

#[tokio::test]
async fn of_two_operators_who_start_and_stop_at_the_same_time_one_is_told_of_the_other() {
    let house = house().await;
    let (start, stop) = tokio::join!(
        house.operator("POST", "/containers/alice/start"),
        house.operator("POST", "/containers/alice/stop")
    );
    // Whoever comes first may be done before the other begins; whoever comes in between is told.
    let told = |answer: &common::Answer| answer.status == 200 || (answer.status == 409 && answer.code() == "overtaken");
    assert!(told(&start) && told(&stop), "{} {}", start.status, stop.status);
    assert!(start.status == 200 || stop.status == 200, "one of them had the last word");
}

#[tokio::test]
async fn a_broken_computer_that_is_woken_says_why_it_is_broken_and_what_is_stopped_or_unknown_is_refused() {
    let house = house().await;
    let wake = "/containers/alice/wake?why=a+test";
    for _ in 0..3 {
        let view = house.operator("POST", wake).await;
        assert_eq!((view.status, view.json()["condition"].clone()), (200, Value::from("broken")));
        assert!(view.json()["reason"].as_str().expect("a reason").contains("this launcher makes nothing"));
    }
    assert_eq!(house.operator("POST", "/containers/alice/stop").await.status, 200);
    let refused = house.operator("POST", wake).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "stopped"));
    assert!(refused.json()["error"]["message"].as_str().expect("why").contains("the operator stopped it"));
    assert_eq!(house.operator("POST", "/containers/alice/destroy").await.status, 204);
    assert_eq!(house.operator("POST", wake).await.status, 404);
    assert_eq!(house.operator("POST", "/containers/nobody/wake?why=a+test").await.status, 404);
}

#[tokio::test]
async fn whoever_watches_is_told_what_is_counted_and_nothing_else() {
    let house = House::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let watch = Watch::new(house.platform.clone());
    let answer = move |request, peer| watch.clone().answer(request, peer);
    tokio::spawn(listen::serve(listener, listen::Limits::default(), answer, CancellationToken::new()));
    let ask = async |line: &str| {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let request = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        text
    };
    let told = ask("GET /metrics").await;
    assert!(told.starts_with("HTTP/1.1 200") && told.contains("openmetrics-text"), "{told}");
    assert!(told.contains("matrixos_ai_added_latency_seconds_bucket") && told.ends_with("# EOF\n"), "{told}");
    for line in ["GET /", "GET /health", "GET /status", "GET /containers", "PUT /ai", "POST /metrics"] {
        let refused = ask(line).await;
        assert!(refused.starts_with("HTTP/1.1 404") || refused.starts_with("HTTP/1.1 405"), "{line}: {refused}");
    }
}
