//! A belt with parts on it, simulated event by event: takes a scenario and act's desk, gives what
//! truly fell. Knows nothing of how the desk reckons: parts are where the belt has carried them,
//! the encoder counts what it turns, and a part falls when its middle is within the paddle's reach
//! while the paddle is out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{Event, GateSignal, MonoTime, PartId, Verdict};
use sightline_pipeline::act::desk::{Desk, Order};
use sightline_pipeline::act::reject::{Reject, Tracker};
use sightline_pipeline::plc::FieldInput;

use crate::parts::{self, Dice};

/// Nanoseconds.
type Ns = i64;
/// The belt's place in micrometres.
type Um = i64;

/// What the belt does for a while, at the end of which it runs at `to` µm/ms.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub ns: Ns,
    /// Micrometres in a millisecond, which is millimetres a second.
    pub to: i64,
    /// What the encoder counts too much, in a thousand.
    pub slip_permille: i64,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Plant {
    pub travel_um: Um,
    /// Half of where the paddle reaches.
    pub paddle_um: Um,
    /// From the command to the paddle being out, or back.
    pub paddle_ns: Ns,
    /// An encoder's count, in micrometres; none where there is no encoder.
    pub count_um: Option<Um>,
    pub reading_ns: Ns,
    /// The encoder counts up whichever way it turns.
    pub directionless: bool,
    /// How wrong the time of a trigger or reading may be.
    pub stamp_ns: Ns,
    /// How late the machine may run what is due.
    pub machine_ns: Ns,
    /// From the paddle to the confirm sensor.
    pub fall_ns: (Ns, Ns),
    /// One in so many falling parts isn't seen.
    pub unseen_one_in: Option<u64>,
    /// One in so many is rejected.
    pub bad_one_in: u64,
    /// Distance of parts.
    pub apart_um: (Um, Um),
    pub budget: Duration,
}

/// What became of a part.
#[derive(Clone, Debug, Default)]
pub struct Fate {
    pub place: Um,
    pub signal: Option<GateSignal>,
    pub fell: bool,
    pub was_seen: bool,
    pub told: Vec<&'static str>,
}

pub struct Belt<'a> {
    plant: &'a Plant,
    desk: Desk,
    dice: Dice,
    now: Ns,
    /// Where the belt is, micrometres times a million (that is, a µm/ms for a ns).
    place: i64,
    farthest: i64,
    turned: i64,
    speed: i64,
    legs: VecDeque<Leg>,
    pub parts: BTreeMap<u64, Fate>,
    /// Parts between camera and the end of the gate: none before this one matters.
    first: u64,
    located: u64,
    next_place: Um,
    /// When each inspection comes.
    verdicts: BTreeMap<(Ns, u64), bool>,
    /// When the paddle moves.
    moves: VecDeque<(Ns, bool)>,
    paddle_is_out: bool,
    confirms: BTreeMap<(Ns, u64), ()>,
    confirmed: u32,
    next_reading: Ns,
    pub events: BTreeMap<&'static str, u64>,
    pub gate_openings: u64,
}

const MICRO: i64 = 1_000_000;
/// The belt's speed is taken to be constant for so long.
const STEP: Ns = 500_000;

impl<'a> Belt<'a> {
    pub fn new(plant: &'a Plant, rule: Reject, legs: Vec<Leg>, seed: u64) -> Self {
        Self {
            plant,
            desk: Desk::new("test".into(), true, Some(Tracker::new(rule))),
            dice: Dice(seed),
            now: 1_000_000_000,
            place: 0,
            farthest: 0,
            turned: 0,
            speed: legs[0].to,
            legs: legs.into(),
            parts: BTreeMap::new(),
            first: 1,
            located: 0,
            // Nothing comes before the encoder has been read.
            next_place: 100_000,
            verdicts: BTreeMap::new(),
            moves: VecDeque::new(),
            paddle_is_out: false,
            confirms: BTreeMap::new(),
            confirmed: 0,
            next_reading: 1_000_000_000,
            events: BTreeMap::new(),
            gate_openings: 0,
        }
    }

    /// Runs all legs, then ends.
    pub fn run(mut self) -> Self {
        while let Some(leg) = self.legs.pop_front() {
            let (from, begin) = (self.speed, self.now);
            if from == leg.to {
                self.advance(begin + leg.ns, leg.slip_permille);
            }
            while self.now < begin + leg.ns {
                let part = (self.now + STEP - begin).min(leg.ns);
                self.speed = from + (leg.to - from) * part / leg.ns;
                self.advance(begin + part, leg.slip_permille);
            }
        }
        self.desk.end(self.at(self.now));
        self.obey();
        self
    }

    const fn at(&self, ns: Ns) -> MonoTime {
        MonoTime::from_ns(ns.unsigned_abs())
    }

    /// On to `until`, at one speed, from one thing that happens to the next.
    fn advance(&mut self, until: Ns, slip: i64) {
        while self.now < until {
            let wake = self.desk.next_wake(self.at(self.now)).map(|wake| wake.ns.cast_signed());
            let late = 1 + self.dice.within(0, self.plant.machine_ns);
            let verdict = self.verdicts.first_key_value().map(|((at, _), _)| *at);
            let confirm = self.confirms.first_key_value().map(|((at, _), ())| *at);
            let reading = self.plant.count_um.map(|_| self.next_reading);
            let trigger = self.next_trigger();
            let next = [
                wake.map(|wake| wake.max(self.now) + late),
                verdict,
                confirm,
                reading,
                trigger,
                self.moves.front().map(|(at, _)| *at),
            ];
            let next = next.into_iter().flatten().min().unwrap_or(until);
            self.carry(next.clamp(self.now, until), slip);
            self.happen();
        }
    }

