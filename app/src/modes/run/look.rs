//! The line's numbers at one moment, as `latency.json` has them and `/metrics` tells them: takes
//! the counters and `/proc`; gives a [`Look`]. What each number means stands in `docs/run.md`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use calibration::watch::Measures;
use domain::{
    CameraId, CameraSnapshot, ClipSnapshot, Conservation, Event, LineState, Sha256, Snapshot,
    StageSnapshot, UploadSnapshot,
};
use domain::{MonoTime, Tail, WallTime};
use jiff::Timestamp;
use pipeline::clock::Clock;
use pipeline::plc::PlcStatus;
use pipeline::prepare::Still;
use pipeline::stage::Counters;
use serde::Serialize;

use super::process::{Host, Process, Threads};
use crate::config::Calibrated;

/// Of the layout of `latency.json`; a key that goes or changes its meaning makes it one more.
const SCHEMA: u32 = 1;

/// The recipe in force.
#[derive(Clone, Debug, Serialize)]
pub struct RecipeInForce {
    /// As the station file counts.
    pub number: u16,
    /// As people call it.
    pub name: String,
    /// Over every value of the recipe.
    pub sha256: Sha256,
    /// Over the model's bundle.
    pub model_sha256: Sha256,
    /// From exposure to signal.
    pub budget_ms: u32,
}

/// What became of the parts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parts {
    /// The sum.
    #[serde(flatten)]
    pub sum: Conservation,
    /// Whether it holds.
    pub adds_up: bool,
    /// Parts that the gate was told to throw out.
    pub told_reject: u64,
    /// Parts written down.
    pub recorded: u64,
}

impl std::ops::Deref for Parts {
    type Target = Conservation;

    fn deref(&self) -> &Conservation {
        &self.sum
    }
}

/// What waits before a stage.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Queue {
    /// Now.
    pub waiting: u64,
    /// The most that ever did.
    pub waiting_most: u64,
    /// How many may.
    pub bound: u64,
    /// Dropped because it was full.
    pub dropped: u64,
    /// How often the stage behind it was restarted.
    pub restarts: u64,
}

/// Films and clips.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Clips {
    /// What was counted.
    #[serde(flatten)]
    pub sum: ClipSnapshot,
    /// What all the film would have taken besides the clips, an estimate.
    pub bytes_saved: u64,
}

/// How a camera is calibrated, as long as a line runs.
pub struct Calibration {
    camera: CameraId,
    made_at: Timestamp,
    still: Arc<Still>,
}

impl Calibration {
    /// Of a camera; `None` where it has none.
    ///
    /// # Errors
    /// When its profile can't be read.
    pub fn of(known: &Calibrated) -> Result<Option<Self>> {
        let (camera, still) = (known.camera.clone(), Arc::clone(&known.still));
        Ok(known.made_at()?.map(|made_at| Self { camera, made_at, still }))
    }

