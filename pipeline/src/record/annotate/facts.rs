//! What a clip says to machines: the facts beside it, and the tags of its fragments.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{CameraId, CaptureTime, WallTime};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::VerdictWord;

use super::{Imprint, Note};

/// The most bytes of a tag's value that Kinesis Video Streams takes.
const TAG_VALUE_MAX: usize = 256;

/// What is told of a clip besides its parts.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The station.
    pub imprint: &'a Imprint,
    /// The camera.
    pub camera: &'a CameraId,
    /// When its first picture was exposed.
    pub started: CaptureTime,
    /// When its last was.
    pub ended: CaptureTime,
    /// Whether the wall clock could be trusted.
    pub clock_is_synced: bool,
    /// Pictures in it.
    pub pictures: u64,
    /// Pictures that should be in it and are not.
    pub pictures_missing: u64,
}

/// RFC 3339, in UTC; nothing for a time that no calendar has.
fn rfc3339(wall: WallTime) -> Option<String> {
    Timestamp::from_nanosecond(wall.unix_ns.into()).ok().map(|time| format!("{time:.6}"))
}

/// The facts of a clip: boxes in pixels of the camera, pictures from 0.
#[must_use]
pub fn facts(told: &Told<'_>, notes: &[Arc<Note>]) -> Value {
    json!({
        "station": told.imprint.station,
        "software": told.imprint.software,
        "camera": told.camera,
        "started": rfc3339(told.started.wall),
        "ended": rfc3339(told.ended.wall),
        "clock_is_synced": told.clock_is_synced,
        "pictures": told.pictures,
        "pictures_missing": told.pictures_missing,
        "parts": notes.iter().map(|note| part(note)).collect::<Vec<_>>(),
    })
}

fn part(note: &Note) -> Value {
    let marks = note.marks.iter().map(|mark| {
        json!({
            "class": mark.kind,
            "score": mark.score,
            "box_px": mark.box_in_frame,
            "is_reason": mark.is_reason,
        })
    });
    json!({
        "part": note.part.part,
        "verdict": note.part.verdict,
        "reasons": note.reasons,
        "score": note.score,
        "recipe": note.recipe,
        "at": rfc3339(note.part.at.wall),
        "deciding_picture": note.part.picture,
        "frame_size_px": note.frame_size,
        "box_px": (!note.box_in_frame.is_empty()).then_some(note.box_in_frame),
        "velocity_px_per_s": note.velocity_px_per_s,
        "defects": marks.collect::<Vec<_>>(),
    })
}

/// The tags of a fragment that shows `notes`: at most eight, as the service takes them.
#[must_use]
pub fn tags(imprint: &Imprint, camera: &CameraId, notes: &[Arc<Note>]) -> Vec<(String, String)> {
    let rejected = notes.iter().any(|note| note.part.verdict == VerdictWord::Reject);
    let verdict = if rejected { "reject" } else { "undecided" };
    let score = notes.iter().map(|note| note.score).fold(0.0, f32::max);
    let list = |of: &dyn Fn(&Note) -> Vec<String>| {
        let all: BTreeSet<String> = notes.iter().flat_map(|note| of(note)).collect();
        all.into_iter().collect::<Vec<_>>().join(",")
    };
    let kinds = |note: &Note| -> Vec<String> {
        let reasons = note.marks.iter().filter(|mark| mark.is_reason);
        reasons.map(|mark| mark.kind.to_string()).collect()
    };
    let mut tags = vec![
        ("station", imprint.station.to_string()),
        ("software", imprint.software.to_string()),
        ("camera", camera.to_string()),
    ];
    if !notes.is_empty() {
        tags.extend([
            ("verdict", verdict.to_owned()),
            ("parts", list(&|note| vec![note.part.part.to_string()])),
            ("recipe", list(&|note| vec![note.recipe.to_string()])),
            ("classes", list(&kinds)),
            ("score", format!("{score:.3}")),
        ]);
    }
    let fits = tags.into_iter().map(|(name, value)| (name.to_owned(), tag_value(&value)));
    fits.filter(|(_, value)| !value.is_empty()).collect()
}

/// Without control characters (a zero would end it), cut between two characters.
fn tag_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len().min(TAG_VALUE_MAX));
    for letter in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if value.len() + letter.len_utf8() > TAG_VALUE_MAX {
            break;
        }
        value.push(letter);
    }
    value
}
