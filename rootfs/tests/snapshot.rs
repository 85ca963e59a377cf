//! A tree becomes an archive and comes back as it was; cut short anywhere, one of the two is whole. Needs root.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use matrixos_rootfs::snapshot::{self, Manner, Place, SnapshotError, Step};
use matrixos_rootfs::{quota, tenant::TenantHome, tree};
use matrixos_types::{Bytes, DiskQuota, DiskShare, Handle, Seat};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};

const SHARE: DiskShare = DiskShare { bytes: Bytes::mib(32), inodes: 1_024 };
const STEPS: [Step; 8] = [
    Step::Packed,
    Step::Verified,
    Step::Named,
    Step::Cleared,
    Step::Prepared,
    Step::Unpacked,
    Step::Placed,
    Step::Forgotten,
];

/// One user with a home.
struct User {
    folder: tempfile::TempDir,
    handle: Handle,
    seat: Seat,
    means: DiskQuota,
}

impl User {
    fn new() -> Self {
        Self::held_by(DiskQuota::Nothing)
    }

    /// In a mount namespace of this test's thread.
    fn held_by(means: DiskQuota) -> Self {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let this = Self { folder, handle: Handle::parse("alice").unwrap(), seat: Seat::new(3).unwrap(), means };
        tree::ensure(this.folder.path(), &this.handle, this.seat).unwrap();
        this.show();
        this
    }

    fn show(&self) {
        quota::enforce(self.means, &self.own(), self.seat, SHARE).unwrap();
    }

    fn place(&self) -> Place<'_> {
        Place { users: self.folder.path(), handle: &self.handle, seat: self.seat }
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("alice")
    }

    fn home(&self) -> PathBuf {
        self.own().join("matrixos")
    }

    fn write(&self, name: impl AsRef<Path>, contents: &[u8]) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, contents).unwrap();
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        lchown(path, Some(tree::owner(self.seat)), Some(tree::owner(self.seat))).unwrap();
    }

    fn archive(&self) -> Result<Option<snapshot::Label>, SnapshotError> {
        self.archive_until(None)
    }

    fn archive_until(&self, last: Option<Step>) -> Result<Option<snapshot::Label>, SnapshotError> {
        let pack = |home, ids, file: &File| snapshot::write(home, ids, file);
        snapshot::archive(&self.place(), pack, &mut |step| stop(step, last))
    }

    fn restore(&self) -> Result<bool, SnapshotError> {
        self.restore_until(None)
    }

    fn restore_until(&self, last: Option<Step>) -> Result<bool, SnapshotError> {
        let unpack = |home, file: &File| snapshot::unpack(file, home).map(drop);
        let restored = snapshot::restore(&self.place(), (self.means, SHARE), unpack, &mut |step| stop(step, last));
        if restored.is_ok() {
            self.show();
        }
        restored
    }

    fn stream(&self, manner: Manner) -> (Vec<u8>, snapshot::Tally) {
        let home = TenantHome::open(self.folder.path(), &self.handle, self.seat).unwrap();
        let mut stream = Vec::new();
        let tally = snapshot::pack(home.folder(), home.ids(), manner, &mut stream).unwrap();
        (stream, tally)
    }
}

fn stop(step: Step, last: Option<Step>) -> Result<(), SnapshotError> {
    let killed = SnapshotError::Elsewhere { message: "killed".to_owned(), for_room: false };
    if Some(step) == last { Err(killed) } else { Ok(()) }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = quota::release(&self.own());
    }
}

/// Everything there is to know of a tree. Files with several names are told by the first of these.
fn described(top: &Path) -> BTreeMap<Vec<u8>, String> {
    let (mut all, mut first) = (BTreeMap::new(), BTreeMap::new());
    describe(top, top, &mut all, &mut first);
    all
}

fn describe(top: &Path, path: &Path, all: &mut BTreeMap<Vec<u8>, String>, first: &mut BTreeMap<u64, Vec<u8>>) {
    let found = fs::symlink_metadata(path).unwrap();
    let name = path.strip_prefix(top).unwrap().as_os_str().as_bytes().to_vec();
    let what = if found.is_symlink() {
        format!("-> {:?}", fs::read_link(path).unwrap())
    } else if found.is_dir() {
        "folder".to_owned()
    } else {
        let same = first.entry(found.ino()).or_insert_with(|| name.clone());
        format!("{:?} {:?}", fs::read(path).unwrap(), same)
    };
    all.insert(name, format!("{:o} {} {what}", found.mode(), found.mtime()));
    if found.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| describe(top, entry, all, first));
    }
}

