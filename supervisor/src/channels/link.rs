//! One connection at work: messages are taken in, letters answered, replies sent, each by a loop of its own. What lies
//! between them is in the store, so that each can be cut off at any moment.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use matrixos_store::{
    ChannelSettings, Incoming, LETTER, Letter, MailError, Outgoing, REPLIES, Reply, Store, StoreError,
};
use matrixos_types::kernel::{From as Sender, MessageBody};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::channel::{Channel, Content, Inbound, News, Trouble, pause};
use super::desk::{Computers, Unanswered};
use super::standing::Standing;
use crate::clock::Clock;

/// Between two looks at a turn that takes long.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A channel that has nothing to say does not say so more often.
const NOTHING_NEW: Duration = Duration::from_secs(1);
/// So many failures in a row to start a computer, and the sender is told.
const PATIENCE: u32 = 4;
/// So many failures of a computer that was asked, and the sender is told that there is no answer.
const GIVE_UP: u32 = 5;
/// Until a store that took nothing is tried again.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// Most of an answer that is sent, in bytes.
const ANSWER: usize = 128 << 10;

const TOO_LONG: &str = "That message is too long for me.";

/// A connection, shared by its loops and those who ask about it.
pub(super) struct Link {
    pub(super) settings: ChannelSettings,
    pub(super) channel: Box<dyn Channel>,
    pub(super) store: Store,
    pub(super) computers: Arc<dyn Computers>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) end: CancellationToken,
    pub(super) letters: Notify,
    pub(super) replies: Notify,
    pub(super) standing: Mutex<Standing>,
}

