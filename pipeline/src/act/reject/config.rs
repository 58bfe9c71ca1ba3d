//! How the way from the camera to the gate is described: takes what is written in the station's
//! file, gives [`Reject`], in the belt's own units, or an error that says what would be right.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The way from camera to gate, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RejectConfig {
    /// By the clock. Presumes that the belt runs at one speed and never stops while parts are on
    /// it: where it may stop, there must be an encoder.
    Time(ByTime),
    /// By an encoder on the belt: the belt may change speed, stop, and run back.
    Encoder(ByEncoder),
}

/// By the clock; all in milliseconds at the belt's one speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByTime {
    /// From the trigger to the part's middle at the gate's middle.
    pub travel_ms: f64,
    /// How long the gate is open for a part, besides the tolerance.
    pub pulse_ms: f64,
    /// How long before the part's middle it is open.
    pub lead_ms: f64,
    /// How much earlier or later than expected a part may come.
    pub tolerance_ms: f64,
    /// How long before or after the gate's middle a part's middle still is caught; taken from
    /// lead and pulse when absent.
    pub catch_ms: Option<f64>,
    /// From the command to the gate having moved.
    #[serde(default)]
    pub gate_ms: f64,
    /// What becomes of a good part beside a bad one.
    #[serde(default)]
    pub neighbour: Neighbour,
    /// The sensor that sees parts fall, where there is one.
    pub confirm: Option<Confirm>,
}

/// By an encoder; distances in its counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByEncoder {
    /// From the part's place at the trigger to the gate's middle.
    pub travel_counts: u32,
    /// How far the belt runs while the gate is open for a part, besides the tolerance.
    pub pulse_counts: u32,
    /// How far before the part's middle the gate is open.
    pub lead_counts: u32,
    /// How far a part may be from where it is expected: slip, and what the belt's speed changes
    /// between two readings.
    pub tolerance_counts: u32,
    /// How far before or after the gate's middle a part's middle still is caught; taken from
    /// lead and pulse when absent.
    pub catch_counts: Option<u32>,
    /// From the command to the gate having moved, milliseconds.
    #[serde(default)]
    pub gate_ms: f64,
    /// The fastest that the belt can run.
    pub counts_per_s_max: u32,
    /// Without a reading for so long the encoder is lost; a belt that stands is read as well.
    #[serde(default = "lost_ms")]
    pub lost_ms: u32,
    /// What the gate does while it is not known where parts are.
    #[serde(default)]
    pub on_lost: OnLost,
    /// What becomes of a good part beside a bad one.
    #[serde(default)]
    pub neighbour: Neighbour,
    /// The sensor that sees parts fall, where there is one.
    pub confirm: Option<Confirm>,
}

const fn lost_ms() -> u32 {
    200
}

/// A good part so close to a bad one that the gate can't but catch both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbour {
    /// The gate is open as long as ever; the good part falls too, and is told.
    #[default]
    RejectBoth,
    /// The gate is open for less, as far as the bad part still falls for certain. A good part
    /// that is closer than that falls too, and is told.
    Shorten,
}

/// What the gate does while it is not known where parts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLost {
    /// Everything is thrown out.
    #[default]
    Open,
    /// Nothing is thrown out; what should have been is told.
    Close,
}

/// The sensor that sees parts fall.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// How long after it has passed the gate a part must have been seen, milliseconds.
    pub within_ms: u32,
}

/// The way from camera to gate can't be as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`reject.{key}` {problem}; {right}")]
pub struct RejectError {
    /// The key.
    pub key: &'static str,
    /// What is wrong, with its numbers.
    pub problem: String,
    /// What would be right.
    pub right: &'static str,
}

/// The way from camera to gate, checked. Distances are in the belt's units: nanoseconds by the
/// clock, counts by an encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reject {
    pub(super) travel: i64,
    pub(super) pulse: i64,
    pub(super) lead: i64,
    pub(super) tolerance: i64,
    pub(super) catch: i64,
    pub(super) gate: Duration,
    pub(super) neighbour: Neighbour,
    pub(super) confirm: Option<Duration>,
    pub(super) encoder: Option<EncoderRule>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EncoderRule {
    pub per_s_max: i64,
    pub lost: Duration,
    pub on_lost: OnLost,
}

const MS_MAX: f64 = 3_600_000.0;

