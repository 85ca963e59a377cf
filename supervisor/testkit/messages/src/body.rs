//! The body of an answer, piece by piece: paced, stopped, torn. It keeps the record of its call up to date, so that a
//! test can see how far an answer got and whether the client stayed.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};

use crate::calls::{Ended, Flight};
use crate::gate::Ticket;
use crate::way::{Cut, Hang, Way};

enum Step {
    Send(Bytes),
    /// Lets the connection write out what it has before the next step.
    Flush,
    Pause(Duration),
    Hang,
    Cut,
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Paced {
    steps: VecDeque<Step>,
    waiting: Option<Waiting>,
    ticket: Ticket,
    flight: Flight,
}

impl Paced {
    pub(crate) fn new(pieces: Vec<Bytes>, way: &Way, ticket: Ticket, flight: Flight) -> Self {
        let whole = pieces.iter().map(Bytes::len).sum();
        let (pieces, torn) = match way.cut.map(|cut| length(cut, whole)) {
            Some(length) => (shorten(pieces, length), true),
            None => (pieces, false),
        };
        let mut steps = VecDeque::new();
        for (number, piece) in pieces.into_iter().enumerate() {
            if way.hang == Some(Hang::Events(number)) {
                steps.push_back(Step::Hang);
            }
            steps.extend(way.pace.map(Step::Pause));
            steps.extend([Step::Send(piece), Step::Flush]);
        }
        if torn {
            steps.push_back(Step::Cut);
        }
        Self { steps, waiting: None, ticket, flight }
    }

    fn send(&mut self, bytes: Bytes) -> Frame<Bytes> {
        self.flight.sent(bytes.len());
        if self.steps.iter().all(|step| matches!(step, Step::Flush)) {
            self.flight.end(Ended::Whole);
        }
        Frame::data(bytes)
    }
}

fn length(cut: Cut, whole: usize) -> usize {
    match cut {
        Cut::Headers => 0,
        Cut::After(bytes) => bytes.min(whole),
        Cut::Middle => whole / 2,
        Cut::Last => whole.saturating_sub(1),
    }
}

fn shorten(pieces: Vec<Bytes>, mut left: usize) -> Vec<Bytes> {
    let mut kept = Vec::new();
    for mut piece in pieces {
        piece.truncate(left);
        left -= piece.len();
        kept.extend(Some(piece).filter(|piece| !piece.is_empty()));
    }
    kept
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(self.send(bytes)))),
                Some(Step::Flush) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Pause(time)) => self.waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Hang) => self.waiting = Some(Box::pin(self.ticket.clone().released())),
                Some(Step::Cut) => {
                    self.flight.end(Ended::Cut);
                    return Poll::Ready(Some(Err(io::Error::other("the script cuts the connection here"))));
                }
            }
        }
    }
}
