//! What the thread that writes money down does: what somebody waits for first; then it has the disk settled once for all of
//! it, and answers. What nobody waits for is done in between, and lies on the disk with the next settlement.
//!
//! What is held for a call has a shorter way: it is drafted, written on the slate, answered, and only then entered into the
//! tables. While the database settles on a thread beside, holds go on.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use matrixos_store::{Lease, Store, StoreError};
use matrixos_types::UserId;
use tracing::error;

/// How much is done before answers are given, and how much may be put off.
const AT_ONCE: usize = 256;
/// How long what nobody waits for may lie written without being on the disk.
const SETTLED_WITHIN: Duration = Duration::from_millis(20);

/// Done on the thread.
pub(super) type Task = Box<dyn FnOnce(&Store) -> Option<Answer> + Send>;

/// Given after it is on the disk, or could not be brought there.
pub(super) struct Answer {
    /// All that has to be on the disk for it, if it is so little. It is drafted, not entered.
    pub(super) lease: Option<Lease>,
    pub(super) give: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

pub(super) struct Work {
    /// Whose money: what is done for one person is done in the order in which it came.
    pub(super) user: UserId,
    /// Whether somebody waits for it.
    pub(super) now: bool,
    pub(super) task: Task,
}

/// What comes to the thread.
pub(super) enum Order {
    Work(Work),
    /// The settlement that was begun is over; whether it worked.
    Settled(bool),
    /// Nobody will hand anything in any more.
    End,
}

/// Settles the database on a thread of its own, once for each word; it ends with the sender of these.
pub(super) fn settle_beside(store: Store, told: mpsc::Sender<Order>) -> io::Result<mpsc::Sender<()>> {
    let (sender, settlements) = mpsc::channel();
    thread::Builder::new().name("money on disk".to_owned()).spawn(move || {
        for () in settlements {
            let _ = told.send(Order::Settled(store.settle().is_ok()));
        }
    })?;
    Ok(sender)
}

/// What is written and not yet on the disk.
#[derive(Default)]
struct Written {
    answers: Vec<Answer>,
    /// Whose it is. What is held for them next may stand on what was given back, so it has to be on the disk together with
    /// it: a crash must not leave the holds without the charges.
    users: HashSet<UserId>,
    /// When it must be there, if it is anything.
    due: Option<Instant>,
}

/// What the thread has before it.
pub(super) struct Desk {
    store: Store,
    settlements: mpsc::Sender<()>,
    /// What nobody waits for, oldest first.
    later: VecDeque<(UserId, Task)>,
    /// What goes on the slate next.
    holds: Vec<Answer>,
    /// Leases that are not entered yet.
    drafts: Vec<Lease>,
    written: Written,
    /// What the database is settling now.
    settling: Option<Written>,
}

impl Desk {
    pub(super) fn new(store: Store, settlements: mpsc::Sender<()>) -> Self {
        let (later, holds, drafts, written) = (VecDeque::new(), Vec::new(), Vec::new(), Written::default());
        Self { store, settlements, later, holds, drafts, written, settling: None }
    }

    pub(super) fn serve(mut self, orders: &mpsc::Receiver<Order>) {
        while self.turn(orders) {}
        self.put_off_no_more(0);
        self.settle_now();
        // A settlement beside is over by now, or fails as this one did.
        if let Some(before) = self.settling.take() {
            self.give(self.store.settle().is_ok(), before.answers);
        }
    }

