//! Which parts are to be seen in clips. Takes outcomes, at a moment when nothing waits; tells the
//! films of the cameras that saw the rejected and the undecided, without waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    ActedInspection, CameraId, CheckedRecipe, Heatmap, Inspection, RectPx, Sha256, SizePx, Verdict,
    ViewRecord,
};
use store::{ClipPart, VerdictWord};

use super::super::reel::{Mark, Note};
use crate::limits;
use crate::link::{LinkSender, Sent};
use crate::stage::Counters;

/// Names of the recipes that were in force, by hash.
#[derive(Clone, Default)]
pub struct Recipes(Arc<Mutex<BTreeMap<Sha256, Arc<str>>>>);

impl Recipes {
    /// `recipe` comes into force.
    pub fn add(&self, recipe: &CheckedRecipe) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.entry(recipe.hash()).or_insert_with(|| recipe.as_written().name.as_str().into());
    }

    fn name(&self, hash: &Sha256) -> Arc<str> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(hash).cloned().unwrap_or_else(|| hash.short().into())
    }
}

/// Tells the films.
pub struct Wants {
    /// The films, by camera.
    pub films: Vec<(CameraId, LinkSender<Arc<Note>>)>,
    /// What recipes are called.
    pub recipes: Recipes,
    /// The line's counters.
    pub counters: Arc<Counters>,
}

impl Wants {
    /// Wants `acted` on film if it was rejected or undecided: of every camera that saw it, or of
    /// all when none did, at the time it was triggered.
    pub fn tell(&self, acted: &ActedInspection) {
        let inspection = &acted.inspection;
        let Some((verdict, headline)) = said_of(&inspection.verdict) else { return };
        let recipe = self.recipes.name(&inspection.provenance.recipe);
        for (camera, film) in &self.films {
            let view = deciding_view(inspection, camera);
            if view.is_none() && !inspection.views.is_empty() {
                continue;
            }
            let note = note(inspection, view, verdict, headline, Arc::clone(&recipe));
            if let Ok(Sent::Dropped(_)) = film.send(Arc::new(note)) {
                self.counters.clips.want_dropped();
            }
        }
    }
}

const fn said_of(verdict: &Verdict) -> Option<(VerdictWord, &'static str)> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Reject { .. } => Some((VerdictWord::Reject, "REJECT")),
        Verdict::Undecided { .. } => Some((VerdictWord::Undecided, "UNDECIDED")),
    }
}

/// The view by which `camera` shows the part: that of the strongest reason, or its first.
fn deciding_view<'a>(
    inspection: &'a Inspection,
    camera: &CameraId,
) -> Option<(usize, &'a ViewRecord)> {
    let strongest = match &inspection.verdict {
        Verdict::Reject { reasons } => reasons.first().map(|reason| reason.view),
        _ => None,
    };
    let mut views = inspection.views.iter().enumerate();
    let of_camera: Vec<_> = views.by_ref().filter(|(_, view)| view.camera == *camera).collect();
    let is_strongest = |(index, _): &&(usize, &ViewRecord)| Some(*index) == strongest;
    of_camera.iter().find(is_strongest).or(of_camera.first()).copied()
}

fn note(
    inspection: &Inspection,
    view: Option<(usize, &ViewRecord)>,
    verdict: VerdictWord,
    headline: &str,
    recipe: Arc<str>,
) -> Note {
    let at = view.map_or(inspection.triggered_at, |(_, view)| view.at);
    let index = view.map(|(index, _)| index);
    let of_view = |of: usize| Some(of) == index;
    let frame = index.and_then(|index| inspection.pictures.get(index)).map(|view| &view.frame);
    let (reasons, reason_boxes) = reasons(&inspection.verdict, index);
    let marks = inspection.defects.iter().filter(|defect| of_view(defect.view));
    let mark = |defect: &domain::Defect| Mark {
        kind: Arc::clone(&defect.kind),
        score: defect.score.get(),
        box_in_frame: defect.box_in_frame,
        is_reason: reason_boxes.contains(&(Arc::clone(&defect.kind), defect.box_in_frame)),
    };
    let mut marks: Vec<Mark> = marks.map(mark).collect();
    // Those that decided first, so that they stay where there are too many.
    marks.sort_by(|a, b| b.is_reason.cmp(&a.is_reason).then(b.score.total_cmp(&a.score)));
    marks.truncate(limits::MARKS_A_NOTE);
    Note {
        part: ClipPart { part: inspection.part, verdict, at, picture: None },
        recipe,
        headline: headline.to_owned(),
        reasons,
        score: inspection.score,
        box_in_frame: view.map_or(RectPx::new(0, 0, 0, 0), |(_, view)| view.box_in_frame),
        velocity_px_per_s: inspection
            .motion
            .map(|motion| (motion.velocity_px_per_s.x, motion.velocity_px_per_s.y)),
        marks,
        heatmap: index.and_then(|index| inspection.heatmaps.get(index)?.as_ref()).map(coarse),
        // The film knows it where this does not.
        frame_size: frame.map_or(SizePx::new(0, 0), domain::Frame::size),
    }
}

/// A line each, and which defects in the view they are.
fn reasons(verdict: &Verdict, view: Option<usize>) -> (Vec<String>, Vec<(Arc<str>, RectPx)>) {
    match verdict {
        Verdict::Pass => (Vec::new(), Vec::new()),
        Verdict::Undecided { why } => {
            let boxes = match why {
                domain::Why::NearLimit { nearest } if Some(nearest.view) == view => {
                    vec![(Arc::clone(&nearest.kind), nearest.box_in_frame)]
                }
                _ => Vec::new(),
            };
            (vec![why.to_string()], boxes)
        }
        Verdict::Reject { reasons } => {
            let lines = reasons.iter().take(limits::MARKS_A_NOTE).map(ToString::to_string);
            let of_view = reasons.iter().filter(|reason| Some(reason.view) == view);
            let boxes = of_view.map(|reason| (Arc::clone(&reason.kind), reason.box_in_frame));
            (lines.collect(), boxes.collect())
        }
    }
}

/// The same with few cells, each the highest of those it stands for.
fn coarse(map: &Heatmap) -> Heatmap {
    let mut by = 1;
    let side = |of: u32, by: u32| of.div_ceil(by);
    while side(map.width, by) * side(map.height, by) > limits::HEAT_CELLS_MAX {
        by += 1;
    }
    let (width, height) = (side(map.width, by), side(map.height, by));
    let mut values = vec![0; width as usize * height as usize];
    for (y, row) in map.values.chunks_exact(map.width.max(1) as usize).enumerate() {
        for (x, value) in row.iter().enumerate() {
            let cell = (y / by as usize) * width as usize + x / by as usize;
            if let Some(cell) = values.get_mut(cell) {
                *cell = (*cell).max(*value);
            }
        }
    }
    Heatmap { width, height, values, covers: map.covers }
}
