//! What every backend of the store must keep, against the real database and real kills.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Cursor, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{account, event, passkey, reopened, session};
use matrixos_store::{
    By, CreateError, ExportError, NewAccount, SessionScope, Store, StoreError, User, WantedState, export, import,
    verify,
};
use matrixos_types::{Handle, UserId};
use proptest::prelude::*;

#[test]
fn an_account_is_made_whole_and_found_by_handle_id_and_passkey() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let new = account("alice");
    let user = store.create_account(&new).unwrap();
    assert_eq!(store.user_by_handle(&user.handle).unwrap(), Some(user.clone()));
    assert_eq!(store.user(user.id).unwrap(), Some(user.clone()));
    let credential = user.id.0.simple().to_string();
    assert_eq!(store.credential(&credential).unwrap().unwrap().user, user.id);
    assert_eq!(store.factors(user.id).unwrap().unwrap().passkeys, std::slice::from_ref(&credential));
    assert_eq!(store.wanted(&user.container).unwrap().unwrap().state, WantedState::Running);
    let again = NewAccount { factor: passkey("other", ""), ..account("alice") };
    assert!(matches!(store.create_account(&again), Err(CreateError::HandleTaken)));
    let known = NewAccount { factor: passkey(&credential, ""), ..account("bobby") };
    assert!(matches!(store.create_account(&known), Err(CreateError::CredentialKnown)));
    assert!(
        store.user_by_handle(&Handle::parse("bobby").unwrap()).unwrap().is_none(),
        "a refused sign-up leaves nothing"
    );
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn of_many_simultaneous_sign_ups_for_one_handle_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let racers: Vec<_> = (0..32)
        .map(|_| {
            std::thread::spawn({
                let store = store.clone();
                move || store.create_account(&account("wanted"))
            })
        })
        .collect();
    let results: Vec<_> = racers.into_iter().map(|r| r.join().unwrap()).collect();
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    assert!(results.iter().all(|r| matches!(r, Ok(_) | Err(CreateError::HandleTaken))));
    assert_eq!(store.users().unwrap().len(), 1);
    assert!(verify(&store).is_empty());
}

#[test]
fn a_deleted_handle_and_its_seat_are_never_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let first = store.create_account(&account("alice")).unwrap();
    let signed_in = session(&first, 1, SessionScope::Platform);
    store.begin_session(&signed_in).unwrap();
    store.note(event(&first, By::Owner)).unwrap();
    assert_eq!(store.delete_account(&first, 9).unwrap(), [signed_in.id]);
    assert!(store.is_taken(&first.handle).unwrap());
    assert!(matches!(store.create_account(&account("alice")), Err(CreateError::HandleTaken)));
    let second = store.create_account(&account("bobby")).unwrap();
    assert_ne!(second.seat, first.seat);
    assert!(store.session(signed_in.id).unwrap().is_none() && store.factors(first.id).unwrap().is_none());
    assert!(store.events(u64::MAX, 9).unwrap().is_empty());
    assert!(store.credential(&first.id.0.simple().to_string()).unwrap().is_none());
    assert!(store.credentials_of(first.id).unwrap().is_empty() && store.wanted(&first.container).unwrap().is_none());
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn every_change_of_what_is_wanted_is_a_new_generation() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    assert_eq!(store.set_wanted(&user.container, WantedState::Stopped, "asked").unwrap(), 2);
    let wanted = store.wanted(&user.container).unwrap().unwrap();
    assert_eq!((wanted.state, wanted.generation, wanted.reason.as_str()), (WantedState::Stopped, 2, "asked"));
    assert!(matches!(
        store.set_wanted(&matrixos_types::ContainerId::random(), WantedState::Running, ""),
        Err(StoreError::Missing(_))
    ));
}

#[test]
fn an_open_store_is_refused_to_a_second_process() {
    let folder = tempfile::tempdir().unwrap();
    let _store = Store::open(folder.path()).unwrap();
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opens_a_store_for_another_test", "--nocapture", "--ignored"])
        .env("STORE_FOLDER", folder.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&second.stdout).contains("in use by another process"), "{second:?}");
}

