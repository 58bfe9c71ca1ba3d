//! What quantising cost: takes two models and labelled pictures, gives how each decides on them,
//! and whether the difference is more than was allowed.

use std::path::PathBuf;
use std::time::Duration;

use domain::{CheckedRecipe, Finding, FindingFault, GateSignal, Pixels};
use serde::Serialize;
use thiserror::Error;

use crate::eval::auroc;
use crate::model::Model;
use crate::picture::{PictureError, pixels_from_file};
use crate::rate::Rate;
use crate::tensor::Shaper;

/// A picture and whether what it shows is defective; `None` where nobody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The picture.
    pub file: PathBuf,
    /// Whether it shows a defect.
    pub bad: Option<bool>,
}

/// How one of the two models did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Side {
    /// Bad parts that the gate would let through.
    pub escape: Rate,
    /// Good parts that the gate would throw out.
    pub overkill: Rate,
    /// Pictures in the band below the limit.
    pub undecided: u64,
    /// Pictures without a finding, because it was not finite or the network failed.
    pub faults: u64,
    /// Chance that a bad picture scores above a good one; `null` without both.
    pub auroc: Option<f64>,
    /// Time of one run of the network: half took no longer. `null` where nothing was run.
    pub median_ms: Option<f64>,
}

/// Two models on the same pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How many pictures.
    pub pictures: u64,
    /// The model that was quantised.
    pub float: Side,
    /// What became of it.
    pub quantized: Side,
    /// Largest difference of any label's score.
    pub score_difference_max: f32,
    /// The picture of that difference.
    pub score_difference_max_on: Option<PathBuf>,
    /// Mean over the pictures of the largest difference of a label's score.
    pub score_difference_mean: f64,
    /// Pictures whose gate signal is another.
    pub verdicts_changed: Rate,
    /// Bad parts that only the quantised model lets through.
    pub newly_escaped: Vec<PathBuf>,
    /// Good parts that only the quantised model throws out.
    pub newly_rejected: Vec<PathBuf>,
}

/// How much worse the quantised model may be: differences of rates, 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Allowed {
    /// By how much the escape rate may grow.
    pub escape_growth: f64,
    /// By how much the overkill rate may grow.
    pub overkill_growth: f64,
}

/// Why two models were not compared.
#[derive(Clone, Debug, Error, PartialEq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum CompareError {
    /// A picture can't be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A picture can't be shown to the network.
    #[error("{}: {fault}", .file.display())]
    NotPrepared { file: PathBuf, fault: FindingFault },
}

/// What a model said of a picture.
struct Said {
    /// One a label; none where there is no finding.
    scores: Vec<f32>,
    /// The highest of a defect's.
    score: f32,
    signal: GateSignal,
    undecided: bool,
}

/// Shows each of `pictures`, as a whole, to both models, one after the other, and judges what
/// they say by `recipe`. `repeats` times each, for the clock's sake; `now` is the clock.
///
/// # Errors
/// When a picture can't be read or is no picture of a part.
pub fn compare(
    float: &mut Model,
    quantized: &mut Model,
    pictures: &[Labelled],
    recipe: &CheckedRecipe,
    repeats: usize,
    now: &dyn Fn() -> Duration,
) -> Result<Comparison, CompareError> {
    let mut shaper = Shaper::new(float.input().clone());
    let mut tensor = float.input().tensor();
    let (mut said, mut times) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for picture in pictures {
        let pixels = pixels_from_file(&picture.file)?;
        let crop = pixels.size().rect();
        shaper
            .prepare(&pixels, crop, &mut tensor)
            .map_err(|fault| CompareError::NotPrepared { file: picture.file.clone(), fault })?;
        for repeat in 0..repeats.max(1) {
            for (side, model) in [&mut *float, &mut *quantized].into_iter().enumerate() {
                let start = now();
                let finding = model.run(&tensor, 0, crop);
                times[side].push(now().saturating_sub(start));
                if repeat == 0 {
                    let good = &model.bundle().manifest().output.good;
                    said[side].push(said_by(finding.ok().as_ref(), good, recipe));
                }
            }
        }
    }
    let [float, quantized] = [0, 1].map(|side| side_from(pictures, &said[side], &mut times[side]));
    Ok(difference(pictures, &said, float, quantized))
}

/// The verdict's rule is the line's: a counting defect at its limit rejects, one in the band below
/// leaves undecided, and so does no finding.
fn said_by(finding: Option<&Finding>, good: &str, recipe: &CheckedRecipe) -> Said {
    let undecided_signal = recipe.as_written().gate.undecided;
    let Some(finding) = finding else {
        let (scores, score, undecided) = (Vec::new(), 1.0, true);
        return Said { scores, score, signal: undecided_signal, undecided };
    };
    let (mut rejects, mut doubts) = (false, false);
    for defect in &finding.defects {
        let Some(limits) = recipe.limits_for(&defect.kind) else { continue };
        if defect.area_px >= limits.min_area_px {
            rejects |= defect.score >= limits.reject_at;
            doubts |= defect.score >= limits.undecided_from;
        }
    }
    let counts = |label: &str| label != good && recipe.limits_for(label).is_some();
    let defects = finding.classes.iter().filter(|class| counts(&class.label));
    let (signal, undecided) = match (rejects, doubts) {
        (true, _) => (GateSignal::Reject, false),
        (false, true) => (undecided_signal, true),
        (false, false) => (GateSignal::Pass, false),
    };
    Said {
        scores: finding.classes.iter().map(|class| class.score.get()).collect(),
        score: defects.map(|class| class.score.get()).fold(0.0, f32::max),
        signal,
        undecided,
    }
}

