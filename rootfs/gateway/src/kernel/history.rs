//! From the lines of a conversation to the messages the model is sent: always a sequence the API accepts, whatever
//! moment the computer was switched off at.

use std::collections::{BTreeSet, HashMap};

use matrixos_types::kernel::From;
use serde_json::{Value, json};

use super::source::{Trust, wrapped};
use crate::conversations::lines::{Line, text_of};

/// Results of tools in turns before the present one are cut to this many bytes: what mattered was said in the answer.
const OLD_RESULT: usize = 2_000;

/// The messages, oldest first. Messages whose turn has not begun are not among them.
pub(crate) fn messages(lines: &[Line]) -> Vec<Value> {
    let mut history = History::default();
    let last_start = lines.iter().rposition(|line| matches!(line, Line::Start { .. })).unwrap_or(0);
    for (place, line) in lines.iter().enumerate() {
        history.take(line, place < last_start);
    }
    history.answer_open_tools();
    history.messages
}

#[derive(Default)]
struct History<'a> {
    messages: Vec<Value>,
    waiting: HashMap<&'a str, (&'a str, Option<&'a From>, Trust)>,
    begun: BTreeSet<&'a str>,
    /// Tool uses that have no result yet.
    open: Vec<String>,
}

impl<'a> History<'a> {
    fn take(&mut self, line: &'a Line, old: bool) {
        match line {
            Line::User { id, text, from, trust, .. } => {
                self.waiting.insert(id, (text, from.as_ref(), *trust));
            }
            Line::Start { message, .. } => self.start(message),
            Line::Assistant { content, .. } => self.assistant(content),
            Line::Tools { content, .. } => self.results(content, old),
            Line::End { result, message, .. } if result != "done" && self.begun.contains(message.as_str()) => {
                self.answer_open_tools();
                self.assistant(&[json!({ "type": "text", "text": format!("[This turn ended early: {result}.]") })]);
            }
            Line::End { .. } => self.answer_open_tools(),
            Line::Summary { text, .. } => self.user(format!("[What happened in this conversation so far]\n{text}")),
            Line::Greeting { .. } => {}
        }
    }

    fn start(&mut self, message: &'a str) {
        self.answer_open_tools();
        if !self.begun.insert(message) {
            // The computer was switched off in the middle of the turn, and it goes on.
            if self.messages.last().is_some_and(|last| last["role"] == "assistant") {
                self.user("[You were interrupted. Go on where you were.]".to_owned());
            }
            return;
        }
        if let Some((text, from, trust)) = self.waiting.remove(message) {
            self.user(if trust == Trust::Visitor { wrapped(text, from) } else { text.to_owned() });
        }
    }

    fn user(&mut self, text: String) {
        self.push("user", vec![json!({ "type": "text", "text": text })]);
    }

    fn assistant(&mut self, content: &[Value]) {
        // Thinking goes back only unchanged and only within its turn; without it the API accepts the rest.
        let kept: Vec<Value> =
            content.iter().filter(|b| b["type"] == "text" || b["type"] == "tool_use").cloned().collect();
        // The API wants a message of the user's first.
        if kept.is_empty() || self.messages.is_empty() {
            return;
        }
        self.answer_open_tools();
        let uses = kept.iter().filter(|b| b["type"] == "tool_use").filter_map(|b| b["id"].as_str());
        self.open.extend(uses.map(str::to_owned));
        self.push("assistant", kept);
    }

    fn results(&mut self, content: &[Value], old: bool) {
        let mut kept = Vec::new();
        for result in content {
            let id = result["tool_use_id"].as_str().unwrap_or_default();
            if let Some(place) = self.open.iter().position(|open| open == id) {
                self.open.swap_remove(place);
                kept.push(if old { shortened(result) } else { result.clone() });
            }
        }
        self.push("user", kept);
    }

    /// A tool that was at work when the computer was switched off has no result; the API wants one.
    fn answer_open_tools(&mut self) {
        let missing: Vec<Value> = std::mem::take(&mut self.open)
            .into_iter()
            .map(|id| {
                json!({ "type": "tool_result", "tool_use_id": id, "is_error": true,
                "content": "Interrupted. It may have been done, in part or in full: look before doing it again." })
            })
            .collect();
        self.push("user", missing);
    }

    /// Roles take turns: what one says twice in a row is one message.
    fn push(&mut self, role: &str, content: Vec<Value>) {
        if content.is_empty() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if last["role"] == role => {
                last["content"].as_array_mut().into_iter().for_each(|all| all.extend(content.iter().cloned()));
            }
            _ => self.messages.push(json!({ "role": role, "content": content })),
        }
    }
}

