//! One turn: the model speaks, uses tools, is told what they returned, and so on until it has nothing more to do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use matrixos_types::kernel::{EndReason, Event, TokenUsage, TurnLog};
use serde_json::{Value, json};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Client};
use super::source::Trust;
use super::{Outcome, Pending, TurnError, compact, history, keep, limits, on_disk, prompt, tools};
use crate::config::{self, Agent};
use crate::conversations::lines::{Line, text_of};
use crate::conversations::{new_id, store};
use crate::state::Gateway;
use crate::{logs, time};

/// For how long the platform is asked not to put the computer to rest, and how often.
const LEASE: u64 = 180;
const RENEW: Duration = Duration::from_secs(120);
/// Events of one turn that are kept for whoever waits for its end.
const EVENTS: usize = 500;

/// What a turn knows and gathers. It is told of from outside of the work, which may be dropped at any moment.
pub(super) struct Turn<'a> {
    gateway: &'a Gateway,
    session: &'a str,
    id: String,
    pending: Pending,
    agent: Agent,
    began: Instant,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    texts: Vec<String>,
    tools: Vec<String>,
    usage: TokenUsage,
    events: Vec<Event>,
    /// What was left before the turn.
    budget: Option<u64>,
}

/// Does a turn from its beginning to its end; whatever happens, the conversation says how it ended.
pub(super) async fn run(gateway: &Gateway, session: &str, id: String, cancel: CancellationToken, pending: Pending) {
    let agent = on_disk(gateway, |home| Ok(config::read(home).agent)).await.unwrap_or_default();
    let turn = Turn { gateway, session, id, pending, agent, began: Instant::now(), gathered: Mutex::default() };
    let most = turn.agent.turn_seconds;
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Ok(EndReason::Cancelled),
        () = sleep(Duration::from_secs(most)) => Err(TurnError::Deadline(most)),
        () = lease(gateway) => Ok(EndReason::Cancelled),
        result = turn.work() => result,
    };
    turn.end(result).await;
}

/// Keeps the computer awake; ends only by being dropped.
async fn lease(gateway: &Gateway) {
    let mut ticks = interval(RENEW);
    loop {
        ticks.tick().await;
        gateway.platform.awake(LEASE, "Your AI is answering.").await;
    }
}

