//! Commands, in a session of their own that ends with them.

use std::pin::pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::session::Session;
use super::{Done, given};
use crate::kernel::limits::{RESULT, both_ends};
use crate::pid1::Ended;
use crate::settings::SECRETS;
use crate::state::Gateway;

const USUAL: u64 = 60;
const LONGEST: u64 = 300;
/// Output that is held of a command; the middle of more is let go.
const HELD: usize = 256 << 10;
/// After the end of the command, for what it has said and was not read yet.
const LAST_WORDS: Duration = Duration::from_millis(300);

pub(super) async fn run(gateway: &Gateway, input: &Value) -> Done {
    let command = given(input, "command")?;
    let limit = input["seconds"].as_u64().unwrap_or(USUAL).clamp(1, LONGEST);
    let ended = gateway.terminals.ended().subscribe();
    let problem = |error: std::io::Error| format!("The command could not be started: {error}");
    let (reader, writer) = std::io::pipe().map_err(problem)?;
    let child = spawn(gateway, command, writer).map_err(problem)?;
    let pid = i32::try_from(child.id()).map_err(|_| "The command could not be started.".to_owned())?;
    let session = Session { leader: pid };
    let reader = tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into()).map_err(problem)?;
    let mut output = Output::default();
    let code = timeout(Duration::from_secs(limit), until_ended(pid, ended, &mut output, reader)).await;
    drop(session);
    // Reaped by PID 1's duty, like every other.
    drop(child);
    let said = output.text();
    match code {
        Err(_) => Err(format!("The command took longer than {limit} seconds and was ended.\n{said}")),
        Ok(Some(0)) => Ok(said),
        Ok(Some(code)) => Err(format!("Exit code {code}.\n{said}")),
        Ok(None) => Err(format!("It was ended by a signal (out of memory, or by somebody).\n{said}")),
    }
}

fn spawn(gateway: &Gateway, command: &str, output: std::io::PipeWriter) -> std::io::Result<std::process::Child> {
    let second = output.try_clone()?;
    // It makes the session, then becomes the shell: with the same number, for it leads no group.
    let mut bash = Command::new("/usr/bin/setsid");
    for name in SECRETS {
        bash.env_remove(name);
    }
    let child = bash
        .args(["/bin/bash", "-c", command])
        .current_dir(&gateway.settings.home)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(second)
        .spawn()?;
    // As for terminals: when memory runs out, it goes before the gateway.
    let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), "1000");
    Ok(child)
}

/// Takes in what the command says until it has ended; a program it left behind may keep the pipe open.
async fn until_ended(
    pid: i32,
    ended: broadcast::Receiver<Ended>,
    output: &mut Output,
    reader: impl AsyncRead + Unpin,
) -> Option<i32> {
    let (mut reading, mut ending) = (pin!(output.read(reader)), pin!(code_of(pid, ended)));
    tokio::select! {
        code = ending.as_mut() => {
            let _ = timeout(LAST_WORDS, reading).await;
            code
        }
        () = reading.as_mut() => ending.await,
    }
}

/// How a process ended, as told by PID 1's duty.
async fn code_of(pid: i32, mut ended: broadcast::Receiver<Ended>) -> Option<i32> {
    loop {
        match ended.recv().await {
            Ok(one) if one.pid == pid => return one.code,
            Ok(_) => {}
            // So many ended at once that this one was missed; it is looked at instead.
            Err(broadcast::error::RecvError::Lagged(_)) if !std::path::Path::new(&format!("/proc/{pid}")).exists() => {
                return None;
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

/// The beginning and the end of what a command says.
#[derive(Default)]
struct Output {
    head: Vec<u8>,
    tail: Vec<u8>,
    lost: bool,
}

impl Output {
    async fn read(&mut self, mut from: impl AsyncRead + Unpin) {
        let mut piece = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            self.add(&piece[..length]);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = (HELD / 2).saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(&bytes[room..]);
        if self.tail.len() > HELD {
            self.tail.drain(..self.tail.len() - HELD / 2);
            self.lost = true;
        }
    }

    fn text(&self) -> String {
        let mark: &[u8] = if self.lost { b"\n[...]\n" } else { b"" };
        let all = [&self.head[..], mark, &self.tail[..]].concat();
        both_ends(&String::from_utf8_lossy(&all), RESULT)
    }
}
