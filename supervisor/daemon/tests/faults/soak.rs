//! Anything that people, operators and bad luck may do, in any order, with a model beside it.

use std::collections::BTreeMap;
use std::env;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::image;
use super::installation::{Installation, said, text, until};

/// How long it goes on; `MATRIXOS_SOAK=1` makes it ten minutes.
const USUAL: Duration = Duration::from_secs(25);
const LONG: Duration = Duration::from_secs(600);
/// Most people at once.
const PEOPLE: usize = 4;

/// Marsaglia's xorshift: the same seed gives the same story, as far as the machine lets it.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

/// What the platform has acknowledged about somebody.
struct Person {
    session: String,
    stopped: bool,
    /// What lies in their file.
    kept: Option<u64>,
}

struct Soak {
    platform: Installation,
    chance: Chance,
    people: BTreeMap<String, Person>,
    /// How many there have ever been; a handle is never given twice.
    born: u64,
    steps: u64,
}

#[test]
fn after_any_story_the_platform_is_as_it_has_promised_to_be() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let seed = env::var("MATRIXOS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(now | 1);
    eprintln!("to tell this story again: MATRIXOS_SEED={seed}");
    let mut platform = Installation::new(91, image::data());
    platform.start(None);
    let mut soak = Soak { platform, chance: Chance(seed), people: BTreeMap::new(), born: 0, steps: 0 };
    let end = Instant::now() + if env::var_os("MATRIXOS_SOAK").is_some() { LONG } else { USUAL };
    while Instant::now() < end {
        soak.step();
        soak.check();
    }
    soak.leave();
}

impl Soak {
    fn step(&mut self) {
        self.steps += 1;
        let act = self.chance.below(12);
        if act == 0 || self.people.is_empty() {
            return self.sign_up();
        }
        let index = self.chance.below(self.people.len());
        let handle = self.people.keys().nth(index).unwrap().clone();
        eprintln!("{} {handle}: {act}", self.steps);
        match act {
            1..=4 => self.visit(&handle),
            5 => self.operate(&handle, true),
            6 => self.operate(&handle, false),
            7 => self.destroy(&handle),
            8 => self.kill_first_process(&handle),
            9 => self.kill_launcher(),
            10 => {
                self.platform.kill();
                self.platform.start(None);
            }
            // Long enough to be frozen, or to fall asleep.
            _ => thread::sleep(Duration::from_millis([1_500, 6_000][self.chance.below(2)])),
        }
    }

    fn sign_up(&mut self) {
        if self.people.len() >= PEOPLE {
            return;
        }
        self.born += 1;
        let handle = format!("person{}", self.born);
        let session = text(&mut self.platform.visitor(&["sign-up", &handle])).trim().to_owned();
        self.people.insert(handle, Person { session, stopped: false, kept: None });
    }

    /// Reads what was left the last time, and leaves something new.
    fn visit(&mut self, handle: &str) {
        let Person { session, stopped, kept } = &self.people[handle];
        let visit = ["visit", handle, session, "/files/kept.txt"];
        if *stopped {
            let why = said(&mut self.platform.visitor(&visit)).expect_err("nobody gets into one that is stopped");
            assert!(why.contains("503"), "{why}");
            return;
        }
        if let Some(kept) = kept {
            let found = self.patiently(handle, || self.platform.visitor(&visit));
            assert_eq!(found, kept.to_string(), "{handle}");
        }
        let new = self.steps.to_string();
        self.patiently(handle, || {
            let mut command = self.platform.visitor(&visit);
            command.args(["--put", &new]);
            command
        });
        self.people.get_mut(handle).unwrap().kept = Some(self.steps);
    }

    /// Whose computer has just been broken may be told so; the operator can have it tried again at once.
    fn patiently(&self, handle: &str, command: impl Fn() -> std::process::Command) -> String {
        let mut answer = None;
        until(&format!("{handle} is let in"), || {
            answer = said(&mut command()).ok();
            if answer.is_none() {
                let _ = said(&mut self.platform.matrixos(&["container", "wake", handle]));
            }
            answer.is_some()
        });
        answer.unwrap()
    }

    fn operate(&mut self, handle: &str, stop: bool) {
        text(&mut self.platform.matrixos(&["container", if stop { "stop" } else { "start" }, handle]));
        self.people.get_mut(handle).unwrap().stopped = stop;
    }

    fn destroy(&mut self, handle: &str) {
        text(&mut self.platform.matrixos(&["container", "destroy", handle, "--confirm", handle]));
        self.people.remove(handle);
        said(&mut self.platform.visitor(&["sign-up", handle])).expect_err("a handle is never given twice");
    }

    fn row(&self, handle: &str) -> Option<Value> {
        self.platform.list().unwrap().into_iter().find(|row| row["handle"] == handle)
    }

    fn kill_first_process(&self, handle: &str) {
        let pid = self.row(handle).and_then(|row| row["pid"].as_i64());
        // Only what is recorded and lives now: the number of another is nobody's business.
        if let Some(pid) = pid.filter(|pid| self.platform.living().contains(pid)) {
            let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
        }
    }

    /// Without it the platform ends by itself, so that it is started again.
    fn kill_launcher(&mut self) {
        let pid = self.platform.launcher().expect("a launcher");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        until("the platform notices", || !self.platform.serves());
        self.platform.start(None);
    }

    /// The platform knows exactly the people of the model, and runs nobody who is stopped.
    fn check(&mut self) {
        assert!(self.platform.serves(), "the platform has ended");
        assert!(!self.platform.log().contains("panicked"), "{}", self.platform.log());
        let list = self.platform.list().unwrap();
        let known: Vec<_> = list.iter().filter_map(|row| row["handle"].as_str()).collect();
        assert_eq!(known, self.people.keys().collect::<Vec<_>>());
        for (handle, person) in &self.people {
            if person.stopped {
                until(&format!("{handle} stays stopped"), || {
                    self.row(handle).is_some_and(|row| row["state"] == "stopped")
                });
            }
        }
    }

    /// Everybody is served or stopped as promised; then nobody is left, and nothing.
    fn leave(mut self) {
        for handle in self.people.keys().cloned().collect::<Vec<_>>() {
            self.visit(&handle);
        }
        for handle in self.people.keys().cloned().collect::<Vec<_>>() {
            self.destroy(&handle);
        }
        until("nothing is left", || self.platform.traces().is_empty());
        self.platform.kill();
        text(&mut self.platform.matrixos(&["store", "verify"]));
        eprintln!("{} steps, {} people", self.steps, self.born);
        assert!(self.steps > 20, "too few steps to mean anything");
    }
}
