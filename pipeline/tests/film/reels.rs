//! Notes, pictures, and what came out of a reel, checked as it comes.

use std::sync::Arc;
use std::time::Duration;

use domain::{CaptureTime, MonoTime, PartId, RectPx, SizePx, WallTime};
use sightline_pipeline::record::reel::{FilmBytes, FilmPicture, Note, Reel};
use store::{ClipClass, ClipPart, VerdictWord};

pub const MS: u64 = 1_000_000;

pub fn at(ms: u64) -> CaptureTime {
    let wall = WallTime::default().plus(Duration::from_millis(ms));
    CaptureTime { mono: MonoTime::from_ns(ms * MS), wall }
}

pub fn note(part: u64, ms: u64) -> Arc<Note> {
    let verdict = if part.is_multiple_of(3) { VerdictWord::Reject } else { VerdictWord::Undecided };
    Arc::new(Note {
        part: ClipPart { part: PartId(part), verdict, at: at(ms), picture: None },
        recipe: "r".into(),
        headline: "REJECT".into(),
        reasons: Vec::new(),
        score: 0.9,
        box_in_frame: RectPx::new(1, 1, 2, 2),
        velocity_px_per_s: None,
        marks: Vec::new(),
        heatmap: None,
        frame_size: SizePx::new(8, 8),
    })
}

pub fn picture(ms: u64) -> FilmPicture {
    let bytes = FilmBytes { bytes: Vec::new(), back: None };
    FilmPicture { size: SizePx::new(8, 8), bytes, at: at(ms), sequence: ms }
}

/// A clip, as whoever takes the reel has it.
#[derive(Debug, Default, PartialEq)]
pub struct Clip {
    /// Milliseconds of each picture.
    pub pictures: Vec<u64>,
    /// Parts drawn on each.
    pub drawn: Vec<Vec<u64>>,
    /// Part, its time and the picture that shows it.
    pub parts: Vec<(u64, u64, Option<u64>)>,
    pub missing: u64,
    pub class: Option<ClipClass>,
}

/// Takes a reel; fails where it is not as it must be.
#[derive(Default)]
pub struct Projector {
    pub clips: Vec<Clip>,
    open: Option<Clip>,
}

impl Projector {
    pub fn take(&mut self, reel: Reel) {
        match reel {
            Reel::Begin { .. } => {
                assert!(self.open.is_none(), "a clip begins within another");
                self.open = Some(Clip::default());
            }
            Reel::Picture(picture, notes) => {
                let last = self.clips.last().and_then(|clip| clip.pictures.last()).copied();
                let clip = self.open.as_mut().expect("a picture of no clip");
                let ms = picture.at.mono.ns / MS;
                let before = clip.pictures.last().copied().or(last);
                assert!(before.is_none_or(|before| before < ms), "{before:?} before {ms}");
                assert!(!notes.is_empty(), "for whom is {ms}?");
                assert!(notes.is_sorted_by_key(|note| note.part.at.mono));
                clip.pictures.push(ms);
                clip.drawn.push(notes.iter().map(|note| note.part.part.0).collect());
            }
            Reel::End { class, notes, pictures_missing } => {
                let mut clip = self.open.take().expect("the end of no clip");
                assert!(!clip.pictures.is_empty(), "a clip without a picture");
                let part = |note: &Arc<Note>| {
                    let part = &note.part;
                    (part.part.0, part.at.mono.ns / MS, part.picture)
                };
                clip.parts = notes.iter().map(part).collect();
                (clip.missing, clip.class) = (pictures_missing, Some(class));
                self.clips.push(clip);
            }
        }
    }

    /// The clips, all of which have ended.
    pub fn end(self) -> Vec<Clip> {
        assert!(self.open.is_none(), "the last clip has no end");
        self.clips
    }
}
