//! Server-sent events, one by one, out of pieces that may be cut anywhere. Bounded: an event has at most [`LARGEST`] bytes.

use std::collections::VecDeque;

/// Most bytes of one event.
const LARGEST: usize = 2 << 20;

/// Takes bytes, gives the data of whole events.
#[derive(Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    ready: VecDeque<Vec<u8>>,
    /// The last byte was a carriage return: a line feed right after it belongs to it.
    after_return: bool,
}

/// An event was longer than we are willing to hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Events {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        for &byte in bytes {
            let second_half = std::mem::replace(&mut self.after_return, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => self.end_line(),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > LARGEST {
                return Err(TooLarge);
            }
        }
        Ok(())
    }

    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// The type of an event is in its data as well, so only the data counts.
    fn end_line(&mut self) {
        if self.line.is_empty() {
            if !self.data.is_empty() {
                self.ready.push_back(std::mem::take(&mut self.data));
            }
            return;
        }
        if let Some(data) = self.line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_wherever_they_are_cut() {
        let stream = "event: a\r\ndata: {\"x\":1}\r\n\r\n: comment\ndata:one\ndata: two\n\ndata: last\r\rdata: torn";
        for cut in 1..stream.len() {
            let mut events = Events::default();
            for piece in stream.as_bytes().chunks(cut) {
                events.feed(piece).unwrap_or_else(|_| panic!("too large"));
            }
            let all: Vec<_> =
                std::iter::from_fn(|| events.next()).map(|e| String::from_utf8_lossy(&e).into_owned()).collect();
            assert_eq!(all, ["{\"x\":1}", "one\ntwo", "last"], "cut every {cut}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        assert_eq!((events.feed(&piece), events.feed(&piece), events.feed(&piece)), (Ok(()), Ok(()), Err(TooLarge)));
    }
}
