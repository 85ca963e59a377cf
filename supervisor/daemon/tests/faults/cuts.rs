//! The platform is cut off after every single effect of a story, and each time the story must come to its end.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::image;
use super::installation::{Installation, STOP_AFTER, said, text, until};

/// Installations side by side: most of a story is waiting for rest.
const AT_ONCE: usize = 6;
/// More effects than the story has; it never gets there.
const MOST: u64 = 200;

#[test]
fn cut_off_after_any_effect_the_platform_comes_back_to_what_was_acknowledged_and_goes_on() {
    let (next, through) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicBool::new(false)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let (next, through, seen, image) = (next.clone(), through.clone(), seen.clone(), image::data());
            scope.spawn(move || work(number, image, &next, &through, &seen));
        }
    });
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    let words: Vec<_> = seen.iter().map(|(_, what)| what.as_str()).collect();
    eprintln!("cut off after: {}", words.join(", "));
    for effect in ["settle", "launch", "freeze", "thaw", "terminate", "take down", "destroy"] {
        assert!(words.contains(&effect), "never cut off after {effect}: {words:?}");
    }
}

fn work(number: usize, image: &Path, next: &AtomicU64, through: &AtomicBool, seen: &Mutex<Vec<(u64, String)>>) {
    let mut platform = Installation::new(number, image);
    while !through.load(Ordering::SeqCst) {
        let cut = next.fetch_add(1, Ordering::SeqCst);
        assert!(cut < MOST, "the story does not end");
        match (Story {
            platform: &mut platform,
            handle: format!("person{cut}"),
            cut,
            cookie: None,
            stage: Stage::Living,
        })
        .tell()
        {
            Some(what) => seen.lock().unwrap().push((cut, what)),
            None => through.store(true, Ordering::SeqCst),
        }
    }
}

/// How far the story has come: what was asked for last. What was asked for without an answer may have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Stage {
    Living,
    Stopping,
    Stopped,
    Starting,
    Going,
}

struct Story<'a> {
    platform: &'a mut Installation,
    handle: String,
    cut: u64,
    /// The session that was acknowledged.
    cookie: Option<String>,
    stage: Stage,
}

/// A step that the platform did not answer.
type Step<T> = Result<T, String>;

