//! Jobs: `system/cron.json`. They survive a restart; one that was due while the computer slept runs once when it wakes,
//! and the platform is told when it has to be awake.

pub(crate) mod owed;
mod schedule;

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cap_std::fs::Dir;
use matrixos_types::jobs::{Job, JobBody, Schedule};
use matrixos_types::kernel::From;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};
use tokio::time::{sleep, timeout};

use crate::config::{replace, small_file};
use crate::conversations::new_id;
use crate::error::Failure;
use crate::kernel::source::Trust;
use crate::kernel::{Said, TurnError, hear, on_disk};
use crate::state::Gateway;
use crate::{profile, time};

pub(crate) const FILE: &str = "system/cron.json";
const JOBS: usize = 50;
const NAME: usize = 100;
const MESSAGE: usize = 4_000;
/// Longest time until the clock is looked at again: it may have been set.
const LOOK: Duration = Duration::from_secs(600);
/// After something failed.
const AGAIN: Duration = Duration::from_secs(60);

/// The jobs' keeper.
#[derive(Default)]
pub(crate) struct Cron {
    /// One change of the file at a time.
    changing: Mutex<()>,
    changed: Notify,
    count: AtomicU32,
    /// One change of what is owed at a time.
    owing: Mutex<()>,
    answered: Notify,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    jobs: Vec<Job>,
}

impl Cron {
    /// The file may have changed.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    /// A job may have been answered, or a channel may take answers again.
    pub(crate) fn answered(&self) {
        self.answered.notify_one();
    }

    /// Number of jobs.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}

/// A job of the file that makes no sense is left out; the others count.
fn read(home: &Dir) -> Vec<Job> {
    let text = small_file(home, FILE, 1 << 20).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let jobs = value["jobs"].as_array().cloned().unwrap_or_default();
    jobs.into_iter().filter_map(|job| serde_json::from_value(job).ok()).take(JOBS).collect()
}

fn write(home: &Dir, jobs: Vec<Job>) -> io::Result<()> {
    replace(home, FILE, format!("{:#}\n", serde_json::to_value(Document { jobs })?))
}

/// Changes the jobs; nobody else does meanwhile.
async fn change<T: Send + 'static>(
    gateway: &Gateway,
    how: impl FnOnce(&Dir, &mut Vec<Job>) -> T + Send + 'static,
) -> Result<T, TurnError> {
    let _alone = gateway.cron.changing.lock().await;
    let done = on_disk(gateway, move |home| {
        let mut jobs = read(home);
        let before = jobs.clone();
        let done = how(home, &mut jobs);
        if jobs != before {
            write(home, jobs)?;
        }
        Ok(done)
    });
    let done = done.await?;
    gateway.cron.look();
    Ok(done)
}

/// Adds a job; a reason for people if it cannot be.
pub(crate) async fn add(gateway: &Gateway, body: JobBody) -> Result<Result<Job, String>, TurnError> {
    change(gateway, move |home, jobs| {
        if jobs.len() >= JOBS {
            return Err(format!("There are {JOBS} jobs already. Remove one first."));
        }
        let fits = |text: &str, most| !text.trim().is_empty() && text.len() <= most;
        if !fits(&body.name, NAME) || !fits(&body.message, MESSAGE) {
            return Err(format!("A job needs a name of 1 to {NAME} letters and a message of 1 to {MESSAGE}."));
        }
        let now = time::seconds();
        let next_run = Some(schedule::first(&body.schedule, now, &profile::time_zone(home))?);
        let job = Job { id: new_id(), body, created_at: now, last_run: None, next_run };
        jobs.push(job.clone());
        Ok(job)
    })
    .await
}

/// Removes a job. False if there is none of that id.
pub(crate) async fn remove(gateway: &Gateway, id: String) -> Result<bool, TurnError> {
    change(gateway, move |_, jobs| {
        let before = jobs.len();
        jobs.retain(|job| job.id != id);
        jobs.len() < before
    })
    .await
}

/// All jobs, the next one first.
pub(crate) async fn all(gateway: &Gateway) -> Result<Vec<Job>, TurnError> {
    let mut jobs = on_disk(gateway, |home| Ok(read(home))).await?;
    jobs.sort_by_key(|job| job.next_run.unwrap_or(i64::MAX));
    Ok(jobs)
}

