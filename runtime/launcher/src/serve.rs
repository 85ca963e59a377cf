//! The launcher's loop: requests from the supervisor, ends of children, deadlines. One thread, nothing that blocks.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, LauncherConfig, Reply, Request, Running};
use matrixos_runtime::wire::{self, Received};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stdin, setgroups};

use crate::adopt;
use crate::freezer;
use crate::house::House;
use crate::jobs::{For, Jobs};
use crate::launch::LOG;
use crate::logs::Logs;
use crate::spawn::CONFIG_ENV;
use crate::strays;
use crate::walls::Watch;

/// How often deadlines are looked at, in milliseconds.
const TICK: u16 = 1_000;

type Outcome = Result<Answer, Failure>;

/// The launcher process, from its first instruction to its last: for the program's hidden `launcher` command.
/// Ends when the supervisor closes its end of the socket on standard input.
pub fn run() -> std::process::ExitCode {
    match begin() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matrixos launcher: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn begin() -> Result<(), Box<dyn std::error::Error>> {
    close_strangers()?;
    let config = std::env::var(CONFIG_ENV).map_err(|_| "this command is started by `matrixos serve`, not by hand")?;
    let config: LauncherConfig = serde_json::from_str(&config)?;
    let socket = take_socket()?;
    // libcontainer leaves the groups of its caller to the container's first process.
    setgroups(&[])?;
    prctl::set_dumpable(false)?;
    prctl::set_child_subreaper(true)?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGCHLD);
    ends.thread_block()?;
    let ends = SignalFd::with_flags(&ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    strays::end(&config.instance);
    let house = House::prepare(config)?;
    let jobs = Jobs::default();
    Launcher { house, socket, ends, jobs, logs: Logs::default(), watch: Watch::begin() }.serve()?;
    Ok(())
}

/// Whatever descriptors the operator's shell or service manager left open are nothing that containers may inherit
/// (CVE-2024-21626).
#[allow(unsafe_code)]
fn close_strangers() -> io::Result<()> {
    // SAFETY: called first of all, when this program has opened nothing yet: no descriptor from 3 on is owned by any value.
    Ok(Errno::result(unsafe { nix::libc::close_range(3, nix::libc::c_uint::MAX, 0) }).map(drop)?)
}

/// The socket came as standard input; containers must not find it there.
fn take_socket() -> io::Result<OwnedFd> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket)
}

struct Launcher {
    house: House,
    socket: OwnedFd,
    ends: SignalFd,
    jobs: Jobs,
    logs: Logs,
    watch: Watch,
}

