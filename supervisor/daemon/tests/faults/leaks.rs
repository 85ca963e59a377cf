//! People come and go, and nothing of them piles up: not on the machine, not in the launcher, not in the supervisor.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;

use super::image;
use super::installation::{Installation, text, until};

/// Turns; `MATRIXOS_SOAK=1` makes them a thousand.
const USUAL: u32 = 15;
const MANY: u32 = 1_000;

/// Everything that could pile up.
#[derive(Debug)]
struct Count {
    traces: BTreeSet<String>,
    supervisor_files: usize,
    launcher_files: usize,
    launcher_mounts: usize,
    launcher_children: usize,
    links: usize,
    rules: usize,
}

impl Count {
    fn of(platform: &Installation) -> Self {
        let (supervisor, launcher) = (platform.supervisor().unwrap(), platform.launcher().unwrap());
        let files = |pid: i32| fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
        let read = |path: String| fs::read_to_string(path).unwrap();
        Self {
            traces: platform.traces(),
            supervisor_files: files(supervisor),
            launcher_files: files(launcher),
            launcher_mounts: read(format!("/proc/{launcher}/mountinfo")).lines().count(),
            launcher_children: read(format!("/proc/{launcher}/task/{launcher}/children")).split_whitespace().count(),
            links: text(Command::new("ip").args(["-o", "link"])).lines().count(),
            // Without what the kernel has counted of each address, which it forgets by itself.
            rules: text(Command::new("nft").args(["--terse", "list", "ruleset"])).lines().count(),
        }
    }

    fn is_no_more_than(&self, before: &Self) -> bool {
        self.traces.is_subset(&before.traces)
            && self.supervisor_files <= before.supervisor_files
            && self.launcher_files <= before.launcher_files
            && self.launcher_mounts <= before.launcher_mounts
            && self.launcher_children <= before.launcher_children
            && self.links <= before.links
            && self.rules <= before.rules
    }
}

#[test]
fn who_comes_wakes_rests_and_goes_leaves_nothing_behind_anywhere() {
    let mut platform = Installation::new(92, image::data());
    platform.start(None);
    let turns = if env::var_os("MATRIXOS_SOAK").is_some() { MANY } else { USUAL };
    let mut before = None;
    for turn in 0..turns {
        let handle = format!("person{turn}");
        let session = text(&mut platform.visitor(&["sign-up", &handle])).trim().to_owned();
        let visit = ["visit", &handle, &session, "/health"];
        text(&mut platform.visitor(&visit));
        let row = |platform: &Installation| platform.list().unwrap()[0]["state"].clone();
        match turn % 3 {
            0 => until("it rests", || row(&platform) == "frozen" || row(&platform) == "asleep"),
            1 => {
                text(&mut platform.matrixos(&["container", "stop", &handle]));
                text(&mut platform.matrixos(&["container", "start", &handle]));
                text(&mut platform.visitor(&visit));
            }
            _ => {}
        }
        text(&mut platform.matrixos(&["container", "destroy", &handle, "--confirm", &handle]));
        // The first turns make the bridge and its rules, and threads with what they hold; that stays.
        if turn >= 3 {
            let before = before.get_or_insert_with(|| Count::of(&platform));
            // Connections that are over linger for a moment, and the launcher looks after its walls meanwhile.
            let what = format!("turn {turn}: nothing more than {before:?}");
            until(&what, || Count::of(&platform).is_no_more_than(before));
        }
    }
}
