//! A station with a camera and a target before it, for tests: the hall, the clerk and who
//! calibrates as in a kiosk, the socket, and the screen's end of it. What the camera shows and what
//! time it is are the test's.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::park_timeout;

use domain::{
    CalibrationStep, CaptureTime, Command, Frame, OwnedPixels, Pin, PixelFormat, Pixels, Role,
    SizePx,
};
use pipeline::clock::{RealClock, SimulatedClock};
use pipeline::prepare::Still;
use pipeline::stage::Counters;
use serde_json::Value;
use std::os::unix::net::UnixStream;
use store::{AuditFilter, People, PinCost, Reader, Store};
use tempfile::TempDir;
use testdata::camera::Sheet;
use ui::calibrating::Calibrating;
use ui::{Answer, Facts, News, Station as _};

use super::super::on_line::OnLine;
use super::super::*;
use crate::modes::calibrate::printed as board;
use crate::modes::run::{RecipeInForce, Watch};
use crate::modes::screen::clerk::{Clerk, Inbox};
use crate::modes::screen::door;
use crate::modes::screen::front::Front;
use crate::modes::screen::hall::LineBehind;
use crate::modes::screen::wire::ToScreen;

pub use board::{FOCAL_PX, SIZE};

/// What hangs before the camera.
pub struct Prop {
    board: Sheet,
}

impl Prop {
    pub fn new() -> Self {
        Self { board: board::board() }
    }

    /// In somebody's hand.
    pub fn in_hand(&self, view: u32) -> Vec<u8> {
        board::seen(&self.board, &board::view(view), 0)
    }

    /// On the belt.
    pub fn on_belt(&self) -> Vec<u8> {
        board::seen(&self.board, &board::over_the_belt(), 0)
    }
}

/// The camera: shows a picture again and again to whoever wishes, until it is unplugged.
#[derive(Default)]
struct Picture {
    shown: Mutex<Option<Arc<dyn Pixels>>>,
    /// Frames so far, a fifth of a second apart.
    frames: AtomicU64,
    is_over: AtomicBool,
}

impl Picture {
    fn show(&self, peek: &Peek) {
        while !self.is_over.load(Ordering::Acquire) {
            if let Some(pixels) = self.shown.lock().unwrap().clone() {
                let sequence = self.frames.fetch_add(1, Ordering::AcqRel);
                let mono = MonoTime::from_ns(sequence * 200_000_000);
                let at = CaptureTime { mono, ..CaptureTime::default() };
                let camera = CameraId::new("top");
                peek.show(&Frame { camera, sequence, at, origin: None, pixels });
            }
            park_timeout(Duration::from_millis(2));
        }
    }
}

/// The station.
pub struct Cell {
    pub folder: TempDir,
    pub clock: Arc<SimulatedClock>,
    pub still: Arc<Still>,
    pub counters: Arc<Counters>,
    pub plc_holds: Arc<AtomicBool>,
    pub is_anew: Arc<AtomicBool>,
    pub to_clerk: Sender<Inbox>,
    people: [PersonId; 2],
    picture: Arc<Picture>,
    front: Front,
    at_work: Option<AtWork>,
    is_over: Arc<AtomicBool>,
}

impl Cell {
    /// Nobody is logged in; `top` has a profile only where its folder is there.
    pub fn new(is_named: bool) -> Self {
        Self::over(tempfile::tempdir().unwrap(), is_named)
    }

