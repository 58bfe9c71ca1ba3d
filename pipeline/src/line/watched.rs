//! Who looks whether calibrations still hold: takes what each camera says of itself when it gives
//! its first frame, and then a frame now and then, on a thread for each camera that is calibrated;
//! gives the cause to `prepare`.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use calibration::watch::Watch;
use calibration::{CameraFacts, Picture, Profile};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use domain::{CameraId, Event, Frame};
use models::LumaReader;

use super::{LineError, spawn};
use crate::capture::feed::{Beside, Met};
use crate::capture::peek::Peek;
use crate::prepare::{LookedAt, News, Still};
use crate::stage::Counters;

/// What a camera is held against.
#[derive(Debug)]
pub struct Against {
    /// Which camera was calibrated, and how it was set.
    pub profile: Profile,
    /// What its frames looked like; they are not looked at when absent.
    pub watch: Option<Watch>,
}

/// Looks which camera it is, and at its frames now and then, and holds both against
/// commissioning.
pub struct Watcher {
    /// The camera.
    pub camera: CameraId,
    /// What it is held against; nothing where it is not calibrated.
    pub against: Option<Against>,
    /// What it is held against from then on: it was calibrated again.
    pub renewed: mpsc::Receiver<Against>,
    /// Where the answer goes.
    pub still: Arc<Still>,
    /// One frame is looked at in so long.
    pub every: Duration,
}

/// Focus, lamp and dirt change slowly, and fifteen samples are judged together.
pub const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Which camera was calibrated. Shared with the thread that captures, so that no frame of another
/// camera is taken for one of this.
type Known = Arc<Mutex<Option<Profile>>>;

/// The watch's thread.
struct Watched {
    camera: CameraId,
    watch: Option<Watch>,
    renewed: mpsc::Receiver<Against>,
    known: Known,
    peek: Arc<Peek>,
    still: Arc<Still>,
    every: Duration,
    counters: Arc<Counters>,
}

impl Watched {
    fn new(watcher: Watcher, counters: &Arc<Counters>) -> Self {
        let Watcher { camera, against, renewed, still, every } = watcher;
        let (profile, watch) = against.map(|it| (it.profile, it.watch)).unzip();
        let (known, watch) = (Arc::new(Mutex::new(profile)), watch.flatten());
        let (peek, counters) = (Arc::default(), Arc::clone(counters));
        Self { camera, watch, renewed, known, peek, still, every, counters }
    }

    /// Who is told what the camera says of itself each time that it is there again. What it does
    /// not say is not doubted.
    fn met(&self) -> Met {
        let (known, still) = (Arc::clone(&self.known), Arc::clone(&self.still));
        let (camera, counters) = (self.camera.clone(), Arc::clone(&self.counters));
        Box::new(move |says| {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let objections = objections(known.as_ref(), &says);
            still.met(says);
            tell(&still, LookedAt::Camera, objections, &camera, &counters);
        })
    }

    /// Watches until the other end of `stop` goes.
    fn run(mut self, stop: &Receiver<()>) {
        let mut reader = (LumaReader::default(), Vec::new());
        self.wish();
        while stop.recv_timeout(self.every) == Err(RecvTimeoutError::Timeout) {
            self.renew();
            // A target before the camera says nothing of its focus and its lamp.
            let frame = self.peek.fetch().filter(|_| !self.still.is_being_calibrated());
            if let Some(frame) = frame {
                self.look(&frame, &mut reader);
            }
            self.wish();
        }
    }

    fn wish(&self) {
        if self.watch.is_some() {
            self.peek.wish();
        }
    }

    /// Holds the camera against something else from now on, if that was asked for.
    fn renew(&mut self) {
        let Some(Against { profile, watch }) = self.renewed.try_iter().last() else { return };
        self.watch = watch;
        // What was known was known of the former.
        self.still.is_like(None);
        self.say(LookedAt::Profile, None);
        self.say(LookedAt::Frames, None);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let objections = objections(Some(&profile), &self.still.says());
        *known = Some(profile);
        self.say(LookedAt::Camera, objections);
    }

    fn say(&self, looked_at: LookedAt, cause: Option<String>) {
        tell(&self.still, looked_at, cause, &self.camera, &self.counters);
    }

    fn look(&mut self, frame: &Frame, (reader, luma): &mut (LumaReader, Vec<u8>)) {
        let Some(watch) = &mut self.watch else { return };
        let size = frame.pixels.size();
        let read = reader.read(&*frame.pixels, size.rect(), luma);
        let picture = read.is_ok().then(|| Picture::new(size, size.width as usize, luma));
        let Some(Ok(picture)) = picture else { return };
        let cause = match watch.see(&picture, frame.at.mono) {
            Ok(seen) => {
                if seen.settled {
                    self.still.is_like(Some(seen.measures));
                }
                let causes: Vec<_> = seen.causes.iter().map(ToString::to_string).collect();
                (!seen.holds()).then(|| causes.join("; "))
            }
            Err(error) => Some(error.to_string()),
        };
        self.say(LookedAt::Frames, cause);
    }
}

