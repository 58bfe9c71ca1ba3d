//! From the verdict to the gate: a part that is rejected at the camera is thrown out at the gate
//! down the belt, with any number of parts between. Takes what is due, verdicts, and what the PLC
//! tells of the belt; gives orders to open and close the gate. A state machine without a clock.
//!
//! All is reckoned in places of the belt: counts of its encoder, or nanoseconds where there is
//! none. A part that was triggered when the belt was at `x` has its middle at the gate when the
//! belt is at `m = x + travel`.
//!
//! ```text
//!   belt  x ───────────── travel ───────────────▶ m
//!         trigger   verdict           ┌─ lead ───┤
//!            │         │          ┌───┬──── pulse ────┬───┐
//!   gate ────┴─────────┴──────────┘tol│               │tol└────────────  open = signal is high
//!                                 start      m        end
//!                                          ├─catch─┤   another part whose middle is within catch
//!                                                      of an open gate falls as well, and is told
//! ```
//!
//! Whether the gate is open follows from where the belt is, and from nothing else: a belt that
//! stops leaves it as it is, and a belt that runs back closes it and opens it again. A part is
//! done with when the belt has certainly carried it past its end. While it is not known where
//! parts are (no readings; a count that jumps), the gate is held as the configuration says, until
//! everything that was on the belt has passed.
//!
//! By the clock alone nothing of this is seen: the belt must run at one speed.

mod belt;
mod config;
mod confirm;
mod way;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{Event, GateSignal, MonoTime, PartId};

use super::desk::Order;
use crate::limits;
use crate::plc::FieldInput;
use belt::{Belt, Encoder, Heard, Place};
pub use config::{
    ByEncoder, ByTime, Confirm, Neighbour, OnLost, Reject, RejectConfig, RejectError,
};
use confirm::Confirms;
pub use way::CalibratedBelt;

type Orders = VecDeque<Order>;

/// Follows parts from camera to gate.
pub struct Tracker {
    rule: Reject,
    belt: Belt,
    /// Parts whose place or verdict is not known yet.
    under_way: BTreeMap<PartId, UnderWay>,
    /// Parts to be thrown out, by where the belt is when their middle is at the gate.
    bad: BTreeMap<(i64, PartId), Bad>,
    /// Parts that passed.
    good: BTreeSet<(i64, PartId)>,
    confirms: Option<Confirms>,
    gate_is_open: bool,
    is_lost: bool,
    /// Where the belt must have come before it is known again where parts are.
    in_doubt_until: Option<i64>,
}

struct UnderWay {
    triggered_at: MonoTime,
    middle: Option<i64>,
    signal: Option<GateSignal>,
}

/// A part to be thrown out.
#[derive(Clone, Copy, Default)]
struct Bad {
    /// When the gate was open for it.
    opened_at: Option<MonoTime>,
    told_late: bool,
}

impl Tracker {
    /// An empty belt.
    #[must_use]
    pub fn new(rule: Reject) -> Self {
        let belt = rule
            .encoder
            .map_or(Belt::Time, |encoder| Belt::Encoder(Encoder::new(encoder, rule.tolerance)));
        Self {
            rule,
            belt,
            under_way: BTreeMap::new(),
            bad: BTreeMap::new(),
            good: BTreeSet::new(),
            confirms: rule.confirm.map(Confirms::new),
            gate_is_open: false,
            is_lost: false,
            in_doubt_until: None,
        }
    }

    /// A part is on its way.
    pub(super) fn expect(&mut self, part: PartId, triggered_at: MonoTime, orders: &mut Orders) {
        if self.under_way.len() + self.bad.len() + self.good.len() >= limits::PARTS_ON_BELT {
            self.make_room(orders);
        }
        self.under_way.insert(part, UnderWay { triggered_at, middle: None, signal: None });
        self.place(part, orders);
    }

    /// What is to become of `part`.
    pub(super) fn verdict(&mut self, part: PartId, signal: GateSignal) {
        if let Some(under_way) = self.under_way.get_mut(&part) {
            under_way.signal = Some(signal);
            self.sort(part);
        }
    }

    /// The PLC tells of the belt.
    pub(super) fn hear(&mut self, input: FieldInput, orders: &mut Orders) {
        match input {
            FieldInput::Encoder { count, at } => self.hear_encoder(count, at, orders),
            FieldInput::Confirm { count, at } => self.hear_confirm(count, at, orders),
            FieldInput::Trigger { .. } => {}
        }
    }

