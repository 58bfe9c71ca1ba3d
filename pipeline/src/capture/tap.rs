//! Lets some frames of a camera go to its film as well. Takes every frame; gives handles to some,
//! evenly in time, to a link that drops the oldest: no copy, no wait, no allocation.

use std::sync::Arc;
use std::time::Duration;

use domain::{Frame, MonoTime};

use crate::link::{LinkSender, Sent};
use crate::stage::Counters;

/// The tap of one camera.
pub struct Tap {
    to_film: LinkSender<(u64, Frame)>,
    period: Duration,
    due: Option<MonoTime>,
    number: u64,
    counters: Arc<Counters>,
}

impl Tap {
    /// A tap that gives a frame every `period`, and no more than there are.
    #[must_use]
    pub fn new(
        to_film: LinkSender<(u64, Frame)>,
        period: Duration,
        counters: Arc<Counters>,
    ) -> Self {
        Self { to_film, period, due: None, number: 0, counters }
    }

    /// Lets `frame` go to the film as well, if it is time for one.
    pub fn see(&mut self, frame: &Frame) {
        if !self.is_due(frame.at.mono) {
            return;
        }
        // Without a film the line goes on.
        if let Ok(Sent::Dropped(_)) = self.to_film.send((self.number, frame.share())) {
            self.counters.clips.picture_dropped(1);
        }
        self.number += 1;
    }

    /// Cameras are never quite even: what is early by less than a fifth of a period is on time,
    /// or a camera as slow as the film would lose every other frame.
    fn is_due(&mut self, at: MonoTime) -> bool {
        let due = self.due.unwrap_or(at);
        // A clock that went back must not stop the film.
        let has_jumped = due.since(at) > 2 * self.period;
        if at.plus(self.period / 5) < due && !has_jumped {
            return false;
        }
        let is_behind = at.since(due) >= self.period;
        let from = if is_behind || has_jumped { at } else { due };
        self.due = Some(from.plus(self.period));
        true
    }
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, CaptureTime, OwnedPixels, PixelFormat, SizePx, WallTime};

    use super::*;
    use crate::link::{WhenFull, link};

    const SECOND: u64 = 1_000_000_000;

    /// How many of the frames exposed at `times` (in nanoseconds) a film of `fps` gets.
    fn taken(fps: u32, times: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let pixels = OwnedPixels::new(PixelFormat::Gray8, SizePx::new(1, 1), vec![vec![0]]);
        let pixels = Arc::new(pixels.unwrap());
        let (to_film, frames) = link(1, WhenFull::DropOldest);
        let counters = Arc::default();
        let mut tap = Tap::new(to_film, Duration::from_secs(1) / fps, counters);
        let mut taken = Vec::new();
        for (sequence, ns) in times.into_iter().enumerate() {
            let at = CaptureTime { mono: MonoTime::from_ns(ns), wall: WallTime::default() };
            let (camera, sequence) = (CameraId::new("c"), sequence as u64);
            let pixels = Arc::clone(&pixels) as Arc<dyn domain::Pixels>;
            tap.see(&Frame { camera, sequence, at, origin: None, pixels });
            if let Some((number, frame)) = frames.try_recv() {
                assert_eq!(number, taken.len() as u64);
                taken.push(frame.at.mono.ns);
            }
        }
        taken
    }

    fn camera(fps: u64, frames: u64, jitter: u64) -> impl Iterator<Item = u64> {
        (0..frames).map(move |i| SECOND + i * SECOND / fps + i * 7919 % (jitter + 1))
    }

    #[test]
    fn a_fast_camera_gives_so_many_and_a_slow_one_all() {
        assert_eq!(taken(30, camera(120, 1200, 0)).len(), 300);
        let jittery = taken(30, camera(120, 1200, 3_000_000)).len();
        assert!((299..=301).contains(&jittery), "{jittery}");
        assert_eq!(taken(30, camera(30, 300, 4_000_000)).len(), 300, "as many, uneven");
        assert_eq!(taken(30, camera(10, 100, 4_000_000)).len(), 100, "slower");
        let odd = taken(30, camera(50, 500, 0)).len();
        assert!((295..=301).contains(&odd), "{odd}");
    }

    #[test]
    fn neither_a_pause_nor_a_clock_that_jumps_stops_the_film_or_floods_it() {
        let pause = camera(120, 120, 0).chain(camera(120, 120, 0).map(|at| at + 100 * SECOND));
        assert!((59..=61).contains(&taken(30, pause).len()));
        let back = camera(120, 120, 0).map(|at| at + 100 * SECOND).chain(camera(120, 120, 0));
        assert!((59..=61).contains(&taken(30, back).len()));
    }

    #[test]
    fn what_the_film_does_not_take_is_dropped_and_counted() {
        let pixels = OwnedPixels::new(PixelFormat::Gray8, SizePx::new(1, 1), vec![vec![0]]);
        let (to_film, frames) = link(2, WhenFull::DropOldest);
        let counters = Arc::new(Counters::default());
        let mut tap = Tap::new(to_film, Duration::from_millis(10), Arc::clone(&counters));
        let pixels: Arc<dyn domain::Pixels> = Arc::new(pixels.unwrap());
        for sequence in 0..10 {
            let mono = MonoTime::from_ns(sequence * SECOND);
            let at = CaptureTime { mono, wall: WallTime::default() };
            let (camera, pixels) = (CameraId::new("c"), Arc::clone(&pixels));
            tap.see(&Frame { camera, sequence, at, origin: None, pixels });
        }
        assert_eq!(counters.clips.snapshot().pictures_dropped, 8);
        assert_eq!(Arc::strong_count(&pixels), 3, "two wait, the dropped ones are let go");
        let numbers: Vec<u64> = std::iter::from_fn(|| frames.try_recv()).map(|t| t.0).collect();
        assert_eq!(numbers, [8, 9], "the film knows how many it did not get");
    }
}
