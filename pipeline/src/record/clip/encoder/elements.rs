//! The H.264 encoders that are known, best first, and what each is set to. Takes the size of the
//! pictures; gives the elements between the pictures and the parser, or says what is installed.
//!
//! Run here: openh264enc and x264enc. The others are set as their documentation says; a property
//! that an element's version does not have is left alone.

use gst::prelude::*;

use super::EncoderError;

/// What compresses, best first: hardware before software; x264's licence is the GPL, so that it is
/// only taken before openh264 where somebody has installed it.
const KNOWN: [Known; 6] = [
    Known {
        name: "nvv4l2h264enc",
        before: &["nvvidconv"],
        wants: "video/x-raw(memory:NVMM),format=NV12",
        gives: None,
        settings: nvv4l2,
    },
    Known {
        name: "nvh264enc",
        before: &["videoconvert"],
        wants: "video/x-raw,format=NV12,colorimetry=bt709",
        gives: None,
        settings: nvenc,
    },
    Known {
        name: "vah264enc",
        before: &["videoconvert"],
        wants: "video/x-raw,format=NV12,colorimetry=bt709",
        gives: None,
        settings: va,
    },
    Known {
        name: "v4l2h264enc",
        before: &["videoconvert"],
        wants: "video/x-raw,colorimetry=bt709",
        // Some drivers take the lowest level unless they are told one, and refuse larger pictures.
        gives: Some("video/x-h264,level=(string)4"),
        settings: v4l2,
    },
    Known { name: "x264enc", before: &[], wants: "video/x-raw", gives: None, settings: x264 },
    Known {
        name: "openh264enc",
        before: &[],
        wants: "video/x-raw",
        gives: None,
        settings: openh264,
    },
];

/// What all encoders are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Thousand bits a second.
    pub kbit_per_s: u32,
    /// Key frames are asked for one by one; this many pictures without one are too many.
    pub gop: u32,
}

type Settings = fn(Wish) -> Vec<(&'static str, String)>;

#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    before: &'static [&'static str],
    wants: &'static str,
    gives: Option<&'static str>,
    settings: Settings,
}

/// The encoders that are installed, best first.
pub(super) fn installed() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.name).filter(|name| is_installed(name)).collect()
}

/// The names of all that are known.
pub(super) fn known() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.name).collect()
}

fn is_installed(name: &str) -> bool {
    gst::ElementFactory::find(name).is_some()
}

/// The encoder called `name` with what it needs before and after it, in order; the encoder itself
/// is called `encoder`.
pub(super) fn chain(name: &str, wish: Wish) -> Result<Vec<gst::Element>, EncoderError> {
    let unknown = || EncoderError::Unknown { name: name.to_owned(), known: known() };
    let known = KNOWN.iter().find(|known| known.name == name).ok_or_else(unknown)?;
    let mut chain = known.before.iter().map(|name| make(name)).collect::<Result<Vec<_>, _>>()?;
    if !known.before.is_empty() {
        chain.push(only(known.wants)?);
    }
    let encoder = gst::ElementFactory::make(known.name).name("encoder").build();
    let encoder = encoder.map_err(|_| EncoderError::NotInstalled { element: known.name })?;
    for (property, value) in (known.settings)(wish) {
        set(&encoder, property, &value);
    }
    chain.push(encoder);
    if let Some(gives) = known.gives {
        chain.push(only(gives)?);
    }
    Ok(chain)
}

/// The element `name`, with its defaults.
pub(super) fn make(name: &'static str) -> Result<gst::Element, EncoderError> {
    let made = gst::ElementFactory::make(name).build();
    made.map_err(|_| EncoderError::NotInstalled { element: name })
}

/// Lets only pass what `caps` says.
pub(super) fn only(caps: &'static str) -> Result<gst::Element, EncoderError> {
    let filter = make("capsfilter")?;
    set(&filter, "caps", caps);
    Ok(filter)
}

/// Sets a property that there is, to a value that it takes; anything else is left as it was.
fn set(element: &gst::Element, property: &str, value: &str) {
    let Some(spec) = element.find_property(property) else { return };
    match gst::glib::Value::deserialize_with_pspec(value, &spec) {
        Ok(value) => element.set_property_from_value(property, &value),
        Err(_) => tracing::debug!(property, value, "{} has no such setting", element.name()),
    }
}

fn nvv4l2(wish: Wish) -> Vec<(&'static str, String)> {
    vec![
        ("bitrate", (u64::from(wish.kbit_per_s) * 1000).to_string()),
        ("control-rate", "0".into()),
        ("peak-bitrate", (u64::from(wish.kbit_per_s) * 1500).to_string()),
        ("iframeinterval", wish.gop.to_string()),
        ("idrinterval", wish.gop.to_string()),
        ("num-B-Frames", "0".into()),
        ("insert-sps-pps", "true".into()),
        ("preset-level", "1".into()),
    ]
}

fn nvenc(wish: Wish) -> Vec<(&'static str, String)> {
    vec![
        ("bitrate", wish.kbit_per_s.to_string()),
        ("rc-mode", "vbr".into()),
        ("gop-size", wish.gop.to_string()),
        ("bframes", "0".into()),
        ("rc-lookahead", "0".into()),
        ("zerolatency", "true".into()),
    ]
}

fn va(wish: Wish) -> Vec<(&'static str, String)> {
    vec![
        ("rate-control", "vbr".into()),
        ("bitrate", wish.kbit_per_s.to_string()),
        ("key-int-max", wish.gop.to_string()),
        ("b-frames", "0".into()),
        ("ref-frames", "1".into()),
        ("target-usage", "7".into()),
    ]
}

fn v4l2(wish: Wish) -> Vec<(&'static str, String)> {
    let (bits, gop) = (u64::from(wish.kbit_per_s) * 1000, wish.gop);
    let controls = format!(
        "controls,video_bitrate={bits},video_gop_size={gop},video_b_frames=0,\
         repeat_sequence_header=1"
    );
    vec![("extra-controls", controls)]
}

fn x264(wish: Wish) -> Vec<(&'static str, String)> {
    vec![
        ("bitrate", wish.kbit_per_s.to_string()),
        ("speed-preset", "superfast".into()),
        ("tune", "zerolatency".into()),
        ("key-int-max", wish.gop.to_string()),
        ("bframes", "0".into()),
        ("threads", "1".into()),
    ]
}

fn openh264(wish: Wish) -> Vec<(&'static str, String)> {
    vec![
        ("rate-control", "bitrate".into()),
        ("bitrate", (u64::from(wish.kbit_per_s) * 1000).to_string()),
        ("complexity", "low".into()),
        ("gop-size", wish.gop.to_string()),
        ("scene-change-detection", "false".into()),
        ("enable-frame-skip", "false".into()),
        ("slice-mode", "n-slices".into()),
        ("num-slices", "1".into()),
        ("multi-thread", "1".into()),
    ]
}
