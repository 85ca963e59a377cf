//! The owner's files over HTTP, against the real program and a real file system.
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::fs::symlink;

use common::Computer;
use serde_json::json;

#[test]
fn a_file_is_stored_listed_read_renamed_and_trashed() {
    let computer = Computer::start();
    assert_eq!(computer.ask("PUT", "/files/note%20one.txt", b"hello").status, 204);
    assert_eq!(std::fs::read(computer.home.path().join("note one.txt")).unwrap(), b"hello");
    let read = computer.get("/files/note%20one.txt");
    assert_eq!((read.status, read.text().as_str()), (200, "hello"));
    assert!(
        read.head.contains("content-type: text/plain") && read.head.contains("content-security-policy: sandbox"),
        "{}",
        read.head
    );
    let head = computer.ask("HEAD", "/files/note%20one.txt", b"");
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-length: 5"), "{}", head.head);
    for (range, status, text) in [
        ("bytes=1-2", 206, "el"),
        ("bytes=3-", 206, "lo"),
        ("bytes=-2", 206, "lo"),
        ("bytes=9-", 200, "hello"),
        ("nonsense", 200, "hello"),
    ] {
        let part = computer.raw(format!("GET /files/note%20one.txt HTTP/1.1\r\nhost: x\r\nauthorization: Bearer the-owners-token-of-tests\r\nrange: {range}\r\nconnection: close\r\n\r\n").as_bytes());
        assert_eq!((part.status, part.text().as_str()), (status, text), "{range}");
    }
    assert_eq!(computer.post("/api/files/mkdir", json!({"path": "folder"})).status, 201);
    assert_eq!(computer.post("/api/files/rename", json!({"from": "note one.txt", "to": "folder/two.txt"})).status, 204);
    let listing = computer.get("/api/files/list?path=folder").json();
    assert_eq!(listing["entries"][0]["name"], "two.txt");
    assert_eq!(listing["entries"][0]["kind"], "file");
    assert_eq!(listing["entries"][0]["size"], 5);
    assert_eq!(computer.post("/api/files/trash", json!({"path": "folder"})).status, 204);
    assert_eq!(computer.get("/files/folder/two.txt").status, 404);
    let trash = computer.get("/api/files/list?path=.trash").json();
    assert!(trash["entries"].as_array().unwrap().iter().any(|e| e["name"].as_str().unwrap().ends_with("-folder")));
}

#[test]
fn nothing_outside_the_home_can_be_named() {
    let computer = Computer::start();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "canary").unwrap();
    symlink(outside.path(), computer.home.path().join("way-out")).unwrap();
    symlink(outside.path().join("secret"), computer.home.path().join("direct")).unwrap();
    for path in [
        "/files/..%2f..%2fetc/passwd",
        "/files/%2e%2e/x",
        "/files/way-out/secret",
        "/files/direct",
        "/files//etc/../../etc/passwd",
    ] {
        let answer = computer.get(path);
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        assert!(!answer.text().contains("canary"));
    }
    assert_eq!(computer.ask("PUT", "/files/way-out/new", b"x").status, 403);
    assert!(!outside.path().join("new").exists());
    assert_eq!(computer.get("/api/files/list?path=../..").status, 403);
    assert_eq!(computer.post("/api/files/rename", json!({"from": "README.md", "to": "../stolen"})).status, 403);
    assert_eq!(computer.get("/files/etc/passwd").status, 404, "an absolute path is one within the home");
}

#[test]
fn wrong_requests_get_a_reason_and_change_nothing() {
    let computer = Computer::start();
    let home = computer.home.path();
    std::fs::create_dir(home.join("folder")).unwrap();
    std::fs::write(home.join("file"), "kept").unwrap();
    let cases = [
        (computer.get("/files/missing"), 404, "not_found"),
        (computer.get("/files/folder"), 409, "is_directory"),
        (computer.ask("PUT", "/files/folder", b"x"), 409, "is_directory"),
        (computer.get("/files/file/below"), 409, "not_directory"),
        (computer.get("/api/files/list?path=file"), 409, "not_directory"),
        (computer.ask("PUT", "/files/no/such/folder", b"x"), 404, "not_found"),
        (computer.post("/api/files/mkdir", json!({"path": "folder"})), 409, "exists"),
        (computer.post("/api/files/rename", json!({"from": "missing", "to": "new"})), 404, "not_found"),
        (computer.post("/api/files/rename", json!({"from": "folder", "to": "file"})), 409, "exists"),
        (computer.post("/api/files/rename", json!({"from": "file", "to": "folder"})), 409, "exists"),
        (computer.post("/api/files/trash", json!({"path": ""})), 400, "bad_request"),
        (computer.get(&format!("/files/{}", "n".repeat(300))), 400, "bad_request"),
        (computer.get("/files/zero%00byte"), 400, "bad_request"),
    ];
    for (index, (answer, status, code)) in cases.iter().enumerate() {
        assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "case {index}: {}", answer.text());
    }
    assert_eq!(std::fs::read_to_string(home.join("file")).unwrap(), "kept");
}

