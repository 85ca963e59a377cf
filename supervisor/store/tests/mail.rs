//! Mail is taken in once, in order, within bounds, and survives being cut off between any two steps.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Cursor;

use common::{account, reopened};
use matrixos_store::{
    ChannelSettings, Incoming, LETTERS, Letter, MailError, Outgoing, Profile, REPLIES, Store, StoreError, User, export,
    import, verify,
};

const CHANNEL: &str = "telegram";

fn letter(user: &User, update: u64) -> Letter {
    let (chat, sender) = ("7".to_owned(), "7".to_owned());
    let (channel, text) = (CHANNEL.to_owned(), format!("message {update}"));
    Letter { user: user.id, channel, update, chat, sender, name: Some("Alice".to_owned()), text, at: 1, told: false }
}

fn brought(user: &User, updates: &[u64]) -> Vec<Incoming> {
    updates.iter().map(|update| Incoming::Letter(letter(user, *update))).collect()
}

fn said(text: &str) -> Outgoing {
    Outgoing { chat: "7".to_owned(), text: text.to_owned() }
}

fn settings(user: &User, account: &str) -> ChannelSettings {
    let (channel, account) = (CHANNEL.to_owned(), account.to_owned());
    let owners = vec!["7".to_owned()];
    ChannelSettings { user: user.id, channel, account, sealed: "00".to_owned(), enabled: true, owners }
}

/// Answers the next letter with its own text; gives its number.
fn answer_next(store: &Store, user: &User) -> Option<u64> {
    let letter = store.next_letter(user.id, CHANNEL).unwrap()?;
    assert!(store.answer_letter(&letter, &[said(&letter.text)]).unwrap());
    Some(letter.update)
}

#[test]
fn what_comes_twice_or_out_of_order_is_taken_in_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    assert_eq!(store.take_in(user.id, CHANNEL, &brought(&user, &[12, 10, 12])).unwrap(), 2);
    assert_eq!(store.take_in(user.id, CHANNEL, &brought(&user, &[11, 10])).unwrap(), 1);
    assert_eq!((0..3).map(|_| answer_next(&store, &user).unwrap()).collect::<Vec<_>>(), [10, 11, 12]);
    assert_eq!(store.take_in(user.id, CHANNEL, &brought(&user, &[10, 11, 12])).unwrap(), 0, "answered before");
    assert_eq!(store.next_letter(user.id, CHANNEL).unwrap(), None);
    assert_eq!(store.mail_waiting(user.id, CHANNEL).unwrap(), (0, 3));
    // Numbers may begin anew below: the channel says so of itself.
    assert_eq!(store.take_in(user.id, CHANNEL, &brought(&user, &[3])).unwrap(), 1);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn cut_off_between_any_two_steps_nothing_is_lost_and_nothing_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let again = |store: Store| {
        drop(store);
        reopened(folder.path()).unwrap()
    };
    let answered = Incoming::Answered { update: 2, chat: "7".to_owned(), text: "only text".to_owned() };
    let batch = [brought(&user, &[1]), vec![answered]].concat();
    assert_eq!(store.take_in(user.id, CHANNEL, &batch).unwrap(), 2);
    store = again(store);
    // The channel was not told in time, and brings the same once more.
    assert_eq!(store.take_in(user.id, CHANNEL, &batch).unwrap(), 0);
    let waiting = store.next_letter(user.id, CHANNEL).unwrap().unwrap();
    store.tell_to_wait(&waiting, "a moment").unwrap();
    store = again(store);
    store.tell_to_wait(&waiting, "a moment").unwrap();
    assert!(store.answer_letter(&waiting, &[said("one"), said("two")]).unwrap());
    store = again(store);
    assert!(!store.answer_letter(&waiting, &[said("one"), said("two")]).unwrap(), "it was answered already");
    let mut sent = Vec::new();
    while let Some(reply) = store.next_reply(user.id, CHANNEL).unwrap() {
        sent.push(reply.text.clone());
        store.reply_is_done(&reply).unwrap();
        store = again(store);
    }
    assert_eq!(sent, ["only text", "a moment", "one", "two"]);
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn no_more_waits_than_may() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    let other = store.create_account(&account("bobby")).unwrap();
    let all: Vec<u64> = (1..=LETTERS as u64).collect();
    assert_eq!(store.take_in(user.id, CHANNEL, &brought(&user, &all)).unwrap(), LETTERS);
    let more = brought(&user, &[1_000, 1_001]);
    assert!(matches!(store.take_in(user.id, CHANNEL, &more), Err(MailError::Full(LETTERS))));
    assert_eq!(store.take_in(other.id, CHANNEL, &brought(&other, &[1])).unwrap(), 1, "others are not concerned");
    answer_next(&store, &user).unwrap();
    assert!(matches!(store.take_in(user.id, CHANNEL, &more), Err(MailError::Full(_))), "all of a batch or nothing");
    assert_eq!(store.take_in(user.id, CHANNEL, &more[..1]).unwrap(), 1);
    let long = Letter { text: "x".repeat((64 << 10) + 1), ..letter(&other, 9) };
    assert!(matches!(store.take_in(other.id, CHANNEL, &[Incoming::Letter(long)]), Err(MailError::TooLong)));
    let texts: Vec<_> = (0..REPLIES).map(|_| said("x")).collect();
    store.post(other.id, CHANNEL, &texts).unwrap();
    assert!(matches!(store.post(other.id, CHANNEL, &[said("x")]), Err(MailError::Full(REPLIES))));
}

