//! The gateway as a first process: who gets in, what the first boot leaves, how it ends.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};

use common::{Computer, GATEWAY, TOKEN};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn every_route_but_health_needs_the_token() {
    let computer = Computer::start();
    assert_eq!(computer.ask_as("", "GET", "/health", b"").status, 200);
    let mut paths: Vec<&str> =
        matrixos_gateway::ROUTES.iter().map(|(path, _)| *path).filter(|p| *p != "/health").collect();
    paths.extend(["/", "/index.html", "/nowhere"]);
    for path in paths {
        let path = path
            .replace("{*path}", "README.md")
            .replace("{id}", "x")
            .replace("{app}", "todo")
            .replace("{section}", "agent");
        for method in ["GET", "PUT", "POST", "DELETE"] {
            for token in ["", "wrong", &TOKEN[..TOKEN.len() - 1], &format!("{TOKEN}x")] {
                assert_eq!(computer.ask_as(token, method, &path, b"{}").status, 401, "{method} {path} with {token:?}");
            }
        }
    }
    assert_eq!(computer.get("/").text(), "<title>the desktop</title>");
}

#[test]
fn whatever_is_refused_is_refused_in_words() {
    let computer = Computer::start();
    let json = "content-type: application/json\r\n";
    let refused = |line: &str, fields: &str, body: &str, status: u16, code: &str, says: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n{fields}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = computer.raw(head.as_bytes());
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        assert!(answer.head.to_lowercase().contains("content-type: application/json"), "{}", answer.head);
        assert_eq!(answer.code(), code, "{line}: {}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says) && message.ends_with('.') && message.len() < 700, "{line}: {message}");
        answer
    };
    let bad = "bad_request";
    refused("PUT /api/layout", json, "{\"a\":", 400, bad, "Mend it and send it again");
    refused("POST /api/message", json, "{}", 422, bad, "missing field `text`");
    refused(
        "POST /api/message",
        json,
        &format!("{{\"text\":[\"{}\"]}}", "x".repeat(200_000)),
        422,
        bad,
        "invalid type",
    );
    refused("PUT /api/layout", "", "{}", 415, "not_json", "content-type: application/json");
    refused("PUT /api/layout", json, &"x".repeat(300_000), 413, "too_large", "Send less");
    refused("GET /api/files/list", "", "", 400, bad, "missing field `path`");
    refused("GET /api/logs?limit=many", "", "", 400, bad, "limit");
    refused("GET /files/%FF", "", "", 400, bad, "UTF-8");
    let answer = refused("PATCH /api/layout", json, "{}", 405, "method_not_allowed", "not for PATCH");
    assert!(answer.head.to_lowercase().contains("allow: get,head,put"), "{}", answer.head);
    refused("POST /ws", "", "", 405, "method_not_allowed", "not for POST");
    for path in ["/ws", "/ws/terminal"] {
        refused(&format!("GET {path}"), "", "", 400, bad, "upgrade");
    }
    for path in
        ["/api", "/api/", "/api/nothing", "/api/nothing.json", "/api/files", "/ws/nothing", "/apps/a/b", "/files"]
    {
        for method in ["GET", "POST"] {
            refused(&format!("{method} {path}"), "", "", 404, "not_found", "nothing at this address");
        }
    }
    assert_eq!(computer.ask("HEAD", "/api/nothing", b"").status, 404);
    assert_eq!(computer.get("/settings").text(), "<title>the desktop</title>", "pages of the desktop are");
}

