//! What to look for on one product: as written, then checked. Only a checked recipe reaches a part.

mod align;
mod execution;
mod locate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{GateSignal, RectPx, Score, Sha256, SizePx, Verdict};
pub use align::Align;
pub use execution::{Execution, Provider, WhenMissing};
pub use locate::{DifferIn, Locate, Motion, PartsAre, Touching, Trigger, TriggerBy};

/// A recipe as written in a `.toml` file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The product, as people call it.
    pub name: String,
    /// Folder of the model bundle, relative to the recipe file.
    pub model: String,
    /// The part of the picture in which parts are inspected; the whole picture when absent.
    pub region: Option<RectPx>,
    /// How parts are found.
    pub locate: Locate,
    /// What the model is shown of a part.
    #[serde(default)]
    pub view: ViewRule,
    /// When a part is bad.
    pub limits: Limits,
    /// The time allowed and what the gate hears when there is no decision.
    #[serde(default)]
    pub gate: GateRule,
    /// What is kept.
    #[serde(default)]
    pub record: RecordRule,
    /// On what the model runs.
    #[serde(default, skip_serializing_if = "Execution::is_default")]
    pub execution: Execution,
    /// How a part must lie; without it no part is aligned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub align: Option<Align>,
}

/// What the model is shown of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewRule {
    /// A crop of this size around the part's middle, so that every part has the same scale;
    /// when absent, the part's own box grown by `margin_px`.
    pub crop_px: Option<SizePx>,
    /// How far beyond the part's box the crop reaches when `crop_px` is absent.
    pub margin_px: u32,
}

impl Default for ViewRule {
    fn default() -> Self {
        Self { crop_px: None, margin_px: 8 }
    }
}

/// When a part is bad.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// A defect with this score or more rejects the part.
    pub reject_at: f32,
    /// From this score to `reject_at` the part is undecided; equal to `reject_at` when absent.
    pub undecided_from: Option<f32>,
    /// Defects smaller than this, in pixels of the frame, do not count.
    #[serde(default)]
    pub min_area_px: u64,
    /// Defects that are certainly shorter than this, millimetres, do not count. Needs a calibrated
    /// camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length_mm: Option<f32>,
    /// Labels that never count.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Other limits for single labels.
    #[serde(default)]
    pub kind: BTreeMap<String, KindLimits>,
}

/// Limits of one label; what is absent is as in [`Limits`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindLimits {
    /// As in [`Limits::reject_at`].
    pub reject_at: Option<f32>,
    /// As in [`Limits::undecided_from`].
    pub undecided_from: Option<f32>,
    /// As in [`Limits::min_area_px`].
    pub min_area_px: Option<u64>,
    /// As in [`Limits::min_length_mm`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length_mm: Option<f32>,
}

/// The time allowed and what the gate hears.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateRule {
    /// From the deciding frame's exposure to the signal, milliseconds.
    pub budget_ms: u32,
    /// What the gate hears of an undecided part.
    pub undecided: GateSignal,
}

impl Default for GateRule {
    fn default() -> Self {
        Self { budget_ms: 50, undecided: GateSignal::Reject }
    }
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordRule {
    /// Share of passed parts whose images are kept, 0..=1. Rejected and undecided always are.
    pub keep_passed: f32,
}

impl Default for RecordRule {
    fn default() -> Self {
        Self { keep_passed: 0.02 }
    }
}

/// What is wrong with a recipe.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{key}`: {problem}; {right}")]
pub struct RecipeError {
    /// Dotted path of the key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub right: String,
}

impl RecipeError {
    fn new(key: impl Into<String>, problem: impl Into<String>, right: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), right: right.into() }
    }
}

/// The limits that hold for one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitsInForce {
    /// Rejects from here.
    pub reject_at: Score,
    /// Undecided from here.
    pub undecided_from: Score,
    /// Smaller does not count.
    pub min_area_px: u64,
    /// Certainly shorter does not count.
    pub min_length_mm: Option<f32>,
}

/// A recipe without contradictions. The only kind a [`crate::Part`] can carry.
#[derive(Clone, Debug)]
pub struct CheckedRecipe {
    recipe: Recipe,
    hash: Sha256,
    default_limits: LimitsInForce,
    kind_limits: BTreeMap<Arc<str>, LimitsInForce>,
}

