//! What a model says of a picture, put as a verdict: takes a picture, gives score, label, boxes and
//! what the station would do.

use std::sync::Arc;

use domain::recipe::LimitsInForce;
use domain::{CheckedRecipe, Defect, Finding, FindingFault, Pixels, Score, Tensor};

use super::boxes::FoundBox;
use super::exam::{EvalError, Picture};
use super::map::DefectMap;
use crate::bundle::BundleError;
use crate::index::OK;
use crate::kinds::Kind;
use crate::manifest::Manifest;
use crate::model::Model;
use crate::tensor::Shaper;

/// From which score a defect rejects a part.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Not given: what the model calls defective is.
    Unlimited,
    /// The same for every label.
    Limit(Score),
    /// As a station would, with this recipe's limits.
    Recipe(Arc<CheckedRecipe>),
}

impl Rule {
    /// The limits of labels that have none of their own.
    #[must_use]
    pub fn limits(&self) -> Option<LimitsInForce> {
        match self {
            Self::Unlimited => None,
            Self::Limit(limit) => Some(LimitsInForce {
                reject_at: *limit,
                undecided_from: *limit,
                min_area_px: 0,
                min_length_mm: None,
            }),
            Self::Recipe(recipe) => Some(recipe.default_limits()),
        }
    }

    /// The limits of a defect; `None` when it does not count.
    fn limits_of(&self, defect: &Defect) -> Option<LimitsInForce> {
        let none = LimitsInForce {
            reject_at: Score::ZERO,
            undecided_from: Score::ZERO,
            min_area_px: 0,
            min_length_mm: None,
        };
        let limits = match self {
            Self::Recipe(recipe) => recipe.limits_for(&defect.kind)?,
            _ => self.limits().unwrap_or(none),
        };
        (defect.area_px >= limits.min_area_px).then_some(limits)
    }
}

/// What the station would do with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// Let it pass.
    Pass,
    /// Neither: a defect lies in the band below its limit.
    Undecided,
    /// Throw it out.
    Reject,
}

impl Said {
    /// One word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Undecided => "undecided",
            Self::Reject => "reject",
        }
    }
}

/// What is said of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The highest score of a defect that counts. Of an anomaly map in which nothing is a defect,
    /// its highest place, at most the threshold above which places are: pictures that pass are
    /// ranked too.
    pub score: f32,
    /// Place among the labels of the one that is predicted.
    pub predicted: usize,
    /// What the station would do.
    pub said: Said,
    /// The defects that count, with their boxes; none of classifiers, which draw none.
    pub boxes: Vec<FoundBox>,
}

/// A model's labels as an index's are compared with them.
#[derive(Clone, Debug)]
pub struct Labels {
    names: Vec<String>,
    good: usize,
    kind: Kind,
    /// Anomaly maps: from which probability a place is a defect's.
    place_from: f32,
}

impl Labels {
    /// The labels of a bundle.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        let mut names = manifest.output.labels.clone();
        let good = names.iter().position(|name| *name == manifest.output.good);
        let good = good.unwrap_or_else(|| {
            names.push(manifest.output.good.clone());
            names.len() - 1
        });
        let place_from = manifest.output.pixel_threshold.unwrap_or(1.0);
        Self { names, good, kind: manifest.kind, place_from }
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Place of the good one.
    #[must_use]
    pub const fn good(&self) -> usize {
        self.good
    }

    /// Place of an index's label: `ok` is the good one, whatever the model calls it. A model of
    /// anomalies learnt of no defect class, so each is its only label. `None` when the model does
    /// not know it.
    #[must_use]
    pub fn place(&self, label: &str) -> Option<usize> {
        if label == OK {
            return Some(self.good);
        }
        let defect = |(place, name): (usize, &String)| {
            (place != self.good && (name == label || self.kind == Kind::AnomalyMap))
                .then_some(place)
        };
        self.names.iter().enumerate().find_map(defect)
    }

    /// What is said of a picture in which `finding` was found.
    #[must_use]
    pub fn judged(&self, finding: &Finding, rule: &Rule) -> Judged {
        let counting: Vec<_> = finding
            .defects
            .iter()
            .filter_map(|defect| Some((defect, rule.limits_of(defect)?)))
            .collect();
        let surest = counting.iter().map(|(defect, _)| defect.score.get()).fold(0.0, f32::max);
        let score = if finding.defects.is_empty() && self.kind == Kind::AnomalyMap {
            self.highest_place(finding)
        } else {
            surest
        };
        let predicted = match self.kind {
            Kind::Classifier => self.surest_class(finding),
            _ => self.surest_defect(&counting),
        };
        let reaches = |limit: fn(&LimitsInForce) -> Score| {
            counting.iter().any(|(defect, limits)| defect.score >= limit(limits))
        };
        let said = match rule {
            Rule::Unlimited if predicted == self.good => Said::Pass,
            Rule::Unlimited => Said::Reject,
            _ if reaches(|limits| limits.reject_at) => Said::Reject,
            _ if reaches(|limits| limits.undecided_from) => Said::Undecided,
            _ => Said::Pass,
        };
        let draws = self.kind != Kind::Classifier;
        let boxes = counting.iter().filter(|_| draws).map(|(defect, _)| self.found(defect));
        Judged { score, predicted, said, boxes: boxes.collect() }
    }

