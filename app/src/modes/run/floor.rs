//! The station at work: one line at a time, which the PLC may stop, start, and change to another
//! recipe. Takes a checked station; nothing here waits for a camera's, a model's or a disk's sake
//! while the line runs.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use domain::recipe::Limits;
use domain::{CameraId, LineState, MonoTime, Sha256};
use pipeline::act::reject::Reject;
use pipeline::capture::peek::Peek;
use pipeline::clock::Clock;
use pipeline::line::{self, CameraSetup, Line, LineSetup, LineSummary};
use pipeline::link::{LinkReceiver, Received};
use pipeline::plc::{self, Asked, FieldInput, Plc, PlcCommand, PlcConfig};
use pipeline::record::verdict_log::VerdictLog;
use pipeline::stage::Counters;
use store::{RunStart, Store};

use super::arming::{Arming, Then};
use super::asker::{Asker, FloorWish, Held};
use super::filming::Studio;
use super::gate;
use super::look::{self, RecipeInForce, Watch};
use super::open;
use super::recalibrated::Recalibrated;
use super::recipes::Ready;
use super::shared::Shared;
use crate::config::{self, RecipeFile, Station};

/// How long the parts on the line and what is to be written of them may take after a stop.
const DRAIN_MOST: Duration = Duration::from_secs(20);
const _: () = assert!(pipeline::limits::FILM_FINISH.as_secs() < DRAIN_MOST.as_secs());

/// The station at work.
pub struct Floor {
    station: Station,
    store: Store,
    clock: Arc<dyn Clock>,
    watch: Arc<Watch>,
    plc: Shared,
    /// What the PLC tells of the belt, one for each camera and the last for the gate.
    fields: Vec<LinkReceiver<FieldInput>>,
    asked: LinkReceiver<Asked>,
    ready: Ready,
    arming: Option<Arming>,
    /// Which share of passed parts is kept, by recipe.
    shares: Arc<Mutex<Vec<(Sha256, f64)>>>,
    line: Option<Line>,
    studio: Option<Studio>,
    /// Since when the line is being stopped.
    stopping_since: Option<MonoTime>,
    /// Who is answered when the line is off.
    stops: Vec<Asker>,
    /// Whether the PLC lets nobody but itself change what the line does.
    held: bool,
    /// Where the cameras' frames are looked at, by camera: by people, and by who calibrates.
    peeks: Vec<[Arc<Peek>; 2]>,
    recalibrated: Recalibrated,
    /// How parts of the line are followed to the gate.
    reject: Option<Reject>,
}

impl Floor {
    /// Opens the store and the PLC; no line runs yet.
    pub fn open(station: Station, ready: Ready, clock: Arc<dyn Clock>) -> Result<Self> {
        let store =
            Store::create_or_open(&station.store).map_err(|error| station.blame("store", error))?;
        let cameras = station.cameras.iter().map(|camera| CameraId::new(&camera.name));
        let counters = Arc::new(Counters::of_cameras(cameras));
        let (inputs, fields, asked) = plc::inputs(station.cameras.len() + 2);
        let (its_counters, its_clock) = (Arc::clone(&counters), Arc::clone(&clock));
        let studio = Studio::of(&station, &counters, &clock);
        let plc = plc::open(&station.plc, inputs, its_counters, its_clock)
            .map_err(|error| station.blame("plc", error))?;
        let peeks = station.cameras.iter().map(|_| Default::default()).collect();
        let watch = Watch::new(&station.name, counters, Arc::clone(&clock), ready.facts.clone());
        Ok(Self {
            station,
            store,
            clock,
            watch: Arc::new(watch),
            plc: Shared::new(plc),
            fields,
            asked,
            ready,
            arming: None,
            shares: Arc::default(),
            line: None,
            studio,
            stopping_since: None,
            stops: Vec::new(),
            held: false,
            peeks,
            recalibrated: Recalibrated::default(),
            reject: None,
        })
    }

    /// The numbers of the line, for whoever wants them.
    pub const fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// What was asked for.
    pub const fn station(&self) -> &Station {
        &self.station
    }

