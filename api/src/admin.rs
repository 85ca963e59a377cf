//! What the operator's commands ask the running supervisor, over a Unix socket that only root and the supervisor itself
//! may open.

mod ai;

use axum::extract::{FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, body::Body};
use matrixos_supervisor::containers::{Computer, Condition, Errand, Outcome, View};
use matrixos_supervisor::store::{Caller, Change, Keep, User, WantedState, What};
use matrixos_types::{Bytes, DiskQuota, Handle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::body::Asked;
use crate::error::ApiError;
use crate::events;
use crate::export;
use crate::platform::{PATIENCE, Platform};

pub(crate) use ai::metrics;
pub use ai::{Ai, NewAi, Quota};

/// Most events in one answer.
const PAGE: usize = 500;

/// One container, for the operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The owner.
    pub handle: String,
    /// The container.
    pub container: String,
    /// The owner's seat.
    pub seat: u16,
    /// Where its gateway listens.
    pub address: String,
    /// How it is.
    pub state: Condition,
    /// Why, where that is worth saying.
    pub reason: Option<String>,
    /// Its first process.
    pub pid: Option<i32>,
    /// Memory in use.
    pub memory: Option<Bytes>,
    /// The most memory it may use.
    pub memory_limit: Bytes,
    /// CPU time used, in microseconds.
    pub cpu_micros: Option<u64>,
    /// Processes now.
    pub processes: Option<u64>,
    /// Processes killed for lack of memory.
    pub oom_kills: Option<u64>,
}

/// How the platform is, for the operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// The address people type.
    pub origin: String,
    /// Computers that run.
    pub running: usize,
    /// All computers.
    pub computers: usize,
    /// Those whose files are in an archive, because nobody has used them for long.
    pub archived: usize,
    /// What this machine can do.
    pub machine: Machine,
    /// Why nothing new is accepted into the store, if that is so.
    pub store_refuses: Option<String>,
}

/// What was found out about this machine at the start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// By what users are held to their share of the disk.
    pub disk_quota: DiskQuota,
    /// Why by nothing better; may be empty.
    pub disk_quota_why: String,
}

/// What the handlers of the operator's socket may use.
#[derive(Clone)]
struct Operator {
    platform: Platform,
    machine: Machine,
}

impl FromRef<Operator> for Platform {
    fn from_ref(operator: &Operator) -> Self {
        operator.platform.clone()
    }
}

impl FromRef<Operator> for Machine {
    fn from_ref(operator: &Operator) -> Self {
        operator.machine.clone()
    }
}

/// The routes of the operator's socket.
fn router(operator: Operator) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/containers", get(list))
        .route("/containers/{handle}/log", get(log))
        .route("/containers/{handle}/start", post(start))
        .route("/containers/{handle}/stop", post(stop))
        .route("/containers/{handle}/wake", post(wake))
        .route("/containers/{handle}/history", get(history))
        .route("/containers/{handle}/destroy", post(destroy))
        .route("/accounts/{handle}/export", get(export::for_operator))
        .route("/administrators", get(administrators))
        .route("/administrators/invite", post(invite))
        .route("/administrators/{handle}/dismiss", post(dismiss))
        .route("/audit", get(audit))
        .merge(ai::router())
        .with_state(operator)
}

async fn status(State(platform): State<Platform>, State(machine): State<Machine>) -> Json<Status> {
    let (running, computers) = platform.containers.counts();
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        origin: platform.origin.clone(),
        running,
        computers,
        archived: platform.containers.archived(),
        machine,
        store_refuses: platform.accounts.room().err().map(|e| e.to_string()),
    })
}

async fn list(State(platform): State<Platform>) -> Json<Vec<Row>> {
    Json(platform.containers.list().iter().map(|(computer, view)| row(computer, view)).collect())
}

fn row(computer: &Computer, view: &View) -> Row {
    let usage = computer.usage().ok();
    Row {
        handle: computer.handle.to_string(),
        container: computer.container.to_string(),
        seat: computer.seat.number(),
        address: computer.address.to_string(),
        state: view.condition,
        reason: view.reason.clone(),
        pid: view.identity.as_ref().map(|i| i.pid),
        memory: usage.map(|u| u.memory),
        memory_limit: computer.limits.memory,
        cpu_micros: usage.map(|u| u.cpu_micros),
        processes: usage.map(|u| u.pids),
        oom_kills: usage.map(|u| u.oom_kills),
    }
}

