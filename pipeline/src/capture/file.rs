//! A recorded video. Takes a file's name; gives its frames, or says what is wrong with the file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{CameraId, CaptureTime, PixelFormat};
use gst::prelude::*;
use gst_app::AppSink;

use super::CaptureError;
use super::complaint::{Complaint, Origin};
use super::gst::{BASE, GOOD, Kind, Pace, Parts, Stream, element, init};

/// Of the container's duration, how much may be missing at the end: containers round, and few say
/// how long the last frame is shown.
const SHORT_S: f64 = 0.2;
const SHORT_SHARE: f64 = 0.002;

/// Package names, for what may be missing.
const BAD: &str = "gstreamer1.0-plugins-bad";
const UGLY: &str = "gstreamer1.0-plugins-ugly";
const LIBAV: &str = "gstreamer1.0-libav";

/// A video file.
pub(super) struct Video {
    path: PathBuf,
    decoder: gst::Element,
    /// Where the video goes in; unlinked as long as none was found.
    input: gst::Pad,
    others_end: OthersEnd,
}

/// How far the streams that are not ours reached, in nanoseconds: a soundtrack may be longer.
type OthersEnd = Arc<AtomicU64>;

/// Opens `path` and decodes its first frame.
pub(super) fn open(
    path: &Path,
    pixel_format: Option<PixelFormat>,
    camera: CameraId,
    began: CaptureTime,
) -> Result<Stream<Video>, CaptureError> {
    check_file(path)?;
    init()?;
    let (pipeline, sink, kind) = build(path)?;
    let origin = Origin::File(path.to_owned());
    let pace = Pace::Footage(began);
    Stream::start(Parts { origin, pipeline, sink, kind, camera, pace, pixel_format })
}

/// Refuses what GStreamer would complain about in its own words, or hang on.
fn check_file(path: &Path) -> Result<(), CaptureError> {
    let path = path.to_owned();
    let about = match fs::metadata(&path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CaptureError::Missing { path });
        }
        Err(reason) => return Err(CaptureError::Unreadable { path, reason }),
    };
    if about.is_dir() {
        return Err(CaptureError::IsFolder { path });
    }
    if !about.is_file() {
        return Err(CaptureError::NotAFile { path });
    }
    if let Err(reason) = File::open(&path) {
        return Err(CaptureError::Unreadable { path, reason });
    }
    if about.len() == 0 { Err(CaptureError::Empty { path }) } else { Ok(()) }
}

/// filesrc ! decodebin ! videoconvert ! appsink. Properties are set and no text is parsed, so a
/// name may hold anything.
fn build(path: &Path) -> Result<(gst::Pipeline, AppSink, Video), CaptureError> {
    let source = element("filesrc", "libgstreamer1.0-0")?;
    source.set_property("location", path);
    let decoder = element("decodebin", BASE)?;
    // Hardware decoders leave pictures where no processor reads them, and differ by machine.
    decoder.set_property("force-sw-decoders", true);
    let convert = element("videoconvert", BASE)?;
    let sink = AppSink::builder().build();
    let pipeline = gst::Pipeline::new();
    let refuse = |reason: &str| CaptureError::Pipeline {
        what: Origin::File(path.to_owned()).to_string(),
        element: "pipeline".to_owned(),
        reason: reason.to_owned(),
    };
    pipeline
        .add_many([&source, &decoder, &convert, sink.upcast_ref()])
        .and_then(|()| source.link(&decoder))
        .and_then(|()| convert.link(&sink))
        .map_err(|error| refuse(&error.message))?;
    let input = convert.static_pad("sink").ok_or_else(|| refuse("videoconvert has no input"))?;
    let others_end = OthersEnd::default();
    be_strict(&pipeline);
    take_video(&pipeline, &decoder, &input, &others_end);
    Ok((pipeline, sink, Video { path: path.to_owned(), decoder, input, others_end }))
}

/// Has video decoders fail at what they cannot decode: a frame is not to vanish in silence.
fn be_strict(pipeline: &gst::Pipeline) {
    pipeline.connect_deep_element_added(|_, _, element| {
        let video = |factory: gst::ElementFactory| {
            factory.metadata("klass").is_some_and(|klass| klass.contains("Video"))
        };
        if element.factory().is_some_and(video) && element.has_property("max-errors") {
            element.set_property("max-errors", 0);
        }
    });
}

/// Links the first video stream; the others end in a sink that measures them.
fn take_video(
    pipeline: &gst::Pipeline,
    decoder: &gst::Element,
    input: &gst::Pad,
    others_end: &OthersEnd,
) {
    let (weak, video, end) = (pipeline.downgrade(), input.clone(), Arc::clone(others_end));
    decoder.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        if stream_name(&caps) == "video/x-raw" && !video.is_linked() && pad.link(&video).is_ok() {
            return;
        }
        if let Some(pipeline) = weak.upgrade()
            && let Err(error) = measure(&pipeline, pad, &end)
        {
            tracing::warn!(%error, %caps, "a stream beside the video is not measured");
        }
    });
    let video = input.clone();
    decoder.connect_no_more_pads(move |decoder| {
        if !video.is_linked() {
            gst::element_error!(decoder, gst::StreamError::Failed, ("no video stream"));
        }
    });
}

