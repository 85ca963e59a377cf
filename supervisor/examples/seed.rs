//! For scripts/bench: makes accounts in a new data directory, and prints the cookie that opens the first one's computer.
//! That one signs up as a person would; the others are there to be many. With a third number, so many of the others are
//! to be kept awake, and all further ones sleep.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use matrixos_store::{Caller, FirstFactor, Keep, NewAccount, Rest, Store, User};
use matrixos_supervisor::accounts::{Accounts, Keys, Presented};
use matrixos_supervisor::clock::SystemClock;
use matrixos_testkit::authenticator::Device;
use matrixos_types::{Handle, UserId};
use tokio_util::sync::CancellationToken;
use url::Url;

const ORIGIN: &str = "http://localhost:8080";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (data, count) = (arguments.next().ok_or("folder")?, arguments.next().ok_or("count")?.parse::<u32>()?);
    let awake = arguments.next().map(|text| text.parse::<u32>()).transpose()?;
    let data = Path::new(&data);
    let store = Store::open(&data.join("store"))?;
    let keys = Keys::load_or_create(&data.join("keys"), SystemTime::now())?;
    let end = CancellationToken::new();
    let accounts = Accounts::new(store.clone(), Arc::new(SystemClock), &Url::parse(ORIGIN)?, keys, end)?;
    println!("__Host-mx_computer={}", visitor(&accounts).await?);
    crowd(&store, count, awake)
}

/// Written by several at once: writers that wait share the disk.
fn crowd(store: &Store, count: u32, awake: Option<u32>) -> Result<(), Box<dyn Error>> {
    const WRITERS: u32 = 16;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let write = |first: u32| {
        for number in (first..count).step_by(WRITERS as usize) {
            let user = account(store, number, now)?;
            let Some(awake) = awake else { continue };
            let keep = Keep { until: now + 12 * 3600, because: "a measurement".to_owned() };
            let keep = (number <= awake).then_some(keep);
            let rest = Rest { asleep: keep.is_none(), keep, ..Rest::of_a_new(&user.container) };
            store.put_rest(&rest).map_err(|e| e.to_string())?;
        }
        Ok::<_, String>(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=WRITERS).map(|first| scope.spawn(move || write(first))).collect();
        writers.into_iter().try_for_each(|w| w.join().map_err(|_| "a writer panicked".to_owned())?)
    })?;
    Ok(())
}

fn account(store: &Store, number: u32, now: u64) -> Result<User, String> {
    let id = UserId::random();
    let factor = FirstFactor::Passkey { id: id.0.simple().to_string(), passkey: serde_json::Value::Null };
    let handle = Handle::parse(&format!("bench{number}")).map_err(|e| e.to_string())?;
    let new = NewAccount { id, handle, created: now, feed: false, factor };
    store.create_account(&new).map_err(|e| e.to_string())
}

/// Signs the first person up and opens their computer; gives the access token.
async fn visitor(accounts: &Accounts) -> Result<String, Box<dyn Error>> {
    let caller = Caller::default();
    let started = accounts.start_sign_up("bench0")?;
    let answer = Device::at(ORIGIN).register(&started.options).ok_or("the device refuses")?;
    let arrival = accounts.finish_sign_up(started.ceremony.expose(), &answer, false, &caller).await?;
    let presented = Presented { access: Some(arrival.tokens.access.expose()), refresh: None };
    let session = accounts.session(presented, &caller).await?.ok_or("not signed in")?.as_;
    let code = accounts.entry_code(&session, &accounts.entry_state("bench"));
    let tokens = accounts.redeem(code.expose(), "bench", &arrival.user.handle, &caller).await?;
    Ok(tokens.ok_or("the code does not hold")?.access.expose().to_owned())
}
