//! What the tables of money keep: they add up, survive export and import, and a contradiction is found.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashSet;
use std::io::Cursor;

use common::account;
use matrixos_store::{Hold, HoldError, How, NewRow, Store, StoreError, User, export, import, verify};
use matrixos_types::Nanos;
use sha2::{Digest, Sha256};

fn hold(user: &User, least: u64, most: u64) -> Hold {
    Hold {
        user: user.id,
        container: user.container.clone(),
        model: "claude-sonnet-5-5".to_owned(),
        at: 100,
        least: Nanos(least),
        most: Nanos(most),
        quota: Nanos(1_000),
    }
}

fn call(at: u64, model: &str, cost: u64) -> NewRow {
    NewRow {
        at,
        model: model.to_owned(),
        input: 10,
        output: 20,
        write_5m: 1,
        write_1h: 2,
        read: 3,
        searches: 4,
        cost: Nanos(cost),
        how: How::Exact,
        own: false,
    }
}

/// A store with somebody who has spent and still holds something.
fn spent() -> (tempfile::TempDir, Store, User) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    for (day, model, cost) in [(1, "a", 5), (1, "b", 6), (2, "a", 7), (2, "a", 8)] {
        let held = store.hold(&hold(&user, 10, 10)).unwrap();
        store.charge(held.lease.key(), &call(day * 86_400, model, cost)).unwrap();
    }
    store.meter(user.id, &NewRow { own: true, how: How::Estimated, ..call(3 * 86_400, "a", 99) }).unwrap();
    store.hold(&hold(&user, 100, 200)).unwrap();
    store.settle().unwrap();
    (folder, store, user)
}

/// What a crash at this moment would leave of the store in a folder.
fn crashed(folder: &std::path::Path) -> (tempfile::TempDir, Store) {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let store = Store::open(copy.path()).unwrap();
    (copy, store)
}

#[test]
fn a_lease_is_on_the_disk_before_the_rest_and_counts_once_after_a_crash() {
    let (folder, store, user) = spent();
    let before = store.balance(user.id).unwrap().unwrap();
    let (first, second) = (store.hold(&hold(&user, 50, 50)).unwrap(), store.hold(&hold(&user, 60, 60)).unwrap());
    store.settle_leases(&[&first.lease, &second.lease]).unwrap();
    for _ in 0..2 {
        let (_copy, found) = crashed(folder.path());
        assert_eq!(found.leases().unwrap().len(), 3, "with the one that was held before");
        let balance = found.balance(user.id).unwrap().unwrap();
        assert_eq!((balance.held, balance.leases), (before.held.plus(Nanos(110)), before.leases + 2));
        assert_eq!(verify(&found), []);
    }
    store.charge(first.lease.key(), &call(86_400, "a", 5)).unwrap();
    store.settle().unwrap();
    // The slate still says that both are held; the tables know better.
    let (copy, found) = crashed(folder.path());
    assert_eq!(found.balance(user.id).unwrap(), store.balance(user.id).unwrap());
    assert_eq!(verify(&found), []);
    drop(found);
    assert_eq!(Store::open(copy.path()).unwrap().leases().unwrap().len(), 2);
}

#[test]
fn when_the_slate_is_full_or_gone_leases_wait_for_the_database() {
    let (folder, store, user) = spent();
    let mut held = Vec::new();
    for _ in 0..300 {
        let lease = store.hold(&hold(&user, 1, 1)).unwrap().lease;
        store.settle_leases(&[&lease]).unwrap();
        held.push(lease);
    }
    let (_copy, found) = crashed(folder.path());
    assert_eq!(found.leases().unwrap().len(), held.len() + 1);
    assert_eq!(verify(&found), []);
}

