//! A camera of this machine, by Video4Linux. Takes its device and what to ask of it; gives its
//! frames, or says what the device offers instead.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use calibration::CameraFacts;
use domain::{CameraId, SizePx};
use gst::prelude::*;
use gst_app::AppSink;
use serde::{Deserialize, Serialize};

use super::CaptureError;
use super::complaint::{Complaint, Origin};
use super::gst::{BASE, GOOD, Kind, Pace, Parts, Stream, element, init};
use super::stamps::period_from_fps;
use crate::clock::Clock;

/// How far a device's frame rate may be from the one asked for: 30000/1001 is 29.97 and 30.
const FPS_OFF: f64 = 0.002;

/// How many of the pictures that a device offers are told.
const OFFERS_MOST: usize = 12;

/// What to ask of a camera of this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V4l2Config {
    /// Such as `/dev/video0`; better one of `/dev/v4l/by-path/`, which stays the same.
    pub device: PathBuf,
    /// Size of the picture.
    pub size: SizePx,
    /// Frames per second.
    pub fps: f64,
    /// How the camera sends pixels.
    pub format: V4l2Format,
}

/// How a camera of this machine sends pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum V4l2Format {
    /// One byte of luma.
    Gray8,
    /// Two bytes of luma.
    Gray16Le,
    /// Bayer mosaic, first row red green.
    BayerRggb8,
    /// Bayer mosaic, first row blue green.
    BayerBggr8,
    /// Bayer mosaic, first row green red.
    BayerGrbg8,
    /// Bayer mosaic, first row green blue.
    BayerGbrg8,
    /// Luma, then chroma at half width and height.
    Nv12,
    /// Luma, then two planes of chroma.
    I420,
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red.
    Bgr8,
    /// Luma and chroma by turns; converted to nv12, at a copy a frame.
    Yuyv,
    /// Chroma and luma by turns; converted to nv12, at a copy a frame.
    Uyvy,
    /// A JPEG a frame; decoded.
    Mjpeg,
}

impl V4l2Format {
    /// As GStreamer's caps call it.
    const fn caps(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Gray8 => ("video/x-raw", Some("GRAY8")),
            Self::Gray16Le => ("video/x-raw", Some("GRAY16_LE")),
            Self::BayerRggb8 => ("video/x-bayer", Some("rggb")),
            Self::BayerBggr8 => ("video/x-bayer", Some("bggr")),
            Self::BayerGrbg8 => ("video/x-bayer", Some("grbg")),
            Self::BayerGbrg8 => ("video/x-bayer", Some("gbrg")),
            Self::Nv12 => ("video/x-raw", Some("NV12")),
            Self::I420 => ("video/x-raw", Some("I420")),
            Self::Rgb8 => ("video/x-raw", Some("RGB")),
            Self::Bgr8 => ("video/x-raw", Some("BGR")),
            Self::Yuyv => ("video/x-raw", Some("YUY2")),
            Self::Uyvy => ("video/x-raw", Some("UYVY")),
            Self::Mjpeg => ("image/jpeg", None),
        }
    }
}

impl V4l2Config {
    /// Caps to ask the device for.
    fn caps(&self) -> Result<gst::Caps, CaptureError> {
        period_from_fps(self.fps)?;
        let side = |key, px: u32| {
            i32::try_from(px).ok().filter(|px| *px > 0).ok_or_else(|| CaptureError::Setting {
                key,
                value: px.to_string(),
                right: "the size of a picture that the camera offers".to_owned(),
            })
        };
        let rate = |factor: f64| {
            gst::Fraction::approximate_f64(self.fps * factor)
                .ok_or(CaptureError::Fps { fps: self.fps })
        };
        let (name, format) = self.format.caps();
        let builder = gst::Structure::builder(name)
            .field("width", side("size.width", self.size.width)?)
            .field("height", side("size.height", self.size.height)?)
            .field(
                "framerate",
                gst::FractionRange::new(rate(1.0 - FPS_OFF)?, rate(1.0 + FPS_OFF)?),
            );
        let structure = match format {
            Some(format) => builder.field("format", format).build(),
            None => builder.build(),
        };
        Ok([structure].into_iter().collect())
    }

    /// What has to be done to its pictures before they can be read.
    fn converters(&self) -> Result<Vec<gst::Element>, CaptureError> {
        match self.format {
            V4l2Format::Mjpeg => {
                Ok(vec![element("jpegdec", GOOD)?, element("videoconvert", BASE)?])
            }
            V4l2Format::Yuyv | V4l2Format::Uyvy => Ok(vec![element("videoconvert", BASE)?]),
            _ => Ok(Vec::new()),
        }
    }
}

/// A camera of this machine.
pub(super) struct V4l2 {
    device: PathBuf,
    wanted: gst::Caps,
    source: gst::Element,
    serial: Option<String>,
}

