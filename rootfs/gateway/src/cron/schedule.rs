//! When a job runs next. Pure: the time is given.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use matrixos_types::jobs::Schedule;

/// Shortest and longest time between two runs, in seconds.
const SHORTEST: u64 = 60;
const LONGEST: u64 = 366 * 86_400;
/// How far ahead anything may be: five years.
const AHEAD: i64 = 5 * 366 * 86_400;

/// Why that is no schedule, or when it is first due after `now` (seconds since 1970).
pub(crate) fn first(schedule: &Schedule, now: i64, zone: &TimeZone) -> Result<i64, String> {
    match schedule {
        Schedule::Interval { every } if !(SHORTEST..=LONGEST).contains(every) => {
            Err("A job runs at most every minute and at least once a year: `every` is 60 to 31622400 seconds."
                .to_owned())
        }
        Schedule::Once { at } if *at <= now => Err("That time is over.".to_owned()),
        Schedule::Once { at } if *at > now + AHEAD => Err("That is more than five years away.".to_owned()),
        Schedule::Cron { expression } => {
            let days = Expression::parse(expression)?;
            days.next(now, zone).ok_or_else(|| "By that expression it never runs within five years.".to_owned())
        }
        _ => next(schedule, now, zone).ok_or_else(|| "It never runs.".to_owned()),
    }
}

/// When it is due after `now`; `None` if never again.
pub(crate) fn next(schedule: &Schedule, now: i64, zone: &TimeZone) -> Option<i64> {
    match schedule {
        Schedule::Interval { every } => now.checked_add_unsigned((*every).clamp(SHORTEST, LONGEST)),
        Schedule::Once { at } => (*at > now && *at <= now + AHEAD).then_some(*at),
        Schedule::Cron { expression } => Expression::parse(expression).ok()?.next(now, zone),
    }
}

