//! Answers of jobs that somebody on a channel waits for: `system/deliveries.json` says which, from before a job is told to
//! the AI until whoever sends its answer has it. A kill at any moment loses none; at worst one is sent twice.

use std::io;
use std::time::Duration;

use cap_std::fs::Dir;
use matrixos_types::jobs::{Job, Target};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::config::{open_file, replace, small_file};
use crate::conversations::store::{self, Told};
use crate::kernel::{TurnError, on_disk};
use crate::state::Gateway;
use crate::{channels, time};

const FILE: &str = "system/deliveries.json";
/// Answers that may be owed; the oldest goes first.
const MOST: usize = 200;
/// For so long an answer is tried to be sent, in seconds.
const PATIENCE: i64 = 3_600;
/// Until a channel that took nothing is tried again.
const AGAIN: Duration = Duration::from_secs(20);
/// Nothing is owed, or it is not answered yet: whoever changes that says so.
const LOOK: Duration = Duration::from_secs(600);

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Owed {
    session: String,
    request: String,
    /// The job's.
    name: String,
    target: Target,
    /// When it was owed, in seconds since 1970.
    at: i64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    owed: Vec<Owed>,
}

fn read(home: &Dir) -> Vec<Owed> {
    let text = small_file(home, FILE, 1 << 20).unwrap_or_default();
    serde_json::from_str::<Document>(&text).unwrap_or_default().owed
}

/// What a power cut would take is written through.
fn write(home: &Dir, owed: Vec<Owed>) -> io::Result<()> {
    replace(home, FILE, format!("{:#}\n", serde_json::to_value(Document { owed })?))?;
    open_file(home, FILE)?.sync_all()?;
    home.open("system")?.sync_all()
}

/// Changes what is owed; nobody else does meanwhile.
async fn change(gateway: &Gateway, how: impl FnOnce(&mut Vec<Owed>) + Send + 'static) -> Result<(), TurnError> {
    let _alone = gateway.cron.owing.lock().await;
    let changed = on_disk(gateway, move |home| {
        let before = read(home);
        let mut after = before.clone();
        how(&mut after);
        let surplus = after.len().saturating_sub(MOST);
        after.drain(..surplus);
        if after == before { Ok(()) } else { write(home, after) }
    });
    changed.await
}

/// Notes that a job's answer is owed, unless it was told to the AI before.
pub(super) async fn note(gateway: &Gateway, job: &Job, session: &str, request: &str) -> Result<(), TurnError> {
    let Some(target) = job.body.target.clone() else { return Ok(()) };
    let (id, wanted) = (session.to_owned(), request.to_owned());
    if !matches!(on_disk(gateway, move |home| store::told(home, &id, &wanted)).await?, Told::Nothing) {
        return Ok(());
    }
    let (session, request, name) = (session.to_owned(), request.to_owned(), job.body.name.clone());
    let new = Owed { session, request, name, target, at: time::seconds() };
    change(gateway, move |owed| {
        if !owed.iter().any(|one| one.session == new.session && one.request == new.request) {
            owed.push(new);
        }
    })
    .await
}

/// The job was not heard after all.
pub(super) async fn forget(gateway: &Gateway, session: &str, request: &str) -> Result<(), TurnError> {
    let (session, request) = (session.to_owned(), request.to_owned());
    change(gateway, move |owed| owed.retain(|one| one.session != session || one.request != request)).await
}

/// Sends what is owed as soon as it is there, for as long as the computer runs.
pub(crate) async fn run(gateway: Gateway) {
    loop {
        let wait = match round(&gateway).await {
            Ok(all_is_well) if all_is_well => LOOK,
            Ok(_) => AGAIN,
            Err(error) => {
                eprintln!("matrixos-gateway: answers of jobs: {error}");
                AGAIN
            }
        };
        // Either something has changed, or it is time: both are looked at in the same way.
        let _ = timeout(wait, gateway.cron.answered.notified()).await;
    }
}

/// Tries each of them. False if one is there that a channel did not take.
async fn round(gateway: &Gateway) -> Result<bool, TurnError> {
    let mut all_is_well = true;
    for one in on_disk(gateway, |home| Ok(read(home))).await? {
        match deliver(gateway, &one).await? {
            Delivered::Over => forget(gateway, &one.session, &one.request).await?,
            Delivered::NotYet => {}
            Delivered::NotTaken => all_is_well = false,
        }
    }
    Ok(all_is_well)
}

enum Delivered {
    /// There is nothing more to do.
    Over,
    /// The AI is at it.
    NotYet,
    /// The channel takes nothing at the moment.
    NotTaken,
}

/// Brings an answer to where it is wanted; if nobody takes it there, to the desktop.
async fn deliver(gateway: &Gateway, one: &Owed) -> Result<Delivered, TurnError> {
    let (session, request) = (one.session.clone(), one.request.clone());
    // A computer that was switched off meanwhile has not tried yet, and its channels are only being connected.
    let tried = i64::try_from(gateway.started.elapsed().as_secs()).unwrap_or(i64::MAX);
    let late = time::seconds().saturating_sub(one.at).min(tried) > PATIENCE;
    let text = match on_disk(gateway, move |home| store::told(home, &session, &request)).await? {
        Told::Answer { said, .. } => said,
        // It will be heard in this moment, or never.
        Told::Nothing => return Ok(if late { Delivered::Over } else { Delivered::NotYet }),
        Told::Waits(_) => return Ok(Delivered::NotYet),
    };
    if text.is_empty() {
        return Ok(Delivered::Over);
    }
    match channels::send(gateway, &one.target, &text).await {
        channels::Sent::Taken => return Ok(Delivered::Over),
        channels::Sent::NotNow if !late => return Ok(Delivered::NotTaken),
        channels::Sent::NotNow | channels::Sent::Refused => {}
    }
    let beginning: String = text.chars().take(300).collect();
    gateway.notices.add(format!("{} (could not be sent to {}): {beginning}", one.name, one.target.channel));
    Ok(Delivered::Over)
}
