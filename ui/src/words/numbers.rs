//! How numbers, shares and times are written in a language.

use domain::{DefectMm, WallTime};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The marks of a language.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    point: char,
    thousands: char,
    /// As `strftime` has it.
    date: &'static str,
}

impl Numbers {
    /// 1,234.5
    pub const ENGLISH: Self = Self { point: '.', thousands: ',', date: "%Y-%m-%d" };
    /// 1.234,5
    pub const GERMAN: Self = Self { point: ',', thousands: '.', date: "%d.%m.%Y" };

    /// A whole number, in groups of three.
    #[must_use]
    pub fn count(&self, value: u64) -> String {
        let digits = value.to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(self.thousands);
            }
            text.push(digit);
        }
        text
    }

    /// With so many places behind the point; what is no number is a dash.
    #[must_use]
    pub fn real(&self, value: f64, places: usize) -> String {
        let text = match value.abs() {
            ..1e12 => format!("{value:.places$}"),
            1e12..f64::INFINITY => format!("{value:.1e}"),
            _ => return "–".to_owned(),
        };
        text.replace('.', &self.point.to_string())
    }

    /// A share as per cent, with so many places.
    #[must_use]
    pub fn percent(&self, share: f64, places: usize) -> String {
        format!("{} %", self.real(100.0 * share, places))
    }

    /// The time of day, to the minute, where the station stands.
    #[must_use]
    pub fn hours(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, "%H:%M")
    }

    /// A length on the belt and its expanded uncertainty (k = 2), as exactly as it is known.
    #[must_use]
    pub fn length(&self, mm: &DefectMm) -> String {
        mm.to_string().replace('.', &self.point.to_string())
    }

    /// So many bytes, in GB and the like: thousands of thousands, as disks are sold.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "one place behind the point is shown")]
    pub fn bytes(&self, bytes: u64) -> String {
        let (unit, size) = match bytes {
            1_000_000_000_000.. => ("TB", 1e12),
            1_000_000_000.. => ("GB", 1e9),
            1_000_000.. => ("MB", 1e6),
            _ => ("kB", 1e3),
        };
        format!("{} {unit}", self.real(bytes as f64 / size, 1))
    }

    /// So many seconds, as days, hours and minutes: the two largest of them.
    #[must_use]
    pub fn span(&self, seconds: f64) -> String {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
        let seconds = seconds.max(0.0) as u64;
        let (minutes, hours, days) = (seconds / 60 % 60, seconds / 3600 % 24, seconds / 86_400);
        match (days, hours) {
            (0, 0) => format!("{minutes} min {} s", seconds % 60),
            (0, _) => format!("{hours} h {minutes} min"),
            _ => format!("{days} d {hours} h"),
        }
    }

    /// The time of day, to the second, where the station stands.
    #[must_use]
    pub fn time(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, "%H:%M:%S")
    }

    /// The time of day, to the minute.
    #[must_use]
    pub fn hour_and_minute(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, "%H:%M")
    }

    /// The day.
    #[must_use]
    pub fn day(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, self.date)
    }

    /// Day and time of day, to the minute.
    #[must_use]
    pub fn day_and_minute(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, &format!("{} %H:%M", self.date))
    }

    /// Day and time of day.
    #[must_use]
    pub fn day_and_time(&self, at: WallTime, zone: &TimeZone) -> String {
        self.written(at, zone, &format!("{} %H:%M:%S", self.date))
    }

    fn written(&self, at: WallTime, zone: &TimeZone, format: &str) -> String {
        Timestamp::from_nanosecond(i128::from(at.unix_ns))
            .map(|at| at.to_zoned(zone.clone()).strftime(format).to_string())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        assert_eq!(Numbers::ENGLISH.count(1_234_567), "1,234,567");
        assert_eq!(Numbers::GERMAN.count(999), "999");
        assert_eq!(Numbers::GERMAN.count(216_012), "216.012");
        assert_eq!(Numbers::GERMAN.percent(0.1234, 1), "12,3 %");
        assert_eq!(Numbers::GERMAN.real(-1.5e300, 3), "-1,5e300");
        assert_eq!(Numbers::ENGLISH.real(f64::NAN, 3), "–");
        assert_eq!(Numbers::ENGLISH.real(f64::NEG_INFINITY, 3), "–");
    }

    #[test]
    fn sizes_and_spans_keep_to_what_matters() {
        assert_eq!(Numbers::GERMAN.bytes(412_300_000_000), "412,3 GB");
        assert_eq!(Numbers::ENGLISH.bytes(900), "0.9 kB");
        assert_eq!(Numbers::ENGLISH.span(59.9), "0 min 59 s");
        assert_eq!(Numbers::ENGLISH.span(7_265.0), "2 h 1 min");
        assert_eq!(Numbers::ENGLISH.span(200_000.0), "2 d 7 h");
    }

    #[test]
    fn times_are_those_of_the_place() {
        let at = WallTime { unix_ns: 1_795_000_000_000_000_000 };
        assert_eq!(Numbers::ENGLISH.day_and_time(at, &TimeZone::UTC), "2026-11-18 11:06:40");
        let berlin = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(Numbers::GERMAN.day_and_time(at, &berlin), "18.11.2026 12:06:40");
    }
}
