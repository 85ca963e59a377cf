//! `WS /ws`: the desktop's own line to the computer. What happens goes to every desktop, so that two stay in step.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use matrixos_types::kernel::{ClientMessage, Event};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::conversations::{PAGE, new_id, store};
use crate::error::Failure;
use crate::kernel::source::Trust;
use crate::kernel::{Heard, Said, TurnError, hear, on_disk};
use crate::sockets::{Pulse, TAKEN_WITHIN, bounded};
use crate::state::Gateway;

/// Desktops at once, so that a page gone wrong leaves places for other connections.
const MOST: usize = 64;

pub(crate) async fn connect(State(gateway): State<Gateway>, upgrade: WebSocketUpgrade) -> Result<Response, Failure> {
    if gateway.hub.listeners() >= MOST {
        let message = format!("{MOST} desktops of this computer are open. Close one, then try again.");
        return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_desktops", message));
    }
    Ok(bounded(upgrade).on_upgrade(move |socket| async move {
        let mut desk = Desk { gateway, socket, session: None };
        // An error is a desktop that has gone.
        let _ = desk.converse().await;
        let _ = timeout(TAKEN_WITHIN, desk.socket.send(Message::Close(None))).await;
    }))
}

/// One open desktop.
struct Desk {
    gateway: Gateway,
    socket: WebSocket,
    /// The conversation it is in.
    session: Option<String>,
}

struct Gone;

impl Desk {
    async fn converse(&mut self) -> Result<(), Gone> {
        let mut news = self.gateway.hub.listen();
        // A ping shows both sides that the other is there; it is no use of the computer.
        let mut pulse = Pulse::new(self.gateway.settings.ping);
        for event in self.gateway.kernel.approvals.open() {
            self.tell(&event).await?;
        }
        loop {
            tokio::select! {
                message = self.socket.recv() => {
                    pulse.heard();
                    match message {
                        Some(Ok(Message::Text(text))) => self.take(&text).await?,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        _ => return Err(Gone),
                    }
                }
                event = news.recv() => match event {
                    Ok(event) => self.tell(&event).await?,
                    Err(RecvError::Lagged(_)) => self.tell(&Event::Resync).await?,
                    Err(RecvError::Closed) => return Ok(()),
                },
                alive = pulse.next() => {
                    if !alive {
                        return Err(Gone);
                    }
                    self.send(Message::Ping(Default::default())).await?;
                }
            }
        }
    }

    async fn tell(&mut self, event: &Event) -> Result<(), Gone> {
        let text = serde_json::to_string(event).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        let sent = timeout(TAKEN_WITHIN, self.socket.send(message)).await;
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }

    async fn take(&mut self, text: &str) -> Result<(), Gone> {
        match serde_json::from_str(text) {
            Ok(ClientMessage::Message { text, session_id, request_id }) => self.say(text, session_id, request_id).await,
            Ok(ClientMessage::SwitchSession { session_id }) => self.switch(session_id.unwrap_or_else(new_id)).await,
            Ok(ClientMessage::ApprovalResponse { id, approved }) => {
                // One that nobody waits for any more was settled before, which every desktop has been told.
                self.gateway.kernel.approvals.answer(&id, approved);
                Ok(())
            }
            Ok(ClientMessage::Cancel { session_id }) => {
                if let Some(session) = session_id.or_else(|| self.session.clone()) {
                    self.gateway.kernel.cancel(&session);
                }
                Ok(())
            }
            Err(error) => {
                let message = format!("That message was not understood: {error}.");
                self.fail(None, None, "bad_message", message).await
            }
        }
    }

    async fn say(&mut self, text: String, session: Option<String>, request: Option<String>) -> Result<(), Gone> {
        let session = session.or_else(|| self.session.clone()).unwrap_or_else(new_id);
        let said =
            Said { text, session: Some(session.clone()), from: None, trust: Trust::Owner, request_id: request.clone() };
        // The desktop hears of the turn by the hub, as every other one does.
        match hear(&self.gateway, said).await {
            Ok(heard) => {
                self.session = Some(session.clone());
                // Sent again because its confirmation was lost: here it is.
                let Heard::Before { message, .. } = heard else { return Ok(()) };
                let waiting = self.gateway.kernel.running(&session).1;
                self.tell(&Event::Message { session_id: session, message, request_id: request, waiting }).await
            }
            Err(error) => self.fail(Some(session), request, error.code(), error.to_string()).await,
        }
    }

    async fn fail(
        &mut self,
        session_id: Option<String>,
        request_id: Option<String>,
        code: &str,
        message: String,
    ) -> Result<(), Gone> {
        self.tell(&Event::Error { session_id, turn_id: None, request_id, code: code.to_owned(), message }).await
    }

    async fn switch(&mut self, session: String) -> Result<(), Gone> {
        let id = session.clone();
        let page = on_disk(&self.gateway, move |home| match store::page(home, &id, None, PAGE) {
            // A conversation begins with its first message.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((Vec::new(), false)),
            page => page,
        });
        match page.await {
            Ok((messages, more)) => {
                let (running, waiting) = self.gateway.kernel.running(&session);
                self.session = Some(session.clone());
                self.tell(&Event::SessionSwitched { session_id: session, messages, more, running, waiting }).await
            }
            Err(TurnError::Disk(_)) => {
                let error = TurnError::BadSession;
                self.fail(Some(session), None, error.code(), error.to_string()).await
            }
            Err(error) => self.fail(Some(session), None, error.code(), error.to_string()).await,
        }
    }
}
