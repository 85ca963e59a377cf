//! What a computer's gateway and the platform say to each other: environment, paths and reply shapes.

use serde::{Deserialize, Serialize};

/// TCP port on which every gateway listens, inside its own network namespace.
pub const GATEWAY_PORT: u16 = 4000;
/// Environment variable that carries the bearer token the gateway demands.
pub const TOKEN_ENV: &str = "MATRIX_AUTH_TOKEN";
/// Environment variable that carries the owner's handle.
pub const HANDLE_ENV: &str = "MATRIX_HANDLE";
/// Environment variable that carries the domain below which the computer has its name: `matrix-os.example`.
pub const DOMAIN_ENV: &str = "MATRIX_DOMAIN";
/// Environment variable under which clients of the Messages API look for its address: the platform's door for computers.
pub const API_URL_ENV: &str = "ANTHROPIC_BASE_URL";
/// Environment variable under which they look for their key: the container's credential, good from its address only.
pub const API_KEY_ENV: &str = "ANTHROPIC_API_KEY";
/// The user's home inside the container.
pub const HOME: &str = "/home/matrixos";
/// User and group id of the owner inside the container.
pub const HOME_ID: u32 = 1000;
/// The gateway program inside the image.
pub const GATEWAY_PATH: &str = "/usr/lib/matrixos/matrixos-gateway";
/// The desktop's files inside the image.
pub const SHELL_PATH: &str = "/usr/share/matrixos/shell";
/// The home template inside the image.
pub const TEMPLATE_PATH: &str = "/usr/share/matrixos/home";

/// `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Always `ok`; an unhealthy gateway does not answer.
    pub status: String,
    /// Names of the channels that are really connected.
    pub channels: Vec<String>,
    /// Number of scheduled jobs.
    pub cron_jobs: u32,
}

/// `GET /api/identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The owner.
    pub handle: String,
    /// The owner's AI: `{handle}_ai`.
    pub ai_handle: String,
    /// The domain below which the computer has its name.
    pub domain: String,
}

/// `GET /api/system/info`. What the kernel does not tell is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemInfo {
    /// Version of the gateway.
    pub version: String,
    /// The operating system of the image.
    pub image: Option<String>,
    /// Seconds since the gateway started.
    pub uptime: u64,
    /// Channels that are really connected.
    pub channels: Vec<String>,
    /// Modules that are active.
    pub modules: Vec<String>,
    /// Bytes of the files in the home, and the most there may be.
    pub disk: Measure,
    /// Bytes of memory of all processes, shared pages not counted, and the most there may be.
    pub memory: Measure,
    /// CPU time allowed, in CPUs: 0.5 is half of one.
    pub cpu_limit: Option<f64>,
    /// Processes now.
    pub processes: Option<u64>,
    /// What is left of the owner's quota, if the platform keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<crate::kernel::Budget>,
}

/// One entry of `GET /api/notices`: what the owner should know about their computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for as long as it is the same news.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// A sentence or two.
    pub text: String,
}

/// `POST /api/notices`, sent by the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeBody {
    /// A sentence or two.
    pub text: String,
}

/// An amount and its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// How much is used.
    pub used: Option<u64>,
    /// How much there may be.
    pub limit: Option<u64>,
}

/// `GET /api/files/list?path=…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// The folder, relative to the home; empty for the home itself.
    pub path: String,
    /// Folders first, then by name.
    pub entries: Vec<Entry>,
    /// True if the folder has more entries than are listed.
    pub truncated: bool,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    pub size: u64,
    /// When it was last changed, in milliseconds since 1970, if the file system knows.
    pub modified: Option<u64>,
    /// The name is not UTF-8: it is shown with replacement characters, and cannot be asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lossy: bool,
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A folder.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A socket, a pipe.
    Other,
}

/// `POST /api/files/mkdir` and `POST /api/files/trash`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathBody {
    /// Relative to the home.
    pub path: String,
}

/// `POST /api/files/rename`. Nothing is overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameBody {
    /// Relative to the home.
    pub from: String,
    /// Relative to the home.
    pub to: String,
}

/// Close code of `WS /ws/terminal` when no shell could be had; the reason says why, for people.
pub const TERMINAL_REFUSED: u16 = 4409;
/// Close code of `WS /ws/terminal` when another page has taken the shell over.
pub const TERMINAL_TAKEN_OVER: u16 = 4410;

/// Text frames of `WS /ws/terminal`; binary frames are the terminal's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum TerminalControl {
    /// From the gateway, first: which session this is. What the shell said before follows, then what is new.
    Session {
        /// To be given as `?session=` when connecting again.
        id: String,
        /// How many bytes of the past follow.
        replay: usize,
    },
    /// From the desktop: the window has this many cells now.
    Resize {
        /// Columns, 1 to 1,000.
        cols: u16,
        /// Rows, 1 to 1,000.
        rows: u16,
    },
    /// From the gateway, last: the shell has ended.
    Exit {
        /// Its exit code, if it was not ended by a signal.
        code: Option<i32>,
    },
}
