//! Who looks whether calibrations still hold, a thread for each camera with something to hold its
//! frames against: takes a frame now and then, gives the cause to `prepare`.

use std::sync::Arc;
use std::time::Duration;

use calibration::Picture;
use calibration::watch::Watch;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use domain::{CameraId, Event, Frame};
use models::LumaReader;

use super::{LineError, spawn};
use crate::capture::peek::Peek;
use crate::prepare::Still;
use crate::stage::Counters;

/// Looks at a camera's frames now and then, and holds them against commissioning.
pub struct Watcher {
    /// The camera.
    pub camera: CameraId,
    /// Where it may look at its frames.
    pub peek: Arc<Peek>,
    /// What frames are held against.
    pub watch: Watch,
    /// Where the answer goes.
    pub still: Arc<Still>,
}

/// One sample is wished for in so long. Focus, lamp and dirt change slowly, and fifteen samples
/// are judged together.
const WATCH_EVERY: Duration = Duration::from_secs(1);

impl Watcher {
    /// Watches until the other end of `stop` goes.
    fn run(mut self, stop: &Receiver<()>, counters: &Counters) {
        let mut reader = (LumaReader::default(), Vec::new());
        self.peek.wish();
        while stop.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
            // A target before the camera says nothing of its focus and its lamp.
            let frame = self.peek.fetch().filter(|_| !self.still.is_being_calibrated());
            if let Some(frame) = frame {
                self.look(&frame, &mut reader, counters);
            }
            self.peek.wish();
        }
    }

    fn look(
        &mut self,
        frame: &Frame,
        (reader, luma): &mut (LumaReader, Vec<u8>),
        counters: &Counters,
    ) {
        let size = frame.pixels.size();
        let read = reader.read(&*frame.pixels, size.rect(), luma);
        let picture = read.is_ok().then(|| Picture::new(size, size.width as usize, luma));
        let Some(Ok(picture)) = picture else { return };
        let cause = match self.watch.see(&picture, frame.at.mono) {
            Ok(still) if still.holds() => None,
            Ok(still) => {
                let causes: Vec<_> = still.causes.iter().map(ToString::to_string).collect();
                Some(causes.join("; "))
            }
            Err(error) => Some(error.to_string()),
        };
        if self.still.say(cause.as_deref()) {
            let camera = self.camera.clone();
            counters.event(&match cause {
                Some(cause) => Event::CalibrationLost { camera, cause },
                None => Event::CalibrationHolds { camera },
            });
        }
    }
}

/// Starts the watch over a camera's calibration; it ends when what is given here is let go.
pub(super) fn start(watcher: Watcher, counters: &Arc<Counters>) -> Result<Sender<()>, LineError> {
    let (going, stop) = bounded(0);
    let counters = Arc::clone(counters);
    let name = format!("watch-{}", watcher.camera);
    // Nobody waits for it: it holds nothing but its own memory.
    spawn(&name, move || {
        crate::priority::come_last();
        watcher.run(&stop, &counters);
    })?;
    Ok(going)
}

#[cfg(test)]
mod tests {
    use calibration::watch::{BaselineStudy, Limits};
    use domain::{CaptureTime, MonoTime, OwnedPixels, PixelFormat, SizePx, WallTime};

    use super::*;

    const SIZE: SizePx = SizePx::new(256, 192);

    /// A belt with texture that moves, lit by `light` percent.
    fn luma(number: u64, light: u64) -> Vec<u8> {
        let texture = |x: u64, y: u64| {
            let x = (x + 7 * number) % 112;
            let mixed = (x * 2_654_435_761) ^ ((y / 3) * 40_503) ^ ((x / 5) * 9_176_263);
            (mixed >> 7) & 63
        };
        (0..u64::from(SIZE.height))
            .flat_map(|y| (0..u64::from(SIZE.width)).map(move |x| (x, y)))
            .map(|(x, y)| u8::try_from(light * (90 + texture(x, y)) / 100).unwrap())
            .collect()
    }

    fn frame(number: u64, light: u64) -> Frame {
        let pixels = OwnedPixels::new(PixelFormat::Gray8, SIZE, vec![luma(number, light)]);
        let mono = MonoTime { ns: number * 1_000_000_000 };
        Frame {
            camera: CameraId::new("top"),
            sequence: number,
            at: CaptureTime { mono, wall: WallTime { unix_ns: 0 } },
            origin: None,
            pixels: Arc::new(pixels.unwrap()),
        }
    }

    #[test]
    fn a_lamp_that_fails_is_told_once_and_its_repair_too() {
        let mut study = BaselineStudy::new(SIZE, None).unwrap();
        for number in 0..60 {
            let luma = luma(number, 100);
            study.see(&Picture::new(SIZE, SIZE.width as usize, &luma).unwrap()).unwrap();
        }
        let still = Arc::new(Still::default());
        let mut watcher = Watcher {
            camera: CameraId::new("top"),
            peek: Arc::default(),
            watch: Watch::new(study.finish().unwrap(), Limits::default()),
            still: Arc::clone(&still),
        };
        let counters = Counters::default();
        let mut reader = (LumaReader::default(), Vec::new());
        let mut number = 0;
        let mut see = |light: u64, frames: u64| {
            for _ in 0..frames {
                number += 1;
                watcher.look(&frame(number, light), &mut reader, &counters);
            }
        };
        see(100, 40);
        assert_eq!(still.lost(), None);
        see(70, 40);
        assert!(still.lost().unwrap().contains("brightness"), "{:?}", still.lost());
        see(100, 80);
        assert_eq!(still.lost(), None);
        let counts = counters.events();
        assert_eq!((counts["calibration_lost"], counts["calibration_holds"]), (1, 1));
    }
}