    /// Opens the cameras and starts a line: a new run in the store, parts from 1.
    pub fn start(&mut self) -> Result<()> {
        let counters = self.watch.counters();
        counters.start_again();
        counters.set_recipe(self.ready.facts.number);
        counters.set_state(LineState::Starting);
        self.recalibrated.begin();
        let (mut cameras, mut calibrations) = (Vec::new(), Vec::new());
        for (index, camera) in self.station.cameras.iter().enumerate() {
            let source = open::camera(camera, &self.clock)
                .map_err(|error| self.station.blame(&format!("camera.{index}.source"), error))?;
            let field = self.field(index);
            let peeks = self.peeks[index].iter().map(Arc::clone).collect();
            let blame = |error| self.station.blame(&format!("camera.{index}.calibration"), error);
            let known = camera.calibrated();
            calibrations.extend(look::Calibration::of(&known).map_err(blame)?);
            let watcher = Some(self.recalibrated.watcher(known).map_err(blame)?);
            let camera = CameraId::new(&camera.name);
            cameras.push(CameraSetup { camera, source, field, peeks, watcher });
        }
        self.watch.set_calibrations(calibrations);
        let reject = gate::way(&self.station, &self.ready)?;
        let source = format!("station {}", self.station.name);
        let start = RunStart { started_at: self.clock.wall(), source: &source };
        let mut writer = self.store.start_run(&start)?;
        writer.keep_recipe(&self.ready.armed.recipe)?;
        self.keep_share_of(&self.ready);
        let run = writer.run();
        let studio = self.studio.as_mut();
        let film = studio.map(|studio| studio.open(&self.store, run)).transpose()?;
        let setup = LineSetup {
            cameras,
            film,
            armed: Arc::clone(&self.ready.armed),
            plc: Box::new(self.plc.clone()),
            field: self.field(self.station.cameras.len()),
            reject,
            threads: self.station.threads.clone(),
            counters: Arc::clone(counters),
            writer,
            log: self.verdict_log(run.0)?,
            keep: self.keep(),
            software: crate::modes::software(),
            clock: Arc::clone(&self.clock),
        };
        self.line = Some(line::start(setup)?);
        self.reject = reject;
        self.tell_alarm(&self.ready);
        self.stopping_since = None;
        self.watch.add_run(run.0);
        tracing::info!(target: "run", run = run.0, "the line runs");
        Ok(())
    }

    /// Asks the line to take no more frames; [`Self::tick`] sees it end.
    pub fn stop(&mut self) {
        if let (Some(line), None) = (&self.line, self.stopping_since) {
            line.stop();
            self.stopping_since = Some(self.clock.now());
            tracing::info!(target: "run", "the line stops: no more frames are taken");
        }
    }

    /// Whether no line is there.
    pub const fn is_off(&self) -> bool {
        self.line.is_none()
    }

