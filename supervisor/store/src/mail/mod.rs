//! Messages of channels on their way in and out. Each is taken in once, and leaves only when what follows from it is on
//! the disk: a kill at any moment loses nothing.

mod records;
mod settings;
mod verify;

use std::sync::{Mutex, MutexGuard, PoisonError};

use matrixos_types::UserId;
use sled::transaction::{ConflictableTransactionError, Transactional, TransactionalTree};

use crate::disk::Files;
use crate::error::StoreError;
use crate::store::Store;
use crate::table::{Record, Table, decode, put_in};

pub use records::{ChannelSettings, Letter, Profile, Reply};
pub(crate) use records::{Mailbox, prefix};
pub(crate) use verify::verify;

/// Letters of one channel of a person's that may wait.
pub const LETTERS: usize = 200;
/// Replies of one channel of a person's that may wait, before more are refused.
pub const REPLIES: usize = 200;
/// Largest text of a letter, in bytes.
pub const LETTER: usize = 64 << 10;
/// Numbers of messages that are remembered, so that none is taken in twice. More than can come at once again.
const SEEN: usize = 2 * LETTERS;

type Conflict = ConflictableTransactionError<StoreError>;

/// The tables.
pub(crate) struct Mail {
    pub(crate) settings: Table<ChannelSettings>,
    pub(crate) mailboxes: Table<Mailbox>,
    pub(crate) letters: Table<Letter>,
    pub(crate) replies: Table<Reply>,
    pub(crate) profiles: Table<Profile>,
    /// Held while what waits is counted and changed.
    turn: Mutex<()>,
}

impl Mail {
    pub(crate) fn open(files: &Files) -> Result<Self, StoreError> {
        Ok(Self {
            settings: Table::open(files)?,
            mailboxes: Table::open(files)?,
            letters: Table::open(files)?,
            replies: Table::open(files)?,
            profiles: Table::open(files)?,
            turn: Mutex::default(),
        })
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why mail was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// So much waits already.
    #[error("{0} messages wait already")]
    Full(usize),
    /// It is larger than is kept.
    #[error("a message has at most {LETTER} bytes")]
    TooLong,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of a message that a channel has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// It is for the computer.
    Letter(Letter),
    /// It is answered without the computer.
    Answered {
        /// The channel's number of the message.
        update: u64,
        /// Where the answer goes.
        chat: String,
        /// The answer.
        text: String,
    },
}

impl Incoming {
    fn update(&self) -> u64 {
        match self {
            Self::Letter(letter) => letter.update,
            Self::Answered { update, .. } => *update,
        }
    }
}

/// A text for somebody, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom, in the channel's words.
    pub chat: String,
    /// What is said: no more than the channel takes at once.
    pub text: String,
}

/// The trees that a change of mail touches.
struct Change<'a> {
    mailboxes: &'a TransactionalTree,
    letters: &'a TransactionalTree,
    replies: &'a TransactionalTree,
}

impl Change<'_> {
    fn mailbox(&self, user: UserId, channel: &str) -> Result<Mailbox, Conflict> {
        let found = self.mailboxes.get(prefix(user, channel))?;
        let found = found.map(|bytes| decode(Mailbox::TABLE, &bytes)).transpose().map_err(Conflict::Abort)?;
        Ok(found.unwrap_or_else(|| Mailbox { user, channel: channel.to_owned(), seen: Vec::new(), next: 1 }))
    }

    fn post(&self, mailbox: &mut Mailbox, out: &Outgoing) -> Result<(), Conflict> {
        let Mailbox { user, channel, next, .. } = mailbox;
        let (chat, text) = (out.chat.clone(), out.text.clone());
        let reply = Reply { user: *user, channel: channel.clone(), number: *next, chat, text };
        *next += 1;
        Ok(put_in(self.replies, &reply)?)
    }
}

impl Store {
    /// Takes in what a channel has brought, all of it or nothing; what was taken in before is left out. Returns how many
    /// were new.
    pub fn take_in(&self, user: UserId, channel: &str, brought: &[Incoming]) -> Result<usize, MailError> {
        let too_long = |one: &Incoming| matches!(one, Incoming::Letter(letter) if letter.text.len() > LETTER);
        if brought.iter().any(too_long) {
            return Err(MailError::TooLong);
        }
        self.check_room()?;
        let mail = &self.0.mail;
        let _alone = mail.turn();
        self.ensure_account(user)?;
        self.ensure_room(user, channel, brought)?;
        let new = self.change_mail(|change| {
            let mut mailbox = change.mailbox(user, channel)?;
            let mut new = 0;
            for one in brought {
                if mailbox.seen.contains(&one.update()) {
                    continue;
                }
                mailbox.seen.push(one.update());
                new += 1;
                match one {
                    Incoming::Letter(letter) => put_in(change.letters, letter)?,
                    Incoming::Answered { chat, text, .. } => {
                        change.post(&mut mailbox, &Outgoing { chat: chat.clone(), text: text.clone() })?;
                    }
                }
            }
            let surplus = mailbox.seen.len().saturating_sub(SEEN);
            mailbox.seen.drain(..surplus);
            put_in(change.mailboxes, &mailbox)?;
            Ok(new)
        })?;
        Ok(new)
    }

    fn ensure_account(&self, user: UserId) -> Result<(), StoreError> {
        self.user(user)?.map(drop).ok_or(StoreError::Missing("account"))
    }

