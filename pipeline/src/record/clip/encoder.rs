//! The encoder of one clip: GStreamer, from the film's pictures to H.264. Takes pictures with
//! their times and whether a key frame is wanted; gives coded pictures with the same times, in the
//! same order, and what a decoder must know before them.
//!
//! Each clip has an encoder of its own: what went wrong in one is over with it, and the same
//! settings give the same avcC.

mod elements;
mod error;
mod threads;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

use crossbeam_channel::RecvTimeoutError;
use domain::SizePx;
use gst::prelude::*;
use gst_app::{AppSink, AppSrc};
use gst_video::DownstreamForceKeyUnitEvent;

use super::ClipConfig;
use crate::limits::{
    CLIP_ENCODER_CLOSES_WITHIN, CLIP_ENCODER_HANGS_AFTER, CLIP_ENCODERS_HANGING,
    CLIP_PICTURES_ENCODING,
};
use crate::record::reel::FilmPicture;
use elements::{Wish, chain, installed, known, make, only};
pub use error::EncoderError;

/// How long one look at what comes out takes.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// How many looks an encoder is waited for before it is told that the clip is over.
const LOOKS_BEFORE_END: u64 = 20;

/// The shortest and the longest side that encoders take.
const SIDES: std::ops::RangeInclusive<u32> = 16..=8192;

/// What a picture's format is called in GStreamer.
const FORMAT: &str = "I420";

/// A coded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// When it was exposed, milliseconds from the clip's start.
    pub at_ms: u64,
    /// Whether decoding may begin with it.
    pub is_key: bool,
    /// An access unit, its units preceded by their length in four bytes.
    pub bytes: Vec<u8>,
}

/// Makes encoders, all alike.
#[derive(Clone, Debug)]
pub struct Encoders {
    name: &'static str,
    wish: Wish,
    fps: u32,
    /// How many looks an encoder may give nothing for.
    looks_most: u64,
    hanging: Arc<AtomicUsize>,
}

impl Encoders {
    /// The encoder that `config` names, or the best that is installed, for a film of `fps`
    /// pictures a second.
    ///
    /// # Errors
    /// When it is not installed; what is, is said.
    pub fn new(config: &ClipConfig, fps: u32) -> Result<Self, EncoderError> {
        gst::init().map_err(|error| EncoderError::Gst { reason: error.to_string() })?;
        let fps = fps.max(1);
        let per_fragment = u64::from(fps) * u64::from(config.fragment_ms) / 1000;
        // Twice what is asked for: an encoder that heeds no wish still gives key frames.
        let gop = u32::try_from(per_fragment * 2).unwrap_or(u32::MAX).max(1);
        let wish = Wish { kbit_per_s: config.kbit_per_s, gop };
        let name = name_from(config.encoder.as_deref(), &installed())?;
        let looks_most = CLIP_ENCODER_HANGS_AFTER.as_secs() * 1000 / LOOK.mseconds();
        Ok(Self { name, wish, fps, looks_most, hanging: Arc::default() })
    }

    /// The element that encodes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// An encoder for one clip of pictures of `size`.
    ///
    /// # Errors
    /// When it does not start, or too many of those before have not ended.
    pub fn begin(&self, size: SizePx) -> Result<Encoder, EncoderError> {
        let hanging = self.hanging.load(Ordering::Acquire);
        if hanging >= CLIP_ENCODERS_HANGING {
            return Err(EncoderError::StillHang { hanging });
        }
        let is_right = |side: u32| SIDES.contains(&side) && side.is_multiple_of(2);
        if !is_right(size.width) || !is_right(size.height) {
            return Err(EncoderError::Size { size });
        }
        let source = self.source(size)?;
        let sink = AppSink::builder().sync(false).build();
        let pipeline = gst::Pipeline::new();
        let mut all = vec![source.clone().upcast()];
        all.extend(chain(self.name, self.wish)?);
        all.push(make("h264parse")?);
        all.push(only("video/x-h264,stream-format=avc,alignment=au")?);
        all.push(sink.clone().upcast());
        let built = pipeline.add_many(&all).and_then(|()| gst::Element::link_many(&all));
        built.map_err(|error| failed("pipeline", &error.message, 0))?;
        threads::come_last_in(&pipeline)?;
        let encoder = Encoder {
            name: self.name,
            size,
            pipeline,
            source,
            sink,
            looks_most: self.looks_most,
            hanging: Arc::clone(&self.hanging),
            inside: VecDeque::new(),
            given: 0,
            newest_ms: None,
            dropped: Vec::new(),
            avcc: None,
        };
        if encoder.pipeline.set_state(gst::State::Playing).is_err() {
            encoder.check()?;
            return Err(encoder.fault("it does not start"));
        }
        Ok(encoder)
    }