    /// Opens and closes the gate as the belt goes on.
    pub(super) fn step(&mut self, now: MonoTime, orders: &mut Orders) {
        self.look_after_belt(now, orders);
        // First, as a neighbour that goes may widen the window of the next part.
        self.see_off(now, orders);
        let reach = self.belt.here(now.plus(self.rule.gate));
        let open = if self.is_held() {
            self.rule.opens_on_lost()
        } else {
            reach.is_some_and(|reach| self.wants_open(reach))
        };
        if let Some(reach) = reach.filter(|_| !self.is_lost) {
            self.mark(reach, open, now, orders);
        }
        if open != self.gate_is_open {
            self.gate_is_open = open;
            orders.push_back(Order::Gate(open));
        }
        if let Some(confirms) = &mut self.confirms {
            confirms.expire(now, open, &mut |event| orders.push_back(Order::Event(event)));
        }
    }

    /// When [`Tracker::step`] has something to do, if no input comes before.
    pub(super) fn next_wake(&self, now: MonoTime) -> Option<MonoTime> {
        let confirm = self.confirms.as_ref().and_then(Confirms::next_wake);
        let lost = match &self.belt {
            Belt::Encoder(encoder) if !self.is_lost => encoder.lost_from(),
            _ => None,
        };
        let gate = self.next_movement(now).filter(|_| !self.is_held());
        [confirm, lost, gate].into_iter().flatten().min()
    }

    /// Closes the gate, and tells what never reached it.
    pub(super) fn end(&mut self, orders: &mut Orders) {
        if std::mem::take(&mut self.gate_is_open) {
            orders.push_back(Order::Gate(false));
        }
        let unplaced = std::mem::take(&mut self.under_way).into_iter();
        let unplaced = unplaced.filter(|(_, part)| part.signal == Some(GateSignal::Reject));
        let placed = std::mem::take(&mut self.bad).into_keys().map(|(_, part)| part);
        for part in unplaced.map(|(part, _)| part).chain(placed) {
            orders.push_back(Order::Event(Event::RejectNotConfirmed { part }));
        }
    }

    /// How many parts are on their way to be thrown out.
    pub(super) fn on_their_way(&self) -> usize {
        let is_bad = |part: &&UnderWay| part.signal == Some(GateSignal::Reject);
        self.bad.len() + self.under_way.values().filter(is_bad).count()
    }

    /// How many parts that were to be thrown out were not seen to fall.
    pub(super) fn unconfirmed(&self) -> u64 {
        self.confirms.as_ref().map_or(0, Confirms::unconfirmed)
    }

    fn is_held(&self) -> bool {
        self.is_lost || self.in_doubt_until.is_some()
    }

    fn hear_encoder(&mut self, count: i64, at: MonoTime, orders: &mut Orders) {
        let Some(encoder) = self.belt.encoder() else { return };
        let heard = encoder.hear(count, at);
        if let Heard::Jumped(what) = heard {
            self.doubt(what, orders);
        }
        let parts: Vec<PartId> =
            self.under_way.iter().filter(|(_, p)| p.middle.is_none()).map(|(id, _)| *id).collect();
        for part in parts {
            self.place(part, orders);
        }
    }

    fn hear_confirm(&mut self, count: u32, at: MonoTime, orders: &mut Orders) {
        let Some(confirms) = &mut self.confirms else { return };
        let Some(fallen) = confirms.hear(count, at) else { return };
        let Some(passed_at) = self.belt.came_by(fallen.middle) else { return };
        let delay_ns = fallen.at.ns.cast_signed() - passed_at.ns.cast_signed();
        let per_ms = self.belt.distance(1_000_000).abs();
        if per_ms == 0 {
            return;
        }
        let bound_ns = self.rule.tolerance.saturating_mul(1_000_000) / per_ms;
        if let Some(late_ns) = confirms.drifted(delay_ns, bound_ns) {
            let late_ms = late_ns / 1_000_000;
            let what = format!(
                "parts fall {late_ms} ms later than they used to, more than the tolerance: does \
                 the belt slip, or was the gate moved?"
            );
            orders.push_back(Order::Event(Event::EncoderImplausible { what }));
        }
    }

