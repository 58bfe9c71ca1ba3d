//! The ledger of parts due: who is owed an answer, and by when. Plain data, no clock of its own.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Expected, MonoTime, PartId};

use crate::limits;

/// Parts that are owed an answer.
///
/// Invariant: a part enters once, by [`Ledger::expect`], and is handed out once, by
/// [`Ledger::answer`], [`Ledger::next_overdue`], [`Ledger::lost`] or [`Ledger::next_open`]; so it
/// is answered exactly once. Everything takes time logarithmic in the number of parts owed.
#[derive(Default)]
pub struct Ledger {
    open: BTreeMap<PartId, Expected>,
    /// The same parts by deadline.
    by_due: BTreeSet<(MonoTime, PartId)>,
    /// Parts the fail-safe answered and whose inspection is still under way. Bounded: what never
    /// comes is forgotten, oldest first.
    late: BTreeSet<PartId>,
}

/// What an inspection that has come is worth.
#[derive(Debug)]
pub enum Standing {
    /// It is the answer; the part leaves the ledger.
    InTime(Expected),
    /// The fail-safe has answered already; this changes nothing.
    Late,
    /// The part was never expected or was answered by an inspection already: a defect in the
    /// line, never acted upon.
    Unknown,
}

impl Ledger {
    /// Enters a part. A part whose number is in the ledger is refused and handed back.
    ///
    /// # Errors
    /// The entry itself, when the part is already in the ledger.
    pub fn expect(&mut self, expected: Expected) -> Result<(), Expected> {
        if self.open.contains_key(&expected.part) || self.late.contains(&expected.part) {
            return Err(expected);
        }
        self.by_due.insert((expected.due, expected.part));
        self.open.insert(expected.part, expected);
        Ok(())
    }

    /// An inspection of `part` has come at `now`. Empty [`Ledger::next_overdue`] for the same
    /// `now` first: an inspection that comes at or after its deadline is late.
    pub fn answer(&mut self, part: PartId) -> Standing {
        if let Some(expected) = self.take(part) {
            return Standing::InTime(expected);
        }
        if self.late.remove(&part) { Standing::Late } else { Standing::Unknown }
    }

    /// Takes out the next part whose deadline has come, earliest deadline first. The fail-safe
    /// must answer it.
    pub fn next_overdue(&mut self, now: MonoTime) -> Option<Expected> {
        let &(due, part) = self.by_due.first()?;
        if due > now {
            return None;
        }
        self.late.insert(part);
        if self.late.len() > limits::LATE_AWAITED {
            self.late.pop_first();
        }
        self.take(part)
    }

    /// The inspection of `part` will never come. Gives the part back when it is still owed.
    pub fn lost(&mut self, part: PartId) -> Option<Expected> {
        self.late.remove(&part);
        self.take(part)
    }

    /// Takes out any part, earliest deadline first: nothing more will come.
    pub fn next_open(&mut self) -> Option<Expected> {
        let &(_, part) = self.by_due.first()?;
        self.take(part)
    }

    /// The next deadline.
    #[must_use]
    pub fn next_due(&self) -> Option<MonoTime> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// How many parts are owed an answer.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    fn take(&mut self, part: PartId) -> Option<Expected> {
        let expected = self.open.remove(&part)?;
        self.by_due.remove(&(expected.due, part));
        Some(expected)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use domain::{CaptureTime, CheckedRecipe, PartCondition, Recipe};
    use proptest::prelude::*;

    use super::*;

    fn recipe() -> Arc<CheckedRecipe> {
        let text = "name='x'\nmodel='m'\nlocate={kind='every-frame'}\nlimits={reject_at=0.5}";
        Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap())
    }

    fn expected(part: u64, at_ms: u64, budget_ms: u64) -> Expected {
        let mono = MonoTime::from_ns(at_ms * 1_000_000);
        Expected {
            part: PartId(part),
            recipe: recipe(),
            triggered_at: CaptureTime { mono, ..CaptureTime::default() },
            due: mono.plus(Duration::from_millis(budget_ms)),
            views: vec![],
            condition: PartCondition::Whole,
        }
    }

    #[test]
    fn an_inspection_at_the_deadline_is_late() {
        let mut ledger = Ledger::default();
        ledger.expect(expected(1, 0, 50)).unwrap();
        assert!(ledger.next_overdue(MonoTime::from_ns(49_999_999)).is_none());
        assert!(ledger.next_overdue(MonoTime::from_ns(50_000_000)).is_some());
        assert!(ledger.next_overdue(MonoTime::from_ns(50_000_000)).is_none());
        assert!(matches!(ledger.answer(PartId(1)), Standing::Late));
        assert!(matches!(ledger.answer(PartId(1)), Standing::Unknown));
    }

    #[test]
    fn a_part_is_never_entered_twice() {
        let mut ledger = Ledger::default();
        ledger.expect(expected(1, 0, 50)).unwrap();
        assert!(ledger.expect(expected(1, 9, 50)).is_err());
    }

    #[test]
    fn what_never_comes_is_forgotten_in_the_end() {
        let mut ledger = Ledger::default();
        let parts = limits::LATE_AWAITED as u64 + 3;
        for part in 1..=parts {
            ledger.expect(expected(part, 0, 50)).unwrap();
            assert!(ledger.next_overdue(MonoTime::from_ns(u64::MAX)).is_some());
        }
        assert!(matches!(ledger.answer(PartId(3)), Standing::Unknown));
        assert!(matches!(ledger.answer(PartId(4)), Standing::Late));
        assert_eq!((ledger.open(), ledger.next_due()), (0, None));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Expect(u64),
        Answer(u64),
        Lost(u64),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_u64..40).prop_map(Step::Expect),
            (0_u64..40).prop_map(Step::Answer),
            (0_u64..40).prop_map(Step::Lost),
            (0_u64..30).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Whatever comes in whatever order, each part that entered is handed out exactly once.
        #[test]
        fn every_part_is_answered_exactly_once(steps in prop::collection::vec(step(), 0..300)) {
            let mut ledger = Ledger::default();
            let mut answers: BTreeMap<PartId, u32> = BTreeMap::new();
            let (mut now_ms, mut entered) = (0, BTreeSet::new());
            for step in steps {
                let now = MonoTime::from_ns(now_ms * 1_000_000);
                while let Some(entry) = ledger.next_overdue(now) {
                    *answers.entry(entry.part).or_default() += 1;
                }
                match step {
                    // Numbers are minted once, so a number that was seen is not offered again.
                    Step::Expect(part) => {
                        let entry = expected(part, now_ms, 50);
                        if entered.insert(part) {
                            prop_assert!(ledger.expect(entry).is_ok());
                        }
                    }
                    Step::Answer(part) => {
                        if let Standing::InTime(entry) = ledger.answer(PartId(part)) {
                            prop_assert!(now < entry.due);
                            *answers.entry(entry.part).or_default() += 1;
                        }
                    }
                    Step::Lost(part) => {
                        if let Some(entry) = ledger.lost(PartId(part)) {
                            *answers.entry(entry.part).or_default() += 1;
                        }
                    }
                    Step::Pass(ms) => now_ms += ms,
                }
            }
            while let Some(entry) = ledger.next_open() {
                *answers.entry(entry.part).or_default() += 1;
            }
            prop_assert_eq!(ledger.open(), 0);
            prop_assert_eq!(answers.len(), entered.len());
            prop_assert!(answers.values().all(|&count| count == 1));
        }
    }
}