#[test]
fn another_account_of_the_channel_begins_with_no_mail_and_a_deleted_person_leaves_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let user = store.create_account(&account("alice")).unwrap();
    store.put_channel(&settings(&user, "111")).unwrap();
    store.take_in(user.id, CHANNEL, &brought(&user, &[1, 2])).unwrap();
    answer_next(&store, &user).unwrap();
    store.put_channel(&ChannelSettings { enabled: false, ..settings(&user, "111") }).unwrap();
    assert_eq!(store.mail_waiting(user.id, CHANNEL).unwrap(), (1, 1), "switched off, it keeps");
    store.put_channel(&settings(&user, "222")).unwrap();
    assert_eq!(store.mail_waiting(user.id, CHANNEL).unwrap(), (0, 0));
    store.take_in(user.id, CHANNEL, &brought(&user, &[1])).unwrap();
    let about = Profile { user: user.id, profile: "hello".to_owned(), ai_profile: "beep".to_owned() };
    store.put_profile(&about).unwrap();
    assert_eq!(store.profile(user.id).unwrap(), Some(about.clone()));
    store.delete_account(&user, 9).unwrap();
    assert!(store.channels().unwrap().is_empty() && store.next_letter(user.id, CHANNEL).unwrap().is_none());
    for refused in [store.put_profile(&about), store.put_channel(&settings(&user, "222"))] {
        assert!(matches!(refused, Err(StoreError::Missing(_))), "nobody is there any more");
    }
    let late = store.take_in(user.id, CHANNEL, &brought(&user, &[2]));
    assert!(matches!(late, Err(MailError::Store(StoreError::Missing(_)))));
    assert!(verify(&store).is_empty(), "{:?}", verify(&store));
}

#[test]
fn mail_is_part_of_an_export() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, copy) = (Store::open(from.path()).unwrap(), Store::open(to.path()).unwrap());
    let user = store.create_account(&account("alice")).unwrap();
    store.put_channel(&settings(&user, "111")).unwrap();
    store.take_in(user.id, CHANNEL, &brought(&user, &[1, 2])).unwrap();
    answer_next(&store, &user).unwrap();
    let mut text = Vec::new();
    export(&store, &mut text).unwrap();
    import(&copy, &mut Cursor::new(text)).unwrap();
    assert_eq!(copy.channel(user.id, CHANNEL).unwrap(), Some(settings(&user, "111")));
    assert_eq!(copy.mail_waiting(user.id, CHANNEL).unwrap(), (1, 1));
    assert_eq!(copy.take_in(user.id, CHANNEL, &brought(&user, &[1, 2])).unwrap(), 0);
    assert!(verify(&copy).is_empty(), "{:?}", verify(&copy));
}
