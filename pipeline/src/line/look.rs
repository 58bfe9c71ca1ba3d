//! The body of a thread locate: takes frames of one camera and what the PLC tells; announces each
//! part to act, then hands it to the inspecting threads with what it is to be inspected with.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{CameraId, Event, Frame, Stage, Why};

use super::armed::{Armed, InForce};
use super::inspect::Job;
use super::{Ground, Head};
use crate::act::{Inspected, Notice};
use crate::clock::Clock;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, Sent};
use crate::locate::{Given, LocateError, Locator, is_triggered};
use crate::plc::FieldInput;
use crate::stage::{Counters, Pulse};

/// What a thread locate shows of itself.
#[derive(Default)]
pub(super) struct Vitals {
    pub pulse: Arc<Pulse>,
    /// Whether it has learnt what it needs to find parts.
    pub learnt: Arc<AtomicBool>,
}

/// Looks at what one camera sees.
pub(super) struct Looker {
    camera: CameraId,
    locator: Locator,
    field: Option<LinkReceiver<FieldInput>>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    has_failed: bool,
    in_force: Arc<InForce>,
    changes: u64,
    vitals: Vitals,
    outlets: Outlets,
}

/// Where parts go.
struct Outlets {
    /// What parts are inspected with; the newest last, before it what parts may still be stamped
    /// with.
    armed: Vec<Arc<Armed>>,
    due: LinkSender<Notice>,
    to_inspect: LinkSender<Job>,
    to_act: LinkSender<Inspected>,
}

/// What there is to do.
enum Work {
    Frame(Frame),
    Input(FieldInput),
    Nothing,
    Over,
}

impl Looker {
    pub fn new(
        camera: CameraId,
        field: Option<LinkReceiver<FieldInput>>,
        vitals: Vitals,
        head: &Head,
    ) -> Self {
        let Ground { live, counters, clock, .. } = &head.ground;
        let armed = head.in_force.get();
        let locator = Locator::new(
            Arc::clone(&armed.recipe),
            camera.clone(),
            *live,
            Arc::clone(&head.numbers),
            Arc::clone(clock),
            Arc::clone(counters),
        );
        let outlets = Outlets {
            armed: vec![armed],
            due: head.links.0.clone(),
            to_inspect: head.links.1.clone(),
            to_act: head.links.2.clone(),
        };
        let (clock, counters) = (Arc::clone(clock), Arc::clone(counters));
        Self {
            camera,
            locator,
            field,
            clock,
            counters,
            has_failed: false,
            in_force: Arc::clone(&head.in_force),
            changes: 0,
            vitals,
            outlets,
        }
    }

    /// Runs until the frames are over, or can't be looked at: leaving closes the link, which stops
    /// capture.
    pub fn run(mut self, frames: &LinkReceiver<Frame>) -> Result<(), LocateError> {
        let mut looked = self.outlets.armed.iter().try_for_each(|armed| self.check(armed));
        while looked.is_ok() {
            let work = self.wait(frames);
            self.vitals.pulse.works(self.clock.now());
            if let Some(armed) = self.in_force.news(&mut self.changes) {
                self.change(armed);
            }
            looked = match work {
                Work::Frame(frame) => self.guarded(|locator| locator.see(frame)),
                Work::Input(input) => self.guarded(|locator| {
                    locator.hear(input);
                    Ok(())
                }),
                Work::Nothing => self.guarded(|locator| {
                    locator.expire();
                    Ok(())
                }),
                Work::Over => break,
            };
            self.vitals.pulse.rests();
        }
        self.vitals.pulse.rests();
        let ended = self.guarded(|locator| {
            locator.end();
            Ok(())
        });
        looked.and(ended)
    }

    /// Inspects the parts that are located from now on with `armed`; those that are due already
    /// keep what they were triggered with. What can't be is refused, and the line goes on as it is.
    fn change(&mut self, armed: Arc<Armed>) {
        if let Err(error) = self.check(&armed) {
            self.tell_failure(format!("the recipe is not changed: {error}"));
            return;
        }
        let changed = self.guarded(|locator| locator.change(&armed.recipe));
        if let Err(error) = changed {
            self.tell_failure(format!("the recipe is not changed: {error}"));
            return;
        }
        self.outlets.armed.push(armed);
    }

