//! The time of day, and in words.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Milliseconds since 1970.
pub(crate) fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(crate) fn seconds() -> i64 {
    Timestamp::now().as_second()
}

/// The zone of that name; the whole world's if there is none.
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Day and minute, with weekday, for the AI. Without seconds, so that a prompt is the same for a minute.
pub(crate) fn now_in(zone: &TimeZone) -> String {
    let now = ZonedDateTime::now().with_time_zone(zone.clone());
    now.strftime("%A, %Y-%m-%d %H:%M (%:z)").to_string()
}

/// A day's name for files: `2026-11-28`, in UTC.
pub(crate) fn day(at: u64) -> String {
    let at = Timestamp::from_millisecond(i64::try_from(at).unwrap_or(0)).unwrap_or_default();
    at.strftime("%Y-%m-%d").to_string()
}

pub(crate) fn ago(minutes: u64) -> String {
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1_440),
    }
}
