//! The figures of a set: takes what is true and what was said of each picture, gives numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::boxes::{BoxFigures, PictureBoxes};
use super::judge::{Judged, Labels, Rule, Said};
use super::labels::Confusion;
use super::pixels::{PixelFigures, PixelTally};
use super::ranking::{OperatingPoint, Ranking};
use crate::index::Row;
use crate::rate::Rate;

/// How well pictures are told apart. What does not apply is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ImageFigures {
    /// [`Ranking::auroc`]; needs good and bad pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auroc: Option<f64>,
    /// [`Ranking::average_precision`]; needs good and bad pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ap: Option<f64>,
    /// [`Confusion::accuracy`], over rows of one label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// [`Confusion::macro_f1`], over rows of one label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macro_f1: Option<f64>,
}

/// What the field compares models by, and the two operating points. What does not apply is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Pictures looked at.
    pub images: u64,
    /// Of whole pictures.
    pub image: ImageFigures,
    /// Of pixels, where the model says where and there are masks. Pictures with a defect and
    /// without a mask are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel: Option<PixelFigures>,
    /// Of boxes, where the model says where and boxes are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxFigures>,
    /// [`Ranking::escape_at_overkill`] at 1 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escape_at_overkill_1pct: Option<OperatingPoint>,
    /// [`Ranking::overkill_at_zero_escape`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overkill_at_zero_escape: Option<OperatingPoint>,
    /// At the limits that were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_limit: Option<AtLimit>,
    /// What was said of pictures of one label.
    pub confusion: Confusion,
}

/// How many pictures were given which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts {
    /// Passed.
    pub pass: u64,
    /// Undecided.
    pub undecided: u64,
    /// Rejected.
    pub reject: u64,
}

impl Verdicts {
    fn add(&mut self, said: Said) {
        *match said {
            Said::Pass => &mut self.pass,
            Said::Undecided => &mut self.undecided,
            Said::Reject => &mut self.reject,
        } += 1;
    }

    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.pass + self.undecided + self.reject
    }
}

/// Escape and overkill, both of the same limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// The limit, for labels without one of their own.
    pub limit: f32,
    /// Bad pictures that stay below it, of all bad ones.
    pub escape: Rate,
    /// Good pictures that reach it, of all good ones.
    pub overkill: Rate,
}

/// What the limits make of the pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtLimit {
    /// Rejected is what is rejected.
    pub rejecting: Missed,
    /// Undecided pictures are thrown out too; absent where no picture could be undecided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejecting_and_undecided: Option<Missed>,
    /// Verdicts on good pictures.
    pub good: Verdicts,
    /// Verdicts on bad pictures.
    pub bad: Verdicts,
    /// Of the pictures with a defect of each class, those that are rejected.
    pub caught: BTreeMap<String, Rate>,
}

/// All that came of holding a model against a set.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was said of each picture, in the index's order.
    pub judged: Vec<Judged>,
    /// The numbers.
    pub figures: Figures,
    /// Good and bad by score; `None` where one sort is missing.
    pub ranking: Option<Ranking>,
}

impl Outcome {
    /// Of `rows` and what was said of each.
    pub(super) fn new(
        rows: &[&Row],
        judged: Vec<Judged>,
        labels: &Labels,
        rule: &Rule,
        tally: Option<&PixelTally>,
        boxes: Option<&[PictureBoxes]>,
    ) -> Self {
        let said = || rows.iter().copied().zip(&judged);
        let ranking = Ranking::new(said().map(|(row, judged)| (judged.score, row.is_bad())));
        let confusion = confusion(said(), labels);
        let image = ImageFigures {
            auroc: ranking.as_ref().map(Ranking::auroc),
            ap: ranking.as_ref().map(Ranking::average_precision),
            accuracy: confusion.accuracy(),
            macro_f1: confusion.macro_f1(),
        };
        let limit = rule.limits().map_or(0.0, |limits| limits.reject_at.get());
        let figures = Figures {
            images: rows.len() as u64,
            image,
            pixel: tally.map(PixelTally::figures),
            boxes: boxes.map(|boxes| BoxFigures::new(boxes, labels.names().len(), limit)),
            escape_at_overkill_1pct: ranking.as_ref().map(|r| r.escape_at_overkill(0.01)),
            overkill_at_zero_escape: ranking.as_ref().map(Ranking::overkill_at_zero_escape),
            at_limit: at_limit(said(), rule),
            confusion,
        };
        Self { judged, figures, ranking }
    }
}

/// A row and what was said of it.
type Pair<'a> = (&'a Row, &'a Judged);

fn confusion<'a>(said: impl Iterator<Item = Pair<'a>>, labels: &Labels) -> Confusion {
    let pair = |(row, judged): Pair<'_>| match row.labels.as_slice() {
        [label] => Some((labels.place(label)?, judged.predicted)),
        _ => None,
    };
    Confusion::new(labels.names().to_vec(), said.filter_map(pair))
}

fn at_limit<'a>(said: impl Iterator<Item = Pair<'a>>, rule: &Rule) -> Option<AtLimit> {
    let limits = rule.limits()?;
    let (mut good, mut bad) = (Verdicts::default(), Verdicts::default());
    let mut caught = BTreeMap::<String, (u64, u64)>::new();
    for (row, judged) in said {
        let verdicts = if row.is_bad() { &mut bad } else { &mut good };
        verdicts.add(judged.said);
        for label in row.labels.iter().filter(|_| row.is_bad()) {
            let (count, of) = caught.entry(label.clone()).or_default();
            *of += 1;
            *count += u64::from(judged.said == Said::Reject);
        }
    }
    let rejecting = Missed {
        limit: limits.reject_at.get(),
        escape: Rate::new(bad.pass + bad.undecided, bad.sum()),
        overkill: Rate::new(good.reject, good.sum()),
    };
    let both = Missed {
        limit: limits.undecided_from.get(),
        escape: Rate::new(bad.pass, bad.sum()),
        overkill: Rate::new(good.reject + good.undecided, good.sum()),
    };
    let has_band = limits.undecided_from < limits.reject_at || good.undecided + bad.undecided > 0;
    Some(AtLimit {
        rejecting,
        rejecting_and_undecided: has_band.then_some(both),
        good,
        bad,
        caught: caught.into_iter().map(|(label, (n, of))| (label, Rate::new(n, of))).collect(),
    })
}