/// The five fields of crontab(5), each as a set of bits.
#[derive(Debug)]
struct Expression {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether both of the day fields say something: then either of them suffices.
    either: bool,
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Expression {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err("A cron expression has five fields: minute, hour, day, month, weekday.".to_owned());
        };
        let weekday_bits = field(weekdays, 0, 7, WEEKDAYS, 0)?;
        Ok(Self {
            minutes: field(minutes, 0, 59, &[], 0)?,
            hours: field(hours, 0, 23, &[], 0)?,
            days: field(days, 1, 31, &[], 0)?,
            months: field(months, 1, 12, MONTHS, 1)?,
            // Seven is Sunday as well.
            weekdays: (weekday_bits | weekday_bits >> 7) & 0x7f,
            either: !days.starts_with('*') && !weekdays.starts_with('*'),
        })
    }

    fn fits(&self, date: Date) -> bool {
        let has = |bits: u64, value: i8| bits >> value & 1 == 1;
        let (day, weekday) = (has(self.days, date.day()), has(self.weekdays, sunday_first(date.weekday())));
        has(self.months, date.month()) && if self.either { day || weekday } else { day && weekday }
    }

    fn next(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let start = Timestamp::from_second(now).ok()?.to_zoned_datetime(zone.clone());
        let last = Timestamp::from_second(now + AHEAD).ok()?.to_zoned_datetime(zone.clone()).date();
        let mut date = start.date();
        while date <= last {
            if self.fits(date)
                && let Some(at) = self.times().find_map(|time| self.after(date, time, now, zone))
            {
                return Some(at);
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    /// The times of a day that fits, in order.
    fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let hours = (0..24i8).filter(|hour| self.hours >> hour & 1 == 1);
        hours.flat_map(|hour| {
            (0..60i8).filter(|minute| self.minutes >> minute & 1 == 1).map(move |minute| (hour, minute))
        })
    }

    /// That time of that day in seconds since 1970, if it is after `now`. One that the clocks leave out comes an hour later.
    fn after(&self, date: Date, (hour, minute): (i8, i8), now: i64, zone: &TimeZone) -> Option<i64> {
        let at =
            zone.to_ambiguous_zoned_datetime(date.at(hour, minute, 0, 0)).compatible().ok()?.timestamp().as_second();
        (at > now).then_some(at)
    }
}

fn sunday_first(weekday: Weekday) -> i8 {
    weekday.to_sunday_zero_offset()
}

/// `*`, `5`, `1-5`, `*/15`, `10-40/10`, `mon,wed` and lists of them.
fn field(text: &str, lowest: u32, highest: u32, names: &[&str], first_name: u32) -> Result<u64, String> {
    let wrong = || format!("`{}` is no field of a cron expression.", text.chars().take(40).collect::<String>());
    let number = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name)).and_then(|n| u32::try_from(n).ok());
        named.map(|place| place + first_name).or_else(|| text.parse().ok()).filter(|n| (lowest..=highest).contains(n))
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, Some(1)), |(range, step)| (range, step.parse().ok()));
        let step: u32 = step.filter(|step| (1..=highest).contains(step)).ok_or_else(wrong)?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (lowest, highest),
            Some((from, to)) => (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?),
            None if part.contains('/') => (number(range).ok_or_else(wrong)?, highest),
            None => (number(range).ok_or_else(wrong)?, number(range).ok_or_else(wrong)?),
        };
        if from > to {
            return Err(wrong());
        }
        (from..=to).step_by(step as usize).for_each(|value| bits |= 1u64 << value);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &TimeZone) -> i64 {
        let time: jiff::civil::DateTime = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        zone.to_zoned_datetime(time).map_or(0, |zoned| zoned.timestamp().as_second())
    }

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC)
    }

    #[test]
    fn expressions_run_when_crontab_says() {
        let zone = berlin();
        for (expression, now, then) in [
            ("0 9 * * *", "2026-11-28T08:59:59", "2026-11-28T09:00"),
            ("0 9 * * *", "2026-11-28T09:00", "2026-11-29T09:00"),
            ("*/15 * * * *", "2026-11-28T09:01", "2026-11-28T09:15"),
            ("30 18 * * mon-fri", "2026-11-28T00:00", "2026-11-30T18:30"),
            ("0 0 1 jan *", "2026-11-28T00:00", "2027-01-01T00:00"),
            ("0 0 29 2 *", "2026-11-28T00:00", "2028-02-29T00:00"),
            ("0 0 13 * 5", "2026-11-28T00:00", "2026-12-04T00:00"),
            ("0 12 * * 7", "2026-11-28T00:00", "2026-11-29T12:00"),
            ("5-20/5,50 3 * * *", "2026-11-28T03:10", "2026-11-28T03:15"),
            // The clocks go forward at two: half past two is left out and comes at half past three.
            ("30 2 29 3 *", "2026-03-28T12:00", "2026-03-29T03:30"),
        ] {
            let schedule = Schedule::Cron { expression: expression.into() };
            assert_eq!(next(&schedule, at(now, &zone), &zone), Some(at(then, &zone)), "{expression} after {now}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_reason() {
        let refused = |schedule| first(&schedule, 1_800_000_000, &TimeZone::UTC).is_err();
        for expression in [
            "* * * * * *",
            "",
            "60 * * * *",
            "* * 0 * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "0 0 30 2 *",
            "*-5 * * * *",
            "1/ * * * *",
        ] {
            assert!(refused(Schedule::Cron { expression: expression.into() }), "{expression}");
        }
        assert!(refused(Schedule::Interval { every: 1 }) && refused(Schedule::Interval { every: u64::MAX }));
        assert!(refused(Schedule::Once { at: 253_370_764_800 }), "the year 9999");
        assert!(refused(Schedule::Once { at: 1_799_999_999 }), "the past");
        assert!(refused(Schedule::Once { at: i64::MAX }));
        assert!(!refused(Schedule::Once { at: 1_800_000_001 }) && !refused(Schedule::Interval { every: 60 }));
    }
}
