//! How a camera is set. Takes a configuration and an opened camera; gives how its frames will lie,
//! or the one setting that it does not take and what it offers.

use std::fmt;
use std::time::Duration;

use aravis::prelude::*;
use aravis::{AcquisitionMode, Auto, Buffer, BufferPayloadType, GvStreamOption};
use aravis::{GcBoolean, GcCommand, GcEnumeration, GcFloat, GcInteger, GvStream};
use aravis_glib as glib;
use aravis_glib::prelude::*;
use domain::{PixelFormat, SizePx};

use super::{GenicamConfig, GenicamError, Trigger};

/// What cameras call the formats that are read where they lie, and ours for them.
const FORMATS: [(aravis::PixelFormat, PixelFormat, &str); 8] = [
    (aravis::PixelFormat::MONO_8, PixelFormat::Gray8, "Mono8"),
    (aravis::PixelFormat::MONO_16, PixelFormat::Gray16Le, "Mono16"),
    (aravis::PixelFormat::BAYER_RG_8, PixelFormat::BayerRggb8, "BayerRG8"),
    (aravis::PixelFormat::BAYER_BG_8, PixelFormat::BayerBggr8, "BayerBG8"),
    (aravis::PixelFormat::BAYER_GR_8, PixelFormat::BayerGrbg8, "BayerGR8"),
    (aravis::PixelFormat::BAYER_GB_8, PixelFormat::BayerGbrg8, "BayerGB8"),
    (aravis::PixelFormat::RGB_8_PACKED, PixelFormat::Rgb8, "RGB8"),
    (aravis::PixelFormat::BGR_8_PACKED, PixelFormat::Bgr8, "BGR8"),
];

/// The kernel's receive buffer for a plain socket holds so many frames, where the system permits.
const SOCKET_FRAMES: usize = 4;
/// And so many bytes at least and at most.
const SOCKET_BYTES: (usize, usize) = (4 << 20, 64 << 20);

/// How frames lie that a camera will send.
pub(super) struct Layout {
    pub(super) format: PixelFormat,
    pub(super) size: SizePx,
    pub(super) row_bytes: usize,
    pub(super) rows: usize,
    /// Bytes of a whole frame as it is sent.
    pub(super) payload: usize,
    pub(super) exposure: Duration,
    code: aravis::PixelFormat,
}

impl Layout {
    /// What `buffer` holds, when it is not what the camera was set to.
    pub(super) fn differs(&self, buffer: &Buffer) -> Option<String> {
        let kind = buffer.payload_type();
        if !matches!(kind, BufferPayloadType::Image | BufferPayloadType::ExtendedChunkData) {
            return Some(format!("{kind:?}, not a plain image"));
        }
        let (width, height) = (buffer.image_width(), buffer.image_height());
        let code = buffer.image_pixel_format();
        let alike = u32::try_from(width) == Ok(self.size.width)
            && u32::try_from(height) == Ok(self.size.height)
            && code == self.code;
        (!alike).then(|| format!("{} {width}x{height}", name_of(code)))
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{}", name_of(self.code), self.size.width, self.size.height)
    }
}

fn name_of(code: aravis::PixelFormat) -> String {
    let known = FORMATS.iter().find(|(it, ..)| *it == code);
    known.map_or_else(|| format!("format {:#010x}", code.raw()), |(.., name)| (*name).to_owned())
}

/// Sets `camera`, which is called `name`.
pub(super) fn apply(
    config: &GenicamConfig,
    name: &str,
    camera: &aravis::Camera,
) -> Result<Layout, GenicamError> {
    let device = camera.device().ok_or_else(|| GenicamError::Open {
        camera: name.to_owned(),
        reason: "it has no features".to_owned(),
    })?;
    let settings = Settings { camera, device, name };
    if let Some(format) = config.pixel_format {
        settings.pixel_format(format)?;
    }
    if let Some(size) = config.size {
        settings.size(size)?;
    }
    camera.set_acquisition_mode(AcquisitionMode::Continuous).map_err(settings.fails("start"))?;
    settings.trigger(&config.trigger)?;
    settings.rates(config)?;
    for feature in &config.features {
        match feature.split_once('=') {
            Some((feature, value)) => settings.set(feature.trim(), value.trim())?,
            None => settings.command(feature.trim())?,
        }
    }
    settings.packets(config)?;
    settings.layout()
}

