//! When parts were triggered: takes what the PLC tells of the belt, gives the moments.

use std::time::Duration;

use domain::recipe::TriggerBy;
use domain::{Event, MonoTime};

use crate::limits;
use crate::plc::FieldInput;

/// A count that goes back to no more than this is of a counter that began anew (the PLC was
/// started again); what goes back farther was read wrongly, and is ignored.
const BEGAN_ANEW: u32 = 1024;
/// No belt brings more parts a second.
const PARTS_PER_S_MAX: f64 = 1000.0;
/// Two readings of an encoder are never told apart better than this.
const READING_MIN: Duration = Duration::from_millis(1);

/// What was heard so far, of the one thing that triggers.
pub struct Inputs {
    by: TriggerBy,
    triggers: Option<u32>,
    encoder: Option<Encoder>,
}

#[derive(Clone, Copy)]
struct Encoder {
    count: i64,
    at: MonoTime,
    /// The count of the next part; farther than the belt ever was.
    next: i64,
}

impl Inputs {
    pub const fn new(by: TriggerBy) -> Self {
        Self { by, triggers: None, encoder: None }
    }

    /// Goes on with something else that triggers, or with another distance.
    pub fn adapt(&mut self, by: TriggerBy) {
        match (self.by, by) {
            (TriggerBy::Encoder { .. }, TriggerBy::Encoder { every_counts }) if self.by != by => {
                if let Some(encoder) = &mut self.encoder {
                    encoder.next = encoder.count.saturating_add(every_counts.into());
                }
            }
            _ if self.by == by => {}
            // What was heard of one says nothing of another.
            _ => *self = Self::new(by),
        }
        self.by = by;
    }

    /// Adds to `marks` the moments at which parts were triggered.
    pub fn hear(&mut self, input: FieldInput, marks: &mut Vec<MonoTime>, events: &mut Vec<Event>) {
        match (input, self.by) {
            (FieldInput::Trigger { input, count, at }, TriggerBy::Plc { input: ours })
                if input == ours =>
            {
                marks.extend(self.is_trigger(count, events).then_some(at));
            }
            (FieldInput::Encoder { count, at }, TriggerBy::Encoder { every_counts }) => {
                self.follow(count, at, every_counts.into(), marks, events);
            }
            _ => {}
        }
    }

    fn is_trigger(&mut self, count: u32, events: &mut Vec<Event>) -> bool {
        let Some(last) = self.triggers.replace(count) else { return true };
        let (missing, is_trigger) = match count.wrapping_sub(last) {
            0 => (0, false),
            step if step <= u32::MAX / 2 => (step - 1, true),
            _ if count <= BEGAN_ANEW => (count.saturating_sub(1), count > 0),
            _ => {
                self.triggers = Some(last);
                (0, false)
            }
        };
        if missing > 0 {
            events.push(Event::TriggersMissing { triggers: missing.into() });
        }
        is_trigger
    }

    /// A part every so many counts, at the moment at which the belt was there. A belt that goes
    /// back and comes again triggers nothing twice.
    fn follow(
        &mut self,
        count: i64,
        at: MonoTime,
        every: i64,
        marks: &mut Vec<MonoTime>,
        events: &mut Vec<Event>,
    ) {
        let afresh = Encoder { count, at, next: count.saturating_add(every) };
        let Some(last) = self.encoder.replace(afresh) else { return };
        let took = at.since(last.at).max(READING_MIN);
        let step = count.saturating_sub(last.count);
        if let Some(what) = implausible(step, every, took) {
            events.push(Event::EncoderImplausible { what });
            return;
        }
        let crossed = if count < last.next { 0 } else { (count - last.next) / every + 1 };
        self.encoder = Some(Encoder { next: last.next.saturating_add(crossed * every), ..afresh });
        let parts = crossed.unsigned_abs();
        if parts > limits::PARTS_IN_A_GAP {
            events.push(Event::TriggersMissing { triggers: parts });
            return;
        }
        let moment = |part: i64| {
            let way = (last.next - last.count) + part * every;
            let after = i128::from(nanos(at.since(last.at))) * i128::from(way) / i128::from(step);
            last.at.plus(Duration::from_nanos(u64::try_from(after).unwrap_or(0)))
        };
        marks.extend((0..crossed).map(moment));
    }
}

#[expect(clippy::cast_precision_loss, reason = "far beyond what a belt does it need not be exact")]
fn implausible(step: i64, every: i64, took: Duration) -> Option<String> {
    let parts_per_s = step.unsigned_abs() as f64 / every as f64 / took.as_secs_f64();
    let ms = took.as_millis();
    (parts_per_s > PARTS_PER_S_MAX)
        .then(|| format!("{step} counts within {ms} ms, which is {parts_per_s:.0} parts a second"))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
