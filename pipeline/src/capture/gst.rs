//! A running GStreamer pipeline that ends in an appsink. Takes one that is built but not started;
//! gives its frames, and one clear error when it fails. Shared by all sources but images and the
//! simulator.

use std::sync::Arc;
use std::time::Duration;

use calibration::CameraFacts;
use domain::{CameraId, CaptureTime, Frame, PixelFormat};
use gst::prelude::*;
use gst_app::AppSink;

use super::arrivals::{self, Arrivals};
use super::complaint::{Complaint, Origin, missing_from};
use super::mapped::{self, Layout, Slots};
use super::stamps::{Stamps, read_together};
use super::{CaptureError, Next, PATIENCE, Source, SourceInfo};
use crate::clock::Clock;
use crate::limits::CAMERA_FRAMES_WAITING;

/// Frames that may wait in the appsink: enough to keep a decoder busy, few to hold in memory.
const QUEUE_FRAMES: u32 = 4;

/// How many times [`PATIENCE`] a pipeline that is not live may take for a frame: half a minute.
const WAITS_MOST: u32 = 300;

/// How many times [`PATIENCE`] frames may still arrive after an error: decoders run behind.
const WAITS_AFTER_ERROR: u32 = 10;

/// How many times [`PATIENCE`] a first frame may take after its demuxer stopped reading.
const WAITS_WITHOUT_DEMUXER: u32 = 20;

/// How long other streams of the same file may take to their end after ours has ended.
const END_MOST: Duration = Duration::from_secs(2);

/// Makes GStreamer ready; as often as one likes.
pub(super) fn init() -> Result<(), CaptureError> {
    gst::init().map_err(|error| CaptureError::NoGStreamer(error.to_string()))
}

/// Package names, for elements that may be missing.
pub(super) const BASE: &str = "gstreamer1.0-plugins-base";
pub(super) const GOOD: &str = "gstreamer1.0-plugins-good";

/// Makes an element, or says what to install.
pub(super) fn element(
    name: &'static str,
    package: &'static str,
) -> Result<gst::Element, CaptureError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| CaptureError::ElementMissing { element: name, package })
}

/// What tells a file and a pipeline apart.
pub(super) trait Kind: Send {
    /// Which of our errors a complaint is; `frame` is the one that did not come because of it.
    fn explain(&self, complaint: &Complaint, frame: u64) -> CaptureError;

    /// What it means that the demuxer stopped before the first frame and did not say why.
    fn gave_up(&self, origin: &Origin) -> CaptureError {
        CaptureError::Pipeline {
            what: origin.to_string(),
            element: "demuxer".to_owned(),
            reason: "it found nothing to play".to_owned(),
        }
    }

    /// What the camera says of itself.
    fn facts(&self) -> CameraFacts {
        CameraFacts::default()
    }

    /// Looks, at the end of the stream, whether it was the whole stream.
    fn check_end(&self, _frames: u64, _length: Duration) -> Result<(), CaptureError> {
        Ok(())
    }
}

/// Whose time frames have.
pub(super) enum Pace {
    /// Their own, from here on. Every frame is waited for, and waits.
    Footage(CaptureTime),
    /// The line's. What nobody takes in time is dropped, and its number left out.
    Live {
        /// The line's clock.
        clock: Arc<dyn Clock>,
        /// Where buffers carry the camera's own count of frames in their offset.
        counts: Option<gst::Pad>,
    },
}

/// A pipeline that is not started yet.
pub(super) struct Parts<K> {
    pub origin: Origin,
    pub pipeline: gst::Pipeline,
    pub sink: AppSink,
    pub kind: K,
    pub camera: CameraId,
    pub pace: Pace,
    /// What gray8 frames really carry.
    pub pixel_format: Option<PixelFormat>,
}

/// A running pipeline.
pub(super) struct Stream<K> {
    parts: Parts<K>,
    bus: gst::Bus,
    clock: gst::Clock,
    info: SourceInfo,
    stamps: Stamps,
    layout: Option<(gst::Caps, Layout)>,
    slots: Slots,
    sequence: u64,
    complaint: Option<Complaint>,
    missing: Option<(String, String)>,
    /// Turns of [`PATIENCE`] without a frame.
    waits: u32,
    /// Whether every stream of the pipeline came to its end.
    all_ended: bool,
    ended: bool,
}