#[derive(Clone, Debug)]
enum Make {
    Folder(u32),
    File(Vec<u8>, u32),
    Holes(Vec<(u32, u8)>, u32),
    Link(Vec<u8>),
    Again,
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\n'), Just(b' '), Just(0xff), b'a'..=b'z'];
    prop_oneof![prop::collection::vec(byte, 1..6), prop::collection::vec(b'a'..=b'c', 150..250)]
        .prop_filter("special", |name| !matches!(name.as_slice(), b"." | b".."))
}

fn any_make() -> impl Strategy<Value = Make> {
    let mode = 0u32..0o10000;
    prop_oneof![
        mode.clone().prop_map(Make::Folder),
        (prop::collection::vec(any::<u8>(), 0..3_000), mode).prop_map(|(bytes, mode)| Make::File(bytes, mode)),
        (prop::collection::vec((0u32..4_000_000, any::<u8>()), 0..40), 0u32..5_000_000)
            .prop_map(|(parts, size)| Make::Holes(parts, size)),
        any_name().prop_map(Make::Link),
        Just(Make::Again),
    ]
}

/// Makes a tree; each thing in one of the folders that are there by then.
fn make(user: &User, recipe: &[(usize, Vec<u8>, Make)]) {
    let (mut folders, mut files) = (vec![user.home()], Vec::new());
    for (place, name, what) in recipe {
        let path = folders[place % folders.len()].join(OsStr::from_bytes(name));
        if fs::symlink_metadata(&path).is_ok() {
            continue;
        }
        match what {
            Make::Folder(_) => {
                fs::create_dir(&path).unwrap();
                folders.push(path.clone());
            }
            Make::File(bytes, _) => {
                fs::write(&path, bytes).unwrap();
                files.push(path.clone());
            }
            Make::Holes(parts, size) => {
                let file = File::create(&path).unwrap();
                file.set_len(u64::from(*size)).unwrap();
                parts.iter().for_each(|(at, byte)| file.write_all_at(&[*byte], u64::from(*at)).unwrap());
            }
            Make::Link(to) => symlink(OsStr::from_bytes(to), &path).unwrap(),
            Make::Again => match files.get(place % files.len().max(1)) {
                Some(first) => fs::hard_link(first, &path).unwrap(),
                None => continue,
            },
        }
        user.give(&path);
        if let Make::Folder(mode) | Make::File(_, mode) = what {
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
    }
    // Making something changes the time of the folder around it.
    for (number, folder) in folders.iter().enumerate() {
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000 + number as u64);
        File::open(folder).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_tree_comes_back_as_it_was(recipe in prop::collection::vec((any::<usize>(), any_name(), any_make()), 0..30)) {
        let user = User::new();
        make(&user, &recipe);
        let before = described(&user.home());
        let label = user.archive().unwrap().unwrap();
        prop_assert_eq!(label.entries, before.len() as u64);
        prop_assert!(!user.home().exists() && snapshot::is_archived(&user.place()).unwrap());
        prop_assert!(user.restore().unwrap());
        prop_assert_eq!(described(&user.home()), before);
        prop_assert!(!snapshot::is_archived(&user.place()).unwrap());
        prop_assert_eq!(fs::metadata(user.home()).unwrap().uid(), tree::owner(user.seat));
    }
}

/// A tree of some kinds of things.
fn furnish(user: &User) -> BTreeMap<Vec<u8>, String> {
    user.write("notes.md", b"what was kept");
    fs::create_dir(user.home().join("folder")).unwrap();
    user.give(&user.home().join("folder"));
    user.write("folder/numbers", &(0..100_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
    fs::hard_link(user.home().join("notes.md"), user.home().join("folder/again")).unwrap();
    symlink("/etc/passwd", user.home().join("link")).unwrap();
    user.give(&user.home().join("link"));
    described(&user.home())
}

fn cut_short_anywhere(means: DiskQuota) {
    for last in STEPS {
        let user = User::held_by(means);
        let before = furnish(&user);
        if user.archive_until(Some(last)).is_err() {
            // The computer may be wanted at once: then there is a tree, or an archive that says that it comes first.
            if !snapshot::settle(&user.place()).unwrap() {
                user.show();
                assert_eq!(described(&user.home()), before, "{last:?}");
            }
            user.archive().unwrap().unwrap_or_else(|| panic!("{last:?}: archived at the second try"));
        }
        assert!(!user.home().exists() && !user.own().join("disk.ext4").exists(), "{last:?}");
        if user.restore_until(Some(last)).is_err() {
            assert!(snapshot::is_archived(&user.place()).unwrap() || last == Step::Forgotten, "{last:?}");
            user.restore().unwrap();
        }
        assert_eq!(described(&user.home()), before, "{last:?}");
        let left: Vec<_> = fs::read_dir(user.own()).unwrap().map(|e| e.unwrap().file_name()).collect();
        let usual = if means == DiskQuota::Image { 2 } else { 1 };
        assert_eq!(left.len(), usual, "{last:?}: {left:?}");
    }
}

#[test]
fn cut_short_after_any_step_the_tree_or_the_archive_is_whole_and_a_second_try_ends_it() {
    cut_short_anywhere(DiskQuota::Nothing);
}

#[test]
fn the_same_holds_for_a_home_in_an_image_of_its_own() {
    cut_short_anywhere(DiskQuota::Image);
}

#[test]
fn a_terabyte_of_nothing_takes_a_moment_and_no_room() {
    let user = User::new();
    let path = user.write("sparse", b"");
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    file.write_all_at(b"here", 700 << 30).unwrap();
    let begun = Instant::now();
    user.archive().unwrap();
    assert!(fs::metadata(user.own().join("archive.tar.zst")).unwrap().len() < 10_000);
    user.restore().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60));
    let found = fs::metadata(&path).unwrap();
    assert!(found.len() == 1 << 40 && found.blocks() < 1_000, "{} blocks", found.blocks());
    let mut read = [0; 6];
    File::open(&path).unwrap().read_exact_at(&mut read, (700 << 30) - 1).unwrap();
    assert_eq!(&read, b"\0here\0");
}

#[test]
fn sockets_pipes_and_devices_are_left_out_and_counted() {
    let user = User::new();
    let _socket = UnixListener::bind(user.home().join("socket")).unwrap();
    mknodat(CWD, user.home().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    user.write("file", b"kept");
    assert_eq!(user.archive().unwrap().unwrap().left_out, 2);
    user.restore().unwrap();
    assert_eq!(fs::read_dir(user.home()).unwrap().count(), 1);
}

#[test]
fn what_is_not_the_tenants_is_not_packed_and_nothing_is_removed() {
    let user = User::new();
    user.write("own", b"own");
    fs::write(user.home().join("roots"), "a secret").unwrap();
    assert!(matches!(user.archive(), Err(SnapshotError::Foreign { owner: 0, .. })));
    assert!(user.home().join("own").exists() && !user.own().join("archive.new").exists());
    let (stream, tally) = user.stream(Manner::AsFound);
    assert_eq!((tally.unread, tally.entries), (1, 2));
    assert!(!stream.windows(8).any(|part| part == b"a secret"));
}

#[test]
fn a_folder_deeper_than_anybodys_is_left_where_it_is() {
    let user = User::new();
    let dig = "chdir $ARGV[0] or die; for (1..3000) { mkdir 'd' and chown(@ARGV[1,1], 'd') and chdir 'd' or die }";
    let owner = tree::owner(user.seat).to_string();
    assert!(Command::new("perl").args(["-e", dig]).arg(user.home()).arg(owner).status().unwrap().success());
    assert!(matches!(user.archive(), Err(SnapshotError::Deep { .. })));
    assert!(user.home().join("d/d/d").exists());
    assert_eq!(user.stream(Manner::AsFound).1.unread, 1);
}

#[test]
fn a_damaged_archive_is_not_unpacked_and_not_removed() {
    let user = User::new();
    let before = furnish(&user);
    user.archive().unwrap();
    let path = user.own().join("archive.tar.zst");
    let whole = fs::read(&path).unwrap();
    let mut damages: Vec<Vec<u8>> =
        vec![Vec::new(), whole[..whole.len() / 2].to_vec(), whole[..whole.len() - 1].to_vec()];
    for at in [0, 20, 300, whole.len() / 2, whole.len() - 2] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        damages.push(damaged);
    }
    for damaged in damages {
        fs::write(&path, &damaged).unwrap();
        let error = user.restore().unwrap_err();
        assert!(!error.is_for_room(), "{error}");
        assert!(!user.home().exists() && fs::read(&path).unwrap() == damaged, "{error}");
    }
    fs::write(&path, whole).unwrap();
    user.restore().unwrap();
    assert_eq!(described(&user.home()), before);
}

#[test]
fn without_room_nothing_is_unpacked_and_nothing_is_lost() {
    let user = User::new();
    let before = furnish(&user);
    user.archive().unwrap();
    let full = |_, _: &File| {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        Err(SnapshotError::Entry { step: "write", path: "home/folder/numbers".to_owned(), source })
    };
    let error = snapshot::restore(&user.place(), (user.means, SHARE), full, &mut |_| Ok(())).unwrap_err();
    assert!(error.is_for_room(), "{error}");
    assert!(!user.home().exists() && !user.own().join(".restore").exists());
    user.restore().unwrap();
    assert_eq!(described(&user.home()), before);
}

#[test]
fn a_computer_that_was_never_made_has_nothing_to_archive() {
    let user = User::new();
    fs::remove_dir(user.home()).unwrap();
    assert!(user.archive().unwrap().is_none() && !user.restore().unwrap());
}

#[test]
fn everybodys_tar_opens_what_is_exported() {
    let user = User::new();
    let long = "long-".repeat(40);
    let before = furnish(&user);
    user.write(&long, b"of a long name");
    let sparse = File::create(user.home().join("sparse")).unwrap();
    user.give(&user.home().join("sparse"));
    sparse.set_len(10 << 20).unwrap();
    (0..30).for_each(|n| sparse.write_all_at(b"data", n * 200_000).unwrap());
    let (stream, tally) = user.stream(Manner::AsFound);
    assert_eq!(tally.entries, before.len() as u64 + 2);
    let archive = user.folder.path().join("export.tar");
    fs::write(&archive, stream).unwrap();
    let (gnu, python) = (user.folder.path().join("gnu"), user.folder.path().join("python"));
    fs::create_dir(&gnu).unwrap();
    assert!(Command::new("tar").arg("-xpf").arg(&archive).arg("-C").arg(&gnu).status().unwrap().success());
    let all = described(&user.home());
    assert_eq!(described(&gnu.join("home")), all);
    let script = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter='fully_trusted')";
    let old = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])";
    let run = |script| Command::new("python3").args(["-c", script]).arg(&archive).arg(&python).output().unwrap();
    if !run(script).status.success() {
        let _ = fs::remove_dir_all(&python);
        assert!(run(old).status.success());
    }
    assert_eq!(fs::read(python.join("home").join(&long)).unwrap(), b"of a long name");
    assert_eq!(fs::read(python.join("home/sparse")).unwrap(), fs::read(user.home().join("sparse")).unwrap());
}

