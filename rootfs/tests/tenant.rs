//! Every way in which a tenant could make the platform read something else than their own file. Needs root.
//! `MATRIXOS_SOAK=1` runs the race for a minute and makes a million entries.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use matrixos_rootfs::tenant::{TenantFileError, TenantHome, TenantPath};
use matrixos_rootfs::{profile, tree};
use matrixos_types::{Handle, Seat};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, makedev, mknodat, renameat_with};

const CANARY: &str = "CANARY: nobody may read this";
const LONG: Duration = Duration::from_secs(10);

fn soaking() -> bool {
    std::env::var_os("MATRIXOS_SOAK").is_some()
}

/// A data directory with one home, and a secret beside it that belongs to root.
struct House {
    folder: tempfile::TempDir,
    seat: Seat,
    handle: Handle,
}

impl House {
    fn users(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("users")).unwrap();
        let this = Self { folder, seat: Seat::new(3).unwrap(), handle: Handle::parse("alice").unwrap() };
        tree::ensure(&this.users(), &this.handle, this.seat).unwrap();
        fs::create_dir(this.outside("")).unwrap();
        fs::write(this.outside("secret"), CANARY).unwrap();
        this
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join("outside").join(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("users/alice/matrixos").join(name)
    }

    /// A file of the tenant's.
    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        self.give(&path);
    }

    fn give(&self, path: &Path) {
        let owner = Some(tree::owner(self.seat));
        chown(path, owner, owner).unwrap();
    }

    fn home(&self) -> TenantHome {
        TenantHome::open(&self.users(), &self.handle, self.seat).unwrap()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, TenantFileError> {
        self.home().read(&TenantPath::parse(name.as_bytes()).unwrap(), 4_096, LONG)
    }
}

macro_rules! refused {
    ($read:expr, $why:pat) => {
        match $read {
            Err($why) => {}
            other => panic!("expected {}, not {other:?}", stringify!($why)),
        }
    };
}

#[test]
fn a_tenants_own_file_is_read_and_its_content_is_data() {
    let house = House::new();
    house.put("notes/a <b>.txt", "<script>alert(1)</script>\0\u{202e}");
    assert_eq!(house.read("notes/a <b>.txt").unwrap(), "<script>alert(1)</script>\0\u{202e}".as_bytes());
    refused!(house.read("nothing"), TenantFileError::Absent);
    refused!(house.read("notes/a <b>.txt/x"), TenantFileError::Absent);
    house.put("names/with\nnewlines", "x");
    fs::write(house.path("names").join(std::ffi::OsStr::new("\u{202e}dm.x")), "x").unwrap();
    refused!(house.read("names"), TenantFileError::NotAFile);
}

#[test]
fn no_symbolic_or_magic_link_is_followed() {
    let house = House::new();
    house.put("own", "mine");
    house.put("folder/own", "mine");
    symlink(house.outside("secret"), house.path("absolute")).unwrap();
    symlink("../../../outside/secret", house.path("up")).unwrap();
    symlink("own", house.path("to-own")).unwrap();
    symlink(house.outside(""), house.path("parent")).unwrap();
    symlink("folder", house.path("to-folder")).unwrap();
    symlink("/proc/self/root", house.path("magic")).unwrap();
    symlink("/proc/self/fd", house.path("fds")).unwrap();
    symlink("loop", house.path("loop")).unwrap();
    let inside = house.outside("secret");
    let by_root = format!("magic{}", inside.display());
    for name in ["absolute", "up", "to-own", "parent/secret", "to-folder/own", "magic", &by_root, "fds/0", "loop"] {
        refused!(house.read(name), TenantFileError::Link);
    }
}

#[test]
fn a_file_with_another_name_or_another_owner_is_refused() {
    let house = House::new();
    fs::hard_link(house.outside("secret"), house.path("hard")).unwrap();
    refused!(house.read("hard"), TenantFileError::ManyNames);
    // Their other name may be removed again, so the owner counts as well.
    fs::write(house.path("roots"), CANARY).unwrap();
    refused!(house.read("roots"), TenantFileError::Foreign(0));
    house.put("neighbours", CANARY);
    chown(house.path("neighbours"), Some(tree::owner(Seat::new(4).unwrap())), None).unwrap();
    refused!(house.read("neighbours"), TenantFileError::Foreign(_));
    house.put("mine", "mine");
    fs::hard_link(house.path("mine"), house.path("mine too")).unwrap();
    refused!(house.read("mine"), TenantFileError::ManyNames);
}