impl Launcher {
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let (asked, ended) = self.wait()?;
            if asked && !self.receive()? {
                return Ok(());
            }
            if ended {
                while matches!(self.ends.read_signal(), Ok(Some(_))) {}
            }
            self.reap()?;
            self.jobs.kill_late();
            self.logs.bound(&self.house);
            self.watch.look(&self.house, &mut self.jobs);
            for (id, outcome) in self.jobs.start(&self.house) {
                self.reply(id, outcome)?;
            }
        }
    }

    fn wait(&self) -> io::Result<(bool, bool)> {
        let mut fds =
            [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN), PollFd::new(self.ends.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::from(TICK)) {
            Ok(_) | Err(Errno::EINTR) => Ok((fds[0].any().unwrap_or(true), fds[1].any().unwrap_or(true))),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes one request. False when the supervisor is gone.
    fn receive(&mut self) -> io::Result<bool> {
        match wire::receive::<Request>(self.socket.as_fd()) {
            Ok(Received::Message(request, fd)) => self.handle(request, fd).map(|()| true),
            Ok(Received::Garbage(why)) => {
                eprintln!("matrixos launcher: refused a message: {why}");
                Ok(true)
            }
            Ok(Received::End) => Ok(false),
            Err(error) if error.raw_os_error() == Some(Errno::ECONNRESET as i32) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A descriptor is only taken by those who ask for an export; any other is closed.
    fn handle(&mut self, request: Request, fd: Option<OwnedFd>) -> io::Result<()> {
        let id = request.id;
        match request.act {
            Act::Observe { after } => {
                let found = adopt::observe(&self.house, after.as_ref())
                    .map(|(containers, more)| Answer::Observed { containers, more });
                self.reply(id, found.map_err(failed("observe")))
            }
            Act::Terminate { container } => {
                let done = adopt::terminate(&self.house, &container).map(|()| Answer::Done);
                self.reply(id, done.map_err(failed("terminate")))
            }
            Act::Adopt { container } => match adopt::find(&self.house, &container) {
                Some((identity, pidfd)) => {
                    let running = Running { identity, fresh: false, steps: Vec::new() };
                    self.send(id, Ok(Answer::Running(running)), Some(pidfd.as_fd()))
                }
                None => self.reply(id, Err(absent("adopt", "no such container runs"))),
            },
            Act::OpenLog { container } => {
                let path = self.house.container(&container).join(LOG);
                match File::options().read(true).custom_flags(nix::libc::O_NOFOLLOW).open(path) {
                    Ok(log) => self.send(id, Ok(Answer::Done), Some(log.as_fd())),
                    Err(_) => self.reply(id, Err(absent("log", "this container has no log"))),
                }
            }
            // At once, in this process: somebody waits for it, and it takes a few microseconds.
            Act::Thaw { container } => {
                let done = freezer::thaw(&self.house, &container).map(|()| Answer::Done);
                self.reply(id, done)
            }
            Act::Export { container, seat, handle } => {
                let about = fd.ok_or_else(|| refused("export", "it must come with what is known of the account"));
                let begun = about.and_then(|about| self.jobs.export(&self.house, (container, seat, handle), about));
                match begun {
                    Ok(reader) => self.send(id, Ok(Answer::Done), Some(reader.as_fd())),
                    Err(refusal) => self.reply(id, Err(refusal)),
                }
            }
            act @ (Act::Launch(_)
            | Act::Archive { .. }
            | Act::Restore { .. }
            | Act::Freeze { .. }
            | Act::PageOut { .. }
            | Act::TakeDown { .. }
            | Act::Destroy { .. }
            | Act::ReadProfile { .. }) => match self.jobs.take_on(Request { id, act }) {
                Some((id, outcome)) => self.reply(id, outcome),
                None => Ok(()),
            },
        }
    }

    /// Collects every child that has ended, containers' first processes among them.
    fn reap(&mut self) -> io::Result<()> {
        loop {
            match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
                Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) => match self.jobs.ended(pid) {
                    Some((For::Request(id), outcome)) => self.reply(id, outcome)?,
                    Some((For::Walls, outcome)) => self.watch.seen(outcome),
                    // Who broke it off knows; "launcher" is the step of what was cut short.
                    Some((For::Nobody, Err(failure))) if failure.step != "launcher" => {
                        eprintln!("matrixos launcher: {failure}");
                    }
                    Some((For::Nobody, _)) | None => {}
                },
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Answers; a container that runs is answered with a pidfd, opened here, where its zombie could be seen.
    fn reply(&self, id: u64, outcome: Outcome) -> io::Result<()> {
        let Ok(Answer::Running(running)) = &outcome else { return self.send(id, outcome, None) };
        match adopt::hold(&running.identity) {
            Ok(pidfd) => self.send(id, outcome, Some(pidfd.as_fd())),
            Err(_) => {
                let message = "the computer's first program ended at once; see its log";
                self.send(
                    id,
                    Err(Failure { kind: FailureKind::Failed, step: "start".to_owned(), message: message.to_owned() }),
                    None,
                )
            }
        }
    }

    fn send(&self, id: u64, result: Outcome, fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
        match wire::send(self.socket.as_fd(), &Reply { id, result }, fd) {
            // The supervisor is going; the end of the socket is seen next.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

fn failed(step: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure { kind: FailureKind::Failed, step: step.to_owned(), message: error.to_string() }
}

fn refused(step: &str, message: &str) -> Failure {
    Failure { kind: FailureKind::Refused, step: step.to_owned(), message: message.to_owned() }
}

fn absent(step: &str, message: &str) -> Failure {
    Failure { kind: FailureKind::Absent, step: step.to_owned(), message: message.to_owned() }
}
