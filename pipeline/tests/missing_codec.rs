//! What is said when nothing can decode a video, or nothing can encode one. In a process of its
//! own, since decoders are taken away from all of it.

use domain::{CameraId, CaptureTime, OwnedPixels, PixelFormat, SizePx};
use gst::prelude::*;
use sightline_pipeline::capture::{self, CaptureError, SourceConfig};
use sightline_pipeline::record::encode::{EncodeError, Encoding, VideoWriter};

#[test]
fn a_missing_codec_is_named_with_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let size = SizePx::new(64, 48);
    let create = || VideoWriter::create(&path, Encoding::H264, PixelFormat::Gray8, size, 25.0);
    let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![0; 64 * 48]]).unwrap();
    let write = || {
        let mut writer = create().unwrap();
        writer.push(&pixels).unwrap();
        assert!(writer.finish().unwrap().bytes > 500);
    };
    write();
    let registry = gst::Registry::get();
    let remove = |name| {
        registry.lookup_feature(name).inspect(|feature| registry.remove_feature(feature)).is_some()
    };
    assert!(remove("openh264enc"));
    if gst::ElementFactory::find("x264enc").is_some() {
        write();
    } else {
        println!("skipped: no x264enc to fall back on");
    }
    remove("x264enc");
    let decodes = |factory: &gst::ElementFactory| {
        factory.has_type(gst::ElementFactoryType::DECODER)
            && factory
                .static_pad_templates()
                .iter()
                .any(|pad| pad.caps().iter().any(|caps| caps.name() == "video/x-h264"))
    };
    for feature in registry.features(gst::ElementFactory::static_type()) {
        if feature.downcast_ref::<gst::ElementFactory>().is_some_and(decodes) {
            registry.remove_feature(&feature);
        }
    }
    let config = SourceConfig::File { path: path.clone(), pixel_format: None };
    let opened = capture::open(&config, CameraId::new("test"), CaptureTime::default());
    let error = opened.err().unwrap();
    println!("{error}");
    assert!(matches!(error, CaptureError::CodecMissing { .. }), "{error}");
    assert!(error.to_string().contains("H.264"), "{error}");
    assert!(error.to_string().contains("gstreamer1.0-libav"), "{error}");

    let error = create().err().unwrap();
    println!("{error}");
    assert!(matches!(error, EncodeError::NotInstalled { .. }), "{error}");
    assert!(error.to_string().contains("openh264enc"), "{error}");
    assert!(error.to_string().contains("gstreamer1.0-plugins-bad"), "{error}");
}
