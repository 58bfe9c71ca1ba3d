//! The film: the last seconds of a camera, small, in memory of a fixed size. Takes some of the
//! camera's frames and what became of its parts; gives the pictures around the parts that were
//! rejected or undecided.

use serde::Deserialize;

/// How a line is filmed: `[film]` of the station file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilmConfig {
    /// The longer side of its pictures, in pixels; never more than the camera's.
    pub longer_side_px: u32,
    /// Pictures a second; never more than the camera's.
    pub fps: u32,
    /// How long before a part a clip begins, in milliseconds.
    pub before_ms: u32,
    /// How long after a part it ends.
    pub after_ms: u32,
    /// The longest a clip may be, in milliseconds; what follows begins the next one.
    pub clip_max_ms: u32,
    /// Memory for the film of one camera, in MiB.
    pub memory_mib: u32,
}

impl Default for FilmConfig {
    fn default() -> Self {
        Self {
            longer_side_px: 1280,
            fps: 30,
            before_ms: 1000,
            after_ms: 1000,
            clip_max_ms: 20_000,
            memory_mib: 256,
        }
    }
}