    /// Finds out where the belt was when `part` was triggered.
    fn place(&mut self, part: PartId, orders: &mut Orders) {
        let Some(under_way) = self.under_way.get_mut(&part) else { return };
        match self.belt.at(under_way.triggered_at) {
            Place::NotYet => {}
            Place::At(place) => {
                under_way.middle = Some(place + self.rule.travel);
                self.sort(part);
            }
            Place::Forgotten => {
                let come = self.belt.come(under_way.triggered_at).unwrap_or_default();
                under_way.middle = Some(come + self.rule.travel);
                self.sort(part);
                self.doubt(format!("where {part} was triggered is not known"), orders);
            }
        }
    }

    /// Puts `part` where it belongs, once all is known of it.
    fn sort(&mut self, part: PartId) {
        let Some(UnderWay { middle: Some(middle), signal: Some(signal), .. }) =
            self.under_way.get(&part)
        else {
            return;
        };
        match signal {
            GateSignal::Pass => drop(self.good.insert((*middle, part))),
            GateSignal::Reject => drop(self.bad.insert((*middle, part), Bad::default())),
        }
        self.under_way.remove(&part);
    }

    /// More parts than a belt can hold: something triggers that is no part. The oldest is
    /// forgotten; unless it passed, nobody can say when it is at the gate.
    fn make_room(&mut self, orders: &mut Orders) {
        if self.good.pop_first().is_some() {
            return;
        }
        let forgotten = self.under_way.pop_first().map(|(part, _)| part);
        let forgotten = forgotten.or_else(|| self.bad.pop_first().map(|((_, part), _)| part));
        if let Some(part) = forgotten {
            let most = limits::PARTS_ON_BELT;
            self.doubt(format!("{part} and {most} parts after it are on the belt"), orders);
        }
    }

    /// It is not known where the parts on the belt are.
    fn doubt(&mut self, what: String, orders: &mut Orders) {
        if self.in_doubt_until.is_none() {
            orders.push_back(Order::Event(Event::EncoderImplausible { what }));
        }
        let come = self.belt.come(MonoTime::ZERO).unwrap_or_default();
        let (_, end) = self.rule.window(come + self.rule.travel);
        self.in_doubt_until = self.in_doubt_until.max(Some(end));
    }

    fn look_after_belt(&mut self, now: MonoTime, orders: &mut Orders) {
        let lost = self.belt.encoder().is_some_and(|encoder| encoder.is_lost(now));
        if lost != self.is_lost {
            self.is_lost = lost;
            if lost {
                let what = "no readings; it is not known where parts are".to_owned();
                orders.push_back(Order::Event(Event::EncoderImplausible { what }));
            } else {
                self.doubt("there are readings again".to_owned(), orders);
            }
        }
        let come = self.belt.come(now);
        if self.in_doubt_until.is_some_and(|until| come.is_some_and(|come| come > until)) {
            if let Some(come) = come {
                self.see_off_good(come + self.rule.catch, orders);
            }
            if let Some(confirms) = &mut self.confirms {
                confirms.forget_strays();
            }
            self.in_doubt_until = None;
        }
    }

    /// Where the gate is open for the part at `middle`, neighbours considered.
    fn window(&self, middle: i64) -> (i64, i64) {
        let rule = &self.rule;
        let (mut start, mut end) = rule.window(middle);
        if rule.neighbour == Neighbour::Shorten {
            let apart = rule.catch + rule.tolerance;
            let before = self.good.range(..(middle, PartId(0))).next_back();
            if let Some((before, _)) = before {
                start = start.max((before + apart).min(middle - rule.tolerance));
            }
            if let Some((after, _)) = self.good.range((middle, PartId(0))..).next() {
                end = end.min((after - apart).max(middle + rule.tolerance));
            }
        }
        (start, end)
    }

    /// The parts for which the gate may be open when the belt is at `reach`: their middles.
    const fn middles(&self, reach: i64) -> (i64, i64) {
        let (start, end) = self.rule.window(0);
        (reach - end, reach - start)
    }

    fn near(&self, reach: i64) -> impl Iterator<Item = (i64, i64)> {
        let (first, last) = self.middles(reach);
        let near = self.bad.range((first, PartId(0))..=(last, PartId(u64::MAX)));
        near.map(|((middle, _), _)| self.window(*middle))
    }

    fn wants_open(&self, reach: i64) -> bool {
        self.near(reach).any(|(start, end)| (start..=end).contains(&reach))
    }

