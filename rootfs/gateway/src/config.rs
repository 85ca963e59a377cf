//! `system/config.json`: the settings of the AI and of the channels. Read anew when it is needed, so that a change by
//! hand counts as well; what is missing or damaged is as usual.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::channels::Given;
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

pub(crate) const FILE: &str = "system/config.json";
/// Largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// A model that is good at building things and not dear.
const MODEL: &str = "claude-sonnet-5-5";

/// All of it. Sections this version does not know are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) agent: Agent,
    pub(crate) channels: Channels,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// How the AI works.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Agent {
    pub(crate) model: String,
    pub(crate) approval: Approval,
    /// Longest turn, in seconds.
    pub(crate) turn_seconds: u64,
    /// Most calls of the model in one turn.
    pub(crate) steps: u32,
}

/// When the owner is asked before the AI does something that reaches far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Approval {
    /// Never.
    Never,
    /// Once the turn has read something that somebody else may have written.
    #[default]
    Outside,
    /// Always.
    Always,
}

impl Default for Agent {
    fn default() -> Self {
        Self { model: MODEL.to_owned(), approval: Approval::default(), turn_seconds: 600, steps: 40 }
    }
}

/// Settings of each channel by its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Channels(pub(crate) BTreeMap<String, Value>);

impl Channels {
    /// Whether that sender is the owner of this computer. An empty list admits nobody.
    pub(crate) fn is_owner(&self, channel: &str, id: &str) -> bool {
        let owners = self.0.get(channel).and_then(|settings| settings["owners"].as_array());
        owners.is_some_and(|ids| ids.iter().any(|known| known.as_str().is_some_and(|known| known == id)))
    }
}

/// Opens a regular file; a pipe, which would be waited for, is not there.
pub(crate) fn open_file(home: &Dir, name: &str) -> std::io::Result<cap_std::fs::File> {
    if home.metadata(name)?.is_file() { home.open(name) } else { Err(std::io::ErrorKind::NotFound.into()) }
}

