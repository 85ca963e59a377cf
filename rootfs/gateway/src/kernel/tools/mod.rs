//! What the AI can do on this computer, for its owner. A failure is an answer as well: the model reads why and goes on.

mod apps;
mod command;
mod files;
mod guard;
mod jobs;
mod look;
mod page;
mod reading;
mod session;
mod web;

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::limits::cut;
use super::source::Trust;
use super::{memory, on_disk, skills};
use crate::config::Approval;
use crate::conversations::lines::Line;
use crate::state::Gateway;
use crate::time;
use guard::Guard;
pub(crate) use guard::has_outside;

/// What a tool returns, or why it did not do what it was asked to.
pub(crate) type Done = Result<String, String>;

/// Longest use of a tool, whichever it is; commands end earlier by themselves. An approval takes its own time.
const WITHIN: Duration = Duration::from_secs(330);

/// For whom and where tools are used.
pub(crate) struct Context {
    gateway: Gateway,
    session: String,
    trust: Trust,
    guard: Guard,
}

impl Context {
    pub(crate) fn new(gateway: &Gateway, session: &str, trust: Trust, approval: Approval, lines: &[Line]) -> Self {
        let guard = Guard::new(approval, lines);
        Self { gateway: gateway.clone(), session: session.to_owned(), trust, guard }
    }
}

/// The tools as the model is told of them.
pub(crate) fn definitions() -> &'static Value {
    static ALL: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());
    &ALL
}

const TEXT: &str = include_str!("definitions.json");

/// What a use of a tool does, in a few words for people.
pub(crate) fn label(tool: &str, input: &Value) -> String {
    let of = |name: &str| cut(input[name].as_str().unwrap_or_default(), 120);
    match tool {
        "list_files" if of("path").is_empty() => "Looking through the home".to_owned(),
        "list_files" => format!("Looking through {}", of("path")),
        "read_file" => format!("Reading {}", of("path")),
        "search_files" => format!("Searching for “{}”", of("text")),
        "write_file" => format!("Writing {}", of("path")),
        "edit_file" => format!("Changing {}", of("path")),
        "delete_file" => format!("Moving {} to the trash", of("path")),
        "run_command" => format!("Running {}", of("command")),
        "make_app" => format!("Building {}", of("title")),
        "open_app" => format!("Opening {}", of("name")),
        "schedule" => format!("Scheduling {}", of("name")),
        "list_schedule" => "Looking at the schedule".to_owned(),
        "unschedule" => "Removing a job".to_owned(),
        "remember" => "Remembering something".to_owned(),
        "recall" => format!("Recalling “{}”", of("text")),
        "set_profile" => format!("Setting your {}", of("field")),
        "set_theme" => "Changing the look".to_owned(),
        "load_skill" => format!("Learning how to {}", of("name").replace('-', " ")),
        "fetch_page" => format!("Fetching {}", of("url")),
        "notify" => "Showing a notice".to_owned(),
        other => format!("Using {}", cut(other, 60)),
    }
}

/// Uses a tool.
pub(crate) async fn run(context: &Context, tool: &str, input: &Value) -> Done {
    // A visitor's turn is given no tools; a model that asks for one all the same gets none.
    if context.trust == Trust::Visitor {
        return Err("There are no tools for visitors.".to_owned());
    }
    if let Some(why) = context.guard.doubts(tool, input) {
        context.ask(tool, input, why).await?;
    }
    let done = timeout(WITHIN, act(context, tool, input)).await;
    let done =
        done.unwrap_or_else(|_| Err(format!("It took longer than {} seconds and was given up.", WITHIN.as_secs())));
    context.guard.note(tool, input, &done);
    done
}

impl Context {
    async fn ask(&self, tool: &str, input: &Value, why: &str) -> Result<(), String> {
        if self.trust == Trust::Job {
            return Err(format!("This needs the owner's approval, and nobody can be asked during a job. {why}"));
        }
        if !self.gateway.hub.is_heard() {
            return Err(format!("This needs the owner's approval, and no desktop is open to ask on. Tell them. {why}"));
        }
        let label = label(tool, input);
        if super::approvals::ask(&self.gateway, &self.session, tool, &label, why).await {
            return Ok(());
        }
        Err("The owner did not approve this. Do not try it in another way; tell them what you wanted to do and why."
            .to_owned())
    }

    /// File work that says in words what went wrong.
    async fn disk(&self, work: impl FnOnce(&cap_std::fs::Dir) -> Done + Send + 'static) -> Done {
        let done = on_disk(&self.gateway, move |home| Ok(work(home))).await;
        done.unwrap_or_else(|error| Err(error.to_string()))
    }
}

async fn act(context: &Context, tool: &str, input: &Value) -> Done {
    let input = input.clone();
    match tool {
        "list_files" => context.disk(move |home| files::list(home, &input)).await,
        "read_file" => context.disk(move |home| files::read(home, &input)).await,
        "search_files" => context.disk(move |home| files::search(home, &input)).await,
        "write_file" => context.disk(move |home| files::write(home, &input)).await,
        "edit_file" => context.disk(move |home| files::edit(home, &input)).await,
        "delete_file" => context.disk(move |home| files::delete(home, &input)).await,
        "run_command" => command::run(&context.gateway, &input).await,
        "make_app" => apps::make(&context.gateway, &input).await,
        "open_app" => apps::open(&context.gateway, &input).await,
        "schedule" => jobs::add(&context.gateway, &input).await,
        "list_schedule" => jobs::list(&context.gateway).await,
        "unschedule" => jobs::remove(&context.gateway, &input).await,
        "remember" => context.disk(move |home| memory::remember(home, &input, &time::day(time::millis()))).await,
        "recall" => context.disk(move |home| memory::recall(home, &input)).await,
        "set_profile" => context.disk(move |home| look::set_profile(home, &input)).await,
        "set_theme" => context.disk(move |home| look::set_theme(home, &input)).await,
        "load_skill" => context.disk(move |home| skills::load(home, &input)).await,
        "fetch_page" => web::fetch(&context.gateway, &input).await,
        "notify" => look::notify(&context.gateway, &input),
        other => Err(format!("There is no tool named {}.", cut(other, 60))),
    }
}

/// A text that must be there.
pub(crate) fn given<'a>(input: &'a Value, name: &str) -> Result<&'a str, String> {
    input[name].as_str().ok_or_else(|| format!("`{name}` is missing: give it as a text."))
}

/// What went wrong with a file, for the model.
pub(crate) fn trouble(what: &str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{what}: {}", crate::error::Failure::from(error).message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_an_object_schema_with_a_label_of_its_own() {
        let all = definitions().as_array().cloned().unwrap_or_default();
        assert_eq!(all.len(), 19);
        for tool in &all {
            let name = tool["name"].as_str().unwrap_or_default();
            assert_eq!(tool["input_schema"]["type"], "object", "{name}");
            assert!(!label(name, &Value::Null).starts_with("Using"), "{name} has no label");
        }
    }
}