    fn look(&self, now: WallTime) -> CalibrationLook {
        let made_ms = self.made_at.as_millisecond();
        let cause = self.still.lost();
        CalibrationLook {
            camera: self.camera.clone(),
            holds: cause.is_none(),
            cause: cause.map(|cause| cause.to_string()),
            age_days: days(now.unix_ns / 1_000_000 - made_ms),
            measures: self.still.measures().unwrap_or_default(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "centuries are less than 52 bits")]
const fn days(ms: i64) -> f64 {
    ms as f64 / 86_400e3
}

/// Whether a camera's calibration holds.
#[derive(Clone, Debug, Serialize)]
pub struct CalibrationLook {
    /// The camera.
    pub camera: CameraId,
    /// Whether it does, as far as is known.
    pub holds: bool,
    /// Why not.
    pub cause: Option<String>,
    /// Since it was last measured; below 0 when this machine's clock is behind that.
    pub age_days: f64,
    /// What its frames are like against commissioning; empty where they are not looked at.
    #[serde(flatten)]
    pub measures: Measures,
}

/// Everything there is to know of a line at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// Layout of this.
    pub schema: u32,
    /// The station's name.
    pub station: String,
    /// Name and version of this software.
    pub software: String,
    /// When, on the wall clock, milliseconds since 1970.
    pub written_unix_ms: i64,
    /// Since this program started.
    pub uptime_s: f64,
    /// What the line is doing.
    pub state: LineState,
    /// The recipe in force.
    pub recipe: RecipeInForce,
    /// Runs in the store that this process made, the newest last.
    pub runs: Vec<i64>,
    /// What became of the parts.
    pub parts: Parts,
    /// Parts answered by the fail-safe because no inspection came in time.
    pub deadline_misses: u64,
    /// Inspections that came after their deadline.
    pub late: u64,
    /// Frames that the cameras gave, those that never arrived among them.
    pub frames_offered: u64,
    /// Frames dropped because the line was busy.
    pub frames_dropped: u64,
    /// Frames that a camera counted and that never arrived.
    pub frames_missing: u64,
    /// Tails by stage, and of `decision`, `plc` and `trigger_error`; only what was measured.
    pub latency_ms: BTreeMap<&'static str, Tail>,
    /// What waits, by stage.
    pub queues: BTreeMap<&'static str, Queue>,
    /// A row a camera.
    pub cameras: Vec<CameraSnapshot>,
    /// A row a calibrated camera, since a line was started.
    pub calibrations: Vec<CalibrationLook>,
    /// Films and clips.
    pub clips: Clips,
    /// How clips are brought to where they are kept, a row a camera; none when they stay here.
    pub uploads: Vec<UploadSnapshot>,
    /// Whether the PLC is there.
    pub plc_is_up: bool,
    /// Events that somebody has to look after, since the start or the last reset.
    pub alarms: u64,
    /// How often each event happened.
    pub events: BTreeMap<&'static str, u64>,
    /// What this process costs.
    pub process: Process,
    /// The machine.
    pub host: Host,
}

impl Look {
    /// From trigger to signal.
    pub fn decision(&self) -> Tail {
        self.latency_ms.get("decision").copied().unwrap_or_default()
    }
}

/// Looks at a line from outside, from any thread, without stopping it.
pub struct Watch {
    station: String,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    began: MonoTime,
    seen: Mutex<Seen>,
}

/// What the counters don't know.
struct Seen {
    recipe: RecipeInForce,
    runs: Vec<i64>,
    calibrations: Vec<Calibration>,
    /// Alarms that a reset has forgotten.
    forgotten: u64,
    threads: Threads,
}

impl Watch {
    /// A watch over the line that counts in `counters`.
    pub fn new(
        station: &str,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
        recipe: RecipeInForce,
    ) -> Self {
        let seen = Seen {
            recipe,
            runs: Vec::new(),
            calibrations: Vec::new(),
            forgotten: 0,
            threads: Threads::default(),
        };
        let began = clock.now();
        Self { station: station.to_owned(), counters, clock, began, seen: Mutex::new(seen) }
    }

    fn with_seen<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        // Plain values: one who panicked with them left nothing half done that matters.
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another recipe is in force.
    pub fn set_recipe(&self, recipe: RecipeInForce) {
        self.with_seen(|seen| seen.recipe = recipe);
    }

    /// A run was begun in the store.
    pub fn add_run(&self, run: i64) {
        self.with_seen(|seen| seen.runs.push(run));
    }

    /// A line was started whose cameras are calibrated so.
    pub fn set_calibrations(&self, calibrations: Vec<Calibration>) {
        self.with_seen(|seen| seen.calibrations = calibrations);
    }

    /// Forgets the alarms so far.
    pub fn forget_alarms(&self) {
        let alarms = alarms_in(&self.counters.events());
        self.with_seen(|seen| seen.forgotten = alarms);
    }

    /// The recipe in force.
    pub fn recipe(&self) -> RecipeInForce {
        self.with_seen(|seen| seen.recipe.clone())
    }

    /// What a PLC is shown while no line runs.
    pub fn status_off(&self) -> PlcStatus {
        let now = self.counters.snapshot();
        PlcStatus {
            state: now.state,
            parts: now.parts,
            told_reject: now.told_reject,
            deadline_misses: now.deadline_misses,
            recipe: self.with_seen(|seen| seen.recipe.number),
            ..PlcStatus::default()
        }
    }

    /// The run that is being written, or was last.
    pub fn run(&self) -> Option<i64> {
        self.with_seen(|seen| seen.runs.last().copied())
    }

    /// Since this program started.
    pub fn uptime_s(&self) -> f64 {
        self.clock.now().since(self.began).as_secs_f64()
    }