    fn source(&self, size: SizePx) -> Result<AppSrc, EncoderError> {
        let whole = |value: u32| i32::try_from(value).map_err(|_| EncoderError::Size { size });
        let caps = gst::Caps::builder("video/x-raw")
            .field("format", FORMAT)
            .field("width", whole(size.width)?)
            .field("height", whole(size.height)?)
            .field("framerate", gst::Fraction::new(whole(self.fps)?, 1))
            .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
            .field("interlace-mode", "progressive")
            .field("colorimetry", "bt709");
        let source = AppSrc::builder().name(threads::NAME).format(gst::Format::Time);
        Ok(source.caps(&caps.build()).build())
    }
}

/// Which encoder to take, of those that are installed.
fn name_from(
    wanted: Option<&str>,
    installed: &[&'static str],
) -> Result<&'static str, EncoderError> {
    let Some(name) = wanted else {
        return installed.first().copied().ok_or_else(|| EncoderError::None { known: known() });
    };
    if !known().contains(&name) {
        return Err(EncoderError::Unknown { name: name.to_owned(), known: known() });
    }
    let found = installed.iter().copied().find(|installed| *installed == name);
    let absent = || EncoderError::NotThere { name: name.to_owned(), installed: installed.to_vec() };
    found.ok_or_else(absent)
}

/// A picture that went in and has not come out.
#[derive(Clone, Copy, Debug)]
struct Inside {
    picture: u64,
    at_ms: u64,
}

/// The encoder of one clip.
pub struct Encoder {
    name: &'static str,
    size: SizePx,
    pipeline: gst::Pipeline,
    source: AppSrc,
    sink: AppSink,
    looks_most: u64,
    hanging: Arc<AtomicUsize>,
    inside: VecDeque<Inside>,
    given: u64,
    newest_ms: Option<u64>,
    dropped: Vec<u64>,
    avcc: Option<Vec<u8>>,
}

impl Encoder {
    /// Gives it the next picture, exposed `at_ms` after the clip's start; a key frame when
    /// `wants_key`. What has come out is added to `out`. Waits while it has enough to do.
    ///
    /// # Errors
    /// When the picture is unlike the others, the encoder failed, perhaps for an earlier picture,
    /// or hangs.
    pub fn push(
        &mut self,
        picture: FilmPicture,
        at_ms: u64,
        wants_key: bool,
        out: &mut Vec<Coded>,
    ) -> Result<(), EncoderError> {
        if let Some(before_ms) = self.newest_ms.replace(at_ms)
            && at_ms <= before_ms
        {
            return Err(EncoderError::NotRising { at_ms, before_ms });
        }
        self.wait_for_room(out)?;
        let buffer = self.buffer_from(picture, at_ms)?;
        if wants_key {
            // Without a time it is for the picture that follows it; by time, x264enc finds none.
            let event = DownstreamForceKeyUnitEvent::builder().all_headers(true);
            // An encoder that heeds it not is found out by what it gives.
            let _ = self.source.send_event(event.build());
        }
        self.inside.push_back(Inside { picture: self.given, at_ms });
        if self.source.push_buffer(buffer).is_err() {
            self.check()?;
            return Err(self.fault("it takes no more pictures"));
        }
        self.given += 1;
        while let Some(sample) = self.sink.try_pull_sample(gst::ClockTime::ZERO) {
            self.take(&sample, out)?;
        }
        self.check()
    }