    /// The station is started anew, over the profiles that were there.
    pub fn again(self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for profile in fs::read_dir(self.folder.path().join("calibration")).unwrap() {
            let profile = profile.unwrap();
            let to = folder.path().join("calibration").join(profile.file_name());
            fs::create_dir_all(&to).unwrap();
            for file in fs::read_dir(profile.path()).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
        drop(self);
        Self::over(folder, true)
    }

    fn over(folder: TempDir, is_named: bool) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        clock.set(MonoTime::from_ns(1_000_000_000_000));
        let (still, counters) = (Arc::<Still>::default(), Arc::<Counters>::default());
        let plc_holds = Arc::<AtomicBool>::default();
        let hall = hall(&folder, &clock, &still, &plc_holds);
        let (is_anew, peek) = (Arc::<AtomicBool>::default(), Arc::<Peek>::default());
        let name = CameraId::new("top");
        let feed = OnLine {
            camera: name.clone(),
            still: Arc::clone(&still),
            counters: Arc::clone(&counters),
            is_named,
            is_anew: Arc::clone(&is_anew),
            counts: None,
        };
        let camera = Camera {
            name,
            folder: folder.path().join("calibration/top"),
            is_named,
            peek: Arc::clone(&peek),
            feed: Box::new(feed),
            afterwards: "start the line".to_owned(),
        };
        let (to_clerk, inbox) = channel();
        let left_to = to_clerk.clone();
        let left = move |camera: &CameraId, why: &str| {
            let _ = left_to.send(Inbox::CalibrationLeft(camera.clone(), why.to_owned()));
        };
        let its_clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let at_work = AtWork::start(vec![camera], Arc::clone(&hall), its_clock, Box::new(left));
        let at_work = at_work.unwrap();
        let (answers, answered) = channel();
        let desk = (at_work.desk(), answers, to_clerk.clone());
        let (clerk, people) = clerk(&folder, Arc::clone(&hall), desk, Arc::clone(&clock));
        let is_over = Arc::<AtomicBool>::default();
        let (ours, its) = UnixStream::pair().unwrap();
        drop(door::hear(ours.try_clone().unwrap(), to_clerk.clone(), Arc::default()).unwrap());
        let until = Arc::clone(&is_over);
        let tell = move || {
            let until = || until.load(Ordering::Acquire);
            let _ = door::tell(ours, &hall, &answered, None, &RealClock::start(), &until);
        };
        Builder::new().name("tell".to_owned()).spawn(tell).unwrap();
        let work = move || clerk.work(&inbox);
        Builder::new().name("clerk".to_owned()).spawn(work).unwrap();
        let picture = Arc::<Picture>::default();
        let its = (Front::connect(its, folder.path(), || {}).unwrap(), Arc::clone(&picture));
        let (front, shows) = its;
        Builder::new().name("camera".to_owned()).spawn(move || shows.show(&peek)).unwrap();
        let at_work = Some(at_work);
        Self {
            folder,
            clock,
            still,
            counters,
            plc_holds,
            is_anew,
            to_clerk,
            people,
            picture,
            front,
            at_work,
            is_over,
        }
    }

