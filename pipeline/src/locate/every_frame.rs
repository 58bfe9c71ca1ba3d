//! A triggered camera: every frame is one part, and the part is the recipe's region.

use domain::{CaptureTime, Frame, PartCondition, RectPx};

use super::finder::{Finds, Missed};
use super::{Located, LocatedView};
use crate::limits;

/// One part a frame.
pub struct EveryFrameLocator {
    region: Option<RectPx>,
    /// Whether a number that the camera left out is a part whose frame was lost. In replay it is a
    /// broken image, which is told of by name.
    is_live: bool,
    last: Option<(u64, CaptureTime)>,
}

impl EveryFrameLocator {
    /// A locator for `region`, or for the whole picture.
    #[must_use]
    pub const fn new(region: Option<RectPx>, is_live: bool) -> Self {
        Self { region, is_live, last: None }
    }

    /// Goes on in another region.
    pub const fn adapt(&mut self, region: Option<RectPx>) {
        self.region = region;
    }

    /// Gives the part that `frame` shows, after those whose frames were lost before it.
    pub fn see(&mut self, frame: Frame, out: &mut Finds) {
        let now = (frame.sequence, frame.at);
        if let Some(last) = self.last.replace(now).filter(|_| self.is_live) {
            miss_between(last, now, out);
        }
        let whole = frame.size().rect();
        let box_in_frame = self.region.unwrap_or(whole);
        out.located.push(Located {
            triggered_at: frame.at,
            views: vec![LocatedView { frame, box_in_frame }],
            condition: PartCondition::Whole,
            motion: None,
        });
    }
}

/// The parts whose frames were lost between two that came, evenly spread in time.
fn miss_between(last: (u64, CaptureTime), now: (u64, CaptureTime), out: &mut Finds) {
    // A camera that counts anew lost nothing that could be counted.
    let steps = now.0.saturating_sub(last.0);
    let lost = steps.saturating_sub(1);
    if lost > limits::PARTS_IN_A_GAP {
        out.events.push(domain::Event::TriggersMissing { triggers: lost });
        return;
    }
    let cause = "its frame was lost between the camera and this program";
    let passed = now.1.mono.since(last.1.mono).as_nanos();
    out.missed.extend((1..=lost).map(|step| {
        let after = passed * u128::from(step) / u128::from(steps);
        let after = std::time::Duration::from_nanos(u64::try_from(after).unwrap_or(u64::MAX));
        let at = CaptureTime { mono: last.1.mono.plus(after), wall: last.1.wall.plus(after) };
        Missed { at, cause: cause.into() }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MonoTime;

    fn missed(last: u64, now: u64) -> Finds {
        let at = |ms: u64| CaptureTime {
            mono: MonoTime::from_ns(ms * 1_000_000),
            ..CaptureTime::default()
        };
        let mut out = Finds::default();
        miss_between((last, at(100)), (now, at(200)), &mut out);
        out
    }

    #[test]
    fn each_lost_frame_is_a_part_at_its_time() {
        assert!(missed(7, 8).missed.is_empty());
        let times: Vec<u64> = missed(7, 11).missed.iter().map(|m| m.at.mono.ns).collect();
        assert_eq!(times, [125_000_000, 150_000_000, 175_000_000]);
    }

    #[test]
    fn a_counter_that_jumps_far_or_starts_anew_makes_no_parts() {
        assert!(missed(7, 0).missed.is_empty());
        let far = missed(7, 5000);
        assert!(far.missed.is_empty() && far.events.len() == 1);
    }
}
