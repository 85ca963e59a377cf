//! The lines of a conversation's file. They are only ever appended, so a kill at any moment loses no whole line.

use matrixos_types::kernel::{ChatMessage, From, Role, ToolUse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::source::Trust;
use crate::kernel::tools;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line {
    /// A message to the AI.
    User {
        id: String,
        at: u64,
        text: String,
        trust: Trust,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<From>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    /// A turn begins, for the message of that id.
    Start { turn: String, at: u64, message: String },
    /// What the model answered: its content blocks.
    Assistant { id: String, at: u64, content: Vec<Value> },
    /// What the tools returned: their result blocks.
    Tools { at: u64, content: Vec<Value> },
    /// The turn for a message has ended.
    End {
        message: String,
        at: u64,
        result: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// What stands before is told to the model in these words from now on. `outside` says that something others may have
    /// written went into them.
    Summary {
        at: u64,
        text: String,
        #[serde(default)]
        outside: bool,
    },
    /// Something the AI says by itself, without a model.
    Greeting { id: String, at: u64, text: String },
}

/// How a line with a summary begins (serde writes the tag first).
pub(super) const SUMMARY: &str = r#"{"kind":"summary""#;

/// The text blocks of an answer, together.
pub(crate) fn text_of(content: &[Value]) -> String {
    let texts: Vec<&str> = content.iter().filter(|b| b["type"] == "text").filter_map(|b| b["text"].as_str()).collect();
    texts.join("\n\n")
}

/// Makes of lines what people see. `Tools` and `End` say more about messages before them, so it keeps the last ones.
pub(crate) fn shown(line: Line, before: &mut [ChatMessage]) -> Option<ChatMessage> {
    match line {
        Line::User { id, at, text, from, .. } => {
            Some(ChatMessage { id, at, role: Role::User, text, from, tools: Vec::new(), code: None })
        }
        Line::Greeting { id, at, text } => {
            Some(ChatMessage { id, at, role: Role::Assistant, text, from: None, tools: Vec::new(), code: None })
        }
        Line::Assistant { id, at, content } => {
            let tools: Vec<ToolUse> = content.iter().filter_map(tool_use).collect();
            let text = text_of(&content);
            let worth = !text.is_empty() || !tools.is_empty();
            worth.then_some(ChatMessage { id, at, role: Role::Assistant, text, from: None, tools, code: None })
        }
        Line::Tools { content, .. } => {
            content.iter().for_each(|result| note_result(result, before));
            None
        }
        Line::End { message, at, result, note } => note.map(|text| ChatMessage {
            id: format!("end-{message}-{at}"),
            at,
            role: Role::Note,
            text,
            from: None,
            tools: Vec::new(),
            // Whoever stopped it, or may say "go on", has nothing to try again.
            code: Some(result).filter(|result| result != "cancelled" && result != "limit"),
        }),
        Line::Start { .. } | Line::Summary { .. } => None,
    }
}

fn tool_use(block: &Value) -> Option<ToolUse> {
    if block["type"] != "tool_use" {
        return None;
    }
    let tool = block["name"].as_str()?.to_owned();
    let label = tools::label(&tool, &block["input"]);
    Some(ToolUse { id: block["id"].as_str()?.to_owned(), tool, label, ok: None })
}

fn note_result(result: &Value, before: &mut [ChatMessage]) {
    let uses = before.iter_mut().rev().flat_map(|message| message.tools.iter_mut());
    for used in uses.take(64) {
        if Some(used.id.as_str()) == result["tool_use_id"].as_str() {
            used.ok = Some(!result["is_error"].as_bool().unwrap_or(false));
            return;
        }
    }
}
