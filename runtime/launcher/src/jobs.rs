//! One short-lived child for each act that changes something, several side by side, never two for one container.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Request};
use matrixos_types::ContainerId;
use nix::fcntl::OFlag;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, killpg, signal, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork, pipe2, setpgid};

use crate::house::House;
use crate::{freezer, launch, profile, removal, walls};

/// Children at once.
const AT_ONCE: usize = 8;
/// Requests that wait for a child; one more is refused.
const WAITING: usize = 4_096;
/// How long a child may take.
const WITHIN: Duration = Duration::from_secs(40);
/// How long a child may take that strangers wait for.
const PROFILE_WITHIN: Duration = Duration::from_secs(4);

type Outcome = Result<Answer, Failure>;

/// The children and those who wait for one.
#[derive(Default)]
pub(crate) struct Jobs {
    running: Vec<Job>,
    waiting: VecDeque<Request>,
}

struct Job {
    /// The request; `None` for what the launcher does by itself.
    id: Option<u64>,
    subject: Subject,
    child: Pid,
    result: File,
    deadline: Instant,
}

/// What a job is about; there is never more than one about each.
#[derive(Clone, PartialEq, Eq)]
enum Subject {
    Container(ContainerId),
    /// All profiles are one subject: strangers ask for them, and may not keep more than one child busy.
    Profiles,
    Walls,
}

impl Jobs {
    /// Takes a request on; answers at once only if too many wait.
    pub(crate) fn take_on(&mut self, request: Request) -> Option<(u64, Outcome)> {
        if self.waiting.len() >= WAITING {
            let message = "too many requests are waiting; try again in a moment".to_owned();
            return Some((
                request.id,
                Err(Failure { kind: FailureKind::Exhausted, step: "queue".to_owned(), message }),
            ));
        }
        self.waiting.push_back(request);
        None
    }

    /// Starts whatever may start now. Returns what failed to start.
    pub(crate) fn start(&mut self, house: &House) -> Vec<(u64, Outcome)> {
        let mut refused = Vec::new();
        let mut held = VecDeque::new();
        while let Some(request) = self.waiting.pop_front() {
            let subject = subject(&request.act);
            let behind = held.iter().any(|other: &Request| self::subject(&other.act) == subject);
            if behind || self.is_busy(&subject) || self.running.len() >= AT_ONCE {
                held.push_back(request);
                continue;
            }
            if let Err(error) = self.begin(Some(request.id), subject, || perform(house, &request.act)) {
                refused.push((request.id, Err(failure("fork", error.to_string()))));
            }
        }
        self.waiting = held;
        refused
    }

    /// Starts a look at the walls. False if one is under way.
    pub(crate) fn see_to_walls(&mut self, house: &House) -> io::Result<bool> {
        if self.is_busy(&Subject::Walls) {
            return Ok(false);
        }
        self.begin(None, Subject::Walls, || walls::see_to(house).map(|()| Answer::Done)).map(|()| true)
    }

    fn is_busy(&self, subject: &Subject) -> bool {
        self.running.iter().any(|job| job.subject == *subject)
    }

    fn begin(&mut self, id: Option<u64>, subject: Subject, work: impl FnOnce() -> Outcome) -> io::Result<()> {
        let within = if subject == Subject::Profiles { PROFILE_WITHIN } else { WITHIN };
        let (child, result) = spawn(work)?;
        self.running.push(Job { id, subject, child, result, deadline: Instant::now() + within });
        Ok(())
    }

    /// A child of this process has ended; if it was one of ours, this is what came of its request, or of what nobody
    /// had requested.
    pub(crate) fn ended(&mut self, child: Pid) -> Option<(Option<u64>, Outcome)> {
        let index = self.running.iter().position(|job| job.child == child)?;
        let mut job = self.running.swap_remove(index);
        let outcome = read_result(&mut job.result).unwrap_or_else(|| {
            // Whatever libcontainer had forked by then goes with it.
            let _ = killpg(child, Signal::SIGKILL);
            Err(failure("launcher", "the act was cut short (killed, or it took too long)".to_owned()))
        });
        Some((job.id, outcome))
    }

    /// Kills the children that take too long; their end is reported like any other.
    pub(crate) fn kill_late(&self) {
        let now = Instant::now();
        for job in self.running.iter().filter(|job| job.deadline < now) {
            let _ = killpg(job.child, Signal::SIGKILL);
        }
    }
}

fn subject(act: &Act) -> Subject {
    let container = match act {
        Act::Launch(launch) => &launch.container,
        Act::Adopt { container } | Act::Terminate { container } | Act::OpenLog { container } => container,
        Act::Freeze { container } | Act::Thaw { container } | Act::PageOut { container } => container,
        Act::TakeDown { container, .. } | Act::Destroy { container, .. } => container,
        Act::ReadProfile { .. } => return Subject::Profiles,
        Act::Observe { .. } => unreachable!("observing is not a job"),
    };
    Subject::Container(container.clone())
}

fn perform(house: &House, act: &Act) -> Outcome {
    match act {
        Act::Launch(request) => launch::launch(house, request).map(Answer::Running),
        Act::Freeze { container } => freezer::freeze(house, container).map(|()| Answer::Done),
        Act::PageOut { container } => {
            freezer::page_out(house, container);
            Ok(Answer::Done)
        }
        Act::TakeDown { container, seat } => removal::take_down(house, container, *seat).map(|()| Answer::Done),
        Act::Destroy { container, seat, handle } => {
            removal::destroy(house, container, *seat, handle).map(|()| Answer::Done)
        }
        Act::ReadProfile { seat, handle } => profile::read(house, *seat, handle).map(|text| Answer::Profile { text }),
        Act::Adopt { .. } | Act::Thaw { .. } | Act::Terminate { .. } | Act::OpenLog { .. } | Act::Observe { .. } => {
            unreachable!("answered without a job")
        }
    }
}

/// Forks a child that does the work, writes the outcome into a pipe and ends.
#[allow(unsafe_code)]
fn spawn(work: impl FnOnce() -> Outcome) -> io::Result<(Pid, File)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // SAFETY: this process has one thread, so the child may run ordinary code: no lock can be held by another thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok((child, File::from(reader))),
        ForkResult::Child => {
            drop(reader);
            // Neither it nor what libcontainer forks may outlive a launcher that is killed or gives up on it.
            let _ = setpgid(Pid::from_raw(0), Pid::from_raw(0));
            let _ = set_pdeathsig(Signal::SIGKILL);
            // A container must inherit neither blocked nor ignored signals; Rust's runtime ignores SIGPIPE.
            let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
            // SAFETY: restores a default; no handler of this program is replaced.
            let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let outcome = outcome.unwrap_or_else(|_| Err(failure("launcher", "the act panicked".to_owned())));
            write_result(writer, &outcome);
            std::process::exit(0);
        }
    }
}

fn write_result(pipe: OwnedFd, outcome: &Outcome) {
    // Fits into an empty pipe (64 KiB) at once; nothing better can be done if it does not.
    let bytes = serde_json::to_vec(outcome).unwrap_or_default();
    let _ = File::from(pipe).write_all(&bytes);
}

/// What the child wrote, if it came that far. The pipe does not block: a half-made container may still hold its other end.
fn read_result(pipe: &mut File) -> Option<Outcome> {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    serde_json::from_slice(&bytes).ok()
}

fn failure(step: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message }
}
