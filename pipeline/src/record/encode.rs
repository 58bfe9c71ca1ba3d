//! A video file that is being written. Takes pictures one after another; gives a whole file under
//! its name, or an error and no file: what is unfinished is called `….partial`.

mod chain;
mod picture;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::{PixelFormat, Pixels, SizePx};
use gst::prelude::*;
use gst_app::AppSrc;
use thiserror::Error;

use chain::{CORE, chain, element};
use picture::Picture;

/// Pictures that may wait for the encoder.
const QUEUE_FRAMES: u64 = 4;

/// How long one look at the pipeline's messages takes while it is waited for.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// How many looks an encoder may make no progress for: a minute.
const LOOKS_MOST: u32 = 1200;

/// The shortest side that encoders take.
const SIDE_LEAST: u32 = 16;

/// How pictures are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// FFV1: every bit comes back. Bayer mosaics are stored as gray8, NV12 as I420, RGB as BGRx.
    Lossless,
    /// H.264 at constant quality, for people to look at; openh264enc, or x264enc without it.
    H264,
}

/// A file that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Pictures in it.
    pub frames: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why a video is not written.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The folder does not exist, or is not writable.
    #[error("cannot write {path:?}: {reason}")]
    Folder {
        /// The file that was to be written.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// A name that tells no container for this encoding.
    #[error("{path:?} must end in {right}")]
    Container {
        /// The file that was to be written.
        path: PathBuf,
        /// The endings that do.
        right: &'static str,
    },
    /// No encoder is installed.
    #[error("none of GStreamer's {elements:?} is installed: install the package {package}")]
    NotInstalled {
        /// The elements any of which would do.
        elements: &'static [&'static str],
        /// The Debian and Ubuntu package that brings one.
        package: &'static str,
    },
    /// A size or rate that no encoder takes.
    #[error("{path:?}: {size} at {fps} frames per second: sides of 16..=16384 and a rate above 0")]
    Shape {
        /// The file that was to be written.
        path: PathBuf,
        /// The pictures' size.
        size: SizePx,
        /// Frames per second.
        fps: f64,
    },
    /// A picture unlike the others.
    #[error("{path:?}: frame {frame} is {got}, not {expected}")]
    Picture {
        /// The file.
        path: PathBuf,
        /// Which picture, from 0.
        frame: u64,
        /// Format and size of the picture.
        got: String,
        /// Format and size of the video.
        expected: String,
    },
    /// There is no room left.
    #[error("{path:?}: no space left on the disk, after {frames} frames")]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Pictures taken before.
        frames: u64,
    },
    /// The pipeline failed.
    #[error("{path:?}: {element}: {reason}, after {frames} frames")]
    Pipeline {
        /// The file.
        path: PathBuf,
        /// The element that complains.
        element: String,
        /// What it says.
        reason: String,
        /// Pictures taken before.
        frames: u64,
    },
    /// Nothing came out of the pipeline for a long time.
    #[error("{path:?}: the encoder or the disk hangs, after {frames} frames")]
    Stalled {
        /// The file.
        path: PathBuf,
        /// Pictures taken before.
        frames: u64,
    },
    /// A video without a picture.
    #[error("{path:?}: not one frame was given")]
    NoFrames {
        /// The file.
        path: PathBuf,
    },
}

/// A video file that is being written. Dropped before [`VideoWriter::finish`], it leaves nothing.
pub struct VideoWriter {
    path: PathBuf,
    partial: PathBuf,
    pipeline: gst::Pipeline,
    source: AppSrc,
    bus: gst::Bus,
    picture: Picture,
    fps: gst::Fraction,
    pool: Option<gst::BufferPool>,
    frames: u64,
}

