//! What a computer does beside talking: jobs, files that change, apps and their data, settings.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::Computer;
use common::desk::Desk;
use common::provider::Provider;
use matrixos_messages::Turn;
use matrixos_types::kernel::{Change, Event, FileChange};
use serde_json::{Value, json};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn once(at: u64) -> Value {
    json!({ "name": "tea", "message": "Time for tea", "schedule": { "type": "once", "at": at } })
}

#[test]
fn a_job_runs_at_its_time_and_the_platform_is_told_of_it() {
    let provider = Provider::start([Turn::text("tea is ready")]);
    let computer = provider.computer();
    let at = now() + 6;
    let mut body = once(at);
    body["target"] = json!({ "channel": "telegram", "chatId": "7" });
    let made = computer.post("/api/cron", body);
    assert_eq!((made.status, made.json()["nextRun"].as_u64()), (201, Some(at)));
    computer.until("the platform knows", || provider.told.lock().unwrap().due.contains(&json!(at)));
    let job = format!("/api/conversations/cron-{}", made.json()["id"].as_str().unwrap());
    computer.until("it ran", || computer.get(&job).text().contains("tea is ready"));
    assert!(now() >= at);
    let told = || provider.told.lock().unwrap();
    computer.until("nothing is due", || told().due.last() == Some(&Value::Null));
    computer.until("the answer went out", || {
        told().sent == [json!({ "channel": "telegram", "chatId": "7", "text": "tea is ready" })]
    });
    assert_eq!(computer.get("/api/cron").json(), json!([]), "what ran once is over");
    assert!(provider.requests()[0]["tools"].is_array(), "a job is the owner's");
}

#[test]
fn a_jobs_answer_for_a_channel_survives_kills_until_it_is_taken_and_goes_out_once() {
    let provider = Provider::start([Turn::text("tea is ready")]);
    let computer = provider.computer();
    let told = || provider.told.lock().unwrap();
    told().takes_nothing = true;
    let mut body = once(now() + 1);
    body["target"] = json!({ "channel": "telegram", "chatId": "7" });
    // Killed in the middle of the turn, whose answer nobody waits for after that.
    provider.enqueue("text hang=4");
    let id = computer.post("/api/cron", body).json()["id"].as_str().unwrap().to_owned();
    computer.until("the model is asked", || provider.requests().len() == 1);
    computer.until("the job is over", || computer.get("/api/cron").json() == json!([]));
    let computer = computer.kill_and_start();
    let conversation = format!("/api/conversations/cron-{id}");
    computer.until("it is answered", || computer.get(&conversation).text().contains("tea is ready"));
    computer.until("nobody takes it", || told().tried > 0);
    // Killed while nobody takes the answer.
    let computer = computer.kill_and_start();
    let before = told().tried;
    computer.until("it is tried again", || told().tried > before);
    assert!(computer.read("system/deliveries.json").contains(&id) && told().sent.is_empty());
    assert_eq!(computer.get("/api/notices").text().matches("could not be sent").count(), 0, "there is hope");
    told().takes_nothing = false;
    let computer = computer.kill_and_start();
    let sent = json!({ "channel": "telegram", "chatId": "7", "text": "tea is ready" });
    computer.until("it is taken", || told().sent == [sent.clone()]);
    computer.until("nothing is owed", || !computer.read("system/deliveries.json").contains(&id));
    let computer = computer.kill_and_start();
    computer.until("it serves", || computer.get("/health").status == 200);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((told().sent.len(), provider.requests().len()), (1, 2));
}

#[test]
fn a_job_that_was_due_while_the_computer_slept_runs_once_when_it_wakes() {
    let provider = Provider::start([Turn::text("done"), Turn::text("done again")]);
    let computer = provider.computer();
    let every =
        json!({ "name": "water", "message": "Water the plants", "schedule": { "type": "interval", "every": 60 } });
    let id = computer.post("/api/cron", every).json()["id"].as_str().unwrap().to_owned();
    computer.post("/api/cron", once(now() + 1_000));
    let (home, environment) = computer.killed();
    // It slept for an hour: the job has been due sixty times.
    let file = home.path().join("system/cron.json");
    let mut jobs: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let place = jobs["jobs"].as_array().unwrap().iter().position(|job| job["id"] == id.as_str()).unwrap();
    jobs["jobs"][place]["nextRun"] = json!(now() - 3_600);
    std::fs::write(&file, jobs.to_string()).unwrap();
    let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let computer = Computer::start_in(home, &environment);
    computer.until("it ran", || computer.get(&format!("/api/conversations/cron-{id}")).text().contains("done"));
    let jobs = computer.get("/api/cron").json();
    assert_eq!((jobs.as_array().unwrap().len(), jobs[0]["id"].as_str()), (2, Some(id.as_str())));
    assert!(jobs[0]["nextRun"].as_u64().unwrap() > now() && jobs[0]["lastRun"].as_u64().is_some());
    assert_eq!(provider.requests().len(), 1);
    computer.until("it is counted", || computer.ask_as("", "GET", "/health", b"").json()["cronJobs"] == 2);
    assert_eq!(computer.ask("DELETE", &format!("/api/cron/{id}"), b"").status, 204);
    assert_eq!(computer.ask("DELETE", &format!("/api/cron/{id}"), b"").status, 404);
}

