//! The one thread that writes money down: it does what has come in meanwhile, settles the disk once for all of it, and then
//! answers. Waiting in one place costs less than a thread for each call, which would all wake for each settlement.

use std::io;
use std::sync::mpsc;
use std::thread;

use matrixos_store::{Store, StoreError};
use tokio::sync::oneshot;

/// How much is done before the disk is settled.
const AT_ONCE: usize = 256;

/// Done on the clerk's thread.
type Work = Box<dyn FnOnce(&Store) -> Option<Answer> + Send>;
/// Given after the disk was settled, or could not be.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the thread. It ends with the last of these. What waits is bounded by the calls that may be in flight.
#[derive(Clone)]
pub(super) struct Clerk(mpsc::Sender<Work>);

impl Clerk {
    pub(super) fn start(store: Store) -> io::Result<Self> {
        let (sender, work) = mpsc::channel();
        thread::Builder::new().name("money".to_owned()).spawn(move || serve(&store, &work))?;
        Ok(Self(sender))
    }

    /// Has something written; answers when it is on the disk. What fails has changed nothing and is answered at once.
    pub(super) async fn write<T, E>(&self, work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let answer = self.post(work);
        answer.await.unwrap_or_else(|_| Err(gone().into()))
    }

    /// Has something written without waiting for it.
    pub(super) fn post<T, E>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let work: Work = Box::new(move |store| match work(store) {
            Ok(done) => Some(Box::new(move |settled| {
                let _ = sender.send(settled.map(|()| done).map_err(E::from));
            })),
            Err(error) => {
                let _ = sender.send(Err(error));
                None
            }
        });
        // Without the thread the answer's sender is dropped, which its receiver hears.
        let _ = self.0.send(work);
        answer
    }
}

fn gone() -> StoreError {
    StoreError::Broken("the thread that writes money down has ended".to_owned())
}

fn serve(store: &Store, work: &mpsc::Receiver<Work>) {
    while let Ok(first) = work.recv() {
        let more = work.try_iter().take(AT_ONCE - 1);
        let answers: Vec<Answer> = std::iter::once(first).chain(more).filter_map(|work| work(store)).collect();
        if answers.is_empty() {
            continue;
        }
        let settled = store.settle();
        for answer in answers {
            // A store that has failed to settle says so to everybody who asks it again.
            answer(if settled.is_ok() { Ok(()) } else { store.settle() });
        }
    }
}
