//! Computers that nobody uses for long are archived and come back, by a clock set by hand and a launcher that makes
//! nothing; and everything that somebody has can be had as one stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use matrixos_netns::Network;
use matrixos_runtime::cgroups::Groups;
use matrixos_runtime::client::LauncherClient;
use matrixos_runtime::protocol::{Act, Limits};
use matrixos_store::{FirstFactor, NewAccount, Rest, Store, User, WantedState};
use matrixos_supervisor::clock::Clock;
use matrixos_supervisor::containers::{Condition, Containers, ExportError, GatewayKey, Settings, Sleep};
use matrixos_testkit::{HandClock, launcher};
use matrixos_types::{Bytes, Handle, Instance, UserId};
use tokio::time::{Instant, sleep};

/// Short, because it is also how often the clock that is set by hand is looked at.
const AFTER: Duration = Duration::from_secs(1);

struct Hand(Arc<HandClock>);

impl Clock for Hand {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

struct House {
    folder: tempfile::TempDir,
    store: Store,
    clock: Arc<HandClock>,
    fails: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Act>>>,
    containers: Arc<Containers>,
}

impl House {
    /// With some people whose computers sleep, or are stopped.
    async fn with(handles: &[&str], wanted: WantedState) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("store")).expect("a store");
        let clock = Arc::new(HandClock::default());
        for handle in handles {
            let factor = FirstFactor::Passkey { id: format!("{handle}-key"), passkey: serde_json::Value::Null };
            let handle = Handle::parse(handle).expect("a handle");
            let new = NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor };
            let user = store.create_account(&new).expect("made");
            store.set_wanted(&user.container, wanted, "a test").expect("wanted");
            let since = Some(seconds(clock.now()));
            let asleep = wanted == WantedState::Running;
            let container = user.container;
            let rest = Rest { asleep, since, ..Rest::of_a_new(&container) };
            store.put_rest(&rest).expect("written");
        }
        let fails = Arc::new(AtomicBool::new(false));
        let (containers, asked) = charge(&store, &clock, &folder, &fails).await;
        Self { folder, store, clock, fails, asked, containers }
    }

    async fn restart(&mut self) {
        (self.containers, self.asked) = charge(&self.store, &self.clock, &self.folder, &self.fails).await;
    }

    fn user(&self, handle: &str) -> User {
        self.store.user_by_handle(&Handle::parse(handle).expect("a handle")).expect("store").expect("an account")
    }

    fn condition(&self, handle: &str) -> Condition {
        self.containers.view(&self.user(handle).container).expect("a view").condition
    }

    fn reason(&self, handle: &str) -> String {
        self.containers.view(&self.user(handle).container).expect("a view").reason.unwrap_or_default()
    }

    /// What happened: `archived: nobody used it`.
    fn history(&self, handle: &str) -> Vec<String> {
        let (events, _) = self.containers.history(&self.user(handle).container).expect("a history");
        events.iter().map(|event| format!("{}: {}", event.what, event.why)).collect()
    }

    /// The acts that have to do with files or starts, in order.
    fn asked(&self) -> Vec<&'static str> {
        let name = |act: &Act| match act {
            Act::Archive { .. } => Some("archive"),
            Act::Restore { .. } => Some("restore"),
            Act::Launch(_) => Some("launch"),
            Act::Destroy { .. } => Some("destroy"),
            _ => None,
        };
        self.asked.lock().expect("no panic").iter().filter_map(name).collect()
    }

    async fn becomes(&self, handle: &str, condition: Condition) {
        until(&format!("{handle} is {condition}"), || self.condition(handle) == condition).await;
    }
}

