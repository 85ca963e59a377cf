//! A computer on a server of its owner's own: who gets in by a browser, and what pages of elsewhere can do.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::Instant;

use common::{Answer, Computer, GATEWAY, TOKEN};

const LONG: &str = "0123456789abcdef0123456789abcdef";

fn single(more: &[(&str, &str)]) -> Computer {
    // The last of two values of a variable counts, so the token is set by a shell around the gateway.
    let mut command = Command::new("sh");
    let script = format!("MATRIX_SINGLE=1 MATRIX_AUTH_TOKEN={LONG} exec {GATEWAY}");
    command.args(["-c", &script]).envs(more.iter().copied());
    Computer::start_by(&mut command)
}

/// A request with these header fields.
fn ask(computer: &Computer, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: computer.example\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    computer.raw(format!("{head}{body}").as_bytes())
}

fn sign_in(computer: &Computer, token: &str) -> Answer {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    ask(computer, "POST", "/.matrixos/sign-in", &form, &format!("token={token}"))
}

/// The cookie as the browser sends it back, and all that was said of it.
fn cookie(answer: &Answer) -> (String, String) {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie").to_owned();
    (line.split(';').next().unwrap().to_owned(), line)
}

#[test]
fn whoever_knows_the_token_comes_in_and_nobody_else() {
    let computer = single(&[]);
    let visit = [("accept", "text/html,*/*")];
    let shown = ask(&computer, "GET", "/", &visit, "");
    assert_eq!(shown.status, 401);
    assert!(shown.text().contains("Token") && !shown.text().contains("the desktop"), "{}", shown.text());
    assert!(shown.head.contains("default-src 'none'"), "{}", shown.head);
    assert_eq!(ask(&computer, "GET", "/api/identity", &[("accept", "*/*")], "").code(), "unauthorized");
    let led = ask(&computer, "GET", "/", &[("accept", "text/html"), ("sec-fetch-site", "cross-site")], "");
    assert!(led.status == 401 && led.text().contains("Open the desktop"), "a link leads to a page that leads in");

    let wrong = sign_in(&computer, "0123456789abcdef0123456789abcdeX");
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("not the token") && !wrong.head.contains("set-cookie"), "{}", wrong.text());
    assert_eq!(sign_in(&computer, "").status, 401);

    let right = sign_in(&computer, &format!("{LONG}%0A"));
    assert_eq!(right.status, 303, "a line break that was copied with it does no harm: {}", right.head);
    let (pair, all) = cookie(&right);
    assert!(all.contains("HttpOnly; SameSite=Strict") && !all.contains("Secure"), "{all}");
    assert!(!all.contains(LONG), "the token itself is in no cookie");
    let come = ask(&computer, "GET", "/", &[("cookie", &format!("other=1; {pair}"))], "");
    assert!(come.status == 200 && come.text().contains("the desktop"), "{}", come.text());
    assert_eq!(ask(&computer, "GET", "/", &[("cookie", "matrixos-computer=guess")], "").status, 401);
    assert_eq!(computer.ask_as(LONG, "GET", "/api/identity", b"").status, 200, "programs use the bearer");
}

#[test]
fn a_page_of_elsewhere_does_nothing_with_the_owners_cookie() {
    let computer = single(&[]);
    let (pair, _) = cookie(&sign_in(&computer, LONG));
    let put = |fields: &[(&str, &str)]| {
        let fields = [&[("cookie", pair.as_str()), ("content-type", "application/json")], fields].concat();
        ask(&computer, "PUT", "/api/layout", &fields, "{}")
    };
    let socket = |fields: &[(&str, &str)]| {
        let upgrade = [
            ("cookie", pair.as_str()),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        ask(&computer, "GET", "/ws/terminal", &[&upgrade, fields].concat(), "")
    };
    for foreign in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://evil.computer.example")],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        assert_eq!(put(foreign).code(), "foreign_page", "{foreign:?}");
        assert_eq!(socket(foreign).status, 403, "{foreign:?}");
    }
    for own in [&[("sec-fetch-site", "same-origin")][..], &[("origin", "http://computer.example")]] {
        assert_eq!(put(own).status, 204, "{own:?}");
    }
}

