//! A running live line with a scripted camera and a gate that remembers. Takes pictures one by
//! one; gives what the gate heard.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use domain::{
    AnsweredBy, CameraId, CaptureTime, CheckedRecipe, Frame, GateSignal, LineState, MonoTime,
    OwnedPixels, PartId, PixelFormat, Pixels, Plane, PlcAnswer, Recipe, Sha256, SizePx, Verdict,
    WallTime,
};
use models::{Bundle, Model, Runtime};
use sightline_pipeline::capture::{CaptureError, Next, Source, SourceInfo};
use sightline_pipeline::clock::{Clock, RealClock};
use sightline_pipeline::line::{
    self, Armed, CameraSetup, Line, LineSetup, LineSummary, ThreadPlan, Watcher,
};
use sightline_pipeline::plc::{self, FieldInput, Inputs, Plc, PlcConfig, PlcStatus, Telling};
use sightline_pipeline::prepare::Calibrations;
use sightline_pipeline::record::film::FilmSetup;
use sightline_pipeline::stage::Counters;
use store::{RunStart, Store, Writer};
use tempfile::TempDir;

/// Longer than anything takes on a loaded machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How far from its trigger a frame may be.
pub const WINDOW: Duration = Duration::from_millis(200);
/// As large as the fixture's model looks at.
pub const SIZE: SizePx = SizePx::new(64, 32);

/// What the camera does next.
pub enum Shot {
    Picture(Arc<dyn Pixels>),
    /// Frames that the camera counts and that get lost on the way.
    Skip(u64),
    Lost(String),
    Back,
}

struct Script {
    shots: Receiver<Shot>,
    camera: CameraId,
    clock: Arc<SetClock>,
    sequence: u64,
    info: SourceInfo,
}

impl Source for Script {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        match self.shots.recv_timeout(Duration::from_millis(50)) {
            Ok(Shot::Picture(pixels)) => {
                let at = CaptureTime { mono: self.clock.now(), wall: self.clock.wall() };
                let (camera, sequence) = (self.camera.clone(), self.sequence);
                self.sequence += 1;
                Ok(Next::Frame(Frame { camera, sequence, at, origin: None, pixels }))
            }
            Ok(Shot::Skip(frames)) => {
                self.sequence += frames;
                Ok(Next::Waiting)
            }
            Ok(Shot::Lost(reason)) => Ok(Next::Lost(CaptureError::Pipeline {
                what: "top".to_owned(),
                element: "camera".to_owned(),
                reason,
            })),
            Ok(Shot::Back) => Ok(Next::Back(Duration::from_millis(120))),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Waiting),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }
}

/// What the gate heard, and what the PLC could read.
#[derive(Default)]
pub struct Heard {
    pub tellings: Vec<Telling>,
    pub statuses: Vec<PlcStatus>,
}

/// A gate that remembers, and panics when it is asked to.
#[derive(Clone, Default)]
pub struct Gate {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    trap: Arc<AtomicBool>,
    other: Option<Arc<Mutex<Box<dyn Plc>>>>,
}

impl Gate {
    fn note(&self, note: impl FnOnce(&mut Heard)) {
        note(&mut self.heard.0.lock().unwrap());
        self.heard.1.notify_all();
    }

    /// Waits until what was heard satisfies `enough`; gives what `read` reads then.
    pub fn wait<T>(
        &self,
        what: &str,
        enough: impl Fn(&Heard) -> bool,
        read: impl FnOnce(&Heard) -> T,
    ) -> T {
        let heard = self.heard.0.lock().unwrap();
        let (heard, waited) =
            self.heard.1.wait_timeout_while(heard, PATIENCE, |heard| !enough(heard)).unwrap();
        assert!(!waited.timed_out(), "{what}: heard only {} verdicts", heard.tellings.len());
        read(&heard)
    }
}

impl Plc for Gate {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        self.note(|heard| heard.tellings.push(telling.clone()));
        assert!(!self.trap.swap(false, Ordering::AcqRel), "a trap in the gate");
        self.other.as_ref().map_or(PlcAnswer::Taken, |other| other.lock().unwrap().tell(telling))
    }

    fn gate(&mut self, _: bool) -> PlcAnswer {
        PlcAnswer::Taken
    }

    fn status(&mut self, status: &PlcStatus) {
        self.note(|heard| heard.statuses.push(status.clone()));
        if let Some(other) = &self.other {
            other.lock().unwrap().status(status);
        }
    }
}

