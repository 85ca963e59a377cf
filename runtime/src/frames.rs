//! A stream whose reader can tell its end from its breaking off: pieces, each with its length before it (four bytes, the
//! highest first), and an empty piece as the end.

use std::io::{self, Write};

/// Longest piece, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// Writes a stream. Its end is written by [`Frames::finish`] only.
#[derive(Debug)]
pub struct Frames<W: Write> {
    out: W,
    piece: Vec<u8>,
}

impl<W: Write> Frames<W> {
    /// A stream into `out`.
    pub fn new(out: W) -> Self {
        Self { out, piece: Vec::with_capacity(LONGEST) }
    }

    /// Ends the stream: all of it has been written.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.out.write_all(&[0; 4])?;
        self.out.flush()
    }
}

impl<W: Write> Write for Frames<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(LONGEST - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == LONGEST {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(self.piece.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stream_that_was_finished_has_an_end() {
        let mut written = Vec::new();
        let mut frames = Frames::new(&mut written);
        frames.write_all(&vec![7; LONGEST + 5]).expect("written");
        frames.flush().expect("written");
        frames.flush().expect("nothing to write");
        drop(frames);
        assert_eq!(written.len(), 4 + LONGEST + 4 + 5);
        assert_eq!(written[LONGEST + 4..][..4], [0, 0, 0, 5]);
        let mut ended = Vec::new();
        Frames::new(&mut ended).finish().expect("written");
        assert_eq!(ended, [0; 4]);
    }
}