impl<K: Kind> Stream<K> {
    /// Starts the pipeline and, unless it is live, waits for its first frame.
    pub(super) fn start(parts: Parts<K>) -> Result<Self, CaptureError> {
        let gst_clock = gst::SystemClock::obtain();
        // A camera's stamps are then readings of a clock that can be read here.
        parts.pipeline.use_clock(Some(&gst_clock));
        let live = matches!(parts.pace, Pace::Live { .. });
        let stamps = match &parts.pace {
            Pace::Footage(began) => Stamps::of_footage(*began),
            Pace::Live { clock, counts } => {
                Arrivals::between(counts.as_ref(), parts.sink.static_pad("sink").as_ref());
                let (now, opened) = read_together(&**clock, &gst_clock);
                Stamps::of_camera(Arc::clone(clock), now, opened)
            }
        };
        prepare_sink(&parts.sink, live);
        let bus = parts.pipeline.bus().ok_or_else(|| CaptureError::Pipeline {
            what: parts.origin.to_string(),
            element: "pipeline".to_owned(),
            reason: "it has no message bus".to_owned(),
        })?;
        let info = SourceInfo { live, ..SourceInfo::default() };
        let mut stream = Self {
            parts,
            bus,
            clock: gst_clock,
            info,
            stamps,
            layout: None,
            slots: Slots::default(),
            sequence: 0,
            complaint: None,
            missing: None,
            waits: 0,
            all_ended: false,
            ended: false,
        };
        // A camera's first frame may be long in coming, and is not waited for here.
        if !live {
            stream.preroll()?;
            stream.read_info()?;
        }
        if stream.parts.pipeline.set_state(gst::State::Playing).is_err() {
            return Err(stream.failure("it does not start"));
        }
        Ok(stream)
    }

    /// Brings the pipeline to its first frame, where most of what can be wrong shows.
    fn preroll(&mut self) -> Result<(), CaptureError> {
        match self.parts.pipeline.set_state(gst::State::Paused) {
            Err(_) => return Err(self.failure("it does not start")),
            Ok(gst::StateChangeSuccess::NoPreroll) => return Ok(()),
            Ok(_) => {}
        }
        let (mut waits, mut idle) = (0, 0);
        while waits < WAITS_MOST {
            let Some(message) = self.bus.timed_pop(clock_time(PATIENCE)) else {
                waits += 1;
                idle = if self.demuxer_stopped() { idle + 1 } else { 0 };
                if idle > WAITS_WITHOUT_DEMUXER {
                    return Err(self.parts.kind.gave_up(&self.parts.origin));
                }
                continue;
            };
            let done = matches!(message.view(), gst::MessageView::AsyncDone(_));
            self.hear(&message);
            if self.complaint.is_some() {
                return Err(self.failure(""));
            }
            if done {
                return Ok(());
            }
        }
        Err(self.stalled())
    }

    /// Whether a demuxer stopped reading. decodebin loses the error of one that fails while it is
    /// being plugged in, and then waits for ever.
    fn demuxer_stopped(&self) -> bool {
        self.parts.pipeline.iterate_recurse().into_iter().flatten().any(|element| {
            let demuxes = |it: gst::ElementFactory| it.has_type(gst::ElementFactoryType::DEMUXER);
            element.factory().is_some_and(demuxes)
                && element.static_pad("sink").is_some_and(|pad| {
                    pad.mode() == gst::PadMode::Pull && pad.task_state() == gst::TaskState::Paused
                })
        })
    }

    /// Reads what the first frame's caps and the container tell.
    fn read_info(&mut self) -> Result<(), CaptureError> {
        let caps = self.parts.sink.static_pad("sink").and_then(|pad| pad.current_caps());
        if let Some(caps) = caps {
            self.follow(&caps)?;
        }
        let duration = self.parts.pipeline.query_duration::<gst::ClockTime>();
        self.info.duration = duration.map(Duration::from).filter(|it| !it.is_zero());
        self.info.frames_total = frames_in(self.info.duration, self.info.fps);
        Ok(())
    }

    /// Takes note of a message: the first error counts, warnings are logged.
    fn hear(&mut self, message: &gst::Message) {
        let element = || message.src().map(|src| src.name().to_string()).unwrap_or_default();
        match message.view() {
            gst::MessageView::Error(error) if self.complaint.is_none() => {
                self.complaint = Some(Complaint {
                    error: error.error(),
                    debug: error.debug().unwrap_or_default().to_string(),
                    element: element(),
                    missing: self.missing.take(),
                });
            }
            gst::MessageView::Eos(_) => self.all_ended = true,
            gst::MessageView::Warning(warning) => {
                let (origin, element, warning) = (&self.parts.origin, element(), warning.error());
                tracing::warn!(%origin, element, %warning, frame = self.sequence);
            }
            gst::MessageView::Element(posted) => {
                if let Some(missing) = posted.structure().and_then(missing_from) {
                    self.missing = Some(missing);
                }
            }
            _ => {}
        }
    }

