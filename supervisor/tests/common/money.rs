//! A meter over a store of its own, and streams to feed it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use matrixos_store::{FirstFactor, NewAccount, Store, StoreError, User};
use matrixos_supervisor::clock::Clock;
use matrixos_supervisor::meter::{Call, Meter, Notice, Prices, Refused, Reservation, Settings, UsageReader};
use matrixos_testkit::HandClock;
use matrixos_types::{Handle, Nanos, UserId};
use tokio::sync::mpsc::UnboundedReceiver;

/// $4 in, $20 out, $5 written to the cache.
pub(crate) const OPUS: &str = "claude-opus-5-5";
/// Nano-dollars for one token of an answer of [`OPUS`].
pub(crate) const OUT: u64 = 20_000;
/// What the meter holds for the prompt of a call without a body: 1,000 tokens, written to the cache.
pub(crate) const EMPTY_PROMPT: u64 = 1_000 * 5_000;
/// What it holds for the beginning of a stream.
pub(crate) const LEASE: u64 = 4_096 * OUT;

struct TestClock(Arc<HandClock>);

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) meter: Meter,
    pub(crate) notices: UnboundedReceiver<Notice>,
    pub(crate) folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn reserve(&self, user: &User, call: &Call) -> Result<Reservation, Refused> {
        self.meter.reserve(user.id, &user.container, call).await
    }
}

pub(crate) fn house(quota: Nanos) -> House {
    house_of(Settings { quota, ..Settings::default() })
}

pub(crate) fn house_of(settings: Settings) -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("store")).expect("a store");
    let clock = Arc::new(HandClock::default());
    let (meter, notices) = opened(&store, &clock, settings);
    House { store, clock, meter, notices, folder }
}

/// A meter over a store, as after a start.
pub(crate) fn opened(store: &Store, clock: &Arc<HandClock>, settings: Settings) -> (Meter, UnboundedReceiver<Notice>) {
    Meter::open(store.clone(), Prices::shipped(), Arc::new(TestClock(clock.clone())), settings).expect("a meter")
}

/// Opens a store that another process, or an earlier one of this one, may just have closed.
pub(crate) fn reopened(folder: &Path) -> Store {
    let begun = Instant::now();
    loop {
        match Store::open(folder) {
            Err(StoreError::InUse(_)) if begun.elapsed() < Duration::from_secs(20) => std::thread::yield_now(),
            opened => return opened.expect("a store"),
        }
    }
}

pub(crate) fn person(store: &Store, handle: &str) -> User {
    let factor = FirstFactor::Passkey { id: handle.to_owned(), passkey: serde_json::json!({}) };
    let handle = Handle::parse(handle).expect("a handle");
    store.create_account(&NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor }).expect("made")
}

pub(crate) fn stream_call(max_tokens: u64) -> Call {
    Call { model: OPUS.to_owned(), max_tokens, stream: true, ..Call::default() }
}

pub(crate) fn whole_call(max_tokens: u64) -> Call {
    Call { stream: false, ..stream_call(max_tokens) }
}

/// The beginning of a stream whose prompt had so many tokens.
pub(crate) fn begin(reader: &mut UsageReader, input: u64) {
    let usage = format!(r#"{{"input_tokens":{input},"output_tokens":1}}"#);
    event(reader, &format!(r#"{{"type":"message_start","message":{{"usage":{usage}}}}}"#));
}

/// So many tokens of an answer, each of three letters.
pub(crate) fn flow(reader: &mut UsageReader, tokens: u64) {
    let text = "abc".repeat(usize::try_from(tokens).expect("few"));
    event(reader, &format!(r#"{{"type":"content_block_delta","delta":{{"type":"text_delta","text":"{text}"}}}}"#));
}

/// The end of a stream with so many tokens in all.
pub(crate) fn end(reader: &mut UsageReader, output: u64) {
    event(reader, &format!(r#"{{"type":"message_delta","usage":{{"output_tokens":{output}}}}}"#));
    event(reader, r#"{"type":"message_stop"}"#);
}

/// A whole stream.
pub(crate) fn answer(input: u64, output: u64) -> UsageReader {
    let mut reader = UsageReader::default();
    begin(&mut reader, input);
    end(&mut reader, output);
    reader
}

fn event(reader: &mut UsageReader, data: &str) {
    reader.sse(format!("data: {data}\n\n").as_bytes());
}
