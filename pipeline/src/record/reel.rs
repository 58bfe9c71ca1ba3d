//! What the film gives and the clip thread takes: the pictures of one clip after another of one
//! camera, in order, with what is to be drawn on them.

use std::sync::Arc;

use domain::{CameraId, CaptureTime, Heatmap, PartId, RectPx, SizePx, WallTime};
use store::{ClipClass, ClipPart};

/// One picture of the film: I420 with rows packed, BT.709, limited range; sides are even.
pub struct FilmPicture {
    /// Width and height.
    pub size: SizePx,
    /// Y, then U, then V. Memory of the film's own, which takes it back when this is dropped.
    pub bytes: FilmBytes,
    /// When it was exposed.
    pub at: CaptureTime,
    /// The camera's running number of the frame.
    pub sequence: u64,
}

/// Memory out of a fixed stock, given back when it is dropped.
pub struct FilmBytes {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where they go back to; nobody when absent.
    pub back: Option<crossbeam_channel::Sender<Vec<u8>>>,
}

impl Drop for FilmBytes {
    fn drop(&mut self) {
        if let Some(back) = &self.back {
            // A stock that is gone needs nothing back.
            let _ = back.try_send(std::mem::take(&mut self.bytes));
        }
    }
}

/// What is to be said of a part on the pictures of a clip.
#[derive(Clone, Debug)]
pub struct Note {
    /// The part, as the record knows it.
    pub part: ClipPart,
    /// Name of the recipe.
    pub recipe: Arc<str>,
    /// `REJECT`, `UNDECIDED`.
    pub headline: String,
    /// Why, a line each, most important first.
    pub reasons: Vec<String>,
    /// Its highest score.
    pub score: f32,
    /// The part in the deciding frame, in the camera's pixels.
    pub box_in_frame: RectPx,
    /// How it moves in the picture, pixels of the camera a second; `None` when that is not known.
    pub velocity_px_per_s: Option<(f32, f32)>,
    /// Everything found on it.
    pub marks: Vec<Mark>,
    /// Where it looked defective.
    pub heatmap: Option<Heatmap>,
    /// Size of the camera's picture, which the boxes are in.
    pub frame_size: SizePx,
}

/// One defect, to be drawn.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The model's label.
    pub kind: Arc<str>,
    /// How sure the model is.
    pub score: f32,
    /// Where it is in the deciding frame, in the camera's pixels.
    pub box_in_frame: RectPx,
    /// Whether it is at or above the recipe's limit.
    pub is_reason: bool,
}

/// What comes out of the film, for one camera. `Begin`, one or more `Picture`s, `End`, and so on:
/// clips never overlap in time.
pub enum Reel {
    /// A clip begins with the next picture.
    Begin {
        /// The camera.
        camera: CameraId,
        /// Whether the wall clock can be trusted.
        clock_is_synced: bool,
    },
    /// The next picture of the clip, and the parts whose time it falls into, newest last.
    Picture(FilmPicture, Vec<Arc<Note>>),
    /// The clip is over.
    End {
        /// Why it is kept.
        class: ClipClass,
        /// Every part it was cut for.
        notes: Vec<Arc<Note>>,
        /// Pictures that should be in it and are not.
        pictures_missing: u64,
    },
}

/// What is said of the station on every picture and in every sidecar.
#[derive(Clone, Debug)]
pub struct Imprint {
    /// The station's name.
    pub station: Arc<str>,
    /// Name and version of this software.
    pub software: Arc<str>,
}

/// A clip that was accepted by the store.
#[derive(Clone, Debug)]
pub struct ClipDone {
    /// The camera.
    pub camera: CameraId,
    /// When it starts.
    pub started: WallTime,
    /// The parts it was cut for.
    pub parts: Vec<PartId>,
    /// Size of its file.
    pub bytes: u64,
}