async fn charge(
    store: &Store,
    clock: &Arc<HandClock>,
    folder: &tempfile::TempDir,
    fails: &Arc<AtomicBool>,
) -> (Arc<Containers>, Arc<Mutex<Vec<Act>>>) {
    let (socket, asked) = launcher::noting(fails.clone());
    let settings = Settings {
        groups: Groups::of(&Instance::parse("nothing").expect("a name")),
        network: Network::new(Instance::default(), "10.213.0.0/16".parse().expect("a net")).expect("a pool"),
        limits: Limits::default(),
        image: "sha256:none".to_owned(),
        sleep: Sleep { archive_after: Some(AFTER), ..Sleep::default() },
        memory_floor: Bytes(0),
        on_rest: Box::new(|_| ()),
        clock: Arc::new(Hand(clock.clone())),
    };
    let key = GatewayKey::load_or_create(&folder.path().join("key")).expect("a key");
    let client = LauncherClient::new(socket).expect("a client");
    (Containers::take_charge(store.clone(), client, key, settings).await.expect("nothing runs"), asked)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_computer_that_has_slept_for_long_is_archived_and_whoever_comes_has_it_unpacked() {
    let mut house = House::with(&["alice"], WantedState::Running).await;
    house.becomes("alice", Condition::Asleep).await;
    sleep(2 * AFTER).await;
    assert!(house.asked().is_empty(), "the clock stands still");
    house.clock.advance(AFTER);
    house.becomes("alice", Condition::Archived).await;
    assert_eq!(house.history("alice"), ["archived: nobody used it for 1 seconds"]);
    assert_eq!(house.reason("alice"), "nobody used it for 1 seconds");
    assert_eq!((house.containers.archived(), house.asked()), (1, vec!["archive"]));

    house.restart().await;
    house.becomes("alice", Condition::Archived).await;
    assert_eq!(house.containers.archived(), 1);
    house.clock.advance(10 * AFTER);
    sleep(2 * AFTER).await;
    assert!(house.asked().is_empty(), "it is archived once");
    assert!(house.containers.rests(&house.user("alice").container));

    house.containers.wake(&house.user("alice").container, "its owner came").expect("called");
    // The launcher of this test makes nothing.
    house.becomes("alice", Condition::Broken).await;
    assert_eq!(house.asked()[..2], ["restore", "launch"]);
    assert_eq!(house.history("alice")[1], "unpacked: its owner came");
    assert_eq!(house.containers.archived(), 0);
}

#[tokio::test]
async fn one_that_was_stopped_on_purpose_is_archived_as_well_and_stays_stopped() {
    let house = House::with(&["alice"], WantedState::Stopped).await;
    house.becomes("alice", Condition::Stopped).await;
    let container = house.user("alice").container;
    house.clock.advance(AFTER);
    until("it is archived", || house.containers.archived() == 1).await;
    until("it says so", || house.reason("alice") == "a test; its files are packed").await;
    assert_eq!(house.condition("alice"), Condition::Stopped);
    assert!(house.containers.reach(&container, AFTER, true).await.is_err(), "who comes does not start it");
    assert!(house.containers.wake(&container, "somebody").is_err());
    assert_eq!(house.asked(), ["archive"]);
    assert_eq!(house.history("alice").last().expect("news"), "archived: it was stopped for 1 seconds");
    house.containers.want(&container, WantedState::Running, "the operator asked for it").await.expect("wanted");
    until("it is started", || house.asked().len() >= 3).await;
    assert_eq!(house.asked()[1..3], ["restore", "launch"]);
    assert!(house.history("alice").contains(&"unpacked: the operator asked for it".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_packed_stays_asleep_with_a_reason_and_is_left_alone_for_a_while() {
    let house = House::with(&["alice"], WantedState::Running).await;
    house.fails.store(true, Ordering::SeqCst);
    house.clock.advance(AFTER);
    until("it is tried", || !house.asked().is_empty()).await;
    until("it is told", || house.reason("alice").contains("could not be packed: files: the disk has no room")).await;
    house.clock.advance(AFTER);
    sleep(3 * AFTER).await;
    assert_eq!((house.asked(), house.condition("alice")), (vec!["archive"], Condition::Asleep));
}

#[tokio::test]
async fn without_room_to_unpack_it_is_broken_with_a_reason_and_comes_back_once_there_is() {
    let house = House::with(&["alice"], WantedState::Running).await;
    house.clock.advance(AFTER);
    house.becomes("alice", Condition::Archived).await;
    house.fails.store(true, Ordering::SeqCst);
    house.containers.wake(&house.user("alice").container, "its owner came").expect("called");
    house.becomes("alice", Condition::Broken).await;
    assert_eq!(house.reason("alice"), "files: the disk has no room");
    assert!(!house.asked().contains(&"launch"), "never with an empty home");
    house.fails.store(false, Ordering::SeqCst);
    until("it is launched", || house.asked().contains(&"launch")).await;
    assert_eq!(house.containers.archived(), 0);
}

#[tokio::test]
async fn a_destroyed_computer_is_not_unpacked_first() {
    let house = House::with(&["alice"], WantedState::Running).await;
    house.clock.advance(AFTER);
    house.becomes("alice", Condition::Archived).await;
    let container = house.user("alice").container;
    house.containers.want(&container, WantedState::Destroyed, "a test").await.expect("wanted");
    assert!(house.containers.part(&container, Duration::from_secs(60)).await);
    assert_eq!(house.asked(), ["archive", "destroy"]);
}

#[tokio::test]
async fn an_export_is_whole_or_says_that_it_is_not_and_each_has_one_at_a_time() {
    let handles = ["alice", "torn", "long1", "long2", "long3", "long4"];
    let house = House::with(&handles, WantedState::Stopped).await;
    let container = |handle: &str| house.user(handle).container;
    let export = async |handle: &str| house.containers.export(&container(handle), b"about\n").await;
    let mut whole = export("alice").await.expect("begun");
    let mut text = Vec::new();
    while let Some(piece) = whole.next().await {
        text.extend(piece.expect("a piece"));
    }
    assert!(text.starts_with(b"about\n0\n1\n") && text.ends_with(b"\n999\n") && whole.next().await.is_none());
    let mut torn = export("torn").await.expect("begun");
    let end = loop {
        if let Err(error) = torn.next().await.expect("it does not end") {
            break error;
        }
    };
    assert_eq!(end.kind(), std::io::ErrorKind::UnexpectedEof);
    drop((whole, torn));
    let mut open = Vec::new();
    for handle in ["long1", "long2", "long3", "long4"] {
        open.push(export(handle).await.expect("begun"));
    }
    assert!(matches!(export("long1").await, Err(ExportError::UnderWay)));
    assert!(matches!(house.containers.may_export(&container("long1")), Err(ExportError::UnderWay)));
    assert!(matches!(export("alice").await, Err(ExportError::TooMany)));
    open.pop();
    export("alice").await.expect("somebody has gone");
}