/// Runs jobs when they are due, for as long as the computer runs.
pub(crate) async fn run(gateway: Gateway) {
    let mut told = None;
    loop {
        let next = match step(&gateway).await {
            Ok(next) => next,
            Err(error) => {
                eprintln!("matrixos-gateway: the schedule: {error}");
                sleep(AGAIN).await;
                continue;
            }
        };
        if told != Some(next) {
            told = gateway.platform.due(next).await.then_some(next);
        }
        let wait =
            next.map_or(LOOK, |at| Duration::from_secs(u64::try_from(at.saturating_sub(time::seconds())).unwrap_or(0)));
        let most = if told.is_some() { LOOK } else { AGAIN };
        // Either it is time, or something changed: both are looked at in the same way.
        let _ = timeout(wait.clamp(Duration::from_millis(50), most), gateway.cron.changed.notified()).await;
    }
}

/// Starts what is due. Returns when the next job is.
async fn step(gateway: &Gateway) -> Result<Option<i64>, TurnError> {
    let now = time::seconds();
    let jobs = all(gateway).await?;
    gateway.cron.count.store(u32::try_from(jobs.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
    let missing = jobs.iter().any(|job| job.next_run.is_none());
    let due: Vec<Job> = jobs.into_iter().filter(|job| job.next_run.is_some_and(|at| at <= now)).collect();
    for job in &due {
        start(gateway, job).await?;
    }
    let ids: Vec<String> = due.into_iter().map(|job| job.id).collect();
    if missing || !ids.is_empty() {
        change(gateway, move |home, jobs| advance(home, jobs, &ids, now)).await?;
    }
    let next = all(gateway).await?.iter().filter_map(|job| job.next_run).min();
    Ok(next)
}

/// Sets the next time of jobs that were started, and of those written by hand. What never runs again is removed.
fn advance(home: &Dir, jobs: &mut Vec<Job>, started: &[String], now: i64) {
    let zone = profile::time_zone(home);
    for job in jobs.iter_mut() {
        let ran = started.contains(&job.id);
        if ran {
            job.last_run = Some(now);
        }
        if ran || job.next_run.is_none() {
            job.next_run = schedule::next(&job.body.schedule, now, &zone);
        }
    }
    jobs.retain(|job| job.next_run.is_some());
}

/// Tells the AI. The message is durable and known by its time before the job counts as run: a kill between the two
/// neither loses nor doubles it.
async fn start(gateway: &Gateway, job: &Job) -> Result<(), TurnError> {
    let text: String = job.body.message.chars().take(MESSAGE).collect();
    let (session, request) = (format!("cron-{}", job.id), format!("cron-{}", job.next_run.unwrap_or_default()));
    let said = Said {
        text,
        session: Some(session.clone()),
        from: Some(From { channel: "cron".to_owned(), id: job.id.clone(), name: Some(job.body.name.clone()) }),
        trust: Trust::Job,
        request_id: Some(request.clone()),
    };
    owed::note(gateway, job, &session, &request).await?;
    match hear(gateway, said).await {
        Ok(_) => Ok(()),
        // A job that cannot be heard now (its queue is full, its message empty) waits for its next time.
        Err(TurnError::QueueFull(_) | TurnError::BadMessage(_) | TurnError::BadSession) => {
            owed::forget(gateway, &session, &request).await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Json<Vec<Job>>, Failure> {
    Ok(Json(all(&gateway).await?))
}

pub(crate) async fn create(
    State(gateway): State<Gateway>,
    Json(body): Json<JobBody>,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let job = add(&gateway, body).await?.map_err(Failure::bad_request)?;
    Ok((StatusCode::CREATED, Json(job)))
}

pub(crate) async fn delete(State(gateway): State<Gateway>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    if remove(&gateway, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found()) }
}

/// `2026-12-24T18:00` in the owner's time zone.
pub(crate) fn once(home: &Dir, text: &str) -> Result<Schedule, String> {
    let wrong = || "`at` is a time like 2026-12-24T18:00.".to_owned();
    let local: jiff::civil::DateTime = text.parse().map_err(|_| wrong())?;
    let zoned = profile::time_zone(home).to_ambiguous_zoned_datetime(local).compatible().map_err(|_| wrong())?;
    Ok(Schedule::Once { at: zoned.timestamp().as_second() })
}
