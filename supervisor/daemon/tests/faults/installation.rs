//! One installation of the platform, and what can be done to it from outside.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use serde_json::Value;

const CONFIG: &str = "[sleep]\nfreeze_after_seconds = 1\nstop_after_seconds = 5\n";
/// What nobody has used for less than that still runs.
pub(crate) const STOP_AFTER: Duration = Duration::from_secs(5);
/// Generous: seven of these run beside each other, and perhaps beside a build.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A program of this workspace, as cargo built it for the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_BIN_EXE_matrixos")).parent().unwrap().to_owned();
        // Cargo offers a test no programs of other packages.
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "-p", "matrixos-gateway", "-p", "matrixos-testkit", "--target-dir"])
            .arg(folder.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo").success(), "the gateway and the visitor do not build");
        folder
    });
    if name == "matrixos" { env!("CARGO_BIN_EXE_matrixos").into() } else { FOLDER.join(name) }
}

/// Runs a command that must succeed, and returns what it prints.
pub(crate) fn text(command: &mut Command) -> String {
    match said(command) {
        Ok(text) => text,
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Runs a command and returns what it prints, or what it complains about.
pub(crate) fn said(command: &mut Command) -> Result<String, String> {
    let output = command.env_remove("RUST_BACKTRACE").stdin(Stdio::null()).output().expect("a program");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Waits until it holds. For whatever depends on how busy the machine is.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// An installation; its commands and its platform live in the network namespace of the thread that made it.
pub(crate) struct Installation {
    name: String,
    folder: tempfile::TempDir,
    serving: Option<Child>,
}

impl Installation {
    /// With the image that lies in that data directory.
    pub(crate) fn new(number: usize, image: &Path) -> Self {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
        text(Command::new("ip").args(["link", "set", "lo", "up"]));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        text(Command::new("cp").arg("-a").arg(image.join("images")).arg(folder.path().join("data")));
        // At most eight characters.
        let name = format!("f{:x}x{number:x}", std::process::id() % 0x1_0000);
        Self { name, folder, serving: None }
    }

    /// A command of the program on this installation.
    pub(crate) fn matrixos(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("matrixos"));
        command.arg("--config").arg(self.folder.path().join("config.toml"));
        command.arg("--data").arg(self.folder.path().join("data"));
        command.args(["--instance", &self.name]).args(arguments);
        command
    }

    /// Somebody's program on the network.
    pub(crate) fn visitor(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("visitor"));
        command.args(arguments);
        command
    }

    /// Starts the platform, to be cut off after an effect or not. True once it answers; false if it was cut off before.
    pub(crate) fn start(&mut self, cut: Option<u64>) -> bool {
        let mut command = self.matrixos(&["serve"]);
        if let Some(number) = cut {
            command.env("MATRIXOS_CUT_AFTER", number.to_string());
        }
        command.env("MATRIXOS_BROKEN_WHILE", self.broken());
        let log = File::create(self.log_file()).unwrap();
        self.serving = Some(command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let mut answers = false;
        until("the platform answers", || {
            answers = said(&mut self.matrixos(&["status"])).is_ok();
            answers || !self.serves()
        });
        assert!(answers || cut.is_some(), "it does not start: {}", self.log());
        answers
    }

    /// Whether the platform is there.
    pub(crate) fn serves(&mut self) -> bool {
        self.serving.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// The number of the process that serves.
    pub(crate) fn supervisor(&self) -> Option<i32> {
        i32::try_from(self.serving.as_ref()?.id()).ok()
    }

    /// The number of its launcher.
    pub(crate) fn launcher(&self) -> Option<i32> {
        let pid = self.supervisor()?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Ends the platform as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// While this file exists, the store can write nothing.
    pub(crate) fn broken(&self) -> PathBuf {
        self.folder.path().join("broken")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What the platform has said since its start.
    pub(crate) fn log(&self) -> String {
        let mut bytes = Vec::new();
        File::open(self.log_file()).unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What the platform has done since its start.
    pub(crate) fn effects(&self) -> Vec<String> {
        let log = self.log();
        let effects = log.lines().filter_map(|line| line.strip_prefix("EFFECT ")?.split_once(' '));
        effects.map(|(_, what)| what.to_owned()).collect()
    }

    /// Everything that `container list` knows.
    pub(crate) fn list(&self) -> Result<Vec<Value>, String> {
        let text = said(&mut self.matrixos(&["container", "list", "--json"]))?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// The first processes that live, by the records of the launcher and the kernel's word.
    pub(crate) fn living(&self) -> BTreeSet<i64> {
        let records = fs::read_dir(self.run().join("containers")).into_iter().flatten().flatten();
        let records = records.filter_map(|entry| fs::read(entry.path().join("record.json")).ok());
        let identities =
            records.filter_map(|text| Some(serde_json::from_slice::<Value>(&text).ok()?["identity"].clone()));
        identities.filter(lives).filter_map(|identity| identity["pid"].as_i64()).collect()
    }

    fn run(&self) -> PathBuf {
        Path::new("/run").join(&self.name)
    }

    /// What is left of containers: folders, groups, links, mounts, homes, processes of launchers that have ended.
    pub(crate) fn traces(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut add = |folder: PathBuf| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            all.extend(entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.path().display().to_string()));
        };
        for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
            add(hierarchy.path().join(&self.name));
        }
        add(self.run().join("containers"));
        add(self.run().join("libcontainer"));
        add(self.folder.path().join("data/users"));
        let links = text(Command::new("ip").args(["-o", "link"]));
        all.extend(links.lines().filter(|line| line.contains(&format!(" {}-v", self.name))).map(str::to_owned));
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        all.extend(
            mounts.lines().filter(|line| line.contains(self.folder.path().to_str().unwrap())).map(str::to_owned),
        );
        all
    }
}

/// Whether the recorded process is there: field 22 of `/proc/PID/stat` is when it began.
fn lives(identity: &Value) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", identity["pid"])).unwrap_or_default();
    let fields: Vec<_> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let state = fields.first().copied().unwrap_or("X");
    !matches!(state, "Z" | "X") && fields.get(19).and_then(|text| text.parse().ok()) == identity["started"].as_u64()
}

impl Drop for Installation {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of {}:\n{}", self.name, self.log());
        }
        // A platform that nobody cuts off, on a disk that works, removes what is left.
        let _ = fs::remove_file(self.broken());
        if thread::panicking() || !self.serves() {
            self.kill();
            self.serving = self.matrixos(&["serve"]).stdin(Stdio::null()).stderr(Stdio::null()).spawn().ok();
            let deadline = Instant::now() + Duration::from_secs(20);
            while said(&mut self.matrixos(&["status"])).is_err() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(50));
            }
        }
        for row in self.list().unwrap_or_default() {
            let handle = row["handle"].as_str().unwrap_or_default();
            let _ = said(&mut self.matrixos(&["container", "destroy", handle, "--confirm", handle]));
        }
        self.kill();
        for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            let _ = fs::remove_dir(hierarchy.path().join(&self.name));
        }
        let _ = fs::remove_dir_all(self.run());
    }
}
