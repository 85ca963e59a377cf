//! Apps: one HTML file each in `apps/`, with what is said about it in a JSON file beside it.

mod bridge;
mod page;

use std::io;

use axum::Json;
use axum::extract::State;
use cap_std::fs::Dir;
use matrixos_types::apps::App;
use serde_json::{Value, json};

pub(crate) use bridge::data;
pub(crate) use page::page;

use crate::config::small_file;
use crate::desktop::blocking;
use crate::error::Failure;
use crate::state::Gateway;

pub(crate) const FOLDER: &str = "apps";
/// Largest app, in bytes.
pub(crate) const LARGEST: usize = 2 << 20;
/// Apps that are listed.
const LISTED: usize = 500;

/// Lower case, digits, single hyphens between them: `expense-tracker`. Nothing else can be a file's name here.
pub(crate) fn is_name(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 60 && name.split('-').all(word)
}

/// `GET /api/apps`: by what people call them.
pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Json<Vec<App>>, Failure> {
    blocking(gateway, all).await.map(Json)
}

pub(crate) fn all(home: &Dir) -> io::Result<Vec<App>> {
    let folder = match home.read_dir(FOLDER) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let files = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = files.filter_map(|file| file.strip_suffix(".html").filter(|name| is_name(name)).map(str::to_owned));
    let mut apps: Vec<App> = names.take(LISTED).map(|name| app(home, &name)).collect();
    apps.sort_by(|a, b| (a.name.to_lowercase(), &a.file).cmp(&(b.name.to_lowercase(), &b.file)));
    Ok(apps)
}

fn app(home: &Dir, name: &str) -> App {
    let said: Value = small_file(home, &format!("{FOLDER}/{name}.json"), 16 << 10)
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let of = |field: &str| said[field].as_str().map(|text| text.chars().take(300).collect::<String>());
    let file = format!("{name}.html");
    App {
        name: of("name").unwrap_or_else(|| title(name)),
        description: of("description"),
        icon: of("icon"),
        category: of("category").unwrap_or_else(|| "utility".to_owned()),
        path: format!("{FOLDER}/{file}"),
        file,
    }
}

/// `expense-tracker` is called “Expense tracker” if nobody says otherwise.
fn title(name: &str) -> String {
    let text = name.replace('-', " ");
    text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect()
}

/// What stands in the JSON file beside an app.
pub(crate) fn metadata(title: &str, description: &str, icon: &str, category: &str) -> String {
    let of = |text: &str, most| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
    let value = json!({ "name": of(title, 60), "description": of(description, 200), "icon": of(icon, 16),
        "category": of(category, 30) });
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_names() {
        for name in ["todo", "expense-tracker", "2048"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "../../x", "a/b", "A", "a--b", "-a", "a-", "a.b", "ä", "a b", ".", &"x".repeat(61)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
