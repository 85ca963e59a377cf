//! Jobs: what a computer's AI does at its time.

use serde::{Deserialize, Serialize};

/// When a job runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Schedule {
    /// Again and again.
    Interval {
        /// Seconds between, at least sixty.
        every: u64,
    },
    /// By a cron expression of five fields, in the owner's time zone.
    Cron {
        /// `minute hour day month weekday`.
        expression: String,
    },
    /// One time.
    Once {
        /// Seconds since 1970.
        at: i64,
    },
}

/// `POST /api/cron`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobBody {
    /// What people call it.
    pub name: String,
    /// What the AI is told when it is time.
    pub message: String,
    /// When.
    pub schedule: Schedule,
    /// Where the answer goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// Where the answer of a job goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// `telegram`, ….
    pub channel: String,
    /// In the channel's words.
    pub chat_id: String,
}

/// One entry of `GET /api/cron`, and of `system/cron.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What was asked for.
    #[serde(flatten)]
    pub body: JobBody,
    /// Seconds since 1970.
    pub created_at: i64,
    /// When it last ran, in seconds since 1970.
    #[serde(default)]
    pub last_run: Option<i64>,
    /// When it runs next, in seconds since 1970.
    #[serde(default)]
    pub next_run: Option<i64>,
}

/// `PUT {base}/matrix/due`: the platform must see to it that this computer is awake then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Seconds since 1970; null if nothing is due.
    pub at: Option<i64>,
}