    /// The camera sees this from now on; nothing: it gives no frames.
    pub fn show(&self, luma: Option<(SizePx, Vec<u8>)>) {
        let pixels = luma.map(|(size, luma)| {
            let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![luma]).unwrap();
            Arc::new(pixels) as Arc<dyn Pixels>
        });
        *self.picture.shown.lock().unwrap() = pixels;
    }

    /// It is so much later.
    pub fn later(&self, by: Duration) {
        self.clock.set(self.clock.now().plus(by));
    }

    /// What is answered to a command.
    pub fn ask(&mut self, command: Command) -> Answer {
        let ask = self.front.ask(command);
        for _ in 0..24_000 {
            let mut answers = self.front.answers().into_iter();
            if let Some((_, answer)) = answers.find(|(of, _)| *of == ask) {
                return answer;
            }
            park_timeout(Duration::from_millis(5));
        }
        panic!("not answered within two minutes");
    }

    pub fn step(&mut self, step: CalibrationStep) -> Answer {
        self.ask(Command::Calibrate { camera: CameraId::new("top"), step })
    }

    /// A step that is taken.
    pub fn steps(&mut self, step: CalibrationStep) {
        assert_eq!(self.step(step), Answer::Done);
    }

    pub fn log_in(&mut self, role: Role) {
        let person = self.person(role);
        let pin = Pin::new("7391".to_owned());
        assert_eq!(self.ask(Command::LogIn { person, pin }), Answer::Done);
    }

    pub fn person(&self, role: Role) -> PersonId {
        self.people[usize::from(role == Role::Engineer)].clone()
    }

    pub fn news(&mut self) -> News {
        self.front.news()
    }

    /// The news once they are so.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&News) -> bool) -> News {
        for _ in 0..24_000 {
            let news = self.front.news();
            if is_so(&news) {
                return news;
            }
            park_timeout(Duration::from_millis(5));
        }
        panic!("not within two minutes: {what}: {:#?}", self.front.news().calibrating);
    }

    /// The calibration once it is so.
    pub fn until_it(&mut self, what: &str, is: impl Fn(&Calibrating) -> bool) -> Arc<Calibrating> {
        let is = |news: &News| news.calibrating.as_deref().is_some_and(&is);
        self.until(what, is).calibrating.unwrap()
    }

    /// As [`Self::until_it`], while time goes by.
    pub fn until_later(&mut self, what: &str, is: impl Fn(&Calibrating) -> bool) {
        let clock = Arc::clone(&self.clock);
        self.until_it(what, |it| {
            clock.set(clock.now().plus(Duration::from_millis(100)));
            is(it)
        });
    }

    /// What the audit log has of calibrations, the oldest first.
    pub fn audit(&self) -> Vec<(Option<PersonId>, Value)> {
        let reader = Reader::open(self.folder.path()).unwrap();
        let mut rows = reader.audit(&AuditFilter::default()).unwrap();
        rows.reverse();
        let of_them = rows.into_iter().filter(|row| row.action == "calibrate");
        of_them.map(|row| (row.by, row.detail)).collect()
    }

    /// The profile in force.
    pub fn profile(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("calibration/top/profile.toml")).unwrap()
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.picture.is_over.store(true, Ordering::Release);
        self.is_over.store(true, Ordering::Release);
        drop(self.at_work.take());
    }
}

fn facts() -> Facts {
    Facts {
        station: "s".to_owned(),
        software: "test".to_owned(),
        recipes: vec![],
        in_force: None,
        cameras: vec![CameraId::new("top")],
    }
}

/// Of a station whose line is off.
fn hall(
    folder: &TempDir,
    clock: &Arc<SimulatedClock>,
    still: &Arc<Still>,
    plc_holds: &Arc<AtomicBool>,
) -> Arc<Hall> {
    let hash = domain::Sha256::of(b"");
    let recipe = RecipeInForce {
        number: 1,
        name: String::new(),
        sha256: hash,
        model_sha256: hash,
        budget_ms: 100,
    };
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let watch = Arc::new(Watch::new("s", Arc::default(), Arc::clone(&clock), recipe));
    let line = LineBehind {
        watch,
        plc_holds: Arc::clone(plc_holds),
        store: folder.path().to_owned(),
        stills: vec![(CameraId::new("top"), Arc::clone(still))],
    };
    Arc::new(Hall::new(facts(), Some(line), clock))
}

/// With an operator and an engineer, who have the same PIN.
fn clerk(
    folder: &TempDir,
    hall: Arc<Hall>,
    (calibrator, answers, inbox): (Sender<Asked>, Sender<ToScreen>, Sender<Inbox>),
    clock: Arc<SimulatedClock>,
) -> (Clerk, [PersonId; 2]) {
    let store = Store::create_or_open(folder.path()).unwrap();
    let people = People::open_with(folder.path(), PinCost::CHEAP).unwrap();
    let known = people.list().unwrap();
    let both = [("Jörg Weiß", Role::Operator), ("Kim Lee", Role::Engineer)];
    let both = both.map(|(name, role)| {
        let there = known.iter().find(|person| person.name == name);
        let id = there.map(|person| person.id.clone());
        id.unwrap_or_else(|| people.add(name, role, &Pin::new("7391".to_owned())).unwrap())
    });
    let clerk = Clerk {
        hall,
        labels: Ok(store.labels().unwrap()),
        people: Some(people),
        wishes: None,
        calibrator: Some(calibrator),
        answers,
        inbox,
        export: Arc::new(|_, _| Ok(String::new())),
        facts: Box::new(|| Ok(facts())),
        keep: Box::new(|_| Ok(())),
        clock,
    };
    (clerk, both)
}
