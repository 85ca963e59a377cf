//! One shell on a pseudo-terminal. A task owns it; desktops attach and detach.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use pty_process::{Command, OwnedReadPty, OwnedWritePty, Pty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc};
use tokio::time::timeout;

use crate::pid1::Ended;

/// What a desktop that attaches again is shown of the past, in bytes.
const SCROLLBACK: usize = 256 * 1024;
/// Chunks on their way to the desktop; when it does not keep up, the shell's programs wait.
const AHEAD: usize = 16;
/// Messages of the desktop that wait for the shell's programs to read.
const KEYS: usize = 64;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl Size {
    fn clamped(self) -> pty_process::Size {
        pty_process::Size::new(self.rows.clamp(1, 1_000), self.cols.clamp(1, 1_000))
    }
}

/// From the desktop.
pub(crate) enum Input {
    Bytes(Bytes),
    Resize(Size),
    Attach(mpsc::Sender<Output>),
}

/// To the desktop.
pub(crate) enum Output {
    /// First of all: what was said before.
    Past(Bytes),
    Bytes(Bytes),
    Exit(Option<i32>),
}

/// A handle on a shell; clones are the same shell.
#[derive(Clone)]
pub(crate) struct Session(Arc<Shared>);

struct Shared {
    id: String,
    input: mpsc::Sender<Input>,
    pid: i32,
    connected: AtomicBool,
    /// Milliseconds from `EPOCH` to when a desktop was last here.
    since: AtomicU64,
}

static EPOCH: OnceLock<Instant> = OnceLock::new();