/// Opens the camera and starts it.
pub(super) fn open(
    config: &V4l2Config,
    camera: CameraId,
    clock: std::sync::Arc<dyn Clock>,
) -> Result<Stream<V4l2>, CaptureError> {
    let (pipeline, sink, mut kind) = build(config)?;
    check_device(&config.device)?;
    kind.serial = usb_serial(&config.device, Path::new(SYSTEM));
    let counts = kind.source.static_pad("src");
    Stream::start(Parts {
        origin: Origin::File(config.device.clone()),
        pipeline,
        sink,
        kind,
        camera,
        pace: Pace::Live { clock, counts },
        pixel_format: None,
    })
}

/// Builds the pipeline without touching the device.
pub(super) fn build(config: &V4l2Config) -> Result<(gst::Pipeline, AppSink, V4l2), CaptureError> {
    init()?;
    let wanted = config.caps()?;
    let source = element("v4l2src", GOOD)?;
    source.set_property("device", config.device.to_string_lossy().as_ref());
    let filter = element("capsfilter", "libgstreamer1.0-0")?;
    filter.set_property("caps", &wanted);
    let converters = config.converters()?;
    let sink = AppSink::builder().build();
    if !converters.is_empty() {
        // Luma as it was sent; of what can be read here, these lose the least.
        let raw = gst_video::VideoCapsBuilder::new().format_list([
            gst_video::VideoFormat::Nv12,
            gst_video::VideoFormat::I420,
            gst_video::VideoFormat::Gray8,
        ]);
        sink.set_caps(Some(&raw.build()));
    }
    let pipeline = gst::Pipeline::new();
    let mut chain = vec![source.clone(), filter];
    chain.extend(converters);
    chain.push(sink.clone().upcast());
    pipeline.add_many(&chain).and_then(|()| gst::Element::link_many(&chain)).map_err(|error| {
        CaptureError::Pipeline {
            what: Origin::File(config.device.clone()).to_string(),
            element: "pipeline".to_owned(),
            reason: error.message.to_string(),
        }
    })?;
    Ok((pipeline, sink, V4l2 { device: config.device.clone(), wanted, source, serial: None }))
}

/// Refuses what is no camera's device in words that help.
fn check_device(device: &Path) -> Result<(), CaptureError> {
    let device = device.to_owned();
    let Ok(about) = fs::metadata(&device) else {
        return Err(CaptureError::DeviceMissing { device, present: present() });
    };
    if !about.file_type().is_char_device() {
        return Err(CaptureError::NotADevice { device, present: present() });
    }
    match fs::File::options().read(true).write(true).open(&device) {
        Ok(_) => Ok(()),
        Err(reason) => Err(CaptureError::DeviceRefused { device, reason }),
    }
}

/// Where Linux tells of its Video4Linux devices.
const SYSTEM: &str = "/sys/class/video4linux";

/// The serial number that a USB camera says it has, under `system`. Many cheap ones say none, and
/// some makers give all of theirs the same.
fn usb_serial(device: &Path, system: &Path) -> Option<String> {
    // A name by path or by id is a link to the one that the system knows.
    let device = device.canonicalize().ok()?;
    // The camera's function lies within the USB device, which has the number.
    let function = system.join(device.file_name()?).join("device").canonicalize().ok()?;
    let usb = function.parent()?;
    let serial =
        fs::read_to_string(usb.join("serial")).ok().filter(|_| usb.join("idVendor").exists());
    serial.map(|serial| serial.trim().to_owned()).filter(|serial| !serial.is_empty())
}

/// The cameras of this machine.
fn present() -> String {
    let names = fs::read_dir("/dev").into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let cameras: BTreeSet<_> = names.filter(|name| name.starts_with("video")).collect();
    if cameras.is_empty() {
        return "none".to_owned();
    }
    cameras.iter().map(|name| format!("/dev/{name}")).collect::<Vec<_>>().join(", ")
}

impl Kind for V4l2 {
    fn facts(&self) -> CameraFacts {
        CameraFacts { serial: self.serial.clone(), ..CameraFacts::default() }
    }

    fn explain(&self, complaint: &Complaint, _: u64) -> CaptureError {
        let device = self.device.clone();
        let reason = complaint.reason();
        let refused = reason.contains("not-negotiated")
            || complaint.error.kind::<gst::ResourceError>() == Some(gst::ResourceError::Settings)
            || complaint.error.kind::<gst::CoreError>() == Some(gst::CoreError::Negotiation);
        if complaint.error.kind::<gst::ResourceError>() == Some(gst::ResourceError::Busy) {
            return CaptureError::DeviceBusy { device };
        }
        if refused {
            let offers = offers(&self.source.static_pad("src").map(|pad| pad.query_caps(None)));
            let wanted = self.wanted.to_string();
            return CaptureError::DeviceOffers { device, wanted, offers, reason };
        }
        CaptureError::Pipeline {
            what: Origin::File(device).to_string(),
            element: complaint.element.clone(),
            reason,
        }
    }
}