impl Story<'_> {
    /// Tells the story with a cut; `None` if the platform was not cut off, because it had fewer effects.
    fn tell(mut self) -> Option<String> {
        let mut cut = None;
        let told = if self.platform.start(Some(self.cut)) { self.all() } else { Err("it never answered".to_owned()) };
        if let Err(stopped_at) = told {
            until(&format!("the platform is cut off; {stopped_at}"), || !self.platform.serves());
            let effects = self.platform.effects();
            assert_eq!(effects.len() as u64, self.cut, "it ended by itself: {}", self.platform.log());
            cut = effects.last().cloned();
            self.come_back(cut.as_deref().unwrap());
            let end = self.all();
            assert!(end.is_ok(), "cut {} after {cut:?}, then {end:?}: {}", self.cut, self.platform.log());
        }
        self.leave();
        cut
    }

    /// Starts the platform again; what ran is adopted, what was acknowledged is there.
    fn come_back(&mut self, cut: &str) {
        let ran = self.platform.living();
        self.platform.kill();
        self.platform.start(None);
        let log = self.platform.log();
        let about = format!("cut {} after {cut}", self.cut);
        // Who was asked to end may have done so meanwhile.
        if cut != "terminate" {
            for pid in ran {
                assert!(
                    log.contains(&format!("pid={pid}")) && log.contains("adopted"),
                    "{about}: {pid} is lost: {log}"
                );
            }
        }
        let row = self.row().unwrap();
        if self.cookie.is_some() && self.stage < Stage::Going {
            assert!(row.is_some(), "{about}: the account is gone: {log}");
        }
        if self.stage == Stage::Stopped {
            assert_eq!(row.unwrap()["state"], "stopped", "{about}");
        }
        assert!(!log.contains("broken"), "{about}: {log}");
    }

    /// The story, from wherever it stands.
    fn all(&mut self) -> Step<()> {
        self.sign_up()?;
        if self.stage == Stage::Living {
            let begun = Instant::now();
            let first = self.visit(Some("kept"))?;
            self.becomes(&["frozen", "asleep"])?;
            let again = self.visit(None)?;
            assert!(first == again || begun.elapsed() >= STOP_AFTER, "the same process goes on");
            self.becomes(&["asleep"])?;
            self.rests()?;
            self.visit(None)?;
        }
        if self.stage < Stage::Stopped {
            self.stage = Stage::Stopping;
            self.operate(&["stop", &self.handle])?;
            self.stage = Stage::Stopped;
        }
        if self.stage < Stage::Going {
            self.stage = Stage::Starting;
            self.operate(&["start", &self.handle])?;
            self.visit(None)?;
        }
        self.stage = Stage::Going;
        if self.row()?.is_some() {
            self.operate(&["destroy", &self.handle, "--confirm", &self.handle])?;
        }
        assert_eq!(self.row()?, None);
        Ok(())
    }

    fn operate(&self, arguments: &[&str]) -> Step<()> {
        said(self.platform.matrixos(&["container"]).args(arguments)).map(drop)
    }

    fn row(&self) -> Step<Option<Value>> {
        Ok(self.platform.list()?.into_iter().find(|row| row["handle"] == self.handle.as_str()))
    }

    /// Somebody whose sign-up was not acknowledged signs up again, under another name if need be.
    fn sign_up(&mut self) -> Step<()> {
        if self.cookie.is_some() {
            return Ok(());
        }
        if self.row()?.is_some() {
            self.handle.push('b');
        }
        self.cookie = Some(said(&mut self.platform.visitor(&["sign-up", &self.handle]))?.trim().to_owned());
        Ok(())
    }

    /// Visits, leaves a file, and says which process was there.
    fn visit(&mut self, put: Option<&str>) -> Step<i64> {
        let cookie = self.cookie.clone().unwrap();
        let visit = ["visit", &self.handle, &cookie, "/files/kept.txt"];
        if let Some(content) = put {
            said(self.platform.visitor(&visit).args(["--put", content]))?;
        }
        let found = said(&mut self.platform.visitor(&visit))?;
        assert_eq!(found, "kept");
        let living = self.platform.living();
        let row = self.row()?.ok_or("not in the list")?;
        let pid = row["pid"].as_i64().ok_or("it does not run")?;
        assert!(living.contains(&pid), "{pid} is none of {living:?}");
        Ok(pid)
    }

    fn becomes(&mut self, wanted: &[&str]) -> Step<()> {
        let mut lost = None;
        until(&format!("{} is {wanted:?}", self.handle), || match self.row() {
            Ok(row) => row.is_some_and(|row| wanted.iter().any(|state| row["state"] == *state)),
            Err(error) => {
                lost = Some(error);
                !self.platform.serves()
            }
        });
        if self.platform.serves() { Ok(()) } else { Err(lost.unwrap_or_default()) }
    }

    /// What is as wanted is left alone.
    fn rests(&mut self) -> Step<()> {
        let row = self.row()?.ok_or("not in the list")?;
        let container = row["container"].as_str().unwrap();
        let left = |platform: &Installation| platform.traces().iter().any(|trace| trace.ends_with(container));
        until("nothing of it is left", || !left(self.platform) || !self.platform.serves());
        // The last effect is told by a reply that may still be on its way.
        thread::sleep(Duration::from_millis(200));
        let done = self.platform.effects();
        thread::sleep(Duration::from_millis(500));
        assert_eq!(self.platform.effects(), done, "the plan is empty");
        Ok(())
    }

    /// Removes everybody; then nothing may be left, and the store must not contradict itself.
    fn leave(&mut self) {
        for row in self.platform.list().unwrap() {
            let handle = row["handle"].as_str().unwrap();
            text(&mut self.platform.matrixos(&["container", "destroy", handle, "--confirm", handle]));
        }
        until("nothing is left", || self.platform.traces().is_empty());
        self.platform.kill();
        text(&mut self.platform.matrixos(&["store", "verify"]));
    }
}
