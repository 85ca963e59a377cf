//! The mailbox of a channel as a file, `system/mailboxes/{channel}.json`: what has come and waits for its answer, what
//! waits to be sent, and which messages were taken in. Replaced in one step and flushed with every change.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;
use matrixos_channels::{Doing, Incoming, Letter, Mail, Outgoing, Reply, Waiting};
use serde::{Deserialize, Serialize};

use crate::config::open_file;

pub(crate) const FOLDER: &str = "system/mailboxes";
/// Letters that may wait, and replies before more are refused: as on the platform.
const LETTERS: usize = 200;
const REPLIES: usize = 200;
/// Numbers of messages that are remembered, so that none is taken in twice. More than can come at once again.
const SEEN: usize = 2 * LETTERS;

/// Why mail was not kept. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// So much waits already.
    #[error("{0} messages wait already")]
    Full(usize),
    /// The file could not be read or written.
    #[error("{FOLDER} cannot be used: {0}")]
    Disk(#[from] io::Error),
}

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Document {
    /// Mail of another account cannot be answered by this one.
    account: String,
    /// The newest last.
    seen: Vec<u64>,
    next: u64,
    /// By their numbers, in which order they are answered.
    letters: BTreeMap<u64, Letter>,
    replies: BTreeMap<u64, Reply>,
}

/// The mailbox; cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Inner>);

struct Inner {
    home: Dir,
    path: String,
    /// One change at a time, each with its writing.
    changing: Mutex<()>,
    /// As it is on the disk; nothing until it was read.
    known: Mutex<Option<Document>>,
}

impl Mailbox {
    pub(super) fn new(home: Dir, channel: &str) -> Self {
        let path = format!("{FOLDER}/{channel}.json");
        Self(Arc::new(Inner { home, path, changing: Mutex::default(), known: Mutex::default() }))
    }

    /// Makes it that account's: mail of another one goes.
    pub(super) async fn belong_to(&self, account: &str) -> Result<(), NotKept> {
        let account = account.to_owned();
        self.change(move |document| {
            if document.account != account {
                *document = Document { account, ..Document::default() };
            }
            Ok(())
        })
        .await
    }

    /// How many letters wait for an answer, and how many replies to be sent.
    pub(super) fn waiting(&self) -> (usize, usize) {
        self.0.known().as_ref().map_or((0, 0), |document| (document.letters.len(), document.replies.len()))
    }

    /// Puts texts behind those that wait to be sent, all of them or none.
    pub(super) async fn post(&self, texts: Vec<Outgoing>) -> Result<(), NotKept> {
        self.change(move |document| {
            if document.replies.len() + texts.len() > REPLIES {
                return Err(NotKept::Full(document.replies.len()));
            }
            texts.into_iter().for_each(|out| document.post(out));
            Ok(())
        })
        .await
    }

    /// Changes it; returns when that is on the disk. It comes to its end even if nobody waits for it any more.
    async fn change<T: Send + 'static>(
        &self,
        how: impl FnOnce(&mut Document) -> Result<T, NotKept> + Send + 'static,
    ) -> Result<T, NotKept> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.change(how)).await.map_err(io::Error::other)?
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, Option<Document>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, how: impl FnOnce(&mut Document) -> Result<T, NotKept>) -> Result<T, NotKept> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known().clone();
        let before = known.map_or_else(|| self.read(), Ok)?;
        let mut after = before.clone();
        let done = how(&mut after)?;
        if after != before {
            self.write(&after)?;
        }
        *self.known() = Some(after);
        Ok(done)
    }

    /// What is damaged is put aside, for its owner to see; a new one begins.
    fn read(&self) -> io::Result<Document> {
        let file = match open_file(&self.home, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
            file => file?,
        };
        serde_json::from_reader(io::BufReader::new(file)).or_else(|error| {
            if error.is_io() {
                return Err(error.into());
            }
            let aside = format!("{}.damaged", self.path);
            eprintln!("matrixos-gateway: {} is damaged ({error}); it is put aside as {aside}", self.path);
            self.home.rename(&self.path, &self.home, &aside).map(|()| Document::default())
        })
    }

    fn write(&self, document: &Document) -> io::Result<()> {
        self.home.create_dir_all(FOLDER)?;
        let draft = format!("{}.new", self.path);
        let mut file = self.home.create(&draft)?;
        file.write_all(&serde_json::to_vec(document)?)?;
        file.sync_all()?;
        self.home.rename(&draft, &self.home, &self.path)?;
        // The new name is on the disk when its folder is.
        self.home.open(FOLDER)?.sync_all()
    }
}