    fn next_trigger(&self) -> Option<Ns> {
        let ahead = self.next_place * MICRO - self.place;
        (self.speed > 0 && ahead >= 0).then(|| self.now + ahead.div_euclid(self.speed) + 1)
    }

    /// The belt carries its parts on; those that come by the paddle while it is out fall.
    fn carry(&mut self, to: Ns, slip: i64) {
        let before = self.place;
        let run = self.speed * (to - self.now);
        self.place += run;
        let turned = if self.plant.directionless { run.abs() } else { run };
        self.turned += turned + turned * slip / 1000;
        self.farthest = self.farthest.max(self.place);
        self.now = to;
        if self.paddle_is_out {
            self.sweep(before.min(self.place), before.max(self.place));
        }
    }

    fn sweep(&mut self, low: i64, high: i64) {
        let gate = self.plant.travel_um;
        let (paddle, now) = (self.plant.paddle_um, self.now);
        for (id, part) in self.parts.range_mut(self.first..) {
            let (from, to) = (part.place + gate - paddle, part.place + gate + paddle);
            if from * MICRO > high {
                break;
            }
            if !part.fell && to * MICRO >= low {
                part.fell = true;
                let (shortest, longest) = self.plant.fall_ns;
                part.was_seen = self.plant.unseen_one_in.is_none_or(|n| !self.dice.one_in(n));
                if part.was_seen {
                    let at = now + self.dice.within(shortest, longest);
                    self.confirms.insert((at, *id), ());
                }
            }
        }
        let far = self.plant.travel_um * 3;
        while self.parts.get(&self.first).is_some_and(|part| part.place + far < low / MICRO) {
            self.first += 1;
        }
    }

    /// Everything that is due now.
    fn happen(&mut self) {
        let now = self.at(self.now);
        while let Some(&(_, out)) = self.moves.front().filter(|(at, _)| *at <= self.now) {
            self.moves.pop_front();
            self.paddle_is_out = out;
            if out {
                self.sweep(self.place, self.place);
            }
        }
        if self.place >= self.next_place * MICRO {
            self.locate();
        }
        while let Some((&(at, part), &bad)) = self.verdicts.first_key_value() {
            if at > self.now {
                break;
            }
            self.verdicts.remove(&(at, part));
            let verdict = if bad { parts::bad() } else { Verdict::Pass };
            self.desk.inspected(parts::inspection(part, verdict), std::iter::empty(), now);
        }
        while let Some((&key, ())) = self.confirms.first_key_value() {
            if key.0 > self.now {
                break;
            }
            self.confirms.remove(&key);
            self.confirmed = self.confirmed.wrapping_add(1);
            self.desk.field(FieldInput::Confirm { count: self.confirmed, at: now });
        }
        if let Some(count_um) = self.plant.count_um.filter(|_| self.next_reading <= self.now) {
            let count = self.turned.div_euclid(count_um * MICRO);
            let stamp = self.now - self.dice.within(0, self.plant.stamp_ns);
            self.desk.field(FieldInput::Encoder { count, at: self.at(stamp) });
            self.next_reading = self.now + self.plant.reading_ns;
        }
        self.desk.tick(now);
        self.obey();
    }

    fn locate(&mut self) {
        self.located += 1;
        let place = self.next_place;
        self.parts.insert(self.located, Fate { place, ..Fate::default() });
        let (least, most) = self.plant.apart_um;
        self.next_place += self.dice.within(least, most);
        let stamp = self.now - self.dice.within(0, self.plant.stamp_ns);
        let notice = parts::notice_at(self.located, self.at(stamp));
        self.desk.notice(notice, self.at(self.now));
        // Some come too late, and the fail-safe answers.
        let budget = self.plant.budget.as_nanos() as i64;
        let most = if self.dice.one_in(50) { budget * 2 } else { budget - 1_000_000 };
        let at = self.now + self.dice.within(1_000_000, most);
        let bad = self.dice.one_in(self.plant.bad_one_in);
        self.verdicts.insert((at, self.located), bad);
    }

    fn obey(&mut self) {
        while let Some(order) = self.desk.next_order() {
            match order {
                Order::Tell(answer) => self.of(answer.inspection.part).signal = Some(answer.gate),
                Order::Late(_) => {}
                Order::Gate(open) => {
                    self.gate_openings += u64::from(open);
                    self.moves.push_back((self.now + self.plant.paddle_ns, open));
                }
                Order::Event(event) => {
                    *self.events.entry(event.name()).or_default() += 1;
                    match event {
                        Event::RejectTooLate { part }
                        | Event::RejectNotConfirmed { part }
                        | Event::PassedPartEjected { part, .. } => {
                            self.of(part).told.push(event.name());
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn of(&mut self, part: PartId) -> &mut Fate {
        self.parts.get_mut(&part.0).unwrap()
    }

    /// Whether a bad part lies so close to `place` that the gate may catch both.
    pub fn is_beside_bad(&self, place: Um, within: Um) -> bool {
        // Parts are numbered along the belt.
        let bad = |part: &Fate| part.signal == Some(GateSignal::Reject);
        let near = |part: &Fate| (part.place - place).abs() <= within;
        self.parts.values().any(|part| bad(part) && near(part))
    }

    /// How many parts have gone by the gate.
    pub fn gone_by(&self, part: &Fate, margin: Um) -> bool {
        (part.place + self.plant.travel_um + margin) * MICRO < self.place
    }
}