/// A part's verdict, as the gate heard it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub part: PartId,
    pub signal: GateSignal,
    pub verdict: Verdict,
    pub answered_by: AnsweredBy,
}

impl From<&Telling> for Answer {
    fn from(telling: &Telling) -> Self {
        Self {
            part: telling.part,
            signal: telling.signal,
            verdict: telling.verdict.clone(),
            answered_by: telling.answered_by,
        }
    }
}

/// The machine's clock, whose time of day can be set.
pub struct SetClock {
    real: RealClock,
    wall_ahead_ms: AtomicI64,
}

impl SetClock {
    /// Sets the time of day forward, or back.
    pub fn set_wall_by(&self, ms: i64) {
        self.wall_ahead_ms.fetch_add(ms, Ordering::AcqRel);
    }
}

impl Clock for SetClock {
    fn now(&self) -> MonoTime {
        self.real.now()
    }

    fn wall(&self) -> WallTime {
        let ahead_ns = self.wall_ahead_ms.load(Ordering::Acquire) * 1_000_000;
        WallTime { unix_ns: self.real.wall().unix_ns + ahead_ns }
    }
}

/// A line under test.
pub struct Bench {
    pub line: Line,
    pub inputs: Inputs,
    pub gate: Gate,
    pub shots: Sender<Shot>,
    pub clock: Arc<SetClock>,
    pub folder: PathBuf,
    own: Option<TempDir>,
}

/// What is left of a line.
pub struct Left {
    pub summary: LineSummary,
    pub answers: Vec<Answer>,
    /// The folder of its store.
    pub store: PathBuf,
    _own: Option<TempDir>,
}

/// The recipe of these tests: one frame is one part, and scratches are red.
pub fn recipe(name: &str, budget_ms: u32) -> Arc<CheckedRecipe> {
    recipe_that_locates("{kind='every-frame'}", name, budget_ms)
}

/// The same, for a free-running camera and the PLC's first trigger input.
pub fn recipe_by_trigger(budget_ms: u32) -> Arc<CheckedRecipe> {
    let window_ms = WINDOW.as_millis();
    let locate = format!("{{kind='trigger', by={{plc={{input=0}}}}, window_ms={window_ms}.0}}");
    recipe_that_locates(&locate, "one", budget_ms)
}

fn recipe_that_locates(locate: &str, name: &str, budget_ms: u32) -> Arc<CheckedRecipe> {
    let text = format!(
        "name='{name}'\nmodel='m'\nlocate={locate}\nlimits={{reject_at=0.5}}\n\
         [gate]\nbudget_ms={budget_ms}"
    );
    Arc::new(toml::from_str::<Recipe>(&text).unwrap().check().unwrap())
}

/// The committed fixture, or what a test has made of it.
pub fn model(bundle: &Path) -> Model {
    Bundle::load(bundle).unwrap().arm(&Runtime::open().unwrap()).unwrap()
}

/// The fixture whose red is a scratch.
pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/segmenter")
}

/// A network that gives x / x, in the classifier's bundle; the folder goes with the first of the
/// two.
pub fn model_that_divides() -> (TempDir, Model) {
    let data = fixture().join("../classifier");
    let graph = fixture().join("../graphs/divides.onnx");
    let folder = tempfile::tempdir().unwrap();
    let hash = |path: &Path| Sha256::of(&fs::read(path).unwrap()).to_string();
    let manifest = fs::read_to_string(data.join("model.toml")).unwrap();
    let manifest = manifest
        .replace(&hash(&data.join("model.onnx")), &hash(&graph))
        .replace("\"softmax\"", "\"none\"")
        .replace("[0.966835, 0.033164]", "[1.0, 1.0]")
        .replace("[0.03858, 0.96142]", "[1.0, 1.0]");
    fs::write(folder.path().join("model.toml"), manifest).unwrap();
    fs::copy(&graph, folder.path().join("model.onnx")).unwrap();
    fs::create_dir(folder.path().join("golden")).unwrap();
    for image in ["golden/01.png", "golden/02.png"] {
        fs::copy(data.join(image), folder.path().join(image)).unwrap();
    }
    let model = model(folder.path());
    (folder, model)
}