#[test]
fn while_its_owner_changes_it_a_tree_is_still_packed_into_a_whole_stream() {
    let user = User::new();
    let outside = user.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), "CANARY").unwrap();
    let owner = tree::owner(user.seat);
    let end = Arc::new(AtomicBool::new(false));
    let busy = std::thread::spawn({
        let (home, outside, end) = (user.home(), outside.clone(), end.clone());
        move || {
            let mut number = 0u64;
            while !end.load(Ordering::SeqCst) {
                number += 1;
                let (folder, file) = (home.join("swapped"), home.join(format!("file{}", number % 7)));
                let _ = fs::remove_file(&folder);
                let _ = fs::remove_dir_all(&folder);
                if number.is_multiple_of(2) {
                    let _ = symlink(&outside, &folder);
                } else {
                    let _ = fs::create_dir(&folder);
                }
                let _ = lchown(&folder, Some(owner), Some(owner));
                let _ = fs::write(&file, vec![7; usize::try_from(number * 7_919 % 3_000_000).unwrap()]);
                let _ = lchown(&file, Some(owner), Some(owner));
            }
        }
    });
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        let (stream, _) = user.stream(Manner::AsFound);
        assert!(!stream.windows(6).any(|part| part == b"CANARY"));
        let mut listed = tar::Archive::new(stream.as_slice());
        let listed = listed.entries().unwrap().fold(0, |count, entry| entry.map(|_| count + 1).unwrap());
        assert!(listed > 0);
    }
    end.store(true, Ordering::SeqCst);
    busy.join().unwrap();
}

#[test]
fn links_and_mounts_in_a_tree_are_not_followed() {
    let user = User::new();
    fs::create_dir(user.home().join("mounted")).unwrap();
    user.give(&user.home().join("mounted"));
    symlink("/etc", user.home().join("etc")).unwrap();
    user.give(&user.home().join("etc"));
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("canary"), "CANARY").unwrap();
    mount(Some(other.path()), &user.home().join("mounted"), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    let (stream, tally) = user.stream(Manner::AsFound);
    assert!(!stream.windows(6).any(|part| part == b"CANARY"));
    assert_eq!((tally.entries, tally.unread), (2, 1));
    assert!(user.archive().is_err() && other.path().join("canary").exists());
    nix::mount::umount(&user.home().join("mounted")).unwrap();
}