impl Recipe {
    /// Checks every value on its own and against the others.
    ///
    /// # Errors
    /// The first contradiction found, naming its key.
    pub fn check(self) -> Result<CheckedRecipe, RecipeError> {
        check_text(&self)?;
        check_places(&self)?;
        self.locate.check(&self.gate)?;
        check_gate(&self)?;
        self.execution.check()?;
        self.align.as_ref().map_or(Ok(()), Align::check)?;
        let default_limits = limits_in_force(&self.limits, None)?;
        let kind_limits = self
            .limits
            .kind
            .iter()
            .map(|(kind, over)| {
                let in_force = limits_in_force(&self.limits, Some((kind, over)))?;
                Ok((Arc::from(kind.as_str()), in_force))
            })
            .collect::<Result<_, RecipeError>>()?;
        let json = serde_json::to_vec(&self).map_err(|error| {
            RecipeError::new("recipe", error.to_string(), "use plain text and finite numbers")
        })?;
        let hash = Sha256::of(&json);
        Ok(CheckedRecipe { recipe: self, hash, default_limits, kind_limits })
    }
}

fn check_text(recipe: &Recipe) -> Result<(), RecipeError> {
    for (key, value) in [("name", &recipe.name), ("model", &recipe.model)] {
        if value.trim().is_empty() {
            return Err(RecipeError::new(key, "is empty", "write a name"));
        }
    }
    Ok(())
}

fn check_places(recipe: &Recipe) -> Result<(), RecipeError> {
    if recipe.region.is_some_and(|region| region.is_empty()) {
        return Err(RecipeError::new(
            "region",
            "covers no pixel",
            "width and height must be at least 1",
        ));
    }
    if recipe.view.crop_px.is_some_and(|crop| crop.area() == 0) {
        return Err(RecipeError::new(
            "view.crop_px",
            "covers no pixel",
            "width and height must be at least 1",
        ));
    }
    Ok(())
}

fn check_gate(recipe: &Recipe) -> Result<(), RecipeError> {
    if recipe.gate.budget_ms == 0 {
        return Err(RecipeError::new(
            "gate.budget_ms",
            "is 0, so every part would be late",
            "give the time from exposure to gate in milliseconds, 50 for example",
        ));
    }
    if !(0.0..=1.0).contains(&recipe.record.keep_passed) {
        return Err(RecipeError::new(
            "record.keep_passed",
            format!("{} is not a share", recipe.record.keep_passed),
            "it must lie in 0..=1",
        ));
    }
    Ok(())
}

fn limits_in_force(
    limits: &Limits,
    kind: Option<(&String, &KindLimits)>,
) -> Result<LimitsInForce, RecipeError> {
    let place = kind.map_or_else(|| "limits".to_owned(), |(kind, _)| format!("limits.kind.{kind}"));
    if let Some((name, _)) = kind
        && limits.ignore.contains(name)
    {
        return Err(RecipeError::new(
            place,
            "has limits but is also in limits.ignore",
            "take it out of one of the two",
        ));
    }
    let over = kind.map(|(_, over)| over);
    let score = |key: &str, value: f32| {
        Score::new(value).map_err(|error| {
            RecipeError::new(format!("{place}.{key}"), error.to_string(), "it must lie in 0..=1")
        })
    };
    let own_reject = over.and_then(|over| over.reject_at);
    let reject_at = score("reject_at", own_reject.unwrap_or(limits.reject_at))?;
    // A label with a limit of its own does not inherit a band that belongs to another limit.
    let inherited = if own_reject.is_some() { None } else { limits.undecided_from };
    let undecided_from = over.and_then(|over| over.undecided_from).or(inherited);
    let undecided_from = undecided_from.map_or(Ok(reject_at), |v| score("undecided_from", v))?;
    if undecided_from > reject_at {
        return Err(RecipeError::new(
            format!("{place}.undecided_from"),
            format!("{} is above reject_at {}", undecided_from.get(), reject_at.get()),
            "it must be at most reject_at",
        ));
    }
    let min_area_px = over.and_then(|over| over.min_area_px).unwrap_or(limits.min_area_px);
    let min_length_mm = over.and_then(|over| over.min_length_mm).or(limits.min_length_mm);
    if let Some(length) = min_length_mm.filter(|length| !(length.is_finite() && *length > 0.0)) {
        return Err(RecipeError::new(
            format!("{place}.min_length_mm"),
            format!("{length} is no length"),
            "give it in millimetres, 2.0 for example, or leave it out",
        ));
    }
    Ok(LimitsInForce { reject_at, undecided_from, min_area_px, min_length_mm })
}

impl CheckedRecipe {
    /// The recipe as written.
    #[must_use]
    pub const fn as_written(&self) -> &Recipe {
        &self.recipe
    }

    /// Hash over every value of the recipe; comments and order do not matter.
    #[must_use]
    pub const fn hash(&self) -> Sha256 {
        self.hash
    }

    /// From the deciding frame's exposure to the signal.
    #[must_use]
    pub fn budget(&self) -> Duration {
        Duration::from_millis(self.recipe.gate.budget_ms.into())
    }