/// What speaks against a camera that says this of itself.
fn objections(profile: Option<&Profile>, says: &CameraFacts) -> Option<String> {
    let all = profile?.objections_to_camera(says);
    let said: Vec<_> = all.iter().map(ToString::to_string).collect();
    (!said.is_empty()).then(|| said.join("; "))
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

/// Starts the watch over a camera, which is told and shown things `beside` the line; on a thread of
/// its own where there is something to hold it against. It ends when what is given is let go.
pub(super) fn start(
    watcher: Watcher,
    beside: &mut Beside,
    counters: &Arc<Counters>,
) -> Result<Option<Sender<()>>, LineError> {
    let is_calibrated = watcher.against.is_some();
    let watched = Watched::new(watcher, counters);
    beside.met = Some(watched.met());
    if !is_calibrated {
        return Ok(None);
    }
    beside.peeks.push(Arc::clone(&watched.peek));
    let (going, stop) = bounded(0);
    let name = format!("watch-{}", watched.camera);
    // Nobody waits for it: it holds nothing but its own memory.
    spawn(&name, move || {
        crate::priority::come_last();
        watched.run(&stop);
    })?;
    Ok(Some(going))
}

#[cfg(test)]
mod tests {
    use calibration::profile::CameraNote;
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

    fn against(serial: &str, watch: Option<Watch>) -> Against {
        let camera = CameraNote { serial: Some(serial.to_owned()), lens_note: None };
        Against { profile: Profile::new(SIZE, camera, jiff::Timestamp::UNIX_EPOCH), watch }
    }

    fn watched(against: Option<Against>) -> (Watched, mpsc::Sender<Against>, Arc<Counters>) {
        let ((renews, renewed), counters) = (mpsc::channel(), Arc::default());
        let (camera, still, every) = (CameraId::new("top"), Arc::default(), WATCH_EVERY);
        let watcher = Watcher { camera, against, renewed, still, every };
        (Watched::new(watcher, &counters), renews, counters)
    }

    fn counts(counters: &Counters) -> [u64; 2] {
        let counts = counters.events();
        ["calibration_lost", "calibration_holds"].map(|it| counts.get(it).copied().unwrap_or(0))
    }

    #[test]
    fn a_lamp_that_fails_is_told_once_and_its_repair_too_and_so_is_another_baseline() {
        let (mut watched, renews, counters) = watched(Some(against("DA1", Some(watch(100)))));
        let still = Arc::clone(&watched.still);
        let mut reader = (LumaReader::default(), Vec::new());
        let mut number = 0;
        let mut see = |light: u64, frames: u64| {
            for _ in 0..frames {
                number += 1;
                watched.renew();
                watched.look(&frame(number, light), &mut reader);
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
        assert_eq!((still.lost(), counts(&counters)), (None, [1, 1]));

        see(70, 40);
        renews.send(against("DA1", Some(watch(70)))).unwrap();
        see(70, 40);
        let told = counts(&counters);
        assert_eq!((still.lost(), told), (None, [2, 2]), "calibrated under the other lamp");
        see(100, 40);
        assert!(still.lost().is_some());
        renews.send(against("DA1", None)).unwrap();
        see(70, 40);
        assert_eq!((still.lost(), still.measures()), (None, None), "nothing is remembered");
    }

    #[test]
    fn another_camera_is_told_until_it_is_the_right_one_or_is_calibrated_itself() {
        let (mut watched, renews, counters) = watched(Some(against("DA1", None)));
        let (still, mut met) = (Arc::clone(&watched.still), watched.met());
        let says = |serial: &str| CameraFacts {
            serial: Some(serial.to_owned()),
            ..CameraFacts::default()
        };
        met(CameraFacts::default());
        met(says("DA1"));
        assert_eq!((still.lost(), counts(&counters)), (None, [0, 0]));
        met(says("DA2"));
        let cause = still.lost().unwrap();
        assert!(cause.contains("DA1") && cause.contains("DA2"), "{cause}");
        met(says("DA2"));
        met(says("DA1"));
        assert_eq!((still.lost(), counts(&counters)), (None, [1, 1]));
        met(says("DA2"));
        renews.send(against("DA2", None)).unwrap();
        watched.renew();
        assert_eq!((still.lost(), counts(&counters)), (None, [2, 2]));
    }

    #[test]
    fn a_camera_that_is_not_calibrated_is_asked_and_not_doubted() {
        let (watched, ..) = watched(None);
        let facts = CameraFacts { serial: Some("DA1".to_owned()), ..CameraFacts::default() };
        watched.met()(facts.clone());
        assert_eq!((watched.still.lost(), watched.still.says()), (None, facts));
    }
}
