//! A video file that is being written. Takes pictures one after another; gives a whole file under
//! its name, or an error and no file: what is unfinished is called `….partial`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use domain::{PixelFormat, Pixels, SizePx, YuvMatrix, YuvRange};
use gst::prelude::*;
use gst_app::AppSrc;
use thiserror::Error;

/// Pictures that may wait for the encoder.
const QUEUE_FRAMES: u64 = 4;

/// How long one look at the pipeline's messages takes while it is waited for.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// How many looks an encoder may make no progress for: a minute.
const LOOKS_MOST: u32 = 1200;

/// The shortest side that encoders take.
const SIDE_LEAST: u32 = 16;

/// Constant quality for H.264: fine detail stays visible, a minute of 1080p takes some 50 MB.
const H264_QUANTIZER: u32 = 24;

/// Nanoseconds a tick of Matroska's clock; its usual millisecond would shake frame times.
const MATROSKA_TICK_NS: i64 = 1_000;

/// The Debian and Ubuntu packages that bring the elements.
const CORE: &str = "libgstreamer1.0-0";
const BASE: &str = "gstreamer1.0-plugins-base";
const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";
const LIBAV: &str = "gstreamer1.0-libav";

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
        let folder = |reason| EncodeError::Folder { path: path.to_owned(), reason };
        File::create(&partial).map_err(folder)?;
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
        Err(failed(&self.path, &element, error.message(), self.frames))
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

/// How pictures lie in the buffers that go into the pipeline.
struct Picture {
    format: PixelFormat,
    size: SizePx,
    encoding: Encoding,
}

impl Picture {
    /// H.264 takes even sides only; half the encoders would cut an odd one in silence.
    fn padded(&self) -> SizePx {
        let SizePx { width, height } = self.size;
        match self.encoding {
            Encoding::Lossless => self.size,
            Encoding::H264 => SizePx::new(width.next_multiple_of(2), height.next_multiple_of(2)),
        }
    }

    /// The format in the buffers: mosaics go into lossless files as gray, deep gray into H.264
    /// with the eight bits that it holds.
    fn laid_as(&self) -> PixelFormat {
        match (self.encoding, self.format) {
            (Encoding::Lossless, format) if format.is_bayer() => PixelFormat::Gray8,
            (Encoding::H264, PixelFormat::Gray16Le) => PixelFormat::Gray8,
            (_, format) => format,
        }
    }

    /// Rows begin at multiples of four bytes, as GStreamer has it where nothing else is said.
    fn strides(&self) -> Vec<(usize, usize)> {
        let planes = self.laid_as().planes(self.padded());
        planes.into_iter().map(|(row, rows)| (row.next_multiple_of(4), rows)).collect()
    }

    /// Bytes of a buffer; GStreamer rounds the rows of subsampled luma up to an even number.
    fn bytes(&self) -> usize {
        self.offsets().1
    }

    /// Where each plane begins, and where the last one ends.
    fn offsets(&self) -> (Vec<usize>, usize) {
        let strides = self.strides();
        let subsampled = strides.len() > 1;
        let mut end = 0;
        let begins = strides.iter().enumerate().map(|(index, &(stride, rows))| {
            let begin = end;
            let rows = if subsampled && index == 0 { rows.next_multiple_of(2) } else { rows };
            end += stride * rows;
            begin
        });
        (begins.collect(), end)
    }

    fn caps(&self, yuv: (YuvMatrix, YuvRange), fps: gst::Fraction) -> Option<gst::Caps> {
        let (name, format) = names_of(self.laid_as());
        let size = self.padded();
        let caps = gst::Caps::builder(name)
            .field("format", format)
            .field("width", i32::try_from(size.width).ok()?)
            .field("height", i32::try_from(size.height).ok()?)
            .field("framerate", fps);
        let caps = match self.format {
            PixelFormat::Nv12 | PixelFormat::I420 => caps.field("colorimetry", colorimetry(yuv)),
            _ => caps,
        };
        Some(caps.build())
    }

    /// Copies a row; how many bytes it became.
    fn copy_row(&self, from: &[u8], row: &mut [u8]) -> usize {
        match (self.encoding, self.format) {
            (Encoding::H264, PixelFormat::Gray8) => {
                row.iter_mut().zip(from).for_each(|(to, gray)| *to = luma_from_gray(*gray));
                from.len()
            }
            (Encoding::H264, PixelFormat::Gray16Le) => {
                let high = from.iter().skip(1).step_by(2);
                row.iter_mut().zip(high).for_each(|(to, gray)| *to = luma_from_gray(*gray));
                from.len() / 2
            }
            _ => {
                row[..from.len()].copy_from_slice(from);
                from.len()
            }
        }
    }

    /// Copies a picture; rows and columns that it lacks repeat its last.
    fn copy(&self, pixels: &dyn Pixels, into: &mut [u8]) {
        let unit = match self.laid_as() {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => 3,
            PixelFormat::Gray16Le => 2,
            _ => 1,
        };
        let (offsets, _) = self.offsets();
        for (index, ((stride, rows), begin)) in self.strides().into_iter().zip(offsets).enumerate()
        {
            let plane = pixels.plane(index);
            let target = into[begin..].chunks_exact_mut(stride).take(rows);
            for (y, row) in target.enumerate() {
                let from = plane.row(y.min(plane.rows - 1));
                let filled = self.copy_row(from, row);
                let (done, missing) = row.split_at_mut(filled);
                let last = &done[filled - unit..];
                missing.chunks_exact_mut(unit).for_each(|pixel| pixel.copy_from_slice(last));
            }
        }
    }
}

