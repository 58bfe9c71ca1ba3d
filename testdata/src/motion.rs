//! How the belt moves: steadily, with halts. Takes the wishes; gives its position at each frame.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::SceneConfig;

/// Where the belt is in each frame.
pub(crate) struct BeltMotion {
    /// Distance travelled at each frame; never falls.
    positions: Vec<f64>,
    speed: f64,
}

impl BeltMotion {
    /// A belt that travels `distance`, halting on the way, and then runs for `after` frames.
    pub(crate) fn new(
        config: &SceneConfig,
        distance: f64,
        after: u32,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let speed = f64::from(config.speed_px());
        let halts = (0..config.stops).map(|index| Halt::new(config, distance, index, rng));
        let mut halts: Vec<Halt> = halts.collect();
        halts.reverse();
        let (mut positions, mut travelled, mut left) = (vec![0.0], 0.0, after);
        let mut slow = Vec::new();
        while left > 0 {
            if slow.is_empty()
                && let Some(halt) = halts.pop_if(|next| next.at <= travelled)
            {
                slow = halt.factors();
            }
            travelled += speed * slow.pop().unwrap_or(1.0);
            positions.push(travelled);
            left -= u32::from(travelled >= distance);
        }
        Self { positions, speed }
    }

    pub(crate) fn frames(&self) -> u64 {
        self.positions.len() as u64
    }

    /// How far the belt has come at `frame`; past the last frame it runs on.
    #[expect(clippy::cast_precision_loss, reason = "frame numbers are far below 2^52")]
    pub(crate) fn position(&self, frame: u64) -> f64 {
        let last = self.positions.len() - 1;
        match usize::try_from(frame) {
            Ok(index) if index <= last => self.positions[index],
            _ => self.positions[last] + (frame - last as u64) as f64 * self.speed,
        }
    }

    /// How far the belt goes in a frame's time around `frame`.
    pub(crate) fn velocity(&self, frame: u64) -> f64 {
        let before = frame.saturating_sub(1);
        let after = frame.saturating_add(1);
        let steps = if frame == before { 1.0 } else { 2.0 };
        (self.position(after) - self.position(before)) / steps
    }

    /// The first frame at which the belt has come at least so far.
    pub(crate) fn first_at(&self, position: f64) -> u64 {
        self.positions.partition_point(|&p| p < position) as u64
    }
}

/// The belt slows down, stands, and goes on.
struct Halt {
    at: f64,
    ramp: u32,
    stand: u32,
}

impl Halt {
    #[expect(clippy::cast_possible_truncation, reason = "at most 1.5 s at 1000 fps")]
    #[expect(clippy::cast_sign_loss, reason = "times are positive")]
    fn new(config: &SceneConfig, distance: f64, index: u32, rng: &mut ChaCha8Rng) -> Self {
        let share = (f64::from(index) + rng.random_range(0.2..0.8)) / f64::from(config.stops);
        Self {
            at: distance * share,
            ramp: (config.fps * 0.08).ceil() as u32,
            stand: (config.fps * rng.random_range(0.4..1.5)).ceil() as u32,
        }
    }

    /// The belt's speed in each frame, as a share of full speed; the same backwards.
    fn factors(&self) -> Vec<f64> {
        let steps = f64::from(self.ramp + 1);
        let faster = (1..=self.ramp).map(|i| f64::from(i) / steps);
        let stand = std::iter::repeat_n(0.0, self.stand as usize);
        faster.clone().rev().chain(stand).chain(faster).collect()
    }
}