/// The text of a file of the owner's that a program needs, if it is of a sensible size.
pub(crate) fn small_file(home: &Dir, name: &str, largest: u64) -> Option<String> {
    use std::io::Read;
    let file = open_file(home, name).ok()?;
    let mut text = Vec::new();
    file.take(largest).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Writes a document in one step. Two at the same time must not write into one draft.
pub(crate) fn replace(home: &Dir, name: &str, text: impl AsRef<[u8]>) -> std::io::Result<()> {
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    home.create_dir_all(std::path::Path::new(name).parent().unwrap_or("system".as_ref()))?;
    let draft = format!("{name}.new");
    // Left of a write that was cut off, or a pipe, on which writing would wait.
    let _ = home.remove_file(&draft);
    home.write(&draft, text)?;
    home.rename(&draft, home, name)
}

/// Held from reading settings to writing them back: of two changes at once neither is lost.
fn changing() -> MutexGuard<'static, ()> {
    static CHANGING: Mutex<()> = Mutex::new(());
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A section that is damaged is as usual; the others count.
pub(crate) fn read(home: &Dir) -> Config {
    let value: Value =
        small_file(home, FILE, LARGEST).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let section = |name: &str| value.get(name).cloned().unwrap_or_default();
    let rest = value.as_object().cloned().unwrap_or_default().into_iter();
    Config {
        agent: serde_json::from_value(section("agent")).unwrap_or_default(),
        channels: serde_json::from_value(section("channels")).unwrap_or_default(),
        rest: rest.filter(|(name, _)| name != "agent" && name != "channels").collect(),
    }
}

/// The settings of the channels, with what the environment says about them.
pub(crate) fn channels(home: &Dir, given: Option<&Given>) -> Channels {
    let mut channels = read(home).channels;
    if let Some(given) = given {
        given.over(&mut channels);
    }
    channels
}

/// `GET /api/settings/{section}`: `agent`, `channels`, `appearance`, `social`.
pub(crate) async fn section(
    State(gateway): State<Gateway>,
    Path(section): Path<String>,
) -> Result<Json<Value>, Failure> {
    let given = gateway.settings.channels.clone();
    blocking(gateway, move |home| Ok(show(home, &section, given.as_ref())))
        .await?
        .map(Json)
        .ok_or_else(Failure::not_found)
}

fn show(home: &Dir, section: &str, given: Option<&Given>) -> Option<Value> {
    let document = |name| small_file(home, name, LARGEST).and_then(|text| serde_json::from_str(&text).ok());
    match section {
        "agent" => serde_json::to_value(read(home).agent).ok(),
        "channels" => Some(masked(channels(home, given))),
        "appearance" => Some(document("system/theme.json").unwrap_or_else(|| json!({}))),
        "social" => Some(document("system/social-config.json").unwrap_or_else(|| json!({ "share": false }))),
        _ => None,
    }
}

/// A token is never shown again; only whether there is one.
fn masked(channels: Channels) -> Value {
    let hide = |mut settings: Value| {
        let token = settings.as_object_mut().and_then(|fields| fields.remove("token"));
        if let (Some(_), Some(fields)) = (token, settings.as_object_mut()) {
            fields.insert("hasToken".to_owned(), Value::Bool(true));
        }
        settings
    };
    channels.0.into_iter().map(|(name, settings)| (name, hide(settings))).collect::<serde_json::Map<_, _>>().into()
}

/// `PUT /api/settings/{section}`: what is given replaces what was set; other fields stay.
pub(crate) async fn set_section(
    State(gateway): State<Gateway>,
    Path(section): Path<String>,
    Json(value): Json<Value>,
) -> Result<StatusCode, Failure> {
    let Value::Object(fields) = value else { return Err(Failure::bad_request("A JSON object is expected.")) };
    let known = match section.as_str() {
        "agent" => set_agent(gateway, fields).await?,
        "channels" => set_channels(gateway, fields).await?,
        "appearance" => merge(gateway, "system/theme.json", fields).await?,
        "social" => merge(gateway, "system/social-config.json", fields).await?,
        _ => return Err(Failure::not_found()),
    };
    Ok(known)
}

type Fields = serde_json::Map<String, Value>;

async fn set_agent(gateway: Gateway, fields: Fields) -> Result<StatusCode, Failure> {
    change(gateway, move |config| {
        let mut agent = serde_json::to_value(&config.agent).unwrap_or_default();
        if let Some(known) = agent.as_object_mut() {
            known.extend(fields);
        }
        let agent: Agent = serde_json::from_value(agent).map_err(|e| format!("That is no setting of the AI: {e}."))?;
        let model_ok = (1..=100).contains(&agent.model.len()) && agent.model.is_ascii();
        if !model_ok || !(10..=3_600).contains(&agent.turn_seconds) || !(1..=200).contains(&agent.steps) {
            return Err("A turn takes 10 to 3,600 seconds and 1 to 200 steps, and needs a model's name.".to_owned());
        }
        config.agent = agent;
        Ok(())
    })
    .await
}

async fn set_channels(gateway: Gateway, fields: Fields) -> Result<StatusCode, Failure> {
    let given = gateway.settings.channels.clone();
    change(gateway, move |config| {
        for (name, settings) in fields {
            let Value::Object(mut settings) = settings else {
                return Err(format!("The settings of {name} are a JSON object."));
            };
            settings.remove("hasToken");
            if let Some(why) = given.as_ref().and_then(|given| given.refuses(&name, &mut settings)) {
                return Err(why);
            }
            let place = config.channels.0.entry(name).or_insert_with(|| json!({}));
            let Some(known) = place.as_object_mut() else { continue };
            known.extend(settings);
            known.retain(|_, value| !value.is_null());
        }
        Ok(())
    })
    .await
}

async fn change(
    gateway: Gateway,
    how: impl FnOnce(&mut Config) -> Result<(), String> + Send + 'static,
) -> Result<StatusCode, Failure> {
    let settled = gateway.clone();
    let refused = blocking(gateway, move |home| {
        let _alone = changing();
        let mut config = read(home);
        if let Err(why) = how(&mut config) {
            return Ok(Some(why));
        }
        replace(home, FILE, format!("{:#}\n", serde_json::to_value(&config)?))?;
        Ok(None)
    });
    let refused = refused.await?;
    settled.publisher.look();
    refused.map_or(Ok(StatusCode::NO_CONTENT), |why| Err(Failure::bad_request(why)))
}

async fn merge(gateway: Gateway, name: &'static str, fields: Fields) -> Result<StatusCode, Failure> {
    blocking(gateway, move |home| {
        let _alone = changing();
        let text = small_file(home, name, LARGEST);
        let mut known: Fields = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        known.extend(fields);
        known.retain(|_, value| !value.is_null());
        replace(home, name, format!("{:#}\n", Value::Object(known)))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}
