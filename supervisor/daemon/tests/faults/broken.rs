//! The store fails under the running platform: what runs goes on, what cannot be written down is refused with a reason.

use std::fs;
use std::thread;
use std::time::Duration;

use super::image;
use super::installation::{Installation, said, text, until};

#[test]
fn when_the_store_takes_nothing_any_more_computers_run_on_and_wishes_are_refused_with_a_reason() {
    let mut platform = Installation::new(90, image::data());
    platform.start(None);
    let session = text(&mut platform.visitor(&["sign-up", "alice"]));
    let session = session.trim();
    text(&mut platform.visitor(&["visit", "alice", session, "/files/kept.txt", "--put", "kept"]));
    let inside = text(&mut platform.visitor(&["enter", "alice", session]));
    let asks =
        |platform: &Installation| said(&mut platform.visitor(&["ask", "alice", inside.trim(), "/files/kept.txt"]));
    assert_eq!(asks(&platform).as_deref(), Ok("kept"));

    fs::write(platform.broken(), "").unwrap();
    for refused in [&["container", "stop", "alice"][..], &["container", "destroy", "alice", "--confirm", "alice"]] {
        let why = said(&mut platform.matrixos(refused)).expect_err("it cannot be written down");
        assert!(why.contains("can write nothing down"), "{refused:?}: {why}");
    }
    let why = said(&mut platform.visitor(&["sign-up", "bob"])).expect_err("nobody is told that they have an account");
    assert!(why.contains("503"), "{why}");
    assert_eq!(asks(&platform).as_deref(), Ok("kept"), "who is inside is served");
    // It goes to rest and comes back all the same, long after the failure.
    until("it sleeps", || platform.list().unwrap()[0]["state"] == "asleep");
    assert_eq!(asks(&platform).as_deref(), Ok("kept"), "and woken");
    let pid = platform.list().unwrap()[0]["pid"].clone();
    fs::remove_file(platform.broken()).unwrap();
    assert!(
        said(&mut platform.matrixos(&["container", "stop", "alice"])).is_err(),
        "nothing is taken before a restart"
    );
    assert!(platform.serves() && !platform.log().contains("panicked"), "{}", platform.log());

    platform.kill();
    thread::sleep(Duration::from_millis(10));
    platform.start(None);
    let list = platform.list().unwrap();
    assert_eq!(list.len(), 1, "bob was never told that he had an account, and has none: {list:?}");
    text(&mut platform.visitor(&["visit", "alice", session, "/files/kept.txt"]));
    // Whoever was refused a stop may find it written down nevertheless; who is told that it is done can rely on it.
    assert!(platform.log().contains(&format!("pid={pid}")), "adopted: {}", platform.log());
    text(&mut platform.matrixos(&["container", "stop", "alice"]));
    text(&mut platform.matrixos(&["container", "destroy", "alice", "--confirm", "alice"]));
    platform.kill();
    text(&mut platform.matrixos(&["store", "verify"]));
}