impl Turn<'_> {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: Event) {
        self.gateway.hub.tell(event.clone());
        let mut gathered = self.gathered();
        if !matches!(event, Event::Text { .. }) && gathered.events.len() < EVENTS {
            gathered.events.push(event);
        }
    }

    async fn work(&self) -> Result<EndReason, TurnError> {
        // Waits behind turns of other conversations.
        let _place = self.gateway.kernel.turns.acquire().await;
        let client = self.gateway.kernel.client.as_ref().ok_or_else(TurnError::without_key)?;
        let owner = self.pending.trust != Trust::Visitor;
        let budget = if owner { self.gateway.platform.budget().await } else { None };
        self.gathered().budget = budget.as_ref().map(|budget| budget.remaining_nanos);
        let lines = self.open(client).await?;
        self.tell(Event::Init {
            session_id: self.session.to_owned(),
            turn_id: self.id.clone(),
            message_id: self.pending.message.clone(),
            model: self.agent.model.clone(),
            budget: budget.as_ref().map(|budget| budget.text.clone()),
        });
        let inner = self.gateway.clone();
        let system = on_disk(self.gateway, move |home| {
            let settings = &inner.settings;
            Ok(if owner { prompt::owner(home, settings, budget.as_ref()) } else { prompt::visitor(home, settings) })
        });
        self.converse(client, &system.await?, &lines).await
    }

    /// Notes that the turn begins, and reads what was said before.
    async fn open(&self, client: &Client) -> Result<Vec<Line>, TurnError> {
        let read = || {
            let id = self.session.to_owned();
            on_disk(self.gateway, move |home| store::since_summary(home, &id))
        };
        if let Some(summary) = compact::compacted(&read().await?, client, &self.agent).await {
            keep(self.gateway, self.session, vec![summary]).await?;
        }
        let start = Line::Start { turn: self.id.clone(), at: time::millis(), message: self.pending.message.clone() };
        keep(self.gateway, self.session, vec![start]).await?;
        read().await
    }

    async fn converse(&self, client: &Client, system: &Value, lines: &[Line]) -> Result<EndReason, TurnError> {
        let mut messages = history::messages(lines);
        let (trust, approval) = (self.pending.trust, self.agent.approval);
        let context = tools::Context::new(self.gateway, self.session, trust, approval, lines);
        for _ in 0..self.agent.steps {
            compact::squeeze(&mut messages);
            let answer = self.call(client, system, &messages).await?;
            let uses: Vec<Value> = answer.content.iter().filter(|b| b["type"] == "tool_use").cloned().collect();
            if uses.is_empty() {
                let short = answer.stop.as_deref() == Some("max_tokens");
                return Ok(if short { EndReason::Limit } else { EndReason::Done });
            }
            messages.push(json!({ "role": "assistant", "content": answer.content }));
            let results = self.use_tools(&context, uses, &answer.invalid).await;
            keep(self.gateway, self.session, vec![Line::Tools { at: time::millis(), content: results.clone() }])
                .await?;
            messages.push(json!({ "role": "user", "content": results }));
        }
        Ok(EndReason::Limit)
    }

    /// One call of the model; what it says is kept, also if it breaks off.
    async fn call(&self, client: &Client, system: &Value, messages: &[Value]) -> Result<Answer, TurnError> {
        let body = self.request(system, messages).to_string();
        let mut said = |piece: &str| {
            self.gateway.kernel.set_said(self.session, |said| said.push_str(piece));
            let (session_id, turn_id) = (self.session.to_owned(), self.id.clone());
            self.tell(Event::Text { session_id, turn_id, text: piece.to_owned() });
        };
        let mut answer = client.stream(body.into(), &mut said).await;
        self.count(&answer.usage);
        let result = std::mem::replace(&mut answer.result, Ok(()));
        if result.is_err() {
            // A tool of an answer that broke off was not meant to be used yet.
            answer.content.retain(|block| block["type"] == "text");
        }
        self.keep_answer(&answer.content).await?;
        result.map(|()| answer)
    }

    fn request(&self, system: &Value, messages: &[Value]) -> Value {
        let mut messages = messages.to_vec();
        // Within a turn each call reads from the cache what the one before has written.
        if let Some(block) = messages.last_mut().and_then(|m| m["content"].as_array_mut()?.last_mut()) {
            block["cache_control"] = json!({ "type": "ephemeral" });
        }
        let mut request = json!({
            "model": self.agent.model, "max_tokens": limits::ANSWER_TOKENS, "stream": true, "system": system,
            "messages": messages,
        });
        if self.pending.trust != Trust::Visitor {
            request["tools"] = tools::definitions().clone();
        }
        request
    }

    async fn keep_answer(&self, content: &[Value]) -> Result<(), TurnError> {
        let text = text_of(content);
        if !text.is_empty() {
            self.gathered().texts.push(text);
        }
        if !content.is_empty() {
            let line = Line::Assistant { id: new_id(), at: time::millis(), content: content.to_vec() };
            keep(self.gateway, self.session, vec![line]).await?;
        }
        self.gateway.kernel.set_said(self.session, String::clear);
        Ok(())
    }

    fn count(&self, usage: &TokenUsage) {
        let mut gathered = self.gathered();
        let all = &mut gathered.usage;
        all.input += usage.input;
        all.output += usage.output;
        all.cache_read += usage.cache_read;
        all.cache_write += usage.cache_write;
    }

    /// Runs the tools of one answer beside each other; their results in the order they were asked for.
    async fn use_tools(&self, context: &tools::Context, uses: Vec<Value>, invalid: &[String]) -> Vec<Value> {
        let each: Vec<_> = uses.iter().map(|used| self.use_tool(context, used, invalid).boxed()).collect();
        stream::iter(each).buffered(limits::PARALLEL).collect().await
    }

    async fn use_tool(&self, context: &tools::Context, used: &Value, invalid: &[String]) -> Value {
        let (tool_id, tool) = (text(&used["id"]), text(&used["name"]));
        let (session_id, turn_id, began) = (self.session.to_owned(), self.id.clone(), Instant::now());
        self.gathered().tools.push(tool.clone());
        self.tell(Event::ToolStart {
            session_id: session_id.clone(),
            turn_id: turn_id.clone(),
            tool_id: tool_id.clone(),
            tool: tool.clone(),
            label: tools::label(&tool, &used["input"]),
        });
        let result = if invalid.contains(&tool_id) {
            Err("The input was not a JSON object. Write it again.".to_owned())
        } else {
            tools::run(context, &tool, &used["input"]).await
        };
        let ok = result.is_ok();
        let content = limits::both_ends(&result.unwrap_or_else(|why| why), limits::RESULT);
        let (summary, took) = (limits::cut(&content, 300).to_owned(), millis(began));
        self.tell(Event::ToolEnd { session_id, turn_id, tool_id: tool_id.clone(), tool, ok, summary, took });
        let content = if content.is_empty() { "(nothing)".to_owned() } else { content };
        json!({ "type": "tool_result", "tool_use_id": tool_id, "content": content, "is_error": !ok })
    }

    async fn end(self, result: Result<EndReason, TurnError>) {
        let mut said = String::new();
        self.gateway.kernel.set_said(self.session, |live| said = std::mem::take(live));
        if !said.trim().is_empty() {
            // The turn was stopped in the middle of a sentence.
            let _ = self.keep_answer(&[json!({ "type": "text", "text": said })]).await;
        }
        let (name, note) = match &result {
            Ok(EndReason::Done) => ("done", None),
            Ok(EndReason::Cancelled) => ("cancelled", Some("Stopped.".to_owned())),
            Ok(EndReason::Limit) => (
                "limit",
                Some("Your AI stopped here: this turn was getting too long. Say “go on” to continue.".to_owned()),
            ),
            Err(error) => (error.code(), Some(error.to_string())),
        };
        let (message, at) = (self.pending.message.clone(), time::millis());
        let line = Line::End { message, at, result: name.to_owned(), note: note.clone() };
        if let Err(error) = keep(self.gateway, self.session, vec![line]).await {
            eprintln!("matrixos-gateway: a turn's end could not be kept: {error}");
        }
        self.log(name).await;
        self.report(result);
        let gathered = self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = self.pending.done {
            // Whoever waited may have gone.
            let _ = done.send(Outcome { text: gathered.texts.join("\n\n"), events: gathered.events });
        }
    }

    fn report(&self, result: Result<EndReason, TurnError>) {
        let (session_id, turn_id) = (self.session.to_owned(), self.id.clone());
        // One look at what was gathered at a time: the lock is held until the end of the statement.
        let text = self.gathered().texts.join("\n\n");
        let usage = self.gathered().usage;
        self.tell(match result {
            Ok(reason) => Event::Result { session_id, turn_id, text, reason, usage, took: millis(self.began) },
            Err(error) => Event::Error {
                session_id: Some(session_id),
                turn_id: Some(turn_id),
                request_id: None,
                code: error.code().to_owned(),
                message: error.to_string(),
            },
        });
    }

    async fn log(&self, result: &str) {
        let before = self.gathered().budget;
        let left =
            if before.is_some() { self.gateway.platform.budget().await.map(|b| b.remaining_nanos) } else { None };
        let (tools, usage) = {
            let gathered = self.gathered();
            (gathered.tools.clone(), gathered.usage)
        };
        let entry = TurnLog {
            at: time::millis(),
            source: self.pending.source.clone(),
            session_id: self.session.to_owned(),
            model: self.agent.model.clone(),
            tools,
            usage,
            cost_nanos: before.zip(left).map(|(before, left)| before.saturating_sub(left)),
            took: millis(self.began),
            result: result.to_owned(),
        };
        if let Err(error) = on_disk(self.gateway, move |home| logs::add(home, &entry)).await {
            eprintln!("matrixos-gateway: a turn could not be logged: {error}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