#[test]
#[ignore = "run by other tests in a process of its own"]
fn opens_a_store_for_another_test() {
    let folder = std::env::var("STORE_FOLDER").unwrap();
    match Store::open(Path::new(&folder)) {
        Ok(store) => loop {
            let user = store
                .create_account(&account(&format!("u{}", &UserId::random().0.simple().to_string()[..20])))
                .unwrap();
            println!("acknowledged {}", user.handle);
        },
        Err(error) => println!("{error}"),
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for round in 0..15u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "opens_a_store_for_another_test", "--nocapture", "--ignored"])
            .env("STORE_FOLDER", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines.map_while(Result::ok) {
            if let Some((_, handle)) = line.split_once("acknowledged ") {
                acknowledged.insert(Handle::parse(handle).unwrap());
                seen += 1;
            }
            if seen == 5 + round * 3 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= 5 + round * 3);
    }
    let store = Store::open(folder.path()).unwrap();
    let found: HashSet<_> = store.users().unwrap().into_iter().map(|u| u.handle).collect();
    assert!(
        acknowledged.is_subset(&found),
        "{} of {} are lost",
        acknowledged.difference(&found).count(),
        acknowledged.len()
    );
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn an_export_can_be_imported_and_is_then_the_same() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(folders.0.path()).unwrap();
    for handle in ["alice", "bobby", "carol"] {
        let user = store.create_account(&account(handle)).unwrap();
        store.begin_session(&session(&user, handle.as_bytes()[0], SessionScope::Platform)).unwrap();
        store.note(event(&user, By::Owner)).unwrap();
    }
    let mut text = Vec::new();
    let count = export(&store, &mut text).unwrap();
    let other = Store::open(folders.1.path()).unwrap();
    assert_eq!(import(&other, &mut Cursor::new(&text)).unwrap(), count);
    let mut again = Vec::new();
    export(&other, &mut again).unwrap();
    assert!(text == again && verify(&other).is_empty());
    assert!(matches!(import(&other, &mut Cursor::new(&text)), Err(ExportError::NotEmpty)));
}

#[test]
fn a_damaged_export_changes_nothing() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(folders.0.path()).unwrap();
    store.create_account(&account("alice")).unwrap();
    let mut text = Vec::new();
    export(&store, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let cut: String = text.lines().take(2).map(|l| format!("{l}\n")).collect();
    let empty = Store::open(folders.1.path()).unwrap();
    for bad in [String::new(), cut, text.replace("alice", "mallo"), "{}\n".to_owned()] {
        assert!(matches!(import(&empty, &mut Cursor::new(bad)), Err(ExportError::Content { .. })));
    }
    assert!(empty.users().unwrap().is_empty());
}

#[test]
fn contradictions_are_found() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(folders.0.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    store.begin_session(&session(&user, 1, SessionScope::Platform)).unwrap();
    store.note(event(&user, By::Owner)).unwrap();
    let mut text = Vec::new();
    export(&store, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // Without its account, everything that belonged to it is an orphan.
    let lines: Vec<_> =
        text.lines().filter(|l| !l.contains("\"table\":\"users\"") && !l.contains("\"records\"")).collect();
    let body: String = lines.iter().map(|l| format!("{l}\n")).collect();
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
    let broken = format!("{body}{{\"version\":2,\"records\":{},\"sha256\":\"{hash}\"}}\n", lines.len());
    let other = Store::open(folders.1.path()).unwrap();
    import(&other, &mut Cursor::new(broken)).unwrap();
    let tables: HashSet<_> = verify(&other).into_iter().map(|f| f.table).collect();
    assert_eq!(tables, HashSet::from(["handles", "credentials", "factors", "sessions", "wanted", "audit"]));
}

#[test]
fn a_damaged_log_is_refused_instead_of_forgetting_accounts() {
    for damage in ["flip", "zero", "cut"] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for n in 0..60 {
            store.create_account(&account(&format!("user{n}"))).unwrap();
        }
        drop(store);
        let log = folder.path().join("db");
        let mut bytes = std::fs::read(&log).unwrap();
        // Where the log is in use: its file is longer than what was written.
        let used = bytes.iter().rposition(|b| *b != 0).unwrap();
        let middle = used / 2;
        match damage {
            "flip" => bytes[middle] ^= 0xff,
            "zero" => bytes[middle..middle + 4096].fill(0),
            _ => bytes.truncate(middle),
        }
        std::fs::write(&log, bytes).unwrap();
        match reopened(folder.path()) {
            Err(StoreError::Lost { .. } | StoreError::Damaged { .. } | StoreError::Database(_) | StoreError::Io(_)) => {
            }
            Err(other) => panic!("{damage}: {other}"),
            Ok(store) => {
                let complete =
                    store.users().map(|users| users.len() == 60).unwrap_or(false) && verify(&store).is_empty();
                assert!(complete, "{damage}: accounts were forgotten in silence");
            }
        }
    }
}

