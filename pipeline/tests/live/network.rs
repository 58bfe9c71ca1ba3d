//! Cameras on the network, against a real server on this machine.

use domain::{PixelFormat, SizePx};
use sightline_pipeline::capture::{CaptureError, RtspConfig, SourceConfig, StreamUrl, Transport};

use crate::server::Server;
use crate::{eager, open};

const PICTURES: &str = "videotestsrc is-live=true pattern=ball \
                        ! video/x-raw,format=I420,width=160,height=120,framerate=25/1";

/// Ways to send pictures that can be had here.
fn ways() -> Vec<(&'static str, String)> {
    gst::init().unwrap();
    let all = [
        ("jpegenc", "jpegenc ! rtpjpegpay name=pay0 pt=26"),
        ("x264enc", "x264enc tune=zerolatency key-int-max=10 ! rtph264pay name=pay0 pt=96"),
        ("openh264enc", "openh264enc gop-size=10 ! h264parse ! rtph264pay name=pay0 pt=96"),
    ];
    let has = |name: &str| gst::ElementFactory::find(name).is_some();
    let (here, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| has(name));
    missing.iter().for_each(|(name, _)| println!("skipped: {name} is not installed"));
    here.into_iter().map(|(name, chain)| (name, format!("( {PICTURES} ! {chain} )"))).collect()
}

fn camera(port: u16, transport: Transport) -> SourceConfig {
    let url = format!("rtsp://operator:Geh3im@127.0.0.1:{port}/cam");
    let url = StreamUrl::try_from(url).unwrap();
    SourceConfig::Rtsp(RtspConfig { url, latency_ms: 50, transport })
}

#[test]
fn a_camera_on_the_network_is_lost_and_found_again() {
    for (name, launch) in ways() {
        let server = Server::start(&launch, 0);
        let port = server.port;
        let mut camera = open(&camera(port, Transport::Tcp), &eager()).unwrap();
        let frames: Vec<_> = (0..10).map(|_| camera.frame()).collect();
        assert!(frames.iter().all(|frame| frame.size() == SizePx::new(160, 120)), "{name}");
        let known = [PixelFormat::I420, PixelFormat::Nv12];
        assert!(frames.iter().all(|frame| known.contains(&frame.pixels.format())), "{name}");
        assert!(frames.windows(2).all(|two| two[0].at.mono < two[1].at.mono), "{name}");
        let now = camera.clock.now();
        assert!(frames[9].at.mono <= now, "{name}: {:?} {now:?}", frames[9].at.mono);

        drop(server);
        let (more, why) = camera.until_lost();
        let last = more.last().unwrap_or(&frames[9]).sequence;
        assert!(!why.to_string().contains("Geh3im"), "{name}: {why}");

        let _server = Server::start(&launch, port);
        camera.back();
        assert_eq!(camera.frame().sequence, last + 1, "{name}");
        assert_eq!(camera.frame().sequence, last + 2, "{name}");
    }
}

#[test]
fn packets_may_travel_by_udp() {
    let (_, launch) = &ways()[0];
    let server = Server::start(launch, 0);
    let mut camera = open(&camera(server.port, Transport::Udp), &eager()).unwrap();
    for _ in 0..5 {
        camera.frame();
    }
}

#[test]
fn a_camera_that_is_not_there_at_first_is_sought_and_its_password_kept() {
    let (_, launch) = &ways()[0];
    // A port that nobody listens at any more.
    let port = Server::start(launch, 0).port;
    let mut camera = open(&camera(port, Transport::Tcp), &eager()).unwrap();
    let (frames, why) = camera.until_lost();
    let why = why.to_string();
    assert!(frames.is_empty() && why.contains(&format!("rtsp://127.0.0.1:{port}/cam")), "{why}");
    assert!(!why.contains("Geh3im") && !why.contains("operator"), "{why}");
    let _server = Server::start(launch, port);
    camera.back();
    assert_eq!(camera.frame().sequence, 0);
}

#[test]
fn a_stream_that_does_not_exist_is_lost_with_its_name() {
    let (_, launch) = &ways()[0];
    let server = Server::start(launch, 0);
    let url = format!("rtsp://operator:Geh3im@127.0.0.1:{}/none", server.port);
    let url = StreamUrl::try_from(url).unwrap();
    let config = RtspConfig { url, latency_ms: 50, transport: Transport::Tcp };
    let mut camera = open(&SourceConfig::Rtsp(config), &eager()).unwrap();
    let (_, why) = camera.until_lost();
    assert!(matches!(why, CaptureError::Pipeline { .. }), "{why:?}");
    let why = format!("{why} {why:?}");
    assert!(why.contains("/none") && !why.contains("Geh3im"), "{why}");
}