    /// Ends the clip: adds to `out` what was still inside.
    ///
    /// # Errors
    /// When the encoder failed, perhaps for an earlier picture, or hangs.
    pub fn finish(&mut self, out: &mut Vec<Coded>) -> Result<(), EncoderError> {
        // Most have nothing left then; and openh264 writes a line about an error when it is ended.
        let mut looks = 0;
        while !self.inside.is_empty() && looks < LOOKS_BEFORE_END {
            looks = if self.look(out)? { 0 } else { looks + 1 };
        }
        if self.inside.is_empty() {
            return Ok(());
        }
        if self.source.end_of_stream().is_err() {
            self.check()?;
            return Err(self.fault("it cannot be ended"));
        }
        let mut looks = 0;
        while !self.sink.is_eos() {
            looks = if self.look(out)? { 0 } else { looks + 1 };
            self.hangs_after(looks)?;
        }
        self.check()?;
        let left = self.inside.drain(..).map(|inside| inside.picture);
        self.dropped.extend(left);
        Ok(())
    }

    /// What a decoder must know, the avcC box; known when the first picture has come out.
    #[must_use]
    pub fn avcc(&self) -> Option<&[u8]> {
        self.avcc.as_deref()
    }

    /// The pictures that went in and will not come out, by their number from 0. No encoder should.
    #[must_use]
    pub fn dropped(&self) -> &[u64] {
        &self.dropped
    }

    /// The film's own memory where its rows are as GStreamer lays them out; a copy otherwise.
    fn buffer_from(&self, picture: FilmPicture, at_ms: u64) -> Result<gst::Buffer, EncoderError> {
        let (size, bytes) = (picture.size, picture.bytes.bytes.len());
        let pixels = u64::from(size.width) * u64::from(size.height);
        if size != self.size || bytes as u64 != pixels * 3 / 2 {
            let expected = self.size;
            return Err(EncoderError::Picture { picture: self.given, got: size, bytes, expected });
        }
        // Rows of luma and of chroma begin at multiples of four bytes.
        let mut buffer = if size.width.is_multiple_of(8) {
            gst::Buffer::from_slice(Pixels(picture))
        } else {
            gst::Buffer::from_mut_slice(padded(&picture.bytes.bytes, size))
        };
        let shared = || self.fault("the buffer is shared");
        buffer.get_mut().ok_or_else(shared)?.set_pts(gst::ClockTime::from_mseconds(at_ms));
        Ok(buffer)
    }

    fn wait_for_room(&mut self, out: &mut Vec<Coded>) -> Result<(), EncoderError> {
        let mut looks = 0;
        while self.source.current_level_buffers() >= CLIP_PICTURES_ENCODING {
            looks = if self.look(out)? { 0 } else { looks + 1 };
            self.hangs_after(looks)?;
        }
        Ok(())
    }

    fn hangs_after(&self, looks: u64) -> Result<(), EncoderError> {
        if looks < self.looks_most {
            return Ok(());
        }
        let (element, pictures) = (self.name.to_owned(), self.given);
        let after_ms = looks * LOOK.mseconds();
        Err(EncoderError::Hangs { element, after_ms, pictures })
    }

    /// Waits a moment for a coded picture; whether one came.
    fn look(&mut self, out: &mut Vec<Coded>) -> Result<bool, EncoderError> {
        let Some(sample) = self.sink.try_pull_sample(LOOK) else {
            return self.check().map(|()| false);
        };
        self.take(&sample, out).map(|()| true)
    }

    fn take(&mut self, sample: &gst::Sample, out: &mut Vec<Coded>) -> Result<(), EncoderError> {
        self.take_avcc(sample)?;
        let untimed = || self.fault("a coded picture has no time");
        let buffer = sample.buffer().ok_or_else(untimed)?;
        let segment = sample.segment().and_then(|segment| segment.downcast_ref::<gst::ClockTime>());
        // Some encoders shift all times and say so in the segment.
        let at = segment.zip(buffer.pts()).and_then(|(segment, pts)| segment.to_running_time(pts));
        let at_ms = (at.ok_or_else(untimed)?.useconds() + 500) / 1000;
        let place = self.inside.iter().position(|inside| inside.at_ms == at_ms);
        let unawaited = || EncoderError::Order { element: self.name.to_owned(), at_ms };
        let place = place.ok_or_else(unawaited)?;
        self.dropped.extend(self.inside.drain(..place).map(|inside| inside.picture));
        self.inside.pop_front();
        let is_key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let map = buffer.map_readable().map_err(|error| self.fault(&error.message))?;
        out.push(Coded { at_ms, is_key, bytes: map.to_vec() });
        Ok(())
    }