    /// The limits for `kind`; `None` when the recipe ignores it.
    #[must_use]
    pub fn limits_for(&self, kind: &str) -> Option<LimitsInForce> {
        if self.recipe.limits.ignore.iter().any(|ignored| ignored == kind) {
            return None;
        }
        Some(self.kind_limits.get(kind).copied().unwrap_or(self.default_limits))
    }

    /// The limits of labels that have none of their own.
    #[must_use]
    pub const fn default_limits(&self) -> LimitsInForce {
        self.default_limits
    }

    /// Whether it measures in millimetres, so that every camera needs an accepted calibration.
    #[must_use]
    pub fn measures_in_mm(&self) -> bool {
        let limits = &self.recipe.limits;
        limits.min_length_mm.is_some()
            || limits.kind.values().any(|limits| limits.min_length_mm.is_some())
            || self.recipe.align.as_ref().is_some_and(|align| align.max_offset_mm.is_some())
    }

    /// Labels the recipe names; all must exist in the model.
    pub fn kinds_named(&self) -> impl Iterator<Item = &str> {
        let limits = &self.recipe.limits;
        limits.ignore.iter().chain(limits.kind.keys()).map(String::as_str)
    }

    /// What the gate hears of `verdict`.
    #[must_use]
    pub const fn signal_for(&self, verdict: &Verdict) -> GateSignal {
        match verdict {
            Verdict::Pass => GateSignal::Pass,
            Verdict::Reject { .. } => GateSignal::Reject,
            Verdict::Undecided { .. } => self.recipe.gate.undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        name = "bracket"
        model = "zoo/bracket"
        region = { x = 10, y = 0, width = 600, height = 400 }
        locate = { kind = "motion", min_area_px = 500, max_area_px = 20000 }
        limits = { reject_at = 0.6, undecided_from = 0.4, kind.stain.reject_at = 0.8 }
    "#;

    fn checked(text: &str) -> Result<CheckedRecipe, RecipeError> {
        toml::from_str::<Recipe>(text).expect("parses").check()
    }

    #[test]
    fn a_good_recipe_is_taken() {
        let recipe = checked(GOOD).unwrap();
        assert_eq!(recipe.budget(), Duration::from_millis(50));
        assert_eq!(recipe.limits_for("scratch").unwrap().undecided_from.get(), 0.4);
        assert_eq!(recipe.limits_for("stain").unwrap().undecided_from.get(), 0.8);
    }

    #[test]
    fn contradictions_are_named() {
        for (from, to, key) in [
            ("undecided_from = 0.4", "undecided_from = 0.7", "limits.undecided_from"),
            ("reject_at = 0.6", "reject_at = 1.6", "limits.reject_at"),
            ("max_area_px = 20000", "max_area_px = 400", "locate.max_area_px"),
            ("min_area_px = 500", "min_area_px = 0", "locate.min_area_px"),
            ("width = 600", "width = 0", "region"),
            ("reject_at = 0.8", "undecided_from = 0.9", "limits.kind.stain.undecided_from"),
            ("name = \"bracket\"", "name = \" \"", "name"),
        ] {
            let error = checked(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.key, key, "{error}");
        }
        let both = GOOD.replace("reject_at = 0.6", "reject_at = 0.6, ignore = [\"stain\"]");
        assert_eq!(checked(&both).unwrap_err().key, "limits.kind.stain");
    }

    #[test]
    fn nan_is_no_limit() {
        let error = checked(&GOOD.replacen("reject_at = 0.6", "reject_at = nan", 1)).unwrap_err();
        assert_eq!(error.key, "limits.reject_at");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = GOOD.replace("model =", "modle = 1\nmodel =");
        assert!(toml::from_str::<Recipe>(&text).unwrap_err().to_string().contains("modle"));
        let text = GOOD.replace("min_area_px = 500", "min_area_px = 500, min_aera = 1");
        assert!(toml::from_str::<Recipe>(&text).unwrap_err().to_string().contains("min_aera"));
    }

    #[test]
    fn the_hash_follows_the_values_only() {
        let base = checked(GOOD).unwrap().hash();
        assert_eq!(base, checked(&format!("# a comment\n{GOOD}")).unwrap().hash());
        assert_ne!(base, checked(&GOOD.replace("0.4", "0.41")).unwrap().hash());
    }

    #[test]
    fn what_the_model_runs_on_is_part_of_the_recipe() {
        let on = |words: &str| checked(&format!("{GOOD}\nexecution = {{ {words} }}"));
        let base = checked(GOOD).unwrap().hash();
        assert_eq!(on("provider = \"cpu\"").unwrap().hash(), base, "as if nothing were written");
        assert_ne!(on("provider = \"cuda\"").unwrap().hash(), base);
        assert_eq!(on("threads = 0").unwrap_err().key, "execution.threads");
    }
}
