//! What happened to accounts: written down before whoever caused it is answered.

use matrixos_store::{By, Caller, Event, StoreError, What};
use matrixos_types::UserId;

use super::evidence::Session;
use super::{Accounts, AdminGrant, FreshGrant};

impl Accounts {
    pub(super) async fn note(
        &self,
        user: UserId,
        what: What,
        detail: Option<String>,
        caller: &Caller,
        by: By,
    ) -> Result<(), StoreError> {
        let event = Event { number: 0, user, at: self.now(), what, detail, caller: caller.clone(), by };
        match self.store.run(move |store| store.note(event)).await {
            // The account has just been deleted, and what happened to it goes with it.
            Err(StoreError::Missing(_)) => Ok(()),
            noted => noted,
        }
    }

    /// Writes down what the operator did to somebody's computer.
    pub async fn note_operation(&self, user: UserId, what: What, caller: &Caller) -> Result<(), StoreError> {
        self.note(user, what, None, caller, By::Operator).await
    }

    /// Writes down what an administrator does to somebody's account; before it is done, and with their name.
    pub async fn note_intervention(
        &self,
        grant: &FreshGrant,
        user: UserId,
        what: What,
        caller: &Caller,
    ) -> Result<(), StoreError> {
        let by = Some(grant.user().handle.to_string());
        self.note(user, what, by, caller, By::Administrator).await
    }

    /// The newest `most` events of one's own with numbers below `before`.
    pub fn events(&self, session: &Session, before: u64, most: usize) -> Result<Vec<Event>, StoreError> {
        self.store.events_of(session.user.id, before, most)
    }

    /// The newest `most` events with numbers below `before`, of everybody or of one.
    pub fn events_for_administrators(
        &self,
        _grant: &AdminGrant,
        of: Option<UserId>,
        before: u64,
        most: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.events_for_operator(of, before, most)
    }

    /// The same, for whoever asks over the operator's socket.
    pub fn events_for_operator(&self, of: Option<UserId>, before: u64, most: usize) -> Result<Vec<Event>, StoreError> {
        match of {
            Some(user) => self.store.events_of(user, before, most),
            None => self.store.events(before, most),
        }
    }
}