/// What a device offers, one kind of picture after the other. Caps of a closed device are those of
/// any device, without a size, and say nothing.
fn offers(caps: &Option<gst::Caps>) -> String {
    let known = |structure: &gst::StructureRef| {
        let (width, height) =
            (structure.get::<i32>("width").ok()?, structure.get::<i32>("height").ok()?);
        let format = structure.get::<&str>("format").unwrap_or(structure.name().as_str());
        let fps = structure.value("framerate").map(|fps| fps.serialize().unwrap_or_default());
        let fps = fps.map(|fps| fps.to_string()).unwrap_or_default();
        Some(format!("{format} {width}x{height} at {fps}"))
    };
    let pictures: Vec<_> = caps.iter().flat_map(|caps| caps.iter().filter_map(known)).collect();
    match pictures.len() {
        0 => "nothing that it tells of".to_owned(),
        more if more > OFFERS_MOST => {
            format!("{} and {} more", pictures[..OFFERS_MOST].join("; "), more - OFFERS_MOST)
        }
        _ => pictures.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(fps: f64, format: V4l2Format) -> V4l2Config {
        V4l2Config { device: "/dev/video0".into(), size: SizePx::new(640, 480), fps, format }
    }

    #[test]
    fn a_rate_is_met_by_the_fraction_that_a_camera_says() {
        gst::init().unwrap();
        for (fps, offered, fits) in
            [(29.97, (30000, 1001), true), (30.0, (30, 1), true), (30.0, (25, 1), false)]
        {
            let caps = config(fps, V4l2Format::Nv12).caps().unwrap();
            let camera = gst_video::VideoCapsBuilder::new()
                .format(gst_video::VideoFormat::Nv12)
                .width(640)
                .height(480)
                .framerate(gst::Fraction::new(offered.0, offered.1));
            assert_eq!(caps.can_intersect(&camera.build()), fits, "{fps}");
        }
    }

    #[test]
    fn every_format_builds_and_wrong_settings_do_not() {
        for format in
            [V4l2Format::Gray8, V4l2Format::BayerGbrg8, V4l2Format::Yuyv, V4l2Format::Mjpeg]
        {
            assert!(build(&config(30.0, format)).is_ok(), "{format:?}");
        }
        assert!(matches!(build(&config(0.0, V4l2Format::Gray8)), Err(CaptureError::Fps { .. })));
        let mut flat = config(30.0, V4l2Format::Gray8);
        flat.size.height = 0;
        let error = build(&flat).err().unwrap().to_string();
        assert!(error.contains("size.height"), "{error}");
    }

    #[test]
    fn what_a_camera_offers_is_told_shortly() {
        gst::init().unwrap();
        let caps = |text: &str| Some(text.parse::<gst::Caps>().unwrap());
        let two = caps(
            "video/x-raw,format=YUY2,width=640,height=480,\
             framerate={(fraction)30/1,(fraction)15/1};\
             image/jpeg,width=1920,height=1080,framerate=30/1",
        );
        let told = offers(&two);
        assert!(told.contains("YUY2 640x480") && told.contains("15/1"), "{told}");
        assert!(told.contains("image/jpeg 1920x1080"), "{told}");
        assert!(offers(&caps("video/x-raw,width=[1,100]")).contains("nothing"));
        let many = (1..30).map(|side| format!("video/x-raw,width={side},height=1"));
        let many = offers(&caps(&many.collect::<Vec<_>>().join(";")));
        assert!(many.ends_with("and 17 more"), "{many}");
    }

    #[test]
    fn a_usb_camera_has_the_serial_number_that_the_system_knows() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let link = |to: &str, from: &str| std::os::unix::fs::symlink(at(to), at(from)).unwrap();
        for place in ["dev/by-path", "class/video0", "class/video1", "usb/1-1/1-1:1.0", "pci/0/1"] {
            fs::create_dir_all(at(place)).unwrap();
        }
        for file in ["dev/video0", "dev/video1", "dev/video2"] {
            fs::write(at(file), "").unwrap();
        }
        link("dev/video0", "dev/by-path/camera");
        link("usb/1-1/1-1:1.0", "class/video0/device");
        link("pci/0/1", "class/video1/device");
        let serial = |device: &str| usb_serial(&at(device), &at("class"));
        assert_eq!(serial("dev/video0"), None, "it says none");
        fs::write(at("usb/1-1/idVendor"), "046d\n").unwrap();
        fs::write(at("usb/1-1/serial"), "7C3E21F0\n").unwrap();
        fs::write(at("pci/0/serial"), "1\n").unwrap();
        for device in ["dev/video0", "dev/by-path/camera"] {
            assert_eq!(serial(device).as_deref(), Some("7C3E21F0"), "{device}");
        }
        for device in ["dev/video1", "dev/video2", "dev/video3"] {
            assert_eq!(serial(device), None, "{device}");
        }
    }
}