    fn hear_all(&mut self) {
        while let Some(message) = self.bus.pop() {
            self.hear(&message);
        }
    }

    /// The error behind what just failed; `otherwise` when no element posted one.
    fn failure(&mut self, otherwise: &str) -> CaptureError {
        self.hear_all();
        match self.complaint.take() {
            // Frames that were ahead of the error have been given by now.
            Some(complaint) => self.parts.kind.explain(&complaint, self.sequence),
            None => CaptureError::Pipeline {
                what: self.parts.origin.to_string(),
                element: "pipeline".to_owned(),
                reason: otherwise.to_owned(),
            },
        }
    }

    fn stalled(&self) -> CaptureError {
        CaptureError::Stalled {
            what: self.parts.origin.to_string(),
            frame: self.sequence,
            waited_s: (PATIENCE * WAITS_MOST).as_secs(),
        }
    }

    /// What a camera has to say; never waits longer than [`PATIENCE`].
    fn pull_live(&mut self) -> Result<Next, CaptureError> {
        self.hear_all();
        let patience = if self.complaint.is_some() { Duration::ZERO } else { PATIENCE };
        if let Some(sample) = self.await_live(patience) {
            let corrupt = |it: &gst::BufferRef| it.flags().contains(gst::BufferFlags::CORRUPTED);
            if sample.buffer().is_some_and(corrupt) {
                // A damaged frame is a frame lost: its number is left out.
                return Ok(Next::Waiting);
            }
            return Ok(Next::Frame(self.frame_from(&sample)?));
        }
        self.hear_all();
        if self.complaint.is_some() {
            return Err(self.failure(""));
        }
        self.ended = self.parts.sink.is_eos();
        Ok(if self.ended { Next::End } else { Next::Waiting })
    }

    /// Waits for a sample, and meanwhile gives back what others have done with: a camera with few
    /// buffers may need one of them for its next frame.
    fn await_live(&mut self, patience: Duration) -> Option<gst::Sample> {
        let turn = self.stamps.period().clamp(Duration::from_millis(5), PATIENCE);
        let mut left = patience;
        loop {
            self.slots.release();
            let sample = self.parts.sink.try_pull_sample(clock_time(turn.min(left)));
            left = left.saturating_sub(turn);
            if sample.is_some() || left.is_zero() || self.parts.sink.is_eos() {
                return sample;
            }
        }
    }

    fn pull(&mut self) -> Result<Next, CaptureError> {
        self.slots.release();
        self.hear_all();
        if let Some(sample) = self.parts.sink.try_pull_sample(clock_time(PATIENCE)) {
            self.waits = 0;
            return Ok(Next::Frame(self.frame_from(&sample)?));
        }
        if self.parts.sink.is_eos() {
            return self.conclude();
        }
        self.waits += 1;
        if self.complaint.is_some() && self.waits > WAITS_AFTER_ERROR {
            return Err(self.failure(""));
        }
        if self.waits > WAITS_MOST {
            return Err(self.stalled());
        }
        Ok(Next::Waiting)
    }

    /// The end: of everything, or because of an error that was posted before.
    fn conclude(&mut self) -> Result<Next, CaptureError> {
        // Streams beside ours may be still on their way to their end.
        let last = [gst::MessageType::Eos, gst::MessageType::Error];
        if !self.all_ended
            && let Some(message) = self.bus.timed_pop_filtered(clock_time(END_MOST), &last)
        {
            self.hear(&message);
        }
        if self.complaint.is_some() {
            return Err(self.failure(""));
        }
        if self.sequence == 0 {
            return Err(CaptureError::NoFrames { what: self.parts.origin.to_string() });
        }
        self.parts.kind.check_end(self.sequence, self.stamps.length())?;
        self.ended = true;
        Ok(Next::End)
    }

