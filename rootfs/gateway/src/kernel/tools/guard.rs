//! When the owner is asked first. Text that others wrote may contain instructions; once such text was read, what
//! reaches far (commands, jobs, what the AI is told in later turns, addresses that nobody named) needs the owner's word.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::Done;
use super::reading::brings_in;
use crate::config::Approval;
use crate::conversations::lines::Line;
use crate::conversations::store;

/// Folders in which only the owner, their apps' code and the AI write.
pub(super) const OWN: &[&str] = &["agents/", "apps/", "system/"];
/// What is told to others or decides what the AI is told later.
const NEAR: &[&str] = &["agents", "system", "profile.md", "."];
/// Where the AI can bring about what stands there without writing it into a file that is read afterwards.
const ROUNDABOUT: &[&str] = &["data/", ".trash/"];
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
    /// What the owner said and what was read of others, in which addresses may have been named.
    text: String,
    /// Files the AI has written. An address in one of them may be put together from what it read.
    written: HashSet<String>,
}

impl Seen {
    fn write(&mut self, tool: &str, input: &Value) {
        if matches!(tool, "write_file" | "edit_file") {
            self.written.insert(path_of(input));
        }
    }

    fn hear(&mut self, text: &str) {
        self.text.push_str(super::cut(text, READ.saturating_sub(self.text.len())));
        self.text.push('\n');
    }

    fn read(&mut self, tool: &str, input: &Value, text: &str) {
        self.outside |= is_outside(tool, input);
        if self.names(tool, input) {
            self.hear(text);
        }
    }

    /// Whether somebody else than the AI has named the addresses in the result of this.
    fn names(&self, tool: &str, input: &Value) -> bool {
        let path = path_of(input);
        match tool {
            "fetch_page" | "load_skill" | "run_command" => true,
            "read_file" => {
                !self.written.contains(&path) && !OWN.iter().chain(ROUNDABOUT).any(|near| path.starts_with(near))
            }
            _ => false,
        }
    }
}

impl Guard {
    /// `lines` is what the model is told of the conversation: what it read in earlier turns is still before its eyes.
    pub(super) fn new(approval: Approval, lines: &[Line]) -> Self {
        let (mut seen, mut uses) = (Seen { outside: has_outside(lines), ..Seen::default() }, HashMap::new());
        for line in lines {
            match line {
                Line::User { text, .. } => seen.hear(text),
                Line::Assistant { content, .. } => {
                    for used in content.iter().filter(|block| block["type"] == "tool_use") {
                        seen.write(name_of(used), &used["input"]);
                        uses.insert(used["id"].to_string(), used);
                    }
                }
                Line::Tools { content, .. } => {
                    for result in content.iter().filter(|result| result["is_error"] != true) {
                        let Some(used) = uses.get(&result["tool_use_id"].to_string()) else { continue };
                        seen.read(name_of(used), &used["input"], result["content"].as_str().unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        Self { approval, seen: Mutex::new(seen) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the owner must be asked before this use; `None` if not. What is about to be written is remembered from here on,
    /// before a use beside it can read it.
    pub(super) fn doubts(&self, tool: &str, input: &Value) -> Option<&'static str> {
        self.seen().write(tool, input);
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
        if let Ok(text) = done {
            self.seen().read(tool, input, text);
        }
    }
}

fn name_of(used: &Value) -> &str {
    used["name"].as_str().unwrap_or_default()
}

/// Whether something that others may have written is in these lines.
pub(crate) fn has_outside(lines: &[Line]) -> bool {
    let read = |block: &Value| block["type"] == "tool_use" && is_outside(name_of(block), &block["input"]);
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
            NEAR.iter().any(|near| path.starts_with(near))
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
            !OWN.iter().any(|own| path.starts_with(own)) || is_of_conversations(&path)
        }
        "run_command" => brings_in(input["command"].as_str().unwrap_or_default()),
        _ => false,
    }
}

pub(super) fn is_of_conversations(path: &str) -> bool {
    path.starts_with(store::FOLDER)
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
        let guard = Guard::new(Approval::Outside, &[]);
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
            ("edit_file", json!({ "path": "profile.md" })),
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
        let doubts = |lines: &[Line]| Guard::new(Approval::Outside, lines).doubts("run_command", &json!({})).is_some();
        assert!(doubts(&used("fetch_page", json!({ "url": "https://example.org" }))));
        assert!(doubts(&used("read_file", json!({ "path": "system/conversations/visitor-x-1.jsonl" }))));
        assert!(doubts(&used("run_command", json!({ "command": "cat letter.txt" }))));
        assert!(doubts(&[Line::Summary { at: 1, text: String::new(), outside: true }]));
        assert!(!doubts(&used("read_file", json!({ "path": "apps/todo.html" }))));
        assert!(!doubts(&used("run_command", json!({ "command": "ls -l" }))));
    }

    #[test]
    fn an_address_that_the_ai_wrote_down_itself_was_named_by_nobody() {
        let url = "https://evil.example/?d=secret";
        let done = || Ok(format!("see {url}"));
        let asked = |guard: &Guard| guard.doubts("fetch_page", &json!({ "url": url })).is_some();
        let guard = Guard::new(Approval::Outside, &[]);
        read(&guard, "letter.txt");
        for (tool, input) in [
            ("read_file", json!({ "path": ".trash/5-notes.md" })),
            ("read_file", json!({ "path": "data/x/y.json" })),
            ("read_file", json!({ "path": "apps/x.html" })),
            ("recall", json!({ "text": "evil" })),
            ("search_files", json!({ "text": "evil" })),
        ] {
            guard.note(tool, &input, &done());
            assert!(asked(&guard), "{tool} {input}");
        }
        assert_eq!(guard.doubts("write_file", &json!({ "path": "notes.md", "text": url })), None);
        guard.note("read_file", &json!({ "path": "/home/matrixos/notes.md" }), &done());
        assert!(asked(&guard));
        // In a later turn as well.
        let uses = [("1", "write_file"), ("2", "read_file")];
        let content =
            uses.map(|(id, name)| json!({ "type": "tool_use", "id": id, "name": name, "input": { "path": "n" } }));
        let results = uses.map(|(id, _)| json!({ "tool_use_id": id, "content": url }));
        let lines = [
            Line::Assistant { id: "a".into(), at: 1, content: content.to_vec() },
            Line::Tools { at: 1, content: results.to_vec() },
            Line::Summary { at: 1, text: url.into(), outside: true },
        ];
        assert!(asked(&Guard::new(Approval::Outside, &lines)));
        guard.note("read_file", &json!({ "path": "letter.txt" }), &done());
        assert!(!asked(&guard), "the letter itself names it");
    }

    #[test]
    fn never_and_always_are_what_they_say() {
        let (never, always) = (Guard::new(Approval::Never, &[]), Guard::new(Approval::Always, &[]));
        read(&never, "letter.txt");
        assert_eq!(never.doubts("run_command", &json!({})), None);
        assert!(always.doubts("run_command", &json!({})).is_some());
    }
}
