//! What stands between the pictures and the file: conversion, encoder, container. Takes what is to
//! be written; gives the elements in order, or names the package that brings a missing one.

use std::path::Path;

use domain::{PixelFormat, SizePx};
use gst::prelude::*;

use super::{EncodeError, Encoding};

/// Constant quality for H.264: brushed metal keeps its grain; some 70 kB a frame of 1080p.
const H264_QUANTIZER: u32 = 22;

/// More than that quality needs, in bits a second, so that the rate does not decide; openh264
/// refuses 288 million and more.
const H264_RATE_MOST: u32 = 200_000_000;

/// Nanoseconds a tick of Matroska's clock; its usual millisecond would shake frame times.
const MATROSKA_TICK_NS: i64 = 1_000;

/// The Debian and Ubuntu packages that bring the elements.
pub(super) const CORE: &str = "libgstreamer1.0-0";
const BASE: &str = "gstreamer1.0-plugins-base";
const GOOD: &str = "gstreamer1.0-plugins-good";
const BAD: &str = "gstreamer1.0-plugins-bad";
const LIBAV: &str = "gstreamer1.0-libav";

/// The elements from the pictures to the file, both not included.
pub(super) fn chain(
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
        // Without rate control openh264 has a quantizer of its own and heeds no bounds.
        encoder.set_property_from_str("rate-control", "quality");
        encoder.set_property("bitrate", H264_RATE_MOST);
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
pub(super) fn element(
    elements: &'static [&'static str],
    package: &'static str,
) -> Result<gst::Element, EncodeError> {
    elements
        .iter()
        .find_map(|name| gst::ElementFactory::make(name).build().ok())
        .ok_or(EncodeError::NotInstalled { elements, package })
}
