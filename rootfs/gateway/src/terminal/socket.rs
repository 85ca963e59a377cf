//! `WS /ws/terminal`: binary frames are the terminal's bytes, text frames are control messages.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use matrixos_types::computer::{TERMINAL_REFUSED, TERMINAL_TAKEN_OVER, TerminalControl};
use serde::Deserialize;

use super::session::{Input, Output, output_channel};
use super::{Session, Size};
use crate::error::Failure;
use crate::state::Gateway;

/// Largest message from the desktop, in bytes: a big paste.
const MESSAGE: usize = 1 << 20;

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
    Ok(upgrade.max_message_size(MESSAGE).on_upgrade(move |socket| async move {
        match session {
            Some(session) => converse(socket, session, size).await,
            None => refuse(socket).await,
        }
    }))
}

/// A browser does not show its page why a handshake failed, so the reason comes after it.
async fn refuse(mut socket: WebSocket) {
    let _ = close(&mut socket, TERMINAL_REFUSED, "Eight terminals are open. Close one, then try again.").await;
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) -> Result<(), ()> {
    socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await.map_err(drop)
}

/// `DELETE /api/terminals/{id}`.
pub(crate) async fn end(State(gateway): State<Gateway>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    if gateway.terminals.end(&id) { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found()) }
}

async fn converse(mut socket: WebSocket, session: Session, size: Size) {
    session.set_connected(true);
    let _ = exchange(&mut socket, &session, size).await;
    session.set_connected(false);
    let _ = socket.send(Message::Close(None)).await;
}

async fn exchange(socket: &mut WebSocket, session: &Session, size: Size) -> Result<(), ()> {
    let (sender, mut output) = output_channel();
    session.send(Input::Attach(sender)).await?;
    session.send(Input::Resize(size)).await?;
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(bytes))) => session.send(Input::Bytes(bytes)).await?,
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(TerminalControl::Resize { cols, rows }) => session.send(Input::Resize(Size { cols, rows })).await?,
                    _ => return Err(()),
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return Ok(()),
            },
            said = output.recv() => match said {
                Some(Output::Bytes(bytes)) => socket.send(Message::Binary(bytes)).await.map_err(drop)?,
                Some(Output::Past(bytes)) => {
                    control(socket, &TerminalControl::Session { id: session.id().to_owned(), replay: bytes.len() }).await?;
                    socket.send(Message::Binary(bytes)).await.map_err(drop)?;
                }
                Some(Output::Exit(code)) => return control(socket, &TerminalControl::Exit { code }).await,
                None => return close(socket, TERMINAL_TAKEN_OVER, "This terminal was opened in another place.").await,
            },
        }
    }
}

async fn control(socket: &mut WebSocket, message: &TerminalControl) -> Result<(), ()> {
    let text = serde_json::to_string(message).map_err(drop)?;
    socket.send(Message::Text(text.into())).await.map_err(drop)
}