fn shortened(result: &Value) -> Value {
    let mut result = result.clone();
    if let Some(text) = result["content"].as_str().filter(|text| text.len() > OLD_RESULT) {
        result["content"] = format!("{} [shortened]", super::limits::cut(text, OLD_RESULT)).into();
    }
    result
}

/// The conversation as plain text, for a summary of it. What waits for its turn is not part of it yet.
pub(crate) fn transcript(lines: &[Line]) -> String {
    let begun = |line: &Line| if let Line::Start { message, .. } = line { Some(message.clone()) } else { None };
    let begun: BTreeSet<String> = lines.iter().filter_map(begun).collect();
    let mut text = String::new();
    for line in lines {
        let (who, said) = match line {
            Line::User { text, id, .. } if begun.contains(id) => ("User", text.clone()),
            Line::Assistant { content, .. } => {
                let used: Vec<&str> = content.iter().filter_map(|b| b["name"].as_str()).collect();
                let tools = if used.is_empty() { String::new() } else { format!(" [used {}]", used.join(", ")) };
                ("Assistant", format!("{}{tools}", text_of(content)))
            }
            Line::Summary { text, .. } => ("Before", text.clone()),
            _ => continue,
        };
        text.push_str(&format!("{who}: {}\n", super::limits::cut(&said, 4_000)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> Line {
        Line::User {
            id: id.into(),
            at: 1,
            text: format!("say {id}"),
            trust: Trust::Owner,
            from: None,
            request_id: None,
        }
    }

    fn start(id: &str) -> Line {
        Line::Start { turn: "t".into(), at: 1, message: id.into() }
    }

    fn says(content: Value) -> Line {
        Line::Assistant { id: "x".into(), at: 1, content: content.as_array().cloned().unwrap_or_default() }
    }

    fn tool(id: &str) -> Value {
        json!({ "type": "tool_use", "id": id, "name": "list_files", "input": {} })
    }

    fn result(id: &str) -> Value {
        json!({ "type": "tool_result", "tool_use_id": id, "content": "x".repeat(5_000) })
    }

    fn end(id: &str, result: &str) -> Line {
        Line::End { message: id.into(), at: 1, result: result.into(), note: None }
    }

    /// What the API checks: roles take turns, the user begins, every tool use is answered in the next message.
    fn assert_accepted(messages: &[Value]) {
        for (place, message) in messages.iter().enumerate() {
            assert_eq!(message["role"], ["user", "assistant"][place % 2], "{messages:#?}");
            let blocks = message["content"].as_array().cloned().unwrap_or_default();
            assert!(!blocks.is_empty());
            for used in blocks.iter().filter(|b| b["type"] == "tool_use") {
                let next = messages.get(place + 1).map(|m| m["content"].to_string()).unwrap_or_default();
                assert!(next.contains(used["id"].as_str().unwrap_or("?")), "{used} has no result");
            }
        }
    }

    #[test]
    fn a_message_that_waits_does_not_come_between_a_tool_and_its_result() {
        let lines = [
            user("a"),
            start("a"),
            says(json!([tool("1"), tool("2")])),
            user("b"),
            Line::Tools { at: 1, content: vec![result("1"), result("2")] },
            says(json!([{ "type": "text", "text": "done" }])),
            end("a", "done"),
            start("b"),
        ];
        let messages = messages(&lines);
        assert_accepted(&messages);
        assert_eq!(messages.len(), 5);
        assert_eq!(messages[4]["content"][0]["text"], "say b");
        assert!(messages[2].to_string().contains("[shortened]"), "an old result is cut");
    }

    #[test]
    fn cut_off_at_any_line_the_history_is_accepted() {
        let all = [
            user("a"),
            start("a"),
            says(json!([tool("1")])),
            Line::Tools { at: 1, content: vec![result("1")] },
            says(json!([{ "type": "text", "text": "half" }, tool("2")])),
            user("b"),
            end("a", "cancelled"),
            start("b"),
            says(json!([tool("3"), tool("4")])),
            Line::Tools { at: 1, content: vec![result("3")] },
            says(json!([{ "type": "text", "text": "done" }])),
            end("b", "done"),
        ];
        for length in 2..=all.len() {
            let mut lines = all[..length].to_vec();
            // After the cut the turn goes on, or the next one begins.
            for id in ["a", "b", "c"] {
                lines.extend([user("c"), start(id)]);
                assert_accepted(&messages(&lines));
            }
        }
    }

    #[test]
    fn a_visitors_words_are_always_wrapped() {
        let mut line = user("a");
        if let Line::User { trust, .. } = &mut line {
            *trust = Trust::Visitor;
        }
        assert!(messages(&[line, start("a")])[0].to_string().contains("<untrusted"));
    }
}
