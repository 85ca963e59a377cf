//! For scripts/bench: how long the platform takes to sign somebody in, with many accounts in the store. Counted is what
//! the server does in both halves of a login, with every write on the disk; not what the authenticator does.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use matrixos_store::{Caller, FirstFactor, NewAccount, Store};
use matrixos_supervisor::accounts::{Accounts, Keys};
use matrixos_supervisor::clock::SystemClock;
use matrixos_testkit::authenticator::Device;
use matrixos_types::{Handle, UserId};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

const ORIGIN: &str = "http://localhost:8080";
const LOGINS: usize = 400;
/// People who sign in at the same moment.
const AT_ONCE: usize = 16;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let count: u32 = std::env::args().nth(1).ok_or("how many accounts?")?.parse()?;
    let data = tempfile::tempdir()?;
    let store = Store::open(&data.path().join("store"))?;
    crowd(&store, count)?;
    let keys = Keys::load_or_create(data.path(), SystemTime::now())?;
    let accounts = Accounts::new(store, Arc::new(SystemClock), &Url::parse(ORIGIN)?, keys, CancellationToken::new())?;
    let accounts = Arc::new(accounts);
    let mut devices = Vec::new();
    for number in 0..AT_ONCE {
        devices.push(person(&accounts, &format!("person{number}")).await?);
    }
    println!("passkey login with {count} accounts, server time:");
    let alone = Instant::now();
    let times = logins(&accounts, &mut devices[0], LOGINS).await?;
    report("one after another", times, alone.elapsed());
    let together = Instant::now();
    let mut people = JoinSet::new();
    for mut device in devices {
        let accounts = accounts.clone();
        people.spawn(async move { logins(&accounts, &mut device, LOGINS / 4).await });
    }
    let mut times = Vec::new();
    while let Some(joined) = people.join_next().await {
        times.extend(joined??);
    }
    report(&format!("{AT_ONCE} at a time"), times, together.elapsed());
    Ok(())
}

/// The rate includes what the authenticators do, which is on this machine, too.
fn report(how: &str, mut times: Vec<Duration>, within: Duration) {
    times.sort_unstable();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    let rate = times.len() as f64 / within.as_secs_f64();
    println!("  {how}: p50 {half:.2?}, p99 {most:.2?}, {rate:.0} logins a second");
}

async fn person(accounts: &Accounts, handle: &str) -> Result<Device, Failure> {
    let mut device = Device::at(ORIGIN);
    let started = accounts.start_sign_up(handle)?;
    let answer = device.register(&started.options).ok_or("the device refuses")?;
    accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &Caller::default()).await?;
    Ok(device)
}

async fn logins(accounts: &Accounts, device: &mut Device, count: usize) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        times.push(login(accounts, device).await?);
    }
    Ok(times)
}

/// Accounts that nobody uses, written by several at once: writers that wait share the disk.
fn crowd(store: &Store, count: u32) -> Result<(), Failure> {
    const WRITERS: u32 = 16;
    let write = |first: u32| {
        for number in (first..count).step_by(WRITERS as usize) {
            let id = UserId::random();
            let factor = FirstFactor::Passkey { id: id.0.simple().to_string(), passkey: serde_json::Value::Null };
            let handle = Handle::parse(&format!("crowd{number}")).expect("a handle");
            let account = NewAccount { id, handle, created: 1, feed: false, factor };
            store.create_account(&account).map_err(|e| e.to_string())?;
        }
        Ok::<_, String>(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|first| scope.spawn(move || write(first))).collect();
        writers.into_iter().try_for_each(|w| w.join().map_err(|_| "a writer panicked".to_owned())?)
    })?;
    Ok(())
}

async fn login(accounts: &Accounts, device: &mut Device) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let started = accounts.start_login()?;
    let first = begun.elapsed();
    let answer = device.sign_in(&started.options).ok_or("the device refuses")?;
    let begun = Instant::now();
    accounts.finish_login(started.ceremony.expose(), &answer, &Caller::default()).await?;
    Ok(first + begun.elapsed())
}