/// Notes how far the stream behind `pad` reaches.
fn measure(
    pipeline: &gst::Pipeline,
    pad: &gst::Pad,
    end: &OthersEnd,
) -> Result<(), gst::glib::BoolError> {
    let sink = gst::ElementFactory::make("fakesink")
        .property("async", false)
        .property("sync", false)
        .build()?;
    pipeline.add(&sink)?;
    sink.sync_state_with_parent()?;
    let end = Arc::clone(end);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some(reached) = info.buffer().and_then(|buffer| stream_time(pad, buffer)) {
            end.fetch_max(reached.nseconds(), Ordering::Relaxed);
        }
        gst::PadProbeReturn::Ok
    });
    let input = sink.static_pad("sink");
    let input = input.ok_or_else(|| gst::glib::bool_error!("fakesink has no input"))?;
    pad.link(&input).map(|_| ()).map_err(|error| gst::glib::bool_error!("{}", error))
}

/// The stream time at which `buffer` ends.
fn stream_time(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
    let end = buffer.pts()? + buffer.duration().unwrap_or(gst::ClockTime::ZERO);
    segment.to_stream_time(end)
}

fn stream_name(caps: &gst::Caps) -> &str {
    caps.structure(0).map_or("nothing", |structure| structure.name().as_str())
}

impl Kind for Video {
    fn explain(&self, complaint: &Complaint, frame: u64) -> CaptureError {
        let path = self.path.clone();
        let reason = complaint.reason();
        if let Some((detail, codec)) = &complaint.missing
            && !detail.starts_with("audio/")
        {
            let (codec, package) = (codec.clone(), package_from_caps(detail));
            return CaptureError::CodecMissing { path, codec, package };
        }
        if !self.input.is_linked() && self.decoder.num_src_pads() > 0 {
            return CaptureError::NoVideo { path, streams: self.streams() };
        }
        let what = Origin::File(path.clone()).to_string();
        match complaint.error.kind::<gst::StreamError>() {
            Some(gst::StreamError::TypeNotFound | gst::StreamError::WrongType) => not_media(path),
            _ if complaint.element == "typefind" => not_media(path),
            Some(gst::StreamError::Decode) => CaptureError::Decode { what, frame, reason },
            Some(gst::StreamError::Demux | gst::StreamError::Failed) if frame == 0 => {
                CaptureError::Incomplete { path, reason }
            }
            Some(gst::StreamError::Demux) => CaptureError::Decode { what, frame, reason },
            _ => CaptureError::Pipeline { what, element: complaint.element.clone(), reason },
        }
    }

    fn gave_up(&self, _: &Origin) -> CaptureError {
        let reason = "its demuxer found nothing to play".to_owned();
        CaptureError::Incomplete { path: self.path.clone(), reason }
    }

    fn check_end(&self, frames: u64, length: Duration) -> Result<(), CaptureError> {
        // Asked now and not when it was opened: demuxers that guess have learnt the truth by now.
        let Some(expected) = self.decoder.query_duration::<gst::ClockTime>() else {
            return Ok(());
        };
        let others = Duration::from_nanos(self.others_end.load(Ordering::Relaxed));
        let expected_s = Duration::from(expected).as_secs_f64();
        let got_s = length.max(others).as_secs_f64();
        if got_s + SHORT_S + SHORT_SHARE * expected_s >= expected_s {
            return Ok(());
        }
        Err(CaptureError::Truncated { path: self.path.clone(), frames, expected_s, got_s })
    }
}

impl Video {
    /// What the file has instead of video.
    fn streams(&self) -> String {
        let pads = self.decoder.src_pads();
        let caps = pads.iter().filter_map(|pad| pad.current_caps());
        let kinds = caps.map(|caps| stream_name(&caps).split('/').take(1).collect::<String>());
        kinds.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// A file that no demuxer knows: text, or anything else.
fn not_media(path: PathBuf) -> CaptureError {
    match text_at_start(&path) {
        Some(begins) => CaptureError::IsText { path, begins },
        None => CaptureError::NotMedia { path },
    }
}

/// The first words of a text file; `None` for any other.
fn text_at_start(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(512).read_to_end(&mut head).ok()?;
    let text = match std::str::from_utf8(&head) {
        Ok(text) => text,
        // A character may be cut by the end of what was read.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let plain = text.chars().all(|char| !char.is_control() || char.is_whitespace());
    plain.then(|| text.chars().take(40).collect())
}

/// The Debian and Ubuntu package that brings a decoder or demuxer for such caps.
fn package_from_caps(name: &str) -> &'static str {
    match name {
        "video/x-vp8" | "video/x-vp9" | "image/jpeg" | "image/png" | "video/quicktime"
        | "video/x-matroska" | "video/webm" | "video/x-msvideo" | "video/x-flv" | "video/x-dv" => {
            GOOD
        }
        "video/x-av1" | "video/mpegts" | "application/mxf" | "image/webp" => BAD,
        "video/x-ms-asf" | "application/vnd.rn-realmedia" => UGLY,
        "video/x-theora" | "application/ogg" => BASE,
        _ => LIBAV,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut long = "ä".repeat(300);
        long.insert(0, 'a');
        for (bytes, begins) in [
            (&b"version https://git-lfs\n"[..], Some("version https://git-lfs\n")),
            (long.as_bytes(), Some("aä")),
            (&[0, 0, 0, 0x18, b'f', b't', b'y', b'p'][..], None),
            (&[0xff, 0xfe, 0x20][..], None),
        ] {
            fs::write(&path, bytes).unwrap();
            let found = text_at_start(&path);
            assert_eq!(found.is_some(), begins.is_some());
            assert!(found.unwrap_or_default().starts_with(begins.unwrap_or_default()));
        }
    }
}
