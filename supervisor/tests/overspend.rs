//! Fifty callers at once, calls broken off in every way, and the platform killed at random: the budget holds, nothing
//! is free, and the ledger adds up.

#[path = "common/money.rs"]
mod money;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use matrixos_store::{Store, User, verify};
use matrixos_supervisor::meter::{Meter, Refused, Reservation, Settings, Settled, UsageReader};
use matrixos_testkit::HandClock;
use matrixos_types::{Nanos, UserId};
use money::*;
use proptest::prelude::*;

/// Rounds, each of which ends with `kill -9`; fewer if the machine is so slow that they take too long.
const ROUNDS: u64 = 200;
const AT_MOST: Duration = Duration::from_secs(90);
/// Below it, the test would show nothing.
const AT_LEAST: u64 = 20;
const CALLERS: u64 = 50;
const QUOTA: Nanos = Nanos::dollars(1);
/// Tokens that come at once.
const PIECE: u64 = 200;

fn settings() -> Settings {
    Settings { quota: QUOTA, calls: 50 }
}

#[test]
fn killed_at_random_the_budget_holds_and_the_ledger_adds_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut truth: HashMap<String, Told> = HashMap::new();
    let (begun, mut rounds, mut random) = (Instant::now(), 0, Random(any_seed()));
    while rounds < ROUNDS && (begun.elapsed() < AT_MOST || rounds < AT_LEAST) {
        round(folder.path(), &mut random, &mut truth);
        rounds += 1;
    }
    let store = reopened(folder.path());
    let (meter, _) = opened(&store, &Arc::new(HandClock::default()), settings());
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
    let mut calls = 0;
    for user in store.users().expect("readable") {
        let standing = meter.standing(user.id).expect("readable");
        let told = truth.remove(&user.id.to_string()).unwrap_or_default();
        let rows = meter.calls(user.id, 0).map(|row| row.expect("readable").call.cost).collect::<Vec<_>>();
        calls += rows.len();
        assert_eq!(rows.iter().copied().sum::<Nanos>(), standing.spent);
        assert_eq!(standing.held, Nanos::ZERO);
        let most = QUOTA.0 + EMPTY_PROMPT + LEASE;
        assert!(standing.spent.0 <= most, "{} was charged {}", user.handle, standing.spent.exact());
        assert!(told.used <= standing.spent.0, "{}: {told:?}, but paid {}", user.handle, standing.spent.0);
        assert!(told.settled <= rows.len() as u64, "{}: {told:?}, but {} rows", user.handle, rows.len());
        let leases = store.balance(user.id).expect("readable").map_or(0, |balance| balance.leases);
        assert!(told.held <= leases, "{}: {told:?}, but {leases} leases", user.handle);
    }
    assert!(calls as u64 > rounds * 3, "{calls} calls in {rounds} rounds");
    println!("{rounds} rounds, {calls} calls in {:?}", begun.elapsed());
}

/// What a platform said about a person before it was killed.
#[derive(Debug, Default)]
struct Told {
    /// What the provider was asked to do while money was on hold for it, in nano-dollars.
    used: u64,
    /// Reservations that were given.
    held: u64,
    /// Charges that were acknowledged.
    settled: u64,
}

/// Starts a platform, lets it serve for a random time, and kills it.
fn round(folder: &Path, random: &mut Random, truth: &mut HashMap<String, Told>) {
    let mut child = Killed(serve(folder, random.below(u64::MAX)));
    let mut lines = BufReader::new(child.0.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.ends_with("serving")), "the platform starts");
    let wait = Duration::from_millis(random.below(80));
    let killer = std::thread::spawn(move || {
        std::thread::sleep(wait);
        child.0.kill().expect("killed");
        child
    });
    for line in lines {
        assert!(!line.contains("wrong"), "{line}");
        let words: Vec<&str> = line.split(' ').collect();
        let &[user, what, count] = &words[..] else { continue };
        let (told, count) = (truth.entry(user.to_owned()).or_default(), count.parse::<u64>());
        match (what, count) {
            ("used", Ok(cost)) => told.used += cost,
            ("held", Ok(calls)) => told.held += calls,
            ("settled", Ok(calls)) => told.settled += calls,
            _ => {}
        }
    }
    drop(killer.join().expect("no panic"));
}

