//! The owner's profile, how the desktop looks, and notices on it.

use cap_std::fs::Dir;
use serde_json::{Map, Value};

use super::{Done, given, trouble};
use crate::config::{replace, small_file};
use crate::profile;
use crate::state::Gateway;

const THEME: &str = "system/theme.json";

pub(super) fn set_profile(home: &Dir, input: &Value) -> Done {
    let (field, value) = (given(input, "field")?, given(input, "value")?);
    if !profile::FIELDS.contains(&field) {
        return Err(format!("A profile has the fields {}.", profile::FIELDS.join(", ")));
    }
    if value.len() > 500 || value.contains('\n') {
        return Err("A field holds one line of at most 500 letters.".to_owned());
    }
    if field == "Timezone" && jiff::tz::TimeZone::get(value).is_err() {
        return Err("There is no such time zone. Name one like Europe/Berlin.".to_owned());
    }
    profile::set(home, field, value).map_err(trouble("The profile cannot be written"))?;
    Ok(format!("{field} is set."))
}

pub(super) fn set_theme(home: &Dir, input: &Value) -> Done {
    let text = small_file(home, THEME, 64 << 10);
    let mut theme: Map<String, Value> = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    for (name, check) in CHECKS {
        if let Some(value) = input[*name].as_str() {
            check(value)?;
            theme.insert((*name).to_owned(), value.into());
        }
    }
    replace(home, THEME, format!("{:#}\n", Value::Object(theme))).map_err(trouble("The theme cannot be written"))?;
    Ok("The desktop follows at once.".to_owned())
}

type Check = fn(&str) -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[
    ("appearance", |value| is(["light", "dark", "system"].contains(&value), "`appearance` is light, dark or system.")),
    ("accent", |value| is(is_colour(value), "`accent` is a colour like #3366cc.")),
    ("wallpaper", |value| {
        let path = !value.is_empty() && value.len() < 500 && crate::files::relative(value).is_ok();
        is(is_colour(value) || path, "`wallpaper` is a colour like #223344, or the path of an image in the home.")
    }),
];

fn is(so: bool, else_say: &str) -> Result<(), String> {
    if so { Ok(()) } else { Err(else_say.to_owned()) }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(super) fn notify(gateway: &Gateway, input: &Value) -> Done {
    let text: String = given(input, "text")?.chars().filter(|c| !c.is_control()).take(500).collect();
    if text.trim().is_empty() {
        return Err("A notice needs a text.".to_owned());
    }
    gateway.notices.add(text);
    Ok("The notice is on the desktop.".to_owned())
}
