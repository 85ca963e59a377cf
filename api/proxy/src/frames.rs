//! Telling data from pings in a stream of WebSocket frames (RFC 6455, section 5.2), without holding or changing a byte.

/// Opcodes from here on are control frames: close, ping, pong.
const CONTROL: u8 = 0x8;
/// Longest header: two bytes, eight of length, four of mask.
const HEADER: usize = 14;

/// How far a stream of frames has been read.
#[derive(Debug)]
pub(crate) struct Frames {
    header: [u8; HEADER],
    /// Bytes of the header that are there.
    have: usize,
    /// Bytes of the frame's content that are still to come.
    rest: u64,
    /// Whether they are data.
    data: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self { header: [0; HEADER], have: 0, rest: 0, data: false }
    }
}

impl Frames {
    /// Takes what was read next. True if there was data in it.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        let mut data = false;
        while let Some((&first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let taken = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                self.rest -= taken as u64;
                data |= self.data;
                bytes = &bytes[taken..];
                continue;
            }
            self.header[self.have] = first;
            self.have += 1;
            bytes = others;
            if self.have == self.header_length() {
                self.rest = self.content_length();
                self.data = self.header[0] & 0x0f < CONTROL;
                self.have = 0;
            }
        }
        data
    }

    fn header_length(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let length = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & 0x80 != 0 { 4 } else { 0 };
        2 + length + mask
    }

    fn content_length(&self) -> u64 {
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        match self.header[1] & 0x7f {
            126 => number(&self.header[2..4]),
            127 => number(&self.header[2..10]),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..126 => bytes.push(mask | u8::try_from(length).expect("small")),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(length).expect("small").to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(0xff, if masked { 4 } else { 0 }));
        bytes.extend(std::iter::repeat_n(0x89, length));
        bytes
    }

    #[test]
    fn pings_pongs_and_closes_are_no_data() {
        let mut frames = Frames::default();
        for opcode in [0x8, 0x9, 0xa] {
            assert!(!frames.feed(&frame(opcode, 100, true)));
        }
        assert!(frames.feed(&frame(0x1, 1, true)));
        assert!(!frames.feed(&frame(0x9, 0, false)));
        assert!(frames.feed(&frame(0x2, 70_000, false)));
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_data_is_seen_exactly_when_there_is_some(
            kinds in prop::collection::vec((any::<bool>(), 0usize..300, any::<bool>()), 1..20),
            cuts in prop::collection::vec(1usize..40, 1..200),
        ) {
            let stream: Vec<u8> = kinds
                .iter()
                .flat_map(|(data, length, masked)| frame(if *data { 0x2 } else { 0x9 }, (*length).min(if *data { 300 } else { 125 }), *masked))
                .collect();
            let mut frames = Frames::default();
            let (mut seen, mut at) = (false, 0);
            for cut in cuts.iter().cycle() {
                if at >= stream.len() { break }
                let end = (at + cut).min(stream.len());
                seen |= frames.feed(&stream[at..end]);
                at = end;
            }
            prop_assert_eq!(seen, kinds.iter().any(|(data, length, _)| *data && *length > 0));
        }
    }
}
