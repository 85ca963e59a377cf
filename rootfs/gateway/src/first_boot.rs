//! The first boot: the home is furnished, its owner greeted by their handle, and a history of it begun.

use std::fs;
use std::io;
use std::process::{Command, Stdio};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;

use crate::conversations::lines::Line;
use crate::conversations::store;
use crate::settings::{SECRETS, Settings};
use crate::{template, time};

/// Its presence says that the first boot is over.
const MARK: &str = "system/handle.json";
/// The conversation that begins with the greeting.
const WELCOME: &str = "welcome";

/// Brings the home up to date with the template. Returns true if this is the first boot.
pub(crate) fn furnish(settings: &Settings) -> io::Result<bool> {
    let home = &settings.home;
    let first = !home.join(MARK).exists();
    fs::create_dir_all(home.join("system"))?;
    template::bring(&settings.template, home)?;
    if !first {
        return Ok(false);
    }
    greet(settings)?;
    let handle =
        json!({ "handle": settings.handle, "aiHandle": format!("{}_ai", settings.handle), "domain": settings.domain });
    fs::write(home.join("system/handle.new"), format!("{handle:#}\n"))?;
    fs::rename(home.join("system/handle.new"), home.join(MARK))?;
    Ok(true)
}

/// A model is not asked for this: it costs nothing and is there at once.
fn greet(settings: &Settings) -> io::Result<()> {
    let home = Dir::open_ambient_dir(&settings.home, ambient_authority())?;
    if store::summary(&home, WELCOME).is_ok_and(|known| known.message_count > 0) {
        return Ok(());
    }
    let text = format!(
        "Hello {}, this is your computer, and I am @{}_ai, your assistant on it.\n\nTell me what you would like to have, \
         and I build it: “a tracker for my expenses”, “a quiz about volcanoes for my daughter”. I can also work with your \
         files, remember things for you and do something every morning. What shall we begin with?",
        settings.handle, settings.handle
    );
    store::append(&home, WELCOME, &[Line::Greeting { id: "greeting".to_owned(), at: time::millis(), text }])
}

/// Begins a history of the home with git, if it is there; ends are reaped like every other program's.
pub(crate) fn begin_history(settings: &Settings) {
    if settings.home.join(".git").exists() {
        return;
    }
    let script = "git init -q --template= -b main && git add -A && git -c user.name=\"$1\" -c user.email=\"$1@$2\" commit -q -m 'The first day'";
    let mut shell = Command::new("/bin/sh");
    for name in SECRETS {
        shell.env_remove(name);
    }
    let begun = shell
        .args(["-c", script, "sh", &settings.handle, &settings.domain])
        .current_dir(&settings.home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = begun {
        eprintln!("matrixos-gateway: a history of the home could not be begun: {error}");
    }
}