/// A small disk of its own, which goes with the value.
struct Disk(tempfile::TempDir);

impl Disk {
    fn of(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.unwrap().success(), "run as root");
        Self(folder)
    }

    /// Fills it to the last byte, as somebody else would.
    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[1; 4_096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").args(["-l", "--"]).arg(self.0.path()).status().unwrap();
        assert!(unmounted.success() || std::thread::panicking());
    }
}

#[test]
fn on_a_full_disk_everybody_can_still_sign_in_and_nothing_is_lost() {
    let disk = Disk::of("128m");
    let folder = disk.0.path().join("store");
    let (users, last) = {
        let store = Store::open(&folder).unwrap();
        let users: Vec<_> = (0..50).map(|n| store.create_account(&account(&format!("user{n}"))).unwrap()).collect();
        disk.fill();
        let refused = store.create_account(&account("late")).unwrap_err();
        assert!(matches!(refused, CreateError::Store(StoreError::Low { .. })), "{refused}");
        assert!(refused.to_string().contains("nothing new is accepted until 48.0 MiB are free"), "{refused}");
        let mut last = 0;
        for _ in 0..20 {
            for (n, user) in users.iter().enumerate() {
                store.begin_session(&session(user, u8::try_from(n).unwrap(), SessionScope::Platform)).unwrap();
                last = store.set_wanted(&user.container, WantedState::Stopped, &"because ".repeat(200)).unwrap();
            }
        }
        (users, last)
    };
    for _ in 0..3 {
        let store = reopened(&folder).expect("opens on a full disk");
        assert_eq!(store.users().unwrap().len(), users.len());
        for user in &users {
            assert_eq!(store.wanted(&user.container).unwrap().unwrap().generation, last);
            assert_eq!(store.platform_sessions(user.id).unwrap().len(), 20);
        }
        assert!(verify(&store).is_empty(), "{:?}", verify(&store));
    }
    disk.clear();
    let store = reopened(&folder).unwrap();
    store.create_account(&account("late")).expect("there is room again");
    assert!(folder.join("ballast").exists(), "ready for the next time");
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Delete(u8),
    Want(u8, bool),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0u8..6).prop_map(Step::Create),
        2 => (0u8..6).prop_map(Step::Delete),
        2 => ((0u8..6), any::<bool>()).prop_map(|(n, on)| Step::Want(n, on)),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_what_a_simple_model_says(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut model: HashMap<u8, Option<(User, WantedState)>> = HashMap::new();
        for step in steps {
            match step {
                Step::Create(n) => match store.create_account(&account(&format!("user{n}"))) {
                    Ok(user) => prop_assert!(model.insert(n, Some((user, WantedState::Running))).is_none()),
                    Err(_) => prop_assert!(model.contains_key(&n)),
                },
                Step::Delete(n) => if let Some(Some((user, _))) = model.insert(n, None).or_else(|| { model.remove(&n); None }) {
                    store.delete_account(&user, 5).unwrap();
                },
                Step::Want(n, on) => if let Some(Some((user, wanted))) = model.get_mut(&n) {
                    *wanted = if on { WantedState::Running } else { WantedState::Stopped };
                    store.set_wanted(&user.container, *wanted, "test").unwrap();
                },
                Step::Reopen => {
                    drop(store);
                    store = reopened(folder.path()).unwrap();
                }
            }
        }
        for entry in model.values().flatten() {
            prop_assert_eq!(store.user(entry.0.id).unwrap(), Some(entry.0.clone()));
            prop_assert_eq!(store.wanted(&entry.0.container).unwrap().unwrap().state, entry.1);
        }
        prop_assert_eq!(store.users().unwrap().len(), model.values().flatten().count());
        prop_assert!(verify(&store).is_empty());
    }
}
