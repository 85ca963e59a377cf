//! Where letters are answered: the computer is woken, and its AI asked until it has answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use matrixos_channels::{Doing, Unanswered, said};
use matrixos_store::Store;
use matrixos_types::UserId;
use matrixos_types::kernel::{MessageAnswer, MessageBody};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::containers::{Containers, Endpoint, NotRunning};

/// How long a computer may take to wake. Then it is tried again.
const AWAKE_WITHIN: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long one request waits. The turn goes on without it, and the next request finds it answering or answered.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Largest answer that is read, in bytes.
const ANSWER: usize = 16 << 20;

/// Everybody's computers, as far as channels are concerned.
pub trait Computers: Send + Sync {
    /// Asks somebody's AI, waking the computer for it; the answer for the sender.
    fn ask<'a>(&'a self, user: UserId, message: &'a MessageBody) -> Doing<'a, Result<String, Unanswered>>;
}

/// One of them.
pub(super) struct Of {
    pub(super) user: UserId,
    pub(super) computers: Arc<dyn Computers>,
}

impl matrixos_channels::Desk for Of {
    fn ask<'a>(&'a self, message: &'a MessageBody) -> Doing<'a, Result<String, Unanswered>> {
        self.computers.ask(self.user, message)
    }
}

/// The real ones.
pub struct Desk {
    containers: Arc<Containers>,
    store: Store,
}

impl Desk {
    /// The computers of these containers.
    pub fn new(containers: Arc<Containers>, store: Store) -> Self {
        Self { containers, store }
    }

    async fn ask_one(&self, user: UserId, message: &MessageBody) -> Result<String, Unanswered> {
        let found = self.store.user(user).map_err(|error| Unanswered::Later(error.to_string()))?;
        let user = found.ok_or_else(|| Unanswered::Later("there is no such account".to_owned()))?;
        let channel = message.from.as_ref().map_or("a channel", |from| from.channel.as_str());
        self.containers.wake(&user.container, &format!("a message arrived on {channel}")).map_err(told)?;
        let reached = self.containers.reach(&user.container, AWAKE_WITHIN, true).await.map_err(told)?;
        let Endpoint { address, token } = &reached.endpoint;
        ask(*address, &token.0, message).await
    }
}

impl Computers for Desk {
    fn ask<'a>(&'a self, user: UserId, message: &'a MessageBody) -> Doing<'a, Result<String, Unanswered>> {
        Box::pin(self.ask_one(user, message))
    }
}

fn told(why: NotRunning) -> Unanswered {
    match why {
        NotRunning::Stopped(reason) => Unanswered::Stopped(reason),
        other => Unanswered::Later(other.to_string()),
    }
}

/// Asks the AI of the gateway at `address` with its token.
pub async fn ask(address: SocketAddr, token: &str, message: &MessageBody) -> Result<String, Unanswered> {
    match timeout(ANSWER_WITHIN, exchange(address, token, message)).await {
        Err(_) => Err(Unanswered::Answering),
        Ok(Err(failure)) => Err(Unanswered::Later(failure.to_string())),
        Ok(Ok((status, body))) => read(status, &body),
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn exchange(address: SocketAddr, token: &str, message: &MessageBody) -> Result<(StatusCode, Bytes), Failure> {
    let request = Request::post("/api/message")
        .header(header::HOST, address.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::<Bytes>::from(serde_json::to_vec(message)?))?;
    let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped or the gateway goes away.
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.map(Response::into_parts)?;
    let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
    Ok((parts.status, body))
}

#[derive(Deserialize)]
struct Refusal {
    error: Refused,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
    message: String,
}

fn read(status: StatusCode, body: &[u8]) -> Result<String, Unanswered> {
    if status == StatusCode::OK {
        let answer = serde_json::from_slice::<MessageAnswer>(body).map(|answer| said(answer.text, &answer.events));
        return answer.map_err(|error| Unanswered::Failed(format!("its answer cannot be read: {error}")));
    }
    let refused = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error);
    match refused {
        Ok(Refused { code, .. }) if code == "answering" => Err(Unanswered::Answering),
        Ok(Refused { code, message }) if matches!(code.as_str(), "queue_full" | "busy" | "unauthorized") => {
            Err(Unanswered::Later(message))
        }
        Ok(Refused { code, message }) if code == "internal" => Err(Unanswered::Failed(message)),
        // Budget, disk, a message that is none: the sender is to know.
        Ok(Refused { message, .. }) => Ok(message),
        Err(_) => Err(Unanswered::Later(format!("it answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<String, Unanswered> {
        read(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    }

    #[test]
    fn the_sender_hears_the_answer_or_what_went_wrong_and_waits_for_what_passes() {
        let ok = |text: &str, events: &str| format!(r#"{{"sessionId":"s","text":"{text}","events":[{events}]}}"#);
        assert_eq!(answered(200, &ok("Hello.", "")), Ok("Hello.".to_owned()));
        let error = r#"{"type":"kernel:error","code":"no_budget","message":"The budget is used up."}"#;
        assert_eq!(answered(200, &ok("", error)), Ok("The budget is used up.".to_owned()));
        assert!(answered(200, &ok("", "")).is_ok_and(|text| !text.is_empty()));
        let refused = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        assert_eq!(answered(409, &refused("answering")), Err(Unanswered::Answering));
        assert_eq!(answered(429, &refused("queue_full")), Err(Unanswered::Later("m".to_owned())));
        assert_eq!(answered(402, &refused("no_budget")), Ok("m".to_owned()));
        assert_eq!(answered(507, &refused("disk_full")), Ok("m".to_owned()));
        assert_eq!(answered(424, &refused("busy")), Err(Unanswered::Later("m".to_owned())));
        assert_eq!(answered(424, &refused("no_key")), Ok("m".to_owned()));
        assert!(matches!(answered(503, "<html>"), Err(Unanswered::Later(_))));
        assert_eq!(answered(500, &refused("internal")), Err(Unanswered::Failed("m".to_owned())));
        assert!(matches!(answered(502, "<html>"), Err(Unanswered::Later(_))));
        assert!(matches!(answered(200, "<html>"), Err(Unanswered::Failed(_))));
    }
}
