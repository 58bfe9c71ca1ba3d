//! `sightline kiosk`: a line with a screen. Takes a station file; the line runs in this process as
//! with `run`, the screen in another one.

use std::net::Shutdown;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle, park_timeout};
use std::time::Duration;

use anyhow::Result;
use domain::CameraId;
use pipeline::clock::Clock;
use store::People;

use super::export;
use super::run::{self, Behind, Floor, Wish};
use super::screen::calibrator::AtWork;
use super::screen::calibrator::counts::Counts;
use super::screen::calibrator::on_line::{OnLine, camera_of};
use super::screen::clerk::{Clerk, Inbox};
use super::screen::door::{self, Cameras};
use super::screen::hall::{Hall, LineBehind};
use super::screen::preview::Previewer;
use super::screen::wire::ToScreen;
use super::screen::{child, facts, setup};
use crate::Ended;

/// How long after its end a screen is started again; doubled while none is seen.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_AFTER_MOST: Duration = Duration::from_secs(30);
/// A screen that was there for so long was seen.
const SEEN_AFTER: Duration = Duration::from_secs(10);

/// Run a line with a screen: operators watch, review and label beside the belt.
///
/// As `run`, and a screen in a process of its own: when the display is lost, the line goes on and
/// the screen is started again. People log in with a PIN; `sightline people` adds the first one.
///
/// Exit codes: as `run`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: run::Args,
    /// In a window, not over the whole display; closing it stops the line.
    #[arg(long)]
    windowed: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let windowed = args.windowed;
    run::run_with(&args.run, move |behind| Ok(Some(Box::new(Backstage::open(behind, windowed)?))))
}

/// Everything behind the screen of a line.
struct Backstage {
    is_over: Arc<AtomicBool>,
    usher: Option<JoinHandle<()>>,
    _calibrates: AtWork,
}

impl Backstage {
    fn open(behind: Behind<'_>, windowed: bool) -> Result<Self> {
        let Behind { floor, wishes, clock, plc_holds } = behind;
        let station = floor.station();
        let folder = station.store.clone();
        let in_force = floor.watch().recipe().number;
        let stills = station.cameras.iter();
        let stills = stills.map(|it| (CameraId::new(&it.name), Arc::clone(&it.still))).collect();
        let watch = Arc::clone(floor.watch());
        let line = LineBehind { watch, plc_holds, store: folder.clone(), stills };
        let facts = facts::of_station(station, in_force)?;
        let hall = Arc::new(Hall::new(facts, Some(line), Arc::clone(&clock)));
        let (answers, to_screen) = channel();
        let (inbox, asked) = channel();
        let again = station.reread();
        let calibrates = calibrating(floor, &hall, &inbox, &clock)?;
        let kept = folder.clone();
        let exported = folder.clone();
        let clerk = Clerk {
            hall: Arc::clone(&hall),
            labels: Ok(floor.store().labels()?),
            people: Some(People::of_store(&folder)?),
            wishes: Some(wishes.clone()),
            calibrator: Some(calibrates.desk()),
            answers,
            inbox: inbox.clone(),
            export: Arc::new(move |format, out| export::by_hand(&exported, format, out)),
            facts: Box::new(move || facts::of_station(&again()?, in_force)),
            keep: Box::new(move |settings| setup::write(&kept, settings)),
            clock: Arc::clone(&clock),
        };
        Builder::new().name("clerk".to_owned()).spawn(move || clerk.work(&asked))?;
        let cameras = Cameras {
            previewers: floor
                .peeks()
                .iter()
                .map(|[peek, _]| Previewer::new(Arc::clone(peek)))
                .collect(),
            counters: Arc::clone(floor.watch().counters()),
            fps: setup::read(&folder).preview_fps,
            are_shown: Arc::default(),
        };
        let is_over = Arc::new(AtomicBool::new(false));
        let usher = Usher {
            folder,
            windowed,
            hall,
            inbox,
            to_screen,
            cameras,
            clock,
            wishes,
            is_over: Arc::clone(&is_over),
        };
        let usher = Builder::new().name("screen".to_owned()).spawn(move || usher.work())?;
        Ok(Self { is_over, usher: Some(usher), _calibrates: calibrates })
    }
}