#[test]
fn senseless_schedules_are_refused_and_a_damaged_file_ends_nothing() {
    let computer = Computer::start();
    for schedule in [
        json!({ "type": "once", "at": 253_370_764_800u64 }),
        json!({ "type": "interval", "every": 1 }),
        json!({ "type": "cron", "expression": "* * * * * *" }),
        json!({ "type": "cron", "expression": "61 * * * *" }),
    ] {
        let refused = computer.post("/api/cron", json!({ "name": "x", "message": "x", "schedule": schedule }));
        assert_eq!((refused.status, refused.code().as_str()), (400, "bad_request"), "{schedule}");
    }
    computer.write("system/cron.json", "{\"jobs\":[{\"id\":7},null,{\"id\":\"a\",\"name\":\"n\",\"message\":\"m\",\"createdAt\":1,\"schedule\":{\"type\":\"cron\",\"expression\":\"0 9 * * *\"}}]}");
    computer.until("what was written by hand has a time", || computer.get("/api/cron").json()[0]["nextRun"].is_u64());
    for _ in 0..49 {
        assert_eq!(computer.post("/api/cron", once(now() + 9_000)).status, 201);
    }
    assert_eq!(computer.post("/api/cron", once(now() + 9_000)).status, 400, "there is a bound");
}

#[test]
fn twenty_files_that_change_at_once_are_told_to_every_desktop() {
    let computer = Computer::start();
    let (mut one, mut two) = (Desk::open(&computer), Desk::open(&computer));
    for n in 0..20 {
        computer.write(&format!("new/folder/file-{n}.txt"), "x");
    }
    std::fs::remove_file(computer.home.path().join("README.md")).unwrap();
    for desk in [&mut one, &mut two] {
        let mut missing: Vec<String> = (0..20).map(|n| format!("new/folder/file-{n}.txt")).collect();
        let mut removed = false;
        while !missing.is_empty() || !removed {
            let Event::FileChange { changes, .. } = desk.until("changes", |e| matches!(e, Event::FileChange { .. }))
            else {
                unreachable!()
            };
            missing
                .retain(|path| !changes.iter().any(|change| change.path == *path && change.change == Change::Written));
            removed |= changes.contains(&FileChange { path: "README.md".into(), change: Change::Removed });
        }
        assert!(!desk.seen.iter().any(
            |e| matches!(e, Event::FileChange { changes, .. } if changes.iter().any(|c| c.path.contains(".new")))
        ));
    }
    // Far more than can be told: the desktops are told to look anew, and the computer goes on.
    let folder = tempfile::tempdir().unwrap();
    for n in 0..1_000 {
        std::fs::write(folder.path().join(n.to_string()), "x").unwrap();
    }
    std::fs::rename(folder.path(), computer.home.path().join("many")).unwrap();
    one.until("more", |event| matches!(event, Event::FileChange { more: true, .. }));
    assert_eq!(computer.get("/api/apps").status, 200);
}