fn serve(folder: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "serves_until_it_is_killed", "--nocapture", "--ignored"])
        .env("STORE_FOLDER", folder)
        .env("SEED", seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started")
}

/// Ends with the value, also when an assertion fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "run by another test in a process of its own"]
fn serves_until_it_is_killed() {
    let folder = std::env::var("STORE_FOLDER").expect("a folder");
    let seed: u64 = std::env::var("SEED").expect("a seed").parse().expect("a number");
    // Nobody waits for most of the callers.
    std::panic::set_hook(Box::new(|panic| say(&format!("wrong: {panic}").replace('\n', " "))));
    let store = reopened(Path::new(&folder));
    let (meter, _notices) = opened(&store, &Arc::new(HandClock::default()), settings());
    let found = verify(&store);
    let user = person(&store, &format!("u{}", &UserId::random().0.simple().to_string()[..20]));
    say(&if found.is_empty() { "\nserving".to_owned() } else { format!("\nwrong: {found:?}\nserving") });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let callers = (0..CALLERS).map(|n| {
            let caller = Caller { meter: meter.clone(), user: user.clone(), random: Random(seed ^ (n * 7_919)) };
            tokio::spawn(caller.call_for_ever())
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("no panic");
        }
    });
}

/// One write for each line: what is in the pipe outlives a kill.
fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).expect("the parent reads");
}

struct Caller {
    meter: Meter,
    user: User,
    random: Random,
}

impl Caller {
    async fn call_for_ever(mut self) {
        loop {
            let stream = self.random.below(3) > 0;
            let max_tokens = 1 + self.random.below(8_000);
            let call = matrixos_supervisor::meter::Call { stream, ..stream_call(max_tokens) };
            match self.meter.reserve(self.user.id, &self.user.container, &call).await {
                Ok(call) => {
                    self.tell("held", 1);
                    self.call(call).await;
                }
                Err(Refused::OutOfBudget { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(other) => say(&format!("wrong: {other}")),
            }
        }
    }

    /// A provider that says what it has generated, and a caller that goes away when it likes.
    async fn call(&mut self, mut call: Reservation) {
        if self.random.below(8) == 0 {
            return call.release().await.expect("released");
        }
        let (length, stays) = (self.random.below(call.max_tokens()), self.random.below(call.max_tokens() * 2));
        let mut reader = UsageReader::default();
        begin(&mut reader, 1_000);
        self.used(1_000 * 4_000);
        let mut sent = 0;
        while sent < length.min(stays) {
            let piece = PIECE.min(length - sent);
            flow(&mut reader, piece);
            sent += piece;
            if !call.covers(&reader) && call.extend(&reader).await.is_err() {
                break;
            }
            // From here on it must be paid for, whatever happens.
            self.used(piece * OUT);
            tokio::task::yield_now().await;
        }
        match self.random.below(6) {
            0 => drop(call),
            1 => self.settle(call, Settled::nothing()).await,
            2 => self.settle(call, reader.progress()).await,
            _ => {
                end(&mut reader, sent);
                self.settle(call, reader.progress()).await;
            }
        }
    }

    /// Half of them do not wait until the charge is on the disk, as the relay does not.
    async fn settle(&mut self, call: Reservation, settled: Settled) {
        if self.random.below(2) == 0 {
            return drop(call.charge(&settled));
        }
        call.settle(settled).await.expect("settled");
        self.tell("settled", 1);
    }

    fn used(&self, cost: u64) {
        self.tell("used", cost);
    }

    fn tell(&self, what: &str, count: u64) {
        say(&format!("{} {what} {count}", self.user.id));
    }
}

/// Numbers that look random (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}

/// Another one each time; the assertions hold for all.
fn any_seed() -> u64 {
    UserId::random().0.as_u128() as u64
}

#[derive(Clone, Debug)]
enum Step {
    Reserve { max_tokens: u64, stream: bool },
    Flow(usize, u64),
    Settle(usize),
    BreakOff(usize),
    Drop(usize),
    Release(usize),
    Quota(Option<u64>),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u64..30_000, any::<bool>()).prop_map(|(max_tokens, stream)| Step::Reserve { max_tokens, stream }),
        6 => (any::<usize>(), 1u64..3_000).prop_map(|(n, tokens)| Step::Flow(n, tokens)),
        2 => any::<usize>().prop_map(Step::Settle),
        1 => any::<usize>().prop_map(Step::BreakOff),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => any::<usize>().prop_map(Step::Release),
        1 => prop::option::of(0u64..2_000_000_000).prop_map(Step::Quota),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 1..40)
}