impl VideoWriter {
    /// Begins a video of pictures of one format and size, `fps` a second. Lossless goes into
    /// Matroska (`.mkv`), H.264 into `.mp4` or `.mkv`.
    ///
    /// # Errors
    /// When the folder cannot be written, the name has another ending, no encoder is installed, or
    /// no encoder takes such pictures.
    pub fn create(
        path: &Path,
        encoding: Encoding,
        format: PixelFormat,
        size: SizePx,
        fps: f64,
    ) -> Result<Self, EncodeError> {
        gst::init().map_err(|error| failed(path, "GStreamer", &error.to_string(), 0))?;
        let shape = || EncodeError::Shape { path: path.to_owned(), size, fps };
        let sides = [size.width, size.height];
        if sides.iter().any(|side| !(SIDE_LEAST..=16384).contains(side)) {
            return Err(shape());
        }
        let rate = fraction_from(fps).ok_or_else(shape)?;
        let chain = chain(path, encoding, format, size)?;
        let partial = partial_of(path);
        let source = AppSrc::builder().format(gst::Format::Time).build();
        let file = element(&["filesink"], CORE)?;
        file.set_property("location", &partial);
        let pipeline = gst::Pipeline::new();
        let all: Vec<&gst::Element> =
            [source.upcast_ref()].into_iter().chain(&chain).chain([&file]).collect();
        let linked = pipeline.add_many(&all).and_then(|()| gst::Element::link_many(&all));
        linked.map_err(|error| failed(path, "pipeline", &error.message, 0))?;
        let bus = pipeline.bus();
        let bus = bus.ok_or_else(|| failed(path, "pipeline", "it has no message bus", 0))?;
        // Tried here, where the reason is still the operating system's own.
        let folder = |reason| EncodeError::Folder { path: path.to_owned(), reason };
        File::create(&partial).map_err(folder)?;
        let picture = Picture { format, size, encoding };
        let path = path.to_owned();
        let writer = Self {
            path,
            partial,
            pipeline,
            source,
            bus,
            picture,
            fps: rate,
            pool: None,
            frames: 0,
        };
        if writer.pipeline.set_state(gst::State::Playing).is_err() {
            writer.check()?;
            return Err(failed(&writer.path, "pipeline", "it does not start", 0));
        }
        Ok(writer)
    }

    /// Adds a picture; waits while the encoder has enough to do.
    ///
    /// # Errors
    /// When the picture is unlike the others, or writing failed, perhaps for an earlier picture.
    pub fn push(&mut self, pixels: &dyn Pixels) -> Result<(), EncodeError> {
        let (format, size) = (pixels.format(), pixels.size());
        if (format, size) != (self.picture.format, self.picture.size) {
            return Err(EncodeError::Picture {
                path: self.path.clone(),
                frame: self.frames,
                got: format!("{format} {size}"),
                expected: format!("{} {}", self.picture.format, self.picture.size),
            });
        }
        self.wait_for_room()?;
        let mut buffer = self.buffer_for(pixels)?;
        let writable = buffer.get_mut().ok_or_else(|| self.fault("the buffer is shared"))?;
        writable.set_pts(self.time_of(self.frames));
        writable.set_duration(
            self.time_of(self.frames + 1).zip(self.time_of(self.frames)).map(|(b, a)| b - a),
        );
        let mut bytes = writable.map_writable().map_err(|error| self.fault(&error.message))?;
        self.picture.copy(pixels, &mut bytes);
        drop(bytes);
        if self.source.push_buffer(buffer).is_err() {
            self.check()?;
            return Err(self.fault("it takes no more frames"));
        }
        self.frames += 1;
        Ok(())
    }

    /// Ends the video, waits until all of it is on the disk, and gives it its name.
    ///
    /// # Errors
    /// When writing failed, perhaps for an earlier picture; there is then no file.
    pub fn finish(mut self) -> Result<Written, EncodeError> {
        if self.frames == 0 {
            return Err(EncodeError::NoFrames { path: self.path.clone() });
        }
        if self.source.end_of_stream().is_err() {
            self.check()?;
            return Err(self.fault("it cannot be ended"));
        }
        self.wait_for_end()?;
        self.stop();
        let folder = |reason| EncodeError::Folder { path: self.path.clone(), reason };
        let file = File::open(&self.partial).map_err(folder)?;
        file.sync_all().map_err(folder)?;
        let bytes = file.metadata().map_err(folder)?.len();
        fs::rename(&self.partial, &self.path).map_err(folder)?;
        Ok(Written { frames: self.frames, bytes })
    }

    /// When frame `index` begins, without the error that adding up periods would gather.
    fn time_of(&self, index: u64) -> Option<gst::ClockTime> {
        let numer = u64::try_from(self.fps.numer()).ok()?;
        let denom = u64::try_from(self.fps.denom()).ok()?;
        gst::ClockTime::SECOND.mul_div_round(index * denom, numer)
    }

