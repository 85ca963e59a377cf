//! The platform's proxy as a computer sees it: `/matrix/*` here, everything else by the scripted provider.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use matrixos_messages::{Script, Scripted, Turn};
use serde_json::{Value, json};

pub const KEY: &str = "the-computers-key";

#[derive(Default)]
pub struct Told {
    /// What is left, in billionths of a dollar; without it there is no platform.
    pub remaining: Option<u64>,
    /// What a call costs.
    pub price: u64,
    pub due: Vec<Value>,
    pub awake: Vec<Value>,
    pub rested: usize,
    pub sent: Vec<Value>,
    /// Texts for channels are taken by nobody, and how often that was tried.
    pub takes_nothing: bool,
    pub tried: usize,
    pub channels: Vec<Value>,
    /// Settings of channels make no sense to the platform.
    pub refuses_channels: bool,
    pub profiles: Vec<Value>,
    /// How the channels stand; without it nobody holds them.
    pub standing: Option<Value>,
    pub usage_asked: usize,
}

pub struct Provider {
    pub scripted: Scripted,
    pub told: Arc<Mutex<Told>>,
    pub address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Provider {
    pub fn start(turns: impl IntoIterator<Item = Turn>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let scripted = runtime.block_on(Scripted::turns(turns)).unwrap();
        scripted.require_key(KEY);
        let told = Arc::new(Mutex::new(Told { remaining: Some(2_700_000_000), ..Told::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (behind, known) = (scripted.address(), told.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let known = known.clone();
                std::thread::spawn(move || drop(serve(stream, behind, &known)));
            }
        });
        Self { scripted, told, address, _runtime: runtime }
    }

    /// The environment of a computer that asks here.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("ANTHROPIC_BASE_URL", format!("http://{}", self.address)), ("ANTHROPIC_API_KEY", KEY.to_owned())]
    }

    pub fn computer(&self) -> super::Computer {
        self.computer_with(tempfile::tempdir().unwrap(), &[])
    }

    pub fn computer_with(&self, home: tempfile::TempDir, more: &[(&str, &str)]) -> super::Computer {
        let own = self.environment();
        let mut all: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        super::Computer::start_in(home, &all)
    }

    /// The bodies of the calls of the model, oldest first.
    pub fn requests(&self) -> Vec<Value> {
        self.scripted.calls().iter().filter(|call| call.path == "/v1/messages").map(|call| call.json()).collect()
    }

    pub fn enqueue(&self, script: &str) {
        self.scripted.enqueue(Script::called(script).unwrap());
    }

    /// All texts of a request's system prompt.
    pub fn system(request: &Value) -> String {
        let blocks = request["system"].as_array().cloned().unwrap_or_default();
        blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

fn serve(mut stream: TcpStream, behind: SocketAddr, told: &Mutex<Told>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    if line.contains(" /matrix/") {
        let (status, answer) = matrix(&line, &head, &body, &mut told.lock().unwrap());
        return write!(
            stream,
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }
    {
        let mut told = told.lock().unwrap();
        told.remaining = told.remaining.map(|left| left - told.price);
    }
    let mut provider = TcpStream::connect(behind)?;
    provider.write_all(head.as_bytes())?;
    provider.write_all(&body)?;
    // The computer's going is passed on.
    let (mut from, to) = (stream.try_clone()?, provider.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut std::io::sink());
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let _ = std::io::copy(&mut provider, &mut stream);
    stream.shutdown(std::net::Shutdown::Both)
}

fn matrix(line: &str, head: &str, body: &[u8], told: &mut Told) -> (u16, String) {
    assert!(head.contains(&format!("authorization: Bearer {KEY}")), "{head}");
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    match line.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["GET", "/matrix/usage"] => {
            told.usage_asked += 1;
            let Some(left) = told.remaining else { return (404, String::new()) };
            let text = format!("${}.{:02}", left / 1_000_000_000, left % 1_000_000_000 / 10_000_000);
            (200, json!({ "remaining_nanos": left, "quota_nanos": 5_000_000_000u64, "text": text }).to_string())
        }
        ["PUT", "/matrix/due"] => {
            told.due.push(said["at"].clone());
            (204, String::new())
        }
        ["POST", "/matrix/awake"] => {
            told.awake.push(said);
            (200, "{}".to_owned())
        }
        ["DELETE", "/matrix/awake"] => {
            told.rested += 1;
            (204, String::new())
        }
        ["PUT", "/matrix/channels"] => {
            told.channels.push(said);
            (if told.refuses_channels { 400 } else { 204 }, String::new())
        }
        ["PUT", "/matrix/profiles"] => {
            told.profiles.push(said);
            (204, String::new())
        }
        ["GET", "/matrix/channels/status"] if told.standing.is_some() => {
            (200, told.standing.clone().unwrap_or_default().to_string())
        }
        ["POST", "/matrix/send"] if told.takes_nothing => {
            told.tried += 1;
            (503, String::new())
        }
        ["POST", "/matrix/send"] => {
            told.sent.push(said);
            (204, String::new())
        }
        _ => (404, String::new()),
    }
}
