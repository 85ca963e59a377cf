//! What the supervisor may ask of the launcher, and what it answers. One message is one `SOCK_SEQPACKET` datagram
//! of JSON, at most [`MAX_MESSAGE`] bytes; file descriptors ride along as `SCM_RIGHTS`.
//!
//! The launcher treats every message as hostile: names are typed, so that no path can be smuggled in, and limits
//! are clamped. Replies may come in another order than the requests; `id` pairs them.

use matrixos_types::{Bytes, ContainerId, DiskQuota, DiskShare, Handle, Instance, Seat};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::cgroups::Groups;

/// Largest message in either direction, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// The most that [`Act::Export`] takes along of what the platform itself knows, in bytes.
pub const ABOUT: u64 = 8 << 20;

/// Containers in one answer to [`Act::Observe`]; each takes less than 300 bytes.
pub const PAGE: usize = 128;

/// How the launcher is set up by the process that starts it, before anything hostile can speak to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LauncherConfig {
    /// Names every link, table and runtime directory of this installation.
    pub instance: Instance,
    /// The data directory: `users/` and `images/` lie in it.
    pub data: PathBuf,
    /// Runtime directory on a tmpfs, for example `/run/matrixos`; holds `containers/{id}/`.
    pub run: PathBuf,
    /// Where the containers' control groups lie.
    pub groups: Groups,
    /// The address pool of `matrixos-net`, for example `10.213.0.0/16`.
    pub pool: ipnet::Ipv4Net,
    /// The domain below which the computers have their names, given to gateways as `MATRIX_DOMAIN`.
    pub domain: String,
    /// By what the users' shares of the disk are enforced.
    pub disk: DiskQuota,
    /// TCP ports on the bridge address that containers may reach (the platform's API for containers).
    pub services: Vec<u16>,
}

/// A request with the number that its reply will carry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the supervisor; any number not in flight.
    pub id: u64,
    /// What is asked.
    pub act: Act,
}

/// The acts of the launcher. Each is idempotent, and accepts whatever half-made state an earlier one left.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Make the user's tree and the network ready where they are not, and start the container.
    /// If it is running already, the answer describes the running one. Reply: [`Answer::Running`] and a pidfd.
    Launch(Box<Launch>),
    /// Open a pidfd on a container that runs already, if its recorded identity (pid, start time, boot id)
    /// still holds. Reply: [`Answer::Running`] and a pidfd, or a failure of kind [`FailureKind::Absent`].
    Adopt {
        /// The container.
        container: ContainerId,
    },
    /// Ask the gateway to end (SIGTERM). The exit shows on the pidfd. Reply: [`Answer::Done`].
    Terminate {
        /// The container.
        container: ContainerId,
    },
    /// Stop all processes of the container where they are, connections kept. Reply: [`Answer::Done`].
    Freeze {
        /// The container.
        container: ContainerId,
    },
    /// Hand the memory of a frozen container back to the host, as far as there is swap. Reply: [`Answer::Done`].
    PageOut {
        /// The container.
        container: ContainerId,
    },
    /// Let the processes of a frozen container go on. Reply: [`Answer::Done`], also when it was not frozen.
    Thaw {
        /// The container.
        container: ContainerId,
    },
    /// Kill whatever is left of the container and remove its cgroup, link, mounts and runtime state.
    /// The user's files stay. Reply: [`Answer::Done`], also when nothing was there.
    TakeDown {
        /// The container.
        container: ContainerId,
        /// The seat whose link is removed, if it is known: a link also goes with its container's namespace.
        seat: Option<Seat>,
    },
    /// [`Act::TakeDown`], and delete the user's tree for good. Reply: [`Answer::Done`].
    Destroy {
        /// The container.
        container: ContainerId,
        /// The owner's seat.
        seat: Seat,
        /// The owner.
        handle: Handle,
    },
    /// Pack the user's files into one verified file, and remove them. The container must not run.
    /// Reply: [`Answer::Archived`], also when that has been done before.
    Archive {
        /// The container.
        container: ContainerId,
        /// The owner's seat.
        seat: Seat,
        /// The owner.
        handle: Handle,
    },
    /// Make the user's files of their archive again, and remove that. Reply: [`Answer::Done`], also when there is none.
    Restore {
        /// The container.
        container: ContainerId,
        /// The owner's seat.
        seat: Seat,
        /// The owner.
        handle: Handle,
        /// The owner's share of the disk.
        disk: DiskShare,
    },
    /// Write the user's files, wherever they are, into a pipe as tar.gz, in the frames of [`frames`](crate::frames). A
    /// descriptor comes with the request: what is read from it, at most [`ABOUT`] bytes, becomes the file `account.json`.
    /// Reply: [`Answer::Done`] and the reading end, at once. Whoever closes that ends it.
    Export {
        /// The container.
        container: ContainerId,
        /// The owner's seat.
        seat: Seat,
        /// The owner.
        handle: Handle,
    },
    /// List every container that has runtime state, running or half made, in the order of their ids, as many as fit
    /// into one message. Reply: [`Answer::Observed`].
    Observe {
        /// The last container of the page before.
        after: Option<ContainerId>,
    },
    /// Open the container's log for reading. Reply: [`Answer::Done`] and a file descriptor.
    OpenLog {
        /// The container.
        container: ContainerId,
    },
    /// Read what the user says about themselves to everybody, with the rights of the user. Only one is read at a time.
    /// Reply: [`Answer::Profile`].
    ReadProfile {
        /// The owner's seat.
        seat: Seat,
        /// The owner.
        handle: Handle,
    },
}

