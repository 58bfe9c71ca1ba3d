//! prepare: the part's pixels → the model's input. The last place that touches pixels besides
//! record.
//!
//! Takes a part; gives it with one tensor a view. Reads the crop straight from the camera's
//! buffer; where the camera is calibrated, evenly lit, straight and upright. What the model then
//! finds is measured in millimetres here too, since here is known how the crop was corrected.

mod corrected;
mod still;

use domain::{InferredPart, Part, PreparedPart, Stage, Tensor};
use models::Shaper;

use crate::clock::Clock;
use corrected::Correction;
pub use corrected::{Calibrated, Calibrations, NotCalibrated};
pub use still::Still;
pub(crate) use still::{LookedAt, News};

/// Makes inputs for one model; keeps the memory of tensors that were given back.
pub struct Preparer {
    shaper: Shaper,
    correction: Correction,
    spare: Vec<Tensor>,
    blank: Tensor,
}

impl Preparer {
    /// A preparer for inputs as `input` describes them, of parts that cameras with these
    /// `calibrations` see.
    #[must_use]
    pub fn new(input: &models::InputSpec, calibrations: &Calibrations) -> Self {
        Self {
            shaper: Shaper::new(input.clone()),
            correction: Correction::new(calibrations, input.colour),
            spare: Vec::new(),
            blank: input.tensor(),
        }
    }

    /// Makes the inputs for all views of `part`. A view whose input can't be made carries the
    /// fault in place of the tensor.
    #[must_use]
    pub fn prepare(&mut self, mut part: Part, clock: &dyn Clock) -> PreparedPart {
        let start = clock.now();
        let mut tensors = Vec::with_capacity(part.views.len());
        self.correction.begin();
        for view in &mut part.views {
            let mut tensor = self.spare.pop().unwrap_or_else(|| self.blank.clone());
            let made = self.correction.prepare(view, &mut self.shaper, &mut tensor);
            tensors.push(made.map(|()| tensor));
        }
        part.times.add(Stage::Prepare, clock.now().since(start));
        PreparedPart { part, tensors, calibration: self.correction.hash() }
    }

    /// Measures what was found on the part that was prepared last, and lays it onto the camera's
    /// picture.
    pub fn measure(&mut self, inferred: &mut InferredPart) {
        self.correction.measure(inferred);
    }

    /// Takes a used tensor back.
    pub fn give_back(&mut self, tensor: Tensor) {
        self.spare.push(tensor);
    }
}