    /// Whether no thread of the line stands still.
    pub fn is_alive(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.is_alive(self.clock.now()))
    }

    /// Hears the PLC, puts an armed recipe in force, sees a line that has ended. Called every
    /// tenth of a second. A line that is `leaving` is not started any more.
    ///
    /// # Errors
    /// When the line ended and nobody had asked for it, or what was asked for cannot be.
    pub fn tick(&mut self, leaving: bool) -> Result<()> {
        while let Received::Item(asked) = self.asked.recv_within(Duration::ZERO) {
            // Dropping it refuses it.
            if !leaving {
                tracing::info!(target: "run", command = ?asked.command, "the PLC asks");
                self.obey(asked.command, Asker::Plc(asked))?;
            }
        }
        if self.arming.as_ref().is_some_and(|arming| arming.is_over()) {
            self.change(leaving)?;
        }
        if self.line.as_ref().is_some_and(Line::is_over) {
            self.end()?;
        }
        let now = self.clock.now();
        if self.stopping_since.is_some_and(|since| now.since(since) > DRAIN_MOST) {
            bail!("the line did not end within {} s after it was stopped", DRAIN_MOST.as_secs());
        }
        if self.line.is_none() {
            // On a line this comes from the thread that answers parts.
            self.plc.status(&self.watch.status_off());
        }
        Ok(())
    }

    fn obey(&mut self, command: PlcCommand, asker: Asker) -> Result<()> {
        match command {
            PlcCommand::Start if self.line.is_none() && self.recalibrated.is_anew() => {
                if let Some((recipe, asker)) = self.to_be_armed(self.ready.facts.number, asker) {
                    self.arm(recipe, asker, Then::Start);
                }
            }
            // What lies in the profiles' folders is not what the line would measure by.
            PlcCommand::Start if self.line.is_none() && self.arms_anew() => {
                asker.answer(Err(anyhow!("a recipe is being armed; start again when it is")));
            }
            PlcCommand::Start if self.line.is_none() => {
                self.start()?;
                asker.answer(Ok(()));
            }
            PlcCommand::Start if self.stopping_since.is_some() => {
                asker.answer(Err(anyhow!("the line is being stopped; ask again when it is off")));
            }
            PlcCommand::Stop if self.line.is_some() => {
                self.stop();
                self.stops.push(asker);
            }
            PlcCommand::Stop => {
                if let Some(arming) = self.arming.as_mut().filter(|it| it.then == Then::Start) {
                    arming.then = Then::Stopped;
                }
                asker.answer(Ok(()));
            }
            PlcCommand::SelectRecipe(number) => self.select(number, asker),
            PlcCommand::Reset => {
                self.watch.forget_alarms();
                asker.answer(Ok(()));
            }
            PlcCommand::Hold | PlcCommand::Release => {
                self.held = command == PlcCommand::Hold;
                asker.answer(Ok(()));
            }
            PlcCommand::Start => asker.answer(Ok(())),
        }
        Ok(())
    }

    /// Does what people ask for at the screen, unless the PLC holds the line.
    ///
    /// # Errors
    /// When the line can't be started.
    pub fn obey_people(&mut self, wish: FloorWish, asker: Asker) -> Result<()> {
        if self.is_held() {
            asker.answer(Err(Held.into()));
            return Ok(());
        }
        match wish {
            FloorWish::Start => self.obey(PlcCommand::Start, asker),
            FloorWish::Stop => self.obey(PlcCommand::Stop, asker),
            FloorWish::SelectRecipe(number) => {
                self.select(number, asker);
                Ok(())
            }
            FloorWish::ChangeLimits { number, limits } => {
                self.change_limits(number, &limits, asker);
                Ok(())
            }
        }
    }

    /// Whether the PLC, which is there, lets nobody but itself change what the line does.
    pub fn is_held(&self) -> bool {
        self.held && self.watch.counters().plc_is_up()
    }

    /// Where the cameras' frames are looked at, by camera: by people, and by who calibrates. They
    /// outlive lines.
    pub fn peeks(&self) -> &[[Arc<Peek>; 2]] {
        &self.peeks
    }

    /// The store that lines are written to.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// What the PLC tells of the belt, for who calibrates; `None` where there is no PLC.
    pub fn belt(&self) -> Option<LinkReceiver<FieldInput>> {
        self.field(self.station.cameras.len() + 1)
    }

    /// Where who calibrates says that a profile was accepted: it comes into force when a recipe is
    /// armed.
    pub const fn recalibrated(&self) -> &Arc<AtomicBool> {
        self.recalibrated.word()
    }

    /// Arms another recipe; the line goes on meanwhile.
    fn select(&mut self, number: u16, asker: Asker) {
        let is_in_force = number == self.ready.facts.number && !self.recalibrated.is_anew();
        if is_in_force && self.arming.is_none() {
            return asker.answer(Ok(()));
        }
        if let Some((recipe, asker)) = self.to_be_armed(number, asker) {
            self.arm(recipe, asker, Then::AsItWas);
        }
    }

    /// Whether a recipe is being armed with other calibrations than the line has.
    fn arms_anew(&self) -> bool {
        self.arming.as_ref().is_some_and(|arming| arming.is_anew)
    }

    /// Writes `limits` into a recipe's file and, if it is the one in force, arms it anew.
    fn change_limits(&mut self, number: u16, limits: &Limits, asker: Asker) {
        let Some((recipe, asker)) = self.to_be_armed(number, asker) else { return };
        if let Err(error) = config::write_limits(&recipe.file, limits) {
            return asker.answer(Err(error));
        }
        if number == self.ready.facts.number {
            return self.arm(recipe, asker, Then::AsItWas);
        }
        asker.answer(Ok(()));
    }

    fn to_be_armed(&self, number: u16, asker: Asker) -> Option<(RecipeFile, Asker)> {
        let known = self.station.recipes.iter().find(|recipe| recipe.number == number);
        let refusal = match (known, &self.arming) {
            (Some(recipe), None) => return Some((recipe.clone(), asker)),
            (None, _) => anyhow!("there is no recipe {number}"),
            (_, Some(_)) => anyhow!("another recipe is being armed; ask again when it is"),
        };
        tracing::warn!(target: "run", number, "{refusal}");
        asker.answer(Err(refusal));
        None
    }

    /// Arms `recipe`; the line goes on meanwhile.
    fn arm(&mut self, recipe: RecipeFile, asker: Asker, then: Then) {
        let is_anew = self.recalibrated.take();
        match Arming::begin(recipe, &self.station, is_anew, asker, then) {
            Ok(arming) => self.arming = Some(arming),
            Err((asker, error)) => self.not_armed(is_anew, asker, error),
        }
    }

    fn not_armed(&self, is_anew: bool, asker: Asker, error: anyhow::Error) {
        if is_anew {
            self.recalibrated.put_back();
        }
        tracing::error!(target: "run", "the recipe stays as it was: {error:#}");
        asker.answer(Err(error));
    }

    /// Puts the recipe that was armed in force, from the next part on.
    fn change(&mut self, leaving: bool) -> Result<()> {
        let Some(arming) = self.arming.take() else { return Ok(()) };
        let (is_anew, then) = (arming.is_anew, arming.then);
        let (asker, armed) = arming.end();
        match armed.and_then(|it| self.put_in_force(&it.0).map(|()| it)) {
            Ok((ready, changes)) => {
                if let Some(calibrations) = self.recalibrated.renew(changes) {
                    self.watch.set_calibrations(calibrations);
                }
                self.keep_share_of(&ready);
                let RecipeInForce { number, name, .. } = &ready.facts;
                tracing::info!(target: "run", number, name, "another recipe is in force");
                self.watch.counters().set_recipe(*number);
                self.watch.set_recipe(ready.facts.clone());
                self.tell_alarm(&ready);
                self.ready = ready;
                if then == Then::Start && !leaving && self.line.is_none() {
                    self.start()?;
                }
                asker.answer(match then {
                    Then::Stopped => Err(anyhow!("the line was stopped before it was started")),
                    _ => Ok(()),
                });
            }
            Err(error) => self.not_armed(is_anew, asker, error),
        }
        Ok(())
    }

    /// Tells what somebody has to look after while `ready` is in force.
    fn tell_alarm(&self, ready: &Ready) {
        if let Some(event) = &ready.alarm {
            self.watch.counters().event(event);
        }
    }

    fn put_in_force(&self, ready: &Ready) -> Result<()> {
        let reject = gate::way(&self.station, ready)?;
        let Some(line) = &self.line else { return Ok(()) };
        if reject != self.reject {
            // Parts that are on their way to the gate are followed by the former.
            bail!(
                "the belt was calibrated anew, and with it the way to the gate: stop the line, \
                   then start it"
            );
        }
        Ok(line.change(Arc::clone(&ready.armed))?)
    }

    fn end(&mut self) -> Result<()> {
        let Some(line) = self.line.take() else { return Ok(()) };
        let was_asked = self.stopping_since.take().is_some();
        let summary = line.join();
        if let Some(studio) = &mut self.studio {
            studio.close();
        }
        for asker in self.stops.drain(..) {
            asker.answer(Ok(()));
        }
        let parts = summary.snapshot.parts;
        tracing::info!(target: "run", ?parts, "the line is off");
        complain(summary)?;
        if !was_asked {
            bail!("the line ended and nobody had asked for it: no camera gives frames any more");
        }
        Ok(())
    }

    fn field(&self, listener: usize) -> Option<LinkReceiver<FieldInput>> {
        if matches!(self.station.plc, PlcConfig::None {}) {
            return None;
        }
        let field = self.fields.get(listener)?;
        // What was said while no line ran is of no use to this one.
        while let Received::Item(_) = field.recv_within(Duration::ZERO) {}
        Some(field.clone())
    }

    fn verdict_log(&self, run: i64) -> Result<Option<VerdictLog>> {
        let Some(folder) = &self.station.verdict_log else { return Ok(None) };
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{}: the folder can't be made", folder.display()))
            .map_err(|error| self.station.blame("report.verdict_log", error))?;
        Ok(Some(VerdictLog::create(&folder.join(format!("run-{run:06}.jsonl")))?))
    }

    fn keep_share_of(&self, ready: &Ready) {
        let recipe = &ready.armed.recipe;
        let share = f64::from(recipe.as_written().record.keep_passed);
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|(hash, _)| *hash != recipe.hash());
        shares.push((recipe.hash(), share));
    }

    /// Each part is kept as its own recipe says.
    fn keep(&self) -> pipeline::record::Keep {
        let shares = Arc::clone(&self.shares);
        Arc::new(move |acted| {
            let recipe = acted.inspection.provenance.recipe;
            let shares = shares.lock().unwrap_or_else(PoisonError::into_inner);
            let of = shares.iter().find(|(hash, _)| *hash == recipe);
            store::keep_share(acted.inspection.part, of.map_or(0.0, |(_, share)| *share))
        })
    }
}

