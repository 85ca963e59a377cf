//! Wishes that cross, that come at a bad moment, and that cannot be: whoever asks is told, and the last word is kept.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use matrixos_netns::Network;
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::{Act, Limits};
use matrixos_store::{FirstFactor, NewAccount, Store, WantedState};
use matrixos_supervisor::clock::Clock;
use matrixos_supervisor::containers::{Condition, Containers, GatewayKey, NotRunning, Outcome, Settings, Sleep};
use matrixos_testkit::{HandClock, launcher};
use matrixos_types::{Bytes, ContainerId, Handle, Instance, UserId};
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

struct House {
    _folder: tempfile::TempDir,
    store: Store,
    containers: Arc<Containers>,
    container: ContainerId,
    asked: Arc<std::sync::Mutex<Vec<Act>>>,
}

impl House {
    /// With one person, whose computer never starts.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let factor = FirstFactor::Passkey { id: "key".to_owned(), passkey: serde_json::Value::Null };
        let handle = Handle::parse("alice").expect("a handle");
        let new = NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor };
        let container = store.create_account(&new).expect("made").container;
        let (socket, asked) = launcher::noting(Arc::new(AtomicBool::new(false)));
        let settings = Settings {
            groups: Groups::of(&Instance::parse("nothing").expect("a name")),
            network: Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool"),
            limits: Limits::default(),
            image: "sha256:none".to_owned(),
            sleep: Sleep::default(),
            memory_floor: Bytes(0),
            on_rest: Box::new(|_| ()),
            clock: Arc::new(Hand(HandClock::default())),
        };
        let key = GatewayKey::load_or_create(&folder.path().join("key")).expect("a key");
        let client = LauncherClient::new(socket).expect("a client");
        let containers = Containers::take_charge(store.clone(), client, key, settings).await.expect("nothing runs");
        Self { _folder: folder, store, containers, container, asked }
    }

    fn launches(&self) -> usize {
        self.asked.lock().expect("no panic").iter().filter(|act| matches!(act, Act::Launch(_))).count()
    }

    fn condition(&self) -> Condition {
        self.containers.view(&self.container).expect("a view").condition
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "in vain: {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn of_two_operators_who_want_opposite_things_one_is_told_so_and_the_last_word_is_kept() {
    let house = House::new().await;
    let start = house.containers.want(&house.container, WantedState::Running, "one").await.expect("wanted");
    let stop = house.containers.want(&house.container, WantedState::Stopped, "the other").await.expect("wanted");
    assert_eq!(start.settle(Condition::Running, PATIENCE).await, Outcome::Overtaken("the other".to_owned()));
    assert!(matches!(stop.settle(Condition::Stopped, PATIENCE).await, Outcome::Settled(_)));
    for _ in 0..40 {
        let (a, b) = tokio::join!(
            house.containers.want(&house.container, WantedState::Running, "one"),
            house.containers.want(&house.container, WantedState::Stopped, "the other")
        );
        let (a, b) = (a.expect("wanted"), b.expect("wanted"));
        let (told_a, told_b) =
            tokio::join!(a.settle(Condition::Running, PATIENCE), b.settle(Condition::Stopped, PATIENCE));
        let kept = house.store.wanted(&house.container).expect("store").expect("a wish").state;
        // Running it never is here: whoever had the last word for it is told that it is broken.
        match kept {
            WantedState::Stopped => assert!(matches!(told_b, Outcome::Settled(_)), "{told_b:?}"),
            _ => {
                assert!(matches!(told_a, Outcome::Settled(_)), "{told_a:?}");
                house.until("the last word is followed", |house| house.condition() != Condition::Stopped).await;
            }
        }
        assert!(told_a != Outcome::Late && told_b != Outcome::Late, "{told_a:?} {told_b:?}");
    }
}

#[tokio::test]
async fn a_broken_computer_that_is_woken_is_tried_again_at_once_and_whoever_asked_hears_of_that_try() {
    let house = House::new().await;
    // By then the next try by itself is eight seconds away.
    house
        .until("it has failed five times", |house| house.launches() >= 5 && house.condition() == Condition::Broken)
        .await;
    let before = house.launches();
    let begun = Instant::now();
    let errand = house.containers.wake(&house.container, "the operator woke it").expect("it may be woken");
    let Outcome::Settled(view) = errand.settle(Condition::Running, PATIENCE).await else { panic!("not settled") };
    assert_eq!((view.condition, house.launches()), (Condition::Broken, before + 1));
    assert!(view.reason.expect("a reason").contains("this launcher makes nothing"));
    assert!(begun.elapsed() < Duration::from_secs(7), "it did not wait for its turn");
}

#[tokio::test]
async fn what_is_stopped_or_destroyed_is_not_woken_and_says_why() {
    let house = House::new().await;
    let stop = house.containers.want(&house.container, WantedState::Stopped, "the operator stopped it").await;
    let refused = house.containers.wake(&house.container, "somebody").expect_err("stopped");
    assert_eq!(refused, NotRunning::Stopped("the operator stopped it".to_owned()));
    stop.expect("wanted").settle(Condition::Stopped, PATIENCE).await;
    assert!(house.containers.wake(&house.container, "somebody").is_err());
    house.containers.want(&house.container, WantedState::Destroyed, "it goes").await.expect("wanted");
    assert!(house.containers.wake(&house.container, "somebody").is_err());
    assert!(house.containers.part(&house.container, PATIENCE).await);
    assert_eq!(house.containers.wake(&house.container, "somebody").expect_err("gone"), NotRunning::Unknown);
}

#[tokio::test]
async fn a_reason_is_kept_without_what_could_deceive_a_terminal() {
    let house = House::new().await;
    let because = "work\u{1b}[2J\r\n\u{0}\u{9b}on";
    let year = Duration::from_secs(365 * 24 * 3_600);
    let keep = house.containers.keep_awake(&house.container, Some(year), because).await.expect("kept").expect("until");
    assert_eq!(keep.because, "work[2Jon");
}
