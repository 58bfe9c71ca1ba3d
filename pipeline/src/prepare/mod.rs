//! prepare: the part's pixels → the model's input. The last place that touches pixels besides
//! record.
//!
//! Takes a part; gives it with one tensor a view. Reads the crop straight from the camera's
//! buffer.

use domain::{Part, PreparedPart, Stage, Tensor};
use models::Shaper;

use crate::clock::Clock;

/// Makes inputs for one model; keeps the memory of tensors that were given back.
pub struct Preparer {
    shaper: Shaper,
    spare: Vec<Tensor>,
    blank: Tensor,
}

impl Preparer {
    /// A preparer for inputs as `input` describes them.
    #[must_use]
    pub fn new(input: &models::InputSpec) -> Self {
        Self { shaper: Shaper::new(input.clone()), spare: Vec::new(), blank: input.tensor() }
    }

    /// Makes the inputs for all views of `part`. A view whose input can't be made carries the
    /// fault in place of the tensor.
    #[must_use]
    pub fn prepare(&mut self, mut part: Part, clock: &dyn Clock) -> PreparedPart {
        let start = clock.now();
        let tensors = part
            .views
            .iter()
            .map(|view| {
                let mut tensor = self.spare.pop().unwrap_or_else(|| self.blank.clone());
                self.shaper.prepare(&*view.frame.pixels, view.crop_in_frame, &mut tensor)?;
                Ok(tensor)
            })
            .collect();
        part.times.add(Stage::Prepare, clock.now().since(start));
        PreparedPart { part, tensors, calibration: None }
    }

    /// Takes a used tensor back.
    pub fn give_back(&mut self, tensor: Tensor) {
        self.spare.push(tensor);
    }
}
