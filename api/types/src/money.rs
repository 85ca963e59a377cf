//! Money: whole billionths of a dollar, never floating point, and never wrapping around.

use std::fmt;
use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// An amount of money in nano-dollars: billionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole dollars.
    pub const fn dollars(dollars: u64) -> Self {
        Self(dollars.saturating_mul(1_000_000_000))
    }

    /// Both together; what is too much to be written stays at the most that can be.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left; nothing if `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `count` times this.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Reads dollars with up to nine decimals: `5`, `2.30`, `0.000000125`. Nothing else: no sign, no exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 9 {
            return None;
        }
        let nanos: u64 = format!("{part:0<9}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).map(Self)
    }

    /// Dollars to the last billionth: `0.000000125`.
    pub fn exact(self) -> String {
        format!("{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Nanos {
    /// For people, in whole cents, rounded down: nobody is promised what they do not have. `$2.30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0 / 10_000_000;
        write!(f, "${}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_never_wrap() {
        assert_eq!(Nanos::parse("2.30"), Some(Nanos(2_300_000_000)));
        assert_eq!(Nanos::parse("0.000000125").map(Nanos::exact).as_deref(), Some("0.000000125"));
        assert_eq!(Nanos::parse("18446744073.709551615"), Some(Nanos(u64::MAX)));
        for bad in ["", ".5", "5.", "-1", "+1", "1e3", "1.0000000001", "18446744073.709551616", "١", "1.2.3", " 1"] {
            assert_eq!(Nanos::parse(bad), None, "{bad}");
        }
        assert_eq!(Nanos(u64::MAX).plus(Nanos(1)), Nanos(u64::MAX));
        assert_eq!(Nanos(1).minus(Nanos(2)), Nanos::ZERO);
        assert_eq!(Nanos::dollars(u64::MAX).times(7), Nanos(u64::MAX));
    }

    #[test]
    fn people_read_cents_that_they_have() {
        for (nanos, text) in [(2_300_000_000, "$2.30"), (9_999_999, "$0.00"), (4_999_999_999, "$4.99"), (0, "$0.00")] {
            assert_eq!(Nanos(nanos).to_string(), text);
        }
    }
}
