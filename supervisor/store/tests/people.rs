//! What the store keeps about people who sign in: sessions, factors, and what happened.
#![allow(clippy::unwrap_used)]

mod common;

use common::{account, added, event, reopened, session};
use matrixos_store::{
    By, EVENTS, EVENTS_BY_STRANGERS, FactorError, Fate, PASSKEYS, PLATFORM_SESSIONS, Session, SessionScope, Store,
    StoreError, Totp, verify,
};
use matrixos_types::{SessionId, UserId};

#[test]
fn ending_a_platform_session_ends_the_computer_sessions_that_came_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let parent = session(&user, 1, SessionScope::Platform);
    let child = session(&user, 2, SessionScope::Computer { handle: user.handle.clone(), parent: parent.id });
    let other = session(&user, 3, SessionScope::Platform);
    for s in [&parent, &child, &other] {
        assert!(store.begin_session(s).unwrap().is_empty());
    }
    let living = |id, now| store.is_living(user.id, id, now);
    assert!(living(child.id, 100) && living(other.id, 102) && !living(other.id, 103));
    assert!(!living(child.id, 101), "it would last to 102, but what it came from ends at 101");
    assert!(!store.is_living(UserId::random(), parent.id, 1) && !living(SessionId::random(), 1));
    let mut ended = store.end_session(parent.id).unwrap();
    assert!(!living(parent.id, 1) && !living(child.id, 1));
    ended.sort_unstable_by_key(|id| *id != parent.id);
    assert_eq!(ended, [parent.id, child.id]);
    assert!(store.session(parent.id).unwrap().is_none() && store.session(child.id).unwrap().is_none());
    assert!(matches!(store.begin_session(&child), Err(StoreError::Missing("platform session"))));
    assert_eq!(store.session(other.id).unwrap(), Some(other.clone()));
    assert_eq!(store.purge_expired(other.expires).unwrap(), [other.id]);
    assert!(store.session(other.id).unwrap().is_none());
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn what_is_decided_about_a_session_is_what_becomes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let mine = session(&user, 1, SessionScope::Platform);
    store.begin_session(&mine).unwrap();
    let stays = store.decide_session(mine.id, |s| {
        s.verified = 7;
        Fate::Stays(())
    });
    assert!(stays.unwrap().is_some());
    assert_eq!(store.session(mine.id).unwrap(), Some(mine.clone()), "a look changes nothing");
    let change = |s: &mut Session| {
        s.expires = 900;
        Fate::Changed(s.created)
    };
    assert_eq!(store.decide_session(mine.id, change).unwrap(), Some((1, vec![])));
    assert!(store.purge_expired(500).unwrap().is_empty(), "it was renewed");
    assert_eq!(store.decide_session(mine.id, |_| Fate::Ends("end")).unwrap(), Some(("end", vec![mine.id])));
    assert_eq!(store.decide_session(mine.id, |_| Fate::Ends(())).unwrap(), None);
}

#[test]
fn one_browser_too_many_ends_the_one_that_was_not_used_for_longest() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let all: Vec<_> = (0..PLATFORM_SESSIONS as u8).map(|n| session(&user, n, SessionScope::Platform)).collect();
    for s in &all {
        assert!(store.begin_session(s).unwrap().is_empty());
    }
    store.decide_session(all[0].id, |_| Fate::Changed(())).unwrap();
    let more = session(&user, 99, SessionScope::Platform);
    assert_eq!(store.begin_session(&more).unwrap(), [all[1].id]);
    let listed: Vec<_> = store.platform_sessions(user.id).unwrap().into_iter().map(|s| s.id).collect();
    assert_eq!((listed.len(), listed[0], listed[1]), (PLATFORM_SESSIONS, more.id, all[0].id));
    assert_eq!(store.end_sessions_of(user.id, Some(more.id)).unwrap().len(), PLATFORM_SESSIONS - 1);
    assert_eq!(store.platform_sessions(user.id).unwrap(), [more]);
}

#[test]
fn the_last_way_to_sign_in_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let other = store.create_account(&account("bobby")).unwrap();
    let first = user.id.0.simple().to_string();
    assert!(matches!(store.remove_credential(user.id, &first), Err(FactorError::Last)));
    assert!(store.credential(&first).unwrap().is_some());
    store.add_credential(&added(&user, "second")).unwrap();
    assert!(matches!(store.add_credential(&added(&other, "second")), Err(FactorError::Known)));
    let foreign = store.remove_credential(other.id, "second");
    assert!(matches!(foreign, Err(FactorError::Store(StoreError::Missing("passkey")))), "{foreign:?}");
    let foreign = store.change_credential(other.id, "second", |c| c.name = "mine".to_owned());
    assert!(matches!(foreign, Err(StoreError::Missing("passkey"))));
    assert_eq!(store.remove_credential(user.id, &first).unwrap().id, first);
    assert!(matches!(store.remove_credential(user.id, "second"), Err(FactorError::Last)));
    let totp = Totp { sealed: "00".to_owned(), since: 3, last_step: 0, recovery: Vec::new() };
    store
        .change_factors::<StoreError>(user.id, |f| {
            f.totp = Some(totp.clone());
            Ok(true)
        })
        .unwrap();
    store.remove_credential(user.id, "second").unwrap();
    assert!(store.credentials_of(user.id).unwrap().is_empty());
    for n in 0..PASSKEYS {
        store.add_credential(&added(&user, &format!("more{n}"))).unwrap();
    }
    assert!(matches!(store.add_credential(&added(&user, "toomany")), Err(FactorError::TooMany)));
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn of_two_browsers_that_remove_the_last_two_passkeys_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    store.add_credential(&added(&user, "second")).unwrap();
    let ids = [user.id.0.simple().to_string(), "second".to_owned()];
    let results: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = ids.iter().map(|id| scope.spawn(|| store.remove_credential(user.id, id))).collect();
        racers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|r| matches!(r, Err(FactorError::Last))).count(), 1, "{results:?}");
    assert_eq!(store.credentials_of(user.id).unwrap().len(), 1);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn events_are_kept_in_order_and_strangers_cannot_push_out_what_the_owner_did() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (alice, bobby) =
        (store.create_account(&account("alice")).unwrap(), store.create_account(&account("bobby")).unwrap());
    store.note(event(&alice, By::Owner)).unwrap();
    store.note(event(&bobby, By::Owner)).unwrap();
    for _ in 0..EVENTS_BY_STRANGERS + 3 {
        store.note(event(&alice, By::Stranger)).unwrap();
    }
    let last = 2 + EVENTS_BY_STRANGERS as u64 + 2;
    let page = store.events_of(alice.id, u64::MAX, 2).unwrap();
    assert_eq!(page.iter().map(|e| e.number).collect::<Vec<_>>(), [last, last - 1]);
    drop(store);
    let store = reopened(folder.path()).unwrap();
    let all = store.events_of(alice.id, u64::MAX, 2 * EVENTS).unwrap();
    assert_eq!((all.len(), all.last().unwrap().number), (EVENTS_BY_STRANGERS + 1, 0), "its own is still there");
    assert_eq!(store.events_of(alice.id, 3, 9).unwrap().len(), 1, "the first strangers' have made room");
    assert_eq!(store.events(2, 9).unwrap().iter().map(|e| e.number).collect::<Vec<_>>(), [1, 0], "of everybody");
    store.note(event(&bobby, By::Owner)).unwrap();
    assert_eq!(store.events_of(bobby.id, u64::MAX, 1).unwrap()[0].number, last + 1, "numbers go on after a restart");
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}
