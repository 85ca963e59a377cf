//! Server-sent events out of a stream that comes in pieces cut anywhere, with a bound on what is kept of one.

/// The longest event that is kept. Results of searches come in one event and are large.
const LONGEST: usize = 4 << 20;

/// An event was longer than what is kept; the stream goes on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// The state between two pieces.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The line that has begun.
    line: Vec<u8>,
    /// The data of the event that has begun, its lines joined by line feeds.
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    /// The first bytes may be a byte order mark.
    started: bool,
    too_long: bool,
}

impl Events {
    /// Reads a piece, and gives the data of each event that ends in it to `each`.
    pub(super) fn read(&mut self, mut piece: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut fits = Ok(());
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_return) && piece[0] == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let Some(end) = piece.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
                self.keep(piece);
                break;
            };
            self.keep(&piece[..end]);
            self.after_return = piece[end] == b'\r';
            piece = &piece[end + 1..];
            fits = fits.and(self.end_line(&mut each));
        }
        fits
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + self.data.len() + bytes.len() > LONGEST {
            self.too_long = true;
        }
        if !self.too_long {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, each: &mut impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.started, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        let ended = if line.is_empty() && !self.too_long { self.end_event(each) } else { self.add(&line) };
        line.clear();
        self.line = line;
        ended
    }

    fn add(&mut self, line: &[u8]) -> Result<(), TooLong> {
        if std::mem::take(&mut self.too_long) {
            self.data = Vec::new();
            self.has_data = false;
            return Err(TooLong);
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[][..],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => return Ok(()),
        };
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(())
    }

    fn end_event(&mut self, each: &mut impl FnMut(&[u8])) -> Result<(), TooLong> {
        if std::mem::take(&mut self.has_data) {
            each(&self.data);
        }
        // What a single large event took is given back.
        if self.data.capacity() > 64 << 10 {
            self.data = Vec::new()
        } else {
            self.data.clear()
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<String> {
        let (mut events, mut found) = (Events::default(), Vec::new());
        for piece in pieces {
            events.read(piece, |data| found.push(String::from_utf8_lossy(data).into_owned())).expect("short");
        }
        found
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        for (stream, found) in [
            ("data: a\n\ndata: b\n\n", vec!["a", "b"]),
            ("event: x\r\ndata: a\r\n\r\n: ping\r\n\r\ndata:b\r\ndata: c\r\n\r\n", vec!["a", "b\nc"]),
            ("data: a\rdata: b\r\rdata: c\r\r", vec!["a\nb", "c"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            ("data\n\nid: 1\n\nretry: 5\n\ndatas: x\n\n data: x\n\n", vec![""]),
            ("data:  two\n\n", vec![" two"]),
            ("data: never ended\n", vec![]),
        ] {
            assert_eq!(read(&[stream.as_bytes()]), found, "{stream:?}");
        }
    }

    #[test]
    fn an_event_that_is_too_long_is_skipped_and_told() {
        let mut events = Events::default();
        let mut found = 0;
        let long = vec![b'x'; LONGEST / 4];
        events.read(b"data: ", |_| found += 1).expect("short");
        for _ in 0..16 {
            events.read(&long, |_| found += 1).expect("told at the end of the line");
            assert!(events.line.len() + events.data.len() <= LONGEST);
        }
        assert_eq!(events.read(b"\n\ndata: next\n\n", |data| found += data.len()), Err(TooLong));
        assert_eq!(found, 4);
    }

    proptest! {
        #[test]
        fn where_a_stream_is_cut_does_not_matter(
            text in "(data: ?[a-zé]{0,5}|: c|event: e|[a-z:]{0,3}|\r|\n|\r\n){0,30}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[bytes]));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = Events::default().read(&bytes, |_| ());
        }
    }
}
