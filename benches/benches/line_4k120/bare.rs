//! The model alone: takes the parts of a film; gives how long `Model::run` takes on their tensors,
//! one call after the other on one thread, as each inspecting thread has a session of its own.

use std::hint::black_box;

use domain::{RectPx, Tensor};
use models::{Model, Shaper};
use pipeline::clock::{Clock, RealClock};
use sightline_benches::Failure;

use crate::belt::Film;

/// Enough to fill the caches of any machine of today that has a line to watch.
const FRAMES_BETWEEN: usize = 8;

/// A model with the tensors of all parts.
pub struct Bare {
    model: Model,
    tensors: Vec<(Tensor, RectPx)>,
}

impl Bare {
    /// Prepares every part of `film`, of which a square of `side` is shown.
    pub fn new(model: &Model, film: &Film, side: u32) -> Result<Self, Failure> {
        let mut shaper = Shaper::new(model.input().clone());
        let mut tensors = Vec::new();
        for part in &film.parts {
            let crop = film.crop(part, side);
            let mut tensor = model.input().tensor();
            shaper.prepare(&*film.frames[part.frame], crop, &mut tensor)?;
            tensors.push((tensor, crop));
        }
        Ok(Self { model: model.another()?, tensors })
    }

    /// So many calls, in milliseconds each.
    pub fn run(&mut self, calls: usize) -> Result<Vec<f64>, Failure> {
        self.run_after(calls, || {})
    }

    /// So many calls, each after a few frames of `film` have gone through the caches, as they do
    /// between two parts of a line.
    pub fn run_cold(&mut self, calls: usize, film: &Film) -> Result<Vec<f64>, Failure> {
        let mut frames = film.frames.iter().cycle();
        self.run_after(calls, || {
            for frame in frames.by_ref().take(FRAMES_BETWEEN) {
                // A byte of each cache line.
                let lines = frame.plane(0).data.iter().step_by(64);
                black_box(lines.fold(0, |sum: u8, byte| sum ^ byte));
            }
        })
    }

    fn run_after(&mut self, calls: usize, mut before: impl FnMut()) -> Result<Vec<f64>, Failure> {
        let clock = RealClock::start();
        let parts = self.tensors.iter().cycle().take(calls);
        parts
            .map(|(tensor, crop)| {
                before();
                let start = clock.now();
                self.model.run(tensor, 0, *crop)?;
                Ok(clock.now().since(start).as_secs_f64() * 1e3)
            })
            .collect()
    }
}
