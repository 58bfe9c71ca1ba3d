//! Looks after the line's threads: takes their vital signs; replaces an inspecting thread that
//! stands still and a session that was lost, tells what the line can do now, and notices when
//! the wall clock jumps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::{Event, LineState, MonoTime, Stage};

use super::armed::{Armed, InForce};
use super::inspect::{Inspector, Vitals};
use super::threads::Threads;
use crate::clock::Clock;
use crate::limits;
use crate::stage::{Counters, Pulse};

/// A jump of the wall clock that is told, nanoseconds. Slewing moves it by less between two looks.
const JUMP_NS: i64 = 1_000_000_000;

/// An inspecting thread.
struct Worker {
    index: usize,
    vitals: Arc<Vitals>,
    thread: JoinHandle<()>,
}

/// Tells that its thread is leaving, however it does.
struct Leaving {
    index: usize,
    to: Sender<usize>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // Nobody listens any more: the line is over.
        let _ = self.to.send(self.index);
    }
}

/// What is looked after.
pub(super) struct Supervisor {
    pub inspector: Inspector,
    pub threads: Arc<Threads>,
    pub in_force: Arc<InForce>,
    /// Recipes that are no longer in force and that parts in the line may still need.
    pub retired: Arc<Mutex<Vec<Arc<Armed>>>>,
    /// Of each camera's locate: whether it has learnt what it needs.
    pub learnt: Vec<Arc<AtomicBool>>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    workers: Vec<Worker>,
    started: usize,
    leaving: (Sender<usize>, Receiver<usize>),
    wall_offset_ns: Option<i64>,
}

impl Supervisor {
    pub fn new(
        inspector: Inspector,
        threads: Arc<Threads>,
        in_force: Arc<InForce>,
        retired: Arc<Mutex<Vec<Arc<Armed>>>>,
    ) -> Self {
        let (counters, clock) = (Arc::clone(&inspector.counters), Arc::clone(&inspector.clock));
        Self {
            inspector,
            threads,
            in_force,
            retired,
            learnt: Vec::new(),
            counters,
            clock,
            workers: Vec::new(),
            started: 0,
            leaving: bounded(limits::INSPECTORS_MAX),
            wall_offset_ns: None,
        }
    }

    /// Starts one more inspecting thread.
    ///
    /// # Errors
    /// When a thread can't be had.
    pub fn start_worker(&mut self) -> Result<(), super::LineError> {
        let index = self.started;
        self.started += 1;
        let vitals = Arc::new(Vitals::default());
        let (inspector, shown) = (self.inspector.clone(), Arc::clone(&vitals));
        let leaving = Leaving { index, to: self.leaving.0.clone() };
        let name = format!("inspect-{index}");
        let thread = self.threads.spawn(Stage::Prepare, index, &name, move || {
            let _leaving = leaving;
            inspector.run(&shown);
        })?;
        self.workers.push(Worker { index, vitals, thread });
        Ok(())
    }

    /// Looks after the line until the inspecting threads have left, which they do when no more
    /// parts can come. Gives whether one of them failed in a way it should not.
    pub fn run(mut self) -> bool {
        let mut failed = false;
        while !self.workers.is_empty() {
            if let Ok(index) = self.leaving.1.recv_timeout(limits::STOP_LOOK) {
                failed |= self.let_go_of(index);
                continue;
            }
            self.replace_stalled();
            self.mend();
            self.drop_retired();
            self.watch_wall_clock();
            self.say_state();
        }
        failed
    }

    /// Whether the thread failed; then another takes its place.
    fn let_go_of(&mut self, index: usize) -> bool {
        // One that was replaced is not here any more.
        let Some(at) = self.workers.iter().position(|worker| worker.index == index) else {
            return false;
        };
        let failed = self.workers.swap_remove(at).thread.join().is_err();
        if failed && let Err(error) = self.start_worker() {
            tracing::error!(target: "line", "{error}");
        }
        failed
    }

    /// On a live line a thread that has been at one part for too long is left to itself and
    /// replaced; its part was answered by the fail-safe long ago.
    fn replace_stalled(&mut self) {
        if !self.inspector.live {
            return;
        }
        let now = self.clock.now();
        let stalled = |worker: &Worker| worker.vitals.pulse.at_work_for(now) > limits::STALL_AFTER;
        let Some(index) = self.workers.iter().position(stalled) else { return };
        let worker = self.workers.swap_remove(index);
        worker.vitals.replaced.store(true, Ordering::Release);
        let (part, stood) = (worker.vitals.part(), worker.vitals.pulse.at_work_for(now));
        let message = format!("an inspecting thread has stood still at {part} for {stood:.1?}");
        self.counters.event(&Event::StageFailed { stage: Stage::Infer, message });
        self.in_force.get().lose_one();
        if let Err(error) = self.start_worker() {
            tracing::error!(target: "line", "{error}");
        }
    }

    fn mend(&self) {
        let armed = self.in_force.get();
        if !armed.lacks_seats() {
            return;
        }
        self.say_state();
        match armed.mend() {
            Ok(()) => self.counters.event(&Event::StageRestarted { stage: Stage::Infer }),
            Err(error) => tracing::error!(target: "infer", "{error}"),
        }
    }

    /// Sessions are freed here rather than by the last part that used them.
    fn drop_retired(&self) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|armed| Arc::strong_count(armed) > 1);
    }

    fn watch_wall_clock(&mut self) {
        let mono_ns = i64::try_from(self.clock.now().ns).unwrap_or(i64::MAX);
        let offset_ns = self.clock.wall().unix_ns.saturating_sub(mono_ns);
        let moved_ns = self.wall_offset_ns.map_or(0, |before| offset_ns.saturating_sub(before));
        self.wall_offset_ns = Some(offset_ns);
        if moved_ns.abs() >= JUMP_NS {
            self.counters.event(&Event::ClockJumped { by_ms: moved_ns / 1_000_000 });
        }
    }

    fn say_state(&self) {
        let learnt = self.learnt.iter().all(|learnt| learnt.load(Ordering::Acquire));
        let whole = self.counters.cameras_are_up()
            && learnt
            && !self.in_force.get().lacks_seats()
            && !self.workers.is_empty();
        let state = match (self.counters.state(), whole) {
            (LineState::Stopping | LineState::Off, _) => return,
            (_, true) => LineState::Running,
            (LineState::Starting, false) => LineState::Starting,
            (_, false) => LineState::Degraded,
        };
        self.counters.set_state(state);
    }
}

/// Whether none of `pulses` has been at one thing for longer than `longest`.
pub(super) fn all_beat(pulses: &[Arc<Pulse>], now: MonoTime, longest: Duration) -> bool {
    pulses.iter().all(|pulse| pulse.at_work_for(now) <= longest)
}