    fn take_avcc(&mut self, sample: &gst::Sample) -> Result<(), EncoderError> {
        let wrong = || EncoderError::Avcc { element: self.name.to_owned() };
        let caps = sample.caps().and_then(|caps| caps.structure(0)).ok_or_else(wrong)?;
        let avcc = caps.get::<gst::Buffer>("codec_data").map_err(|_| wrong())?;
        let avcc = avcc.map_readable().map_err(|_| wrong())?;
        match &self.avcc {
            Some(before) if before.as_slice() == avcc.as_slice() => Ok(()),
            Some(_) => Err(wrong()),
            None => {
                self.avcc = Some(avcc.to_vec());
                Ok(())
            }
        }
    }

    /// Looks for an error without waiting; other messages are of no use here.
    fn check(&self) -> Result<(), EncoderError> {
        let Some(bus) = self.pipeline.bus() else { return Ok(()) };
        while let Some(message) = bus.pop() {
            let gst::MessageView::Error(posted) = message.view() else { continue };
            let element = message.src().map(|src| src.name().to_string()).unwrap_or_default();
            let element = if element == "encoder" { self.name.to_owned() } else { element };
            let debug = posted.debug().unwrap_or_default();
            let detail = debug.split_once('\n').map_or("", |(_, detail)| detail.trim());
            let reason = format!("{} {detail}", posted.error().message());
            return Err(failed(&element, reason.trim_end(), self.given));
        }
        Ok(())
    }

    fn fault(&self, reason: &str) -> EncoderError {
        failed(self.name, reason, self.given)
    }
}

impl Drop for Encoder {
    /// Stopping waits for the encoder's own thread, so a thread waits that nobody waits for long.
    fn drop(&mut self) {
        let (pipeline, hanging) = (self.pipeline.clone(), Arc::clone(&self.hanging));
        let (ended, end) = crossbeam_channel::bounded::<()>(1);
        hanging.fetch_add(1, Ordering::AcqRel);
        let closing = Builder::new().name("clip-close".to_owned()).spawn(move || {
            if pipeline.set_state(gst::State::Null).is_err() {
                tracing::warn!("an encoder does not stop cleanly");
            }
            hanging.fetch_sub(1, Ordering::AcqRel);
            drop(ended);
        });
        if closing.is_err() {
            // It was dropped unsaid; without a thread there is no bound.
            let _ = self.pipeline.set_state(gst::State::Null);
            self.hanging.fetch_sub(1, Ordering::AcqRel);
        } else if end.recv_timeout(CLIP_ENCODER_CLOSES_WITHIN) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(encoder = self.name, "an encoder does not end");
        }
    }
}

/// A picture as memory that GStreamer holds; the film's stock has it back when it lets go.
struct Pixels(FilmPicture);

impl AsRef<[u8]> for Pixels {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes.bytes
    }
}

/// The picture with rows that begin at multiples of four bytes.
fn padded(bytes: &[u8], size: SizePx) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let planes = [(width, height), (width / 2, height / 2), (width / 2, height / 2)];
    let mut out = Vec::with_capacity(bytes.len() + 8 * height);
    let mut rest = bytes;
    for (width, height) in planes {
        let (plane, after) = rest.split_at(width * height);
        for row in plane.chunks_exact(width) {
            out.extend_from_slice(row);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        rest = after;
    }
    out
}

fn failed(element: &str, reason: &str, pictures: u64) -> EncoderError {
    EncoderError::Pipeline { element: element.to_owned(), reason: reason.to_owned(), pictures }
}

#[cfg(test)]
mod tests;
