//! Days in UTC, counted from 1970-01-01, and how they are written.

use std::time::{SystemTime, UNIX_EPOCH};

/// Which day a date is. The Gregorian calendar's eras of 400 years have 146,097 days each; years begin in March here.
pub(super) fn number(year: u32, month: u32, day: u32) -> Option<u32> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, shifted) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * shifted + 2) / 5 + day - 1;
    Some(days - 719_468)
}

/// A day as people and programs write it: `2026-10-07`.
pub fn date(day: u32) -> String {
    let days = u64::from(day) + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

/// Seconds since 1970.
pub(super) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The day of a time.
pub fn day(at: SystemTime) -> u32 {
    u32::try_from(seconds(at) / 86_400).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(
            (number(1970, 1, 1), number(2026, 10, 7), number(2000, 2, 29)),
            (Some(0), Some(20_733), Some(11_016))
        );
        assert_eq!((number(2026, 13, 1), number(2026, 0, 1), number(1969, 12, 31)), (None, None, None));
        for day in 0..60_000 {
            let text = date(day);
            let mut parts = text.split('-').map(|part| part.parse::<u32>().expect("a number"));
            let (year, month, of_month) = (parts.next(), parts.next(), parts.next());
            assert_eq!(number(year.expect("a"), month.expect("b"), of_month.expect("c")), Some(day), "{text}");
        }
    }
}