/// What stands between the pictures and the file.
fn chain(
    path: &Path,
    encoding: Encoding,
    format: PixelFormat,
    size: SizePx,
) -> Result<Vec<gst::Element>, EncodeError> {
    let mux = mux(path, encoding)?;
    let convert = element(&["videoconvert"], BASE)?;
    match encoding {
        Encoding::Lossless => {
            let stored = match format {
                PixelFormat::Gray16Le => "GRAY16_LE",
                PixelFormat::Nv12 | PixelFormat::I420 => "I420",
                PixelFormat::Rgb8 | PixelFormat::Bgr8 => "BGRx",
                _ => "GRAY8",
            };
            Ok(vec![convert, only(stored, None)?, element(&["avenc_ffv1"], LIBAV)?, mux])
        }
        Encoding::H264 => {
            // H.264 loses what its colours mean, so they are what players assume of such a size.
            let colours = if size.height > 576 { "bt709" } else { "bt601" };
            let parse = element(&["h264parse"], BAD)?;
            let mut chain =
                vec![convert, only("I420", Some(colours))?, h264_encoder()?, parse, mux];
            if format.is_bayer() {
                chain.insert(0, element(&["bayer2rgb"], BAD)?);
            }
            Ok(chain)
        }
    }
}

/// The container, by the ending of the name.
fn mux(path: &Path, encoding: Encoding) -> Result<gst::Element, EncodeError> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match (encoding, ending) {
        (_, Some("mkv")) => {
            let mux = element(&["matroskamux"], GOOD)?;
            mux.set_property("timecodescale", MATROSKA_TICK_NS);
            Ok(mux)
        }
        (Encoding::H264, Some("mp4")) => element(&["mp4mux"], GOOD),
        (Encoding::H264, _) => {
            Err(EncodeError::Container { path: path.to_owned(), right: ".mp4 or .mkv" })
        }
        (Encoding::Lossless, _) => {
            Err(EncodeError::Container { path: path.to_owned(), right: ".mkv" })
        }
    }
}

/// An encoder set to constant quality. openh264enc comes first: x264's licence is the GPL.
fn h264_encoder() -> Result<gst::Element, EncodeError> {
    let encoder = element(&["openh264enc", "x264enc"], BAD)?;
    if encoder.has_property("qp-min") && encoder.has_property("rate-control") {
        encoder.set_property_from_str("rate-control", "off");
        encoder.set_property("qp-min", H264_QUANTIZER);
        encoder.set_property("qp-max", H264_QUANTIZER);
        encoder.set_property_from_str("complexity", "low");
    } else {
        encoder.set_property_from_str("pass", "quant");
        encoder.set_property("quantizer", H264_QUANTIZER);
        encoder.set_property_from_str("speed-preset", "superfast");
        encoder.set_property("bframes", 0u32);
    }
    Ok(encoder)
}

fn only(format: &str, colorimetry: Option<&str>) -> Result<gst::Element, EncodeError> {
    let filter = element(&["capsfilter"], CORE)?;
    let caps = gst::Caps::builder("video/x-raw").field("format", format);
    filter.set_property("caps", caps.field_if_some("colorimetry", colorimetry).build());
    Ok(filter)
}

/// The first of `elements` that is installed.
fn element(
    elements: &'static [&'static str],
    package: &'static str,
) -> Result<gst::Element, EncodeError> {
    elements
        .iter()
        .find_map(|name| gst::ElementFactory::make(name).build().ok())
        .ok_or(EncodeError::NotInstalled { elements, package })
}

/// Gray in H.264's range of luma; GStreamer would copy it as it is, and players darken it.
fn luma_from_gray(gray: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 235")]
    let luma = ((u16::from(gray) * 219 + 127) / 255 + 16) as u8;
    luma
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

/// The name of the caps, and of the format in them.
fn names_of(format: PixelFormat) -> (&'static str, &'static str) {
    const RAW: &str = "video/x-raw";
    const BAYER: &str = "video/x-bayer";
    match format {
        PixelFormat::Gray8 => (RAW, "GRAY8"),
        PixelFormat::Gray16Le => (RAW, "GRAY16_LE"),
        PixelFormat::BayerRggb8 => (BAYER, "rggb"),
        PixelFormat::BayerBggr8 => (BAYER, "bggr"),
        PixelFormat::BayerGrbg8 => (BAYER, "grbg"),
        PixelFormat::BayerGbrg8 => (BAYER, "gbrg"),
        PixelFormat::Nv12 => (RAW, "NV12"),
        PixelFormat::I420 => (RAW, "I420"),
        PixelFormat::Rgb8 => (RAW, "RGB"),
        PixelFormat::Bgr8 => (RAW, "BGR"),
    }
}

/// GStreamer's spelling: range, matrix, transfer, primaries, as numbers of its enumerations.
fn colorimetry(yuv: (YuvMatrix, YuvRange)) -> &'static str {
    match yuv {
        (YuvMatrix::Bt601, YuvRange::Limited) => "bt601",
        (YuvMatrix::Bt709, YuvRange::Limited) => "bt709",
        (YuvMatrix::Bt601, YuvRange::Full) => "1:4:16:4",
        (YuvMatrix::Bt709, YuvRange::Full) => "1:3:5:1",
    }
}