/// A call in flight: its stream, and how much of it has come.
type Flight = (Reservation, UsageReader, u64);

struct World {
    store: Store,
    clock: Arc<HandClock>,
    meter: Meter,
    user: User,
    flights: Vec<Flight>,
    /// The largest quota there was: what was spent under it stays spent.
    quota: Nanos,
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Reserve { max_tokens, stream } => {
                let call = if stream { stream_call(max_tokens) } else { whole_call(max_tokens) };
                if let Ok(call) = self.meter.reserve(self.user.id, &self.user.container, &call).await {
                    let mut reader = UsageReader::default();
                    begin(&mut reader, 1_000);
                    self.flights.push((call, reader, 0));
                }
            }
            Step::Flow(n, tokens) => self.flow(n, tokens).await,
            Step::Settle(n) => {
                if let Some((call, mut reader, sent)) = self.pick(n) {
                    end(&mut reader, sent);
                    call.settle(reader.progress()).await.expect("settled");
                }
            }
            Step::BreakOff(n) => {
                if let Some((call, reader, _)) = self.pick(n) {
                    call.settle(reader.progress()).await.expect("settled");
                }
            }
            Step::Drop(n) => drop(self.pick(n)),
            Step::Release(n) => {
                if let Some((call, ..)) = self.pick(n) {
                    call.release().await.expect("released");
                }
            }
            Step::Quota(quota) => {
                self.quota = self.quota.max(quota.map_or(QUOTA, Nanos));
                self.meter.set_quota(self.user.id, quota.map(Nanos)).await.expect("set");
            }
            Step::Crash => {
                self.flights.drain(..).for_each(std::mem::forget);
                self.meter = opened(&self.store, &self.clock, settings()).0;
            }
        }
    }

    async fn flow(&mut self, n: usize, tokens: u64) {
        let Some((mut call, mut reader, sent)) = self.pick(n) else { return };
        let mut left = tokens.min(call.max_tokens() - sent);
        while left > 0 {
            let piece = left.min(PIECE);
            flow(&mut reader, piece);
            left -= piece;
            if !call.covers(&reader) && call.extend(&reader).await.is_err() {
                return drop(call.settle(reader.progress()).await.expect("settled"));
            }
        }
        let sent = sent + tokens.min(call.max_tokens() - sent);
        self.flights.push((call, reader, sent));
    }

    fn pick(&mut self, n: usize) -> Option<Flight> {
        (!self.flights.is_empty()).then(|| self.flights.swap_remove(n % self.flights.len()))
    }

    /// Everything that was posted before is written when this returns.
    async fn check(&self) {
        self.meter
            .set_quota(self.user.id, self.store.balance(self.user.id).expect("readable").and_then(|b| b.quota))
            .await
            .expect("set");
        let found = verify(&self.store);
        assert!(found.is_empty(), "{found:?}");
        let standing = self.meter.standing(self.user.id).expect("readable");
        assert!(standing.spent.plus(standing.held).0 <= self.quota.0 + EMPTY_PROMPT + LEASE, "{standing:?}");
        assert_eq!(standing.in_flight as usize, self.flights.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn after_any_history_the_ledger_is_the_balance_and_the_budget_holds(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let house = house_of(settings());
            let user = person(&house.store, "alice");
            let House { store, clock, meter, folder: _folder, .. } = house;
            let mut world = World { store, clock, meter, user, flights: Vec::new(), quota: QUOTA };
            for step in steps {
                world.take(step).await;
                world.check().await;
            }
        });
    }
}
