//! The mailbox of one account in the store.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use matrixos_channels::{Doing, Incoming, LETTER, Letter, Mail, Outgoing, Reply, Waiting};
use matrixos_store::{self as store, MailError, REPLIES, Store, StoreError};
use matrixos_types::UserId;

use crate::clock::Clock;

// What a connection takes for a letter, the store keeps.
const _: () = assert!(LETTER <= store::LETTER);

/// Somebody's mail of one channel.
pub(super) struct Mailbox {
    pub(super) user: UserId,
    pub(super) channel: String,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
}

impl Mailbox {
    /// Work with the store, off the threads that serve.
    fn with<T: Send + 'static, E: Send + From<StoreError> + 'static>(
        &self,
        how: impl FnOnce(&Store, UserId, &str) -> Result<T, E> + Send + 'static,
    ) -> Doing<'_, Result<T, E>> {
        let (user, channel) = (self.user, self.channel.clone());
        Box::pin(self.store.run(move |store| how(store, user, &channel)))
    }

    fn kept(&self, one: Incoming) -> store::Incoming {
        match one {
            Incoming::Answered { update, chat, text } => store::Incoming::Answered { update, chat, text },
            Incoming::Letter(Letter { update, chat, sender, name, text, told }) => {
                let (user, channel) = (self.user, self.channel.clone());
                let at = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                store::Incoming::Letter(store::Letter { user, channel, update, chat, sender, name, text, at, told })
            }
        }
    }
}

impl Mail for Mailbox {
    type Error = MailError;

    fn take_in(&self, brought: Vec<Incoming>) -> Doing<'_, Result<(), MailError>> {
        let brought: Vec<_> = brought.into_iter().map(|one| self.kept(one)).collect();
        self.with(move |store, user, channel| store.take_in(user, channel, &brought).map(drop))
    }

    fn next_letter(&self) -> Doing<'_, Result<Option<Waiting>, MailError>> {
        self.with(|store, user, channel| {
            let Some(found) = store.next_letter(user, channel)? else { return Ok(None) };
            let store::Letter { update, chat, sender, name, text, told, .. } = found;
            let (_, unsent) = store.mail_waiting(user, channel)?;
            let letter = Letter { update, chat, sender, name, text, told };
            Ok(Some(Waiting { letter, room: unsent < REPLIES }))
        })
    }

    fn answer_letter(&self, update: u64, answer: Vec<Outgoing>) -> Doing<'_, Result<(), MailError>> {
        let answer: Vec<_> = answer.into_iter().map(sent).collect();
        self.with(move |store, user, channel| {
            let found = store.next_letter(user, channel)?.filter(|letter| letter.update == update);
            Ok(found.map_or(Ok(()), |letter| store.answer_letter(&letter, &answer).map(drop))?)
        })
    }

    fn tell_to_wait(&self, update: u64, text: String) -> Doing<'_, Result<(), MailError>> {
        self.with(move |store, user, channel| {
            let found = store.next_letter(user, channel)?.filter(|letter| letter.update == update);
            Ok(found.map_or(Ok(()), |letter| store.tell_to_wait(&letter, &text))?)
        })
    }

    fn next_reply(&self) -> Doing<'_, Result<Option<Reply>, MailError>> {
        self.with(|store, user, channel| {
            let found = store.next_reply(user, channel)?;
            Ok(found.map(|store::Reply { number, chat, text, .. }| Reply { number, chat, text }))
        })
    }

    fn reply_is_done(&self, number: u64) -> Doing<'_, Result<(), MailError>> {
        self.with(move |store, user, channel| {
            let found = store.next_reply(user, channel)?.filter(|reply| reply.number == number);
            Ok(found.map_or(Ok(()), |reply| store.reply_is_done(&reply))?)
        })
    }
}

/// As the store takes it.
pub(super) fn sent(Outgoing { chat, text }: Outgoing) -> store::Outgoing {
    store::Outgoing { chat, text }
}
