//! The run around the inspections, as the report wants it. Takes what the line measured.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Provenance, Sha256, Tail};
use pipeline::capture::CaptureError;
use pipeline::line::LineSummary;

use crate::config::Armed;
use crate::report::{Facts, LatencyMs, Row};

/// Everything known of a replay that is over.
pub struct Run<'a> {
    /// The source, as the user named it.
    pub source: &'a str,
    /// Recipe and model.
    pub armed: &'a Armed,
    /// What the line says.
    pub summary: &'a LineSummary,
    /// How long it took.
    pub wall: Duration,
    /// Hash of the verdict log.
    pub verdict_log: Sha256,
    /// All inspections.
    pub rows: &'a [Row],
}

impl Run<'_> {
    /// The facts.
    pub fn facts(&self) -> Facts {
        let snapshot = &self.summary.snapshot;
        let recipe = &self.armed.recipe;
        Facts {
            source: self.source.to_owned(),
            recipe_name: recipe.as_written().name.clone(),
            triggered: snapshot.parts.triggered,
            frames: snapshot.frames,
            frames_dropped: snapshot.frames_dropped,
            footage_s: Some(snapshot.footage_s).filter(|s| *s > 0.0 && !self.one_file_a_frame()),
            wall_s: self.wall.as_secs_f64(),
            files: self.files(),
            latency: self.latency(),
            limits: Some(recipe.default_limits()),
            provenance: Provenance {
                recipe: recipe.hash(),
                model: Some(self.armed.model.hash()),
                calibration: None,
                software: crate::modes::software(),
                is_simulated: true,
            },
            verdict_log: self.verdict_log,
        }
    }

    fn one_file_a_frame(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.views).any(|view| view.origin.is_some())
    }

    /// The files that were offered: those inspected, and those that could not be read.
    fn files(&self) -> Option<Vec<String>> {
        let views = self.rows.iter().flat_map(|row| &row.views);
        let read = views.filter_map(|view| view.origin.as_deref().map(str::to_owned));
        let broken = self.summary.capture.iter().filter_map(CaptureError::image_name);
        self.one_file_a_frame().then(|| read.chain(broken).collect())
    }

    fn latency(&self) -> BTreeMap<String, LatencyMs> {
        let snapshot = &self.summary.snapshot;
        let stages = snapshot.stages.iter().map(|row| (row.stage.name(), row.took_ms));
        stages
            .chain([("decision", snapshot.decision_ms)])
            .filter(|(_, tail)| tail.count > 0)
            .map(|(name, tail)| (name.to_owned(), latency_ms(tail)))
            .collect()
    }
}

const fn latency_ms(tail: Tail) -> LatencyMs {
    LatencyMs { p50: tail.p50, p99: tail.p99, p999: tail.p999, max: tail.max }
}
