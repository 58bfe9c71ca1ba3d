//! The thread that makes clips of one camera: takes a reel; gives annotated H.264 in Matroska, on
//! disk and accepted by the store. Low priority: it may be slow, the line may not.

use serde::Deserialize;

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
}

impl Default for ClipConfig {
    fn default() -> Self {
        Self {
            encoder: None,
            kbit_per_s: 2500,
            fragment_ms: 2000,
            disk_mib: 20 * 1024,
            alarm_percent: 70,
        }
    }
}
