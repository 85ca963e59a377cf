//! The server: the provider's paths, and beside them a few of its own (`/_...`) for tests in other programs.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::asked::{self, Asked, Refused};
use crate::body::Paced;
use crate::calls::{Call, Calls, Ended, Flight};
use crate::gate::Gate;
use crate::orders;
use crate::render::render;
use crate::script::Script;
use crate::turns::{Turns, message};
use crate::way::{Cut, Hang};

/// The models that are listed.
const MODELS: &[&str] = &["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-1"];

/// What the server knows.
pub(crate) struct State {
    pub(crate) calls: Calls,
    pub(crate) gate: Gate,
    plan: Mutex<Plan>,
}

/// What is to be answered.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) key: Option<String>,
    pub(crate) queue: VecDeque<Script>,
    pub(crate) by_model: HashMap<String, Script>,
    pub(crate) turns: Turns,
}

impl State {
    pub(crate) fn new() -> Self {
        Self { calls: Calls::default(), gate: Gate::new(), plan: Mutex::default() }
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until it is dropped; the connections that it accepted end with it.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    // Pieces must leave one by one, not gathered by the kernel.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(stream, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: tokio::net::TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| answer(state.clone(), request));
    // It ends in an error when a script cuts it or the client goes; both are in the record.
    let mut server = hyper::server::conn::http1::Builder::new();
    let _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

type Answer = io::Result<Response<http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>>>;

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path().to_owned();
    if path.starts_with("/_") {
        return Ok(reply(orders::obey(&state, &parts.method, &path, &body)));
    }
    let flight = state.calls.begin(call(&parts, &body));
    let counts = path == "/v1/messages/count_tokens";
    let key = state.plan().key.clone();
    let asked = asked::check_headers(&parts.headers, key.as_deref());
    let known = matches!((&parts.method, path.as_str()), (&Method::POST, "/v1/messages"));
    let (script, asked) = match asked {
        Err(refused) => (refused.script(), nothing_asked()),
        Ok(()) if known || (counts && parts.method == Method::POST) => speak(&state, &parts.headers, &body, counts),
        Ok(()) => (other(&parts.method, &path), nothing_asked()),
    };
    send(&state, script, &asked, flight).await
}

fn call(parts: &hyper::http::request::Parts, body: &Bytes) -> Call {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Call {
        number: 0,
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8_lossy(body).into_owned(),
        script: None,
        sent: 0,
        ended: None,
    }
}

/// For answers that do not depend on what was asked.
fn nothing_asked() -> Asked {
    Asked { model: String::new(), streams: false, max_tokens: 0, takes_gzip: false, body: Value::Null }
}

fn speak(state: &State, headers: &HeaderMap, body: &[u8], counts: bool) -> (Script, Asked) {
    match asked::read(headers, body, counts) {
        Err(refused) => (refused.script(), nothing_asked()),
        Ok(asked) if counts => {
            (Script::document(200, json!({"input_tokens": asked.input_tokens()}).to_string()), nothing_asked())
        }
        Ok(asked) => (choose(&mut state.plan(), &asked), asked),
    }
}

/// What a test put in the queue, then what the call itself asks for, then the turns of a loop, then the model's, then an echo.
fn choose(plan: &mut Plan, asked: &Asked) -> Script {
    if let Some(script) = plan.queue.pop_front() {
        return script;
    }
    if let Some(call) = asked.marker() {
        return Script::called(&call).unwrap_or_else(|bad| Refused::invalid(bad.to_string()).script());
    }
    let turn = plan.turns.next(asked);
    turn.or_else(|| plan.by_model.get(&asked.model).cloned()).unwrap_or_else(|| echo(asked))
}

fn echo(asked: &Asked) -> Script {
    let heard: Vec<String> = asked.last_words().split_whitespace().map(str::to_owned).collect();
    let mut words = vec!["You".to_owned(), "said:".to_owned()];
    words.extend(heard);
    let most = usize::try_from(asked.max_tokens).unwrap_or(usize::MAX);
    let stop = if words.len() > most { "max_tokens" } else { "end_turn" };
    words.truncate(most);
    let text = json!({"type": "text", "text": words.join(" "), "citations": null});
    let document = message(vec![text], stop, asked.input_tokens(), words.len());
    Script { name: "echo".to_owned(), ..Script::document(200, document.to_string()) }
}

fn other(method: &Method, path: &str) -> Script {
    if (method, path) == (&Method::GET, "/v1/models") {
        return Script::document(200, models().to_string());
    }
    Refused(404, "not_found_error", format!("{method} {path} does not exist")).script()
}

fn models() -> Value {
    let model = |id: &&str| {
        json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active", "max_input_tokens": 1_000_000, "max_tokens": 128_000})
    };
    let data: Vec<Value> = MODELS.iter().map(model).collect();
    json!({"data": data, "has_more": false, "first_id": MODELS.first(), "last_id": MODELS.last()})
}

async fn send(state: &State, script: Script, asked: &Asked, mut flight: Flight) -> Answer {
    flight.answered_by(&script.name);
    let ticket = state.gate.ticket();
    if script.way.hang == Some(Hang::Headers) {
        ticket.clone().released().await;
    }
    if script.way.cut == Some(Cut::Headers) {
        flight.end(Ended::Cut);
        return Err(io::Error::other("the script cuts the connection here"));
    }
    let id = format!("scripted_{:08}", flight.number);
    let rendered = render(&script, asked, &id);
    let mut response = Response::builder().status(script.way.status).header("request-id", &id);
    for (name, value) in &script.way.headers {
        response = response.header(name, value);
    }
    let headers = response.headers_mut().ok_or_else(|| io::Error::other("the script has a bad status or header"))?;
    let kind = if rendered.streams { "text/event-stream; charset=utf-8" } else { "application/json" };
    headers.entry(CONTENT_TYPE).or_insert(hyper::header::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-cache"));
    if rendered.gzip {
        headers.insert(CONTENT_ENCODING, hyper::header::HeaderValue::from_static("gzip"));
    }
    let body = Paced::new(rendered.pieces, &script.way, ticket, flight);
    response.body(body.boxed_unsync()).map_err(io::Error::other)
}

fn reply(outcome: Result<Value, String>) -> Response<http_body_util::combinators::UnsyncBoxBody<Bytes, io::Error>> {
    let (status, value) = match outcome {
        Ok(value) => (200, value),
        Err(why) => (400, json!({"error": why})),
    };
    let body = http_body_util::Full::new(Bytes::from(value.to_string())).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}