#[test]
fn an_upload_that_is_too_large_or_cut_off_leaves_nothing() {
    let computer = Computer::start_with(&[("MATRIX_UPLOAD_LIMIT", "1000")]);
    std::fs::write(computer.home.path().join("old"), "old").unwrap();
    let announced = computer.raw(b"PUT /files/old HTTP/1.1\r\nhost: x\r\nauthorization: Bearer the-owners-token-of-tests\r\ncontent-length: 1073741824\r\nconnection: close\r\n\r\n");
    assert_eq!((announced.status, announced.code().as_str()), (413, "too_large"));
    let mut chunked = b"PUT /files/old HTTP/1.1\r\nhost: x\r\nauthorization: Bearer the-owners-token-of-tests\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".to_vec();
    for _ in 0..4 {
        chunked.extend_from_slice(format!("190\r\n{}\r\n", "x".repeat(400)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(computer.raw(&chunked).status, 413);
    {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(computer.address).unwrap();
        stream.write_all(b"PUT /files/old HTTP/1.1\r\nhost: x\r\nauthorization: Bearer the-owners-token-of-tests\r\ncontent-length: 900\r\n\r\nhalf").unwrap();
    }
    let names = || {
        std::fs::read_dir(computer.home.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    computer.until("no draft is left", || !names().iter().any(|n| n.starts_with(".upload-")));
    assert_eq!(std::fs::read_to_string(computer.home.path().join("old")).unwrap(), "old");
}

#[test]
fn what_was_deleted_comes_back_to_where_it_was_until_the_trash_is_emptied() {
    let computer = Computer::start();
    let kept = |ending: &str| {
        let trash = computer.get("/api/files/list?path=.trash").json();
        let names = trash["entries"].as_array().cloned().unwrap_or_default();
        names.iter().map(|e| e["name"].as_str().unwrap().to_owned()).find(|n| n.ends_with(ending)).unwrap()
    };
    let restore = |name: String| computer.post("/api/files/restore", json!({"path": format!(".trash/{name}")}));
    let home = computer.home.path();
    std::fs::create_dir_all(home.join("deep/er")).unwrap();
    std::fs::write(home.join("deep/er/a-note.txt"), "one").unwrap();
    assert_eq!(computer.post("/api/files/trash", json!({"path": "deep/er/a-note.txt"})).status, 204);
    std::fs::remove_dir_all(home.join("deep")).unwrap();
    let back = restore(kept("-a-note.txt"));
    assert_eq!((back.status, back.json()["path"].as_str().unwrap().to_owned()), (200, "deep/er/a-note.txt".to_owned()));
    assert_eq!(std::fs::read(home.join("deep/er/a-note.txt")).unwrap(), b"one", "its folder was made again");

    assert_eq!(computer.post("/api/files/trash", json!({"path": "deep/er/a-note.txt"})).status, 204);
    std::fs::write(home.join("deep/er/a-note.txt"), "two").unwrap();
    assert_eq!(restore(kept("-a-note.txt")).json()["path"], "deep/er/a-note (2).txt", "nothing is overwritten");
    assert_eq!(std::fs::read(home.join("deep/er/a-note.txt")).unwrap(), b"two");

    // A record that was written by hand leads nowhere else than into the home.
    std::fs::write(home.join(".trash/5-x.txt"), "x").unwrap();
    for (record, expected) in [("../../etc/x", "x.txt"), (".trash/y", "x (2).txt"), ("/deep/x", "deep/x")] {
        std::fs::write(home.join(".trash/.from/5-x.txt"), record).unwrap();
        assert_eq!(restore("5-x.txt".to_owned()).json()["path"], expected, "{record}");
        std::fs::write(home.join(".trash/5-x.txt"), "x").unwrap();
    }
    for wrong in ["deep", ".trash", ".trash/.from", ".trash/.from/5-x.txt", ".trash/../deep", ""] {
        let refused = computer.post("/api/files/restore", json!({"path": wrong})).status;
        assert!(matches!(refused, 400 | 403), "{wrong}: {refused}");
    }
    assert_eq!(restore("missing".to_owned()).status, 404);

    assert_eq!(computer.ask("DELETE", "/api/files/trash", b"").status, 204);
    assert!(!home.join(".trash").exists());
    assert_eq!(computer.ask("DELETE", "/api/files/trash", b"").status, 204, "an empty one too");
}

#[test]
fn files_of_one_name_that_are_deleted_at_once_are_all_in_the_trash_and_long_names_too() {
    let computer = Computer::start();
    let long = format!("{}.txt", "ü".repeat(125));
    let name_of = |n: usize| if n == 0 { long.as_str() } else { "index.html" };
    for n in 0..40 {
        computer.write(&format!("site-{n}/{}", name_of(n)), n.to_string());
    }
    std::thread::scope(|all| {
        for n in 0..40 {
            let (computer, path) = (&computer, format!("site-{n}/{}", name_of(n)));
            all.spawn(move || {
                assert_eq!(computer.post("/api/files/trash", json!({ "path": path })).status, 204, "{n}")
            });
        }
    });
    let trash = computer.get("/api/files/list?path=.trash").json();
    let kept: Vec<&str> = trash["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["name"].as_str())
        .filter(|n| *n != ".from")
        .collect();
    assert_eq!(kept.len(), 40);
    for name in kept {
        assert_eq!(
            computer.post("/api/files/restore", json!({ "path": format!(".trash/{name}") })).status,
            200,
            "{name}"
        );
    }
    for n in 0..40 {
        assert_eq!(computer.read(&format!("site-{n}/{}", name_of(n))), n.to_string());
    }
}

#[test]
fn names_and_contents_that_are_no_text_are_shown_and_end_nothing() {
    use std::os::unix::ffi::OsStrExt;
    let computer = Computer::start();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff\xfe.txt");
    std::fs::create_dir(computer.home.path().join("odd")).unwrap();
    std::fs::write(computer.home.path().join("odd").join(odd), "x").unwrap();
    let listing = computer.get("/api/files/list?path=odd").json();
    assert_eq!((&listing["entries"][0]["lossy"], &listing["entries"][0]["size"]), (&json!(true), &json!(1)));
    assert_eq!(computer.get("/files/odd/odd-%ff%fe.txt").status, 400);
    computer.write("bytes.txt", [0xff, 0, 0xfe, b'x']);
    assert_eq!(computer.get("/files/bytes.txt").body, [0xff, 0, 0xfe, b'x']);
    for name in ["system/layout.json", "system/config.json", "system/profile.md", "system/cron.json", "apps/odd.html"] {
        computer.write(name, [0xff, 0xfe]);
    }
    for path in ["/api/layout", "/api/settings/agent", "/api/profile", "/api/cron", "/api/apps", "/apps/odd"] {
        assert_eq!(computer.get(path).status, 200, "{path}");
    }
    assert_eq!(computer.post("/api/files/trash", json!({ "path": "odd" })).status, 204, "with its folder it goes");
    assert!(!computer.home.path().join("odd").exists());
}

#[test]
fn a_pipe_in_place_of_a_document_is_waited_for_by_nobody() {
    let computer = Computer::start();
    let pipe = |name: &str| {
        let path = computer.home.path().join(name);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    };
    for name in ["layout.json", "theme.json", "layout.json.new", "logs/2026-01-01.jsonl"] {
        pipe(&format!("system/{name}"));
    }
    // More of them than there are threads for file work.
    for _ in 0..6 {
        for path in ["/api/layout", "/api/theme", "/api/settings/appearance"] {
            assert_eq!((computer.get(path).status, computer.get(path).json()), (200, json!({})), "{path}");
        }
        assert_eq!(computer.get("/api/logs").status, 200);
    }
    assert_eq!(computer.put("/api/layout", json!({ "a": 1 })).status, 204);
    assert_eq!(computer.get("/api/layout").json()["a"], 1);
}
