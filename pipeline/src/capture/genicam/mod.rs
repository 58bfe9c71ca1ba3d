//! GigE Vision and USB3 Vision cameras, by Aravis. Takes a [`GenicamConfig`]; gives frames whose
//! pixels lie where the camera's packets were put together.
//!
//! Who may touch what: the stream belongs to the [`Genicam`], which one thread at a time pulls.
//! The camera's feature tree, which is not safe to use from two threads, lies behind a mutex; it is
//! used to open, to close and by [`SoftwareTrigger`], never to take a frame. Frames hold buffers
//! of their own and may outlive everything here.

mod discover;
mod error;
mod pixels;
mod settings;
mod stamps;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aravis::prelude::*;
use aravis::{Buffer, BufferStatus};
use aravis_glib as glib;
use calibration::CameraFacts;
use calibration::flat_field::Exposure;
use domain::{CameraId, CaptureTime, Frame, PixelFormat, SizePx};
use serde::{Deserialize, Serialize};

pub use discover::{CameraFound, discover};
pub use error::GenicamError;
use pixels::Slots;
use settings::Layout;
use stamps::{BlockIds, CameraClock};

use super::{CaptureError, Next, PATIENCE, Source, SourceInfo, time_after};

/// Fewest buffers: one that is filled, one that waits, and one that the line works on.
const BUFFERS_LEAST: usize = 3;
/// Most buffers: of 4K RGB they hold 6 GB.
const BUFFERS_MOST: usize = 256;
/// When all but so many buffers are held, it is looked often whether one has become free.
const BUFFERS_SCARCE: usize = 2;
/// How often is often.
const SCARCE_PATIENCE: Duration = Duration::from_millis(5);
/// Losses are told of in the log at most this often.
const TELL_EVERY_US: i64 = 1_000_000;
/// A wall clock that says a frame came longer ago than this was set since.
const ARRIVAL_AGE_MOST_US: u64 = 1_000_000;

/// A GigE Vision or USB3 Vision camera, and how it is set. What is not given stays as the camera
/// has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenicamConfig {
    /// Its id as `discover` lists it, its serial number, IP or MAC address; the first that is
    /// found when not given.
    pub camera: Option<String>,
    /// Width and height of the picture, from the sensor's upper left corner unless `features`
    /// set `OffsetX` and `OffsetY`.
    pub size: Option<SizePx>,
    /// How pixels lie.
    pub pixel_format: Option<PixelFormat>,
    /// Frames per second of a camera that runs freely.
    pub fps: Option<f64>,
    /// Exposure time, microseconds; switches automatic exposure off.
    pub exposure_us: Option<f64>,
    /// Gain in the camera's own unit, mostly dB; switches automatic gain off.
    pub gain: Option<f64>,
    /// What starts an exposure.
    pub trigger: Trigger,
    /// Bytes in a packet (GigE); the largest that gets through when not given.
    pub packet_size: Option<u32>,
    /// Pause between packets (GigE), nanoseconds.
    pub packet_delay_ns: Option<u32>,
    /// Buffers in memory; what the line holds at most, and some for the camera to fill.
    pub buffers: usize,
    /// Further features, `"Name=value"`, or `"Name"` for a command; set in this order after all
    /// the others.
    pub features: Vec<String>,
    /// Whether to receive by a packet socket (GigE), where the system permits it.
    pub packet_socket: bool,
}

impl Default for GenicamConfig {
    fn default() -> Self {
        Self {
            camera: None,
            size: None,
            pixel_format: None,
            fps: None,
            exposure_us: None,
            gain: None,
            trigger: Trigger::None,
            packet_size: None,
            packet_delay_ns: None,
            buffers: 32,
            features: Vec::new(),
            packet_socket: true,
        }
    }
}

/// What starts an exposure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Trigger {
    /// The camera itself: it runs freely.
    #[default]
    None,
    /// A command of this program.
    Software,
    /// An input, as the camera's `TriggerSource` names it: `line0`, `line1`; case does not count.
    Source(String),
}

impl From<String> for Trigger {
    fn from(word: String) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "software" => Self::Software,
            _ => Self::Source(word),
        }
    }
}

impl From<Trigger> for String {
    fn from(trigger: Trigger) -> Self {
        trigger.to_string()
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Software => "software",
            Self::Source(name) => name,
        })
    }
}

