//! Takes recipe files; gives them armed, with a session for each inspecting thread. Nothing is
//! armed that does not reproduce its golden samples.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::Result;
use domain::Event;
use jiff::Timestamp;
use models::Trust;
use pipeline::line::Armed;

use super::look::RecipeInForce;
use crate::config::{self, Calibrated, RecipeFile, Station};

/// A recipe, ready to inspect, and what is said of it.
pub struct Ready {
    /// What the line inspects with.
    pub armed: Arc<Armed>,
    /// What is said of it.
    pub facts: RecipeInForce,
    /// What somebody has to look after while it is in force.
    pub alarm: Option<Event>,
}

impl Ready {
    /// Arms `recipe` for so many inspecting threads, if `trust` allows its model and the
    /// calibration of `cameras` holds.
    pub fn arm(
        recipe: &RecipeFile,
        inspectors: Option<usize>,
        trust: &Trust,
        cameras: &[Calibrated],
    ) -> Result<Self> {
        let armed = config::arm(&recipe.file, trust)?;
        let alarm = armed.alarm();
        let config::Armed { recipe: checked, model } = armed;
        let facts = RecipeInForce {
            number: recipe.number,
            name: checked.as_written().name.clone(),
            sha256: checked.hash(),
            model_sha256: model.hash(),
            budget_ms: checked.as_written().gate.budget_ms,
        };
        let cores = available_parallelism().map_or(1, NonZero::get);
        let calibrations =
            config::calibrations(&recipe.file, &checked, cameras, Some(Timestamp::now()))?;
        let inspectors = inspectors.unwrap_or(cores);
        let armed = Arc::new(Armed::new(checked, model, calibrations, inspectors)?);
        Ok(Self { armed, facts, alarm })
    }
}

/// The cameras of `station` with their profiles.
pub fn calibrated(station: &Station) -> Vec<Calibrated> {
    station.cameras.iter().map(config::Camera::calibrated).collect()
}

/// Arms every recipe of `station` once, so that what is wrong with one shows now and not at a
/// change at night. Gives the first.
pub fn arm_all(station: &Station, stopped: &dyn Fn() -> bool) -> Result<Option<Ready>> {
    let mut first = None;
    for (index, recipe) in station.recipes.iter().enumerate() {
        if stopped() {
            return Ok(None);
        }
        let inspectors = if index == 0 { station.inspectors } else { Some(1) };
        let ready = Ready::arm(recipe, inspectors, &station.trust, &calibrated(station))
            .map_err(|error| station.blame(&format!("recipe.{index}.file"), error))?;
        let (number, name) = (recipe.number, &*ready.facts.name);
        tracing::info!(target: "run", number, name, file = %shown(&recipe.file), "recipe armed");
        first.get_or_insert(ready);
    }
    Ok(first)
}

fn shown(path: &Path) -> impl std::fmt::Display {
    path.display().to_string()
}
