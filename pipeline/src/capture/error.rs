//! What can be wrong with a source. Takes nothing; gives one variant for each thing that an
//! operator would do something else about, with the evidence and what would be right.

use std::path::PathBuf;

use domain::{CameraId, PixelFormat, SizePx};
use thiserror::Error;

/// A source that cannot be opened, or that stopped giving frames before its end.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// Nothing has that name.
    #[error(
        "{path:?} does not exist: give a video, a folder of images, or a pattern like parts/*.png"
    )]
    Missing {
        /// What was asked for.
        path: PathBuf,
    },
    /// A folder where a video was expected.
    #[error("{path:?} is a folder, not a video: give the video's name, or use a source of images")]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A pipe, socket or device.
    #[error("{path:?} is a pipe, socket or device, not a file: copy it to a file first")]
    NotAFile {
        /// What it is called.
        path: PathBuf,
    },
    /// The operating system refuses to read it.
    #[error("{path:?} cannot be read: {reason}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// A file of no bytes.
    #[error("{path:?} is empty (0 bytes): record or copy it again")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Readable text under a video's name.
    #[error("{path:?} is a text file, not a video; it begins with {begins:?}")]
    IsText {
        /// The file.
        path: PathBuf,
        /// Its first words.
        begins: String,
    },
    /// Bytes that no demuxer knows.
    #[error("{path:?} is not a video in any known format (MP4, Matroska, AVI and MPEG-TS are)")]
    NotMedia {
        /// The file.
        path: PathBuf,
    },
    /// A container without a video stream.
    #[error("{path:?} has no video stream, only {streams}")]
    NoVideo {
        /// The file.
        path: PathBuf,
        /// What it has instead.
        streams: String,
    },
    /// Nothing installed can decode it.
    #[error("{path:?} needs the {codec}, which is missing: install the package {package}")]
    CodecMissing {
        /// The file.
        path: PathBuf,
        /// What GStreamer calls the codec.
        codec: String,
        /// The Debian and Ubuntu package that brings it.
        package: &'static str,
    },
    /// A container whose table of contents is missing or broken, so that nothing can be played.
    #[error("{path:?} is incomplete and cannot be played ({reason}): record or copy it again")]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// What the demuxer says.
        reason: String,
    },
    /// A file that ends before its own table of contents says; every frame it had was given.
    #[error(
        "{path:?} is cut off: {frames} frames, {got_s:.2} s of {expected_s:.2} s; copy it again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How many frames were given.
        frames: u64,
        /// How long the container says it is, in seconds.
        expected_s: f64,
        /// How long it was, in seconds.
        got_s: f64,
    },
    /// A frame that could not be decoded; every frame before it was given.
    #[error("{what}: frame {frame} cannot be decoded ({reason}): the recording is damaged")]
    Decode {
        /// The source.
        what: String,
        /// The sequence number the frame would have had.
        frame: u64,
        /// What the decoder says.
        reason: String,
    },
    /// A video stream that holds nothing.
    #[error("{what} has a video stream without a single frame")]
    NoFrames {
        /// The source.
        what: String,
    },
    /// Frames of another size or format than before.
    #[error("{what}: frame {frame} is {to}, those before it {from}: all must be alike")]
    Changed {
        /// The source.
        what: String,
        /// The first frame that differs.
        frame: u64,
        /// Format and size before.
        from: String,
        /// Format and size now.
        to: String,
    },
    /// A picture that this program cannot read where it lies.
    #[error("{what} gives {got}; it must be one of {}", super::mapped::KNOWN)]
    Format {
        /// The source.
        what: String,
        /// What it gives, in GStreamer's words.
        got: String,
    },
    /// A configured pixel format that the footage contradicts.
    #[error("{what} holds {stream}, not {wanted}: only gray8 footage can carry another format")]
    FormatNot {
        /// The source.
        what: String,
        /// What the footage holds.
        stream: PixelFormat,
        /// What the configuration says.
        wanted: PixelFormat,
    },
    /// No frame for a long time from something that should have one at once.
    #[error("{what}: no frame {frame} within {waited_s} s; the file or its disk hangs")]
    Stalled {
        /// The source.
        what: String,
        /// The frame that was waited for.
        frame: u64,
        /// How long, in seconds.
        waited_s: u64,
    },
    /// GStreamer's own complaint, where no better name is known.
    #[error("{what}: {element}: {reason}")]
    Pipeline {
        /// The source.
        what: String,
        /// The element that complains.
        element: String,
        /// What it says.
        reason: String,
    },
    /// A configured pipeline that GStreamer cannot build.
    #[error("pipeline {pipeline:?}: {reason}")]
    BadPipeline {
        /// As configured.
        pipeline: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An element that is not installed.
    #[error("GStreamer's element {element} is missing: install the package {package}")]
    ElementMissing {
        /// The element.
        element: &'static str,
        /// The Debian and Ubuntu package that brings it.
        package: &'static str,
    },
    /// GStreamer does not start.
    #[error("GStreamer does not start: {0}")]
    NoGStreamer(String),
    /// A folder or pattern without images.
    #[error("{path:?} holds no images (names ending in {})", super::images::ENDINGS.join(", "))]
    NoImages {
        /// The folder or pattern.
        path: PathBuf,
    },
    /// An image that cannot be decoded.
    #[error("image {path:?}: {reason}")]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// An image that says it is absurdly large.
    #[error("image {path:?} says it is {size}, more than 268 million pixels")]
    ImageTooLarge {
        /// The file.
        path: PathBuf,
        /// What its header says.
        size: SizePx,
    },
    /// A frame rate that is no frame rate.
    #[error("fps = {fps}: frames per second must be above 0 and at most 100000")]
    Fps {
        /// As configured.
        fps: f64,
    },
    /// A word on the command line that names no source.
    #[error("{argument:?}: {reason}")]
    Argument {
        /// As given.
        argument: String,
        /// What would be right.
        reason: String,
    },
    /// A setting of a camera that cannot be.
    #[error("{key} = {value}: it must be {right}")]
    Setting {
        /// Which.
        key: &'static str,
        /// As configured.
        value: String,
        /// What would be right.
        right: String,
    },
    /// Footage where a camera is needed.
    #[error("a source of kind {kind} is footage, not a camera: replay it")]
    NotLive {
        /// Its kind, as configured.
        kind: &'static str,
    },
    /// No camera of that name.
    #[error("camera {device:?} does not exist; cameras here: {present}")]
    DeviceMissing {
        /// As configured.
        device: PathBuf,
        /// What there is instead.
        present: String,
    },
    /// A file or folder where a camera's device was expected.
    #[error("{device:?} is no camera's device; cameras here: {present}")]
    NotADevice {
        /// As configured.
        device: PathBuf,
        /// What there is instead.
        present: String,
    },
    /// The operating system refuses to open the camera.
    #[error("camera {device:?} cannot be opened: {reason}; users of group video may")]
    DeviceRefused {
        /// As configured.
        device: PathBuf,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// Another program has the camera.
    #[error("camera {device:?} is in use by another program: end that first")]
    DeviceBusy {
        /// As configured.
        device: PathBuf,
    },
    /// A camera that cannot give what is asked of it.
    #[error("camera {device:?} does not give {wanted}; it offers {offers} ({reason})")]
    DeviceOffers {
        /// As configured.
        device: PathBuf,
        /// Size, format and rate that were asked for.
        wanted: String,
        /// What it offers.
        offers: String,
        /// What it says.
        reason: String,
    },
    /// No frame from a camera that gave some, or should have.
    #[error("camera {camera}: no frame for {waited_ms} ms")]
    Silent {
        /// The camera.
        camera: CameraId,
        /// How long, in milliseconds.
        waited_ms: u64,
    },
    /// A camera whose stream ended.
    #[error("camera {camera}: its stream ended")]
    Ended {
        /// The camera.
        camera: CameraId,
    },
    /// A camera that gives another picture than it should.
    #[error("camera {camera} gives {got} where {wanted} is expected: set it back, or restart")]
    Unexpected {
        /// The camera.
        camera: CameraId,
        /// Format and size that came.
        got: String,
        /// Format and size that are configured, or that came first.
        wanted: String,
    },
    /// A camera that does not answer when it is opened.
    #[error("camera {camera}: it does not answer; opening it takes longer than {waited_s} s")]
    OpenHangs {
        /// The camera.
        camera: CameraId,
        /// How long, in seconds.
        waited_s: u64,
    },
    /// A defect in this software or in a driver, of which the line survived.
    #[error("camera {camera}: its source panicked: {message}")]
    Panicked {
        /// The camera.
        camera: CameraId,
        /// What it said.
        message: String,
    },
    /// A simulated camera whose frames do not fit into memory.
    #[error(
        "{frames} frames of the scene take {mib} MiB, more than {most_mib}: fewer parts, a smaller \
         size or gray8 take less"
    )]
    SceneTooLarge {
        /// How many.
        frames: u64,
        /// What they take.
        mib: u64,
        /// What they may take.
        most_mib: u64,
    },
    /// A synthetic scene that cannot be made.
    #[error("synthetic {0}")]
    Scene(#[from] super::synthetic::SceneError),
    /// A GigE Vision or USB3 Vision camera.
    #[error(transparent)]
    Genicam(#[from] super::genicam::GenicamError),
    /// A thread that the operating system does not grant, or that died.
    #[error("the source's threads: {0}")]
    Threads(std::io::Error),
}

impl CaptureError {
    /// The file that could not be read, by its name in its folder, where it is one of several.
    #[must_use]
    pub fn image_name(&self) -> Option<String> {
        let (Self::Image { path, .. }
        | Self::ImageTooLarge { path, .. }
        | Self::Empty { path }
        | Self::Missing { path }
        | Self::NotAFile { path }
        | Self::Unreadable { path, .. }) = self
        else {
            return None;
        };
        Some(path.file_name()?.to_string_lossy().into_owned())
    }
}