fn ns(key: &'static str, ms: f64) -> Result<i64, RejectError> {
    if !(0.0..=MS_MAX).contains(&ms) {
        let problem = format!("is {ms}");
        return Err(RejectError { key, problem, right: "give milliseconds from 0 to an hour" });
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most an hour")]
    Ok((ms * 1e6) as i64)
}

fn delay(ms: f64) -> Result<Duration, RejectError> {
    Ok(Duration::from_nanos(ns("gate_ms", ms)?.unsigned_abs()))
}

impl RejectConfig {
    /// Checks it for recipes that answer within `budget`: no part may reach the gate before its
    /// answer is due. To be checked again for each recipe that comes into force.
    ///
    /// # Errors
    /// [`RejectError`], naming the key.
    pub fn check(&self, budget: Duration) -> Result<Reject, RejectError> {
        let reject = match self {
            Self::Time(time) => time.converted()?,
            Self::Encoder(encoder) => encoder.converted()?,
        };
        reject.check_shape(self)?;
        reject.check_budget(self, budget)?;
        Ok(reject)
    }

    /// The key as it is written in this mode.
    const fn key(&self, by_time: &'static str, by_encoder: &'static str) -> &'static str {
        match self {
            Self::Time(_) => by_time,
            Self::Encoder(_) => by_encoder,
        }
    }
}

impl ByTime {
    fn converted(&self) -> Result<Reject, RejectError> {
        let (pulse, lead) = (ns("pulse_ms", self.pulse_ms)?, ns("lead_ms", self.lead_ms)?);
        let catch = self.catch_ms.map(|catch| ns("catch_ms", catch)).transpose()?;
        Ok(Reject {
            travel: ns("travel_ms", self.travel_ms)?,
            pulse,
            lead,
            tolerance: ns("tolerance_ms", self.tolerance_ms)?,
            catch: catch.unwrap_or(lead.max(pulse - lead)),
            gate: delay(self.gate_ms)?,
            neighbour: self.neighbour,
            confirm: within(self.confirm)?,
            encoder: None,
        })
    }
}

impl ByEncoder {
    fn converted(&self) -> Result<Reject, RejectError> {
        let counts = |value: u32| i64::from(value);
        let (pulse, lead) = (counts(self.pulse_counts), counts(self.lead_counts));
        if self.counts_per_s_max == 0 || self.lost_ms == 0 {
            let key = if self.lost_ms == 0 { "lost_ms" } else { "counts_per_s_max" };
            return Err(RejectError { key, problem: "is 0".into(), right: "give at least 1" });
        }
        Ok(Reject {
            travel: counts(self.travel_counts),
            pulse,
            lead,
            tolerance: counts(self.tolerance_counts),
            catch: self.catch_counts.map_or(lead.max(pulse - lead), counts),
            gate: delay(self.gate_ms)?,
            neighbour: self.neighbour,
            confirm: within(self.confirm)?,
            encoder: Some(EncoderRule {
                per_s_max: counts(self.counts_per_s_max),
                lost: Duration::from_millis(self.lost_ms.into()),
                on_lost: self.on_lost,
            }),
        })
    }
}

fn within(confirm: Option<Confirm>) -> Result<Option<Duration>, RejectError> {
    if confirm.is_some_and(|confirm| confirm.within_ms == 0) {
        let right = "give the longest time from the gate to the sensor, in milliseconds";
        return Err(RejectError { key: "confirm.within_ms", problem: "is 0".into(), right });
    }
    Ok(confirm.map(|confirm| Duration::from_millis(confirm.within_ms.into())))
}

impl Reject {
    fn check_shape(&self, written: &RejectConfig) -> Result<(), RejectError> {
        if self.pulse == 0 {
            return Err(RejectError {
                key: written.key("pulse_ms", "pulse_counts"),
                problem: "is 0, so that the gate would never open".into(),
                right: "give how long it must be open for a part to fall",
            });
        }
        if self.lead == 0 || self.lead >= self.pulse {
            return Err(RejectError {
                key: written.key("lead_ms", "lead_counts"),
                problem: format!("is {} of a pulse of {}", self.lead, self.pulse),
                right: "the gate must open before the part's middle and close after it: more than \
                        0, less than the pulse",
            });
        }
        Ok(())
    }