#[test]
fn pipes_devices_sockets_folders_and_leases_block_nobody() {
    let house = House::new();
    let node = |name: &str, kind, device| {
        mknodat(CWD, house.path(name), kind, Mode::from_raw_mode(0o666), device).unwrap();
        house.give(&house.path(name));
    };
    node("pipe", FileType::Fifo, 0);
    node("zero", FileType::CharacterDevice, makedev(1, 5));
    node("tty", FileType::CharacterDevice, makedev(5, 0));
    node("no-driver", FileType::BlockDevice, makedev(250, 77));
    let _socket = UnixListener::bind(house.path("socket")).unwrap();
    fs::create_dir(house.path("folder")).unwrap();
    let begun = Instant::now();
    for name in ["pipe", "zero", "tty", "no-driver", "socket", "folder"] {
        refused!(house.read(name), TenantFileError::NotAFile);
    }
    house.put("leased", "mine");
    let hold = "open F, '+<', $ARGV[0] or die; fcntl F, 1024, 1 or die; $SIG{IO} = 'IGNORE'; print qq(held\\n); close STDOUT; sleep 60";
    let mut holder = Command::new("perl")
        .args(["-e", hold])
        .arg(house.path("leased"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_to_string(holder.stdout.as_mut().unwrap(), &mut String::new()).unwrap();
    let leased = house.read("leased");
    holder.kill().unwrap();
    holder.wait().unwrap();
    refused!(leased, TenantFileError::Busy);
    assert!(begun.elapsed() < LONG, "nothing waited");
}

#[test]
fn huge_and_growing_files_are_read_up_to_the_bound_and_within_the_deadline() {
    let house = House::new();
    house.put("sparse", "");
    File::options().write(true).open(house.path("sparse")).unwrap().set_len(10 << 30).unwrap();
    assert_eq!(house.read("sparse").unwrap().len(), 4_096);
    house.put("growing", "x");
    let growing = House::path(&house, "growing");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&growing).unwrap();
            for _ in 0..2_000 {
                std::io::Write::write_all(&mut file, &[b'x'; 4_096]).unwrap();
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..50 {
            let path = TenantPath::parse(b"growing").unwrap();
            assert!(house.home().read(&path, 100_000, LONG).unwrap().len() <= 100_000);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let path = TenantPath::parse(b"sparse").unwrap();
    refused!(house.home().read(&path, 256 << 20, Duration::from_millis(5)), TenantFileError::Late);
}

#[test]
fn a_folder_of_very_many_or_very_deep_entries_costs_nothing() {
    let house = House::new();
    let many = if soaking() { 1_000_000 } else { 100_000 };
    let fill = "chdir $ARGV[0] or die; for (1..$ARGV[1]) { open F, '>', qq(n$_) or die; close F }";
    assert!(
        Command::new("perl").args(["-e", fill]).arg(house.path("")).arg(many.to_string()).status().unwrap().success()
    );
    let dig = "chdir $ARGV[0] or die; for (1..4000) { mkdir 'd' and chdir 'd' or die }";
    assert!(Command::new("perl").args(["-e", dig]).arg(house.path("")).status().unwrap().success());
    house.put("mine", "mine");
    let begun = Instant::now();
    assert_eq!(house.read("mine").unwrap(), b"mine");
    refused!(house.read(&["d"; 16].join("/")), TenantFileError::NotAFile);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let begun = Instant::now();
    tree::remove(&house.users(), &house.handle, house.seat).unwrap();
    println!("{many} entries and 4,000 levels removed in {:?}", begun.elapsed());
    assert!(!house.path("").exists() && house.outside("secret").exists());
}

/// Runs `work` in a mount namespace of its own, which ends with it.
fn apart(work: impl FnOnce() + Send + 'static) {
    let inside = move || {
        unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace (run as root)");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        work();
    };
    thread::spawn(inside).join().unwrap();
}

fn tmpfs(at: &Path) {
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
}

#[test]
fn a_home_may_be_a_mount_but_nothing_in_it_may() {
    apart(|| {
        let house = House::new();
        tmpfs(&house.path(""));
        refused!(TenantHome::open(&house.users(), &house.handle, house.seat), TenantFileError::NoHome(_));
        house.give(&house.path(""));
        house.put("mine", "mine");
        assert_eq!(house.read("mine").unwrap(), b"mine", "the home's own file system");
        house.put("bound", "");
        let bind = |from: &Path, to: &str| {
            mount(Some(from), &house.path(to), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        };
        bind(&house.outside("secret"), "bound");
        refused!(house.read("bound"), TenantFileError::Elsewhere);
        fs::create_dir(house.path("other")).unwrap();
        tmpfs(&house.path("other"));
        house.put("other/file", CANARY);
        refused!(house.read("other/file"), TenantFileError::Elsewhere);
    });
}

#[test]
fn removal_leaves_alone_what_is_mounted_in_a_home() {
    for same_file_system in [true, false] {
        apart(move || {
            let house = House::new();
            let door = house.path("a door");
            fs::create_dir(&door).unwrap();
            if same_file_system {
                let outside = Some(house.outside(""));
                mount(outside.as_deref(), &door, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            } else {
                tmpfs(&door);
                fs::write(door.join("secret"), CANARY).unwrap();
            }
            let removed = tree::remove(&house.users(), &house.handle, house.seat);
            assert!(matches!(removed, Err(tree::TreeError::Mounted(place)) if place.ends_with("a door")));
            assert_eq!(fs::read_to_string(door.join("secret")).unwrap(), CANARY, "what lies beyond is kept");
        });
    }
}

#[test]
fn removal_copes_with_odd_names_and_says_what_it_cannot_remove() {
    use std::os::unix::ffi::OsStrExt;
    let house = House::new();
    for name in [&b"two\nlines"[..], b"-rf", b"\xff\xfe", b"* ?", "\u{202e}x".as_bytes(), b"--", b" "] {
        fs::write(house.path("").join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
    }
    symlink(house.outside(""), house.path("out")).unwrap();
    fs::hard_link(house.outside("secret"), house.path("hard")).unwrap();
    house.put("fixed", "x");
    let immutable = |sign: &str| {
        let changed = Command::new("chattr").arg(format!("{sign}i")).arg(house.path("fixed")).status();
        changed.is_ok_and(|status| status.success())
    };
    if immutable("+") {
        let removed = tree::remove(&house.users(), &house.handle, house.seat);
        assert!(immutable("-"));
        let error = removed.unwrap_err().to_string();
        assert!(error.contains("fixed") && error.contains("Operation not permitted"), "{error}");
    } else {
        println!("this file system has no immutable flag");
    }
    tree::remove(&house.users(), &house.handle, house.seat).unwrap();
    assert!(!house.path("").exists());
    assert_eq!(fs::read_to_string(house.outside("secret")).unwrap(), CANARY);
}

/// A tenant exchanges what they may show for what they may not, as fast as the kernel can.
fn exchange(a: &Path, b: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
    }
}

#[test]
fn not_one_byte_of_a_canary_is_read_while_everything_is_being_exchanged() {
    let house = House::new();
    let (seconds, readers) = if soaking() { (60, 100) } else { (3, 32) };
    house.put("file", "mine");
    house.put("folder/file", "mine");
    house.put("hard", "mine");
    fs::create_dir(house.outside("folder")).unwrap();
    for name in ["file", "folder/file"] {
        fs::write(house.outside(name), CANARY).unwrap();
    }
    symlink(house.outside("file"), house.path("to-file")).unwrap();
    symlink(house.outside("folder"), house.path("to-folder")).unwrap();
    fs::hard_link(house.outside("secret"), house.path("hard-secret")).unwrap();
    let (stop, good, refused) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(seconds);
    thread::scope(|scope| {
        for (a, b) in [("file", "to-file"), ("folder", "to-folder"), ("hard", "hard-secret")] {
            let (a, b, stop) = (house.path(a), house.path(b), &stop);
            scope.spawn(move || exchange(&a, &b, stop));
        }
        let work = || {
            let home = house.home();
            let paths = ["file", "folder/file", "hard", "to-file", "to-folder/file", "hard-secret"]
                .map(|name| TenantPath::parse(name.as_bytes()).unwrap());
            while Instant::now() < until {
                for path in &paths {
                    match home.read(path, 4_096, LONG) {
                        Ok(bytes) if bytes == b"mine" => good.fetch_add(1, Ordering::Relaxed),
                        Ok(bytes) => panic!("read {:?}", String::from_utf8_lossy(&bytes)),
                        Err(_) => refused.fetch_add(1, Ordering::Relaxed),
                    };
                }
            }
        };
        let all: Vec<_> = (0..readers).map(|_| scope.spawn(work)).collect();
        let clean = all.into_iter().map(|reader| reader.join()).filter(Result::is_ok).count();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(clean, readers);
    });
    let (good, refused) = (good.into_inner(), refused.into_inner());
    println!("{good} reads of the tenant's own bytes, {refused} refusals, in {seconds} s");
    assert!(good > 1_000 && refused > 1_000, "both sides of the exchange were met: {good}, {refused}");
}

#[test]
fn a_profile_is_the_text_of_one_file_and_nothing_but_that() {
    let house = House::new();
    assert_eq!(profile::read(&house.home()).unwrap(), None);
    house.put("profile.md", b"<!-- mine -->\nI am \xff Alice.\x1b[2J\r\n");
    assert_eq!(profile::read(&house.home()).unwrap().as_deref(), Some("I am \u{fffd} Alice.[2J"));
    house.put("profile.md", vec![b'a'; 1 << 20]);
    assert_eq!(profile::read(&house.home()).unwrap().map(|text| text.len()), Some(profile::LONGEST));
    fs::remove_file(house.path("profile.md")).unwrap();
    symlink(house.outside("secret"), house.path("profile.md")).unwrap();
    refused!(profile::read(&house.home()), TenantFileError::Link);
}