#[test]
fn without_a_token_only_this_machine_is_served() {
    let refused = Command::new(env!("CARGO_BIN_EXE_matrixos-gateway"))
        .env_remove("MATRIX_AUTH_TOKEN")
        .env("MATRIX_LISTEN", "0.0.0.0:0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("MATRIX_AUTH_TOKEN is not set"));
}

#[test]
fn without_a_token_no_page_in_a_browser_on_this_machine_does_anything() {
    let mut command = Command::new("sh");
    let computer = Computer::start_by(command.args(["-c", &format!("unset MATRIX_AUTH_TOKEN; exec {GATEWAY}")]));
    let here = computer.address.to_string();
    let ask = |line: &str, host: &str, fields: &str| {
        let head =
            format!("{line} HTTP/1.1\r\nhost: {host}\r\n{fields}content-length: 2\r\nconnection: close\r\n\r\n{{}}");
        computer.raw(head.as_bytes())
    };
    let layout =
        |host: &str, fields: &str| ask("PUT /api/layout", host, &format!("content-type: application/json\r\n{fields}"));
    let terminal = |fields: &str| {
        let upgrade =
            "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let head =
            format!("GET /ws/terminal HTTP/1.1\r\nhost: {here}\r\nconnection: upgrade, close\r\n{upgrade}{fields}\r\n");
        computer.raw(head.as_bytes())
    };
    assert_eq!(ask("GET /api/identity", &here, "").status, 200, "programs on this machine are served");
    assert_eq!(layout("localhost:4000", "").status, 204);
    assert_eq!(layout("[::1]:4000", "sec-fetch-site: same-origin\r\norigin: http://[::1]:4000\r\n").status, 204);
    assert_eq!(layout("localhost", "origin: http://localhost\r\n").status, 204);
    // Names of elsewhere that were made to mean this machine.
    for host in
        ["evil.example", "evil.example:4000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", ""]
    {
        assert_eq!(ask("GET /api/identity", host, "").code(), "foreign_name", "{host}");
        assert_eq!(ask("GET /", host, "").code(), "foreign_name", "{host}");
    }
    // Pages of elsewhere that ask for this machine by its name.
    for fields in [
        "origin: https://evil.example\r\n",
        "origin: http://localhost:9\r\n",
        "origin: null\r\n",
        "sec-fetch-site: cross-site\r\norigin: https://evil.example\r\n",
        "sec-fetch-site: same-site\r\norigin: http://localhost:9\r\n",
    ] {
        assert_eq!(layout(&here, fields).code(), "foreign_page", "{fields}");
        assert_eq!(terminal(fields).status, 403, "{fields}");
    }
}

#[test]
fn the_first_boot_furnishes_the_home_and_later_ones_change_nothing() {
    let computer = Computer::start();
    let home = computer.home.path();
    let handle: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.join("system/handle.json")).unwrap()).unwrap();
    assert_eq!((handle["handle"].as_str(), handle["aiHandle"].as_str()), (Some("alice"), Some("alice_ai")));
    assert!(home.join("README.md").exists() && home.join("system/profile.md").exists());
    let identity = computer.get("/api/identity").json();
    assert_eq!(identity["aiHandle"], "alice_ai");
    assert_eq!(computer.ask("PUT", "/api/layout", br#"{"terminal":{"x":1}}"#).status, 204);
    assert_eq!(computer.get("/api/layout").json()["terminal"]["x"], 1);
    assert_eq!(computer.ask("PUT", "/api/layout", b"[]").status, 400);
    std::fs::write(home.join("system/layout.json"), "damaged").unwrap();
    assert_eq!(computer.get("/api/layout").json(), serde_json::json!({}), "a damaged document is an empty one");
}

#[test]
fn the_platform_tells_the_owner_what_happened() {
    let computer = Computer::start();
    assert_eq!(computer.get("/api/notices").json(), serde_json::json!([]));
    assert_eq!(computer.ask("POST", "/api/notices", br#"{"text":"A program\u0007 was ended."}"#).status, 204);
    assert_eq!(computer.ask("POST", "/api/notices", br#"{"text":" "}"#).status, 400);
    let told = computer.get("/api/notices").json();
    assert_eq!((told[0]["id"].as_str(), told[0]["text"].as_str()), (Some("1"), Some("A program was ended.")));
    assert!(told[0]["at"].as_u64().unwrap() > 1_700_000_000_000);
}

#[test]
fn system_information_comes_from_the_kernel() {
    let computer = Computer::start_with(&[("MATRIX_MEMORY_LIMIT", "268435456"), ("MATRIX_CPU_MILLI", "500")]);
    std::fs::write(computer.home.path().join("big"), vec![1; 300_000]).unwrap();
    let info = computer.get("/api/system/info").json();
    assert_eq!(info["memory"]["limit"], 268_435_456);
    assert_eq!(info["cpuLimit"], 0.5);
    assert!(info["memory"]["used"].as_u64().unwrap() > 100_000);
    assert!(info["disk"]["used"].as_u64().unwrap() >= 300_000);
    assert!(info["image"].as_str().unwrap().contains("Linux"));
}

/// Inside a computer all programs have one user id and no capability; here they have root's, without its capabilities.
fn without_capabilities(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", program]);
    command
}

#[test]
fn the_token_is_not_readable_by_the_owners_other_programs() {
    let computer = Computer::start_by(&mut without_capabilities(GATEWAY));
    let reads = |pid: u32, file: &str| {
        let cat = without_capabilities("cat").arg(format!("/proc/{pid}/{file}")).stderr(Stdio::null()).output();
        cat.unwrap().status.success()
    };
    for file in ["environ", "maps", "auxv"] {
        assert!(!reads(computer.child.id(), file), "{file}");
    }
    let mut open = without_capabilities("sleep").arg("300").spawn().unwrap();
    computer.until("one that does not hide can be read", || reads(open.id(), "environ"));
    open.kill().unwrap();
    open.wait().unwrap();
}

#[test]
fn asked_to_end_it_ends_soon_and_well() {
    let mut computer = Computer::start();
    kill(Pid::from_raw(computer.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = computer.child.wait().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn orphans_are_reaped_by_the_first_process() {
    // In a pid namespace of its own the gateway is PID 1, and an orphan becomes its child.
    let mut unshare = Command::new("unshare");
    let mut computer = Computer::start_by(unshare.args(["--pid", "--fork", "--kill-child", "--mount-proc", GATEWAY]));
    let children = format!("/proc/{0}/task/{0}/children", computer.child.id());
    let gateway = std::fs::read_to_string(&children).unwrap().trim().to_owned();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    // A process that leaves two short-lived orphans behind, inside the namespace.
    let made = Command::new("nsenter")
        .args(["--target", &gateway, "--pid", "--mount", "sh", "-c", "(sleep 0.1 &) ; (sleep 0.1 &)"])
        .status()
        .unwrap();
    assert!(made.success());
    let zombies = || {
        let text = std::fs::read_to_string(format!("/proc/{gateway}/task/{gateway}/children")).unwrap_or_default();
        text.split_whitespace()
            .filter(|p| std::fs::read_to_string(format!("/proc/{p}/stat")).is_ok_and(|s| s.contains(") Z ")))
            .count()
    };
    std::thread::sleep(std::time::Duration::from_millis(300));
    while zombies() > 0 {
        assert!(std::time::Instant::now() < deadline, "zombies stay");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    computer.child.kill().unwrap();
    computer.child.wait().unwrap();
}