impl Document {
    fn post(&mut self, Outgoing { chat, text }: Outgoing) {
        let number = self.next;
        self.next += 1;
        self.replies.insert(number, Reply { number, chat, text });
    }

    fn ensure_room(&self, brought: &[Incoming]) -> Result<(), NotKept> {
        let letters = brought.iter().filter(|one| matches!(one, Incoming::Letter(_))).count();
        let too_many = |waiting: usize, more: usize, most: usize| more > 0 && waiting + more > most.max(more);
        let (waiting, unsent) = (self.letters.len(), self.replies.len());
        if too_many(waiting, letters, LETTERS) || too_many(unsent, brought.len() - letters, REPLIES) {
            return Err(NotKept::Full(waiting.max(unsent)));
        }
        Ok(())
    }

    fn take_in(&mut self, one: Incoming) {
        if self.seen.contains(&one.update()) {
            return;
        }
        self.seen.push(one.update());
        match one {
            Incoming::Letter(letter) => drop(self.letters.insert(letter.update, letter)),
            Incoming::Answered { chat, text, .. } => self.post(Outgoing { chat, text }),
        }
    }
}

impl Mail for Mailbox {
    type Error = NotKept;

    fn take_in(&self, brought: Vec<Incoming>) -> Doing<'_, Result<(), NotKept>> {
        Box::pin(self.change(move |document| {
            let brought: Vec<_> = brought.into_iter().filter(|one| !document.seen.contains(&one.update())).collect();
            document.ensure_room(&brought)?;
            brought.into_iter().for_each(|one| document.take_in(one));
            let surplus = document.seen.len().saturating_sub(SEEN);
            document.seen.drain(..surplus);
            Ok(())
        }))
    }

    fn next_letter(&self) -> Doing<'_, Result<Option<Waiting>, NotKept>> {
        Box::pin(self.change(|document| {
            let (letter, room) = (document.letters.values().next().cloned(), document.replies.len() < REPLIES);
            Ok(letter.map(|letter| Waiting { letter, room }))
        }))
    }

    fn answer_letter(&self, update: u64, answer: Vec<Outgoing>) -> Doing<'_, Result<(), NotKept>> {
        Box::pin(self.change(move |document| {
            if document.letters.remove(&update).is_some() {
                answer.into_iter().for_each(|out| document.post(out));
            }
            Ok(())
        }))
    }

    fn tell_to_wait(&self, update: u64, text: String) -> Doing<'_, Result<(), NotKept>> {
        Box::pin(self.change(move |document| {
            let Some(letter) = document.letters.get_mut(&update).filter(|letter| !letter.told) else { return Ok(()) };
            letter.told = true;
            let chat = letter.chat.clone();
            document.post(Outgoing { chat, text });
            Ok(())
        }))
    }

    fn next_reply(&self) -> Doing<'_, Result<Option<Reply>, NotKept>> {
        Box::pin(self.change(|document| Ok(document.replies.values().next().cloned())))
    }

    fn reply_is_done(&self, number: u64) -> Doing<'_, Result<(), NotKept>> {
        Box::pin(self.change(move |document| {
            document.replies.remove(&number);
            Ok(())
        }))
    }
}
