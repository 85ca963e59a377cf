//! Making apps, and opening them.

use std::path::Path;

use matrixos_types::kernel::Event;
use serde_json::Value;

use super::files::put;
use super::{Done, given};
use crate::apps::{FOLDER, LARGEST, is_name, metadata};
use crate::kernel::on_disk;
use crate::state::Gateway;

fn name(input: &Value) -> Result<String, String> {
    let name = given(input, "name")?;
    if is_name(name) {
        return Ok(name.to_owned());
    }
    Err("An app's name has lower-case letters and digits with single hyphens: expense-tracker.".to_owned())
}

pub(super) async fn make(gateway: &Gateway, input: &Value) -> Done {
    let (name, html) = (name(input)?, given(input, "html")?.to_owned());
    if html.len() > LARGEST {
        return Err("An app has at most 2 MiB. Leave large pictures out.".to_owned());
    }
    if !html.to_ascii_lowercase().contains("<html") && !html.to_ascii_lowercase().contains("<body") {
        return Err("`html` is no page: write a whole one, from <!doctype html> to </html>.".to_owned());
    }
    let of = |field: &str| input[field].as_str().unwrap_or_default();
    let category = if of("category").is_empty() { "utility" } else { of("category") };
    let said = metadata(given(input, "title")?, of("description"), of("icon"), category);
    let app = name.clone();
    let made = on_disk(gateway, move |home| {
        // What is said about it first: whoever sees the app then knows what it is called.
        let page = Path::new(FOLDER).join(format!("{app}.html"));
        Ok(put(home, &Path::new(FOLDER).join(format!("{app}.json")), &said).and_then(|()| put(home, &page, &html)))
    });
    made.await.unwrap_or_else(|error| Err(error.to_string()))?;
    gateway.hub.tell(Event::AppOpen { name: name.clone() });
    Ok(format!("The app is in apps/{name}.html, and its window is open. Change it with edit_file; the window follows."))
}

pub(super) async fn open(gateway: &Gateway, input: &Value) -> Done {
    let name = name(input)?;
    let file = format!("{FOLDER}/{name}.html");
    let there = on_disk(gateway, move |home| Ok(home.exists(file))).await;
    if !there.unwrap_or(false) {
        return Err(format!("There is no app named {name}. List the folder apps."));
    }
    gateway.hub.tell(Event::AppOpen { name: name.clone() });
    Ok(format!("The window of {name} is open."))
}
