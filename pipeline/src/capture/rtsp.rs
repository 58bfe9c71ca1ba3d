//! A camera on the network, by RTSP. Takes its address; gives its frames, decoded. Its password is
//! in no error and no log.

use domain::CameraId;
use gst::prelude::*;
use gst_app::AppSink;
use serde::{Deserialize, Serialize};

use super::CaptureError;
use super::complaint::{Complaint, Origin};
use super::gst::{BASE, GOOD, Kind, Pace, Parts, Stream, element, init};
use super::secrets::StreamUrl;
use crate::clock::Clock;

/// How long a camera may take to accept a connection, in microseconds.
const CONNECTS_WITHIN_US: u64 = 5_000_000;

/// The longest that frames may be kept for late packets, in milliseconds.
const LATENCY_MOST_MS: u32 = 10_000;

/// A camera on the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtspConfig {
    /// Such as `rtsp://user:password@192.168.1.10:554/stream1`.
    pub url: StreamUrl,
    /// How long frames wait for packets that are late, in milliseconds.
    #[serde(default = "latency_ms")]
    pub latency_ms: u32,
    /// How packets travel.
    #[serde(default)]
    pub transport: Transport,
}

fn latency_ms() -> u32 {
    100
}

/// How packets travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// In order and complete.
    #[default]
    Tcp,
    /// Sooner, and not always at all.
    Udp,
}

/// A stream that is decoded.
pub(super) struct Rtsp {
    url: StreamUrl,
}

/// Connects to the camera; what it answers shows with its first frame.
pub(super) fn open(
    config: &RtspConfig,
    camera: CameraId,
    clock: std::sync::Arc<dyn Clock>,
) -> Result<Stream<Rtsp>, CaptureError> {
    let (pipeline, sink) = build(config)?;
    Stream::start(Parts {
        origin: Origin::Address(config.url.to_string()),
        pipeline,
        sink,
        kind: Rtsp { url: config.url.clone() },
        camera,
        pace: Pace::Live { clock, counts: None },
        pixel_format: None,
    })
}

/// rtspsrc ! decodebin ! videoconvert ! appsink, without a connection yet.
pub(super) fn build(config: &RtspConfig) -> Result<(gst::Pipeline, AppSink), CaptureError> {
    init()?;
    if config.latency_ms > LATENCY_MOST_MS {
        return Err(CaptureError::Setting {
            key: "latency_ms",
            value: config.latency_ms.to_string(),
            right: format!("at most {LATENCY_MOST_MS}"),
        });
    }
    let source = source(config)?;
    let decoder = element("decodebin", BASE)?;
    // Hardware decoders leave pictures where no processor reads them.
    decoder.set_property("force-sw-decoders", true);
    let convert = element("videoconvert", BASE)?;
    let sink = AppSink::builder().build();
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([&source, &decoder, &convert, sink.upcast_ref()])
        .and_then(|()| convert.link(&sink))
        .map_err(|error| CaptureError::Pipeline {
            what: config.url.to_string(),
            element: "pipeline".to_owned(),
            reason: error.message.to_string(),
        })?;
    link_later(&source, &decoder);
    link_later(&decoder, &convert);
    Ok((pipeline, sink))
}

fn source(config: &RtspConfig) -> Result<gst::Element, CaptureError> {
    let source = element("rtspsrc", GOOD)?;
    // Not in the address: GStreamer repeats addresses in its errors and logs.
    source.set_property("location", config.url.location());
    source.set_property("user-id", config.url.user());
    source.set_property("user-pw", config.url.password());
    source.set_property("latency", config.latency_ms);
    source.set_property("tcp-timeout", CONNECTS_WITHIN_US);
    let protocols = match config.transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    source.set_property_from_str("protocols", protocols);
    source.connect("select-stream", false, |values| {
        let caps = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
        let media = caps.as_ref().and_then(|caps| caps.structure(0)?.get::<&str>("media").ok());
        // Sound is not asked for.
        Some(media.is_none_or(|media| media == "video").to_value())
    });
    Ok(source)
}

/// Links the first stream that appears at `from` to `to`.
fn link_later(from: &gst::Element, to: &gst::Element) {
    let to = to.downgrade();
    from.connect_pad_added(move |_, pad| {
        let input = to.upgrade().and_then(|to| to.static_pad("sink"));
        if let Some(input) = input.filter(|input| !input.is_linked())
            && let Err(error) = pad.link(&input)
        {
            tracing::warn!(%error, pad = %pad.name(), "a stream of the camera is not used");
        }
    });
}

impl Kind for Rtsp {
    fn explain(&self, complaint: &Complaint, _: u64) -> CaptureError {
        let mut reason = self.url.hidden_in(&complaint.reason());
        if let Some((_, name)) = &complaint.missing {
            reason = format!("{reason} (missing: {name}; install gstreamer1.0-libav)");
        }
        CaptureError::Pipeline {
            what: self.url.to_string(),
            element: complaint.element.clone(),
            reason,
        }
    }
}
