//! A desktop: one real WebSocket to `/ws`.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use matrixos_types::kernel::{ClientMessage, Event};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, connect};

use super::{Computer, TOKEN};

pub struct Desk {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    pub seen: Vec<Event>,
}

impl Desk {
    pub fn open(computer: &Computer) -> Self {
        let mut request = format!("ws://{}/ws", computer.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        let (mut socket, _) = connect(request).unwrap();
        let MaybeTlsStream::Plain(stream) = socket.get_mut() else { unreachable!() };
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut desk = Self { socket, seen: Vec::new() };
        // Once this is answered, the socket hears what happens.
        desk.switch("nobody-speaks-here");
        desk
    }

    pub fn send(&mut self, message: &ClientMessage) {
        self.raw(&serde_json::to_string(message).unwrap());
    }

    pub fn raw(&mut self, text: &str) {
        self.socket.send(Message::Text(text.to_owned().into())).unwrap();
    }

    pub fn say(&mut self, session: &str, text: &str) {
        self.raw(&json!({ "type": "message", "text": text, "sessionId": session }).to_string());
    }

    pub fn switch(&mut self, session: &str) -> Event {
        self.send(&ClientMessage::SwitchSession { session_id: Some(session.to_owned()) });
        self.until(
            "session:switched",
            |event| matches!(event, Event::SessionSwitched { session_id, .. } if session_id == session),
        )
    }

    /// The first event from now on that is the one.
    pub fn until(&mut self, what: &str, is: impl Fn(&Event) -> bool) -> Event {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < deadline, "in vain: {what}; seen: {:#?}", self.seen);
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let event: Event = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
                    self.seen.push(event.clone());
                    if is(&event) {
                        return event;
                    }
                }
                Ok(_) | Err(tungstenite::Error::Io(_)) => {}
                Err(error) => panic!("{what}: {error}; seen: {:#?}", self.seen),
            }
        }
    }

    /// The end of the next turn.
    pub fn end(&mut self) -> Event {
        self.until("the turn's end", |event| {
            matches!(event, Event::Result { .. } | Event::Error { turn_id: Some(_), .. })
        })
    }

    /// Says something and waits for the answer's text.
    pub fn ask(&mut self, session: &str, text: &str) -> String {
        self.say(session, text);
        match self.end() {
            Event::Result { text, .. } => text,
            other => panic!("{other:#?}"),
        }
    }

    /// Says something and waits for the error's code.
    pub fn fail(&mut self, session: &str, text: &str) -> String {
        self.say(session, text);
        match self.until("an error", |event| matches!(event, Event::Error { .. } | Event::Result { .. })) {
            Event::Error { code, .. } => code,
            other => panic!("{other:#?}"),
        }
    }
}
