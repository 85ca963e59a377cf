//! The one thread that writes money down: it does what somebody waits for, settles the disk once for all of it, and then
//! answers. What nobody waits for is done in between, and lies on the disk with the next settlement. Waiting in one place
//! costs less than a thread for each call, which would all wake for each settlement.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use matrixos_store::{Held, Hold, HoldError, Lease, Store, StoreError};
use matrixos_types::UserId;
use tokio::sync::oneshot;

/// How much is done before the disk is settled, and how much may be put off.
const AT_ONCE: usize = 256;
/// How long what nobody waits for may lie written without being on the disk.
const SETTLED_WITHIN: Duration = Duration::from_millis(20);

/// Done on the clerk's thread.
type Task = Box<dyn FnOnce(&Store) -> Option<Answer> + Send>;

/// Given after it is on the disk, or could not be brought there.
struct Answer {
    /// All that has to be on the disk for it, if it is so little.
    lease: Option<Lease>,
    give: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

struct Work {
    /// Whose money: what is done for one person is done in the order in which it came.
    user: UserId,
    /// Whether somebody waits for it.
    now: bool,
    task: Task,
}

/// The way to the thread. It ends with the last of these, when all is written. What waits is bounded by the calls that may
/// be in flight, and by [`AT_ONCE`].
#[derive(Clone)]
pub(super) struct Clerk(mpsc::Sender<Work>);

/// What comes of something that was handed in; an error if the thread is gone.
pub(super) type Receipt<T, E> = oneshot::Receiver<Result<T, E>>;

impl Clerk {
    pub(super) fn start(store: Store) -> io::Result<Self> {
        let (sender, work) = mpsc::channel();
        thread::Builder::new().name("money".to_owned()).spawn(move || serve(store, &work))?;
        Ok(Self(sender))
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
        let answer = self.hand_in(hold.user, true, lease, move |store| store.hold(&hold));
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
        let _ = self.0.send(Work { user, now: true, task });
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
        // Without the thread the answer's sender is dropped, which its receiver hears.
        let _ = self.0.send(Work { user, now, task });
        answer
    }
}

/// What is said when the thread is gone.
pub(super) fn gone() -> StoreError {
    StoreError::Broken("the thread that writes money down has ended".to_owned())
}

fn serve(store: Store, work: &mpsc::Receiver<Work>) {
    let mut desk = Desk { store, later: VecDeque::new(), answers: Vec::new(), charged: HashSet::new(), due: None };
    while desk.turn(work) {}
    desk.put_off_no_more(0);
    desk.settle();
}

/// What the thread has before it.
struct Desk {
    store: Store,
    /// What nobody waits for, oldest first.
    later: VecDeque<(UserId, Task)>,
    /// Of what is written and not yet on the disk.
    answers: Vec<Answer>,
    /// Whose charges are among it. What is held for them next may stand on what these gave back, so it has to be on the disk
    /// together with them: a crash must not leave the holds without the charges.
    charged: HashSet<UserId>,
    /// When it must be there.
    due: Option<Instant>,
}

impl Desk {
    /// Takes what has come or, if nothing has, does what was put off. False when nothing will come any more.
    fn turn(&mut self, work: &mpsc::Receiver<Work>) -> bool {
        match self.next(work) {
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => match self.later.pop_front() {
                Some((user, task)) => self.perform(user, task),
                None => self.settle(),
            },
            Ok(first) => {
                let mut awaited = Vec::from_iter(self.take(first));
                awaited.extend(work.try_iter().take(AT_ONCE - 1).filter_map(|more| self.take(more)));
                self.answer_soon(awaited);
                self.put_off_no_more(AT_ONCE);
            }
        }
        true
    }

