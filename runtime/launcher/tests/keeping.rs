//! What the launcher does besides containers: it keeps the walls of the network up, and reads profiles with the rights of
//! whose they are. In network namespaces of its own. Needs root.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use matrixos_launcher::{Spawned, spawn};
use matrixos_netns::{Lease, Network, apply, observe};
use matrixos_rootfs::tree;
use matrixos_runtime::cgroups::{Groups, ROOT};
use matrixos_runtime::client::{CallError, LauncherClient};
use matrixos_runtime::protocol::{FailureKind, LauncherConfig};
use matrixos_types::{DiskQuota, Handle, Instance, Seat};
use nix::sched::{CloneFlags, setns, unshare};

const SERVICE: u16 = 8081;

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    assert!(sh("ip link set lo up"));
    let mut arguments = Arguments::from_args();
    // They share the network namespace.
    arguments.test_threads = Some(1);
    let tests: &[(&str, fn())] = &[
        ("flushed_walls_stand_again_within_seconds_and_what_runs_stays_attached", walls_stand_again),
        ("a_profile_is_read_with_the_rights_of_its_owner", profile_rights),
        ("many_who_ask_for_profiles_keep_one_child_busy", profile_flood),
    ];
    let trial = |(name, test): &(&str, fn())| {
        let test = *test;
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}

fn sh(command: &str) -> bool {
    Command::new("sh").args(["-ec", command]).status().expect("a shell").success()
}

/// An installation with a launcher that serves it.
struct House {
    folder: tempfile::TempDir,
    config: LauncherConfig,
    child: Child,
    client: Option<LauncherClient>,
    runtime: tokio::runtime::Runtime,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As a data directory below /root would be: a tenant may not pass through.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let instance = Instance::parse(&format!("k{}", std::process::id() % 10_000_000)).unwrap();
        let config = LauncherConfig {
            run: Path::new("/run").join(instance.as_str()),
            groups: Groups::of(&instance),
            instance,
            data: folder.path().to_owned(),
            pool: "10.213.0.0/16".parse().unwrap(),
            domain: "localhost".to_owned(),
            disk: DiskQuota::Nothing,
            services: vec![SERVICE],
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Spawned { socket, child } = spawn(&config).expect("a launcher");
        let client = {
            let _guard = runtime.enter();
            Some(LauncherClient::new(socket).unwrap())
        };
        let this = Self { folder, config, child, client, runtime };
        this.runtime.block_on(this.client().observe()).expect("it is up");
        this
    }

    fn client(&self) -> &LauncherClient {
        self.client.as_ref().unwrap()
    }

    fn network(&self) -> Network {
        Network::new(self.config.instance.clone(), self.config.pool).unwrap()
    }

    fn person(&self, number: u16) -> (Seat, Handle, PathBuf) {
        let (seat, handle) = (Seat::new(number).unwrap(), Handle::parse(&format!("user{number}")).unwrap());
        let home = tree::ensure(&self.folder.path().join("users"), &handle, seat).unwrap();
        (seat, handle, home)
    }

    fn profile(&self, seat: Seat, handle: &Handle) -> Result<Option<String>, CallError> {
        self.runtime.block_on(self.client().read_profile(seat, handle.clone()))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.client = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = apply::remove_all(&self.network());
        for hierarchy in fs::read_dir(ROOT).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(hierarchy.path().join(self.config.instance.as_str()));
        }
        let _ = fs::remove_dir_all(&self.config.run);
    }
}

/// Somebody's computer, as far as the network is concerned.
#[derive(Clone)]
struct Computer(Arc<File>);

impl Computer {
    fn attach(lease: &Lease) -> Self {
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let namespace = made.join().unwrap();
        apply::attach(lease, namespace.as_fd()).unwrap();
        Self(Arc::new(namespace))
    }

    fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let namespace = self.0.clone();
        let inside = move || {
            setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        thread::spawn(inside).join().unwrap()
    }

    fn reaches(&self, address: SocketAddr) -> bool {
        self.run(move || TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok())
    }
}

