//! The way to the one thread that writes money down. Waiting in one place costs less than a thread for each call, which
//! would all wake for each settlement of the disk.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use matrixos_store::{Held, Hold, HoldError, Lease, Store, StoreError};
use matrixos_types::UserId;
use tokio::sync::oneshot;

use super::desk::{self, Answer, Desk, Order, Task, Work};

/// The way to the thread, which ends with the last of these, when all is written. What waits is bounded by the calls that
/// may be in flight, and by what the desk puts off.
#[derive(Clone)]
pub(super) struct Clerk(Arc<Line>);

struct Line(mpsc::Sender<Order>);

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.0.send(Order::End);
    }
}

/// What comes of something that was handed in; an error if the thread is gone.
pub(super) type Receipt<T, E> = oneshot::Receiver<Result<T, E>>;

impl Clerk {
    pub(super) fn start(store: Store) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        let settlements = desk::settle_beside(store.clone(), sender.clone())?;
        let desk = Desk::new(store, settlements);
        thread::Builder::new().name("money".to_owned()).spawn(move || desk.serve(&orders))?;
        Ok(Self(Arc::new(Line(sender))))
    }

    /// Has something written; answers when it is on the disk. What fails has changed nothing and is answered at once.
    pub(super) async fn write<T, E>(
        &self,
        user: UserId,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let answer = self.hand_in(user, true, |_| None, work);
        answer.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Puts money on hold. It is on the disk when this returns, sooner than anything else that is written.
    pub(super) async fn hold(&self, hold: Hold) -> Result<Held, HoldError> {
        let lease = |held: &Held| Some(held.lease.clone());
        let answer = self.hand_in(hold.user, true, lease, move |store| store.draft(&hold));
        answer.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Has something written, and somebody else wait for it: if not `now`, then when there is time for it, but before
    /// anything that comes for the same person later.
    pub(super) fn post<T, E>(
        &self,
        user: UserId,
        now: bool,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Receipt<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.hand_in(user, now, |_| None, work)
    }

    /// Returns when everything that was handed in for a person can be read, which may be before it is on the disk.
    pub(super) async fn catch_up(&self, user: UserId) -> Result<(), StoreError> {
        let (sender, answer) = oneshot::channel();
        let task: Task = Box::new(move |_| {
            let _ = sender.send(());
            None
        });
        self.send(Work { user, now: true, task });
        answer.await.map_err(|_| gone())
    }

    fn hand_in<T, E>(
        &self,
        user: UserId,
        now: bool,
        lease: impl FnOnce(&T) -> Option<Lease> + Send + 'static,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Receipt<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let task: Task = Box::new(move |store| match work(store) {
            Ok(done) => {
                let lease = lease(&done);
                let give = Box::new(move |settled: Result<(), StoreError>| {
                    let _ = sender.send(settled.map(|()| done).map_err(E::from));
                });
                Some(Answer { lease, give })
            }
            Err(error) => {
                let _ = sender.send(Err(error));
                None
            }
        });
        self.send(Work { user, now, task });
        answer
    }

    /// Without the thread the sender of the answer is dropped, which its receiver hears.
    fn send(&self, work: Work) {
        let _ = self.0.0.send(Order::Work(work));
    }
}

/// What is said when the thread is gone.
pub(super) fn gone() -> StoreError {
    StoreError::Broken("the thread that writes money down has ended".to_owned())
}
