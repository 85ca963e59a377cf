//! Apps of a computer, and what they keep there.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of `GET /api/apps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// What people call it.
    pub name: String,
    /// A sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An emoji, or the name of a file in `system/icons/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// `utility` if it is not said.
    pub category: String,
    /// `{app}.html`.
    pub file: String,
    /// `apps/{app}.html`.
    pub path: String,
}

/// `POST /api/bridge/data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BridgeBody {
    /// What to do.
    pub action: BridgeAction,
    /// The app: `expense-tracker`.
    pub app: String,
    /// What it calls the value.
    pub key: String,
    /// The value to write; null removes it.
    #[serde(default)]
    pub value: Value,
}

/// What an app asks of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BridgeAction {
    /// Give me what I wrote; null if there is nothing.
    Read,
    /// Keep this.
    Write,
}