fn within(seconds: u64, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

fn walls_stand_again() {
    let house = House::new();
    let network = house.network();
    let lease = network.lease(Seat::new(1).unwrap()).unwrap();
    let computer = Computer::attach(&lease);
    let [service, other] = [SERVICE, 8080].map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap());
    let [open, closed] = [SERVICE, 8080].map(|port| SocketAddr::from((lease.gateway, port)));
    let (mut inside, mut outside) = within(10, || computer.reaches(open))
        .then(|| (computer.run(move || TcpStream::connect(open).unwrap()), service.accept().unwrap().0))
        .expect("the computer reaches the service");
    // Those of the tries above come first.
    while outside.peer_addr().unwrap() != inside.local_addr().unwrap() {
        outside = service.accept().unwrap().0;
    }
    assert!(!computer.reaches(closed));
    let stands = || apply::stands(&network, &[SERVICE]).unwrap();
    for change in [
        "nft flush ruleset".to_owned(),
        format!("nft insert rule inet {} to_host accept", network.table()),
        format!("nft delete table bridge {}", network.table()),
    ] {
        assert!(stands() && sh(&change));
        assert!(!stands(), "{change}");
        assert!(within(8, stands), "nobody repaired: {change}");
        assert!(!computer.reaches(closed), "{change}");
    }
    assert!(computer.reaches(open), "what is attached stays attached");
    inside.write_all(b"still here").unwrap();
    drop(inside);
    let mut heard = String::new();
    outside.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "still here", "and what was open stays open");
    // Once they stand, nothing is loaded again and again.
    thread::sleep(Duration::from_secs(3));
    let settled = observe::generation().unwrap();
    assert!(sh("nft add table ip somebody_else"));
    thread::sleep(Duration::from_secs(4));
    assert_eq!(observe::generation().unwrap(), settled + 1, "another's table is no reason to load anything");
    assert!(sh("nft delete table ip somebody_else"));
    drop(other);
}

fn profile_rights() {
    let house = House::new();
    let (seat, handle, home) = house.person(1);
    let file = home.join("profile.md");
    let put = |text: &str, owner: u32, mode: u32| {
        let _ = fs::remove_file(&file);
        fs::write(&file, text).unwrap();
        chown(&file, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!(house.profile(seat, &handle).unwrap(), None);
    put("I am one.\n", tree::owner(seat), 0o600);
    assert_eq!(house.profile(seat, &handle).unwrap().as_deref(), Some("I am one."));
    let refusal = |what: &str| match house.profile(seat, &handle) {
        Err(CallError::Failed(failure)) if failure.kind == FailureKind::Refused => failure.message,
        other => panic!("{what}: {other:?}"),
    };
    // The seat's own root may have closed it: root of the host would read it nevertheless.
    put("closed", seat.first_id(), 0o600);
    assert!(refusal("of another id").contains("Permission denied"));
    put("closed", tree::owner(seat), 0o000);
    assert!(refusal("closed by its owner").contains("Permission denied"));
    put("root's", 0, 0o644);
    assert!(refusal("root's").contains("belongs to user id 0"));
    fs::remove_file(&file).unwrap();
    symlink("/etc/passwd", &file).unwrap();
    assert!(refusal("a link").contains("link"));
    let (other_seat, other_handle, other_home) = house.person(2);
    fs::write(other_home.join("profile.md"), "mine").unwrap();
    for (seat, handle) in [(seat, &other_handle), (other_seat, &handle)] {
        assert!(house.profile(seat, handle).is_err(), "a seat and a handle that do not belong together");
    }
    assert_eq!(house.profile(seat, &Handle::parse("nobody1").unwrap()).unwrap(), None);
}

fn profile_flood() {
    let house = House::new();
    let (seat, handle, home) = house.person(3);
    fs::write(home.join("profile.md"), "x".repeat(100_000)).unwrap();
    chown(home.join("profile.md"), Some(tree::owner(seat)), None).unwrap();
    let children = || {
        let pid = house.child.id();
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap().split_whitespace().count()
    };
    let begun = Instant::now();
    house.runtime.block_on(async {
        let asked: Vec<_> = (0..200)
            .map(|_| {
                let (client, handle) = (house.client().clone(), handle.clone());
                tokio::spawn(async move { client.read_profile(seat, handle).await })
            })
            .collect();
        for one in asked {
            assert_eq!(one.await.unwrap().unwrap().map(|text| text.len()), Some(16 * 1024));
            // Another may look at the firewall meanwhile.
            assert!(children() <= 2);
        }
    });
    println!("200 profiles in {:?}", begun.elapsed());
}
