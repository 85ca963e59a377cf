//! What the desktop and its AI say to each other over `WS /ws`, and the shapes of conversations and turns.

use serde::{Deserialize, Serialize};

/// From the desktop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ClientMessage {
    /// The owner says something to their AI.
    Message {
        /// What they say.
        text: String,
        /// The conversation; without one, the one this socket is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
        /// Chosen by the desktop. A message with an id that was heard already is not heard again, so it can be sent
        /// anew after a lost connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
    },
    /// Go to another conversation; one that does not exist begins.
    SwitchSession {
        /// Which one; without one, a new one begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
    },
    /// The answer to `approval:request`.
    ApprovalResponse {
        /// The request's id.
        id: String,
        /// Whether the AI may.
        approved: bool,
    },
    /// Stop the turn of a conversation and forget what waits behind it.
    Cancel {
        /// Which conversation; without one, the one this socket is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
    },
}

/// To the desktop. Everything but `session:switched` goes to every desktop that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum Event {
    /// A message was taken in and is safe on the disk.
    #[serde(rename = "kernel:message")]
    Message {
        /// The conversation.
        session_id: String,
        /// What was said, as it stands in the conversation.
        message: ChatMessage,
        /// As given by the desktop that sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// Messages of this conversation that are answered before.
        waiting: usize,
    },
    /// A turn begins.
    #[serde(rename = "kernel:init")]
    Init {
        /// The conversation.
        session_id: String,
        /// The turn.
        turn_id: String,
        /// The message that is answered.
        message_id: String,
        /// The model that answers.
        model: String,
        /// `Budget: $2.70 remaining` without the words, if the platform keeps one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<String>,
    },
    /// More of the answer.
    #[serde(rename = "kernel:text")]
    Text {
        /// The conversation.
        session_id: String,
        /// The turn.
        turn_id: String,
        /// What comes next.
        text: String,
    },
    /// The AI begins to use a tool.
    #[serde(rename = "kernel:tool_start")]
    ToolStart {
        /// The conversation.
        session_id: String,
        /// The turn.
        turn_id: String,
        /// This use of the tool.
        tool_id: String,
        /// Which tool.
        tool: String,
        /// What it does, in a few words for people.
        label: String,
    },
    /// A tool has finished.
    #[serde(rename = "kernel:tool_end")]
    ToolEnd {
        /// The conversation.
        session_id: String,
        /// The turn.
        turn_id: String,
        /// This use of the tool.
        tool_id: String,
        /// Which tool.
        tool: String,
        /// Whether it did what it was asked to.
        ok: bool,
        /// The beginning of what it returned.
        summary: String,
        /// Milliseconds.
        took: u64,
    },
    /// A turn has ended.
    #[serde(rename = "kernel:result")]
    Result {
        /// The conversation.
        session_id: String,
        /// The turn.
        turn_id: String,
        /// The whole answer.
        text: String,
        /// Why it ended.
        reason: EndReason,
        /// What it took.
        usage: TokenUsage,
        /// Milliseconds.
        took: u64,
    },
    /// A turn could not be done, or a message not taken in.
    #[serde(rename = "kernel:error")]
    Error {
        /// The conversation, if it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
        /// The turn, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
        /// As given by the desktop that sent the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// For programs: `no_key`, `key_refused`, `no_budget`, `busy`, `offline`, `upstream`, `deadline`, `too_long`,
        /// `queue_full`, `bad_message`, `disk_full`, `internal`.
        code: String,
        /// For people: what happened and what to do.
        message: String,
    },
    /// Files changed.
    #[serde(rename = "file:change")]
    FileChange {
        /// Which ones.
        changes: Vec<FileChange>,
        /// More changed than is listed: look at everything anew.
        #[serde(default)]
        more: bool,
    },
    /// Only to the socket that asked: this is the conversation it is in now.
    #[serde(rename = "session:switched")]
    SessionSwitched {
        /// The conversation.
        session_id: String,
        /// Its newest messages, oldest first.
        messages: Vec<ChatMessage>,
        /// Older ones can be had with `GET /api/conversations/{id}?before={messages[0].id}`.
        more: bool,
        /// The turn that runs, and what it has said so far.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        running: Option<Running>,
        /// Messages that wait behind it.
        waiting: usize,
    },
    /// A conversation began, changed its preview or was deleted: read the list again.
    #[serde(rename = "session:changed")]
    SessionChanged {
        /// Which one.
        session_id: String,
    },
    /// The AI asks whether it may.
    #[serde(rename = "approval:request")]
    ApprovalRequest {
        /// To be given in the answer.
        id: String,
        /// The conversation.
        session_id: String,
        /// Which tool.
        tool: String,
        /// What it would do, for people.
        label: String,
        /// Why this is asked, for people.
        why: String,
        /// Seconds until silence is taken for a no.
        within: u64,
    },
    /// An approval was given, refused or ran out.
    #[serde(rename = "approval:settled")]
    ApprovalSettled {
        /// The request's id.
        id: String,
        /// Whether the AI may.
        approved: bool,
    },
    /// The AI made or opened an app: show its window.
    #[serde(rename = "app:open")]
    AppOpen {
        /// The app's name: `apps/{name}.html`.
        name: String,
    },
    /// This socket missed something: read everything anew.
    #[serde(rename = "resync")]
    Resync,
}

