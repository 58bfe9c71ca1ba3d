//! A pipeline as the configuration spells it. Takes `gst-launch-1.0` text; gives a running stream.

use domain::CameraId;
use gst::prelude::*;
use gst_app::AppSink;

use super::CaptureError;
use super::complaint::{Complaint, Origin};
use super::gst::{Kind, Pace, Parts, Stream, init};
use super::mapped::KNOWN;
use super::secrets::without_credentials;

/// What the appsink is called in a configured pipeline.
const SINK: &str = "sightline";

/// A configured pipeline.
pub(super) struct Custom {
    pipeline: String,
}

/// Builds and starts `text`.
pub(super) fn open(
    text: &str,
    pace: Pace,
    camera: CameraId,
) -> Result<Stream<Custom>, CaptureError> {
    let (pipeline, sink) = build(text)?;
    Stream::start(Parts {
        origin: Origin::Pipeline(text.to_owned()),
        pipeline,
        sink,
        kind: Custom { pipeline: text.to_owned() },
        camera,
        pace,
        pixel_format: None,
    })
}

/// Builds `text`, which finds most mistakes in it.
pub(super) fn build(text: &str) -> Result<(gst::Pipeline, AppSink), CaptureError> {
    init()?;
    let refuse = |reason: String| CaptureError::BadPipeline {
        pipeline: without_credentials(text),
        reason: without_credentials(&reason),
    };
    let pipeline = parse(text).map_err(|error| refuse(error.to_string()))?;
    let pipeline = pipeline
        .downcast::<gst::Pipeline>()
        .map_err(|_| refuse("it is one element; give at least a source".to_owned()))?;
    let sink = pipeline
        .by_name(SINK)
        .and_then(|element| element.downcast::<AppSink>().ok())
        .ok_or_else(|| refuse(format!("the element called {SINK} must be an appsink")))?;
    Ok((pipeline, sink))
}

/// Parses `text`, with our appsink at its end when it names none.
fn parse(text: &str) -> Result<gst::Element, gst::glib::Error> {
    if text.contains(&format!("name={SINK}")) {
        gst::parse::launch(text)
    } else {
        gst::parse::launch(&format!("{text} ! appsink name={SINK}"))
    }
}

impl Kind for Custom {
    fn explain(&self, complaint: &Complaint, frame: u64) -> CaptureError {
        let mut reason = complaint.reason();
        if let Some((_, name)) = &complaint.missing {
            reason = format!("{reason} (missing: {name})");
        }
        if reason.contains("not-negotiated") {
            reason = format!("{reason}; frames must be {KNOWN}: end it in \"! videoconvert\"");
        }
        if complaint.error.kind::<gst::StreamError>() == Some(gst::StreamError::Decode) {
            let what = Origin::Pipeline(self.pipeline.clone()).to_string();
            return CaptureError::Decode { what, frame, reason };
        }
        CaptureError::Pipeline {
            what: Origin::Pipeline(self.pipeline.clone()).to_string(),
            element: complaint.element.clone(),
            reason,
        }
    }
}
