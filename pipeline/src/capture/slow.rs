//! Whether a camera keeps its pace. Takes when its frames came; gives the rate when it is too low.

use std::time::Duration;

use domain::MonoTime;

/// Over how long a rate is measured.
const OVER: Duration = Duration::from_secs(3);

/// Below this share of the rate expected a camera is slow, ...
const SLOW_BELOW: f64 = 0.9;

/// ... and above this one it has recovered.
const WELL_ABOVE: f64 = 0.95;

/// The pace of one camera.
#[derive(Default)]
pub(super) struct Pace {
    since: Option<MonoTime>,
    frames: u32,
    slow: bool,
}

impl Pace {
    /// Measures anew: the camera was gone.
    pub(super) fn restart(&mut self) {
        self.since = None;
    }

    /// A frame came.
    pub(super) fn frame(&mut self) {
        self.frames = self.frames.saturating_add(1);
    }

    /// Frames per second, once each time they became too few; `now` is looked at on every turn.
    pub(super) fn slow(&mut self, now: MonoTime, wanted: f64) -> Option<f64> {
        let Some(since) = self.since else {
            (self.since, self.frames) = (Some(now), 0);
            return None;
        };
        let took = now.since(since);
        if took < OVER {
            return None;
        }
        let frames = std::mem::take(&mut self.frames);
        self.since = Some(now);
        if frames == 0 {
            // Not slow but silent, which is told as such.
            return None;
        }
        let got = f64::from(frames) / took.as_secs_f64();
        let was_slow = self.slow;
        self.slow = got < wanted * if was_slow { WELL_ABOVE } else { SLOW_BELOW };
        (self.slow && !was_slow).then_some(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told while `fps` frames come in each of `seconds` and a hundred are wanted.
    fn told(pace: &mut Pace, from_s: u64, seconds: u64, fps: u64) -> Vec<f64> {
        let times = (0..seconds * fps).map(|n| from_s * 1_000_000_000 + n * 1_000_000_000 / fps);
        let mut told = Vec::new();
        for ns in times {
            told.extend(pace.slow(MonoTime::from_ns(ns), 100.0));
            pace.frame();
        }
        told
    }

    #[test]
    fn a_slow_camera_is_told_once_until_it_recovers() {
        let mut pace = Pace::default();
        assert_eq!(told(&mut pace, 0, 20, 100), [0.0; 0]);
        let slow = told(&mut pace, 20, 20, 80);
        assert_eq!(slow.len(), 1);
        assert!((75.0..90.0).contains(&slow[0]), "{slow:?}");
        assert_eq!(told(&mut pace, 40, 20, 93), [0.0; 0], "not well enough to be slow anew");
        assert_eq!(told(&mut pace, 60, 20, 99), [0.0; 0]);
        assert_eq!(told(&mut pace, 80, 20, 80).len(), 1);
    }

    #[test]
    fn a_camera_that_was_gone_is_not_called_slow_for_it() {
        let mut pace = Pace::default();
        told(&mut pace, 0, 2, 100);
        pace.restart();
        for s in 2..60 {
            assert_eq!(pace.slow(MonoTime::from_ns(s * 1_000_000_000), 100.0), None);
        }
        pace.restart();
        assert_eq!(told(&mut pace, 60, 10, 100), [0.0; 0]);
    }
}
