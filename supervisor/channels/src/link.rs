//! One connection at work: messages are taken in, letters answered, replies sent, each by a loop of its own. What lies
//! between them is in the mailbox, so that each can be cut off at any moment.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrixos_types::kernel::{From as Sender, MessageBody};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::channel::{Channel, Content, Inbound, News, Trouble, pause};
use crate::desk::{Desk, Unanswered};
use crate::mail::{Incoming, LETTER, Letter, Mail, Outgoing, Reply, Waiting};
use crate::standing::Standing;
use crate::work;

/// Between two looks at a turn that takes long.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// A channel that has nothing to say does not say so more often.
const NOTHING_NEW: Duration = Duration::from_secs(1);
/// So many failures in a row to start a computer, and the sender is told.
const PATIENCE: u32 = 4;
/// So many failures of a computer that was asked, and the sender is told that there is no answer.
const GIVE_UP: u32 = 5;
/// Until a mailbox that took nothing is tried again.
const MAIL_AGAIN: Duration = Duration::from_secs(5);

/// Most of an answer that is sent, in bytes.
const ANSWER: usize = 128 << 10;

const TOO_LONG: &str = "That message is too long for me.";

/// Which account is connected, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The channel's name.
    pub channel: String,
    /// The account on that channel; part of what a computer knows each message by.
    pub account: String,
    /// Who may write, in the channel's words. An empty list admits nobody.
    pub owners: Vec<String>,
    /// Whose it is, for the log.
    pub user: String,
}

/// A connection, shared by its loops and those who ask about it.
pub struct Link<M: Mail> {
    about: About,
    channel: Box<dyn Channel>,
    mail: M,
    desk: Box<dyn Desk>,
    end: CancellationToken,
    letters: Notify,
    replies: Notify,
    standing: Mutex<Standing>,
}

impl<M: Mail> Link<M> {
    /// A connection that has yet to begin its work; it ends when `end` does.
    pub fn new(about: About, channel: Box<dyn Channel>, mail: M, desk: Box<dyn Desk>, end: CancellationToken) -> Self {
        let (letters, replies, standing) = (Notify::new(), Notify::new(), Mutex::default());
        Self { about, channel, mail, desk, end, letters, replies, standing }
    }

    /// What it connects.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Ends it; what it is doing comes to its end by itself.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// Something was put into the mailbox that is to be sent.
    pub fn has_replies(&self) {
        self.replies.notify_one();
    }

    /// Reads what the channel has brought, if `secret` shows that it is the channel.
    pub fn brought(&self, secret: &[u8], body: &[u8]) -> Option<Vec<News>> {
        self.channel.brought(secret, body)
    }

    /// Whether somebody may write, and be written to.
    pub fn names(&self, id: &str) -> bool {
        self.about.owners.iter().any(|owner| owner == id)
    }

    /// Works until it is ended.
    pub async fn work(&self) {
        tokio::join!(self.receive(), self.answer(), self.send());
    }