/// Sets what can only be set on the stream, and says so when packets had to be made smaller.
pub(super) fn tune(
    config: &GenicamConfig,
    name: &str,
    camera: &aravis::Camera,
    stream: &aravis::Stream,
    payload: usize,
) {
    let Some(stream) = stream.downcast_ref::<GvStream>() else { return };
    let (least, most) = SOCKET_BYTES;
    let bytes = payload.saturating_mul(SOCKET_FRAMES).clamp(least, most);
    stream.set_socket_buffer(aravis::GvStreamSocketBuffer::Fixed);
    stream.set_socket_buffer_size(i32::try_from(bytes).unwrap_or(i32::MAX));
    if let (Some(wanted), Ok(got)) = (config.packet_size, camera.gv_get_packet_size())
        && got < wanted
    {
        let why = "larger ones do not get through: set the MTU of interface and switch to 9000";
        tracing::warn!(target: "capture", device = name, wanted, got, why, "smaller packets");
    }
}

struct Settings<'a> {
    camera: &'a aravis::Camera,
    device: aravis::Device,
    name: &'a str,
}

impl Settings<'_> {
    fn refused(
        &self,
        feature: &str,
        value: impl fmt::Display,
        offers: impl Into<String>,
    ) -> GenicamError {
        GenicamError::Refused {
            camera: self.name.to_owned(),
            feature: feature.to_owned(),
            value: value.to_string(),
            offers: offers.into(),
        }
    }

    fn fails(&self, doing: &'static str) -> impl Fn(glib::Error) -> GenicamError {
        let camera = self.name.to_owned();
        move |error| GenicamError::Device {
            camera: camera.clone(),
            doing,
            reason: error.message().to_owned(),
        }
    }

    fn has(&self, feature: &str) -> bool {
        self.camera.is_feature_available(feature).unwrap_or(false)
    }

    fn pixel_format(&self, wanted: PixelFormat) -> Result<(), GenicamError> {
        let refused = |error: Option<glib::Error>| {
            let names = self.camera.dup_available_pixel_formats_as_strings().unwrap_or_default();
            let offers = format!("it offers {}", names.join(", "));
            let because = error.map_or_else(String::new, |error| format!(" ({})", error.message()));
            self.refused("PixelFormat", wanted, offers + &because)
        };
        let known = FORMATS.iter().find(|(_, ours, _)| *ours == wanted);
        let Some((code, ..)) = known else { return Err(refused(None)) };
        let offered = self.camera.dup_available_pixel_formats().unwrap_or_default();
        if !offered.contains(&i64::from(code.raw())) {
            return Err(refused(None));
        }
        self.camera.set_pixel_format(*code).map_err(|error| refused(Some(error)))
    }

    fn size(&self, size: SizePx) -> Result<(), GenicamError> {
        // What is left of an earlier setting would narrow what can be chosen.
        for offset in ["OffsetX", "OffsetY"] {
            if self.has(offset) {
                self.set(offset, "0")?;
            }
        }
        self.set("Width", &size.width.to_string())?;
        self.set("Height", &size.height.to_string())
    }

    fn trigger(&self, trigger: &Trigger) -> Result<(), GenicamError> {
        if *trigger == Trigger::None {
            if self.has("TriggerMode") {
                self.camera.clear_triggers().map_err(self.fails("run freely"))?;
            }
            return Ok(());
        }
        let wanted = trigger.to_string();
        let sources = self.camera.dup_available_trigger_sources().unwrap_or_default();
        let Some(source) = sources.iter().find(|it| it.eq_ignore_ascii_case(&wanted)) else {
            let offers = format!("it offers {}", sources.join(", "));
            return Err(self.refused("TriggerSource", wanted, offers));
        };
        self.camera
            .set_trigger(source)
            .map_err(|error| self.refused("TriggerSource", source, error.message()))
    }

    /// Frame rate, exposure and gain, whose features have other names in every other camera.
    fn rates(&self, config: &GenicamConfig) -> Result<(), GenicamError> {
        let camera = self.camera;
        if let Some(fps) = config.fps {
            let bounds = camera.frame_rate_bounds();
            self.within("AcquisitionFrameRate", fps, bounds, || camera.set_frame_rate(fps))?;
        }
        if let Some(us) = config.exposure_us {
            if camera.is_exposure_auto_available().unwrap_or(false) {
                let off = camera.set_exposure_time_auto(Auto::Off);
                off.map_err(|error| self.refused("ExposureAuto", "Off", error.message()))?;
            }
            let bounds = camera.exposure_time_bounds();
            self.within("ExposureTime", us, bounds, || camera.set_exposure_time(us))?;
        }
        if let Some(gain) = config.gain {
            if !camera.is_gain_available().unwrap_or(false) {
                return Err(self.refused("Gain", gain, "it has no such feature"));
            }
            if camera.is_gain_auto_available().unwrap_or(false) {
                let off = camera.set_gain_auto(Auto::Off);
                off.map_err(|error| self.refused("GainAuto", "Off", error.message()))?;
            }
            let bounds = camera.gain_bounds();
            self.within("Gain", gain, bounds, || camera.set_gain(gain))?;
        }
        Ok(())
    }

    /// Sets a number when it lies in its bounds.
    fn within(
        &self,
        feature: &str,
        value: f64,
        bounds: Result<(f64, f64), glib::Error>,
        set: impl FnOnce() -> Result<(), glib::Error>,
    ) -> Result<(), GenicamError> {
        let (least, most) = bounds.map_err(|e| self.refused(feature, value, e.message()))?;
        let offers = format!("it offers {least} to {most}");
        if !(least..=most).contains(&value) {
            return Err(self.refused(feature, value, offers));
        }
        set().map_err(|e| self.refused(feature, value, format!("{offers} ({})", e.message())))
    }

    fn node(&self, feature: &str, value: &str) -> Result<aravis::GcNode, GenicamError> {
        let missing = || self.refused(feature, value, "it has no such feature");
        let node = self.device.feature(feature).ok_or_else(missing)?;
        if !self.has(feature) {
            let offers = "it has that feature, but not with its other settings as they are";
            return Err(self.refused(feature, value, offers));
        }
        Ok(node)
    }

    fn command(&self, feature: &str) -> Result<(), GenicamError> {
        if !self.node(feature, "(a command)")?.is::<GcCommand>() {
            return Err(self.refused(feature, "nothing", "give a value: \"Name=value\""));
        }
        let done = self.device.execute_command(feature);
        done.map_err(|error| self.refused(feature, "(a command)", error.message()))
    }

    /// Sets any feature to what `value` says.
    fn set(&self, feature: &str, value: &str) -> Result<(), GenicamError> {
        let node = self.node(feature, value)?;
        let fails = |error: glib::Error| self.refused(feature, value, error.message());
        // In this order: an enumeration is also a number and a text to Aravis.
        if node.is::<GcEnumeration>() {
            self.set_choice(feature, value)
        } else if node.is::<GcBoolean>() {
            let on = value.to_ascii_lowercase().parse();
            let on = on.map_err(|_| self.refused(feature, value, "it offers true and false"))?;
            self.device.set_boolean_feature_value(feature, on).map_err(fails)
        } else if node.is::<GcCommand>() {
            Err(self.refused(feature, value, "it is a command: give only its name"))
        } else if node.is::<GcFloat>() {
            let bounds = self.device.float_feature_bounds(feature);
            let number = value.parse().map_err(|_| self.refused(feature, value, "not a number"))?;
            let set = || self.device.set_float_feature_value(feature, number);
            self.within(feature, number, bounds, set)
        } else if node.is::<GcInteger>() {
            self.set_integer(feature, value)
        } else {
            self.device.set_string_feature_value(feature, value).map_err(fails)
        }
    }

    fn set_choice(&self, feature: &str, value: &str) -> Result<(), GenicamError> {
        let entries = self.device.dup_available_enumeration_feature_values_as_strings(feature);
        let entries = entries.map_err(|e| self.refused(feature, value, e.message()))?;
        let offers = format!("it offers {}", entries.join(", "));
        if !entries.iter().any(|entry| entry == value) {
            return Err(self.refused(feature, value, offers));
        }
        let set = self.device.set_string_feature_value(feature, value);
        set.map_err(|e| self.refused(feature, value, format!("{offers} ({})", e.message())))
    }

    fn set_integer(&self, feature: &str, value: &str) -> Result<(), GenicamError> {
        let device = &self.device;
        let fails = |error: glib::Error| self.refused(feature, value, error.message());
        let (least, most) = device.integer_feature_bounds(feature).map_err(fails)?;
        let step = device.integer_feature_increment(feature).unwrap_or(1).max(1);
        let refused = |extra: String| {
            let offers = format!("it offers {least} to {most} in steps of {step}{extra}");
            self.refused(feature, value, offers)
        };
        let number: i64 = value.parse().map_err(|_| refused(String::new()))?;
        let fits = (least..=most).contains(&number) && number.wrapping_sub(least) % step == 0;
        if !fits {
            return Err(refused(String::new()));
        }
        let set = device.set_integer_feature_value(feature, number);
        set.map_err(|error| refused(format!(" ({})", error.message())))?;
        match device.integer_feature_value(feature) {
            Ok(got) if got != number => Err(refused(format!(", and stays at {got}"))),
            // Some can only be written.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn packets(&self, config: &GenicamConfig) -> Result<(), GenicamError> {
        let camera = self.camera;
        if !camera.is_gv_device() {
            let keys =
                [("packet_size", config.packet_size), ("packet_delay_ns", config.packet_delay_ns)];
            let given = keys.into_iter().find_map(|(key, value)| Some((key, value?)));
            return given.map_or(Ok(()), |(key, value)| {
                Err(self.refused(key, value, "it is no GigE camera: leave that out"))
            });
        }
        if !config.packet_socket {
            camera.gv_set_stream_options(GvStreamOption::PACKET_SOCKET_DISABLED);
        }
        match config.packet_size {
            Some(bytes) => {
                let set = camera.gv_set_packet_size(i32::try_from(bytes).unwrap_or(i32::MAX));
                let fails = |e: glib::Error| self.refused("packet_size", bytes, e.message());
                set.map_err(fails)?;
                let got = camera.gv_get_packet_size().map_err(fails)?;
                if got != bytes {
                    let offers = format!("it stays at {got}");
                    return Err(self.refused("packet_size", bytes, offers));
                }
            }
            // Some can't send the packets by which that is found out, and have a size all the same.
            None => {
                if let Err(error) = camera.gv_auto_packet_size() {
                    let why = error.message();
                    tracing::warn!(target: "capture", device = self.name, why, "packet size kept");
                }
            }
        }
        if let Some(ns) = config.packet_delay_ns {
            let set = camera.gv_set_packet_delay(i64::from(ns));
            set.map_err(|error| self.refused("packet_delay_ns", ns, error.message()))?;
        }
        Ok(())
    }

    /// How frames will lie, as the camera says itself.
    fn layout(&self) -> Result<Layout, GenicamError> {
        let camera = self.camera;
        let fails = self.fails("say how its frames lie");
        let (_, _, width, height) = camera.region().map_err(&fails)?;
        let code = camera.pixel_format().map_err(&fails)?;
        let payload = camera.payload().map_err(&fails)?;
        let known = FORMATS.iter().find(|(it, ..)| *it == code);
        let Some((_, format, _)) = known else {
            let now = camera.pixel_format_as_string().unwrap_or_default();
            let names = FORMATS.map(|(.., name)| name).join(", ");
            let offers = format!("set pixel_format to one that can be read here: {names}");
            return Err(self.refused("PixelFormat", now, offers));
        };
        let side = |pixels: i32| u32::try_from(pixels).unwrap_or(0);
        let size = SizePx::new(side(width), side(height));
        let (row_bytes, rows) = format.planes(size).first().copied().unwrap_or_default();
        let payload = usize::try_from(payload).unwrap_or(usize::MAX);
        let exposure_us = camera.exposure_time().unwrap_or(0.0).max(0.0);
        let exposure = Duration::try_from_secs_f64(exposure_us / 1e6).unwrap_or_default();
        let layout = Layout { format: *format, size, row_bytes, rows, payload, exposure, code };
        if rows == 0 || payload < row_bytes * rows {
            let camera = self.name.to_owned();
            return Err(GenicamError::Short { camera, wanted: layout.to_string() });
        }
        Ok(layout)
    }
}
