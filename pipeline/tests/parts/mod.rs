//! Parts to try act with: gives notices and inspections, and dice that fall the same each time.

#![allow(dead_code, clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use domain::{
    CaptureTime, CheckedRecipe, Expected, Inspection, MonoTime, PartCondition, PartId, Provenance,
    Reason, Recipe, RectPx, Score, Sha256, StageTimes, Verdict,
};
use sightline_pipeline::act::{Inspected, Notice};

/// What the parts are inspected by; undecided ones are rejected, within 50 ms.
pub fn recipe() -> Arc<CheckedRecipe> {
    static RECIPE: LazyLock<Arc<CheckedRecipe>> = LazyLock::new(|| {
        let text = "name='x'\nmodel='m'\nlocate={kind='every-frame'}\nlimits={reject_at=0.5}";
        Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap())
    });
    Arc::clone(&RECIPE)
}

pub fn ms(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * 1_000_000)
}

/// A part that was triggered at `at` and is due within the recipe's budget.
pub fn notice_at(part: u64, at: MonoTime) -> Notice {
    let recipe = recipe();
    let expected = Expected {
        part: PartId(part),
        due: at.plus(recipe.budget()),
        recipe,
        triggered_at: CaptureTime { mono: at, ..CaptureTime::default() },
        views: vec![],
        condition: PartCondition::Whole,
    };
    Notice { expected, located_at: at, unseen: None }
}

pub fn bad() -> Verdict {
    let reason = Reason {
        kind: "scratch".into(),
        score: Score::new(0.9).unwrap(),
        limit: Score::ZERO,
        box_in_frame: RectPx::new(0, 0, 1, 1),
        view: 0,
    };
    Verdict::reject(vec![reason]).unwrap()
}

pub fn inspection(part: u64, verdict: Verdict) -> Inspected {
    static SOFTWARE: LazyLock<Arc<str>> = LazyLock::new(|| "test".into());
    static HASH: LazyLock<Sha256> = LazyLock::new(|| recipe().hash());
    Inspected::Done(Box::new(Inspection {
        part: PartId(part),
        triggered_at: CaptureTime::default(),
        verdict,
        score: 0.0,
        condition: PartCondition::Whole,
        motion: None,
        classes: vec![],
        defects: vec![],
        views: vec![],
        provenance: Provenance {
            recipe: *HASH,
            model: None,
            calibration: None,
            software: Arc::clone(&SOFTWARE),
            is_simulated: true,
        },
        heatmaps: vec![],
        pictures: vec![],
        times: StageTimes::default(),
    }))
}

/// Dice: `SplitMix64`, the same for the same seed for ever.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below`, which it never reaches.
    pub fn below(&mut self, below: u64) -> u64 {
        self.next() % below.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        low + (self.below((high - low + 1).unsigned_abs())).cast_signed()
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(u64::try_from(most.as_nanos()).unwrap() + 1))
    }
}
