//! Takes what the user will not accept (`escape=0.01,overkill=0.02`), gives which of it happened.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::numbers::Report;
use super::words::{of_count, percent};
use models::rate::Rate;

/// A number of the report that may be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Escape,
    Overkill,
    EscapeHigh95,
    OverkillHigh95,
    Lost,
    Undecided,
}

impl Key {
    const ALL: [Self; 6] = [
        Self::Escape,
        Self::Overkill,
        Self::EscapeHigh95,
        Self::OverkillHigh95,
        Self::Lost,
        Self::Undecided,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Escape => "escape",
            Self::Overkill => "overkill",
            Self::EscapeHigh95 => "escape-high95",
            Self::OverkillHigh95 => "overkill-high95",
            Self::Lost => "lost",
            Self::Undecided => "undecided",
        }
    }

    fn rate_in(self, report: &Report) -> Rate {
        match self {
            Self::Escape | Self::EscapeHigh95 => report.escape,
            Self::Overkill | Self::OverkillHigh95 => report.overkill,
            Self::Lost => report.lost_rate(),
            Self::Undecided => report.undecided_rate(),
        }
    }

    const fn value_of(self, rate: &Rate) -> Option<f64> {
        match self {
            Self::EscapeHigh95 | Self::OverkillHigh95 => rate.high95,
            Self::Escape | Self::Overkill | Self::Lost | Self::Undecided => rate.rate,
        }
    }
}

/// Limits that a run must keep; rates from 0 to 1.
///
/// `escape`, `overkill`, `lost` and `undecided` limit the rate that was measured. Whether that
/// many parts can show it is another question: `escape-high95` and `overkill-high95` limit the
/// upper end of the 95 % interval, so that too small a test does not pass either.
#[derive(Clone, Debug, PartialEq)]
pub struct FailOn(Vec<(Key, f64)>);

/// Limits that make no sense.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("limit `{item}`: {wrong}; write for example escape=0.01,overkill=0.02")]
pub struct FailOnError {
    /// The limit, as written.
    pub item: String,
    /// What is wrong with it, and what would be right.
    pub wrong: String,
}

/// A limit that was not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    key: Key,
    rate: Rate,
    limit: f64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, limit) = (self.key.name(), percent(self.limit));
        match self.key.value_of(&self.rate) {
            Some(value) => write!(
                f,
                "{name} is {} ({}), above the limit of {limit}",
                percent(value),
                of_count(&self.rate)
            ),
            None => write!(
                f,
                "{name} was not measured, so nothing shows that the limit of {limit} is kept"
            ),
        }
    }
}

impl FromStr for FailOn {
    type Err = FailOnError;

    fn from_str(text: &str) -> Result<Self, FailOnError> {
        let mut limits = Vec::<(Key, f64)>::new();
        for item in text.split(',').map(str::trim) {
            let (key, limit) =
                limit_from(item).map_err(|wrong| FailOnError { item: item.to_owned(), wrong })?;
            if limits.iter().any(|(other, _)| *other == key) {
                let wrong = format!("`{}` is limited twice", key.name());
                return Err(FailOnError { item: item.to_owned(), wrong });
            }
            limits.push((key, limit));
        }
        Ok(Self(limits))
    }
}

fn limit_from(item: &str) -> Result<(Key, f64), String> {
    let (name, limit) = item.split_once('=').ok_or("there is no `=`")?;
    let key = Key::ALL.into_iter().find(|key| key.name() == name.trim()).ok_or_else(|| {
        let known = Key::ALL.map(Key::name).join(", ");
        format!("`{}` cannot be limited; {known} can", name.trim())
    })?;
    let limit = limit.trim();
    match limit.parse::<f64>() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok((key, rate)),
        _ => Err(format!("`{limit}` is not a rate from 0 to 1")),
    }
}

impl FailOn {
    /// The limits that `report` does not keep; a rate equal to its limit keeps it, a rate that
    /// was not measured does not.
    #[must_use]
    pub fn check(&self, report: &Report) -> Vec<Violation> {
        let violation = |&(key, limit): &(Key, f64)| {
            let rate = key.rate_in(report);
            let is_kept = key.value_of(&rate).is_some_and(|value| value <= limit);
            (!is_kept).then_some(Violation { key, rate, limit })
        };
        self.0.iter().filter_map(violation).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;

    fn report() -> Report {
        let mut report = Report::build(&[], None, fake::facts(10)).unwrap();
        report.escape = Rate::new(1, 100);
        report.overkill = Rate::new(0, 100);
        report
    }

    fn violations(limits: &str) -> Vec<String> {
        let limits: FailOn = limits.parse().unwrap();
        limits.check(&report()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_rate_may_reach_its_limit_but_not_pass_it() {
        assert_eq!(violations("escape=0.01, overkill = 0"), [""; 0]);
        let said = violations("overkill=0.02,escape=0.0099");
        assert_eq!(said, ["escape is 1.00 % (1 of 100), above the limit of 0.99 %"]);
    }

    #[test]
    fn the_upper_end_can_be_limited() {
        assert_eq!(violations("overkill=0.01,overkill-high95=0.01").len(), 1);
        assert_eq!(violations("escape-high95=0.06"), [""; 0]);
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        let said = violations("lost=1,undecided=1");
        assert_eq!(said.len(), 2);
        assert!(said[0].contains("not measured"), "{said:?}");
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (text, said) in [
            ("", "no `=`"),
            ("escape", "no `=`"),
            ("escape=0.01,", "no `=`"),
            ("escapes=0.01", "`escapes` cannot be limited; escape, overkill"),
            ("escape=NaN", "`NaN` is not a rate"),
            ("escape=-0.1", "`-0.1` is not a rate"),
            ("escape=1.01", "`1.01` is not a rate"),
            ("escape=inf", "`inf` is not a rate"),
            ("escape=1%", "`1%` is not a rate"),
            ("escape=0.1,escape=0.2", "limited twice"),
        ] {
            let error = text.parse::<FailOn>().unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