    fn check_budget(&self, written: &RejectConfig, budget: Duration) -> Result<(), RejectError> {
        let first = self.travel - self.lead - self.tolerance;
        let per_s = self.encoder.map_or(1_000_000_000, |encoder| encoder.per_s_max);
        let arrives_ms = i128::from(first) * 1000 / i128::from(per_s);
        let opens_ms = arrives_ms - self.gate.as_millis().cast_signed();
        if opens_ms > budget.as_millis().cast_signed() {
            return Ok(());
        }
        let budget_ms = budget.as_millis();
        Err(RejectError {
            key: written.key("travel_ms", "travel_counts"),
            problem: format!(
                "leaves {opens_ms} ms from the trigger until the gate must open at full speed \
                 (lead, tolerance and gate_ms taken off), and the recipe's gate.budget_ms is \
                 {budget_ms}"
            ),
            right: "a part must not reach the gate before its answer is due: move the gate \
                    farther down the belt, run it slower, or shorten the budget",
        })
    }

    /// Where the gate is open for a part whose middle is at the gate at `middle`, before
    /// neighbours are looked at.
    pub(super) const fn window(&self, middle: i64) -> (i64, i64) {
        let start = middle - self.lead;
        (start - self.tolerance, start + self.pulse + self.tolerance)
    }

    pub(super) fn opens_on_lost(&self) -> bool {
        self.encoder.is_some_and(|encoder| encoder.on_lost == OnLost::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "by='time'\ntravel_ms=500\npulse_ms=60\nlead_ms=20\ntolerance_ms=10\n";
    const ENCODER: &str = "by='encoder'\ntravel_counts=1200\npulse_counts=60\nlead_counts=20\n\
                           tolerance_counts=10\ncounts_per_s_max=4000\n";

    fn check(text: &str, budget_ms: u64) -> Result<Reject, RejectError> {
        let config: RejectConfig = toml::from_str(text).unwrap();
        config.check(Duration::from_millis(budget_ms))
    }

    #[test]
    fn what_is_written_well_is_taken_in_the_units_of_the_belt() {
        let time = check(TIME, 400).unwrap();
        assert_eq!((time.travel, time.window(0)), (500_000_000, (-30_000_000, 50_000_000)));
        let encoder = check(&format!("{ENCODER}confirm={{within_ms=300}}"), 200).unwrap();
        assert_eq!((encoder.travel, encoder.catch), (1200, 40));
        assert_eq!(encoder.confirm, Some(Duration::from_millis(300)));
        assert!(encoder.opens_on_lost() && !time.opens_on_lost());
    }

    #[test]
    fn a_part_that_reaches_the_gate_before_its_deadline_is_refused_with_numbers() {
        let error = check(TIME, 470).unwrap_err();
        assert_eq!(error.key, "travel_ms");
        assert!(error.problem.contains("470 ms") && error.problem.contains("is 470"), "{error}");
        assert!(check(TIME, 469).is_ok());
        // (1200 - 20 - 10) counts at 4000 a second are 292 ms.
        let error = check(ENCODER, 300).unwrap_err();
        assert!(error.problem.contains("leaves 292 ms"), "{error}");
        let slow_gate = format!("{ENCODER}gate_ms=50");
        assert!(check(&slow_gate, 250).is_err() && check(&slow_gate, 240).is_ok());
    }

    #[test]
    fn contradictions_are_named() {
        for (text, from, to, key) in [
            (TIME, "pulse_ms=60", "pulse_ms=0", "pulse_ms"),
            (TIME, "lead_ms=20", "lead_ms=60", "lead_ms"),
            (TIME, "lead_ms=20", "lead_ms=nan", "lead_ms"),
            (TIME, "tolerance_ms=10", "tolerance_ms=-1", "tolerance_ms"),
            (ENCODER, "lead_counts=20", "lead_counts=0", "lead_counts"),
            (ENCODER, "_max=4000", "_max=0", "counts_per_s_max"),
            (ENCODER, "_max=4000", "_max=4000\nlost_ms=0", "lost_ms"),
            (ENCODER, "_max=4000", "_max=4000\nconfirm={within_ms=0}", "confirm.within_ms"),
        ] {
            assert_eq!(check(&text.replace(from, to), 100).unwrap_err().key, key, "{to}");
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in [TIME, ENCODER] {
            let text = format!("{text}puls=3");
            let error = toml::from_str::<RejectConfig>(&text).unwrap_err().to_string();
            assert!(error.contains("puls"), "{error}");
        }
        assert!(toml::from_str::<RejectConfig>("by='magic'").is_err());
    }
}
