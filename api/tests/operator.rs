//! What the operator's commands are told when they cannot be done, or not alone.

mod common;

use common::House;
use matrixos_testkit::authenticator::Device;
use serde_json::Value;

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
