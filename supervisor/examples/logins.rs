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
use tokio_util::sync::CancellationToken;
use url::Url;

const ORIGIN: &str = "http://localhost:8080";
const LOGINS: usize = 400;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args().nth(1).ok_or("how many accounts?")?.parse()?;
    let data = tempfile::tempdir()?;
    let store = Store::open(&data.path().join("store"))?;
    crowd(&store, count)?;
    let keys = Keys::load_or_create(data.path(), SystemTime::now())?;
    let accounts = Accounts::new(store, Arc::new(SystemClock), &Url::parse(ORIGIN)?, keys, CancellationToken::new())?;
    let mut device = Device::at(ORIGIN);
    let started = accounts.start_sign_up("person")?;
    let answer = device.register(&started.options).ok_or("the device refuses")?;
    accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &Caller::default()).await?;
    let mut times = Vec::with_capacity(LOGINS);
    for _ in 0..LOGINS {
        times.push(login(&accounts, &mut device).await?);
    }
    times.sort_unstable();
    let (half, most) = (times[LOGINS / 2], times[LOGINS * 99 / 100]);
    println!("passkey login with {count} accounts, server time: p50 {half:.2?}, p99 {most:.2?}");
    Ok(())
}

/// Accounts that nobody uses, written by several at once: writers that wait share the disk.
fn crowd(store: &Store, count: u32) -> Result<(), Box<dyn Error>> {
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

async fn login(accounts: &Accounts, device: &mut Device) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    let started = accounts.start_login()?;
    let first = begun.elapsed();
    let answer = device.sign_in(&started.options).ok_or("the device refuses")?;
    let begun = Instant::now();
    accounts.finish_login(started.ceremony.expose(), &answer, &Caller::default()).await?;
    Ok(first + begun.elapsed())
}
