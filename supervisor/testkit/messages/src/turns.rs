//! Answers for an agent's loop: a sequence of turns that call tools, and what came back from those tools.

use std::collections::VecDeque;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::asked::{Asked, Refused, texts};
use crate::script::Script;
use crate::way::BadScript;

type Check = Box<dyn Fn(&[ToolResult]) -> Result<(), String> + Send>;

/// What one tool answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolResult {
    /// The tool's name.
    pub name: String,
    /// All of its text.
    pub text: String,
    /// It says that it failed.
    pub is_error: bool,
}

/// One answer of the model in an agent's loop.
#[derive(Default)]
pub struct Turn {
    says: Option<String>,
    calls: Vec<(String, Value)>,
    check: Option<Check>,
    instead: Option<Script>,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("says", &self.says).field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Turn {
    /// The model calls one tool.
    pub fn tool(name: &str, input: Value) -> Self {
        Self::tools([(name, input)])
    }

    /// The model calls several tools at once.
    pub fn tools<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let calls = calls.into_iter().map(|(name, input)| (name.to_owned(), input)).collect();
        Self { calls, ..Self::default() }
    }

    /// The model says something and is done.
    pub fn text(says: &str) -> Self {
        Self::default().saying(says)
    }

    /// Something else comes instead of an answer: an error, a cut connection. The turn's place in the loop is used up,
    /// and results that were due before it have been taken.
    pub fn instead(script: Script) -> Self {
        Self { instead: Some(script), ..Self::default() }
    }

    /// Says this before it calls its tools.
    pub fn saying(mut self, says: &str) -> Self {
        self.says = Some(says.to_owned());
        self
    }

    /// Looks at what this turn's tools answered; what it finds wrong is kept with the failures.
    pub fn checking(mut self, check: impl Fn(&[ToolResult]) -> Result<(), String> + Send + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    /// Each tool's answer must contain the text of its place.
    pub fn expecting(self, parts: &[&str]) -> Self {
        let parts: Vec<String> = parts.iter().map(|&part| part.to_owned()).collect();
        self.checking(move |results| contain(results, &parts))
    }

    /// From `{"say", "tools": [{"name", "input"}], "expect": ["..."]}` or `{"script": "429"}`.
    pub(crate) fn from_json(value: &Value) -> Result<Self, BadScript> {
        if let Some(call) = value["script"].as_str() {
            return Ok(Self::instead(Script::called(call)?));
        }
        let tools = value["tools"].as_array().into_iter().flatten();
        let calls = tools.filter_map(|tool| Some((tool["name"].as_str()?, tool["input"].clone())));
        let mut turn = Self::tools(calls);
        turn.says = value["say"].as_str().map(str::to_owned);
        if turn.calls.is_empty() && turn.says.is_none() {
            return Err(BadScript::Form(format!("a turn needs say, tools or script: {value}")));
        }
        let expected: Vec<&str> = value["expect"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        Ok(if expected.is_empty() { turn } else { turn.expecting(&expected) })
    }

    fn message(&self, ids: &[String], input_tokens: usize) -> Value {
        let says = self.says.iter().map(|text| json!({"type": "text", "text": text, "citations": null}));
        let tool = |(id, (name, input)): (&String, &(String, Value))| json!({"type": "tool_use", "id": id, "name": name, "input": input, "caller": {"type": "direct"}});
        let content: Vec<Value> = says.chain(ids.iter().zip(&self.calls).map(tool)).collect();
        let output = content.iter().map(|block| block.to_string().len().div_ceil(4)).sum();
        message(content, if self.calls.is_empty() { "end_turn" } else { "tool_use" }, input_tokens, output)
    }
}

fn contain(results: &[ToolResult], parts: &[String]) -> Result<(), String> {
    if results.len() != parts.len() {
        return Err(format!("{} results were expected, not {results:?}", parts.len()));
    }
    match results.iter().zip(parts).find(|(result, part)| !result.text.contains(part.as_str())) {
        Some((result, part)) => Err(format!("{} should have answered {part:?}, not {:?}", result.name, result.text)),
        None => Ok(()),
    }
}

/// A message with its blanks still open.
pub(crate) fn message(content: Vec<Value>, stop: &str, input: usize, output: usize) -> Value {
    let cache = json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0});
    let usage = json!({"input_tokens": input, "output_tokens": output, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "cache_creation": cache, "service_tier": "standard"});
    json!({"id": "{{id}}", "type": "message", "role": "assistant", "model": "{{model}}", "content": content,
        "stop_reason": stop, "stop_sequence": null, "stop_details": null, "usage": usage})
}

/// The tools that were called, by the call's id, and who looks at what they answer.
struct Due {
    calls: Vec<(String, String)>,
    check: Option<Check>,
}

/// The loop: what is still to be said, what is due, what has come.
#[derive(Default)]
pub(crate) struct Turns {
    left: VecDeque<Turn>,
    due: Option<Due>,
    made: usize,
    pub(crate) results: Vec<Vec<ToolResult>>,
    pub(crate) failures: Vec<String>,
}

impl Turns {
    pub(crate) fn add(&mut self, turns: impl IntoIterator<Item = Turn>) {
        self.left.extend(turns);
    }

    pub(crate) fn left(&self) -> usize {
        self.left.len() + usize::from(self.due.is_some())
    }

    /// The answer to this call, if it belongs to the loop: calls without tools do not (a title, a summary).
    pub(crate) fn next(&mut self, asked: &Asked) -> Option<Script> {
        if !asked.has_tools() {
            return None;
        }
        if let Err(refused) = self.take_results(asked) {
            self.failures.push(refused.2.clone());
            return Some(refused.script());
        }
        let turn = self.left.pop_front()?;
        if let Some(script) = turn.instead {
            return Some(script);
        }
        let ids: Vec<String> = turn.calls.iter().map(|_| self.new_id()).collect();
        let message = turn.message(&ids, asked.input_tokens());
        if !ids.is_empty() {
            let names = turn.calls.into_iter().map(|(name, _)| name);
            self.due = Some(Due { calls: ids.into_iter().zip(names).collect(), check: turn.check });
        }
        Some(Script::document(200, message.to_string()))
    }

    fn new_id(&mut self) -> String {
        self.made += 1;
        format!("toolu_turn{:04}", self.made)
    }

    /// As strict as the provider: each call has its result in the very next message, and no result is without a call.
    fn take_results(&mut self, asked: &Asked) -> Result<(), Refused> {
        let Some(Due { calls, check }) = self.due.take() else { return Ok(()) };
        let came = asked.tool_results();
        if let Some(odd) = came.iter().find(|r| calls.iter().all(|(id, _)| r["tool_use_id"] != **id)) {
            return Err(Refused::invalid(format!("unexpected tool_use_id in tool_result: {}", odd["tool_use_id"])));
        }
        let mut results = Vec::new();
        for (id, name) in &calls {
            let mut mine = came.iter().filter(|result| result["tool_use_id"] == **id);
            let (Some(result), None) = (mine.next(), mine.next()) else {
                return Err(Refused::invalid(format!("tool_use {id} ({name}) needs exactly one tool_result")));
            };
            let is_error = result["is_error"].as_bool().unwrap_or(false);
            results.push(ToolResult { name: name.clone(), text: texts(&result["content"]).join("\n"), is_error });
        }
        self.failures.extend(check.and_then(|check| check(&results).err()));
        self.results.push(results);
        Ok(())
    }
}
