//! How long locate looks at a frame, and whether four times the pixels take four times as long.
//!
//! Frames are rendered beforehand and shown in a circle, which is a full belt without end; all
//! cases take turns. Learning the belt is left out. One thread, wall time; `ns_per_px` is the
//! median over all pixels of a frame, of which locate reads a thin sample.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, CaptureTime, Frame, Locate, PixelFormat, Pixels};
use pipeline::clock::{Clock, RealClock};
use pipeline::locate::{Given, Locator};
use pipeline::stage::Timing;
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::subject::{CAMERAS, Camera};
use sightline_benches::{Failure, bench};

const FORMATS: [PixelFormat; 3] = [PixelFormat::Gray8, PixelFormat::Nv12, PixelFormat::BayerRggb8];
/// Circles that each case is shown.
const CIRCLES: usize = 75;
const FRAME_TIME: Duration = Duration::from_nanos(16_666_667);

struct Case {
    camera: &'static Camera,
    format: PixelFormat,
    frames: Vec<Arc<dyn Pixels>>,
    locator: Locator,
    clock: Arc<dyn Clock>,
    took: Timing,
    at: CaptureTime,
    sequence: u64,
    parts: usize,
}

impl Case {
    fn new(camera: &'static Camera, format: PixelFormat) -> Result<Self, Failure> {
        let recipe = camera.recipe()?;
        let learning = match &recipe.as_written().locate {
            Locate::Motion(motion) => u64::from(motion.learn_frames),
            Locate::EveryFrame | Locate::Trigger(_) => 0,
        };
        let clock = Arc::new(RealClock::start()) as Arc<dyn Clock>;
        let (id, own_clock) = (CameraId::new("bench"), Arc::clone(&clock));
        let mut case = Self {
            camera,
            format,
            frames: camera.frames(format)?,
            locator: Locator::new(recipe, id, true, Arc::default(), own_clock, Arc::default()),
            clock,
            took: Timing::default(),
            at: CaptureTime::default(),
            sequence: 0,
            parts: 0,
        };
        while case.sequence < learning {
            case.circle()?;
        }
        case.parts = 0;
        case.took = Timing::default();
        Ok(case)
    }

    fn circle(&mut self) -> Result<(), Failure> {
        for pixels in &self.frames {
            let frame = Frame {
                camera: CameraId::new("bench"),
                sequence: self.sequence,
                at: self.at,
                origin: None,
                pixels: Arc::clone(pixels),
            };
            self.sequence += 1;
            self.at.mono = self.at.mono.plus(FRAME_TIME);
            let start = self.clock.now();
            let seen = self.locator.see(frame);
            let given = self.locator.given();
            self.parts += given.filter(|given| matches!(given, Given::Part(_))).count();
            self.took.add(self.clock.now().since(start));
            seen?;
        }
        Ok(())
    }
}

fn measure(report: &mut Report) -> Result<(), Failure> {
    let mut cases = Vec::new();
    for format in FORMATS {
        for camera in &CAMERAS {
            cases.push(Case::new(camera, format)?);
        }
    }
    for _ in 0..CIRCLES {
        cases.iter_mut().try_for_each(Case::circle)?;
    }
    for pair in cases.chunks_exact(CAMERAS.len()) {
        let small = pair[0].took.tail().ok_or("nothing was measured")?;
        for case in pair {
            let tail = case.took.tail().ok_or("nothing was measured")?;
            #[expect(clippy::cast_precision_loss, reason = "a few million pixels")]
            let pixels = case.camera.size.area() as f64;
            report.row(vec![
                ("format", json!(case.format)),
                ("camera", json!(case.camera.name)),
                ("frames", json!(tail.count)),
                ("p50_ms", json!(tail.p50)),
                ("p99_ms", json!(tail.p99)),
                ("ns_per_px", json!(tail.p50 * 1e6 / pixels)),
                ("to_1080p", json!(tail.p50 / small.p50)),
                ("parts", json!(case.parts)),
            ]);
        }
    }
    report.note("to_1080p: median to the median at 1080p; 4K has 4 times the pixels");
    Ok(())
}

fn main() -> ExitCode {
    bench("locate", env!("CARGO_TARGET_TMPDIR"), measure)
}
