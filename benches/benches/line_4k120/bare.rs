//! The model alone: takes the parts of a film; gives how long `Model::run` takes on their tensors,
//! one call after the other on one thread, as each inspecting thread has a session of its own.

use domain::{RectPx, Tensor};
use models::{Model, Shaper};
use pipeline::clock::{Clock, RealClock};
use sightline_benches::Failure;

use crate::belt::Film;

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
        let clock = RealClock::start();
        let parts = self.tensors.iter().cycle().take(calls);
        parts
            .map(|(tensor, crop)| {
                let start = clock.now();
                self.model.run(tensor, 0, *crop)?;
                Ok(clock.now().since(start).as_secs_f64() * 1e3)
            })
            .collect()
    }
}