/// What may be used from two threads: the camera's features, and whether it is still ours.
struct Control {
    /// The camera's id.
    name: String,
    /// `None` after it was released.
    camera: Mutex<Option<aravis::Camera>>,
    /// Set by Aravis's heartbeat, some seconds after the camera stopped answering.
    lost: AtomicBool,
}

impl Control {
    fn lost(&self) -> Result<(), GenicamError> {
        if self.lost.load(Ordering::Acquire) {
            return Err(GenicamError::Lost { camera: self.name.clone() });
        }
        Ok(())
    }
}

/// Starts exposures of a camera that is set to `trigger = "software"`.
#[derive(Clone)]
pub struct SoftwareTrigger {
    control: Arc<Control>,
}

impl SoftwareTrigger {
    /// Starts one exposure. Returns when the camera has acknowledged, mostly within a millisecond;
    /// whether a frame comes of it only the stream tells.
    ///
    /// # Errors
    /// When the camera is lost or closed, or does not take the command.
    pub fn fire(&self) -> Result<(), GenicamError> {
        self.control.lost()?;
        let name = || self.control.name.clone();
        let camera = self.control.camera.lock().unwrap_or_else(PoisonError::into_inner);
        let camera = camera.as_ref().ok_or_else(|| GenicamError::Closed { camera: name() })?;
        camera.software_trigger().map_err(|error| GenicamError::Device {
            camera: name(),
            doing: "trigger by software",
            reason: error.message().to_owned(),
        })
    }
}

/// A camera that gives frames.
pub(super) struct Genicam {
    camera: CameraId,
    facts: CameraFacts,
    began: CaptureTime,
    /// Reading of the system's monotonic clock at `began`.
    opened_us: i64,
    info: SourceInfo,
    layout: Layout,
    ids: BlockIds,
    clock: CameraClock,
    slots: Slots,
    losses: Losses,
    ended: bool,
    trigger: Option<SoftwareTrigger>,
    // Before the control: it refers to the device.
    stream: aravis::Stream,
    control: Arc<Control>,
}

/// Opens and starts the camera that `config` names.
pub(super) fn open(
    config: &GenicamConfig,
    camera: CameraId,
    began: CaptureTime,
) -> Result<Genicam, GenicamError> {
    let opened_us = glib::monotonic_time();
    config.check()?;
    let (name, device) = discover::open(config.camera.as_deref())?;
    let layout = settings::apply(config, &name, &device)?;
    let control =
        Arc::new(Control { name, camera: Mutex::new(None), lost: AtomicBool::new(false) });
    let stream = start(config, &layout, &device, &control)?;
    let software = config.trigger == Trigger::Software;
    let trigger = software.then(|| SoftwareTrigger { control: Arc::clone(&control) });
    let facts = facts(&device);
    let fps = (config.trigger == Trigger::None).then(|| device.frame_rate().ok()).flatten();
    *control.camera.lock().unwrap_or_else(PoisonError::into_inner) = Some(device);
    Ok(Genicam {
        camera,
        facts,
        began,
        opened_us,
        info: SourceInfo { fps, live: true, ..SourceInfo::default() },
        slots: Slots::new(config.buffers, &layout),
        clock: CameraClock::new(layout.exposure),
        layout,
        ids: BlockIds::default(),
        losses: Losses::default(),
        ended: false,
        trigger,
        stream,
        control,
    })
}

/// What the camera says of itself. One that does not say which it is can't be told from another.
fn facts(device: &aravis::Camera) -> CameraFacts {
    let serial = device.device_serial_number().ok().map(|serial| serial.trim().to_owned());
    let gain_db = device.gain().unwrap_or(0.0);
    let exposure = device.exposure_time().ok();
    CameraFacts {
        serial: serial.filter(|serial| !serial.is_empty()),
        exposure: exposure.map(|exposure_us| Exposure { exposure_us, gain_db }),
        ..CameraFacts::default()
    }
}

impl GenicamConfig {
    /// What can be said without a camera.
    pub(super) fn check(&self) -> Result<(), GenicamError> {
        let wrong = |what: String| Err(GenicamError::Config { what });
        if !(BUFFERS_LEAST..=BUFFERS_MOST).contains(&self.buffers) {
            return wrong(format!(
                "buffers = {}: give {BUFFERS_LEAST} to {BUFFERS_MOST}; a line needs about 32",
                self.buffers
            ));
        }
        if let (Some(fps), true) = (self.fps, self.trigger != Trigger::None) {
            return wrong(format!(
                "fps = {fps} and trigger = \"{}\": frames come either at a rate or by a trigger",
                self.trigger
            ));
        }
        Ok(())
    }
}