    /// The counters.
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The numbers now.
    pub fn look(&self) -> Look {
        let snapshot = self.counters.snapshot();
        let events = self.counters.events();
        let alarms = alarms_in(&events);
        let missing = snapshot.cameras.iter().map(|camera| camera.missing).sum();
        self.with_seen(|seen| Look {
            schema: SCHEMA,
            station: self.station.clone(),
            software: crate::modes::software().to_string(),
            written_unix_ms: self.clock.wall().unix_ns / 1_000_000,
            uptime_s: self.clock.now().since(self.began).as_secs_f64(),
            state: snapshot.state,
            recipe: seen.recipe.clone(),
            runs: seen.runs.clone(),
            parts: Parts {
                sum: snapshot.parts,
                adds_up: snapshot.parts.holds(),
                told_reject: snapshot.told_reject,
                recorded: snapshot.recorded,
            },
            deadline_misses: snapshot.deadline_misses,
            late: snapshot.late,
            frames_offered: snapshot.frames + missing,
            frames_dropped: snapshot.frames_dropped,
            frames_missing: missing,
            latency_ms: tails(&snapshot),
            queues: queues(&snapshot.stages),
            calibrations: seen.calibrations.iter().map(|it| it.look(self.clock.wall())).collect(),
            clips: Clips { sum: snapshot.clips, bytes_saved: snapshot.clips.bytes_saved() },
            uploads: snapshot.uploads,
            plc_is_up: snapshot.plc_is_up,
            cameras: snapshot.cameras,
            alarms: alarms.saturating_sub(seen.forgotten),
            events,
            process: seen.threads.look(),
            host: Host::now(),
        })
    }
}

fn alarms_in(events: &BTreeMap<&'static str, u64>) -> u64 {
    let alarms = events.iter().filter(|(name, _)| Event::name_is_alarm(name));
    alarms.map(|(_, count)| count).sum()
}

fn tails(snapshot: &Snapshot) -> BTreeMap<&'static str, Tail> {
    let stages = snapshot.stages.iter().map(|row| (row.stage.name(), row.took_ms));
    let whole = [
        ("decision", snapshot.decision_ms),
        ("plc", snapshot.plc_ms),
        ("trigger_error", snapshot.trigger_error_ms),
    ];
    stages.chain(whole).filter(|(_, tail)| tail.count > 0).collect()
}

fn queues(stages: &[StageSnapshot]) -> BTreeMap<&'static str, Queue> {
    let queue = |row: &StageSnapshot| Queue {
        waiting: row.waiting,
        waiting_most: row.waiting_most,
        bound: row.bound,
        dropped: row.dropped,
        restarts: row.restarts,
    };
    let there = stages.iter().filter(|row| row.bound > 0 || row.restarts > 0);
    there.map(|row| (row.stage.name(), queue(row))).collect()
}

#[cfg(test)]
impl Look {
    /// A look at a line that has answered a few parts.
    pub fn example() -> Self {
        use std::time::Duration;

        use domain::{CameraId, GateSignal, Verdict};
        use pipeline::clock::SimulatedClock;

        let camera = CameraId::new("top");
        let counters = Arc::new(Counters::of_cameras([camera.clone()]));
        counters.set_state(LineState::Running);
        for ms in 1..=10 {
            counters.frame(&camera, MonoTime::from_ns(ms));
            counters.triggered();
            counters.decision.add(Duration::from_millis(ms));
            counters.took[domain::Stage::Infer as usize].add(Duration::from_millis(ms));
            counters.book(1, Some((&Verdict::Pass, GateSignal::Pass)), 0);
        }
        counters.event(&Event::DeadlineMissed { part: domain::PartId(7) });
        counters.event(&Event::FramesMissing { camera, frames: 3, cause: "cable".into() });
        let recipe = RecipeInForce {
            number: 1,
            name: "bracket".into(),
            sha256: Sha256::of(b"recipe"),
            model_sha256: Sha256::of(b"model"),
            budget_ms: 50,
        };
        let clock = Arc::new(SimulatedClock::default());
        let watch = Watch::new("station \"1\"", counters, clock, recipe);
        let made_at = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_hours(36);
        let camera = CameraId::new("top");
        watch.set_calibrations(vec![Calibration { camera, made_at, still: Arc::default() }]);
        let mut look = watch.look();
        // As a watch over the frames would have found it.
        let calibration = &mut look.calibrations[0];
        calibration.holds = false;
        calibration.measures.sharpness = Some(0.7);
        calibration.measures.drift_px = Some((3.0, -4.0));
        look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_what_scripts_rely_on() {
        let json = serde_json::to_value(Look::example()).unwrap();
        assert_eq!(json["parts"]["triggered"], 10);
        assert_eq!(json["parts"]["adds_up"], true);
        assert_eq!(json["latency_ms"]["decision"]["count"], 10);
        assert_eq!(json["latency_ms"]["decision"]["max"], 10.0);
        assert!(json["latency_ms"]["infer"]["p999"].is_number());
        assert!(json["latency_ms"].get("plc").is_none(), "nothing was measured of it");
        assert_eq!((&json["frames_offered"], &json["frames_missing"]), (&13.into(), &3.into()));
        assert_eq!((&json["deadline_misses"], &json["alarms"]), (&1.into(), &2.into()));
        assert_eq!(json["recipe"]["sha256"].as_str().map(str::len), Some(64));
        assert_eq!(json["state"], "running");
    }
}