    fn check(&self, armed: &Armed) -> Result<(), LocateError> {
        if self.field.is_some() || !is_triggered(&armed.recipe) {
            return Ok(());
        }
        let recipe = armed.recipe.as_written().name.clone();
        Err(LocateError::NoTriggers { recipe, camera: self.camera.clone() })
    }

    /// Triggers before frames: act is to hear of a part at once.
    fn wait(&mut self, frames: &LinkReceiver<Frame>) -> Work {
        let now = self.clock.now();
        let limit = self.locator.next_look(now).map_or(limits::STOP_LOOK, |at| {
            // A moment later, or the time would not have passed.
            (at.since(now) + LATER).min(limits::STOP_LOOK)
        });
        let never = crossbeam_channel::never();
        let field = self.field.as_ref().map_or(&never, LinkReceiver::channel);
        crossbeam_channel::select_biased! {
            recv(field) -> input => match input {
                Ok(input) => Work::Input(input),
                Err(_) => {
                    self.field = None;
                    Work::Nothing
                }
            },
            recv(frames.channel()) -> frame => {
                frames.show();
                frame.map_or(Work::Over, Work::Frame)
            }
            default(limit) => Work::Nothing,
        }
    }

    /// Runs `body` and hands on what it gives. A panic costs what was under way, not the line.
    fn guarded(
        &mut self,
        body: impl FnOnce(&mut Locator) -> Result<(), LocateError>,
    ) -> Result<(), LocateError> {
        let looked = catch_unwind(AssertUnwindSafe(|| body(&mut self.locator)));
        let looked = looked.unwrap_or_else(|panic| {
            self.tell_failure(format!("{}: {}", self.camera, message_of(&*panic)));
            self.has_failed = true;
            self.locator.restart();
            Ok(())
        });
        for given in self.locator.given() {
            self.outlets.hand_on(given);
        }
        if self.has_failed && self.locator.is_ready() {
            self.has_failed = false;
            self.counters.event(&Event::StageRestarted { stage: Stage::Locate });
        }
        self.vitals.learnt.store(self.locator.is_ready(), Ordering::Release);
        self.outlets.forget(&self.locator);
        looked
    }

    fn tell_failure(&self, message: String) {
        self.counters.event(&Event::StageFailed { stage: Stage::Locate, message });
    }
}

/// The least by which a moment has passed.
const LATER: std::time::Duration = std::time::Duration::from_micros(100);

impl Outlets {
    /// Without act there is nothing to be done for a part; what was already announced is answered
    /// by act's fail-safe.
    fn hand_on(&self, given: Given) {
        match given {
            Given::Due { expected, unseen } => {
                let located_at = expected.triggered_at.mono;
                let _ = self.due.send(Notice { expected, located_at, unseen });
            }
            Given::Part(part) => {
                let is_its = |armed: &&Arc<Armed>| Arc::ptr_eq(&armed.recipe, &part.recipe);
                let its = self.armed.iter().rev().find(is_its).or(self.armed.last());
                let Some(armed) = its.map(Arc::clone) else { return };
                let id = part.id;
                let (lost, why) = match self.to_inspect.send(Job { part, armed }) {
                    Ok(Sent::Queued) => return,
                    // The inspecting threads do not keep up.
                    Ok(Sent::Dropped(oldest)) => (oldest.part.id, Why::Deadline),
                    Err(_) => (id, Why::StageFailed { stage: Stage::Infer }),
                };
                let _ = self.to_act.send(Inspected::Lost(lost, why));
            }
            Given::Lost(part, why) => {
                let _ = self.to_act.send(Inspected::Lost(part, why));
            }
        }
    }

    /// Lets go of what no part will be inspected with any more.
    fn forget(&mut self, locator: &Locator) {
        let older = self.armed.len().saturating_sub(1);
        let mut at = 0;
        self.armed.retain(|armed| {
            at += 1;
            at > older || locator.stamps(&armed.recipe)
        });
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