/// Why a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The AI had said what it had to say.
    Done,
    /// The owner stopped it.
    Cancelled,
    /// It reached the most steps or the longest answer it may take.
    Limit,
}

/// The turn that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Its id.
    pub turn_id: String,
    /// What it has said since its last whole message.
    pub text: String,
}

/// One message of a conversation, as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Unique in its conversation.
    pub id: String,
    /// Milliseconds since 1970.
    pub at: u64,
    /// Who says it.
    pub role: Role,
    /// What is said; for a note, what happened.
    pub text: String,
    /// Who says it, if it is not the owner at their desktop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
    /// What the AI did after saying it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolUse>,
    /// For a note that says why a message was not answered: in which way, as in `kernel:error`, or `interrupted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person, or a job of theirs.
    User,
    /// The AI.
    Assistant,
    /// Neither: something that happened to the conversation, such as an error.
    Note,
}

/// One use of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// This use.
    pub id: String,
    /// Which tool.
    pub tool: String,
    /// What it did, for people.
    pub label: String,
    /// Whether it worked; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
}

/// Where a message comes from, if not from the owner's desktop. Given by the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// `telegram`, `matrix`, `cron`, ….
    pub channel: String,
    /// Who, in the channel's words.
    pub id: String,
    /// What they call themselves; not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `POST /api/message`. The answer comes when the turn is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// What is said.
    pub text: String,
    /// The conversation; without one, the channel's own, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Who says it; without it, the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
    /// As in `message`: one that was heard already is not heard again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The answer to `POST /api/message`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageAnswer {
    /// The conversation.
    pub session_id: String,
    /// What the AI said; empty if the turn failed.
    pub text: String,
    /// What happened, without the pieces of the text.
    pub events: Vec<Event>,
}

/// Tokens, as the provider counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenUsage {
    /// Read, and not from the cache.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_write: u64,
}

/// One entry of `GET /api/conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationSummary {
    /// Its id.
    pub id: String,
    /// How it begins.
    pub preview: String,
    /// Messages of people and the AI.
    pub message_count: usize,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Milliseconds since 1970.
    pub updated_at: u64,
    /// The channel it is held on, if not the desktop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// One change of `file:change`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileChange {
    /// Relative to the home.
    pub path: String,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is there, new or with new content.
    Written,
    /// It is gone.
    Removed,
}

/// One line of `GET /api/logs`: one turn of the AI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnLog {
    /// Milliseconds since 1970.
    pub at: u64,
    /// `desktop`, `cron`, `app:{name}`, or the channel.
    pub source: String,
    /// The conversation.
    pub session_id: String,
    /// The model.
    pub model: String,
    /// Tools in the order of their use.
    pub tools: Vec<String>,
    /// Tokens of all its calls.
    pub usage: TokenUsage,
    /// What it cost, in billionths of a dollar, if the platform keeps count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nanos: Option<u64>,
    /// Milliseconds.
    pub took: u64,
    /// `done`, `cancelled`, `limit`, or the code of the error.
    pub result: String,
}

/// `GET {base}/matrix/usage` of the platform: what is left of the owner's quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Billionths of a dollar.
    pub remaining_nanos: u64,
    /// Billionths of a dollar.
    pub quota_nanos: u64,
    /// `$2.70`.
    pub text: String,
}

/// `POST {base}/matrix/awake`: let this computer not rest for so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awake {
    /// For how long.
    pub seconds: u64,
    /// For the owner to read.
    pub because: String,
}