    fn highest_place(&self, finding: &Finding) -> f32 {
        let bad = finding.classes.iter().enumerate().filter(|(place, _)| *place != self.good);
        bad.map(|(_, class)| class.score.get()).fold(0.0, f32::max).min(self.place_from)
    }

    fn surest_class(&self, finding: &Finding) -> usize {
        let mut best = (self.good, -1.0);
        for (place, class) in finding.classes.iter().enumerate() {
            // The first of equals, as numpy's argmax.
            if class.score.get() > best.1 {
                best = (place, class.score.get());
            }
        }
        best.0
    }

    fn surest_defect(&self, counting: &[(&Defect, LimitsInForce)]) -> usize {
        counting
            .iter()
            .filter(|(defect, limits)| defect.score >= limits.reject_at)
            .max_by(|a, b| a.0.score.get().total_cmp(&b.0.score.get()))
            .map_or(self.good, |(defect, _)| self.named(&defect.kind))
    }

    fn named(&self, kind: &str) -> usize {
        self.names.iter().position(|name| name == kind).unwrap_or(self.good)
    }

    fn found(&self, defect: &Defect) -> FoundBox {
        let drawn = defect.box_in_frame;
        let corners = [drawn.x, drawn.y, drawn.right(), drawn.bottom()].map(f64::from);
        FoundBox { label: self.named(&defect.kind), score: defect.score.get(), corners }
    }
}

/// A model with what it takes to show it pictures. One a thread.
#[derive(Debug)]
pub struct Examiner {
    model: Model,
    shaper: Shaper,
    tensor: Tensor,
    labels: Labels,
    rule: Rule,
}

impl Examiner {
    /// Shows pictures to `model` and judges what it says by `rule`.
    #[must_use]
    pub fn new(model: Model, rule: Rule) -> Self {
        let (shaper, tensor) = (Shaper::new(model.input().clone()), model.input().tensor());
        let labels = Labels::new(model.bundle().manifest());
        Self { model, shaper, tensor, labels, rule }
    }

    /// The same for another thread.
    ///
    /// # Errors
    /// As [`Model::another`].
    pub fn another(&self) -> Result<Self, BundleError> {
        Ok(Self::new(self.model.another()?, self.rule.clone()))
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The model's labels.
    #[must_use]
    pub const fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The rule it judges by.
    #[must_use]
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What the model finds in the whole of `pixels`, and where in floats, if it says.
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn look(
        &mut self,
        pixels: &dyn Pixels,
    ) -> Result<(Finding, Option<DefectMap>), FindingFault> {
        let crop = pixels.size().rect();
        self.shaper.prepare(pixels, crop, &mut self.tensor)?;
        self.model.run_map(&self.tensor, 0, crop)
    }

    /// What is said of a picture.
    ///
    /// # Errors
    /// When it can't be read or the model gives no answer.
    pub fn look_at(&mut self, picture: &Picture) -> Result<Judged, EvalError> {
        let pixels = picture.pixels()?;
        let (finding, _) = self.see(picture, &pixels)?;
        Ok(self.judge(&finding))
    }

    /// As [`Self::look`], naming the picture when it fails.
    pub(super) fn see(
        &mut self,
        picture: &Picture,
        pixels: &dyn Pixels,
    ) -> Result<(Finding, Option<DefectMap>), EvalError> {
        self.look(pixels).map_err(|fault| EvalError::Fault { file: picture.path.clone(), fault })
    }

    /// What is said of a picture in which `finding` was found.
    #[must_use]
    pub fn judge(&self, finding: &Finding) -> Judged {
        self.labels.judged(finding, &self.rule)
    }
}

#[cfg(test)]
mod tests {
    use domain::{ClassScore, Recipe, RectPx, Sha256};

    use super::*;
    use crate::manifest::tests::TEXT;

    fn labels(kind: Kind) -> Labels {
        let names = ["fine", "scratch", "dent"].map(str::to_owned).to_vec();
        Labels { names, good: 0, kind, place_from: 0.4 }
    }