#[test]
fn apps_are_listed_framed_safely_and_keep_their_data() {
    let computer = Computer::start();
    let apps = computer.get("/api/apps").json();
    let names: Vec<&str> = apps.as_array().unwrap().iter().filter_map(|app| app["name"].as_str()).collect();
    assert_eq!(names, ["Focus", "Habits", "Notes", "Quiz", "To do"]);
    for app in apps.as_array().unwrap() {
        let page = computer.get(&format!("/apps/{}", app["file"].as_str().unwrap()));
        assert_eq!(page.status, 200);
        assert!(page.text().contains("MatrixOS") && !page.text().contains("http"), "{app}");
    }
    computer.write("apps/Evil Name.html", "x");
    computer.write("apps/huge.html", vec![b'x'; 50 << 20]);
    std::os::unix::fs::symlink("/etc/passwd", computer.home.path().join("apps/link.html")).unwrap();
    assert_eq!(computer.get("/api/apps").json().as_array().unwrap().len(), 7);
    assert_eq!(computer.get("/apps/huge").status, 413);
    assert_eq!(computer.get("/apps/link").status, 403);
    for name in ["..%2f..%2fetc%2fpasswd", "Evil%20Name", "x", "..", "%00"] {
        assert_eq!(computer.get(&format!("/apps/{name}")).status, 404, "{name}");
    }
    let head = String::from_utf8(raw_head(&computer, "/apps/todo")).unwrap().to_lowercase();
    assert!(head.contains("sandbox allow-scripts allow-forms;") && head.contains("frame-ancestors 'self'"), "{head}");
    assert!(!head.contains("allow-same-origin"));

    let data = |action: &str, app: &str, key: &str, value: Value| {
        computer.post("/api/bridge/data", json!({ "action": action, "app": app, "key": key, "value": value }))
    };
    assert_eq!(data("read", "todo", "items", Value::Null).json()["value"], Value::Null);
    assert_eq!(data("write", "todo", "items", json!([{ "text": "ü" }])).status, 200);
    assert_eq!(data("read", "todo", "items", Value::Null).json()["value"][0]["text"], "ü");
    assert_eq!(computer.read("data/todo/items.json"), "[{\"text\":\"ü\"}]");
    assert_eq!(data("write", "todo", "big", "x".repeat(900_000).into()).status, 200);
    assert_eq!(data("write", "todo", "big", "x".repeat(1_100_000).into()).status, 413);
    for (app, key) in [("../../x", "a"), ("todo", "../a"), ("todo", ""), ("", "a"), ("todo", "a/b"), ("To", "a")] {
        assert_eq!(data("write", app, key, json!(1)).status, 400, "{app} {key}");
    }
    assert_eq!(data("write", "todo", "items", Value::Null).json()["value"], Value::Null);
    assert!(!computer.home.path().join("data/todo/items.json").exists());
}

/// The answer's head alone, which the usual helper does not keep.
fn raw_head(computer: &Computer, path: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(computer.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        common::TOKEN
    )
    .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    all.truncate(end);
    all
}

#[test]
fn settings_and_profiles_are_kept_and_what_makes_no_sense_is_refused() {
    let computer = Computer::start();
    assert_eq!(computer.get("/api/settings/agent").json()["model"], "claude-sonnet-5-5");
    assert_eq!(computer.put("/api/settings/agent", json!({ "model": "claude-haiku-5-5" })).status, 204);
    assert_eq!(computer.get("/api/settings/agent").json()["model"], "claude-haiku-5-5");
    assert_eq!(computer.get("/api/settings/agent").json()["approval"], "outside");
    for bad in [json!({ "model": "" }), json!({ "approval": "maybe" }), json!({ "steps": 0 }), json!([])] {
        assert_eq!(computer.put("/api/settings/agent", bad.clone()).status, 400, "{bad}");
    }
    assert_eq!(computer.put("/api/settings/appearance", json!({ "accent": "#112233" })).status, 204);
    assert_eq!(computer.get("/api/theme").json(), json!({ "appearance": "system", "accent": "#112233" }));
    assert_eq!(computer.get("/api/settings/social").json()["share"], false);
    assert_eq!(computer.get("/api/settings/nothing").status, 404);
    assert_eq!(computer.get("/api/channels/status").json(), json!({ "telegram": "disabled", "matrix": "disabled" }));
    assert!(computer.get("/api/profile").text().contains("Display Name:"));
    assert_eq!(computer.put("/api/ai-profile", json!({ "text": "# Me" })).status, 204);
    assert_eq!(computer.get("/api/ai-profile").text(), "# Me");
    assert_eq!(computer.put("/api/profile", json!({ "text": "x".repeat(20_000) })).status, 400);
    assert_eq!(computer.get("/api/usage").json(), json!({ "budget": null, "days": [] }));
    computer.write("system/config.json", "damaged");
    assert_eq!(computer.get("/api/settings/agent").json()["model"], "claude-sonnet-5-5");
}