fn now() -> u64 {
    u64::try_from(EPOCH.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// When memory runs out, the owner's programs go before the gateway, without which nobody could tell what happened
/// (proc_pid_oom_score_adj(5); anybody may raise their own).
fn sacrifice(pid: i32) {
    let _ = std::fs::write(format!("/proc/{pid}/oom_score_adj"), "1000");
}

impl Session {
    pub(super) fn start(
        home: &Path,
        hidden: &[&str],
        size: Size,
        ended: broadcast::Receiver<Ended>,
    ) -> io::Result<Self> {
        let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
        pty.resize(size.clamped()).map_err(io::Error::other)?;
        let mut command = Command::new("/bin/bash")
            .arg("-l")
            .current_dir(home)
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor");
        for name in hidden {
            command = command.env_remove(name);
        }
        let child = command.spawn(pts).map_err(io::Error::other)?;
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or_else(|| io::Error::other("the shell ended at once"))?;
        sacrifice(pid);
        let (input, inputs) = mpsc::channel(64);
        let id = uuid::Uuid::new_v4().simple().to_string();
        let session =
            Self(Arc::new(Shared { id, input, pid, connected: AtomicBool::new(false), since: AtomicU64::new(now()) }));
        let (reader, writer) = Pty::into_split(pty);
        tokio::spawn(async move {
            run(pid, reader, writer, inputs, ended).await;
            // Reaped like every other by PID 1's duty. Dropped any earlier, tokio would reap it and keep its exit code.
            drop(child);
        });
        Ok(session)
    }

    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// False once the shell has ended.
    pub(super) fn lives(&self) -> bool {
        !self.0.input.is_closed()
    }

    pub(super) fn connected(&self) -> bool {
        self.0.connected.load(Ordering::Relaxed)
    }

    pub(super) fn since(&self) -> u64 {
        self.0.since.load(Ordering::Relaxed)
    }

    /// Notes whether a desktop is here.
    pub(super) fn set_connected(&self, connected: bool) {
        self.0.connected.store(connected, Ordering::Relaxed);
        self.0.since.store(now(), Ordering::Relaxed);
    }

    /// Sends input, waiting while the shell does not read. Fails when the shell has ended.
    pub(super) async fn send(&self, input: Input) -> Result<(), ()> {
        self.0.input.send(input).await.map_err(drop)
    }

    /// Waits while the shell does not read. Fails when it has ended.
    pub(super) async fn place(&self) -> Result<mpsc::Permit<'_, Input>, ()> {
        self.0.input.reserve().await.map_err(drop)
    }

    /// What a terminal's end means to a shell and its programs (SIGHUP).
    pub(super) fn hang_up(&self) {
        let _ = killpg(Pid::from_raw(self.0.pid), Signal::SIGHUP);
    }
}

async fn run(
    pid: i32,
    mut reader: OwnedReadPty,
    writer: OwnedWritePty,
    mut inputs: mpsc::Receiver<Input>,
    mut ended: broadcast::Receiver<Ended>,
) {
    let mut past = VecDeque::with_capacity(4_096);
    let mut desktop: Option<mpsc::Sender<Output>> = None;
    let mut buffer = vec![0; 16 * 1024];
    // Writing waits while the shell's programs do not read, and they may not read before what they say is read: so the
    // two directions must not wait for each other.
    let (keys, typed) = mpsc::channel(KEYS);
    let writing = tokio::spawn(write(writer, typed));
    loop {
        tokio::select! {
            // While nothing reads what was typed, the desktop waits, and with it the person's browser.
            input = inputs.recv(), if keys.capacity() > 0 => match input {
                Some(Input::Attach(output)) => desktop = replay(&mut past, output).await,
                Some(key) => drop(keys.try_send(key)),
                None => break,
            },
            () = room(&keys), if keys.capacity() == 0 => {}
            // Reads only what the desktop has room for, so a flood of output waits in the terminal, not in memory.
            read = read_when_wanted(&mut reader, &mut buffer, desktop.as_ref()) => match read {
                Ok(0) | Err(_) => break,
                Ok(n) => {
                    remember(&mut past, &buffer[..n]);
                    if let Some(output) = &desktop
                        && output.send(Output::Bytes(Bytes::copy_from_slice(&buffer[..n]))).await.is_err()
                    {
                        desktop = None;
                    }
                }
            },
        }
    }
    writing.abort();
    let code = exit_code(pid, &mut ended).await;
    if let Some(output) = desktop {
        let _ = output.send(Output::Exit(code)).await;
    }
}

async fn room(keys: &mpsc::Sender<Input>) {
    drop(keys.reserve().await);
}

async fn write(mut writer: OwnedWritePty, mut typed: mpsc::Receiver<Input>) {
    while let Some(input) = typed.recv().await {
        match input {
            Input::Bytes(bytes) => drop(writer.write_all(&bytes).await),
            Input::Resize(size) => drop(writer.resize(size.clamped())),
            Input::Attach(_) => unreachable!("attachments are not typed"),
        }
    }
}

async fn read_when_wanted(
    reader: &mut OwnedReadPty,
    buffer: &mut [u8],
    desktop: Option<&mpsc::Sender<Output>>,
) -> io::Result<usize> {
    if let Some(output) = desktop {
        drop(output.reserve().await);
    }
    reader.read(buffer).await
}

fn remember(past: &mut VecDeque<u8>, bytes: &[u8]) {
    past.extend(bytes);
    if past.len() > SCROLLBACK {
        past.drain(..past.len() - SCROLLBACK);
    }
}

/// Shows a newly attached desktop the past; it replaces an earlier one.
async fn replay(past: &mut VecDeque<u8>, output: mpsc::Sender<Output>) -> Option<mpsc::Sender<Output>> {
    let bytes = Bytes::copy_from_slice(past.make_contiguous());
    output.send(Output::Past(bytes)).await.ok()?;
    Some(output)
}

async fn exit_code(pid: i32, ended: &mut broadcast::Receiver<Ended>) -> Option<i32> {
    let told = async {
        loop {
            match ended.recv().await {
                Ok(end) if end.pid == pid => return end.code,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    };
    timeout(Duration::from_secs(2), told).await.ok().flatten()
}

/// Room for the desktop's side of an attachment.
pub(super) fn output_channel() -> (mpsc::Sender<Output>, mpsc::Receiver<Output>) {
    mpsc::channel(AHEAD)
}