#[test]
fn signing_out_and_a_new_token_end_it() {
    let computer = single(&[("MATRIX_ORIGIN", "https://computer.example/")]);
    let (pair, all) = cookie(&sign_in(&computer, LONG));
    assert!(pair.starts_with("__Host-") && all.contains("; Secure"), "{all}");
    let own = [("cookie", pair.as_str()), ("sec-fetch-site", "same-origin")];
    assert!(ask(&computer, "GET", "/.matrixos/sign-out", &own, "").text().contains("Sign out"));
    let foreign = [("cookie", pair.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(ask(&computer, "POST", "/.matrixos/sign-out", &foreign, "").status, 403);
    let out = ask(&computer, "POST", "/.matrixos/sign-out", &own, "");
    assert!(out.status == 303 && cookie(&out).1.contains("Max-Age=0"), "{}", out.head);

    let script = format!("MATRIX_SINGLE=1 MATRIX_AUTH_TOKEN={LONG}new exec {GATEWAY}");
    let other = Computer::start_by(Command::new("sh").args(["-c", &script]));
    assert_eq!(ask(&other, "GET", "/", &own, "").status, 401, "another token, another cookie");
}

#[test]
fn wrong_tokens_take_time_and_keep_nobody_else_waiting() {
    let computer = single(&[]);
    std::thread::scope(|all| {
        let wrong: Vec<_> = (0..40)
            .map(|n| {
                all.spawn({
                    let computer = &computer;
                    move || sign_in(computer, &format!("wrong-{n}")).status
                })
            })
            .collect();
        assert_eq!(sign_in(&computer, LONG).status, 303);
        let statuses: Vec<u16> = wrong.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    });
    let began = Instant::now();
    assert_eq!(sign_in(&computer, "wrong").status, 401);
    assert!(began.elapsed().as_millis() >= 400);
}

#[test]
fn behind_a_platform_there_is_no_door_and_a_weak_token_opens_none() {
    let computer = Computer::start();
    assert_eq!(sign_in(&computer, TOKEN).status, 401);
    assert_eq!(ask(&computer, "GET", "/", &[("accept", "text/html")], "").code(), "unauthorized");
    for (name, value) in [
        ("MATRIX_AUTH_TOKEN", "short"),
        ("MATRIX_AUTH_TOKEN", ""),
        ("MATRIX_ORIGIN", "computer.example"),
        ("MATRIX_ORIGIN", "https://computer.example/path"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(GATEWAY);
        command
            .env("MATRIX_SINGLE", "1")
            .env("MATRIX_AUTH_TOKEN", LONG)
            .env("HOME", home.path())
            .env("MATRIX_LISTEN", "127.0.0.1:0");
        let output = command.env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(name), "{name}={value}: {said}");
    }
}

#[test]
fn whoever_serves_other_machines_without_an_origin_is_told_what_that_means() {
    use std::io::{BufRead, BufReader};
    for (listen, origin, warned) in
        [("0.0.0.0:0", "", true), ("0.0.0.0:0", "https://computer.example", false), ("127.0.0.1:0", "", false)]
    {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(GATEWAY)
            .env("MATRIX_SINGLE", "1")
            .env("MATRIX_AUTH_TOKEN", LONG)
            .env("MATRIX_ORIGIN", origin)
            .env("MATRIX_LISTEN", listen)
            .env("HOME", home.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("serving ")));
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(child.id().try_into().unwrap()),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
        // It heeds signals before it serves, so what it has to say comes before its end.
        let said: Vec<String> = lines.collect();
        child.wait().unwrap();
        assert_eq!(
            said.iter().any(|line| line.contains("MATRIX_ORIGIN is not set")),
            warned,
            "{listen} {origin}: {said:?}"
        );
    }
}

#[test]
fn a_token_that_is_large_or_never_comes_is_not_waited_for() {
    let computer = single(&[]);
    let large = sign_in(&computer, &"x".repeat(100_000));
    assert!(large.status == 400 && large.text().contains("too long"), "{}", large.text());
    let head = "POST /.matrixos/sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let slow = computer.raw(format!("{head}content-length: 50\r\nconnection: close\r\n\r\ntoken=").as_bytes());
    assert_eq!(slow.status, 400);
    assert_eq!(sign_in(&computer, LONG).status, 303);
}
