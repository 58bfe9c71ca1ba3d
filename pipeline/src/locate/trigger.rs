//! A free-running camera and a trigger from outside: takes frames and what the PLC tells of the
//! belt; gives for each trigger the frame that was exposed nearest to the wanted moment, or why
//! there is none. Reads no clock.
//!
//! The frames of the last moments are kept, as a trigger may ask for one that was exposed before
//! it. A frame shows one part: it is given to one trigger only.

mod inputs;

use std::collections::VecDeque;
use std::time::Duration;

use domain::recipe::Trigger;
use domain::{CaptureTime, CheckedRecipe, Event, Frame, MonoTime, PartId};
use std::sync::Arc;

use crate::limits;
use crate::plc::FieldInput;
use inputs::Inputs;

/// Frames are kept for at least so long more than the rule asks for: a trigger is heard of a
/// little after it came.
const HEARD_LATE: Duration = Duration::from_millis(20);

/// A part that was triggered and has no picture yet.
#[derive(Debug)]
pub struct Waiting {
    /// The part.
    pub part: PartId,
    /// What was to be looked for when it was triggered.
    pub recipe: Arc<CheckedRecipe>,
    /// When it was triggered.
    pub triggered_at: CaptureTime,
    wanted: MonoTime,
    window: Duration,
}

impl Waiting {
    fn window_end(&self) -> MonoTime {
        self.wanted.plus(self.window)
    }

    /// Until when a frame that was exposed in the window may arrive: later than that no inspection
    /// would come in time.
    fn last_call(&self) -> MonoTime {
        let due = self.triggered_at.mono.plus(self.recipe.budget());
        self.window_end().plus(due.since(self.window_end()) * 9 / 10)
    }

    /// The next moment after `now` at which the clock alone may settle it.
    fn next_look(&self, now: MonoTime) -> MonoTime {
        if now <= self.window_end() { self.window_end() } else { self.last_call() }
    }
}

/// What became of a part that waited.
pub enum Settled {
    /// Its picture.
    Chosen {
        /// The part.
        waiting: Waiting,
        /// The frame.
        frame: Frame,
        /// How far from the wanted moment it was exposed.
        error: Duration,
    },
    /// There is none, and won't be.
    Unseen {
        /// The part.
        waiting: Waiting,
        /// Why.
        cause: Arc<str>,
    },
}

/// One part a trigger.
pub struct TriggerLocator {
    rule: Trigger,
    inputs: Inputs,
    /// The last frames that no trigger has been given, oldest first.
    ring: VecDeque<Frame>,
    /// Exposure of the frame that was let go of last.
    older: Option<MonoTime>,
    /// Exposure of the newest frame, given or not.
    newest: Option<MonoTime>,
    /// Exposure of the frame that was given last.
    given: Option<MonoTime>,
    waiting: VecDeque<Waiting>,
}

impl TriggerLocator {
    /// A locator by `rule`.
    #[must_use]
    pub fn new(rule: &Trigger) -> Self {
        Self {
            rule: rule.clone(),
            inputs: Inputs::new(rule.by),
            ring: VecDeque::with_capacity(limits::TRIGGER_FRAMES_HELD + 1),
            older: None,
            newest: None,
            given: None,
            waiting: VecDeque::new(),
        }
    }

    /// Goes on by another rule; what was triggered waits on by the one before.
    pub fn adapt(&mut self, rule: &Trigger) {
        self.inputs.adapt(rule.by);
        self.rule = rule.clone();
    }

    /// Whether a part waits for its picture.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The recipes of the parts that wait.
    pub fn recipes(&self) -> impl Iterator<Item = &Arc<CheckedRecipe>> {
        self.waiting.iter().map(|waiting| &waiting.recipe)
    }

    /// Takes the next frame.
    pub fn see(&mut self, frame: Frame) {
        let newest = self.newest.map_or(frame.at.mono, |newest| newest.max(frame.at.mono));
        self.newest = Some(newest);
        let oldest = MonoTime::from_ns(newest.ns.saturating_sub(nanos(self.reach())));
        self.ring.push_back(frame);
        while self.ring.len() > limits::TRIGGER_FRAMES_HELD
            || (self.ring.len() > 1 && self.ring[0].at.mono < oldest)
        {
            self.older = self.ring.pop_front().map(|frame| frame.at.mono);
        }
    }

    /// How far back a trigger may ask for a frame.
    fn reach(&self) -> Duration {
        let window = window_of(&self.rule);
        window
            + window.max(HEARD_LATE)
            + Duration::from_nanos(delay_ns(&self.rule).min(0).unsigned_abs())
    }

    /// Takes what the PLC tells; adds to `marks` when parts were triggered.
    pub fn hear(&mut self, input: FieldInput, marks: &mut Vec<MonoTime>, events: &mut Vec<Event>) {
        self.inputs.hear(input, marks, events);
    }

