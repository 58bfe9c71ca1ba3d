//! How fast the line is just now: takes counts again and again; gives frames a second by camera
//! and parts a minute.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{MonoTime, Snapshot};

/// Parts are counted over this long, frames over the last [`FRAMES_OVER`].
const PARTS_OVER: Duration = Duration::from_secs(60);
const FRAMES_OVER: Duration = Duration::from_secs(5);

struct Sample {
    at: MonoTime,
    frames: Vec<u64>,
    parts: u64,
}

/// The counts of the last minute.
#[derive(Default)]
pub struct Rates {
    samples: VecDeque<Sample>,
}

impl Rates {
    /// Adds what `now` says at `at`.
    pub fn add(&mut self, at: MonoTime, now: &Snapshot) {
        let frames = now.cameras.iter().map(|camera| camera.frames).collect();
        self.samples.push_back(Sample { at, frames, parts: now.parts.triggered });
        while self.samples.get(1).is_some_and(|second| at.since(second.at) >= PARTS_OVER) {
            self.samples.pop_front();
        }
    }

    /// Frames a second, by camera.
    pub fn fps(&self) -> Vec<f64> {
        let Some(last) = self.samples.back() else { return Vec::new() };
        let recent = |sample: &&Sample| last.at.since(sample.at) <= FRAMES_OVER;
        let first = self.samples.iter().find(recent).unwrap_or(last);
        let pairs = first.frames.iter().zip(&last.frames);
        pairs.map(|(from, to)| rate(*from, *to, first.at, last.at)).collect()
    }

    /// Parts a minute.
    pub fn parts_per_min(&self) -> f64 {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return 0.0;
        };
        60.0 * rate(first.parts, last.parts, first.at, last.at)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
fn rate(from: u64, to: u64, since: MonoTime, until: MonoTime) -> f64 {
    let over_s = until.since(since).as_secs_f64();
    if over_s > 0.0 { to.saturating_sub(from) as f64 / over_s } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, CameraSnapshot, Conservation};

    fn counts(frames: u64, triggered: u64) -> Snapshot {
        let camera = CameraSnapshot {
            camera: CameraId::new("top"),
            is_up: true,
            frames,
            dropped: 0,
            missing: 0,
            lost: 0,
        };
        let parts = Conservation { triggered, ..Conservation::default() };
        Snapshot { cameras: vec![camera], parts, ..Snapshot::default() }
    }

    #[test]
    fn rates_are_of_now_and_not_of_all_time() {
        let mut rates = Rates::default();
        assert_eq!(rates.fps(), [0.0; 0]);
        let at = |s: u64| MonoTime::from_ns(s * 1_000_000_000);
        for s in 0..200 {
            // A hundred frames and two parts a second, then nothing.
            let until = s.min(150);
            rates.add(at(s), &counts(100 * until, 2 * until));
            if s == 100 {
                assert_eq!((rates.fps(), rates.parts_per_min()), (vec![100.0], 120.0));
            }
        }
        assert_eq!(rates.fps(), [0.0]);
        assert!(rates.parts_per_min() < 60.0 && rates.samples.len() <= 61);
    }
}