    /// How it stands.
    pub fn standing(&self) -> MutexGuard<'_, Standing> {
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
            warn!(user = %self.about.user, channel = %self.about.channel, %trouble, "a channel does not work");
        }
    }

    /// Keeps news, however long that takes; only then the channel may forget them. False if the connection has ended.
    async fn keep(&self, news: &[News]) -> bool {
        while let Err(error) = self.take_in(news).await {
            self.tell(&Trouble::Unreachable(format!("messages cannot be taken in: {error}")));
            if !self.rest(MAIL_AGAIN).await {
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
    pub async fn take_in(&self, news: &[News]) -> Result<(), M::Error> {
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
            self.mail.take_in(brought).await?;
            self.letters.notify_one();
            self.replies.notify_one();
        }
        if dropped > 0 {
            self.standing().dropped += dropped;
            info!(user = %self.about.user, channel = %self.about.channel, dropped, "messages of strangers were dropped");
        }
        Ok(())
    }

    /// Both who wrote and where it would be read must be named in the settings: in a group, others read along.
    fn admits(&self, message: &Inbound) -> bool {
        self.names(&message.sender) && self.names(&message.chat)
    }

    fn incoming(&self, update: u64, message: &Inbound) -> Incoming {
        let answered = |text: &str| Incoming::Answered { update, chat: message.chat.clone(), text: text.to_owned() };
        match &message.content {
            Content::Answered(text) => answered(text),
            Content::Text(text) if text.len() > LETTER => answered(TOO_LONG),
            Content::Text(text) => Incoming::Letter(Letter {
                update,
                chat: message.chat.clone(),
                sender: message.sender.clone(),
                name: message.name.clone(),
                text: text.clone(),
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
                    warn!(user = %self.about.user, channel = %self.about.channel, %error, "a message could not be answered now");
                    MAIL_AGAIN
                }
            };
            if self.end.is_cancelled() || !self.rest(rest).await {
                return;
            }
        }
    }

    /// Answers the next letter, if there is one and room for its answer. Returns how long to rest.
    async fn answer_next(&self, failures: &mut u32) -> Result<Option<Duration>, M::Error> {
        let Some(Waiting { letter, room }) = self.mail.next_letter().await? else { return Ok(None) };
        if !room {
            return Ok(Some(LOOK_AGAIN));
        }
        let message = self.message(&letter);
        let asked = tokio::select! {
            () = self.end.cancelled() => return Ok(Some(Duration::ZERO)),
            asked = self.desk.ask(&message) => asked,
            // Who was told to wait is not shown that somebody is at it.
            never = work::show(&*self.channel, &letter.chat), if !letter.told => match never {},
        };
        match asked {
            Ok(text) => {
                *failures = 0;
                self.answered(&letter, &text).await?;
                Ok(Some(Duration::ZERO))
            }
            Err(why) => self.not_answered(letter, why, failures).await.map(Some),
        }
    }

    fn message(&self, letter: &Letter) -> MessageBody {
        let Letter { sender, name, text, update, .. } = letter;
        let channel = &self.about.channel;
        MessageBody {
            text: text.clone(),
            session_id: None,
            from: Some(Sender { channel: channel.clone(), id: sender.clone(), name: name.clone() }),
            request_id: Some(format!("{channel}-{}-{update}", self.about.account)),
        }
    }

    async fn answered(&self, letter: &Letter, text: &str) -> Result<(), M::Error> {
        self.mail.answer_letter(letter.update, self.pieces(&letter.chat, text)).await?;
        self.replies.notify_one();
        Ok(())
    }

    /// A text for a chat, in pieces that the channel takes.
    pub fn pieces(&self, chat: &str, text: &str) -> Vec<Outgoing> {
        let pieces = self.channel.pieces(&shortened(text)).into_iter();
        pieces.map(|text| Outgoing { chat: chat.to_owned(), text }).collect()
    }

    async fn not_answered(&self, letter: Letter, why: Unanswered, failures: &mut u32) -> Result<Duration, M::Error> {
        *failures += 1;
        let news = match &why {
            Unanswered::Answering => {
                *failures = 0;
                return Ok(LOOK_AGAIN);
            }
            Unanswered::Failed(message) if *failures >= GIVE_UP => {
                *failures = 0;
                self.answered(&letter, &format!("I could not answer this: {message}")).await?;
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
        info!(user = %self.about.user, channel = %self.about.channel, %why, "a message waits");
        if let Some(text) = news.filter(|_| !letter.told) {
            self.mail.tell_to_wait(letter.update, text).await?;
            self.replies.notify_one();
        }
        Ok(pause(*failures))
    }

    async fn send(&self) {
        let mut failures = 0;
        loop {
            let rest = match self.mail.next_reply().await {
                Ok(Some(reply)) => self.send_one(reply, &mut failures).await,
                Ok(None) => tokio::select! {
                    () = self.end.cancelled() => return,
                    () = self.replies.notified() => continue,
                },
                Err(error) => {
                    warn!(user = %self.about.user, channel = %self.about.channel, %error, "a reply could not be read");
                    MAIL_AGAIN
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
                self.done(&reply).await;
                Duration::ZERO
            }
            Err(trouble @ Trouble::Undeliverable(_)) => {
                warn!(user = %self.about.user, channel = %self.about.channel, %trouble, "a reply does not arrive");
                self.done(&reply).await;
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
    async fn done(&self, reply: &Reply) {
        while let Err(error) = self.mail.reply_is_done(reply.number).await {
            warn!(user = %self.about.user, channel = %self.about.channel, %error, "a reply that was sent could not be noted");
            if !self.rest(MAIL_AGAIN).await {
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