    fn buffer_for(&mut self, pixels: &dyn Pixels) -> Result<gst::Buffer, EncodeError> {
        let pool = match &self.pool {
            Some(pool) => pool.clone(),
            // Only the first picture tells which matrix and range its colours have.
            None => {
                let caps = self.picture.caps(pixels.yuv(), self.fps);
                let caps = caps.ok_or_else(|| self.fault("the format has no caps"))?;
                self.source.set_caps(Some(&caps));
                let pool = pool_of(&caps, self.picture.bytes())
                    .map_err(|error| self.fault(&error.message))?;
                self.pool.insert(pool).clone()
            }
        };
        pool.acquire_buffer(None).map_err(|error| self.fault(&error.to_string()))
    }

    fn wait_for_room(&self) -> Result<(), EncodeError> {
        self.check()?;
        for _ in 0..LOOKS_MOST {
            if self.source.current_level_buffers() < QUEUE_FRAMES {
                return Ok(());
            }
            self.look(&[gst::MessageType::Error])?;
        }
        Err(EncodeError::Stalled { path: self.path.clone(), frames: self.frames })
    }

    /// Waits for the end of the file, for as long as the queue still gets shorter.
    fn wait_for_end(&self) -> Result<(), EncodeError> {
        let (mut looks, mut level) = (0, u64::MAX);
        while looks < LOOKS_MOST {
            if self.look(&[gst::MessageType::Error, gst::MessageType::Eos])? {
                return Ok(());
            }
            let now = self.source.current_level_buffers();
            looks = if now < level { 0 } else { looks + 1 };
            level = now;
        }
        Err(EncodeError::Stalled { path: self.path.clone(), frames: self.frames })
    }

    /// Waits a moment for a message; whether one came that is no error.
    fn look(&self, kinds: &[gst::MessageType]) -> Result<bool, EncodeError> {
        let message = self.bus.timed_pop_filtered(LOOK, kinds);
        message.map_or(Ok(false), |message| self.judge(&message).map(|()| true))
    }

    /// Looks for an error without waiting; other messages are of no use here.
    fn check(&self) -> Result<(), EncodeError> {
        while let Some(message) = self.bus.pop() {
            self.judge(&message)?;
        }
        Ok(())
    }

    fn judge(&self, message: &gst::Message) -> Result<(), EncodeError> {
        let gst::MessageView::Error(posted) = message.view() else { return Ok(()) };
        let error = posted.error();
        if error.kind::<gst::ResourceError>() == Some(gst::ResourceError::NoSpaceLeft) {
            return Err(EncodeError::DiskFull { path: self.path.clone(), frames: self.frames });
        }
        let element = message.src().map(|src| src.name().to_string()).unwrap_or_default();
        let debug = posted.debug().unwrap_or_default();
        let detail = debug.split_once('\n').map_or("", |(_, detail)| detail.trim());
        let reason = format!("{} {detail}", error.message());
        Err(failed(&self.path, &element, reason.trim_end(), self.frames))
    }

    fn fault(&self, reason: &str) -> EncodeError {
        failed(&self.path, "pipeline", reason, self.frames)
    }

    fn stop(&mut self) {
        if self.pipeline.set_state(gst::State::Null).is_err() {
            tracing::warn!(path = ?self.path, "the encoder does not stop cleanly");
        }
        if let Some(pool) = self.pool.take() {
            // The last buffer to come back frees it.
            let _ = pool.set_active(false);
        }
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        self.stop();
        // After `finish` there is none.
        let _ = fs::remove_file(&self.partial);
    }
}

fn failed(path: &Path, element: &str, reason: &str, frames: u64) -> EncodeError {
    EncodeError::Pipeline {
        path: path.to_owned(),
        element: element.to_owned(),
        reason: reason.to_owned(),
        frames,
    }
}

fn partial_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    name.into()
}

fn pool_of(caps: &gst::Caps, bytes: usize) -> Result<gst::BufferPool, gst::glib::BoolError> {
    let bytes = u32::try_from(bytes).map_err(|_| gst::glib::bool_error!("the frame is too big"))?;
    let pool = gst::BufferPool::new();
    let mut config = pool.config();
    config.set_params(Some(caps), bytes, 0, 0);
    pool.set_config(config)?;
    pool.set_active(true)?;
    Ok(pool)
}

/// The nearest rate that containers can hold, which count in fractions.
fn fraction_from(fps: f64) -> Option<gst::Fraction> {
    let fraction = gst::Fraction::approximate_f64(fps)?;
    (fraction.numer() > 0 && fraction.denom() > 0).then_some(fraction)
}