#[test]
fn what_is_held_spent_and_left_adds_up() {
    let (_folder, store, user) = spent();
    let balance = store.balance(user.id).unwrap().unwrap();
    assert_eq!((balance.spent.0, balance.held.0, balance.own.0, balance.rows), (26, 200, 99, 5));
    assert_eq!(balance.free(Nanos(1_000)).0, 774);
    let days = store.spending(user.id, 1..=2).unwrap();
    let days: Vec<_> = days.iter().map(|d| (d.day, d.model.as_str(), d.calls, d.write, d.cost.0)).collect();
    assert_eq!(days, [(1, "a", 1, 3, 5), (1, "b", 1, 3, 6), (2, "a", 2, 6, 15)]);
    let rows: Vec<_> = store.ledger(user.id, 3).map(Result::unwrap).collect();
    assert_eq!((rows[0].number, rows[0].call.clone()), (3, call(2 * 86_400, "a", 8)));
    assert!(rows[1].call.own && rows[1].call.how == How::Estimated && rows.len() == 2);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn a_hold_takes_what_there_is_between_its_least_and_its_most() {
    let (_folder, store, user) = spent();
    let lease = store.hold(&hold(&user, 100, 5_000)).unwrap().lease;
    assert_eq!(lease.amount.0, 774);
    match store.hold(&hold(&user, 1, 1)) {
        Err(HoldError::Short { balance, needed }) => assert_eq!((balance.held.0, needed.0), (974, 1)),
        other => panic!("{other:?}"),
    }
    let widen = |least, most| store.widen(lease.key(), Nanos(least), Nanos(most), Nanos(1_000));
    assert_eq!(widen(10, 20).unwrap().lease.amount.0, 774, "it does not shrink");
    assert!(matches!(widen(775, 900), Err(HoldError::Short { .. })));
    store.set_quota(user.id, Some(Nanos(1_050))).unwrap();
    assert_eq!(widen(775, 900).unwrap().lease.amount.0, 824);
    store.release(lease.key()).unwrap();
    assert!(matches!(store.release(lease.key()), Err(StoreError::Missing("lease"))), "once");
    assert!(matches!(store.charge(lease.key(), &call(1, "a", 1)), Err(StoreError::Missing("lease"))));
    assert_eq!(store.balance(user.id).unwrap().unwrap().held.0, 200);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

fn exported(store: &Store) -> String {
    let mut text = Vec::new();
    export(store, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn money_is_in_an_export_and_the_same_after_an_import() {
    let (_folder, store, user) = spent();
    let text = exported(&store);
    for table in ["balances", "leases", "ledger", "spending"] {
        assert!(text.contains(&format!("\"table\":\"{table}\"")), "{table}");
    }
    let folder = tempfile::tempdir().unwrap();
    let other = Store::open(folder.path()).unwrap();
    import(&other, &mut Cursor::new(&text)).unwrap();
    assert_eq!(exported(&other), text);
    assert_eq!(other.balance(user.id).unwrap(), store.balance(user.id).unwrap());
    assert!(verify(&other).is_empty(), "{:?}", verify(&other));
}

/// A store made of the lines of an export that `keep` keeps, perhaps changed.
fn imported(text: &str, keep: impl Fn(&str) -> Option<String>) -> (tempfile::TempDir, Store) {
    let lines: Vec<String> = text.lines().filter(|l| !l.contains("\"records\"")).filter_map(keep).collect();
    let body: String = lines.iter().map(|l| format!("{l}\n")).collect();
    let hash: String = Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
    let end = text.lines().last().unwrap();
    let version = end.split("\"version\":").nth(1).unwrap().split(',').next().unwrap();
    let text = format!("{body}{{\"version\":{version},\"records\":{},\"sha256\":\"{hash}\"}}\n", lines.len());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    import(&store, &mut Cursor::new(text)).unwrap();
    (folder, store)
}

fn without(table: &str) -> impl Fn(&str) -> Option<String> {
    let table = format!("\"table\":\"{table}\"");
    move |line| (!line.contains(&table)).then(|| line.to_owned())
}

fn replaced(old: &'static str, new: &'static str) -> impl Fn(&str) -> Option<String> {
    move |line| Some(line.replace(old, new))
}

#[test]
fn money_that_does_not_add_up_is_found() {
    let (_folder, store, _) = spent();
    let text = exported(&store);
    let tables = |store: &Store| verify(store).into_iter().map(|finding| finding.table).collect::<HashSet<_>>();
    let gap = |line: &str| (!(line.contains("\"ledger\"") && line.contains("0002\""))).then(|| line.to_owned());
    for (what, (_folder, store), expected) in [
        ("the same", imported(&text, |line| Some(line.to_owned())), vec![]),
        ("no leases", imported(&text, without("leases")), vec!["leases"]),
        ("no days", imported(&text, without("spending")), vec!["spending"]),
        ("no rows", imported(&text, without("ledger")), vec!["balances", "spending"]),
        ("no balance", imported(&text, without("balances")), vec!["leases", "ledger", "spending"]),
        ("less spent", imported(&text, replaced("\"spent\":26", "\"spent\":25")), vec!["balances"]),
        ("less held", imported(&text, replaced("\"held\":200", "\"held\":0")), vec!["leases"]),
        (
            "another row",
            imported(&text, replaced("\"a\",10,20,1,2,3,4,5,", "\"a\",10,20,1,2,3,4,4,")),
            vec!["balances", "spending"],
        ),
        ("a gap", imported(&text, gap), vec!["ledger"]),
    ] {
        assert_eq!(tables(&store), HashSet::from_iter(expected), "{what}: {:?}", verify(&store));
    }
}

#[test]
fn what_somebody_spent_goes_with_their_account() {
    let (_folder, store, user) = spent();
    let stays = store.create_account(&account("bobby")).unwrap();
    let lease = store.hold(&hold(&stays, 1, 1)).unwrap().lease;
    store.charge(lease.key(), &call(1, "a", 1)).unwrap();
    let text = exported(&store);
    store.delete_account(&user, 9).unwrap();
    assert!(matches!(store.hold(&hold(&user, 1, 1)), Err(HoldError::Store(StoreError::Missing("account")))));
    let is_gone = |store: &Store| {
        assert!(store.ledger(user.id, 0).next().is_none() && store.balance(user.id).unwrap().is_none());
        assert!(store.spending(user.id, 0..=9).unwrap().is_empty() && store.leases().unwrap().is_empty());
        assert_eq!(store.ledger(stays.id, 0).count(), 1);
    };
    is_gone(&store);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
    // A deletion that was cut short after the account itself was gone.
    let account = format!("\"table\":\"users\",\"key\":\"{}\"", user.id.0.simple());
    let (_folder, store) = imported(&text, |line| (!line.contains(&account)).then(|| line.to_owned()));
    let found = verify(&store);
    assert!(found.iter().any(|finding| finding.what.contains("the balance of")), "{found:?}");
    store.forget_orphans().unwrap();
    is_gone(&store);
}
