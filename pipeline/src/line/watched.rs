//! Who looks whether calibrations still hold, a thread for each camera with something to hold its
//! frames against: takes a frame now and then, gives the cause to `prepare`.

use std::sync::{Arc, mpsc};
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
    /// What frames are held against; `None` while nothing was remembered.
    pub watch: Option<Watch>,
    /// What they are held against from then on.
    pub renewed: mpsc::Receiver<Option<Watch>>,
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
        while stop.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
            self.renew(counters);
            // A target before the camera says nothing of its focus and its lamp.
            let frame = self.peek.fetch().filter(|_| !self.still.is_being_calibrated());
            if let Some(frame) = frame {
                self.look(&frame, &mut reader, counters);
            }
            if self.watch.is_some() {
                self.peek.wish();
            }
        }
    }

    /// Holds frames against something else from now on, if that was asked for.
    fn renew(&mut self, counters: &Counters) {
        if let Some(watch) = self.renewed.try_iter().last() {
            self.watch = watch;
            // What was known was known of the former.
            self.say(None, counters);
        }
    }

    fn say(&self, cause: Option<String>, counters: &Counters) {
        if self.still.say(cause.as_deref()) {
            let camera = self.camera.clone();
            counters.event(&match cause {
                Some(cause) => Event::CalibrationLost { camera, cause },
                None => Event::CalibrationHolds { camera },
            });
        }
    }

    fn look(
        &mut self,
        frame: &Frame,
        (reader, luma): &mut (LumaReader, Vec<u8>),
        counters: &Counters,
    ) {
        let Some(watch) = &mut self.watch else { return };
        let size = frame.pixels.size();
        let read = reader.read(&*frame.pixels, size.rect(), luma);
        let picture = read.is_ok().then(|| Picture::new(size, size.width as usize, luma));
        let Some(Ok(picture)) = picture else { return };
        let cause = match watch.see(&picture, frame.at.mono) {
            Ok(still) if still.holds() => None,
            Ok(still) => {
                let causes: Vec<_> = still.causes.iter().map(ToString::to_string).collect();
                Some(causes.join("; "))
            }
            Err(error) => Some(error.to_string()),
        };
        self.say(cause, counters);
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

    /// What good pictures look like under so much light.
    fn watch(light: u64) -> Watch {
        let mut study = BaselineStudy::new(SIZE, None).unwrap();
        for number in 0..60 {
            let luma = luma(number, light);
            study.see(&Picture::new(SIZE, SIZE.width as usize, &luma).unwrap()).unwrap();
        }
        Watch::new(study.finish().unwrap(), Limits::default())
    }

    #[test]
    fn a_lamp_that_fails_is_told_once_and_its_repair_too_and_so_is_another_baseline() {
        let still = Arc::new(Still::default());
        let (renews, renewed) = mpsc::channel();
        let mut watcher = Watcher {
            camera: CameraId::new("top"),
            peek: Arc::default(),
            watch: Some(watch(100)),
            renewed,
            still: Arc::clone(&still),
        };
        let counters = Counters::default();
        let mut reader = (LumaReader::default(), Vec::new());
        let mut number = 0;
        let mut see = |watcher: &mut Watcher, light: u64, frames: u64| {
            for _ in 0..frames {
                number += 1;
                watcher.renew(&counters);
                watcher.look(&frame(number, light), &mut reader, &counters);
            }
        };
        see(&mut watcher, 100, 40);
        assert_eq!(still.lost(), None);
        see(&mut watcher, 70, 40);
        assert!(still.lost().unwrap().contains("brightness"), "{:?}", still.lost());
        see(&mut watcher, 100, 80);
        assert_eq!(still.lost(), None);
        let counts = || {
            let counts = counters.events();
            (counts["calibration_lost"], counts["calibration_holds"])
        };
        assert_eq!(counts(), (1, 1));

        see(&mut watcher, 70, 40);
        renews.send(Some(watch(70))).unwrap();
        see(&mut watcher, 70, 40);
        assert_eq!((still.lost(), counts()), (None, (2, 2)), "calibrated under the other lamp");
        see(&mut watcher, 100, 40);
        assert!(still.lost().is_some());
        renews.send(None).unwrap();
        see(&mut watcher, 70, 40);
        assert_eq!(still.lost(), None, "nothing is remembered");
    }
}
