//! The real gateway program, started on a free port over a home of its own.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod desk;
pub mod provider;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "the-owners-token-of-tests";
pub const GATEWAY: &str = env!("CARGO_BIN_EXE_matrixos-gateway");

pub struct Computer {
    pub child: Child,
    pub address: SocketAddr,
    pub home: tempfile::TempDir,
    shell: tempfile::TempDir,
    environment: Vec<(String, String)>,
    /// What it has said since it serves.
    pub said: Arc<Mutex<String>>,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Where the gateway says that it serves: the kernel chose a free port for it. What else it says is passed on.
fn address_said(child: &mut Child, heard: Arc<Mutex<String>>) -> SocketAddr {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.split_once("serving ").and_then(|(_, address)| address.trim().parse().ok()));
    std::thread::spawn(move || {
        lines.for_each(|line| {
            eprintln!("{line}");
            heard.lock().unwrap().push_str(&(line + "\n"));
        });
    });
    said.expect("the gateway ended before it served")
}

impl Computer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), environment)
    }

    /// With files that are there before the first boot.
    pub fn start_in(home: tempfile::TempDir, environment: &[(&str, &str)]) -> Self {
        let mut computer = Self::begin(home, Command::new(GATEWAY).envs(environment.iter().copied()));
        computer.environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        computer
    }

    /// Ended at once, as by a power cut, and started again.
    pub fn kill_and_start(self) -> Self {
        let (home, environment) = self.killed();
        let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Self::start_in(home, &environment)
    }

    /// Ended at once; what is left.
    pub fn killed(mut self) -> (tempfile::TempDir, Vec<(String, String)>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let home = std::mem::replace(&mut self.home, tempfile::tempdir().unwrap());
        (home, std::mem::take(&mut self.environment))
    }

    /// Starts the gateway by a command that ends in running it, with the same process id.
    pub fn start_by(command: &mut Command) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), command)
    }

    fn begin(home: tempfile::TempDir, command: &mut Command) -> Self {
        let shell = tempfile::tempdir().unwrap();
        std::fs::write(shell.path().join("index.html"), "<title>the desktop</title>").unwrap();
        let template = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../home");
        let mut child = command
            .env("MATRIX_AUTH_TOKEN", TOKEN)
            .env("MATRIX_HANDLE", "alice")
            .env("MATRIX_LISTEN", "127.0.0.1:0")
            .env("MATRIX_SHELL", shell.path())
            .env("MATRIX_TEMPLATE", template)
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::default();
        let address = address_said(&mut child, Arc::clone(&said));
        Self { child, address, home, shell, environment: Vec::new(), said }
    }

    /// The most memory that it has had resident, in kB.
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// The memory that it has resident, in kB.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds() {
            assert!(Instant::now() < deadline, "in vain: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The gateway may answer and close before it has read a refused body.
        let _ = stream.write_all(request);
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap_or(0) > 2 {}
        let mut body = Vec::new();
        let _ = reader.read_to_end(&mut body);
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head, body }
    }

    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.ask_as(TOKEN, method, path, body)
    }

    pub fn ask_as(&self, token: &str, method: &str, path: &str, body: &[u8]) -> Answer {
        let kind = if path.starts_with("/api/") { "application/json" } else { "application/octet-stream" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, b"")
    }

    pub fn put(&self, path: &str, body: serde_json::Value) -> Answer {
        self.ask("PUT", path, body.to_string().as_bytes())
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn post(&self, path: &str, body: serde_json::Value) -> Answer {
        self.ask("POST", path, body.to_string().as_bytes())
    }
}

impl Drop for Computer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
