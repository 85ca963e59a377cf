//! One short-lived child for each act that changes something, several side by side, never two for one container.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use matrixos_runtime::protocol::{Act, Answer, Failure, FailureKind, Request};
use matrixos_types::{ContainerId, Handle, Seat};
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, pipe2};

use crate::house::House;
use crate::{export, files, fork, freezer, launch, profile, removal, walls};

/// Children at once.
const AT_ONCE: usize = 8;
/// Children at once that pack all the files of somebody, and that unpack them.
const PACKING: usize = 2;
const UNPACKING: usize = 3;
/// Children at once that write exports, each as fast as its reader reads.
const EXPORTS: usize = 4;
/// Requests that wait for a child; one more is refused.
const WAITING: usize = 4_096;
/// How long a child may take.
const WITHIN: Duration = Duration::from_secs(40);
/// How long packing all the files of somebody may take. Whoever has too many for that keeps them as they are.
const PACKED_WITHIN: Duration = Duration::from_secs(18 * 60);
/// How long unpacking them may take: longer than packing by far, since whatever was packed must be had again.
const UNPACKED_WITHIN: Duration = Duration::from_secs(4 * 3600);
/// How long a download may take.
const EXPORT_WITHIN: Duration = Duration::from_secs(12 * 60 * 60);
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
    outcome_for: For,
    subject: Subject,
    kind: Kind,
    child: Pid,
    result: File,
    deadline: Instant,
}

/// Who is told what came of a job.
#[derive(Clone, Copy)]
pub(crate) enum For {
    /// Whoever asked.
    Request(u64),
    /// The launcher, which looks at the walls by itself.
    Walls,
    /// Nobody: who reads an export sees where it ends.
    Nobody,
}

/// How long a job takes, and with how many others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Short,
    Profile,
    Pack,
    Unpack,
    Export,
}

impl Kind {
    fn of(act: &Act) -> Self {
        match act {
            Act::ReadProfile { .. } => Self::Profile,
            Act::Archive { .. } => Self::Pack,
            Act::Restore { .. } => Self::Unpack,
            _ => Self::Short,
        }
    }

    fn within(self) -> Duration {
        match self {
            Self::Short => WITHIN,
            Self::Profile => PROFILE_WITHIN,
            Self::Pack => PACKED_WITHIN,
            Self::Unpack => UNPACKED_WITHIN,
            Self::Export => EXPORT_WITHIN,
        }
    }

    /// Those it is counted with.
    fn among(self) -> Self {
        if self == Self::Profile { Self::Short } else { self }
    }

    fn at_once(self) -> usize {
        match self.among() {
            Self::Short | Self::Profile => AT_ONCE,
            Self::Pack => PACKING,
            Self::Unpack => UNPACKING,
            Self::Export => EXPORTS,
        }
    }
}

/// What a job is about; there is never more than one about each.
#[derive(Clone, PartialEq, Eq)]
enum Subject {
    Container(ContainerId),
    /// All profiles are one subject: strangers ask for them, and may not keep more than one child busy.
    Profiles,
    /// Beside whatever else happens to the container, but for packing and destroying it.
    Export(ContainerId),
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
            let kind = Kind::of(&request.act);
            if behind || self.is_busy(&subject) || self.count(kind) >= kind.at_once() {
                held.push_back(request);
                continue;
            }
            if let Err(refusal) = self.mind_exports(&request.act) {
                refused.push((request.id, Err(refusal)));
                continue;
            }
            if let Err(error) = self.begin(For::Request(request.id), subject, kind, || perform(house, &request.act)) {
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
        let work = || walls::see_to(house).map(|()| Answer::Done);
        self.begin(For::Walls, Subject::Walls, Kind::Short, work).map(|()| true)
    }

