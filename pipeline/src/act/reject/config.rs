//! How the way from the camera to the gate is described: takes what is written in the station's
//! file, gives [`Reject`], in the belt's own units, or an error that says what would be right.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::way::{CalibratedBelt, Scale, Way};

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

/// By an encoder; each distance in its counts, or in millimetres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByEncoder {
    /// From the part's place at the trigger to the gate's middle.
    pub travel_counts: Option<u32>,
    /// The same in millimetres.
    pub travel_mm: Option<f64>,
    /// How far the belt runs while the gate is open for a part, besides the tolerance.
    pub pulse_counts: Option<u32>,
    /// The same in millimetres.
    pub pulse_mm: Option<f64>,
    /// How far before the part's middle the gate is open.
    pub lead_counts: Option<u32>,
    /// The same in millimetres.
    pub lead_mm: Option<f64>,
    /// How far a part may be from where it is expected: slip, and what the belt's speed changes
    /// between two readings.
    pub tolerance_counts: Option<u32>,
    /// The same in millimetres.
    pub tolerance_mm: Option<f64>,
    /// How far before or after the gate's middle a part's middle still is caught; taken from
    /// lead and pulse when absent.
    pub catch_counts: Option<u32>,
    /// The same in millimetres.
    pub catch_mm: Option<f64>,
    /// What the belt runs in a count; as calibrated when absent.
    pub mm_per_count: Option<f64>,
    /// From the command to the gate having moved, milliseconds.
    #[serde(default)]
    pub gate_ms: f64,
    /// The fastest that the belt can run.
    pub counts_per_s_max: Option<u32>,
    /// The same in millimetres.
    pub mm_per_s_max: Option<f64>,
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
    /// answer is due. To be checked again for each recipe that comes into force. What is written
    /// in millimetres is turned into counts as `belt` was calibrated, unless it says itself what a
    /// count is.
    ///
    /// # Errors
    /// [`RejectError`], naming the key.
    pub fn check(
        &self,
        budget: Duration,
        belt: Option<&CalibratedBelt>,
    ) -> Result<Reject, RejectError> {
        let reject = match self {
            Self::Time(time) => time.converted()?,
            Self::Encoder(encoder) => encoder.converted(belt)?,
        };
        reject.check_shape(self)?;
        reject.check_budget(self, budget)?;
        Ok(reject)
    }

    /// Whether anything in it asks what a count of the encoder is.
    #[must_use]
    pub fn is_in_mm(&self) -> bool {
        matches!(self, Self::Encoder(encoder) if encoder.is_in_mm())
    }

    /// The key as it is written in this mode.
    fn key(&self, by_time: &'static str, by_encoder: fn(&ByEncoder) -> Way) -> &'static str {
        match self {
            Self::Time(_) => by_time,
            Self::Encoder(encoder) => by_encoder(encoder).key(),
        }
    }

    /// The unit of all distances.
    const fn unit(&self) -> &'static str {
        match self {
            Self::Time(_) => "ns",
            Self::Encoder(_) => "counts",
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

/// Each distance, in the unit in which it is written.
impl ByEncoder {
    const fn travel(&self) -> Way {
        let (counts, mm) = (self.travel_counts, self.travel_mm);
        Way { counts_key: "travel_counts", counts, mm_key: "travel_mm", mm }
    }

    const fn pulse(&self) -> Way {
        let (counts, mm) = (self.pulse_counts, self.pulse_mm);
        Way { counts_key: "pulse_counts", counts, mm_key: "pulse_mm", mm }
    }

    const fn lead(&self) -> Way {
        let (counts, mm) = (self.lead_counts, self.lead_mm);
        Way { counts_key: "lead_counts", counts, mm_key: "lead_mm", mm }
    }

    const fn tolerance(&self) -> Way {
        let (counts, mm) = (self.tolerance_counts, self.tolerance_mm);
        Way { counts_key: "tolerance_counts", counts, mm_key: "tolerance_mm", mm }
    }

    const fn catch(&self) -> Way {
        let (counts, mm) = (self.catch_counts, self.catch_mm);
        Way { counts_key: "catch_counts", counts, mm_key: "catch_mm", mm }
    }

    const fn speed(&self) -> Way {
        let (counts, mm) = (self.counts_per_s_max, self.mm_per_s_max);
        Way { counts_key: "counts_per_s_max", counts, mm_key: "mm_per_s_max", mm }
    }
}

impl ByEncoder {
    fn converted(&self, belt: Option<&CalibratedBelt>) -> Result<Reject, RejectError> {
        let scale = self.scale(belt)?;
        let (pulse, lead) = (self.pulse().needed(scale)?, self.lead().needed(scale)?);
        let per_s_max = self.speed().needed(scale)?;
        if per_s_max == 0 || self.lost_ms == 0 {
            let key = if self.lost_ms == 0 { "lost_ms" } else { self.speed().key() };
            return Err(RejectError { key, problem: "is 0".into(), right: "give at least 1" });
        }
        let catch = self.catch().counts(scale)?;
        Ok(Reject {
            travel: self.travel().needed(scale)?,
            pulse,
            lead,
            tolerance: self.sure_tolerance(scale)?,
            catch: catch.unwrap_or(lead.max(pulse - lead)),
            gate: delay(self.gate_ms)?,
            neighbour: self.neighbour,
            confirm: within(self.confirm)?,
            encoder: Some(EncoderRule {
                per_s_max,
                lost: Duration::from_millis(self.lost_ms.into()),
                on_lost: self.on_lost,
            }),
        })
    }

    /// What a count is, where anything that is written asks for it.
    fn scale(&self, belt: Option<&CalibratedBelt>) -> Result<Option<Scale>, RejectError> {
        self.is_in_mm().then(|| Scale::new(self.mm_per_count, belt)).transpose()
    }

    fn is_in_mm(&self) -> bool {
        let ways = [
            self.travel(),
            self.pulse(),
            self.lead(),
            self.tolerance(),
            self.catch(),
            self.speed(),
        ];
        self.mm_per_count.is_some() || ways.iter().any(|way| way.mm.is_some())
    }

    /// The tolerance, which must cover what is not known of the way to the gate.
    fn sure_tolerance(&self, scale: Option<Scale>) -> Result<i64, RejectError> {
        let tolerance = self.tolerance().needed(scale)?;
        let (Some(mm), Some(scale)) = (self.travel_mm, scale) else { return Ok(tolerance) };
        let (unsure_mm, tolerance_mm) = (mm * scale.unsure, scale.mm(tolerance));
        if unsure_mm <= tolerance_mm {
            return Ok(tolerance);
        }
        Err(RejectError {
            key: self.tolerance().key(),
            problem: format!(
                "allows for {tolerance_mm:.2} mm, and after `travel_mm` a part is known to \
                 {unsure_mm:.2} mm (k = 2) as the belt was calibrated"
            ),
            right: "run `sightline calibrate belt` over a longer way, or allow for more",
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
        let unit = written.unit();
        if self.pulse == 0 {
            return Err(RejectError {
                key: written.key("pulse_ms", ByEncoder::pulse),
                problem: format!("is 0 {unit}, so that the gate would never open"),
                right: "give how long it must be open for a part to fall",
            });
        }
        if self.lead == 0 || self.lead >= self.pulse {
            return Err(RejectError {
                key: written.key("lead_ms", ByEncoder::lead),
                problem: format!("is {} {unit} of a pulse of {} {unit}", self.lead, self.pulse),
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
            key: written.key("travel_ms", ByEncoder::travel),
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
    use calibration::belt::Measured;
    use domain::CameraId;

    use super::*;

    const TIME: &str = "by='time'\ntravel_ms=500\npulse_ms=60\nlead_ms=20\ntolerance_ms=10\n";
    const ENCODER: &str = "by='encoder'\ntravel_counts=1200\npulse_counts=60\nlead_counts=20\n\
                           tolerance_counts=10\ncounts_per_s_max=4000\n";

    fn check(text: &str, budget_ms: u64) -> Result<Reject, RejectError> {
        check_on(None, text, budget_ms)
    }

    fn check_on(
        belt: Option<(f64, f64)>,
        text: &str,
        budget_ms: u64,
    ) -> Result<Reject, RejectError> {
        let config: RejectConfig = toml::from_str(text).unwrap();
        let belt = belt.map(|(value, std_error)| CalibratedBelt {
            camera: CameraId::new("top"),
            mm_per_count: Measured { value, std_error },
        });
        config.check(Duration::from_millis(budget_ms), belt.as_ref())
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

    const MM: &str = "by='encoder'\ntravel_mm=240\npulse_mm=12\nlead_mm=4\ntolerance_mm=2\n\
                      mm_per_s_max=800\n";

    #[test]
    fn millimetres_are_counts_as_the_belt_was_calibrated_or_as_is_written() {
        let counts = check(ENCODER, 200).unwrap();
        assert_eq!(check_on(Some((0.2, 0.0001)), MM, 200).unwrap(), counts);
        assert_eq!(check(&format!("{MM}mm_per_count=0.2"), 200).unwrap(), counts);
        // Each as it is handier; what is in counts asks for no scale.
        let mixed = ENCODER.replace("pulse_counts=60", "pulse_mm=12\ncatch_mm=8");
        assert_eq!(check_on(Some((0.2, 0.0001)), &mixed, 200).unwrap(), counts);
        assert_eq!(check_on(Some((-9.0, 0.1)), ENCODER, 200).unwrap(), counts);
    }

    #[test]
    fn what_a_count_is_must_be_known_and_without_contradiction() {
        let error = check(MM, 200).unwrap_err().to_string();
        assert!(error.contains("`reject.mm_per_count` is not given"), "{error}");
        assert!(error.contains("run `sightline calibrate belt`"), "{error}");
        // Within twice the standard error and a hundredth the written one is taken; what it is
        // apart is not known of the way to the gate.
        let both =
            |written: &str, belt| check_on(belt, &format!("{MM}mm_per_count={written}"), 200);
        let taken = both("0.2008", Some((0.2, 0.0001))).unwrap();
        assert_eq!(taken.travel, 1195);
        assert_eq!(both("0.2018", Some((0.2, 0.0001))).unwrap_err().key, "tolerance_mm");
        let error = both("0.2081", Some((0.2, 0.003))).unwrap_err().to_string();
        for told in ["`reject.mm_per_count` is 0.2081", "0.20000 ± 0.00600 (k = 2)", "`top`"] {
            assert!(error.contains(told), "{told}: {error}");
        }
        for (written, belt) in [("0", None), ("nan", None), ("inf", None), ("-0.2", None)] {
            assert_eq!(both(written, belt).unwrap_err().key, "mm_per_count", "{written}");
        }
        let error = check_on(Some((-0.2, 0.001)), MM, 200).unwrap_err();
        assert!(error.right.contains("the encoder's direction"), "{error}");
    }

    #[test]
    fn the_tolerance_covers_what_the_calibration_does_not_know() {
        // 240 mm at twice 0.4 % are 1.92 mm, at twice 0.45 % 2.16.
        assert!(check_on(Some((0.2, 0.0008)), MM, 200).is_ok());
        let error = check_on(Some((0.2, 0.0009)), MM, 200).unwrap_err();
        assert_eq!(error.key, "tolerance_mm");
        assert!(error.problem.contains("2.00 mm") && error.problem.contains("2.16 mm"), "{error}");
        // Where the way to the gate was counted, nothing of it is unsure.
        let counted = MM.replace("travel_mm=240", "travel_counts=1200");
        assert!(check_on(Some((0.2, 0.0009)), &counted, 200).is_ok());
        assert!(check_on(Some((0.2, f64::NAN)), MM, 200).is_err());
    }

    #[test]
    fn the_key_that_is_written_is_the_one_that_is_blamed() {
        let belt = Some((0.2, 0.0001));
        for (from, to, key) in [
            ("travel_mm=240", "", "travel_counts"),
            ("travel_mm=240", "travel_mm=240\ntravel_counts=1200", "travel_mm"),
            ("travel_mm=240", "travel_mm=20", "travel_mm"),
            ("travel_mm=240", "travel_mm=-1", "travel_mm"),
            ("travel_mm=240", "travel_mm=1e300", "travel_mm"),
            ("pulse_mm=12", "pulse_mm=0.05", "pulse_mm"),
            ("lead_mm=4", "lead_mm=12", "lead_mm"),
            ("tolerance_mm=2", "", "tolerance_counts"),
            ("mm_per_s_max=800", "mm_per_s_max=0", "mm_per_s_max"),
            ("mm_per_s_max=800", "", "counts_per_s_max"),
        ] {
            let error = check_on(belt, &MM.replace(from, to), 200).unwrap_err();
            assert_eq!(error.key, key, "{to}: {error}");
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