    /// Waits as long as there is nothing else to do.
    fn next(&self, work: &mpsc::Receiver<Work>) -> Result<Work, RecvTimeoutError> {
        match self.due {
            _ if !self.later.is_empty() => work.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
            Some(due) => work.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => work.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// The answer that somebody waits for.
    fn take(&mut self, work: Work) -> Option<Answer> {
        if !work.now {
            self.later.push_back((work.user, work.task));
            return None;
        }
        let (first, rest) = std::mem::take(&mut self.later).into_iter().partition(|(user, _)| *user == work.user);
        self.later = rest;
        let first: VecDeque<_> = first;
        first.into_iter().for_each(|(user, task)| self.perform(user, task));
        let alone = !self.charged.contains(&work.user);
        (work.task)(&self.store).map(|answer| Answer { lease: answer.lease.filter(|_| alone), ..answer })
    }

    /// Leases have a shorter way to the disk than the rest, which goes with them if somebody waits for it.
    fn answer_soon(&mut self, awaited: Vec<Answer>) {
        let leases: Option<Vec<&Lease>> = awaited.iter().map(|answer| answer.lease.as_ref()).collect();
        match leases {
            Some(leases) if leases.is_empty() => {}
            Some(leases) => {
                let settled = self.store.settle_leases(&leases);
                self.due.get_or_insert_with(|| Instant::now() + SETTLED_WITHIN);
                self.give(settled.is_ok(), awaited);
            }
            None => {
                self.answers.extend(awaited);
                self.settle();
            }
        }
    }

    fn perform(&mut self, user: UserId, task: Task) {
        if let Some(answer) = task(&self.store) {
            self.answers.push(answer);
            self.charged.insert(user);
            self.due.get_or_insert_with(|| Instant::now() + SETTLED_WITHIN);
        }
    }

    /// Does the oldest of what was put off, until no more than so much of it is left.
    fn put_off_no_more(&mut self, than: usize) {
        while self.later.len() > than {
            if let Some((user, task)) = self.later.pop_front() {
                self.perform(user, task);
            }
        }
    }

    fn settle(&mut self) {
        self.due = None;
        let settled = self.store.settle_money();
        self.charged.clear();
        let answers = std::mem::take(&mut self.answers);
        self.give(settled.is_ok(), answers);
    }

    fn give(&self, settled: bool, answers: Vec<Answer>) {
        for answer in answers {
            // A store that has failed to settle says so to everybody who asks it again.
            (answer.give)(if settled { Ok(()) } else { self.store.settle() });
        }
    }
}

#[cfg(test)]
mod tests {
    use matrixos_store::{FirstFactor, NewAccount, User};
    use matrixos_types::{Handle, Nanos};

    use super::*;

    fn desk(folder: &std::path::Path) -> Desk {
        let store = Store::open(folder).expect("a store");
        Desk { store, later: VecDeque::new(), answers: Vec::new(), charged: HashSet::new(), due: None }
    }

    fn person(desk: &Desk, handle: &str) -> User {
        let factor = FirstFactor::Passkey { id: handle.to_owned(), passkey: serde_json::Value::Null };
        let handle = Handle::parse(handle).expect("a handle");
        let new = NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor };
        desk.store.create_account(&new).expect("made")
    }

    /// A hold as [`Clerk::hold`] hands it in.
    fn hold(user: &User) -> Work {
        let hold = Hold {
            user: user.id,
            container: user.container.clone(),
            model: "a-model".to_owned(),
            at: 1,
            least: Nanos(1),
            most: Nanos(1),
            quota: Nanos(100),
        };
        let task: Task = Box::new(move |store| {
            let held = store.hold(&hold).expect("there is as much");
            Some(Answer { lease: Some(held.lease), give: Box::new(|_| ()) })
        });
        Work { user: user.id, now: true, task }
    }

    fn later(user: &User) -> Work {
        Work { user: user.id, now: false, task: Box::new(|_| Some(Answer { lease: None, give: Box::new(|_| ()) })) }
    }

    #[test]
    fn a_hold_that_may_stand_on_a_charge_goes_to_the_disk_with_it_and_every_other_by_the_short_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut desk = desk(folder.path());
        let (alice, bobby) = (person(&desk, "alice"), person(&desk, "bobby"));
        assert!(desk.take(hold(&alice)).expect("held").lease.is_some());
        assert!(desk.take(later(&alice)).is_none());
        assert!(desk.take(hold(&bobby)).expect("held").lease.is_some(), "it has nothing to do with her charge");
        // Her charge is done before her next hold, and is not on the disk yet.
        assert!(desk.take(hold(&alice)).expect("held").lease.is_none());
        assert_eq!((desk.later.len(), desk.answers.len()), (0, 1));
        desk.settle();
        assert!(desk.take(hold(&alice)).expect("held").lease.is_some());
    }
}
