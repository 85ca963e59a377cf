//! Showing a chat that its message is being answered: again and again, for as long as that takes, and not for ever.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use crate::channel::{Channel, Trouble};

/// Whoever is answered sooner needs no sign, and a computer that cannot be asked gives none.
const AT_FIRST: Duration = Duration::from_millis(500);
/// Telegram shows it for five seconds.
const AGAIN: Duration = Duration::from_secs(4);
/// How often: a quarter of an hour, longer than any turn.
const MOST: u32 = 225;

/// Shows it until this is dropped. What goes wrong with it is nobody's concern, but a wish to be left alone is heeded.
pub(crate) async fn show(channel: &dyn Channel, chat: &str) -> Infallible {
    sleep(AT_FIRST).await;
    for _ in 0..MOST {
        match channel.at_work(chat).await {
            Err(Trouble::Busy { pause, .. }) => sleep(pause.max(AGAIN)).await,
            Err(Trouble::Refused(_) | Trouble::Undeliverable(_)) => break,
            Ok(()) | Err(Trouble::Conflict(_) | Trouble::Unreachable(_)) => sleep(AGAIN).await,
        }
    }
    pending().await
}