    fn next_movement(&self, now: MonoTime) -> Option<MonoTime> {
        let reach = self.belt.here(now.plus(self.rule.gate))?;
        let (_, last) = self.middles(reach);
        let beyond = self.bad.range((last + 1, PartId(0))..).next();
        let beyond = beyond.map(|((middle, _), _)| self.rule.window(*middle).0);
        let near = self.near(reach).filter_map(|(start, end)| {
            if reach < start { Some(start) } else { (reach <= end).then_some(end + 1) }
        });
        let place = near.chain(beyond).min()?;
        let at = self.belt.when(place)?;
        Some(MonoTime::ZERO.plus(at.since(MonoTime::ZERO.plus(self.rule.gate))))
    }

    /// Notes for which parts the gate is open, and tells where that is too late.
    fn mark(&mut self, reach: i64, open: bool, now: MonoTime, orders: &mut Orders) {
        let (first, last) = self.middles(reach);
        let mut from = (first, PartId(0));
        while let Some((&key, &bad)) = self.bad.range(from..).next() {
            from = (key.0, PartId(key.1.0 + 1));
            let (middle, part) = key;
            if middle > last && bad.opened_at.is_none() {
                break;
            }
            let (start, end) = self.window(middle);
            if reach < start && bad.opened_at.is_some() {
                self.bad.insert(key, Bad { opened_at: None, ..bad });
            }
            if open && bad.opened_at.is_none() && (start..=end).contains(&reach) {
                // A window that neighbours shorten begins at the last moment; half the lead is
                // left for the machine.
                let slack = match self.rule.neighbour {
                    Neighbour::RejectBoth => 0,
                    Neighbour::Shorten => self.rule.lead / 2,
                };
                let in_time = middle - self.rule.tolerance + slack;
                let late = reach > in_time && !self.gate_is_open;
                self.bad.insert(key, Bad { opened_at: Some(now), told_late: bad.told_late | late });
                if late && !bad.told_late {
                    orders.push_back(Order::Event(Event::RejectTooLate { part }));
                }
                if let Some(confirms) = &mut self.confirms {
                    confirms.opened(part, middle, now, !late);
                }
            }
        }
    }

    /// Lets go of parts that have certainly passed.
    fn see_off(&mut self, now: MonoTime, orders: &mut Orders) {
        let Some(come) = self.belt.come(now) else { return };
        while let Some(entry) = self.bad.first_entry() {
            let (middle, part) = *entry.key();
            if self.rule.window(middle).1 >= come {
                break;
            }
            let bad = *entry.get();
            let (start, end) = self.window(middle);
            self.bad.remove(&(middle, part));
            let held_open = self.is_held() && self.rule.opens_on_lost();
            match bad.opened_at {
                Some(from) => {
                    self.tell_neighbours(part, (start, end), from, now, orders);
                    if let Some(confirms) = &mut self.confirms {
                        confirms.passed(part, now);
                    }
                }
                None if held_open || bad.told_late => {}
                None => orders.push_back(Order::Event(Event::RejectTooLate { part })),
            }
        }
        let (_, end) = self.rule.window(0);
        let passed = come - 2 * (end + self.rule.catch + self.rule.tolerance);
        if self.is_held() && self.rule.opens_on_lost() {
            self.see_off_good(come - self.rule.catch, orders);
        }
        while self.good.first().is_some_and(|(middle, _)| *middle < passed) {
            self.good.pop_first();
        }
    }

    /// Good parts that fell because the gate was held open.
    fn see_off_good(&mut self, until: i64, orders: &mut Orders) {
        while self.good.first().is_some_and(|(middle, _)| *middle <= until) {
            let Some((_, part)) = self.good.pop_first() else { return };
            if self.rule.opens_on_lost() {
                let cause = "it is not known where parts are, so the gate is held open".to_owned();
                orders.push_back(Order::Event(Event::PassedPartEjected { part, cause }));
            }
        }
    }

    /// Good parts that were within reach of the gate while it was open for `bad`.
    fn tell_neighbours(
        &mut self,
        bad: PartId,
        (start, end): (i64, i64),
        from: MonoTime,
        now: MonoTime,
        orders: &mut Orders,
    ) {
        let apart = self.rule.catch + self.rule.tolerance;
        loop {
            let beside = (start - apart + 1, PartId(0))..(end + apart, PartId(0));
            let Some(&(middle, part)) = self.good.range(beside).next() else { return };
            self.good.remove(&(middle, part));
            let cause = format!("it is too close to {bad}");
            orders.push_back(Order::Event(Event::PassedPartEjected { part, cause }));
            if let Some(confirms) = &mut self.confirms {
                confirms.opened(part, middle, from, false);
                confirms.passed(part, now);
            }
        }
    }
}
