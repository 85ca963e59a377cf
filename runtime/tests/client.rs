//! The launcher's client against a launcher that misbehaves.

use std::os::fd::OwnedFd;
use std::time::Duration;

use matrixos_runtime::client::{CallError, LauncherClient};
use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Identity, Observed, Reply, Request, Running};
use matrixos_runtime::wire;
use matrixos_types::{ContainerId, Seat};

fn seat() -> Seat {
    Seat::new(1).expect("a seat")
}

/// A client, and the launcher's end of its socket.
fn client() -> (LauncherClient, OwnedFd) {
    let (ours, theirs) = wire::pair().expect("a pair");
    (LauncherClient::from_fd(ours).expect("a client"), theirs)
}

fn identity() -> Identity {
    Identity { pid: 1, started: 1, boot: "b".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_in_another_order_reach_their_own_calls() {
    let (client, launcher) = client();
    let server = std::thread::spawn(move || {
        let requests: Vec<Request> = (0..2).map(|_| wire::receive(&launcher).expect("a request").0).collect();
        for request in requests.into_iter().rev() {
            let result = match request.act {
                Act::TakeDown { .. } => Ok(Answer::Done),
                _ => Err(Failure { kind: FailureKind::Absent, step: "adopt".into(), message: "not there".into() }),
            };
            wire::send(&launcher, &Reply { id: request.id, result }, &[]).expect("sends");
        }
    });
    let (down, adopted) =
        tokio::join!(client.take_down(ContainerId::random(), seat()), client.adopt(ContainerId::random()));
    assert!(down.is_ok(), "{down:?}");
    assert!(matches!(adopted, Err(CallError::Failed(Failure { kind: FailureKind::Absent, .. }))));
    server.join().expect("the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_launcher_ends_pending_and_later_calls_say_so() {
    let (client, launcher) = client();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.observe().await }
    });
    wire::receive::<Request>(&launcher).expect("the request");
    drop(launcher);
    let outcome = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("in time").expect("joins");
    assert!(matches!(outcome, Err(CallError::Gone)), "{outcome:?}");
    assert!(matches!(client.observe().await, Err(CallError::Gone)));
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_unknown_numbers_from_the_launcher_do_no_harm() {
    let (client, launcher) = client();
    std::thread::spawn(move || {
        wire::send_bytes(&launcher, b"garbage", &[]).expect("sends");
        wire::send(&launcher, &Reply { id: 999, result: Ok(Answer::Done) }, &[]).expect("sends");
        let (request, _) = wire::receive::<Request>(&launcher).expect("a request");
        wire::send(&launcher, &Reply { id: request.id, result: Ok(Answer::Done) }, &[]).expect("sends");
    });
    let done = client.terminate(ContainerId::random()).await;
    assert!(done.is_ok(), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_is_an_error() {
    let (client, launcher) = client();
    std::thread::spawn(move || {
        let (request, _) = wire::receive::<Request>(&launcher).expect("a request");
        let running = Running { identity: identity(), fresh: true, steps: vec![] };
        wire::send(&launcher, &Reply { id: request.id, result: Ok(Answer::Running(running)) }, &[]).expect("sends");
    });
    let adopted = client.adopt(ContainerId::random()).await;
    assert!(matches!(adopted, Err(CallError::Misfit)), "a running container without its pidfd");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_containers_is_asked_for_page_by_page() {
    let (client, launcher) = client();
    let entry = |n: u64| Observed {
        container: ContainerId::parse(&format!("c{n:016x}")).expect("an id"),
        seat: None,
        handle: None,
        running: None,
    };
    std::thread::spawn(move || {
        for page in 0..3 {
            let (request, _) = wire::receive::<Request>(&launcher).expect("a request");
            let Act::Observe { after } = request.act else { panic!("not an observation") };
            assert_eq!(after.is_none(), page == 0);
            let answer = Answer::Observed { containers: vec![entry(2 * page), entry(2 * page + 1)], more: page < 2 };
            wire::send(&launcher, &Reply { id: request.id, result: Ok(answer) }, &[]).expect("sends");
        }
    });
    assert_eq!(client.observe().await.expect("a list").len(), 6);
}
