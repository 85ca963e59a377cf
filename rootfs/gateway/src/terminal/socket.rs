//! `WS /ws/terminal`: binary frames are the terminal's bytes, text frames are control messages.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use matrixos_types::computer::{TERMINAL_REFUSED, TERMINAL_TAKEN_OVER, TerminalControl};
use serde::Deserialize;
use tokio::time::timeout;

use super::session::{Input, Output, output_channel};
use super::{Session, Size};
use crate::error::Failure;
use crate::sockets::{Pulse, TAKEN_WITHIN, bounded};
use crate::state::Gateway;

/// As much of a message goes to the shell at once, in bytes.
const PIECE: usize = 4 << 10;

#[derive(Deserialize)]
pub(crate) struct Wanted {
    session: Option<String>,
    #[serde(default = "eighty")]
    cols: u16,
    #[serde(default = "twenty_four")]
    rows: u16,
}

fn eighty() -> u16 {
    80
}

fn twenty_four() -> u16 {
    24
}

pub(crate) async fn connect(
    State(gateway): State<Gateway>,
    Query(wanted): Query<Wanted>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let size = Size { cols: wanted.cols, rows: wanted.rows };
    let session = gateway.terminals.find_or_start(wanted.session.as_deref(), size)?;
    Ok(bounded(upgrade).on_upgrade(move |socket| async move {
        match session {
            Some(session) => converse(socket, session, size, gateway.settings.ping).await,
            None => refuse(socket).await,
        }
    }))
}

/// A browser does not show its page why a handshake failed, so the reason comes after it.
async fn refuse(mut socket: WebSocket) {
    let _ = close(&mut socket, TERMINAL_REFUSED, "Eight terminals are open. Close one, then try again.").await;
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) -> Result<(), ()> {
    send(socket, Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    timeout(TAKEN_WITHIN, socket.send(message)).await.map_err(drop)?.map_err(drop)
}

/// `DELETE /api/terminals/{id}`.
pub(crate) async fn end(State(gateway): State<Gateway>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    if gateway.terminals.end(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found()) }
}

async fn converse(mut socket: WebSocket, session: Session, size: Size, ping: Duration) {
    session.set_connected(true);
    let _ = exchange(&mut socket, &session, size, Pulse::new(ping)).await;
    session.set_connected(false);
    let _ = send(&mut socket, Message::Close(None)).await;
}

async fn exchange(socket: &mut WebSocket, session: &Session, size: Size, mut pulse: Pulse) -> Result<(), ()> {
    let (sender, mut output) = output_channel();
    session.send(Input::Attach(sender)).await?;
    let mut typed = Typed::default();
    typed.push(Input::Resize(size));
    loop {
        tokio::select! {
            // What was typed waits while nothing reads it, and the desktop with it; what the shell says does not.
            message = socket.recv(), if typed.is_empty() => {
                pulse.heard();
                match message {
                    Some(Ok(Message::Binary(bytes))) => typed.push(Input::Bytes(bytes)),
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(TerminalControl::Resize { cols, rows }) => typed.push(Input::Resize(Size { cols, rows })),
                        _ => return Err(()),
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return Ok(()),
                }
            }
            passed = typed.pass_on(session), if !typed.is_empty() => {
                passed?;
                // Nothing could be heard meanwhile.
                pulse.heard();
            }
            said = output.recv() => match said {
                Some(Output::Bytes(bytes)) => send(socket, Message::Binary(bytes)).await?,
                Some(Output::Past(bytes)) => {
                    control(socket, &TerminalControl::Session { id: session.id().to_owned(), replay: bytes.len() }).await?;
                    send(socket, Message::Binary(bytes)).await?;
                }
                Some(Output::Exit(code)) => return control(socket, &TerminalControl::Exit { code }).await,
                None => return close(socket, TERMINAL_TAKEN_OVER, "This terminal was opened in another place.").await,
            },
            alive = pulse.next() => {
                // While it is not listened to, only the network can say that it is gone.
                if !alive && typed.is_empty() {
                    return Ok(());
                }
                send(socket, Message::Ping(Bytes::new())).await?;
            }
        }
    }
}

/// A message of the desktop on its way to the shell, piece by piece: so what waits there is small, however much is pasted.
#[derive(Default)]
struct Typed(Option<Input>);

impl Typed {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn push(&mut self, input: Input) {
        self.0 = Some(input).filter(|input| !matches!(input, Input::Bytes(bytes) if bytes.is_empty()));
    }

    /// Waits for room, then passes the next piece on: nothing is lost if it is not waited for to the end.
    async fn pass_on(&mut self, session: &Session) -> Result<(), ()> {
        let place = session.place().await?;
        match self.0.take() {
            Some(Input::Bytes(mut bytes)) => {
                place.send(Input::Bytes(bytes.split_to(bytes.len().min(PIECE))));
                self.push(Input::Bytes(bytes));
            }
            Some(input) => place.send(input),
            None => {}
        }
        Ok(())
    }
}

async fn control(socket: &mut WebSocket, message: &TerminalControl) -> Result<(), ()> {
    let text = serde_json::to_string(message).map_err(drop)?;
    send(socket, Message::Text(text.into())).await
}