impl Link {
    /// Works until it is ended.
    pub(super) async fn work(self: Arc<Self>) {
        tokio::join!(self.receive(), self.answer(), self.send());
    }

    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long. False if the connection has ended meanwhile.
    async fn rest(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.end.cancelled() => false,
            () = sleep(time) => true,
        }
    }

    async fn receive(&self) {
        let (mut failures, mut prepared) = (0, false);
        loop {
            let begun = Instant::now();
            let got = tokio::select! {
                () = self.end.cancelled() => return,
                got = self.news(&mut prepared) => got,
            };
            let rest = match got {
                Ok(news) => {
                    failures = 0;
                    self.standing().works();
                    if !self.keep(&news).await {
                        return;
                    }
                    if news.is_empty() { NOTHING_NEW.saturating_sub(begun.elapsed()) } else { Duration::ZERO }
                }
                Err(trouble) => {
                    failures += 1;
                    prepared = matches!(trouble, Trouble::Busy { .. } | Trouble::Unreachable(_)) && prepared;
                    self.tell(&trouble);
                    trouble.pause(failures)
                }
            };
            if !rest.is_zero() && !self.rest(rest).await {
                return;
            }
        }
    }

    async fn news(&self, prepared: &mut bool) -> Result<Vec<News>, Trouble> {
        if !*prepared {
            self.channel.prepare().await?;
            *prepared = true;
            self.standing().works();
        }
        self.channel.receive().await
    }

    fn tell(&self, trouble: &Trouble) {
        if self.standing().fails(trouble.to_string()) {
            warn!(user = %self.settings.user, channel = %self.settings.channel, %trouble, "a channel does not work");
        }
    }

    /// Keeps news, however long that takes; only then the channel may forget them. False if the connection has ended.
    async fn keep(&self, news: &[News]) -> bool {
        while let Err(error) = self.take_in(news).await {
            self.tell(&Trouble::Unreachable(format!("messages cannot be taken in: {error}")));
            if !self.rest(STORE_AGAIN).await {
                return false;
            }
        }
        if let Some(last) = news.iter().map(|one| one.update).max() {
            self.channel.received(last);
            self.standing().works();
        }
        true
    }

    /// Takes news in: whoever may not write is not heard, and nothing is said to them.
    pub(super) async fn take_in(&self, news: &[News]) -> Result<(), MailError> {
        let mut dropped = 0;
        let brought: Vec<Incoming> = news
            .iter()
            .filter_map(|one| {
                let message = one.message.as_ref()?;
                if !self.admits(message) {
                    dropped += 1;
                    return None;
                }
                Some(self.incoming(one.update, message))
            })
            .collect();
        if !brought.is_empty() {
            let (user, channel) = (self.settings.user, self.settings.channel.clone());
            self.store.run(move |store| store.take_in(user, &channel, &brought)).await?;
            self.letters.notify_one();
            self.replies.notify_one();
        }
        if dropped > 0 {
            self.standing().dropped += dropped;
            info!(user = %self.settings.user, channel = %self.settings.channel, dropped, "messages of strangers were dropped");
        }
        Ok(())
    }

    /// Both who wrote and where it would be read must be named in the settings: in a group, others read along.
    fn admits(&self, message: &Inbound) -> bool {
        let named = |id: &str| self.settings.owners.iter().any(|owner| owner == id);
        named(&message.sender) && named(&message.chat)
    }

    fn incoming(&self, update: u64, message: &Inbound) -> Incoming {
        let answered = |text: &str| Incoming::Answered { update, chat: message.chat.clone(), text: text.to_owned() };
        match &message.content {
            Content::Answered(text) => answered(text),
            Content::Text(text) if text.len() > LETTER => answered(TOO_LONG),
            Content::Text(text) => Incoming::Letter(Letter {
                user: self.settings.user,
                channel: self.settings.channel.clone(),
                update,
                chat: message.chat.clone(),
                sender: message.sender.clone(),
                name: message.name.clone(),
                text: text.clone(),
                at: self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
                told: false,
            }),
        }
    }

    async fn answer(&self) {
        let mut failures = 0;
        loop {
            let rest = match self.answer_next(&mut failures).await {
                Ok(Some(rest)) => rest,
                Ok(None) => tokio::select! {
                    () = self.end.cancelled() => return,
                    () = self.letters.notified() => continue,
                },
                Err(error) => {
                    warn!(user = %self.settings.user, %error, "a message could not be answered now");
                    STORE_AGAIN
                }
            };
            if self.end.is_cancelled() || !self.rest(rest).await {
                return;
            }
        }
    }

    /// Answers the next letter, if there is one and room for its answer. Returns how long to rest.
    async fn answer_next(&self, failures: &mut u32) -> Result<Option<Duration>, StoreError> {
        let (user, channel) = (self.settings.user, self.settings.channel.clone());
        let waiting = self.store.run(move |store| {
            let letter = store.next_letter(user, &channel)?;
            Ok::<_, StoreError>(letter.map(|letter| (letter, store.mail_waiting(user, &channel))))
        });
        let Some((letter, unsent)) = waiting.await? else { return Ok(None) };
        if unsent?.1 >= REPLIES {
            return Ok(Some(LOOK_AGAIN));
        }
        let message = self.message(&letter);
        let asked = tokio::select! {
            () = self.end.cancelled() => return Ok(Some(Duration::ZERO)),
            asked = self.computers.ask(user, &message) => asked,
        };
        match asked {
            Ok(text) => {
                *failures = 0;
                self.answered(letter, &text).await?;
                Ok(Some(Duration::ZERO))
            }
            Err(why) => self.not_answered(letter, why, failures).await.map(Some),
        }
    }

    fn message(&self, letter: &Letter) -> MessageBody {
        let Letter { channel, sender, name, text, update, .. } = letter;
        MessageBody {
            text: text.clone(),
            session_id: None,
            from: Some(Sender { channel: channel.clone(), id: sender.clone(), name: name.clone() }),
            request_id: Some(format!("{channel}-{}-{update}", self.settings.account)),
        }
    }

    async fn answered(&self, letter: Letter, text: &str) -> Result<(), StoreError> {
        let out = self.pieces(&letter.chat, text);
        self.store.run(move |store| store.answer_letter(&letter, &out)).await?;
        self.replies.notify_one();
        Ok(())
    }

    pub(super) fn pieces(&self, chat: &str, text: &str) -> Vec<Outgoing> {
        let pieces = self.channel.pieces(&shortened(text)).into_iter();
        pieces.map(|text| Outgoing { chat: chat.to_owned(), text }).collect()
    }

    async fn not_answered(&self, letter: Letter, why: Unanswered, failures: &mut u32) -> Result<Duration, StoreError> {
        *failures += 1;
        let news = match &why {
            Unanswered::Answering => {
                *failures = 0;
                return Ok(LOOK_AGAIN);
            }
            Unanswered::Failed(message) if *failures >= GIVE_UP => {
                *failures = 0;
                self.answered(letter, &format!("I could not answer this: {message}")).await?;
                return Ok(Duration::ZERO);
            }
            Unanswered::Stopped(reason) => Some(format!(
                "Your computer is stopped ({reason}). I keep your message and answer it when the computer runs again."
            )),
            Unanswered::Later(_) if *failures >= PATIENCE => Some(
                "Your computer cannot be reached at the moment. I keep your message and answer it as soon as it can be."
                    .to_owned(),
            ),
            Unanswered::Later(_) | Unanswered::Failed(_) => None,
        };
        info!(user = %self.settings.user, channel = %self.settings.channel, %why, "a message waits");
        if let Some(text) = news.filter(|_| !letter.told) {
            self.store.run(move |store| store.tell_to_wait(&letter, &text)).await?;
            self.replies.notify_one();
        }
        Ok(pause(*failures))
    }

    async fn send(&self) {
        let mut failures = 0;
        loop {
            let (user, channel) = (self.settings.user, self.settings.channel.clone());
            let next = self.store.run(move |store| store.next_reply(user, &channel)).await;
            let rest = match next {
                Ok(Some(reply)) => self.send_one(reply, &mut failures).await,
                Ok(None) => tokio::select! {
                    () = self.end.cancelled() => return,
                    () = self.replies.notified() => continue,
                },
                Err(error) => {
                    warn!(%user, %error, "a reply could not be read");
                    STORE_AGAIN
                }
            };
            if self.end.is_cancelled() || !self.rest(rest).await {
                return;
            }
        }
    }

    /// Sends one reply. Not cut off when the connection ends: what the channel has acknowledged must be noted.
    async fn send_one(&self, reply: Reply, failures: &mut u32) -> Duration {
        match self.channel.send(&reply.chat, &reply.text).await {
            Ok(()) => {
                *failures = 0;
                self.done(reply).await;
                Duration::ZERO
            }
            Err(trouble @ Trouble::Undeliverable(_)) => {
                warn!(user = %self.settings.user, channel = %self.settings.channel, %trouble, "a reply does not arrive");
                self.done(reply).await;
                Duration::ZERO
            }
            Err(trouble) => {
                *failures += 1;
                if !matches!(trouble, Trouble::Busy { .. }) {
                    self.tell(&trouble);
                }
                trouble.pause(*failures)
            }
        }
    }

    /// Notes that a reply is done, however long that takes: sending it again would be worse than waiting.
    async fn done(&self, reply: Reply) {
        loop {
            let done = reply.clone();
            let Err(error) = self.store.run(move |store| store.reply_is_done(&done)).await else { return };
            warn!(user = %self.settings.user, %error, "a reply that was sent could not be noted");
            if !self.rest(STORE_AGAIN).await {
                return;
            }
        }
    }
}

/// As much of an answer as somebody might read on a channel.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= ANSWER {
        return text.into();
    }
    let beginning = &text[..text.floor_char_boundary(ANSWER)];
    format!("{beginning}\n\n(There is more of it, in the conversation on your desktop.)").into()
}
