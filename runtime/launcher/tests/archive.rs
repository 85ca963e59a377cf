//! All the files of somebody: archived, restored and exported by the real launcher, killed at any moment, and with readers
//! who go away. Against the real kernel; needs root, loop devices and Debian's busybox-static.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use matrixos_runtime::client::CallError;
use matrixos_runtime::protocol::{FailureKind, Launch};
use matrixos_types::{Bytes, DiskQuota, DiskShare};
use nix::sched::{CloneFlags, unshare};

use common::{House, ends, until};

const SHARE: DiskShare = DiskShare { bytes: Bytes::mib(128), inodes: 4_096 };
/// Stays until it is killed.
const STAYS: &str = "touch up; while :; do sleep 1; done";

fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some("launcher") {
        return matrixos_launcher::run();
    }
    unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (run as root)");
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let tests: &[(&str, fn())] = &[
        ("an_archived_computer_is_not_launched_and_comes_back_as_it_was", || comes_back(DiskQuota::Nothing)),
        ("so_does_one_whose_home_is_an_image", || comes_back(DiskQuota::Image)),
        ("the_files_of_a_computer_that_runs_are_not_archived", runs),
        ("a_launcher_that_is_killed_meanwhile_loses_nothing", || killed(DiskQuota::Nothing)),
        ("nor_does_one_that_is_killed_over_an_image", || killed(DiskQuota::Image)),
        ("whoever_wants_a_computer_ends_its_packing", let_be),
        ("a_destroyed_computer_leaves_no_archive", destroyed),
        ("an_export_holds_everything_whether_the_computer_runs_rests_or_is_archived", || exports(DiskQuota::Nothing)),
        ("so_does_one_of_a_home_in_an_image", || exports(DiskQuota::Image)),
        ("a_reader_who_stands_still_or_goes_away_is_in_nobodys_way", stalled),
    ];
    let trials = tests.iter().map(|(name, test)| {
        Trial::test(*name, || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn archive(house: &House, launch: &Launch) -> Result<u64, CallError> {
    house.block(house.client().archive(launch.container.clone(), launch.seat, launch.handle.clone()))
}

fn restore(house: &House, launch: &Launch) -> Result<(), CallError> {
    house.block(house.client().restore(launch.container.clone(), launch.seat, launch.handle.clone(), SHARE))
}

fn export(house: &House, launch: &Launch) -> Result<OwnedFd, CallError> {
    let (container, seat, handle) = (launch.container.clone(), launch.seat, launch.handle.clone());
    house.block(house.client().export(container, seat, handle, br#"{"account":true}"#))
}

fn kind(error: Result<impl std::fmt::Debug, CallError>) -> FailureKind {
    match error.expect_err("refused") {
        CallError::Failed(failure) => failure.kind,
        other => panic!("{other}"),
    }
}

/// Does what it is told once it is told something.
const OBEYS: &str = "while [ ! -e act ]; do sleep 0.02; done; . ./act; touch done";

/// Somebody whose computer does what [`act`] tells it.
fn person(house: &House, number: u16) -> Launch {
    let mut launch = house.person(number, OBEYS);
    launch.limits.disk = SHARE;
    launch
}

/// Has the computer do something, and ends it. True if that worked.
fn act(house: &House, launch: &Launch, script: &str) -> bool {
    let (_, pidfd) = house.launch(launch).expect("launched");
    tell(house, launch, &format!("rm -f act done; {script}"));
    assert!(ends(&pidfd, 60), "the script ends");
    let done = seen(house, launch).join("done").exists();
    house.take_down(launch);
    done
}

/// Under another name first: the computer looks at it all the time.
fn tell(house: &House, launch: &Launch, script: &str) {
    let (draft, owner) = (seen(house, launch).join("draft"), launch.seat.first_id() + 1000);
    fs::write(&draft, script).unwrap();
    chown(&draft, Some(owner), Some(owner)).unwrap();
    fs::rename(&draft, seen(house, launch).join("act")).unwrap();
}

/// A home as the launcher sees it: an image is mounted in its mount namespace only.
fn seen(house: &House, launch: &Launch) -> PathBuf {
    let users = house.config.run.join("users").join(launch.handle.as_str()).join("matrixos");
    PathBuf::from(format!("/proc/{}/root{}", house.child.id(), users.display()))
}

fn archive_file(house: &House, launch: &Launch) -> PathBuf {
    house.folder.path().join("users").join(launch.handle.as_str()).join("archive.tar.zst")
}

fn house(disk: DiskQuota) -> House {
    let house = House::with_disk(disk);
    fs::set_permissions(house.folder.path(), Permissions::from_mode(0o711)).unwrap();
    house
}

const FURNISH: &str = "mkdir -p a/b locked; echo kept >a/b/file; ln -s /etc/passwd link; echo twice >locked/one; \
    ln locked/one a/two; head -c 3000000 /dev/urandom >a/big; cat a/big >copy; chmod 400 copy; chmod 000 locked";
const LOOK: &str = "set -e; [ \"$(cat a/b/file)\" = kept ]; [ -L link ]; [ \"$(cat a/two)\" = twice ]; [ ! -x locked ]; \
    cmp a/big copy; chmod 700 locked; echo once >a/two; [ \"$(cat locked/one)\" = once ]";

fn comes_back(disk: DiskQuota) {
    let house = house(disk);
    let launch = person(&house, 1);
    assert!(act(&house, &launch, FURNISH));
    assert_eq!(archive(&house, &launch).expect("archived"), 0);
    assert_eq!(archive(&house, &launch).expect("it is"), 0);
    let own = house.folder.path().join("users/user1");
    let left: Vec<_> = fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["archive.tar.zst"]);
    assert_eq!(fs::metadata(archive_file(&house, &launch)).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(kind(house.launch(&launch)), FailureKind::Archived);
    restore(&house, &launch).expect("restored");
    restore(&house, &launch).expect("it is");
    assert!(!archive_file(&house, &launch).exists());
    let owner = (launch.seat.first_id() + 1000).to_string();
    let foreign = |home: &Path| Command::new("find").arg(home).args(["!", "-uid", &owner]).output().unwrap().stdout;
    assert_eq!(unmounted(&house, &launch, foreign), b"", "everything is its owner's");
    assert!(act(&house, &launch, LOOK), "everything is as it was, in a computer as it was");
}

fn runs() {
    let house = House::new();
    let launch = house.person(1, STAYS);
    let (_, _pidfd) = house.launch(&launch).expect("launched");
    assert_eq!(kind(archive(&house, &launch)), FailureKind::Refused);
    assert_eq!(kind(restore(&house, &launch)), FailureKind::Refused);
    house.take_down(&launch);
}

/// The contents of a home by name.
fn contents(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.strip_prefix(home).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// The home of somebody whose computer does not run, in this process's own mount namespace.
fn unmounted<T>(house: &House, launch: &Launch, work: impl FnOnce(&Path) -> T) -> T {
    if house.config.disk != DiskQuota::Image {
        return work(&house.home(launch));
    }
    let place = tempfile::tempdir().unwrap();
    let image = house.folder.path().join("users").join(launch.handle.as_str()).join("disk.ext4");
    let mounted = Command::new("mount").args(["-o", "loop"]).arg(image).arg(place.path()).status().unwrap();
    assert!(mounted.success());
    let result = work(place.path());
    assert!(Command::new("umount").arg(place.path()).status().unwrap().success());
    result
}

fn killed(disk: DiskQuota) {
    let mut house = house(disk);
    let launch = person(&house, 1);
    act(&house, &launch, "i=0; while [ $i -lt 30 ]; do i=$((i+1)); head -c 200000 /dev/urandom >f$i; done");
    let before = unmounted(&house, &launch, contents);
    let begun = Instant::now();
    archive(&house, &launch).expect("archived");
    let to_archive = begun.elapsed();
    let begun = Instant::now();
    restore(&house, &launch).expect("restored");
    let to_restore = begun.elapsed();
    for round in 0..10u32 {
        // From before the first effect to after the last.
        cut(&mut house, to_archive * round / 8, |house| archive(house, &launch).map(drop));
        if round % 2 == 0 {
            // Wanted at once.
            restore(&house, &launch).expect("restored, or never archived");
            assert_eq!(unmounted(&house, &launch, contents), before, "round {round}");
        }
        archive(&house, &launch).expect("archived at the second try");
        cut(&mut house, to_restore * round / 8, |house| restore(house, &launch));
        restore(&house, &launch).expect("restored at the second try");
        assert_eq!(unmounted(&house, &launch, contents), before, "round {round}");
    }
}

/// Begins something and kills the launcher after so long.
fn cut(house: &mut House, after: Duration, work: impl FnOnce(&House) -> Result<(), CallError>) {
    let launcher = nix::unistd::Pid::from_raw(i32::try_from(house.child.id()).unwrap());
    let killer = std::thread::spawn(move || {
        std::thread::sleep(after);
        let _ = nix::sys::signal::kill(launcher, nix::sys::signal::Signal::SIGKILL);
    });
    let _ = work(house);
    killer.join().unwrap();
    house.restart();
}

fn let_be() {
    let house = House::new();
    let launch = person(&house, 1);
    assert!(act(&house, &launch, "i=0; while [ $i -lt 30 ]; do i=$((i+1)); head -c 1000000 /dev/urandom >f$i; done"));
    let before = contents(&house.home(&launch));
    let client = house.client();
    let draft = house.folder.path().join("users/user1/archive.new");
    let end = async {
        while !draft.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        client.let_be(launch.container.clone()).await
    };
    let packing = client.archive(launch.container.clone(), launch.seat, launch.handle.clone());
    let (packed, ended) = house.block(async { tokio::join!(packing, end) });
    ended.expect("ended");
    assert_eq!(kind(packed), FailureKind::Failed);
    assert!(act(&house, &launch, "true"), "it is launched at once");
    assert!(!draft.exists(), "and nothing is left of it");
    let after = contents(&house.home(&launch));
    assert!(before.keys().all(|name| name == Path::new("done") || before[name] == after[name]));
}

fn destroyed() {
    let house = House::new();
    let launch = house.person(1, "");
    archive(&house, &launch).expect("archived");
    house
        .block(house.client().destroy(launch.container.clone(), launch.seat, launch.handle.clone()))
        .expect("destroyed");
    assert!(!house.folder.path().join("users/user1").exists());
}

/// Reads a stream of frames: what is in it, and whether it was the whole.
fn read(pipe: OwnedFd) -> (Vec<u8>, bool) {
    let (mut pipe, mut all) = (File::from(pipe), Vec::new());
    loop {
        let mut length = [0; 4];
        if pipe.read_exact(&mut length).is_err() {
            return (all, false);
        }
        let mut piece = vec![0; u32::from_be_bytes(length) as usize];
        if piece.is_empty() {
            return (all, true);
        }
        if pipe.read_exact(&mut piece).is_err() {
            return (all, false);
        }
        all.extend(piece);
    }
}

/// Nothing as long as another download is under way.
fn once_free(begun: Result<OwnedFd, CallError>) -> Option<OwnedFd> {
    match begun {
        Err(CallError::Failed(failure)) if failure.kind == FailureKind::Exhausted => None,
        begun => Some(begun.expect("begun")),
    }
}

/// What a person finds in the file that they have downloaded.
fn opened(house: &House, launch: &Launch) -> tempfile::TempDir {
    let mut begun = None;
    // The process that wrote the one before may not have ended yet, although all of it was read.
    until("it begins", || {
        begun = once_free(export(house, launch));
        begun.is_some()
    });
    let (bytes, whole) = read(begun.unwrap());
    assert!(whole, "it has an end");
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("export.tar.gz");
    fs::write(&file, bytes).unwrap();
    assert!(Command::new("tar").arg("-xzpf").arg(&file).arg("-C").arg(place.path()).status().unwrap().success());
    fs::remove_file(file).unwrap();
    assert_eq!(fs::read(place.path().join("account.json")).unwrap(), br#"{"account":true}"#);
    place
}

fn exports(disk: DiskQuota) {
    let house = house(disk);
    let launch = person(&house, 1);
    assert_eq!(fs::read_dir(opened(&house, &launch).path().join("home")).unwrap().count(), 1, "run.sh");
    act(
        &house,
        &launch,
        "head -c 500000 /dev/urandom >own; ln -s /etc/shadow link; mkdir -p closed/in; chmod 0 closed",
    );
    let check = |how: &str| {
        let found = opened(&house, &launch);
        let home = found.path().join("home");
        assert_eq!(fs::metadata(home.join("own")).unwrap().len(), 500_000, "{how}");
        assert_eq!(fs::read_link(home.join("link")).unwrap(), Path::new("/etc/shadow"), "{how}");
        assert!(home.join("closed/in").is_dir(), "{how}");
        assert!(!found.path().join("left-out.txt").exists(), "{how}");
    };
    check("asleep");
    let (_, _pidfd) = house.launch(&launch).expect("launched");
    until("it is up", || seen(&house, &launch).exists());
    check("running");
    house.block(house.client().freeze(launch.container.clone())).expect("frozen");
    check("frozen");
    house.take_down(&launch);
    until("it is archived", || archive(&house, &launch).is_ok());
    check("archived");
    restore(&house, &launch).expect("restored");
    check("restored");
}

fn stalled() {
    let house = House::new();
    let launch = house.person(1, STAYS);
    let big = house.person(2, STAYS);
    for person in [&launch, &big] {
        let (noise, path) = (File::open("/dev/urandom").unwrap(), house.home(person).join("big"));
        std::io::copy(&mut noise.take(8 << 20), &mut File::create(&path).unwrap()).unwrap();
        chown(&path, Some(person.seat.first_id() + 1000), None).unwrap();
    }
    let reader = export(&house, &launch).expect("begun");
    assert_eq!(kind(export(&house, &launch)), FailureKind::Exhausted, "one at a time for each");
    let (_, _pidfd) = house.launch(&launch).expect("it is launched all the same");
    house.take_down(&launch);
    assert_eq!(kind(archive(&house, &launch)), FailureKind::Failed, "its owner is downloading it");
    drop(reader);
    let mut again = None;
    until("the next download begins", || {
        again = export(&house, &launch).ok();
        again.is_some()
    });
    drop(again);
    until("it is archived now that nobody reads", || archive(&house, &launch).is_ok());
    let reader = export(&house, &big).expect("begun");
    house.block(house.client().destroy(big.container.clone(), big.seat, big.handle.clone())).expect("destroyed");
    let (_, whole) = read(reader);
    assert!(!whole, "what broke off does not look whole");
}
