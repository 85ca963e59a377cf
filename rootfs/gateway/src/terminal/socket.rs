//! `WS /ws/terminal`: binary frames are the terminal's bytes, text frames are control messages.

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use matrixos_types::computer::TerminalControl;
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
    let full = || {
        Failure::new(StatusCode::CONFLICT, "too_many_terminals", "Eight terminals are open. Close one, then try again.")
    };
    let session = session.ok_or_else(full)?;
    Ok(upgrade.max_message_size(MESSAGE).on_upgrade(move |socket| converse(socket, session, size)))
}

async fn converse(mut socket: WebSocket, session: Session, size: Size) {
    session.set_connected(true);
    let _ = exchange(&mut socket, &session, size).await;
    session.set_connected(false);
    let _ = socket.send(Message::Close(None)).await;
}

async fn exchange(socket: &mut WebSocket, session: &Session, size: Size) -> Result<(), ()> {
    control(socket, &TerminalControl::Session { id: session.id().to_owned() }).await?;
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
                Some(Output::Exit(code)) => return control(socket, &TerminalControl::Exit { code }).await,
                // Another desktop has taken the session over.
                None => return Ok(()),
            },
        }
    }
}

async fn control(socket: &mut WebSocket, message: &TerminalControl) -> Result<(), ()> {
    let text = serde_json::to_string(message).map_err(drop)?;
    socket.send(Message::Text(text.into())).await.map_err(drop)
}
