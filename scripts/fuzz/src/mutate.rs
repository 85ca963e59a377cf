//! Small changes of seeds: bytes flipped, put in, taken out, doubled, and pieces of one seed put into another.

/// Bytes that parsers look for.
const TELLING: &[u8] = b"\0\t\n\r \"%&+,-./0:;<=>?@[\\]_{}~\x7f\x80\xff";
/// No input is longer; limits on length have tests of their own.
const LONGEST: usize = 4_096;

/// Makes inputs, in an order that depends on its beginning only.
pub struct Mutator {
    state: u64,
    /// Pieces of the seeds, between characters that are no letters or digits.
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// Begins with that number, with the words of these seeds.
    pub fn new(begin: u64, seeds: &[Vec<u8>]) -> Self {
        let pieces = seeds.iter().flat_map(|seed| seed.split(|byte| !byte.is_ascii_alphanumeric()));
        let mut words: Vec<Vec<u8>> = pieces.filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec).collect();
        words.sort();
        words.dedup();
        Self { state: begin.max(1), words }
    }

    /// One seed with one to four changes.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let (from, to) = self.range(input.len());
        match self.below(8) {
            0 if from < input.len() => input[from] ^= 1 << self.below(8),
            1 if from < input.len() => input[from] = self.telling(),
            2 => input.insert(from, self.telling()),
            3 => drop(input.drain(from..to)),
            4 => {
                let again = input[from..to].to_vec();
                input.splice(to..to, again);
            }
            5 if !self.words.is_empty() => {
                let place = self.below(self.words.len());
                let word = self.words[place].clone();
                input.splice(from..to, word);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let (begin, end) = self.range(other.len());
                input.splice(from..from, other[begin..end].iter().copied());
            }
            _ => input.truncate(to),
        }
    }

    fn telling(&mut self) -> u8 {
        TELLING[self.below(TELLING.len())]
    }

    /// Two places in order, near each other more often than not.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { length.min(from + 8) };
        (from, from + self.below(most.max(from) - from + 1))
    }

    /// xorshift64*: good enough to choose places with.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}