/// What went wrong on a line that is over, the gravest first.
fn complain(summary: LineSummary) -> Result<()> {
    for sentence in &summary.left_out {
        tracing::warn!(target: "run", "{sentence}");
    }
    summary.record?;
    summary.locate?;
    if let Some(error) = summary.capture.into_iter().next() {
        return Err(error.into());
    }
    if !summary.failed.is_empty() {
        bail!("a defect in this software: {:?} failed; please report it", summary.failed);
    }
    if !summary.snapshot.parts.is_closed() {
        bail!("a defect in this software: parts do not add up: {:?}", summary.snapshot.parts);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::Ordering;
    use std::thread::park_timeout;

    use super::*;
    use pipeline::clock::RealClock;
    use pipeline::plc::CommandAnswer;
    use tempfile::TempDir;

    const RECIPE: &str = "model = \"MODEL\"\nlocate = { kind = \"every-frame\" }\n\
                          limits = { reject_at = 0.5 }\n";
    const STATION: &str = "name = \"s\"\nstore = \"store\"\ninspectors = 1\n\
        [[camera]]\nname = \"top\"\n\
        source = { kind = \"synthetic_live\", \
        scene = { parts = 9, size = { width = 64, height = 64 } } }\n\
        [[recipe]]\nnumber = 1\nfile = \"one.toml\"\n\
        [[recipe]]\nnumber = 2\nfile = \"two.toml\"\n";

    struct Fixture {
        folder: TempDir,
        floor: Floor,
        inputs: plc::Inputs,
    }

    impl Fixture {
        fn new() -> Self {
            Self::with("")
        }

        /// With so much more in each recipe.
        fn with(more: &str) -> Self {
            Self::of(STATION, more)
        }

        /// By this station file.
        fn of(station: &str, more: &str) -> Self {
            Self::in_folder(tempfile::tempdir().unwrap(), station, more)
        }

        /// The same in a folder that is not empty.
        fn in_folder(folder: TempDir, station: &str, more: &str) -> Self {
            let model =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/classifier");
            let recipe = RECIPE.replace("MODEL", model.to_str().unwrap()) + more;
            for name in ["one", "two"] {
                let file = folder.path().join(format!("{name}.toml"));
                fs::write(file, format!("name = \"{name}\"\n{recipe}")).unwrap();
            }
            fs::write(folder.path().join("station.toml"), station).unwrap();
            let station = Station::from_file(&folder.path().join("station.toml")).unwrap();
            let ready = super::super::recipes::arm_all(&station, &|| false).unwrap().unwrap();
            let mut floor = Floor::open(station, ready, Arc::new(RealClock::start())).unwrap();
            let (inputs, _, asked) = plc::inputs(0);
            floor.asked = asked;
            Self { folder, floor, inputs }
        }

        /// Gives what tells whether the answer is there.
        fn ask(&self, command: PlcCommand) -> impl Fn() -> Option<CommandAnswer> + use<> {
            let (asked, answer) = Asked::new(command);
            self.inputs.ask(asked);
            move || answer.try_recv().ok()
        }

        /// Looks after the floor until `answer` comes, as the mode does.
        fn answer(&mut self, answer: &dyn Fn() -> Option<CommandAnswer>) -> CommandAnswer {
            for _ in 0..12_000 {
                self.floor.tick(false).unwrap();
                if let Some(answer) = answer() {
                    return answer;
                }
                park_timeout(Duration::from_millis(10));
            }
            panic!("the PLC was not answered within two minutes");
        }

        /// Until the camera has given its first frame.
        fn until_it_runs(&mut self) {
            for _ in 0..12_000 {
                if self.floor.watch.counters().state() == LineState::Running {
                    return;
                }
                self.floor.tick(false).unwrap();
                park_timeout(Duration::from_millis(10));
            }
            panic!("the line did not run within two minutes");
        }

        fn obeys(&mut self, command: PlcCommand) -> CommandAnswer {
            let answer = self.ask(command);
            self.answer(&answer)
        }
    }

    #[test]
    fn the_plc_stops_starts_and_changes_the_line() {
        use CommandAnswer::{Done, Refused};
        let mut fixture = Fixture::new();
        assert_eq!(fixture.obeys(PlcCommand::Stop), Done, "it is off");
        assert_eq!(fixture.obeys(PlcCommand::Start), Done);
        assert_eq!(fixture.obeys(PlcCommand::Start), Done, "it runs already");
        fixture.until_it_runs();

        assert_eq!(fixture.obeys(PlcCommand::SelectRecipe(3)), Refused, "there is none");
        assert_eq!(fixture.obeys(PlcCommand::SelectRecipe(1)), Done, "it is in force");
        // Both come before the first is armed: one at a time.
        let first = fixture.ask(PlcCommand::SelectRecipe(2));
        let second = fixture.ask(PlcCommand::SelectRecipe(2));
        assert_eq!(fixture.answer(&second), Refused);
        assert_eq!(fixture.answer(&first), Done);
        let look = fixture.floor.watch.look();
        assert_eq!((look.recipe.number, &*look.recipe.name), (2, "two"));

        assert_eq!(fixture.obeys(PlcCommand::Stop), Done);
        assert!(fixture.floor.is_off());
        assert_eq!(fixture.floor.watch.counters().state(), LineState::Off);
        let parts = fixture.floor.watch.look().parts;
        assert!(parts.adds_up && parts.in_line == 0);
        // With the line off a recipe is changed too, and holds from its start.
        fs::write(fixture.folder.path().join("one.toml"), "name = 1").unwrap();
        assert_eq!(fixture.obeys(PlcCommand::SelectRecipe(1)), Refused, "it is broken now");
        assert_eq!(fixture.obeys(PlcCommand::Start), Done);
        fixture.until_it_runs();
        assert_eq!(fixture.obeys(PlcCommand::Stop), Done);
        let look = fixture.floor.watch.look();
        assert_eq!((look.runs, look.recipe.number), (vec![1, 2], 2));
        assert!(look.parts.triggered >= parts.triggered, "counts go on");
        assert!(store::check(&fixture.folder.path().join("store")).unwrap().is_clean());
    }

    #[test]
    fn a_way_in_millimetres_needs_to_know_what_a_count_is() {
        let reject = "[reject]\nby = \"encoder\"\ntravel_mm = 300\npulse_mm = 12\n\
                      lead_mm = 6\ntolerance_mm = 4\nmm_per_s_max = 1200\n";
        let fixture = Fixture::of(&format!("{STATION}{reject}"), "gate = { budget_ms = 50 }");
        let error = gate::way(&fixture.floor.station, &fixture.floor.ready).unwrap_err();
        let error = format!("{error:#}");
        for told in ["station.toml:13: `reject.mm_per_count`", "sightline calibrate belt"] {
            assert!(error.contains(told), "{error}");
        }
        let station = format!("{STATION}{reject}mm_per_count = 0.2\n");
        let written = Fixture::of(&station, "gate = { budget_ms = 50 }");
        let written = gate::way(&written.floor.station, &written.floor.ready).unwrap().unwrap();

        let folder = tempfile::tempdir().unwrap();
        config::accepted_profile(&folder.path().join("top"), Some((0.2, 0.0001)));
        let station = station.replace("mm_per_count = 0.2\n", "");
        let station = station.replace("name = \"top\"", "name = \"top\"\ncalibration = \"top\"");
        let mut fixture = Fixture::in_folder(folder, &station, "gate = { budget_ms = 50 }");
        let measured = gate::way(&fixture.floor.station, &fixture.floor.ready).unwrap();
        assert_eq!(measured, Some(written));

        assert_eq!(fixture.floor.watch.look().calibrations.len(), 0, "no line was started");
        fixture.floor.start().unwrap();
        let calibrations = fixture.floor.watch.look().calibrations;
        assert_eq!((calibrations.len(), calibrations[0].holds), (1, true));
        assert!((0.0..0.1).contains(&calibrations[0].age_days), "{calibrations:?}");

        // Another belt while parts are on it.
        config::accepted_profile(&fixture.folder.path().join("top"), Some((0.21, 0.0001)));
        fixture.floor.recalibrated().store(true, Ordering::Release);
        let select = PlcCommand::SelectRecipe(1);
        assert_eq!(fixture.obeys(select), CommandAnswer::Refused);
        assert!(fixture.floor.recalibrated.is_anew());
        assert_eq!(fixture.obeys(PlcCommand::Stop), CommandAnswer::Done);
        assert_eq!(fixture.obeys(PlcCommand::Start), CommandAnswer::Done);
        assert_ne!(fixture.floor.reject, Some(written));
        assert_eq!(fixture.obeys(PlcCommand::Stop), CommandAnswer::Done);
    }

    #[test]
    fn a_reset_forgets_alarms_and_keeps_counts() {
        let mut fixture = Fixture::new();
        let part = domain::PartId(1);
        fixture.floor.watch.counters().event(&domain::Event::DeadlineMissed { part });
        fixture.floor.watch.counters().event(&domain::Event::PlcBack);
        assert_eq!(fixture.floor.watch.look().alarms, 1);
        assert_eq!(fixture.obeys(PlcCommand::Reset), CommandAnswer::Done);
        let look = fixture.floor.watch.look();
        assert_eq!((look.alarms, look.deadline_misses), (0, 1));
    }

    #[test]
    fn a_model_on_the_cpu_that_should_be_elsewhere_is_an_alarm_at_each_start() {
        let has = models::Runtime::open().unwrap().providers();
        let both = [domain::Provider::Cuda, domain::Provider::OpenVino];
        let Some(missing) = both.into_iter().find(|it| !has.contains(it)) else { return };
        let execution =
            format!("execution = {{ provider = \"{missing}\", when_missing = \"cpu\" }}");
        let mut fixture = Fixture::with(&execution);
        assert_eq!(fixture.floor.watch.look().alarms, 0, "nothing is in force yet");
        for told in [1, 2] {
            assert_eq!(fixture.obeys(PlcCommand::Start), CommandAnswer::Done);
            assert_eq!(fixture.floor.watch.counters().events()["model_on_cpu"], told);
            assert_eq!(fixture.floor.watch.look().alarms, told);
            fixture.until_it_runs();
            assert_eq!(fixture.obeys(PlcCommand::Stop), CommandAnswer::Done);
        }
        assert_eq!(fixture.obeys(PlcCommand::SelectRecipe(2)), CommandAnswer::Done);
        assert_eq!(fixture.floor.watch.counters().events()["model_on_cpu"], 3);
    }

    /// While a camera is calibrated its parts are undecided, and none is missing.
    #[test]
    fn parts_are_undecided_while_their_camera_is_calibrated() {
        let mut fixture = Fixture::new();
        fixture.floor.start().unwrap();
        let still = Arc::clone(&fixture.floor.station.cameras[0].still);
        let mut until = |what: &str, is_so: &dyn Fn(&domain::Conservation) -> bool| {
            for _ in 0..12_000 {
                fixture.floor.tick(false).unwrap();
                let parts = fixture.floor.watch.counters().snapshot().parts;
                if is_so(&parts) {
                    return parts;
                }
                park_timeout(Duration::from_millis(10));
            }
            panic!("{what}: not within two minutes");
        };
        let decided = |parts: &domain::Conservation| parts.passed + parts.rejected;
        let before = until("it decides", &|parts| decided(parts) > 3);
        still.calibrate(true);
        let during = until("undecided", &|parts| parts.undecided > before.undecided + 10);
        let rest = decided(&during) - decided(&before);
        assert!(rest < 10, "only what was on the line: {before:?} {during:?}");
        still.calibrate(false);
        until("it decides again", &|parts| decided(parts) > decided(&during) + 3);
    }

    /// A profile that was accepted comes into force with the next arming: of the recipe that is in
    /// force too, and when the line is started.
    #[test]
    fn what_was_calibrated_anew_is_armed() {
        use CommandAnswer::{Done, Refused};
        let mut fixture = Fixture::new();
        let accept = |fixture: &Fixture| {
            fixture.floor.recalibrated().store(true, Ordering::Release);
            Arc::as_ptr(&fixture.floor.ready.armed)
        };
        let is_armed = |fixture: &Fixture, before| {
            !fixture.floor.recalibrated.is_anew()
                && Arc::as_ptr(&fixture.floor.ready.armed) != before
        };
        let before = accept(&fixture);
        assert_eq!(fixture.obeys(PlcCommand::Start), Done);
        assert!(is_armed(&fixture, before) && !fixture.floor.is_off());
        fixture.until_it_runs();
        let before = accept(&fixture);
        assert_eq!(fixture.obeys(PlcCommand::SelectRecipe(1)), Done);
        assert!(is_armed(&fixture, before));
        assert_eq!(fixture.obeys(PlcCommand::Stop), Done);

        let one = fixture.folder.path().join("one.toml");
        let whole = fs::read_to_string(&one).unwrap();
        fs::write(&one, "name = 1").unwrap();
        let before = accept(&fixture);
        assert_eq!(fixture.obeys(PlcCommand::Start), Refused);
        assert!(fixture.floor.is_off() && fixture.floor.recalibrated.is_anew());
        fs::write(&one, whole).unwrap();
        assert_eq!(fixture.obeys(PlcCommand::Start), Done);
        assert!(is_armed(&fixture, before));
        fixture.until_it_runs();
        assert_eq!(fixture.obeys(PlcCommand::Stop), Done);
    }

    /// A line that was stopped stays off, and never runs by other calibrations than it was armed
    /// with.
    #[test]
    fn while_other_calibrations_are_armed_a_line_can_be_stopped_and_not_be_started_twice() {
        use CommandAnswer::{Done, Refused};
        let mut fixture = Fixture::new();
        fixture.floor.recalibrated().store(true, Ordering::Release);
        let [start, again, stop] =
            [PlcCommand::Start, PlcCommand::Start, PlcCommand::Stop].map(|it| fixture.ask(it));
        assert_eq!(fixture.answer(&again), Refused);
        assert_eq!(fixture.answer(&stop), Done);
        assert_eq!(fixture.answer(&start), Refused, "it was stopped");
        assert!(fixture.floor.is_off() && !fixture.floor.recalibrated.is_anew());
        assert_eq!(fixture.obeys(PlcCommand::Start), Done);
        assert!(!fixture.floor.is_off());
        fixture.until_it_runs();
        assert_eq!(fixture.obeys(PlcCommand::Stop), Done);
    }

    #[test]
    fn a_line_that_ends_by_itself_is_an_error() {
        let mut fixture = Fixture::new();
        fixture.floor.start().unwrap();
        fixture.floor.watch.counters().ask_to_stop();
        let error = (0..12_000).find_map(|_| {
            park_timeout(Duration::from_millis(10));
            fixture.floor.tick(false).err()
        });
        let error = error.expect("it ends").to_string();
        assert!(error.contains("nobody had asked"), "{error}");
    }
}