/// Everything that distinguishes one container from another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Launch {
    /// The container.
    pub container: ContainerId,
    /// The owner's seat: ids, address and link follow from it.
    pub seat: Seat,
    /// The owner: the name of their tree, the host name and `MATRIX_HANDLE`.
    pub handle: Handle,
    /// Manifest digest of an unpacked image, `sha256:` and 64 hexadecimal digits.
    pub image: String,
    /// Bearer token that the gateway will demand. Never logged.
    pub token: Token,
    /// What the computer shows at the platform's own door for computers. Never logged.
    pub credential: Token,
    /// Sizes.
    pub limits: Limits,
}

/// A secret that does not show itself in debug output.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Hard limits of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, page cache included; swap is not allowed on top. 64 MiB to 64 GiB.
    pub memory: Bytes,
    /// CPU time, in thousandths of one CPU. 50 to 64,000.
    pub cpu_milli: u32,
    /// Processes and threads. 16 to 32,768.
    pub pids: u32,
    /// The owner's files. 16 MiB to 16 TiB, and at most one file for each 4 KiB of that.
    pub disk: DiskShare,
}

impl Default for Limits {
    /// The guaranteed size of a computer: 256 MiB, half a CPU, 512 processes, 1 GiB of files.
    fn default() -> Self {
        Self { memory: Bytes::mib(256), cpu_milli: 500, pids: 512, disk: DiskShare::default() }
    }
}

/// A reply with the number of its request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The request's number.
    pub id: u64,
    /// What came of it.
    pub result: Result<Answer, Failure>,
}

/// What a successful act answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Nothing more to say.
    Done,
    /// The container runs; a pidfd comes with this reply.
    Running(Running),
    /// Everything that has runtime state.
    Observed {
        /// One entry per container, at most [`PAGE`].
        containers: Vec<Observed>,
        /// Whether another page follows.
        more: bool,
    },
    /// The user's files are in an archive.
    Archived {
        /// Sockets, pipes and devices, which mean nothing to anybody later.
        left_out: u64,
    },
    /// What a user says about themselves.
    Profile {
        /// Plain text of at most 16 KiB, without control characters but line ends. `None` if they say nothing.
        text: Option<String>,
    },
}

/// A running container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Who it is, beyond doubt.
    pub identity: Identity,
    /// False if it ran already before this request.
    pub fresh: bool,
    /// How long each step of a fresh launch took, in microseconds, in order.
    pub steps: Vec<(String, u64)>,
}

/// A process that cannot be confused with a later one of the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id of the container's first process, in the host's pid namespace.
    pub pid: i32,
    /// Field 22 of `/proc/PID/stat`: start time since boot, in clock ticks (proc(5)).
    pub started: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
}

/// What the launcher found of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The container.
    pub container: ContainerId,
    /// The seat it was launched with, if its record is readable.
    pub seat: Option<Seat>,
    /// The handle it was launched for, if its record is readable.
    pub handle: Option<Handle>,
    /// Its first process, if that still lives and is the recorded one.
    pub running: Option<Identity>,
}

/// Why an act failed, in words for the operator: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{step}: {message}")]
pub struct Failure {
    /// The kind, for decisions.
    pub kind: FailureKind,
    /// The step that failed, for example `network`.
    pub step: String,
    /// What went wrong.
    pub message: String,
}

/// Kinds of failure that the supervisor treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The request itself is wrong; trying again is useless.
    Refused,
    /// There is no such container.
    Absent,
    /// The user's files are in an archive; [`Act::Restore`] comes first.
    Archived,
    /// The disk, memory, ids or file handles are used up; may pass.
    Exhausted,
    /// Anything else; what had been made was taken down again.
    Failed,
}
