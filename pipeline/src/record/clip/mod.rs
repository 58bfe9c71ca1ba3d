//! The thread that makes clips of one camera: takes a reel; gives annotated H.264 in Matroska, on
//! disk and accepted by the store. Low priority: it may be slow, the line may not.

pub mod encoder;
mod maker;
pub mod matroska;
pub mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use domain::{CameraId, CaptureTime};
use serde::Deserialize;
use store::{Budget, ClipClass};
use thiserror::Error;

use super::reel::{ClipDone, FilmPicture, Imprint, Note};
pub use maker::run;
use matroska::Tag;

/// How clips are compressed: `[clips]` of the station file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipConfig {
    /// The encoder's GStreamer element; the best that is installed when absent.
    pub encoder: Option<String>,
    /// Bits a second of video, in thousands.
    pub kbit_per_s: u32,
    /// A fragment, which begins with a key frame, lasts at most so long, in milliseconds.
    pub fragment_ms: u32,
    /// What all clips may take on disk, in MiB.
    pub disk_mib: u64,
    /// The operator is told when clips that are not persisted take this share of it, in per cent.
    pub alarm_percent: u8,
    /// Takes the wall clock for right though nothing says that a time server sets it: a station
    /// whose clock is set by other means. Otherwise its clips are held.
    pub trust_clock: bool,
}

impl Default for ClipConfig {
    fn default() -> Self {
        Self {
            encoder: None,
            kbit_per_s: 2500,
            fragment_ms: 2000,
            disk_mib: 20 * 1024,
            alarm_percent: 70,
            trust_clock: false,
        }
    }
}

/// A value of `[clips]` that does not do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("[clips] {key} = {value}: {right} is right")]
pub struct ClipConfigError {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub value: u64,
    /// What would do.
    pub right: &'static str,
}

impl ClipConfig {
    /// Whether all values do: a fragment stays within what the service takes.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self) -> Result<(), ClipConfigError> {
        let values = [
            ("kbit_per_s", u64::from(self.kbit_per_s), 100..=20_000, "100 to 20000"),
            ("fragment_ms", self.fragment_ms.into(), 1000..=10_000, "1000 to 10000"),
            ("disk_mib", self.disk_mib, 64..=u64::MAX >> 20, "64 or more"),
            ("alarm_percent", self.alarm_percent.into(), 1..=100, "1 to 100"),
        ];
        for (key, value, range, right) in values {
            if !range.contains(&value) {
                return Err(ClipConfigError { key, value, right });
            }
        }
        Ok(())
    }

    /// The room that clips may take.
    #[must_use]
    pub fn budget(&self) -> Budget {
        let bytes_max = self.disk_mib.saturating_mul(1 << 20);
        Budget { bytes_max, alarm_bytes: bytes_max / 100 * u64::from(self.alarm_percent) }
    }
}

/// Draws notes on a picture that they belong to.
pub type Draw = Arc<dyn Fn(&mut FilmPicture, &[Arc<Note>]) + Send + Sync>;
/// What is said of a fragment that shows the parts of these notes: no more than the service takes.
pub type TagsOf = Arc<dyn Fn(&[Arc<Note>]) -> Vec<Tag> + Send + Sync>;
/// What is written beside a clip.
pub type FactsOf = Arc<dyn Fn(&ClipFacts<'_>) -> serde_json::Value + Send + Sync>;

/// What is known of a clip when it is over.
#[derive(Clone, Copy, Debug)]
pub struct ClipFacts<'a> {
    /// The camera.
    pub camera: &'a CameraId,
    /// When its first picture was exposed.
    pub started: CaptureTime,
    /// When its last picture was exposed.
    pub ended: CaptureTime,
    /// Whether the wall clock could be trusted when it began.
    pub clock_is_synced: bool,
    /// Why it is kept.
    pub class: ClipClass,
    /// What is to be said of its parts.
    pub notes: &'a [Arc<Note>],
    /// Pictures in it.
    pub pictures: u64,
    /// Pictures that should be in it and are not.
    pub pictures_missing: u64,
    /// The element that compressed it.
    pub encoder: &'a str,
}

/// What the clips of one camera are made with.
pub struct ClipSetup {
    /// The camera.
    pub camera: CameraId,
    /// How they are compressed.
    pub config: ClipConfig,
    /// Pictures a second of the film.
    pub fps: u32,
    /// What is said of the station.
    pub imprint: Imprint,
    /// Draws the notes.
    pub draw: Draw,
    /// Says them to machines that read the stream.
    pub tags: TagsOf,
    /// Says them to machines that read the sidecar.
    pub facts: FactsOf,
    /// Is told of each clip that the store has accepted.
    pub accepted: Arc<dyn Fn(ClipDone) + Send + Sync>,
    /// Whether it was told that there is little room; one for all cameras.
    pub nearly_full: Arc<AtomicBool>,
    /// What clips that are being written may take on disk, in bytes; one for all cameras.
    pub writing: Arc<AtomicU64>,
}