/// Makes the stream, gives it its buffers and lets the camera send.
fn start(
    config: &GenicamConfig,
    layout: &Layout,
    device: &aravis::Camera,
    control: &Arc<Control>,
) -> Result<aravis::Stream, GenicamError> {
    let fails = |doing: &'static str| {
        let camera = control.name.clone();
        move |error: glib::Error| GenicamError::Device {
            camera,
            doing,
            reason: error.message().to_owned(),
        }
    };
    if let Some(device) = device.device() {
        let control = Arc::downgrade(control);
        device.connect_control_lost(move |_| {
            if let Some(control) = control.upgrade() {
                control.lost.store(true, Ordering::Release);
            }
        });
    }
    let stream = device.create_stream().map_err(fails("open the stream"))?;
    settings::tune(config, &control.name, device, &stream, layout.payload);
    for _ in 0..config.buffers {
        stream.push_buffer(Buffer::new_allocate(layout.payload));
    }
    device.start_acquisition().map_err(fails("start"))?;
    Ok(stream)
}

impl Genicam {
    fn pull(&mut self) -> Result<Next, GenicamError> {
        self.slots.sweep(&self.stream);
        self.control.lost()?;
        let scarce = self.slots.held() + BUFFERS_SCARCE >= self.slots.len();
        let patience = if scarce { SCARCE_PATIENCE } else { PATIENCE };
        let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        let Some(buffer) = self.stream.timeout_pop_buffer(patience) else {
            return Ok(Next::Waiting);
        };
        if buffer.status() == BufferStatus::Success {
            return self.take(buffer);
        }
        self.losses.incomplete(&buffer);
        self.stream.push_buffer(buffer);
        self.losses.tell(&self.camera, &self.control.name);
        Ok(Next::Waiting)
    }

    /// Makes a frame of a buffer that came whole.
    fn take(&mut self, buffer: Buffer) -> Result<Next, GenicamError> {
        let sequence = self.ids.next(buffer.frame_id());
        let at = self.exposed(&buffer);
        if let Some(got) = self.layout.differs(&buffer) {
            let camera = self.control.name.clone();
            let wanted = self.layout.to_string();
            return Err(GenicamError::Changed { camera, frame: sequence.number, got, wanted });
        }
        if sequence.missed > 0 {
            self.losses.missed(sequence.missed, &self.stream, self.slots.len());
            self.losses.tell(&self.camera, &self.control.name);
        }
        let Some(pixels) = self.slots.fill(buffer) else {
            let camera = self.control.name.clone();
            return Err(GenicamError::Short { camera, wanted: self.layout.to_string() });
        };
        Ok(Next::Frame(Frame {
            camera: self.camera.clone(),
            sequence: sequence.number,
            at,
            origin: None,
            pixels,
        }))
    }

    /// When the exposure began, on the line's clocks.
    fn exposed(&mut self, buffer: &Buffer) -> CaptureTime {
        // Aravis notes the arrival of a frame's first packet on the wall clock only.
        let wall_us = u64::try_from(glib::real_time()).unwrap_or(0);
        let age_us = wall_us.saturating_sub(buffer.system_timestamp() / 1000);
        let age_us = if age_us > ARRIVAL_AGE_MOST_US { 0 } else { age_us };
        let since_us = u64::try_from(glib::monotonic_time() - self.opened_us).unwrap_or(0);
        let arrived_ns = since_us.saturating_sub(age_us) * 1000;
        let at_ns = self.clock.exposed_ns(buffer.timestamp(), arrived_ns);
        time_after(self.began, Duration::from_nanos(at_ns))
    }
}

impl Source for Genicam {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        if self.ended {
            return Ok(Next::End);
        }
        let next = self.pull();
        self.ended |= next.is_err();
        Ok(next?)
    }

    fn loss_cause(&self) -> Option<&str> {
        self.losses.cause.as_deref()
    }

    fn facts(&self) -> CameraFacts {
        self.facts.clone()
    }

    fn software_trigger(&self) -> Option<SoftwareTrigger> {
        self.trigger.clone()
    }
}

impl Drop for Genicam {
    fn drop(&mut self) {
        let camera = self.control.camera.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A camera that is gone would be asked in vain, for seconds.
        if let (Some(camera), Ok(())) = (camera, self.control.lost()) {
            // Nothing to tell anyone if it fails: it is released all the same.
            let _ = camera.stop_acquisition();
        }
    }
}

