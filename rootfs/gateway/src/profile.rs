//! Who the owner is, in files: `profile.md` for everybody, `system/profile.md` with fields, `system/ai-profile.md`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cap_std::fs::Dir;
use jiff::tz::TimeZone;
use matrixos_types::channels::profile_field;
use serde::Deserialize;

use crate::config::{replace, small_file};
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;
use crate::time;

/// The page for everybody.
const PAGE: &str = "profile.md";
pub(crate) const OWNER: &str = "system/profile.md";
pub(crate) const AI: &str = "system/ai-profile.md";
/// Most bytes of each.
const LARGEST: u64 = 16 << 10;

/// Fields of `system/profile.md` that can be set by name.
pub(crate) const FIELDS: &[&str] = &["Display Name", "Bio", "Timezone", "Language"];

pub(crate) fn time_zone(home: &Dir) -> TimeZone {
    let name = small_file(home, OWNER, LARGEST).and_then(|text| profile_field(&text, "Timezone"));
    name.map_or(TimeZone::UTC, |name| time::zone(&name))
}

/// Sets a field; adds it if it is missing. The rest of the file stays as it is.
pub(crate) fn set(home: &Dir, name: &str, value: &str) -> std::io::Result<()> {
    let text = small_file(home, OWNER, LARGEST).unwrap_or_else(|| "# Profile\n\n".to_owned());
    let new = format!("- {name}: {value}");
    let is =
        |line: &str| line.trim_start_matches(['-', '*', ' ']).strip_prefix(name).is_some_and(|r| r.starts_with(':'));
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().position(|line| is(line)) {
        Some(place) => lines[place] = &new,
        None => lines.push(&new),
    }
    replace(home, OWNER, format!("{}\n", lines.join("\n")))
}

/// Everything that everybody may read, for those who answer visitors. Comments are not shown to anybody.
pub(crate) fn public(home: &Dir) -> String {
    [PAGE, OWNER, AI].map(|name| shown(home, name)).join("\n\n").trim().to_owned()
}

/// What everybody may read of one of these files.
pub(crate) fn shown(home: &Dir, name: &str) -> String {
    small_file(home, name, LARGEST).map(|text| without_comments(&text)).unwrap_or_default()
}

fn without_comments(text: &str) -> String {
    let (mut kept, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("<!--") {
        kept.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

pub(crate) async fn owner(State(gateway): State<Gateway>) -> Result<Response, Failure> {
    show(gateway, OWNER).await
}

pub(crate) async fn ai(State(gateway): State<Gateway>) -> Result<Response, Failure> {
    show(gateway, AI).await
}

async fn show(gateway: Gateway, name: &'static str) -> Result<Response, Failure> {
    let text = blocking(gateway, move |home| Ok(small_file(home, name, LARGEST).unwrap_or_default())).await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

#[derive(Deserialize)]
pub(crate) struct ProfileBody {
    text: String,
}

pub(crate) async fn set_owner(
    State(gateway): State<Gateway>,
    Json(body): Json<ProfileBody>,
) -> Result<StatusCode, Failure> {
    keep(gateway, OWNER, body.text).await
}

pub(crate) async fn set_ai(
    State(gateway): State<Gateway>,
    Json(body): Json<ProfileBody>,
) -> Result<StatusCode, Failure> {
    keep(gateway, AI, body.text).await
}

async fn keep(gateway: Gateway, name: &'static str, text: String) -> Result<StatusCode, Failure> {
    if text.len() as u64 > LARGEST {
        return Err(Failure::bad_request("A profile has at most 16 KiB."));
    }
    let settled = gateway.clone();
    blocking(gateway, move |home| replace(home, name, &text)).await?;
    settled.publisher.look();
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_shown_to_nobody() {
        assert_eq!(without_comments("a <!-- b\nc --> d <!-- open"), "a  d");
    }
}