pub(crate) fn user(platform: &Platform, handle: &str) -> Result<User, ApiError> {
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("There is no account {handle:?}."));
    let parsed = Handle::parse(handle).map_err(|_| unknown())?;
    platform.accounts.find(&parsed).map_err(ApiError::internal)?.ok_or_else(unknown)
}

async fn log(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<Response, ApiError> {
    let user = user(&platform, &handle)?;
    let log = platform.containers.log(&user.container).await;
    let log = log.map_err(|e| ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("{e}.")))?;
    Ok(Body::from_stream(ReaderStream::new(File::from_std(log.into()))).into_response())
}

async fn start(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<Json<View>, ApiError> {
    change(&platform, &handle, WantedState::Running, "the operator asked for it", Condition::Running).await
}

async fn stop(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<Json<View>, ApiError> {
    change(&platform, &handle, WantedState::Stopped, "the operator stopped it", Condition::Stopped).await
}

async fn wake(
    State(platform): State<Platform>,
    Path(handle): Path<String>,
    Query(Because { why }): Query<Because>,
) -> Result<Json<View>, ApiError> {
    let user = user(&platform, &handle)?;
    settled(platform.containers.wake(&user.container, &why)?, Condition::Running).await
}

/// Why something is asked for.
#[derive(Debug, Deserialize)]
struct Because {
    why: String,
}

/// What happened to a container, and until when it is kept awake.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct History {
    /// Oldest first.
    pub events: Vec<Change>,
    /// If it is.
    pub keep: Option<Keep>,
}

async fn history(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<Json<History>, ApiError> {
    let user = user(&platform, &handle)?;
    let (events, keep) = platform.containers.history(&user.container).ok_or_else(ApiError::not_found)?;
    Ok(Json(History { events, keep }))
}

async fn change(
    platform: &Platform,
    handle: &str,
    wanted: WantedState,
    reason: &str,
    hoped: Condition,
) -> Result<Json<View>, ApiError> {
    let user = user(platform, handle)?;
    let what = if wanted == WantedState::Running { What::ComputerStarted } else { What::ComputerStopped };
    platform.accounts.note_operation(user.id, what, &Caller::default()).await?;
    settled(platform.containers.want(&user.container, wanted, reason).await?, hoped).await
}

async fn settled(errand: Errand, hoped: Condition) -> Result<Json<View>, ApiError> {
    match errand.settle(hoped, PATIENCE).await {
        Outcome::Settled(view) => Ok(Json(view)),
        Outcome::Overtaken(reason) => {
            let message = format!(
                "Somebody else has asked for something else at the same time: {reason}. Look again with `container list`."
            );
            Err(ApiError::new(StatusCode::CONFLICT, "overtaken", message))
        }
        Outcome::Late => {
            let message = "It is taking long; look again with `container list`.";
            Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, "busy", message))
        }
    }
}

async fn destroy(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<StatusCode, ApiError> {
    let user = user(&platform, &handle)?;
    if platform.part_with(&user).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let message = "The container is still going; run the command again in a moment.";
    Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, "busy", message))
}

async fn administrators(State(platform): State<Platform>) -> Result<Json<Vec<Handle>>, ApiError> {
    Ok(Json(platform.accounts.administrators()?.into_iter().map(|user| user.handle).collect()))
}

/// The token stands behind `#`, so that no server's log gets to see it.
async fn invite(State(platform): State<Platform>) -> Json<Value> {
    let token = platform.accounts.invite_administrator();
    Json(json!({ "url": format!("{}/account#invite={}", platform.origin, token.expose()) }))
}

async fn dismiss(State(platform): State<Platform>, Path(handle): Path<String>) -> Result<StatusCode, ApiError> {
    platform.accounts.dismiss_administrator(&user(&platform, &handle)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Which {
    before: Option<u64>,
    handle: Option<String>,
}

async fn audit(State(platform): State<Platform>, Asked(which): Asked<Which>) -> Result<Json<Vec<Value>>, ApiError> {
    let of = which.handle.map(|handle| user(&platform, &handle)).transpose()?.map(|user| user.id);
    let before = which.before.unwrap_or(u64::MAX);
    let events = platform.accounts.events_for_operator(of, before, PAGE)?;
    events.iter().map(|event| events::named(&platform, event)).collect::<Result<_, _>>().map(Json)
}

/// Serves the operator's socket until the process ends.
pub async fn serve(socket: tokio::net::UnixListener, platform: Platform, machine: Machine) -> std::io::Result<()> {
    axum::serve(socket, router(Operator { platform, machine })).await
}