/// Frames that did not come, and why.
#[derive(Default)]
struct Losses {
    /// Frames that came incomplete since the last whole one.
    incomplete: u64,
    /// What was wrong with the last of them.
    status: Option<BufferStatus>,
    /// The stream's count of frames without a buffer, when last looked at.
    underruns: u64,
    /// Frames lost and not told of in the log yet.
    untold: u64,
    told_us: Option<i64>,
    /// Why the last lost frames were lost.
    cause: Option<String>,
}

impl Losses {
    /// Counts a buffer that is not a whole frame.
    fn incomplete(&mut self, buffer: &Buffer) {
        let status = buffer.status();
        // What is left when a stream is stopped.
        if matches!(status, BufferStatus::Aborted | BufferStatus::Cleared) {
            return;
        }
        self.incomplete += 1;
        self.untold += 1;
        self.status = Some(status);
        self.cause = Some(format!("incomplete: {}", in_words(status)));
    }

    /// Explains `frames` that are missing before the one that just came.
    fn missed(&mut self, frames: u64, stream: &aravis::Stream, buffers: usize) {
        let (_, _, underruns) = stream.statistics();
        let starved = underruns > self.underruns;
        self.underruns = underruns;
        let incomplete = std::mem::take(&mut self.incomplete).min(frames);
        let rest = frames - incomplete;
        self.untold += rest;
        let mut causes = Vec::new();
        if let (1.., Some(status)) = (incomplete, self.status) {
            causes.push(format!("{incomplete} incomplete: {}", in_words(status)));
        }
        if rest > 0 && starved {
            causes.push(format!("{rest} found no free buffer: the line holds all {buffers}"));
        } else if rest > 0 {
            causes.push(format!("{rest} never came: lost in the camera or on the network"));
        }
        self.cause = Some(causes.join("; "));
    }

    /// Puts losses into the log, not more often than every second.
    fn tell(&mut self, camera: &CameraId, device: &str) {
        let now_us = glib::monotonic_time();
        if self.untold == 0 || self.told_us.is_some_and(|told| now_us - told < TELL_EVERY_US) {
            return;
        }
        let (frames, cause) = (self.untold, self.cause.as_deref().unwrap_or_default());
        tracing::warn!(target: "capture", %camera, device, frames, cause, "frames lost");
        self.told_us = Some(now_us);
        self.untold = 0;
    }
}

/// What a buffer's status means for the one who has to mend it.
fn in_words(status: BufferStatus) -> &'static str {
    match status {
        BufferStatus::Timeout => "the camera stopped sending in the middle of a frame",
        BufferStatus::MissingPackets | BufferStatus::WrongPacketId => {
            "packets were lost on the network (packet size, packet delay, receive buffer)"
        }
        BufferStatus::SizeMismatch => "the frame is larger than the camera said it would be",
        BufferStatus::PayloadNotSupported => "the camera sends something else than plain images",
        _ => "of a kind that Aravis does not explain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused_without_a_camera() {
        let default = GenicamConfig::default();
        assert!(default.check().is_ok());
        let config = GenicamConfig { fps: Some(5.0), trigger: Trigger::Software, ..default };
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("fps = 5") && error.contains("software"), "{error}");
        for buffers in [0, 2, 257] {
            let error = GenicamConfig { buffers, ..GenicamConfig::default() }.check().unwrap_err();
            assert!(error.to_string().contains("3 to 256"), "{error}");
        }
    }

    #[test]
    fn a_configuration_reads_as_it_is_written() {
        let text = "camera = \"GV01\"\nsize = { width = 640, height = 480 }\n\
                    pixel_format = \"bayer_rggb8\"\ntrigger = \"Line1\"\npacket_size = 8192\n\
                    features = [\"LineSelector=Line1\", \"UserSetSave\"]\n";
        let config: GenicamConfig = toml::from_str(text).unwrap();
        assert_eq!(config.trigger, Trigger::Source("Line1".to_owned()));
        assert_eq!((config.buffers, config.packet_socket), (32, true));
        assert_eq!(config.size, Some(SizePx::new(640, 480)));
        let again: GenicamConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
        assert!(toml::from_str::<GenicamConfig>("paket_size = 1").is_err());
        let free: GenicamConfig = toml::from_str("trigger = \"none\"").unwrap();
        assert_eq!(free, GenicamConfig::default());
    }
}
