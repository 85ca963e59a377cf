//! Feeds parsers with what strangers could send: seeds from a corpus in the repository, changed in many small ways, the
//! same ones in every run unless told otherwise. docs/adr/0015 says why it is done like this.

mod mutate;
pub mod text;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

pub use mutate::Mutator;

/// Inputs that a target is tried with, beside the seeds themselves. `MATRIXOS_FUZZ_ROUNDS` overrides it.
const ROUNDS: usize = 20_000;
/// Where the changes begin. `MATRIXOS_FUZZ_SEED` overrides it, for another set of inputs.
const SEED: u64 = 1;

/// A target's inputs.
pub struct Fuzz {
    seeds: Vec<Vec<u8>>,
    rounds: usize,
}

impl Fuzz {
    /// The seeds of a corpus: one on each line, with the escapes of [`text`].
    pub fn corpus(file: impl AsRef<Path>) -> Self {
        let file = file.as_ref();
        let lines = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("the corpus {}: {e}", file.display()));
        let seeds: Vec<_> = lines.lines().map(text::read).collect();
        assert!(!seeds.is_empty(), "the corpus {} is empty", file.display());
        Self { seeds, rounds: ROUNDS }
    }

    /// Seeds that are made for each run, because they hold something random.
    pub fn and(mut self, seeds: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.seeds.extend(seeds);
        self
    }

    /// Fewer rounds, for a target whose single check takes long.
    pub fn slower_by(mut self, factor: usize) -> Self {
        self.rounds /= factor;
        self
    }

    /// The inputs: first the seeds, then what becomes of them.
    pub fn inputs(self) -> impl Iterator<Item = Vec<u8>> {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
        let factor = number("MATRIXOS_FUZZ_ROUNDS").map_or(self.rounds, |all: usize| all * self.rounds / ROUNDS);
        let mut mutator =
            Mutator::new(number("MATRIXOS_FUZZ_SEED").map_or(SEED, |seed: usize| seed as u64), &self.seeds);
        let seeds = self.seeds.clone();
        self.seeds.into_iter().chain((0..factor).map(move |_| mutator.next(&seeds)))
    }

    /// Runs a check on each of them. An input that breaks it is printed as a line for the corpus.
    pub fn check(self, check: impl Fn(&[u8])) {
        for input in self.inputs() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
                eprintln!("broken by this input; once it is mended, keep it in the corpus:\n{}", text::write(&input));
                resume_unwind(panic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(lines: &str) -> Fuzz {
        let seeds = lines.lines().map(text::read).collect();
        Fuzz { seeds, rounds: ROUNDS }
    }

    #[test]
    fn a_mistake_that_hides_behind_two_changes_of_a_seed_is_found() {
        let breaks = |input: &[u8]| input.windows(4).any(|four| four == b"a==b") && input.len() < 9;
        assert!(corpus("key=a=b; other").inputs().any(|input| breaks(&input)));
        let careless = |input: &[u8]| assert!(!breaks(input));
        assert!(catch_unwind(|| corpus("key=a=b; other").check(careless)).is_err());
    }

    #[test]
    fn the_same_inputs_come_in_every_run_and_most_of_them_differ() {
        let all: Vec<_> = corpus("one: 1\nfour: 4").inputs().take(2_000).collect();
        assert_eq!(all, corpus("one: 1\nfour: 4").inputs().take(2_000).collect::<Vec<_>>());
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert!(different.len() > 1_200, "{}", different.len());
    }
}
