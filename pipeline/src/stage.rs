//! What every stage has in common: how it counts, how it times itself, how it shows that it is
//! alive, how it is asked to stop.

mod books;
mod clips;
mod pulse;
mod recent;
mod timing;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::{
    ActedInspection, CameraId, CameraSnapshot, Conservation, Event, GateSignal, LineState,
    MonoTime, Snapshot, Stage, StageSnapshot, UploadSnapshot, Verdict,
};

use crate::link::Gauge;
use books::{Books, Sums};
pub use clips::ClipCounters;
pub use pulse::Pulse;
use recent::Recent;
pub use timing::Timing;

/// Says how each camera's clips are brought to where they are kept.
pub type Uploads = Box<dyn Fn() -> Vec<UploadSnapshot> + Send + Sync>;

/// The line's counters. Written by the stages without waiting, read by anyone.
#[derive(Default)]
pub struct Counters {
    state: AtomicU8,
    frames_total: AtomicU64,
    footage_ns: AtomicU64,
    frames: AtomicU64,
    frames_dropped: AtomicU64,
    triggered: AtomicU64,
    books: Books,
    recent: Recent,
    deadline_misses: AtomicU64,
    late: AtomicU64,
    recorded: AtomicU64,
    unrecorded: AtomicU64,
    record_is_stuck: AtomicBool,
    recipe: AtomicU16,
    plc_is_down: AtomicBool,
    stop: AtomicBool,
    cameras: Vec<(CameraId, CameraCounters)>,
    /// Time on each frame (capture, locate) or part (the others).
    pub took: [Timing; Stage::ALL.len()],
    restarts: [AtomicU64; Stage::ALL.len()],
    /// What waits before each stage; set when the line is built.
    gauges: [Mutex<Option<Arc<Gauge>>>; Stage::ALL.len()],
    /// What is counted of films and clips.
    pub clips: ClipCounters,
    /// From trigger to signal.
    pub decision: Timing,
    /// From signal to the PLC having taken it.
    pub plc: Timing,
    /// Distance in time from a trigger to the exposure chosen for it.
    pub trigger_error: Timing,
    uploads: Mutex<Option<Uploads>>,
    /// Events are rare, so a lock that is held for an insertion does no harm.
    events: Mutex<Events>,
}

/// What is counted of one camera.
#[derive(Default)]
struct CameraCounters {
    is_up: AtomicBool,
    frames: AtomicU64,
    dropped: AtomicU64,
    missing: AtomicU64,
    lost: AtomicU64,
}

#[derive(Default)]
struct Events {
    counts: BTreeMap<&'static str, u64>,
    /// What each said last.
    last: BTreeMap<&'static str, Event>,
    /// Not yet written down; bounded, the counts go on beyond it.
    unwritten: Vec<Event>,
}

fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Counters of a line with these cameras.
    #[must_use]
    pub fn of_cameras(cameras: impl IntoIterator<Item = CameraId>) -> Self {
        let cameras = cameras.into_iter().map(|id| (id, CameraCounters::default())).collect();
        Self { cameras, ..Self::default() }
    }

    fn camera(&self, camera: &CameraId) -> Option<&CameraCounters> {
        self.cameras.iter().find(|(id, _)| id == camera).map(|(_, counters)| counters)
    }

    /// A frame was taken from `camera` at `at` on its clock.
    pub fn frame(&self, camera: &CameraId, at: MonoTime) {
        bump(&self.frames);
        self.footage_ns.fetch_max(at.ns, Ordering::Relaxed);
        if let Some(counters) = self.camera(camera) {
            bump(&counters.frames);
            counters.is_up.store(true, Ordering::Release);
        }
    }

    /// A frame of `camera` was dropped because locate was busy. Only counted: dropping comes in
    /// bursts, which capture tells by [`Event::FrameDropped`].
    pub fn frame_dropped(&self, camera: &CameraId) {
        bump(&self.frames_dropped);
        if let Some(counters) = self.camera(camera) {
            bump(&counters.dropped);
        }
    }

    /// The source says how many frames there will be; 0 when it does not know.
    pub fn frames_expected(&self, total: u64) {
        self.frames_total.store(total, Ordering::Relaxed);
    }

    /// Whether `camera` gives frames.
    #[must_use]
    pub fn camera_is_up(&self, camera: &CameraId) -> bool {
        self.camera(camera).is_none_or(|counters| counters.is_up.load(Ordering::Acquire))
    }

    /// Whether every camera gives frames.
    #[must_use]
    pub fn cameras_are_up(&self) -> bool {
        self.cameras.iter().all(|(_, counters)| counters.is_up.load(Ordering::Acquire))
    }

    /// A part was located.
    pub fn triggered(&self) {
        bump(&self.triggered);
    }

    /// Act's entry in the books, which no other thread may make: its ledger took `taken` more
    /// parts, the gate was told of `answered`, and now so many are `owed`.
    pub fn book(&self, taken: u64, answered: Option<(&Verdict, GateSignal)>, owed: usize) {
        self.books.write(|sums| {
            sums.taken += taken;
            sums.owed = owed as u64;
            let Some((verdict, gate)) = answered else { return };
            *match verdict {
                Verdict::Pass => &mut sums.passed,
                Verdict::Reject { .. } => &mut sums.rejected,
                Verdict::Undecided { .. } => &mut sums.undecided,
            } += 1;
            sums.told_reject += u64::from(gate == GateSignal::Reject);
        });
    }

    /// Act's answer to a part, for people to see; no other thread may call this.
    pub fn answered(&self, acted: &ActedInspection) {
        self.recent.add(acted, |camera| self.cameras.iter().position(|(id, _)| id == camera));
    }

    /// Whether the disk does not take what is recorded.
    #[must_use]
    pub fn record_is_stuck(&self) -> bool {
        self.record_is_stuck.load(Ordering::Acquire)
    }

    /// Whether the PLC is there, or there is none to be.
    #[must_use]
    pub fn plc_is_up(&self) -> bool {
        !self.plc_is_down.load(Ordering::Acquire)
    }

    /// An outcome was written down.
    pub fn recorded(&self) {
        bump(&self.recorded);
    }

    /// Something worth telling happened: one log line, one count.
    pub fn event(&self, event: &Event) {
        if self.is_explained(event) {
            tracing::debug!(target: "line", event = event.name(), "{event}");
        } else {
            tracing::info!(target: "line", event = event.name(), "{event}");
        }
        self.follow(event);
        if let Ok(mut events) = self.events.lock() {
            *events.counts.entry(event.name()).or_default() += 1;
            events.last.insert(event.name(), event.clone());
            if events.unwritten.len() < crate::limits::EVENTS_WAITING {
                events.unwritten.push(event.clone());
            }
        }
    }

    /// Whether something that was told before explains it, so that a PLC or a disk that is gone
    /// for a week costs no log line a part.
    fn is_explained(&self, event: &Event) -> bool {
        match event {
            Event::VerdictNotTaken { .. } => self.plc_is_down.load(Ordering::Acquire),
            Event::NotRecorded { .. } | Event::PicturesGivenUp { .. } => self.record_is_stuck(),
            _ => false,
        }
    }

    /// The counters that an event moves besides its own count.
    fn follow(&self, event: &Event) {
        match event {
            Event::DeadlineMissed { .. } => bump(&self.deadline_misses),
            Event::LateInspection { .. } => bump(&self.late),
            Event::StageRestarted { stage } => bump(&self.restarts[*stage as usize]),
            Event::PlcLost { .. } => self.plc_is_down.store(true, Ordering::Release),
            Event::NotRecorded { .. } => bump(&self.unrecorded),
            Event::RecordStuck { .. } => self.record_is_stuck.store(true, Ordering::Release),
            Event::RecordingAgain => self.record_is_stuck.store(false, Ordering::Release),
            Event::PlcBack => self.plc_is_down.store(false, Ordering::Release),
            Event::CameraLost { camera, .. } => {
                if let Some(counters) = self.camera(camera) {
                    counters.is_up.store(false, Ordering::Release);
                    bump(&counters.lost);
                }
            }
            Event::CameraBack { camera, .. } => {
                if let Some(counters) = self.camera(camera) {
                    counters.is_up.store(true, Ordering::Release);
                }
            }
            Event::FramesMissing { camera, frames, .. } => {
                if let Some(counters) = self.camera(camera) {
                    counters.missing.fetch_add(*frames, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }

    /// How often each event happened.
    #[must_use]
    pub fn events(&self) -> BTreeMap<&'static str, u64> {
        self.events.lock().map(|events| events.counts.clone()).unwrap_or_default()
    }

    /// What each event said when it happened last.
    #[must_use]
    pub fn last_events(&self) -> BTreeMap<&'static str, Event> {
        self.events.lock().map(|events| events.last.clone()).unwrap_or_default()
    }

    /// Takes the events that record has not written down yet.
    #[must_use]
    pub fn take_unwritten(&self) -> Vec<Event> {
        self.events.lock().map(|mut e| std::mem::take(&mut e.unwritten)).unwrap_or_default()
    }

    /// The newest time on the source's clock.
    #[must_use]
    pub fn footage_time(&self) -> MonoTime {
        MonoTime::from_ns(self.footage_ns.load(Ordering::Relaxed))
    }

    /// Shows `gauge` as what waits before `stage`. The first one of a line counts.
    pub fn show_gauge(&self, stage: Stage, gauge: &Arc<Gauge>) {
        if let Ok(mut shown) = self.gauges[stage as usize].lock() {
            shown.get_or_insert_with(|| Arc::clone(gauge));
        }
    }

    /// Shows what `uploads` says from now on.
    pub fn show_uploads(&self, uploads: Uploads) {
        if let Ok(mut shown) = self.uploads.lock() {
            *shown = Some(uploads);
        }
    }

    fn uploads(&self) -> Vec<UploadSnapshot> {
        let shown = self.uploads.lock();
        shown.ok().and_then(|shown| shown.as_ref().map(|uploads| uploads())).unwrap_or_default()
    }

    /// Makes ready for another line after one that was stopped: counts go on.
    pub fn start_again(&self) {
        self.stop.store(false, Ordering::Release);
        for gauge in &self.gauges {
            if let Ok(mut shown) = gauge.lock() {
                *shown = None;
            }
        }
    }

    /// What the line is doing.
    #[must_use]
    pub fn state(&self) -> LineState {
        const STATES: [LineState; 5] = [
            LineState::Off,
            LineState::Starting,
            LineState::Running,
            LineState::Degraded,
            LineState::Stopping,
        ];
        STATES[usize::from(self.state.load(Ordering::Acquire)) % STATES.len()]
    }

    /// Says what the line is doing.
    pub fn set_state(&self, state: LineState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Asks the head of the line to take no more frames.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether the line was asked to stop.
    #[must_use]
    pub fn asked_to_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The sum of parts, of one moment: it holds whenever it is asked for, unless act has lost a
    /// part or answered one twice.
    #[must_use]
    pub fn parts(&self) -> Conservation {
        self.conservation(self.books.read())
    }

    /// A part is counted before its notice is sent, so that none was taken that is not in
    /// `triggered` when this is read after the books. Those between are on their way to act.
    fn conservation(&self, sums: Sums) -> Conservation {
        let triggered = self.triggered.load(Ordering::Relaxed);
        Conservation {
            triggered,
            passed: sums.passed,
            rejected: sums.rejected,
            undecided: sums.undecided,
            in_line: sums.owed + triggered.saturating_sub(sums.taken),
        }
    }

    /// Parts that the gate was told to throw out.
    #[must_use]
    pub fn told_reject(&self) -> u64 {
        self.books.read().told_reject
    }

    /// Parts that the fail-safe answered at their deadline.
    #[must_use]
    pub fn deadline_misses(&self) -> u64 {
        self.deadline_misses.load(Ordering::Relaxed)
    }

    /// How often a camera was lost, all together.
    #[must_use]
    pub fn camera_faults(&self) -> u64 {
        self.cameras.iter().map(|(_, camera)| camera.lost.load(Ordering::Relaxed)).sum()
    }

    /// Number of the recipe in force, as the station's configuration counts them from 1; 0 when
    /// it has no number.
    #[must_use]
    pub fn recipe(&self) -> u16 {
        self.recipe.load(Ordering::Relaxed)
    }

    /// Says which recipe is in force.
    pub fn set_recipe(&self, number: u16) {
        self.recipe.store(number, Ordering::Relaxed);
    }

    /// The latest values.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let sums = self.books.read();
        Snapshot {
            state: self.state(),
            frames: get(&self.frames),
            frames_dropped: get(&self.frames_dropped),
            frames_total: Some(get(&self.frames_total)).filter(|total| *total > 0),
            footage_s: self.footage_time().as_secs(),
            parts: self.conservation(sums),
            told_reject: sums.told_reject,
            deadline_misses: self.deadline_misses(),
            late: get(&self.late),
            recorded: get(&self.recorded),
            unrecorded: get(&self.unrecorded),
            decision_ms: self.decision.tail().unwrap_or_default(),
            plc_ms: self.plc.tail().unwrap_or_default(),
            trigger_error_ms: self.trigger_error.tail().unwrap_or_default(),
            clips: self.clips.snapshot(),
            uploads: self.uploads(),
            plc_is_up: self.plc_is_up(),
            cameras: self.cameras.iter().map(camera_snapshot).collect(),
            stages: Stage::ALL.into_iter().map(|stage| self.stage_snapshot(stage)).collect(),
            recent: self.recent.list(&self.cameras.iter().map(|(id, _)| id).collect::<Vec<_>>()),
        }
    }

    fn stage_snapshot(&self, stage: Stage) -> StageSnapshot {
        let gauge = self.gauges[stage as usize].lock().ok().and_then(|shown| shown.clone());
        let read = |of: fn(&Gauge) -> u64| gauge.as_deref().map_or(0, of);
        StageSnapshot {
            stage,
            took_ms: self.took[stage as usize].tail().unwrap_or_default(),
            waiting: read(Gauge::waiting),
            waiting_most: read(Gauge::waiting_most),
            bound: read(Gauge::bound),
            dropped: read(Gauge::dropped),
            restarts: self.restarts[stage as usize].load(Ordering::Relaxed),
        }
    }
}

fn camera_snapshot((camera, counters): &(CameraId, CameraCounters)) -> CameraSnapshot {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    CameraSnapshot {
        camera: camera.clone(),
        is_up: counters.is_up.load(Ordering::Acquire),
        frames: get(&counters.frames),
        dropped: get(&counters.dropped),
        missing: get(&counters.missing),
        lost: get(&counters.lost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conservation_is_what_was_counted_not_what_was_derived() {
        let counters = Counters::default();
        let sum = || counters.snapshot().parts;
        counters.triggered();
        assert!(sum().holds() && sum().in_line == 1, "on its way to act");
        assert!(!sum().is_closed(), "nobody has answered");
        counters.book(1, None, 0);
        assert!(!sum().holds(), "a part that act has lost must show");
        counters.book(0, None, 1);
        assert!(sum().holds() && sum().in_line == 1, "owed");
        counters.book(0, Some((&Verdict::Pass, GateSignal::Pass)), 0);
        assert!(sum().is_closed());
        counters.book(0, Some((&Verdict::Pass, GateSignal::Pass)), 0);
        assert!(!sum().holds(), "a part that is answered twice must show");
    }

    #[test]
    fn a_lost_camera_shows_until_it_gives_frames_again() {
        let camera = CameraId::new("top");
        let counters = Counters::of_cameras([camera.clone()]);
        assert!(!counters.cameras_are_up(), "it has given nothing yet");
        counters.frame(&camera, MonoTime::ZERO);
        assert!(counters.cameras_are_up());
        counters.event(&Event::CameraLost { camera: camera.clone(), cause: "unplugged".into() });
        assert!(!counters.camera_is_up(&camera));
        counters.event(&Event::CameraBack { camera: camera.clone(), after_ms: 5 });
        let shown = &counters.snapshot().cameras[0];
        assert!(shown.is_up && shown.lost == 1 && shown.frames == 1);
    }

    #[test]
    fn states_are_read_as_they_were_set() {
        let counters = Counters::default();
        for state in [LineState::Running, LineState::Stopping, LineState::Off] {
            counters.set_state(state);
            assert_eq!(counters.state(), state);
        }
    }
}
