//! For scripts/bench: what the meter adds to a call (money on hold before it, the charge after it, each on the disk), and
//! how long a question about usage takes with many rows in the ledger.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use matrixos_store::{FirstFactor, How, NewAccount, NewRow, Store, User};
use matrixos_supervisor::clock::SystemClock;
use matrixos_supervisor::meter::{Call, Meter, Prices, Settings, UsageReader};
use matrixos_types::{Handle, Nanos, UserId};

/// People who call at the same time.
const PEOPLE: u32 = 200;
/// Calls a second, and for how long.
const RATE: u32 = 1_000;
const FOR: Duration = Duration::from_secs(5);
const MODEL: &str = "claude-sonnet-5-5";
/// Rows that are written before the disk is settled.
const BATCH: u64 = 20_000;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let rows: u64 = std::env::args().nth(1).ok_or("how many rows in the ledger?")?.parse()?;
    let data = tempfile::tempdir()?;
    let store = Store::open(&data.path().join("store"))?;
    let people: Vec<User> = (0..PEOPLE).map(|n| person(&store, n)).collect::<Result<_, _>>()?;
    fill(&store, &people, rows)?;
    let settings = Settings { quota: Nanos::dollars(1_000_000), calls: 1_000 };
    let (meter, _notices) = Meter::open(store.clone(), Prices::shipped(), Arc::new(SystemClock), settings)?;
    let (mut reserve, mut settle) = calls(&meter, &people).await?;
    report("hold", &mut reserve);
    report("charge", &mut settle);
    report("usage", &mut questions(&meter, &people)?);
    let size = std::fs::metadata(data.path().join("store/db"))?.len();
    println!("{rows} rows; the store's file has {} MiB", size >> 20);
    Ok(())
}

fn person(store: &Store, number: u32) -> Result<User, Failure> {
    let factor = FirstFactor::Passkey { id: format!("p{number}"), passkey: serde_json::json!({}) };
    let handle = Handle::parse(&format!("person{number}"))?;
    Ok(store.create_account(&NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor })?)
}

/// Each row is a call of one of the people, over ninety days.
fn fill(store: &Store, people: &[User], rows: u64) -> Result<(), Failure> {
    let begun = Instant::now();
    for number in 0..rows {
        let user = &people[usize::try_from(number)? % people.len()];
        store.meter(user.id, &row(1_790_000_000 + number * 7_776_000 / rows.max(1)))?;
        if number % BATCH == 0 {
            store.settle()?;
        }
    }
    store.settle()?;
    println!("{rows} rows written in {:?}", begun.elapsed());
    Ok(())
}

fn row(at: u64) -> NewRow {
    let model = MODEL.to_owned();
    NewRow {
        at,
        model,
        input: 1_234,
        output: 567,
        write_5m: 89,
        write_1h: 0,
        read: 12_345,
        searches: 0,
        cost: Nanos(9_595_000),
        how: How::Exact,
        own: false,
    }
}

/// Calls at a steady rate, whether or not earlier ones have ended.
async fn calls(meter: &Meter, people: &[User]) -> Result<(Vec<Duration>, Vec<Duration>), Failure> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (begun, mut tasks) = (Instant::now(), Vec::new());
    for user in people.iter().cycle() {
        if begun.elapsed() > FOR {
            break;
        }
        ticks.tick().await;
        tasks.push(tokio::spawn(call(meter.clone(), user.clone())));
    }
    let (mut reserve, mut settle) = (Vec::new(), Vec::new());
    for task in tasks {
        let (held, charged) = task.await??;
        reserve.push(held);
        settle.push(charged);
    }
    Ok((reserve, settle))
}

async fn call(meter: Meter, user: User) -> Result<(Duration, Duration), Failure> {
    let call = Call { model: MODEL.to_owned(), bytes: 2_000, max_tokens: 1_000, ..Call::default() };
    let begun = Instant::now();
    let reservation = meter.reserve(user.id, &user.container, &call).await?;
    let held = begun.elapsed();
    let mut reader = UsageReader::default();
    reader.json(br#"{"type":"message","content":[],"usage":{"input_tokens":400,"output_tokens":100}}"#);
    let begun = Instant::now();
    reservation.settle(reader.progress()).await?;
    Ok((held, begun.elapsed()))
}

fn questions(meter: &Meter, people: &[User]) -> Result<Vec<Duration>, Failure> {
    let ask = |user: &User| {
        let begun = Instant::now();
        let report = meter.usage(user.id, 0..=u32::MAX)?;
        if report.days.is_empty() { Err("nothing was used".into()) } else { Ok(begun.elapsed()) }
    };
    people.iter().map(ask).collect()
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name}: {} times, p50 {:?}, p99 {:?}, longest {:?}", times.len(), at(0.5), at(0.99), at(1.0));
}