fn side_from(pictures: &[Labelled], said: &[Said], times: &mut [Duration]) -> Side {
    let of = |bad: bool| {
        let pairs = pictures.iter().zip(said);
        pairs.filter(move |(picture, _)| picture.bad == Some(bad)).map(|(_, said)| said)
    };
    let rate = |bad: bool, wrong: GateSignal| {
        let count = of(bad).filter(|said| said.signal == wrong).count();
        Rate::new(count as u64, of(bad).count() as u64)
    };
    let scored = |(picture, said): (&Labelled, &Said)| Some((said.score, picture.bad?));
    times.sort_unstable();
    Side {
        escape: rate(true, GateSignal::Pass),
        overkill: rate(false, GateSignal::Reject),
        undecided: said.iter().filter(|said| said.undecided).count() as u64,
        faults: said.iter().filter(|said| said.scores.is_empty()).count() as u64,
        auroc: auroc(pictures.iter().zip(said).filter_map(scored)),
        median_ms: times.get(times.len() / 2).map(|time| time.as_secs_f64() * 1e3),
    }
}

fn difference(
    pictures: &[Labelled],
    said: &[Vec<Said>; 2],
    float: Side,
    quantized: Side,
) -> Comparison {
    let mut made = Comparison {
        pictures: pictures.len() as u64,
        float,
        quantized,
        score_difference_max: 0.0,
        score_difference_max_on: None,
        score_difference_mean: 0.0,
        verdicts_changed: Rate::default(),
        newly_escaped: Vec::new(),
        newly_rejected: Vec::new(),
    };
    let (mut sum, mut changed) = (0.0, 0);
    for ((picture, float), quantized) in pictures.iter().zip(&said[0]).zip(&said[1]) {
        let pairs = float.scores.iter().zip(&quantized.scores);
        let missing = float.scores.len() != quantized.scores.len();
        let largest =
            pairs.map(|(a, b)| (a - b).abs()).fold(f32::from(u8::from(missing)), f32::max);
        sum += f64::from(largest);
        if largest > made.score_difference_max {
            made.score_difference_max = largest;
            made.score_difference_max_on = Some(picture.file.clone());
        }
        if float.signal == quantized.signal {
            continue;
        }
        changed += 1;
        match (picture.bad, quantized.signal) {
            (Some(true), GateSignal::Pass) => made.newly_escaped.push(picture.file.clone()),
            (Some(false), GateSignal::Reject) => made.newly_rejected.push(picture.file.clone()),
            _ => {}
        }
    }
    made.score_difference_mean = sum / (pictures.len().max(1) as f64);
    made.verdicts_changed = Rate::new(changed, pictures.len() as u64);
    made
}

impl Comparison {
    /// In what the quantised model is worse than `allowed`, a sentence each; empty when it will do.
    #[must_use]
    pub fn refused(&self, allowed: &Allowed) -> Vec<String> {
        // A rate is a ratio of small counts; below this a growth is rounding.
        const ROUNDING: f64 = 1e-9;
        let mut refused = Vec::new();
        let sides = [
            ("escape", self.float.escape, self.quantized.escape, allowed.escape_growth),
            ("overkill", self.float.overkill, self.quantized.overkill, allowed.overkill_growth),
        ];
        for (name, before, after, allowed) in sides {
            let (Some(was), Some(is)) = (before.rate, after.rate) else { continue };
            if is - was > allowed + ROUNDING {
                refused.push(format!(
                    "{name} grows from {} to {} of {}, by {:.4}; allowed is {allowed}",
                    before.count,
                    after.count,
                    after.of,
                    is - was
                ));
            }
        }
        if self.quantized.faults > self.float.faults {
            let (is, was) = (self.quantized.faults, self.float.faults);
            refused.push(format!("{is} pictures have no finding, {was} with the float model"));
        }
        refused
    }
}

/// The instructions of this machine that multiply 8-bit integers quickly; `None` when it has
/// none, and 8-bit networks are slower than float ones as a rule.
#[must_use]
pub fn int8_instructions() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512vnni") {
            return Some("AVX-512 VNNI");
        }
        if is_x86_feature_detected!("avxvnni") {
            return Some("AVX-VNNI");
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            return Some("dot product");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(escape: [u64; 2], overkill: [u64; 2]) -> Comparison {
        let side = |index: usize| Side {
            escape: Rate::new(escape[index], 50),
            overkill: Rate::new(overkill[index], 100),
            ..Side::default()
        };
        difference(&[], &[Vec::new(), Vec::new()], side(0), side(1))
    }

    #[test]
    fn not_one_more_unless_it_is_allowed() {
        let none = Allowed::default();
        assert!(comparison([2, 2], [1, 0]).refused(&none).is_empty());
        let refused = comparison([2, 3], [0, 1]).refused(&none);
        assert_eq!(refused.len(), 2);
        assert!(refused[0].starts_with("escape grows from 2 to 3 of 50"), "{refused:?}");
        let some = Allowed { escape_growth: 0.02, overkill_growth: 0.01 };
        assert!(comparison([2, 3], [0, 1]).refused(&some).is_empty());
        assert_eq!(comparison([2, 4], [0, 1]).refused(&some).len(), 1);
    }

    #[test]
    fn a_finding_that_is_gone_is_refused() {
        let mut made = comparison([0, 0], [0, 0]);
        made.quantized.faults = 1;
        assert!(made.refused(&Allowed::default())[0].contains("no finding"));
    }
}
