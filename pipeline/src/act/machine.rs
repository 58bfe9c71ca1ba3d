//! The loop around the desk on a live line: waits for whatever comes first, and no longer than
//! until the next deadline, movement of the gate, or sign of life.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, never, select_biased};
use domain::MonoTime;

use super::desk::Desk;
use super::hands::Hands;
use super::{Inspected, Notice};
use crate::clock::Clock;
use crate::limits;
use crate::link::LinkReceiver;
use crate::plc::FieldInput;
use crate::stage::Pulse;

/// The thread's state. Each turn of the loop may fail without losing it.
pub(super) struct Machine {
    desk: Desk,
    hands: Hands,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    /// Each until its other end closes, then [`never`].
    notices: Receiver<Notice>,
    inspected: Receiver<Inspected>,
    field: Receiver<FieldInput>,
    /// Keeps the link open for its sender.
    _field: Option<LinkReceiver<FieldInput>>,
    open: Open,
    now: MonoTime,
    /// Taken from its link and not yet at the desk; a turn that fails leaves it here.
    came: Came,
    next_status: MonoTime,
    /// When the last part was answered after both links closed.
    answered_all_at: Option<MonoTime>,
}

/// What the thread listens to.
pub(super) struct Listens<'a> {
    pub notices: &'a LinkReceiver<Notice>,
    pub inspected: &'a LinkReceiver<Inspected>,
    pub field: Option<LinkReceiver<FieldInput>>,
}

struct Open {
    notices: bool,
    inspected: bool,
}

enum Came {
    Notice(Notice),
    Inspected(Inspected),
    Field(FieldInput),
    NoticesEnd,
    InspectedEnd,
    FieldEnd,
    Nothing,
}

impl Machine {
    pub(super) fn new(
        desk: Desk,
        hands: Hands,
        clock: Arc<dyn Clock>,
        pulse: Arc<Pulse>,
        listens: Listens<'_>,
    ) -> Self {
        let Listens { notices, inspected, field } = listens;
        Self {
            pulse,
            desk,
            hands,
            notices: notices.channel().clone(),
            inspected: inspected.channel().clone(),
            field: field.as_ref().map_or_else(never, |field| field.channel().clone()),
            _field: field,
            open: Open { notices: true, inspected: true },
            now: MonoTime::ZERO,
            came: Came::Nothing,
            next_status: MonoTime::ZERO,
            answered_all_at: None,
            clock,
        }
    }

    /// A turn that panics loses no part: what it had in hand is still in the ledger, or told.
    pub(super) fn run(mut self) {
        let mut failed = 0;
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(over) => {
                    if failed > 0 {
                        self.hands.works_again();
                    }
                    failed = 0;
                    if over.is_break() {
                        break;
                    }
                }
                Err(panic) => {
                    failed += 1;
                    self.hands.failed(&*panic);
                    if failed == limits::FAILED_TURNS {
                        self.end();
                        resume_unwind(panic);
                    }
                }
            }
        }
        self.end();
        self.pulse.rests();
    }

    fn turn(&mut self) -> ControlFlow<()> {
        self.pulse.rests();
        self.now = self.clock.now();
        if matches!(self.came, Came::Nothing) {
            self.came = self.wait();
        }
        self.now = self.clock.now();
        self.pulse.works(self.now);
        let came = std::mem::replace(&mut self.came, Came::Nothing);
        self.take(came);
        for _ in 0..limits::FIELD_INPUTS_AT_ONCE {
            let Ok(input) = self.field.try_recv() else { break };
            self.desk.field(input);
        }
        self.desk.tick(self.now);
        self.hands.carry_out(&mut self.desk);
        if self.next_status <= self.now {
            self.next_status = self.now.plus(limits::STATUS_EVERY);
            self.hands.show_status(self.desk.unconfirmed());
        }
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn wait(&self) -> Came {
        let wake = self.desk.next_wake(self.now).unwrap_or(self.next_status);
        let wait = wake.min(self.next_status).since(self.now).min(limits::STOP_LOOK);
        select_biased! {
            recv(self.notices) -> notice => notice.map_or(Came::NoticesEnd, Came::Notice),
            recv(self.inspected) -> item => item.map_or(Came::InspectedEnd, Came::Inspected),
            recv(self.field) -> input => input.map_or(Came::FieldEnd, Came::Field),
            default(wait) => Came::Nothing,
        }
    }

    fn take(&mut self, came: Came) {
        match came {
            Came::Notice(notice) => self.desk.notice(notice, self.now),
            Came::Inspected(item) => {
                let earlier = self.notices.try_iter();
                self.desk.inspected(item, earlier, self.now);
            }
            Came::Field(input) => self.desk.field(input),
            Came::NoticesEnd => {
                self.notices = never();
                self.open.notices = false;
            }
            Came::InspectedEnd => {
                self.inspected = never();
                self.open.inspected = false;
                self.desk.close(self.now);
            }
            Came::FieldEnd => self.field = never(),
            Came::Nothing => {}
        }
    }

    /// Over when nothing can come, and what is to be thrown out has been or had its time.
    fn is_over(&mut self) -> bool {
        if self.open.notices || self.open.inspected {
            return false;
        }
        let since = *self.answered_all_at.get_or_insert(self.now);
        self.desk.on_their_way() == 0 || self.now.since(since) >= limits::GATE_FINISH
    }

    fn end(&mut self) {
        let came = std::mem::replace(&mut self.came, Came::Nothing);
        self.take(came);
        for notice in self.notices.try_iter() {
            self.desk.notice(notice, self.now);
        }
        self.desk.end(self.now);
        self.hands.carry_out(&mut self.desk);
        self.hands.show_status(self.desk.unconfirmed());
    }
}