/// A line that is not started yet.
pub struct Setup {
    pub recipe: Arc<CheckedRecipe>,
    pub model: Model,
    /// What the camera should give.
    pub fps: Option<f64>,
    /// Whether it is a camera, or footage.
    pub live: bool,
    /// Who hears the verdicts besides the gate that remembers.
    pub plc: Option<PlcConfig>,
    /// How the line is filmed.
    pub film: Option<FilmSetup>,
    /// How its camera is calibrated, and who looks whether that still holds.
    pub calibrated: (Calibrations, Option<Watcher>),
}

/// Starts a line with the fixture's model and two inspecting threads.
pub fn start(budget_ms: u32) -> Bench {
    Setup::new(recipe("one", budget_ms)).start()
}

impl Setup {
    pub fn new(recipe: Arc<CheckedRecipe>) -> Self {
        let (model, calibrated) = (model(&fixture()), Default::default());
        Self { recipe, model, fps: None, live: true, plc: None, film: None, calibrated }
    }

    pub fn start(self) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let bench = self.start_in(dir.path());
        Bench { own: Some(dir), ..bench }
    }

    /// Starts one whose store is in `folder`, which stays.
    pub fn start_in(self, folder: &Path) -> Bench {
        let Self { recipe, model, fps, live, plc, film, calibrated } = self;
        let (calibrations, watcher) = calibrated;
        let clock =
            Arc::new(SetClock { real: RealClock::start(), wall_ahead_ms: AtomicI64::new(0) });
        let its_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let camera = CameraId::new("top");
        let counters = Arc::new(Counters::of_cameras([camera.clone()]));
        let (inputs, mut heard, _) = plc::inputs(1);
        let mut gate = Gate::default();
        if let Some(config) = plc {
            let (unheard, ..) = plc::inputs(0);
            let its_counters = Arc::clone(&counters);
            let other = plc::open(&config, unheard, its_counters, Arc::clone(&its_clock)).unwrap();
            gate.other = Some(Arc::new(Mutex::new(other)));
        }
        let (shots, taken) = unbounded();
        let info = SourceInfo { live, fps, ..SourceInfo::default() };
        let (its, clock_of_it) = (camera.clone(), Arc::clone(&clock));
        let source = Script { shots: taken, camera: its, clock: clock_of_it, sequence: 0, info };
        let line = line::start(LineSetup {
            counters,
            cameras: vec![CameraSetup {
                camera,
                source: Box::new(source),
                field: heard.pop(),
                peeks: vec![],
                watcher,
            }],
            writer: writer(folder, &recipe, &*clock),
            armed: Arc::new(Armed::new(recipe, model, calibrations, 2).unwrap()),
            plc: Box::new(gate.clone()),
            field: None,
            reject: None,
            log: None,
            film,
            keep: Arc::new(|_| true),
            threads: ThreadPlan::default(),
            software: "test".into(),
            clock: its_clock,
        })
        .unwrap();
        Bench { line, inputs, gate, shots, clock, folder: folder.to_owned(), own: None }
    }
}

fn writer(folder: &Path, recipe: &CheckedRecipe, clock: &dyn Clock) -> Writer {
    let store = Store::create_or_open(&folder.join("store")).unwrap();
    let start = RunStart { started_at: clock.wall(), source: "test" };
    let mut writer = store.start_run(&start).unwrap();
    writer.keep_recipe(recipe).unwrap();
    writer
}

impl Bench {
    pub fn shoot(&self, pixels: impl Pixels + 'static) {
        self.shots.send(Shot::Picture(Arc::new(pixels))).unwrap();
    }

    /// A part is at the PLC's trigger.
    pub fn trigger(&self, count: u32) {
        self.inputs.hear(FieldInput::Trigger { input: 0, count, at: self.clock.now() });
    }

    /// The next verdict that the gate is told makes it panic.
    pub fn spring_trap_in_gate(&self) {
        self.gate.trap.store(true, Ordering::Release);
    }