    /// A part was triggered and now waits for its picture. When too many wait, the one that has
    /// waited longest goes without.
    pub fn expect(
        &mut self,
        part: PartId,
        recipe: Arc<CheckedRecipe>,
        triggered_at: CaptureTime,
        out: &mut Vec<Settled>,
    ) {
        if self.waiting.len() >= limits::TRIGGERS_WAITING
            && let Some(waiting) = self.waiting.pop_front()
        {
            let cause = format!("more than {} triggers wait for frames", limits::TRIGGERS_WAITING);
            out.push(Settled::Unseen { waiting, cause: cause.into() });
        }
        let wanted = triggered_at.mono.ns.saturating_add_signed(delay_ns(&self.rule));
        self.waiting.push_back(Waiting {
            part,
            recipe,
            triggered_at,
            wanted: MonoTime::from_ns(wanted),
            window: window_of(&self.rule),
        });
    }

    /// Settles what is certain at `now`: a frame at or after the wanted moment has been seen, so
    /// that no later one can be nearer; or the time for one has passed.
    pub fn settle(&mut self, now: MonoTime, camera_is_up: bool, out: &mut Vec<Settled>) {
        let mut at = 0;
        while at < self.waiting.len() {
            let Some(judged) = self.judge(&self.waiting[at], now, camera_is_up) else {
                at += 1;
                continue;
            };
            let Some(waiting) = self.waiting.remove(at) else { return };
            let frame = judged.ok().and_then(|place| self.ring.remove(place));
            out.push(match frame {
                Some(frame) => {
                    self.given = Some(frame.at.mono);
                    let error = distance(frame.at.mono, waiting.wanted);
                    Settled::Chosen { waiting, frame, error }
                }
                None => {
                    let cause = self.cause(&waiting, camera_is_up);
                    Settled::Unseen { waiting, cause }
                }
            });
        }
    }

    /// Which frame of the ring it is, or that there is none; `None` while that is not certain.
    fn judge(
        &self,
        waiting: &Waiting,
        now: MonoTime,
        camera_is_up: bool,
    ) -> Option<Result<usize, ()>> {
        let wanted = waiting.wanted;
        let time_is_up =
            now > if camera_is_up { waiting.last_call() } else { waiting.window_end() };
        let has_passed = self.newest.is_some_and(|newest| newest > waiting.window_end());
        let none_is_nearer = self.ring.iter().any(|frame| frame.at.mono >= wanted);
        if !(time_is_up || has_passed || none_is_nearer) {
            return None;
        }
        let by_distance = |place: &usize| distance(self.ring[*place].at.mono, wanted);
        let nearest = (0..self.ring.len()).min_by_key(by_distance);
        let nearest = nearest.filter(|place| by_distance(place) <= waiting.window);
        Some(nearest.ok_or(()))
    }

    fn cause(&self, waiting: &Waiting, camera_is_up: bool) -> Arc<str> {
        if !camera_is_up {
            return "the camera gives no frames".into();
        }
        let window_ms = ms(waiting.window);
        let near = |at: &MonoTime| distance(*at, waiting.wanted);
        if self.given.as_ref().is_some_and(|given| near(given) <= waiting.window) {
            return format!("the only frame within {window_ms:.1} ms shows another part").into();
        }
        let others = self.ring.iter().map(|frame| frame.at.mono);
        let nearest =
            others.chain(self.older).chain(self.newest).chain(self.given).min_by_key(near);
        let Some(nearest) = nearest else { return "no frame has come yet".into() };
        let side = if nearest < waiting.wanted { "before" } else { "after" };
        let off_ms = ms(near(&nearest));
        format!(
            "no frame was exposed within {window_ms:.1} ms of the wanted moment; the nearest was \
             {off_ms:.1} ms {side} it"
        )
        .into()
    }

    /// When to settle again though nothing was seen or heard.
    #[must_use]
    pub fn next_look(&self, now: MonoTime) -> Option<MonoTime> {
        self.waiting.iter().map(|waiting| waiting.next_look(now)).min()
    }

    /// Ends here: gives the parts that wait.
    pub fn end(&mut self) -> impl Iterator<Item = Waiting> + '_ {
        self.waiting.drain(..)
    }
}

fn distance(a: MonoTime, b: MonoTime) -> Duration {
    Duration::from_nanos(a.ns.abs_diff(b.ns))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_possible_truncation, reason = "a checked recipe's delay is a few seconds")]
fn delay_ns(rule: &Trigger) -> i64 {
    (rule.delay_ms * 1e6).round() as i64
}

fn window_of(rule: &Trigger) -> Duration {
    Duration::try_from_secs_f64(rule.window_ms / 1e3).unwrap_or_default()
}