/// Who calibrates the line's cameras.
fn calibrating(
    floor: &Floor,
    hall: &Arc<Hall>,
    clerk: &Sender<Inbox>,
    clock: &Arc<dyn Clock>,
) -> Result<AtWork> {
    let station = floor.station();
    let cameras = station.cameras.iter().zip(floor.peeks()).map(|(camera, [_, peek])| {
        let feed = OnLine {
            camera: CameraId::new(&camera.name),
            still: Arc::clone(&camera.still),
            counters: Arc::clone(floor.watch().counters()),
            is_named: camera.calibration.is_some(),
            is_anew: Arc::clone(floor.recalibrated()),
            counts: floor.belt().map(Counts::new),
        };
        let anew = "stop and start the line, or select a recipe";
        camera_of(station, camera, Arc::clone(peek), Box::new(feed), anew)
    });
    let clerk = clerk.clone();
    let left = move |camera: &CameraId, why: &str| {
        // Nobody to hear it: the program ends.
        let _ = clerk.send(Inbox::CalibrationLeft(camera.clone(), why.to_owned()));
    };
    Ok(AtWork::start(cameras.collect(), Arc::clone(hall), Arc::clone(clock), Box::new(left))?)
}

impl Drop for Backstage {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(usher) = self.usher.take() {
            let _ = usher.join();
        }
    }
}

/// Keeps a screen there.
struct Usher {
    folder: std::path::PathBuf,
    windowed: bool,
    hall: Arc<Hall>,
    inbox: Sender<Inbox>,
    to_screen: Receiver<ToScreen>,
    cameras: Cameras,
    clock: Arc<dyn Clock>,
    wishes: Sender<Wish>,
    is_over: Arc<AtomicBool>,
}

impl Usher {
    fn work(mut self) {
        let mut again_after = AGAIN_AFTER;
        while !self.is_over.load(Ordering::Acquire) {
            let started = self.clock.now();
            let ended = self.screen();
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            match &ended {
                Ok(true) if self.windowed => {
                    // Nobody to hear it: the program ends already.
                    let _ = self.wishes.send(Wish::Stop);
                    return;
                }
                Ok(true) => tracing::info!(target: "screen", "the screen was closed"),
                Ok(false) => tracing::error!(target: "screen", "the screen ended with an error"),
                Err(error) => tracing::error!(target: "screen", "{error:#}"),
            }
            if self.clock.now().since(started) >= SEEN_AFTER {
                again_after = AGAIN_AFTER;
            }
            tracing::info!(
                target: "screen",
                "the line goes on; another screen is started in {} s",
                again_after.as_secs()
            );
            self.pause(again_after);
            again_after = (2 * again_after).min(AGAIN_AFTER_MOST);
        }
    }

    /// Waits, unless the line ends.
    fn pause(&self, lasts: Duration) {
        let from = self.clock.now();
        while self.clock.now().since(from) < lasts && !self.is_over.load(Ordering::Acquire) {
            park_timeout(Duration::from_millis(50));
        }
    }

    /// One screen, until it ends; whether it ended well.
    fn screen(&mut self) -> Result<bool> {
        let (mut child, stream) = child::start(&self.folder, self.windowed)?;
        let _ = self.inbox.send(Inbox::NewScreen);
        self.cameras.are_shown.store(false, Ordering::Release);
        let (heard, both_ends) = (stream.try_clone()?, stream.try_clone()?);
        let heard = door::hear(heard, self.inbox.clone(), Arc::clone(&self.cameras.are_shown))?;
        let until = || self.is_over.load(Ordering::Acquire) || heard.is_finished();
        let told = door::tell(
            stream,
            &self.hall,
            &self.to_screen,
            Some(&mut self.cameras),
            &*self.clock,
            &until,
        );
        if let Err(error) = told {
            tracing::warn!(target: "screen", "the screen does not listen: {error}");
        }
        // So that the screen sees that it is over, and whoever listens to it too.
        let _ = both_ends.shutdown(Shutdown::Both);
        end(&mut child)
    }
}

/// Waits for a screen that ends; ends one that hangs.
fn end(child: &mut Child) -> Result<bool> {
    for _ in 0..20 {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        park_timeout(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    Ok(false)
}
