//! An installation for tests: the real launcher with a tiny image whose "gateway" runs a script from its owner's home.
// Each test program uses another part of it.
#![allow(dead_code)]

pub(crate) mod bundle;
pub(crate) mod probe;

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use matrixos_launcher::{Spawned, spawn};
use matrixos_runtime::cgroups::{Groups, ROOT};
use matrixos_runtime::client::{CallError, LauncherClient};
use matrixos_runtime::protocol::{Launch, LauncherConfig, Limits, Running, Token};
use matrixos_types::computer::{GATEWAY_PATH, HOME};
use matrixos_types::{ContainerId, DiskQuota, Handle, Instance, Seat};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// An installation with a tiny image, and a launcher that serves it.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) config: LauncherConfig,
    pub(crate) image: String,
    pub(crate) child: Child,
    client: Option<LauncherClient>,
    pub(crate) socket: Option<OwnedFd>,
    runtime: tokio::runtime::Runtime,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(vec![], DiskQuota::Nothing)
    }

    /// An installation whose computers may reach these ports of the host.
    pub(crate) fn with_services(services: Vec<u16>) -> Self {
        Self::with(services, DiskQuota::Nothing)
    }

    /// An installation that holds homes to their share by these means.
    pub(crate) fn with_disk(disk: DiskQuota) -> Self {
        Self::with(vec![], disk)
    }

    fn with(services: Vec<u16>, disk: DiskQuota) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::parse(&format!("t{}", std::process::id() % 10_000_000)).unwrap();
        let config = LauncherConfig {
            run: Path::new("/run").join(instance.as_str()),
            groups: Groups::of(&instance),
            instance,
            data: folder.path().to_owned(),
            pool: "10.213.0.0/16".parse().unwrap(),
            domain: "localhost".to_owned(),
            disk,
            services,
        };
        let hex = "a".repeat(64);
        tiny_root(&folder.path().join("images/roots").join(&hex));
        fs::create_dir_all(folder.path().join("users")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Spawned { socket, child } = spawn(&config).expect("a launcher");
        let mut house =
            Self { folder, config, image: format!("sha256:{hex}"), child, client: None, socket: None, runtime };
        house.connect(socket);
        house
    }

    fn connect(&mut self, socket: OwnedFd) {
        let _guard = self.runtime.enter();
        self.socket = Some(socket.try_clone().unwrap());
        self.client = Some(LauncherClient::new(socket).unwrap());
    }

    /// Ends the launcher and starts another.
    pub(crate) fn restart(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        let Spawned { socket, child } = spawn(&self.config).expect("a launcher");
        self.child = child;
        self.connect(socket);
    }

    pub(crate) fn client(&self) -> &LauncherClient {
        self.client.as_ref().unwrap()
    }

    pub(crate) fn block<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn person(&self, number: u16, script: &str) -> Launch {
        let (seat, handle) = (Seat::new(number).unwrap(), Handle::parse(&format!("user{number}")).unwrap());
        let home = matrixos_rootfs::tree::ensure(&self.folder.path().join("users"), &handle, seat).unwrap();
        let file = home.join("run.sh");
        fs::write(&file, script).unwrap();
        chown(&file, Some(seat.first_id() + 1000), None).unwrap();
        let container = ContainerId::parse(&format!("c{number:016x}")).unwrap();
        let secret = |text: &str| Token(text.to_owned());
        let (token, credential) = (secret("a-secret"), secret("another-secret"));
        Launch { container, seat, handle, image: self.image.clone(), token, credential, limits: Limits::default() }
    }

    /// Root of the image.
    pub(crate) fn root(&self) -> PathBuf {
        matrixos_rootfs::image::roots(self.folder.path()).join(self.image.trim_start_matches("sha256:"))
    }

    pub(crate) fn home(&self, launch: &Launch) -> PathBuf {
        self.folder.path().join("users").join(launch.handle.as_str()).join("matrixos")
    }

    pub(crate) fn launch(&self, launch: &Launch) -> Result<(Running, OwnedFd), CallError> {
        self.block(self.client().launch(launch.clone()))
    }

    pub(crate) fn take_down(&self, launch: &Launch) {
        self.block(self.client().take_down(launch.container.clone(), Some(launch.seat))).expect("taken down");
    }

    /// Launches, waits for the script's end, and returns what it wrote to `out`.
    pub(crate) fn run(&self, number: u16, script: &str) -> String {
        // It waits for the test to hold its pidfd: a first process that has ended by then is a failed launch.
        let script = format!("while [ ! -e go ]; do sleep 0.02; done; {{ {script}\n}} >{HOME}/out 2>&1");
        let launch = self.person(number, &script);
        let (_, pidfd) = self.launch(&launch).expect("launched");
        fs::write(self.home(&launch).join("go"), "").unwrap();
        assert!(ends(&pidfd, 60), "the script ends");
        let mut text = String::new();
        fs::File::open(self.home(&launch).join("out")).unwrap().read_to_string(&mut text).unwrap();
        self.take_down(&launch);
        text
    }

    /// Whatever this installation has left on the machine: groups, links, runtime folders.
    pub(crate) fn traces(&self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut add = |folder: PathBuf| {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    all.insert(entry.path().display().to_string());
                }
            }
        };
        for hierarchy in fs::read_dir(ROOT).unwrap().flatten() {
            add(hierarchy.path().join(self.config.instance.as_str()));
        }
        add(self.config.run.join("containers"));
        add(self.config.run.join("libcontainer"));
        let links = Command::new("ip").args(["-o", "link"]).output().unwrap();
        let prefix = format!(" {}-v", self.config.instance);
        all.extend(String::from_utf8_lossy(&links.stdout).lines().filter(|l| l.contains(&prefix)).map(str::to_owned));
        all
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for observed in self.block(self.client().observe()).unwrap_or_default() {
            let _ = self.block(self.client().take_down(observed.container, observed.seat));
        }
        self.client = None;
        self.socket = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        for hierarchy in fs::read_dir(ROOT).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(hierarchy.path().join(self.config.instance.as_str()));
        }
        let _ = fs::remove_dir_all(&self.config.run);
    }
}

/// True if the process ends within so many seconds.
pub(crate) fn ends(pidfd: &OwnedFd, seconds: u16) -> bool {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::from(seconds * 1_000)).unwrap() > 0
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// BusyBox, and a "gateway" that runs the owner's script.
fn tiny_root(root: &Path) {
    for folder in ["bin", "dev", "etc", "home/matrixos", "proc", "run", "sys", "tmp", "usr/lib/matrixos", "var/tmp"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("Debian's busybox-static");
    for applet in [
        "sh", "cat", "id", "touch", "mount", "umount", "unshare", "sleep", "head", "tail", "ls", "mknod", "dmesg",
        "date", "chroot", "mkdir", "ln", "mv", "rm", "chmod", "cmp",
    ] {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    let gateway = root.join(GATEWAY_PATH.trim_start_matches('/'));
    fs::write(&gateway, format!("#!/bin/sh\nexec /bin/sh {HOME}/run.sh\n")).unwrap();
    fs::set_permissions(&gateway, fs::Permissions::from_mode(0o755)).unwrap();
    for folder in [root, &root.join("..")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
