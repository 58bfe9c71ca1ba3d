//! What a clip says. Takes a picture of the film and the parts it shows; gives the picture with
//! captions, boxes and heat drawn on it, the facts for machines, and the tags of a fragment.
//!
//! Only the clip's own picture is drawn on; stills stay clean. Names may be anything: what can't
//! be drawn is replaced, what is too long is cut.

mod canvas;
mod captions;
mod facts;

use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, Heatmap, RectPx};
use store::VerdictWord;

use super::reel::{FilmPicture, Imprint, Note};
use canvas::{AMBER, BLACK, Canvas, Colour, Place, RED, SKY, WHITE};
pub use facts::{Told, facts, tags};

/// How far from the deciding picture boxes are shown of a part whose motion is not known, and
/// heat of any: longer would be a guess.
const AROUND: Duration = Duration::from_millis(150);
/// Boxes that are named; more would hide the part.
const NAMED_MOST: usize = 6;

/// Draws on `picture` where it was taken, when, and what was said of the parts in `notes`: the one
/// nearest in time first. Colours are never alone: a reject has a cross, an undecided a triangle.
pub fn annotate(
    picture: &mut FilmPicture,
    notes: &[Arc<Note>],
    imprint: &Imprint,
    camera: &CameraId,
) {
    let Some(mut canvas) = Canvas::of(picture.size, &mut picture.bytes.bytes) else { return };
    let at = picture.at;
    for note in notes {
        let scene = Scene::of(note, at.mono.ns, &canvas);
        if let (Some(map), true) = (&note.heatmap, scene.is_near) {
            scene.heat(map, &mut canvas);
        }
    }
    for note in notes {
        Scene::of(note, at.mono.ns, &canvas).boxes(&mut canvas);
    }
    captions::top(&mut canvas, imprint, camera, at.wall);
    captions::bottom(&mut canvas, notes, at.mono);
}

/// The colour of a verdict.
fn colour_of(verdict: VerdictWord) -> Colour {
    match verdict {
        VerdictWord::Reject => RED,
        VerdictWord::Undecided => AMBER,
        VerdictWord::Pass => SKY,
    }
}

/// Where things of a part are in a picture exposed some time before or after it was decided.
struct Scene<'a> {
    note: &'a Note,
    scale: (f32, f32),
    /// How far the part has moved, in pixels of the camera.
    moved: (f32, f32),
    /// Whether it is known where things are.
    is_known: bool,
    is_near: bool,
}

impl<'a> Scene<'a> {
    #[expect(clippy::cast_precision_loss, reason = "pixels, and seconds to draw with")]
    fn of(note: &'a Note, at_ns: u64, canvas: &Canvas<'_>) -> Self {
        let decided_ns = note.part.at.mono.ns;
        let off = at_ns.abs_diff(decided_ns);
        let seconds = off as f32 / 1e9 * if at_ns < decided_ns { -1.0 } else { 1.0 };
        let moved = note.velocity_px_per_s.map(|(x, y)| (x * seconds, y * seconds));
        let is_near = u128::from(off) <= AROUND.as_nanos();
        let frame = note.frame_size;
        let scale = |film: usize, frame: u32| film as f32 / frame.max(1) as f32;
        Self {
            note,
            scale: (scale(canvas.width, frame.width), scale(canvas.height, frame.height)),
            moved: moved.unwrap_or_default(),
            is_known: frame.area() > 0 && (moved.is_some() || is_near),
            is_near,
        }
    }

    /// Where `rect` of the camera's frame is on the film; `None` when it is not in the picture.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "pixels; what is out of the picture saturates"
    )]
    fn place(&self, rect: &RectPx) -> Option<Place> {
        if rect.is_empty() || !self.is_known {
            return None;
        }
        let (x, y) = (rect.x as f32 + self.moved.0, rect.y as f32 + self.moved.1);
        let (width, height) = (rect.width as f32, rect.height as f32);
        let inside = |middle: f32, whole: u32| (0.0..whole as f32).contains(&middle);
        let frame = self.note.frame_size;
        if !inside(x + width / 2.0, frame.width) || !inside(y + height / 2.0, frame.height) {
            return None;
        }
        let on = |value: f32, scale: f32| (value * scale).round() as i32;
        Some(Place {
            left: on(x, self.scale.0),
            top: on(y, self.scale.1),
            right: on(x + width, self.scale.0),
            bottom: on(y + height, self.scale.1),
        })
    }

    fn boxes(&self, canvas: &mut Canvas<'_>) {
        let thick = canvas.unit();
        if let Some(place) = self.place(&self.note.box_in_frame) {
            let colour = colour_of(self.note.part.verdict);
            canvas.outline(place.grown(2 * thick), thick, BLACK);
            canvas.outline(place.grown(thick), thick, colour);
            canvas.label(place.grown(2 * thick), &self.note.part.part.to_string(), colour, false);
        }
        for (index, mark) in self.note.marks.iter().enumerate() {
            let Some(place) = self.place(&mark.box_in_frame) else { continue };
            let place = place.grown(thick);
            let (colour, thick) = if mark.is_reason { (RED, 2 * thick) } else { (SKY, thick) };
            canvas.outline(place.grown(1), thick + 1, BLACK);
            canvas.outline(place, thick, colour);
            if index < NAMED_MOST {
                canvas.label(place, &format!("{} {:.2}", mark.kind, mark.score), colour, true);
            }
        }
    }

    fn heat(&self, map: &Heatmap, canvas: &mut Canvas<'_>) {
        let fits = map.values.len() as u64 == u64::from(map.width) * u64::from(map.height);
        if let (Some(place), true) = (self.place(&map.covers), fits && !map.values.is_empty()) {
            canvas.heat(place, map);
        }
    }
}

/// The note nearest in time to `at`, by which the captions begin.
fn nearest(notes: &[Arc<Note>], at: domain::MonoTime) -> Option<usize> {
    let off = |note: &Note| note.part.at.mono.ns.abs_diff(at.ns);
    (0..notes.len()).min_by_key(|index| off(&notes[*index]))
}

/// Text of this colour can be read on it.
const fn ink_on(colour: Colour) -> Colour {
    if colour.luma > 100 { BLACK } else { WHITE }
}