    /// Begins to write an export. Gives the end of the pipe to read it from.
    pub(crate) fn export(
        &mut self,
        house: &House,
        (container, seat, handle): (ContainerId, Seat, Handle),
        about: OwnedFd,
    ) -> Result<OwnedFd, Failure> {
        let busy = |message: &str| Failure { kind: FailureKind::Exhausted, ..failure("export", message.to_owned()) };
        let subject = Subject::Export(container.clone());
        if self.is_busy(&subject) {
            return Err(busy("they are being downloaded already; try again when that has ended"));
        }
        if self.count(Kind::Export) >= EXPORTS {
            return Err(busy("too many downloads are under way; try again later"));
        }
        // What is being packed disappears, and an archive that is being unpacked does so at the end.
        if self.about(&container).any(|job| matches!(job.kind, Kind::Pack | Kind::Unpack)) {
            return Err(busy("its files are being packed or unpacked at the moment; try again in a few minutes"));
        }
        let failed = |error: io::Error| failure("export", error.to_string());
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(|error| failed(error.into()))?;
        let reader = Cell::new(Some(reader));
        let work = || {
            // Its own copy would keep the child from noticing that nobody reads any more.
            drop(reader.take());
            export::write(house, seat, &handle, about, writer).map(|()| Answer::Done)
        };
        self.begin(For::Nobody, subject, Kind::Export, work).map_err(failed)?;
        reader.into_inner().ok_or_else(|| failure("export", "the pipe is gone".to_owned()))
    }

    /// Nothing is packed while it is downloaded: it would be gone before it was read. What is destroyed is not.
    fn mind_exports(&self, act: &Act) -> Result<(), Failure> {
        let exports = |container: &ContainerId| {
            let subject = Subject::Export(container.clone());
            self.running.iter().find(move |job| job.subject == subject)
        };
        match act {
            Act::Archive { container, .. } if exports(container).is_some() => {
                Err(failure("archive", "its owner is downloading it".to_owned()))
            }
            Act::Destroy { container, .. } => {
                exports(container).into_iter().for_each(|job| _ = killpg(job.child, Signal::SIGKILL));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends packing a container's files: the tree is whole, or the archive is.
    pub(crate) fn let_be(&self, container: &ContainerId) {
        let packing = self.about(container).filter(|job| job.kind == Kind::Pack);
        packing.for_each(|job| _ = killpg(job.child, Signal::SIGKILL));
    }

    fn about(&self, container: &ContainerId) -> impl Iterator<Item = &Job> {
        let subject = Subject::Container(container.clone());
        self.running.iter().filter(move |job| job.subject == subject)
    }

    fn count(&self, kind: Kind) -> usize {
        self.running.iter().filter(|job| job.kind.among() == kind.among()).count()
    }

    fn is_busy(&self, subject: &Subject) -> bool {
        self.running.iter().any(|job| job.subject == *subject)
    }

    fn begin(
        &mut self,
        outcome_for: For,
        subject: Subject,
        kind: Kind,
        work: impl FnOnce() -> Outcome,
    ) -> io::Result<()> {
        let panicked = || Err(failure("launcher", "the act panicked".to_owned()));
        let (child, result) = fork::spawn(work, panicked)?;
        self.running.push(Job { outcome_for, subject, kind, child, result, deadline: Instant::now() + kind.within() });
        Ok(())
    }

    /// A child of this process has ended; if it was one of ours, this is what came of its request, or of what nobody
    /// had requested.
    pub(crate) fn ended(&mut self, child: Pid) -> Option<(For, Outcome)> {
        let index = self.running.iter().position(|job| job.child == child)?;
        let mut job = self.running.swap_remove(index);
        let outcome = fork::read(&mut job.result).unwrap_or_else(|| {
            // Whatever libcontainer had forked by then goes with it.
            let _ = killpg(child, Signal::SIGKILL);
            Err(failure("launcher", "the act was cut short (killed, or it took too long)".to_owned()))
        });
        Some((job.outcome_for, outcome))
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
        Act::Archive { container, .. } | Act::Restore { container, .. } | Act::LetBe { container } => container,
        Act::ReadProfile { .. } => return Subject::Profiles,
        Act::Export { container, .. } => return Subject::Export(container.clone()),
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
        Act::Archive { container, seat, handle } => files::archive(house, container, *seat, handle),
        Act::Restore { container, seat, handle, disk } => {
            files::restore(house, container, *seat, handle, *disk).map(|()| Answer::Done)
        }
        Act::Adopt { .. }
        | Act::Thaw { .. }
        | Act::Terminate { .. }
        | Act::OpenLog { .. }
        | Act::Observe { .. }
        | Act::LetBe { .. }
        | Act::Export { .. } => unreachable!("answered without a job of this kind"),
    }
}

fn failure(step: &str, message: String) -> Failure {
    Failure { kind: FailureKind::Failed, step: step.to_owned(), message }
}