#[test]
fn the_first_boot_greets_by_handle_for_nothing_and_begins_a_history() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    let list = computer.get("/api/conversations").json();
    assert_eq!(list[0]["id"], "welcome");
    let messages = computer.get("/api/conversations/welcome").json()["messages"].clone();
    assert!(messages[0]["text"].as_str().unwrap().starts_with("Hello alice"), "{messages}");
    assert!(provider.requests().is_empty());
    computer.until("the first day is in the history", || {
        let log =
            std::process::Command::new("git").args(["log", "--format=%s"]).current_dir(computer.home.path()).output();
        log.is_ok_and(|log| String::from_utf8_lossy(&log.stdout).contains("The first day"))
    });
    let computer = computer.kill_and_start();
    assert_eq!(computer.get("/api/conversations/welcome").json()["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn a_conversation_is_made_listed_searched_and_deleted() {
    let provider = Provider::start([Turn::text("Blue whales are large."), Turn::text("hm")]);
    let computer = provider.computer();
    let id = computer.post("/api/conversations", json!({})).json()["id"].as_str().unwrap().to_owned();
    let answer = computer.post("/api/message", json!({ "text": "Which animal is large?", "sessionId": id }));
    assert_eq!(answer.json()["text"], "Blue whales are large.");
    let list = computer.get("/api/conversations").json();
    assert_eq!(
        (list[0]["preview"].as_str(), list[0]["messageCount"].as_u64()),
        (Some("Which animal is large?"), Some(2))
    );
    let found = computer.get(&format!("/api/conversations/{id}/search?q=WHALES")).json();
    assert_eq!(found[0]["text"], "Blue whales are large.");
    let everywhere = computer.get("/api/conversations/search?q=whales").json();
    assert_eq!(everywhere[0]["sessionId"], id.as_str());
    assert_eq!(computer.get(&format!("/api/conversations/{id}/search?q=")).status, 400);
    for wrong in ["..%2f..%2fhandle", "nobody"] {
        assert_eq!(computer.get(&format!("/api/conversations/{wrong}")).status, 404, "{wrong}");
        assert_eq!(computer.ask("DELETE", &format!("/api/conversations/{wrong}"), b"").status, 404, "{wrong}");
    }
    assert_eq!(computer.ask("DELETE", &format!("/api/conversations/{id}"), b"").status, 204);
    assert_eq!(computer.get(&format!("/api/conversations/{id}")).status, 404);
}

#[test]
fn a_conversation_that_is_deleted_in_the_middle_of_a_turn_does_not_come_back() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    let mut desk = Desk::open(&computer);
    provider.enqueue("text hang=4");
    desk.say("s", "tell me a story");
    desk.until("it begins", |event| matches!(event, Event::Text { .. }));
    assert_eq!(computer.ask("DELETE", "/api/conversations/s", b"").status, 204);
    desk.end();
    assert_eq!(computer.get("/api/conversations/s").status, 404);
}

#[test]
fn the_models_that_can_be_chosen_are_those_that_the_provider_names() {
    let provider = Provider::start([]);
    let computer = provider.computer();
    let told = computer.get("/api/models").json();
    let ids: Vec<_> = told["models"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"claude-sonnet-5-5"), "{told}");
    assert_eq!(told["why"], Value::Null);
    // A form that is opened again asks nobody.
    computer.get("/api/models");
    let asked = provider.scripted.calls().iter().filter(|call| call.path.starts_with("/v1/models")).count();
    assert_eq!(asked, 1);

    let lonely = Computer::start();
    let told = lonely.get("/api/models");
    assert_eq!((told.status, &told.json()["models"]), (200, &json!([])), "the settings work without a list");
    assert!(told.json()["why"].as_str().unwrap().contains("no key is set"), "{}", told.text());
}

#[test]
fn what_two_desktops_set_at_once_is_kept_whole_and_neither_is_refused() {
    let computer = Computer::start();
    std::thread::scope(|all| {
        for who in 0..6 {
            let computer = &computer;
            all.spawn(move || {
                for round in 0..10 {
                    let layout = json!({ "who": who, "text": who.to_string().repeat(50_000 + 1_000 * round) });
                    assert_eq!(computer.put("/api/layout", layout).status, 204);
                    let social = json!({ format!("set-{who}-{round}"): true });
                    assert_eq!(computer.put("/api/settings/social", social).status, 204);
                    let data =
                        json!({ "action": "write", "app": "todo", "key": "k", "value": "x".repeat(9_000 * who) });
                    assert_eq!(computer.post("/api/bridge/data", data).status, 200);
                    assert!(computer.get("/api/layout").json()["who"].is_u64(), "a torn document");
                }
            });
        }
    });
    let social = computer.get("/api/settings/social").json();
    let kept = social.as_object().unwrap().keys().filter(|name| name.starts_with("set-")).count();
    assert_eq!(kept, 60, "of two changes at once none is lost");
}