    /// Takes what has come or, if nothing has, does what was put off. False when nothing will come any more.
    fn turn(&mut self, orders: &mpsc::Receiver<Order>) -> bool {
        let goes_on = match self.next(orders) {
            Ok(first) => [first].into_iter().chain(orders.try_iter().take(AT_ONCE - 1)).all(|order| self.take(order)),
            Err(RecvTimeoutError::Timeout) => {
                if let Some((user, task)) = self.later.pop_front() {
                    self.perform(user, task);
                }
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
        };
        self.answer_holds();
        self.put_off_no_more(AT_ONCE);
        self.settle_if_due();
        goes_on
    }

    /// Waits as long as there is nothing else to do.
    fn next(&self, orders: &mpsc::Receiver<Order>) -> Result<Order, RecvTimeoutError> {
        if !self.later.is_empty() {
            return orders.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            });
        }
        match self.written.due.filter(|_| self.settling.is_none()) {
            Some(due) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// False if it is the last order.
    fn take(&mut self, order: Order) -> bool {
        match order {
            Order::Work(Work { user, now: false, task }) => self.later.push_back((user, task)),
            Order::Work(Work { user, now: true, task }) => self.do_now(user, task),
            Order::Settled(settled) => {
                if let Some(before) = self.settling.take() {
                    self.give(settled, before.answers);
                }
            }
            Order::End => return false,
        }
        true
    }

    fn do_now(&mut self, user: UserId, task: Task) {
        if self.drafts.iter().any(|lease| lease.user == user) {
            self.answer_holds();
        }
        let (first, rest) = std::mem::take(&mut self.later).into_iter().partition(|(of, _)| *of == user);
        self.later = rest;
        let first: VecDeque<_> = first;
        first.into_iter().for_each(|(user, task)| self.perform(user, task));
        let Some(answer) = task(&self.store) else { return };
        self.drafts.extend(answer.lease.clone());
        if answer.lease.is_some() && self.is_alone(user) {
            self.holds.push(answer);
        } else {
            self.wait_for_settlement(user, answer, Instant::now());
        }
    }

    /// Whether nothing that was done for a person has still to be settled.
    fn is_alone(&self, user: UserId) -> bool {
        !self.written.users.contains(&user) && self.settling.as_ref().is_none_or(|before| !before.users.contains(&user))
    }

    fn perform(&mut self, user: UserId, task: Task) {
        if let Some(answer) = task(&self.store) {
            self.wait_for_settlement(user, answer, Instant::now() + SETTLED_WITHIN);
        }
    }

    fn wait_for_settlement(&mut self, user: UserId, answer: Answer, due: Instant) {
        let written = &mut self.written;
        written.answers.push(answer);
        written.users.insert(user);
        written.due = Some(written.due.map_or(due, |before| before.min(due)));
    }

    /// Brings what is held to the disk by the short way, answers, and enters it.
    fn answer_holds(&mut self) {
        let holds = std::mem::take(&mut self.holds);
        let leases: Vec<&Lease> = holds.iter().filter_map(|answer| answer.lease.as_ref()).collect();
        match leases.is_empty() || self.store.settle_leases(&leases).unwrap_or(false) {
            true => {
                self.give(true, holds);
                self.enter();
            }
            // There is no room: they go to the disk with everything else.
            false => {
                self.written.answers.extend(holds);
                self.settle_now();
            }
        }
    }

    fn enter(&mut self) {
        for lease in self.drafts.drain(..) {
            if let Err(error) = self.store.enter(&lease) {
                error!(%error, "what is held for a call could not be entered; it will be when the store is opened again");
            } else {
                self.written.due.get_or_insert_with(|| Instant::now() + SETTLED_WITHIN);
            }
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

    /// Has the database settled beside, if it is time and that is not being done.
    fn settle_if_due(&mut self) {
        if self.settling.is_some() || self.written.due.is_none_or(|due| due > Instant::now()) {
            return;
        }
        if self.settlements.send(()).is_err() {
            return self.settle_now();
        }
        self.store.turn_the_slate();
        self.settling = Some(std::mem::take(&mut self.written));
    }

    /// Settles here and now.
    fn settle_now(&mut self) {
        self.enter();
        let settled = self.store.settle_money();
        let written = std::mem::take(&mut self.written);
        self.give(settled.is_ok(), written.answers);
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
    use matrixos_store::{FirstFactor, Hold, NewAccount, User};
    use matrixos_types::{Handle, Nanos};

    use super::*;

    const NOTHING: [u64; 0] = [];

    /// A desk whose settlements are begun and never end.
    fn desk(folder: &std::path::Path) -> (Desk, mpsc::Receiver<()>) {
        let (settlements, begun) = mpsc::channel();
        (Desk::new(Store::open(folder).expect("a store"), settlements), begun)
    }

    fn person(desk: &Desk, handle: &str) -> User {
        let factor = FirstFactor::Passkey { id: handle.to_owned(), passkey: serde_json::Value::Null };
        let handle = Handle::parse(handle).expect("a handle");
        let new = NewAccount { id: UserId::random(), handle, created: 1, feed: false, factor };
        desk.store.create_account(&new).expect("made")
    }

    /// A hold as [`Clerk::hold`] hands it in; what it says when it is on the disk goes to `told`.
    fn hold(user: &User, told: &mpsc::Sender<u64>) -> Order {
        let hold = Hold {
            user: user.id,
            container: user.container.clone(),
            model: "a-model".to_owned(),
            at: 1,
            least: Nanos(1),
            most: Nanos(1),
            quota: Nanos(100),
        };
        let told = told.clone();
        let task: Task = Box::new(move |store| {
            let held = store.draft(&hold).expect("there is as much");
            let number = held.lease.number;
            let give = Box::new(move |settled: Result<(), StoreError>| {
                settled.expect("settled");
                told.send(number).expect("heard");
            });
            Some(Answer { lease: Some(held.lease), give })
        });
        Order::Work(Work { user: user.id, now: true, task })
    }

    fn later(user: &User) -> Order {
        let task: Task = Box::new(|_| Some(Answer { lease: None, give: Box::new(|_| ()) }));
        Order::Work(Work { user: user.id, now: false, task })
    }

    #[test]
    fn a_hold_that_may_stand_on_a_charge_goes_to_the_disk_with_it_and_every_other_by_the_short_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut desk, begun) = desk(folder.path());
        let (alice, bobby) = (person(&desk, "alice"), person(&desk, "bobby"));
        let (told, hears) = mpsc::channel();
        let comes = |desk: &mut Desk, order| {
            assert!(desk.take(order));
            desk.answer_holds();
            desk.settle_if_due();
            hears.try_iter().collect::<Vec<u64>>()
        };
        assert_eq!(comes(&mut desk, hold(&alice, &told)), [0]);
        assert_eq!(comes(&mut desk, later(&alice)), NOTHING);
        assert_eq!(comes(&mut desk, hold(&bobby, &told)), [0], "it has nothing to do with her charge");
        // Her charge is done before her next hold, and is not on the disk until the settlement that begins now is over.
        assert_eq!(comes(&mut desk, hold(&alice, &told)), NOTHING);
        assert_eq!((desk.later.len(), begun.try_iter().count()), (0, 1));
        assert_eq!(comes(&mut desk, hold(&alice, &told)), NOTHING, "nor is what the settlement has not to do with");
        assert_eq!(comes(&mut desk, hold(&bobby, &told)), [1], "who goes on meanwhile");
        assert_eq!(comes(&mut desk, Order::Settled(true)), [1]);
        assert_eq!((comes(&mut desk, Order::Settled(true)), begun.try_iter().count()), (vec![2], 1));
        assert_eq!(comes(&mut desk, hold(&alice, &told)), [3]);
        let held = |user: &User| desk.store.balance(user.id).expect("read").expect("a balance").held;
        assert_eq!((held(&alice), held(&bobby)), (Nanos(4), Nanos(2)));
    }

    #[test]
    fn two_holds_of_one_person_at_once_count_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut desk, _begun) = desk(folder.path());
        let alice = person(&desk, "alice");
        let (told, hears) = mpsc::channel();
        assert!(desk.take(hold(&alice, &told)) && desk.take(hold(&alice, &told)));
        desk.answer_holds();
        assert_eq!(hears.try_iter().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(desk.store.leases().expect("read").len(), 2);
    }
}
