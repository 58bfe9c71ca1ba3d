//! Who looks whether calibrations still hold: takes each camera's serial number when it gives its
//! first frame, and then a frame now and then, on a thread for each camera with something to hold
//! its frames against; gives the cause to `prepare`.

use std::sync::Arc;
use std::time::Duration;

use calibration::watch::Watch;
use calibration::{Objection, Picture};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use domain::{CameraId, Event, Frame};
use models::LumaReader;

use super::{LineError, spawn};
use crate::capture::feed::Met;
use crate::capture::peek::Peek;
use crate::prepare::{LookedAt, News, Still};
use crate::stage::Counters;

/// Looks which camera it is, and at its frames now and then, and holds both against
/// commissioning.
pub struct Watcher {
    /// The camera.
    pub camera: CameraId,
    /// Its serial number as it was calibrated; not compared when absent.
    pub serial: Option<String>,
    /// Where it may look at its frames.
    pub peek: Arc<Peek>,
    /// What frames are held against; they are not looked at when absent.
    pub watch: Option<Watch>,
    /// Where the answer goes.
    pub still: Arc<Still>,
    /// One frame is looked at in so long.
    pub every: Duration,
}

/// Focus, lamp and dirt change slowly, and fifteen samples are judged together.
pub const WATCH_EVERY: Duration = Duration::from_secs(1);

impl Watcher {
    /// Where it may look at frames, if it wants to.
    pub(super) fn peek(&self) -> Option<Arc<Peek>> {
        self.watch.as_ref().map(|_| Arc::clone(&self.peek))
    }

    /// Who is told the camera's serial number each time that it is there again; `None` where there
    /// is none to compare it with. A camera that does not say it is not doubted.
    pub(super) fn met(&self, counters: &Arc<Counters>) -> Option<Met> {
        let made = self.serial.clone()?;
        let (still, camera) = (Arc::clone(&self.still), self.camera.clone());
        let counters = Arc::clone(counters);
        Some(Box::new(move |got| {
            let other = got.filter(|got| *got != made);
            let objection =
                other.map(|got| Objection::Serial { made: made.clone(), got: got.to_owned() });
            let cause = objection.map(|objection| objection.to_string());
            tell(&still, LookedAt::Serial, cause, &camera, &counters);
        }))
    }

    /// Watches until the other end of `stop` goes.
    fn run(&self, mut watch: Watch, stop: &Receiver<()>, counters: &Counters) {
        let mut reader = (LumaReader::default(), Vec::new());
        self.peek.wish();
        while stop.recv_timeout(self.every) == Err(RecvTimeoutError::Timeout) {
            if let Some(frame) = self.peek.fetch() {
                self.look(&mut watch, &frame, &mut reader, counters);
            }
            self.peek.wish();
        }
    }

    fn look(
        &self,
        watch: &mut Watch,
        frame: &Frame,
        (reader, luma): &mut (LumaReader, Vec<u8>),
        counters: &Counters,
    ) {
        let size = frame.pixels.size();
        let read = reader.read(&*frame.pixels, size.rect(), luma);
        let picture = read.is_ok().then(|| Picture::new(size, size.width as usize, luma));
        let Some(Ok(picture)) = picture else { return };
        let cause = match watch.see(&picture, frame.at.mono) {
            Ok(seen) => {
                if seen.settled {
                    self.still.is_like(seen.measures);
                }
                let causes: Vec<_> = seen.causes.iter().map(ToString::to_string).collect();
                (!seen.holds()).then(|| causes.join("; "))
            }
            Err(error) => Some(error.to_string()),
        };
        tell(&self.still, LookedAt::Frames, cause, &self.camera, counters);
    }
}

/// Says to `still` what speaks against it, and tells what is new of that.
fn tell(
    still: &Still,
    looked_at: LookedAt,
    cause: Option<String>,
    camera: &CameraId,
    counters: &Counters,
) {
    let camera = camera.clone();
    match (still.say(looked_at, cause.as_deref()), cause) {
        (Some(News::Lost), Some(cause)) => {
            counters.event(&Event::CalibrationLost { camera, cause });
        }
        (Some(News::Holds), _) => counters.event(&Event::CalibrationHolds { camera }),
        _ => {}
    }
}

/// Starts the watch over a camera's frames, where there is something to hold them against; it ends
/// when what is given here is let go.
pub(super) fn start(
    mut watcher: Watcher,
    counters: &Arc<Counters>,
) -> Result<Option<Sender<()>>, LineError> {
    let Some(watch) = watcher.watch.take() else { return Ok(None) };
    let (going, stop) = bounded(0);
    let counters = Arc::clone(counters);
    let name = format!("watch-{}", watcher.camera);
    // Nobody waits for it: it holds nothing but its own memory.
    spawn(&name, move || {
        crate::priority::come_last();
        watcher.run(watch, &stop, &counters);
    })?;
    Ok(Some(going))
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
        let mut watch = Watch::new(study.finish().unwrap(), Limits::default());
        let watcher = Watcher {
            camera: CameraId::new("top"),
            serial: None,
            peek: Arc::default(),
            watch: None,
            still: Arc::clone(&still),
            every: WATCH_EVERY,
        };
        let counters = Counters::default();
        let mut reader = (LumaReader::default(), Vec::new());
        let mut number = 0;
        let mut see = |light: u64, frames: u64| {
            for _ in 0..frames {
                number += 1;
                watcher.look(&mut watch, &frame(number, light), &mut reader, &counters);
            }
        };
        see(100, 10);
        assert_eq!(still.measures(), None, "too few to say anything");
        see(100, 30);
        assert_eq!(still.lost(), None);
        let bright = || still.measures().unwrap().brightness.unwrap();
        assert!((bright() - 1.0).abs() < 0.01, "{}", bright());
        see(70, 40);
        assert!((bright() - 0.7).abs() < 0.01, "{}", bright());
        assert!(still.lost().unwrap().contains("brightness"), "{:?}", still.lost());
        see(100, 80);
        assert_eq!(still.lost(), None);
        let counts = counters.events();
        assert_eq!((counts["calibration_lost"], counts["calibration_holds"]), (1, 1));
    }

    #[test]
    fn another_camera_is_told_and_the_right_one_again() {
        let still = Arc::new(Still::default());
        let watcher = Watcher {
            camera: CameraId::new("top"),
            serial: Some("DA1".to_owned()),
            peek: Arc::default(),
            watch: None,
            still: Arc::clone(&still),
            every: WATCH_EVERY,
        };
        let counters = Arc::new(Counters::default());
        assert!(watcher.peek().is_none(), "no frame is wanted");
        let mut met = watcher.met(&counters).unwrap();
        met(None);
        met(Some("DA1"));
        assert_eq!((still.lost(), counters.events().len()), (None, 0));
        met(Some("DA2"));
        let cause = still.lost().unwrap();
        assert!(cause.contains("DA1") && cause.contains("DA2"), "{cause}");
        met(Some("DA2"));
        met(Some("DA1"));
        assert_eq!(still.lost(), None);
        let counts = counters.events();
        assert_eq!((counts["calibration_lost"], counts["calibration_holds"]), (1, 1));
        assert!(Watcher { serial: None, ..watcher }.met(&counters).is_none());
    }
}
