//! The official SDKs read every script, and the small programs that use them do what they will do inside a computer.
//! `scripts/sdk` installs them; `scripts/test` calls it and runs these tests.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use matrixos_messages::{Content, Ended, Script, Scripted};
use serde_json::Value;
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sdk {
    Python,
    JavaScript,
}

use Sdk::{JavaScript, Python};

fn folder() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/sdk"));
    assert!(folder.join("node_modules").is_dir(), "the SDKs are not installed. Do:  scripts/sdk");
    folder
}

/// Runs a program of this SDK against the provider; the lines that it printed, and whether it was content.
async fn run(sdk: Sdk, scripted: &Scripted, arguments: &[String]) -> (Vec<Value>, bool) {
    let folder = folder();
    let mut command = match sdk {
        Python => Command::new("python3"),
        JavaScript => Command::new("node"),
    };
    command.arg(folder.join(if sdk == Python { "run.py" } else { "run.mjs" })).args(arguments);
    command.env("PYTHONPATH", folder.join("python")).env("PYTHONWARNINGS", "ignore");
    command.env("ANTHROPIC_BASE_URL", scripted.base_url()).env("ANTHROPIC_API_KEY", "sk-test");
    command.env("SCRIPTED_MESSAGES", scripted.base_url());
    let output = command.stderr(Stdio::inherit()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends in time").expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    (lines, output.status.success())
}

async fn cases(sdk: Sdk, scripted: &Scripted, names: &[&str]) -> Vec<Value> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let (lines, content) = run(sdk, scripted, &names).await;
    let passed = lines.iter().filter(|line| line["ok"] == true).count();
    assert!(content && passed == names.len(), "{sdk:?}: {lines:#?}");
    lines
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn everyday_cases_pass_with_both() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        scripted.require_key("sk-test");
        scripted.for_model("no-such-model", Script::named("404").expect("a script"));
        let names = ["plain", "stream", "tool-loop", "count-tokens", "models", "unknown-model", "wrong-key"];
        cases(sdk, &scripted, &names).await;
        assert!(scripted.calls().iter().all(|call| call.ended == Some(Ended::Whole)), "{:?}", scripted.calls());
    }
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn a_client_that_aborts_closes_its_connection() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        cases(sdk, &scripted, &["abort"]).await;
        let ended = || scripted.calls().iter().map(|call| call.ended).collect::<Vec<_>>();
        let until_noticed = async {
            while ended()[0].is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, until_noticed).await.expect("the closed connection is noticed");
        assert_eq!(ended(), [Some(Ended::Abandoned), Some(Ended::Whole)], "{sdk:?}");
    }
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn out_of_budget_is_told_once_and_not_tried_again() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        scripted.for_model("claude-sonnet-5-5", Script::named("402").expect("a script"));
        let lines = cases(sdk, &scripted, &["out-of-budget"]).await;
        assert!(lines[0]["shown"].as_str().is_some_and(|shown| shown.contains("credit balance")), "{lines:?}");
        assert_eq!(scripted.calls().len(), 2, "one call plain, one streaming");
    }
}

/// How a gateway ends a stream that the budget no longer pays for.
fn stream_that_the_budget_ends() -> Script {
    let Content::Events(text) = Script::named("error-midstream").expect("a script").content else { unreachable!() };
    Script::events(text.replace("overloaded_error", "billing_error").replace("Overloaded", "The budget is used up."))
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn a_budget_that_ends_in_mid_stream_is_told() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        scripted.enqueue(stream_that_the_budget_ends());
        let lines = cases(sdk, &scripted, &["budget-ends"]).await;
        assert!(lines[0]["shown"].as_str().is_some_and(|shown| shown.contains("used up")), "{lines:?}");
        assert_eq!(scripted.count(), 1, "{sdk:?} must not try again");
    }
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn the_sixth_call_waits_for_its_turn() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        scripted.at_most(5);
        cases(sdk, &scripted, &["sixth"]).await;
        assert_eq!(scripted.in_flight(), 0);
    }
}

/// What the script's head says of clients.
fn fits(script: &Script, line: &Value) -> bool {
    let outcome = line["outcome"].as_str().expect("an outcome");
    match script.client.as_str() {
        "any" => true,
        "error" => !["end_turn", "tool_use", "max_tokens"].contains(&outcome),
        exactly => outcome == exactly,
    }
}

fn output_tokens(script: &Script) -> Option<u64> {
    let Content::Events(text) = &script.content else { return None };
    let last = text.lines().rfind(|line| line.contains("message_delta"))?;
    let last = last.strip_prefix("data: ")?.replace("{{tokens}}", "2000");
    serde_json::from_str::<Value>(&last).ok()?["usage"]["output_tokens"].as_u64()
}

#[tokio::test]
#[ignore = "needs the SDKs: scripts/sdk"]
async fn every_script_is_read_by_both() {
    for sdk in [Python, JavaScript] {
        let scripted = Scripted::start().await.expect("it starts");
        let scripts = Script::all();
        let name = |script: &Script| format!("{}{}", script.name, if script.beta { "+beta" } else { "" });
        let arguments: Vec<String> = ["script".to_owned()].into_iter().chain(scripts.iter().map(name)).collect();
        let releasing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                scripted.release();
            }
        };
        let (lines, content) = tokio::select! {
            ran = run(sdk, &scripted, &arguments) => ran,
            () = releasing => unreachable!(),
        };
        assert!(content && lines.len() == 2 * scripts.len(), "{sdk:?} printed {} lines", lines.len());
        for (script, lines) in scripts.iter().zip(lines.chunks(2)) {
            assert!(lines.iter().all(|line| fits(script, line)), "{sdk:?} {}: {lines:#?}", script.name);
            read_alike(script, lines);
        }
    }
}

/// A stream and a document of the same script are the same message to a client.
fn read_alike(script: &Script, lines: &[Value]) {
    if script.hostile || !["end_turn", "tool_use"].contains(&script.client.as_str()) {
        return;
    }
    for part in ["text", "tools"] {
        assert_eq!(lines[0][part], lines[1][part], "{}", script.name);
    }
    for (line, tokens) in lines.iter().filter_map(|line| Some((line, output_tokens(script)?))) {
        assert_eq!(line["usage"]["output_tokens"], tokens, "{}", script.name);
    }
}
