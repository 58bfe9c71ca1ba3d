//! Why a clip is not encoded: who says so, and what would be right.

use domain::SizePx;
use thiserror::Error;

/// Why a clip is not encoded.
#[derive(Debug, Error)]
pub enum EncoderError {
    /// `[clips] encoder` names something else than an encoder.
    #[error("[clips] encoder = {name:?} is no encoder that is known: one of {known:?}, or none")]
    Unknown {
        /// What it names.
        name: String,
        /// What it may name.
        known: Vec<&'static str>,
    },
    /// `[clips] encoder` names an encoder that is not there.
    #[error("[clips] encoder = {name:?} is not installed; installed are {installed:?}")]
    NotThere {
        /// What it names.
        name: String,
        /// The encoders that are there.
        installed: Vec<&'static str>,
    },
    /// There is no encoder at all.
    #[error(
        "none of GStreamer's H.264 encoders {known:?} is installed: \
         gstreamer1.0-plugins-bad has one"
    )]
    None {
        /// What would do.
        known: Vec<&'static str>,
    },
    /// An element that is needed besides.
    #[error(
        "GStreamer's element {element} is not installed: gstreamer1.0-plugins-bad has h264parse"
    )]
    NotInstalled {
        /// The element.
        element: &'static str,
    },
    /// GStreamer itself.
    #[error("GStreamer does not start: {reason}")]
    Gst {
        /// What it says.
        reason: String,
    },
    /// A size that no encoder takes.
    #[error("pictures of {size}: even sides of 16 to 8192 pixels are right")]
    Size {
        /// The size.
        size: SizePx,
    },
    /// A picture unlike the others of its clip.
    #[error("picture {picture} is {got} with {bytes} bytes, the clip is {expected}")]
    Picture {
        /// Which, from 0.
        picture: u64,
        /// Its size.
        got: SizePx,
        /// Its length.
        bytes: usize,
        /// What the clip began with.
        expected: SizePx,
    },
    /// A picture that is not later than the one before it.
    #[error("a picture at {at_ms} ms of the clip follows one at {before_ms} ms: times must rise")]
    NotRising {
        /// Its time, milliseconds from the clip's start.
        at_ms: u64,
        /// Time of the one before it.
        before_ms: u64,
    },
    /// The pipeline failed.
    #[error("{element}: {reason}, after {pictures} pictures")]
    Pipeline {
        /// The element that complains.
        element: String,
        /// What it says.
        reason: String,
        /// Pictures given before.
        pictures: u64,
    },
    /// Nothing came out for a long time.
    #[error("{element} hangs: nothing for {after_ms} ms, after {pictures} pictures")]
    Hangs {
        /// The encoder.
        element: String,
        /// How long it was waited for, in milliseconds.
        after_ms: u64,
        /// Pictures given before.
        pictures: u64,
    },
    /// Encoders that hung before have not ended.
    #[error(
        "{hanging} encoders that hung have not ended: the driver or the machine needs a restart"
    )]
    StillHang {
        /// How many.
        hanging: usize,
    },
    /// A picture came out that was not awaited: B-frames, or times that are not what went in.
    #[error("{element} gave a picture at {at_ms} ms, which is not the next one: no order is kept")]
    Order {
        /// The encoder.
        element: String,
        /// The time it gave, milliseconds from the clip's start.
        at_ms: u64,
    },
    /// What a decoder must know changed on the way.
    #[error("{element} changed its parameter sets within a clip, or gave none")]
    Avcc {
        /// The encoder.
        element: String,
    },
}