    fn finding(classes: [f32; 3], defects: &[(&str, f32, u64)]) -> Finding {
        let score = |score| Score::new(score).unwrap();
        let class = |(label, value): (&&str, f32)| ClassScore {
            label: (*label).into(),
            score: score(value),
        };
        let defect = |&(kind, value, area_px): &(&str, f32, u64)| Defect {
            kind: kind.into(),
            view: 0,
            box_in_frame: RectPx::new(1, 2, 3, 4),
            area_px,
            score: score(value),
            mask: None,
            mm: None,
        };
        let names = ["fine", "scratch", "dent"];
        Finding {
            view: 0,
            model: Sha256::of(b"m"),
            classes: names.iter().zip(classes).map(class).collect(),
            defects: defects.iter().map(defect).collect(),
            heatmap: None,
        }
    }

    fn recipe() -> Rule {
        let text = "name = 'x'\nmodel = 'm'\nlocate = { kind = 'every-frame' }\n\
                    limits = { reject_at = 0.6, undecided_from = 0.4, min_area_px = 10, \
                    ignore = ['dent'] }";
        Rule::Recipe(Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap()))
    }

    #[test]
    fn good_is_ok_whatever_the_model_calls_it() {
        let known = labels(Kind::Segmenter);
        assert_eq!((known.place("ok"), known.place("dent")), (Some(0), Some(2)));
        assert_eq!((known.place("crack"), known.place("fine")), (None, None));
        // A model of anomalies has one label for all of them.
        assert_eq!(labels(Kind::AnomalyMap).place("crack"), Some(1));
    }

    #[test]
    fn labels_without_the_good_one_get_it() {
        let mut manifest: Manifest = toml::from_str(TEXT).unwrap();
        manifest.output.labels = vec!["scratch".to_owned()];
        let known = Labels::new(&manifest);
        assert_eq!((known.names().len(), known.place("ok"), known.good()), (2, Some(1), 1));
    }

    #[test]
    fn a_segmenter_is_judged_by_its_surest_defect() {
        let found = finding([1.0, 0.5, 0.7], &[("scratch", 0.5, 20), ("dent", 0.7, 5)]);
        let known = labels(Kind::Segmenter);
        let judged = known.judged(&found, &Rule::Unlimited);
        assert_eq!((judged.score, judged.predicted, judged.said), (0.7, 2, Said::Reject));
        assert_eq!(judged.boxes.len(), 2);
        assert_eq!(judged.boxes[0].corners, [1.0, 2.0, 4.0, 6.0]);
        let judged = known.judged(&found, &Rule::Limit(Score::new(0.8).unwrap()));
        assert_eq!((judged.score, judged.predicted, judged.said), (0.7, 0, Said::Pass));
        let judged = known.judged(&finding([1.0, 0.0, 0.0], &[]), &Rule::Unlimited);
        assert_eq!((judged.score, judged.predicted, judged.said), (0.0, 0, Said::Pass));
    }

    #[test]
    fn an_anomaly_map_ranks_pictures_without_a_defect_too() {
        let known = labels(Kind::AnomalyMap);
        let score = |highest, defects: &[(&str, f32, u64)]| {
            let judged = known.judged(&finding([1.0, highest, 0.0], defects), &recipe());
            (judged.said, judged.score)
        };
        assert_eq!(score(0.1, &[]), (Said::Pass, 0.1));
        assert_eq!(score(0.7, &[]), (Said::Pass, 0.4), "its group is too small to be a defect");
        assert_eq!(score(0.7, &[("scratch", 0.7, 10)]), (Said::Reject, 0.7));
    }

    #[test]
    fn a_recipe_is_followed_as_the_station_follows_it() {
        let known = labels(Kind::Segmenter);
        let said = |defects: &[(&str, f32, u64)]| {
            let judged = known.judged(&finding([1.0, 0.0, 0.0], defects), &recipe());
            (judged.said, judged.score)
        };
        assert_eq!(said(&[("scratch", 0.6, 10)]), (Said::Reject, 0.6));
        assert_eq!(said(&[("scratch", 0.5, 10)]), (Said::Undecided, 0.5));
        assert_eq!(said(&[("scratch", 0.3, 10)]), (Said::Pass, 0.3));
        assert_eq!(said(&[("scratch", 0.9, 9), ("dent", 0.9, 99)]), (Said::Pass, 0.0));
    }

    #[test]
    fn a_classifier_is_judged_by_its_highest_label() {
        let found = finding([0.5, 0.2, 0.3], &[("scratch", 0.2, 20), ("dent", 0.3, 20)]);
        let judged = labels(Kind::Classifier).judged(&found, &Rule::Unlimited);
        assert_eq!((judged.score, judged.predicted, judged.said), (0.3, 0, Said::Pass));
        assert!(judged.boxes.is_empty());
        let judged =
            labels(Kind::Classifier).judged(&found, &Rule::Limit(Score::new(0.25).unwrap()));
        assert_eq!((judged.predicted, judged.said), (0, Said::Reject));
    }
}
