//! An answer on its way back: read event by event, counted, passed on as it came, and paid for when it ends. A client
//! that goes away does not end it: what the provider makes until then has to be paid for.

use std::io;
use std::time::Duration;

use http_body_util::BodyExt;
use http_body_util::channel::Sender;
use hyper::body::{Bytes, Incoming};
use tokio::time::{Instant, sleep, timeout};

use super::Account;
use super::events;
use super::patience::Patience;

/// How long what was passed may take to leave this process.
const ON_ITS_WAY: Duration = Duration::from_millis(250);

/// Why an answer ends before its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// The provider broke off.
    Provider,
    /// The provider fell silent.
    Silence,
    /// Nothing is left to pay with.
    Budget,
}

/// Passes an answer's events on and pays for them at its end.
pub(super) async fn pump(
    mut upstream: Incoming,
    client: Sender<Bytes, io::Error>,
    mut account: Account,
    patience: Patience,
) {
    let mut client = Client { sender: Some(client), gone: None, patience };
    let mut whole = true;
    let cut = loop {
        let chunk = match next(&mut upstream, client.waits()).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break (!account.reader.is_over()).then_some(Cut::Provider),
            Err(cut) => break Some(cut),
        };
        account.touch();
        account.reader.sse(&chunk);
        whole = events::ends_with_a_whole_one(&chunk);
        if account.extend().await {
            client.pass(chunk).await;
        } else if let Some(whole) = events::end_of_first(&chunk) {
            client.pass(chunk.slice(..whole)).await;
            break Some(Cut::Budget);
        } else {
            // In the middle of an event: the client could not read what follows half of one.
            client.pass(chunk).await;
        }
        if client.is_given_up() {
            break Some(Cut::Silence);
        }
    };
    drop(upstream);
    // The hold stays until the charge is on the disk; the client need not wait for that.
    account.pay();
    client.end(cut, whole).await;
    account.settle().await;
}

const OUT_OF_BUDGET: &str = "The budget of this computer is used up, so the answer ends here.";
const BROKEN_OFF: &str = "The provider of models broke off in the middle of its answer.";
const SILENT: &str = "The provider of models fell silent, so the answer ends here.";

/// The next piece; `None` at the end.
async fn next(upstream: &mut Incoming, patience: Duration) -> Result<Option<Bytes>, Cut> {
    loop {
        match timeout(patience, upstream.frame()).await {
            Err(_) => return Err(Cut::Silence),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Cut::Provider),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Who asked, as long as they are there.
struct Client {
    sender: Option<Sender<Bytes, io::Error>>,
    gone: Option<Instant>,
    patience: Patience,
}

impl Client {
    async fn pass(&mut self, data: Bytes) {
        let Some(sender) = &mut self.sender else { return };
        if !matches!(timeout(self.patience.untaken, sender.send_data(data)).await, Ok(Ok(()))) {
            self.sender = None;
            self.gone = Some(Instant::now());
        }
    }

    /// The last that is sent, after `whole` events or in the middle of one.
    async fn end(mut self, cut: Option<Cut>, whole: bool) {
        match cut {
            None => {}
            Some(Cut::Budget) => self.pass(events::error("billing_error", OUT_OF_BUDGET)).await,
            Some(Cut::Silence) => self.pass(events::error("timeout_error", SILENT)).await,
            Some(Cut::Provider) if whole => self.pass(events::error("api_error", BROKEN_OFF)).await,
            // What follows half an event could not be read: the client sees the answer break off, as without us.
            Some(Cut::Provider) => self.abort().await,
        }
    }

    async fn abort(self) {
        if let Some(sender) = self.sender {
            // An abort overtakes what was passed before it. Without so much as a status the client would take the call for one
            // that was never heard, and make it again.
            sleep(ON_ITS_WAY).await;
            sender.abort(io::Error::other("the provider of models broke off"));
        }
    }

    /// For the next piece.
    fn waits(&self) -> Duration {
        let Patience { silence, read_on, .. } = self.patience;
        self.gone.map_or(silence, |gone| silence.min(read_on.saturating_sub(gone.elapsed())))
    }

    fn is_given_up(&self) -> bool {
        self.gone.is_some_and(|gone| gone.elapsed() >= self.patience.read_on)
    }
}