    /// Waits for the answers to the first `parts` parts, in the order of their numbers.
    pub fn answers(&self, parts: usize) -> Vec<Answer> {
        let mut answers: Vec<Answer> = self.gate.wait(
            "answers",
            |heard| heard.tellings.len() >= parts,
            |heard| heard.tellings.iter().map(Answer::from).collect(),
        );
        answers.sort_by_key(|answer| answer.part);
        answers
    }

    /// Waits until the PLC reads that the line is in `state`.
    pub fn until(&self, state: LineState) {
        let is = |heard: &Heard| heard.statuses.last().is_some_and(|told| told.state == state);
        self.gate.wait(&format!("{state:?}"), is, |_| ());
    }

    /// Waits until so many parts are written down.
    pub fn until_recorded(&self, parts: u64) {
        self.poll(&format!("{parts} recorded"), || self.line.snapshot().recorded >= parts);
    }

    /// Waits until so many pictures are on film.
    pub fn until_filmed(&self, pictures: u64) {
        let filmed = || self.line.snapshot().clips.pictures >= pictures;
        self.poll(&format!("{pictures} pictures on film"), filmed);
    }

    /// Waits until `event` has happened.
    pub fn until_event(&self, event: &str) {
        self.poll(event, || self.line.events().contains_key(event));
    }

    /// Lets time pass, where nothing that happens could be waited for.
    pub fn let_pass(&self, time: Duration) {
        let end = self.clock.now().plus(time);
        self.poll("the end of a while", || self.clock.now() >= end);
    }

    /// Looks every few milliseconds, as an operator's screen does.
    pub fn poll(&self, what: &str, is_so: impl Fn() -> bool) {
        let start = self.clock.now();
        while !is_so() {
            assert!(self.clock.now().since(start) < PATIENCE, "{what} never came");
            let _ = crossbeam_channel::never::<()>().recv_timeout(Duration::from_millis(5));
        }
    }

    /// Shoots good parts, one at a time, until one is passed: the line works again.
    pub fn until_a_part_passes(&self) -> usize {
        for shot in 1.. {
            let before = self.gate.wait("", |_| true, |heard| heard.tellings.len());
            self.shoot(grey(128));
            let passed = self.gate.wait(
                "an answer",
                |heard| heard.tellings.len() > before,
                |heard| heard.tellings[before..].iter().any(|told| told.verdict == Verdict::Pass),
            );
            if passed {
                return shot;
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Ends the line: every part was answered exactly once, and every thread is gone.
    pub fn end(self) -> Left {
        self.line.stop();
        let summary = self.line.join();
        let parts = summary.snapshot.parts;
        assert!(parts.is_closed(), "{parts:?}");
        let mut answers: Vec<Answer> =
            self.gate.heard.0.lock().unwrap().tellings.iter().map(Answer::from).collect();
        answers.sort_by_key(|answer| answer.part);
        let numbers: Vec<u64> = answers.iter().map(|answer| answer.part.0).collect();
        let all: Vec<u64> = (1..=parts.triggered).collect();
        assert_eq!(numbers, all, "each part exactly once");
        Left { summary, answers, store: self.folder.join("store"), _own: self.own }
    }
}

/// A picture of one colour.
pub fn rgb(red: u8, green: u8, blue: u8) -> OwnedPixels {
    let bytes = [red, green, blue].repeat(usize::try_from(SIZE.area()).unwrap());
    OwnedPixels::new(PixelFormat::Rgb8, SIZE, vec![bytes]).unwrap()
}

/// A good part.
pub fn grey(level: u8) -> OwnedPixels {
    rgb(level, level, level)
}

/// A bad part.
pub fn scratched() -> OwnedPixels {
    rgb(255, 0, 0)
}

/// Pixels that do something when they are looked at.
pub struct Trap<F>(pub OwnedPixels, pub F);

impl<F: Fn() + Send + Sync> Pixels for Trap<F> {
    fn format(&self) -> PixelFormat {
        self.0.format()
    }

    fn size(&self) -> SizePx {
        self.0.size()
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        (self.1)();
        self.0.plane(index)
    }
}