    fn frame_from(&mut self, sample: &gst::Sample) -> Result<Frame, CaptureError> {
        let broken = |reason: &str| CaptureError::Decode {
            what: self.parts.origin.to_string(),
            frame: self.sequence,
            reason: reason.to_owned(),
        };
        let buffer = sample.buffer_owned().ok_or_else(|| broken("a sample without a buffer"))?;
        if buffer.flags().contains(gst::BufferFlags::CORRUPTED) {
            return Err(broken("the decoder could not restore it from damaged data"));
        }
        let caps = sample.caps_owned().ok_or_else(|| broken("a sample without caps"))?;
        self.follow(&caps)?;
        // Numbers given as frames arrived; see `arrivals`.
        let numbered = self.info.live && buffer.offset() != arrivals::NONE;
        let sequence = if numbered { buffer.offset() } else { self.sequence };
        let lasts = buffer.duration().map(Duration::from);
        let at = self.stamps.next(self.stamp_of(&buffer, sample), lasts);
        let what = || self.parts.origin.to_string();
        let mapped = self.layout.as_ref().and_then(|(_, layout)| layout.map(buffer));
        let pixels = mapped.ok_or_else(|| CaptureError::Decode {
            what: what(),
            frame: self.sequence,
            reason: format!("its buffer is smaller than its caps say: {caps}"),
        })?;
        self.sequence = sequence + 1;
        let camera = self.parts.camera.clone();
        Ok(Frame { camera, sequence, at, origin: None, pixels: self.slots.put(pixels) })
    }

    /// Follows the caps of the next frame; they may say the same as before in other words.
    fn follow(&mut self, caps: &gst::Caps) -> Result<(), CaptureError> {
        if self.layout.as_ref().is_some_and(|(known, _)| known == caps) {
            return Ok(());
        }
        let what = || self.parts.origin.to_string();
        let mut layout = Layout::from_caps(caps)
            .ok_or_else(|| CaptureError::Format { what: what(), got: caps.to_string() })?;
        if let Some(wanted) = self.parts.pixel_format
            && !layout.relabel(wanted)
        {
            return Err(CaptureError::FormatNot { what: what(), stream: layout.format(), wanted });
        }
        if let Some((_, before)) = &self.layout
            && !before.alike(&layout)
        {
            return Err(CaptureError::Changed {
                what: what(),
                frame: self.sequence,
                from: before.to_string(),
                to: layout.to_string(),
            });
        }
        self.info.fps = layout.fps();
        if let Some(fps) = layout.fps() {
            self.stamps.expect_fps(fps);
        }
        self.layout = Some((caps.clone(), layout));
        Ok(())
    }

    /// When the frame was exposed: on the clock when live, otherwise in the footage.
    fn stamp_of(&self, buffer: &gst::BufferRef, sample: &gst::Sample) -> Option<Duration> {
        if !self.info.live {
            return buffer.pts().map(Duration::from);
        }
        let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
        let running = segment.to_running_time(buffer.pts());
        let exposed =
            running.zip(self.parts.sink.base_time()).map(|(running, base)| running + base);
        // A frame can't have been exposed later than now.
        let now = self.clock.time();
        Some(Duration::from(exposed.map_or(now, |exposed| exposed.min(now))))
    }
}

impl<K: Kind> Source for Stream<K> {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        if self.ended {
            return Ok(Next::End);
        }
        let next = if self.info.live { self.pull_live() } else { self.pull() };
        self.ended |= next.is_err();
        next
    }

    fn facts(&self) -> CameraFacts {
        self.parts.kind.facts()
    }
}

impl<K> Drop for Stream<K> {
    fn drop(&mut self) {
        // Nothing to tell anyone if it fails, and frames given keep their own buffers.
        let _ = self.parts.pipeline.set_state(gst::State::Null);
    }
}

/// Sets what every appsink here needs: each frame, as soon as it can be had, in a known format.
fn prepare_sink(sink: &AppSink, live: bool) {
    sink.set_sync(false);
    sink.set_qos(false);
    sink.set_max_buffers(if live { CAMERA_FRAMES_WAITING } else { QUEUE_FRAMES });
    sink.set_drop(live);
    sink.set_enable_last_sample(false);
    if sink.caps().is_none_or(|caps| caps.is_any()) {
        sink.set_caps(Some(&mapped::known_caps()));
    }
    if let Some(pad) = sink.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, offer_video_meta);
    }
}

/// Tells decoders that frames may have any stride; else they copy each frame into packed rows.
fn offer_video_meta(_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
    match info.query_mut().map(|query| query.view_mut()) {
        Some(gst::QueryViewMut::Allocation(query)) => {
            query.add_allocation_meta::<gst_video::VideoMeta>(None);
            gst::PadProbeReturn::Handled
        }
        _ => gst::PadProbeReturn::Ok,
    }
}

fn frames_in(duration: Option<Duration>, fps: Option<f64>) -> Option<u64> {
    let frames = duration?.as_secs_f64() * fps?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive count, saturating"
    )]
    Some(frames.round() as u64)
}

fn clock_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(duration).unwrap_or(gst::ClockTime::MAX)
}