    fn ensure_room(&self, user: UserId, channel: &str, brought: &[Incoming]) -> Result<(), MailError> {
        let letters = brought.iter().filter(|one| matches!(one, Incoming::Letter(_))).count();
        let (waiting, unsent) = self.mail_waiting(user, channel)?;
        let too_many = |waiting: usize, more: usize, most: usize| more > 0 && waiting + more > most.max(more);
        if too_many(waiting, letters, LETTERS) || too_many(unsent, brought.len() - letters, REPLIES) {
            return Err(MailError::Full(waiting.max(unsent)));
        }
        Ok(())
    }

    /// How many letters wait for an answer, and how many replies to be sent.
    pub fn mail_waiting(&self, user: UserId, channel: &str) -> Result<(usize, usize), StoreError> {
        let count = |tree: &sled::Tree| {
            let keys = tree.scan_prefix(prefix(user, channel)).keys();
            keys.take(10 * LETTERS).try_fold(0, |count, key| key.map(|_| count + 1))
        };
        Ok((count(&self.0.mail.letters.tree)?, count(&self.0.mail.replies.tree)?))
    }

    /// The letter that is to be answered next.
    pub fn next_letter(&self, user: UserId, channel: &str) -> Result<Option<Letter>, StoreError> {
        self.0.mail.letters.first(&prefix(user, channel))
    }

    /// The reply that is to be sent next.
    pub fn next_reply(&self, user: UserId, channel: &str) -> Result<Option<Reply>, StoreError> {
        self.0.mail.replies.first(&prefix(user, channel))
    }

    /// A letter was answered: it goes, and its answer waits to be sent. False if the letter was not there any more; then
    /// nothing is sent.
    pub fn answer_letter(&self, letter: &Letter, answer: &[Outgoing]) -> Result<bool, StoreError> {
        self.check_writable()?;
        let _alone = self.0.mail.turn();
        self.change_mail(|change| {
            if change.letters.remove(letter.key())?.is_none() {
                return Ok(false);
            }
            let mut mailbox = change.mailbox(letter.user, &letter.channel)?;
            answer.iter().try_for_each(|out| change.post(&mut mailbox, out))?;
            put_in(change.mailboxes, &mailbox)?;
            Ok(true)
        })
    }

    /// Tells the sender of a letter, once, that it has to wait.
    pub fn tell_to_wait(&self, letter: &Letter, text: &str) -> Result<(), StoreError> {
        self.check_writable()?;
        let _alone = self.0.mail.turn();
        self.change_mail(|change| {
            let Some(bytes) = change.letters.get(letter.key())? else { return Ok(()) };
            let known: Letter = decode(Letter::TABLE, &bytes).map_err(Conflict::Abort)?;
            if known.told {
                return Ok(());
            }
            put_in(change.letters, &Letter { told: true, ..known })?;
            let mut mailbox = change.mailbox(letter.user, &letter.channel)?;
            change.post(&mut mailbox, &Outgoing { chat: letter.chat.clone(), text: text.to_owned() })?;
            put_in(change.mailboxes, &mailbox)?;
            Ok(())
        })
    }

    /// Puts texts behind those that wait to be sent, all of them or none.
    pub fn post(&self, user: UserId, channel: &str, texts: &[Outgoing]) -> Result<(), MailError> {
        self.check_room()?;
        let _alone = self.0.mail.turn();
        self.ensure_account(user)?;
        let (_, unsent) = self.mail_waiting(user, channel)?;
        if unsent + texts.len() > REPLIES {
            return Err(MailError::Full(unsent));
        }
        self.change_mail(|change| {
            let mut mailbox = change.mailbox(user, channel)?;
            texts.iter().try_for_each(|out| change.post(&mut mailbox, out))?;
            put_in(change.mailboxes, &mailbox)?;
            Ok(())
        })?;
        Ok(())
    }

    /// The channel has acknowledged a reply, or will never take it.
    pub fn reply_is_done(&self, reply: &Reply) -> Result<(), StoreError> {
        self.check_writable()?;
        self.0.mail.replies.tree.remove(reply.key())?;
        self.settle()
    }

    /// Changes mail in one transaction; returns when it is on the disk.
    fn change_mail<T>(&self, change: impl Fn(&Change<'_>) -> Result<T, Conflict>) -> Result<T, StoreError> {
        let mail = &self.0.mail;
        let trees = (&mail.mailboxes.tree, &mail.letters.tree, &mail.replies.tree);
        let changed =
            trees.transaction(|(mailboxes, letters, replies)| change(&Change { mailboxes, letters, replies }));
        let changed = changed.map_err(StoreError::from)?;
        self.settle()?;
        Ok(changed)
    }

    /// The mail of a channel goes, what is known of it with it. Not settled.
    fn clear_mail(&self, user: UserId, channel: &str) -> Result<(), StoreError> {
        let mail = &self.0.mail;
        for tree in [&mail.letters.tree, &mail.replies.tree, &mail.mailboxes.tree] {
            remove_all(tree, &prefix(user, channel))?;
        }
        Ok(())
    }

    /// Everything about channels and profiles of an account goes with it. Not settled.
    pub(crate) fn forget_mail(&self, user: UserId) -> Result<(), StoreError> {
        let mail = &self.0.mail;
        let _alone = mail.turn();
        for tree in
            [&mail.settings.tree, &mail.letters.tree, &mail.replies.tree, &mail.mailboxes.tree, &mail.profiles.tree]
        {
            remove_all(tree, user.0.as_bytes())?;
        }
        Ok(())
    }
}

fn remove_all(tree: &sled::Tree, prefix: &[u8]) -> Result<(), StoreError> {
    for key in tree.scan_prefix(prefix).keys() {
        tree.remove(key?)?;
    }
    Ok(())
}
