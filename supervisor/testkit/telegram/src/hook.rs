//! Bringing updates to where a bot wants them, one after the other, again and again until they are taken.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::bots::{Hook, State};

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(100);
const WITHIN: Duration = Duration::from_secs(10);

/// Delivers for as long as the bot has this hook.
pub(crate) fn deliver(state: Arc<State>, token: String) {
    tokio::spawn(async move {
        let Some(hook) = state.bots().get(&token).and_then(|bot| bot.hook.clone()) else { return };
        loop {
            let next = match state.bots().get(&token) {
                Some(bot) if bot.hook.as_ref() == Some(&hook) => {
                    bot.updates.first_key_value().map(|(n, u)| (*n, u.clone()))
                }
                _ => return,
            };
            let taken = match &next {
                Some((_, update)) => matches!(timeout(WITHIN, bring(&hook, update)).await, Ok(Some(true))),
                None => false,
            };
            match next {
                Some((number, _)) if taken => drop(state.with(&token, |bot| bot.updates.remove(&number))),
                _ => sleep(AGAIN).await,
            }
        }
    });
}

/// Whether the update was taken.
async fn bring(hook: &Hook, update: &Value) -> Option<bool> {
    let url: Uri = hook.url.parse().ok()?;
    let stream = TcpStream::connect(url.authority()?.as_str()).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let mut request = Request::post(url.path()).header("host", url.authority()?.as_str());
    if let Some(secret) = &hook.secret {
        request = request.header("x-telegram-bot-api-secret-token", secret);
    }
    let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(update.to_string())));
    Some(sender.send_request(request.ok()?).await.ok()?.status().is_success())
}
