//! infer: runs the model on each view.
//!
//! Takes a prepared part; gives it with one finding a view. A view that could not be prepared,
//! or on which the model failed, carries the fault in place of the finding; nothing is retried.

use domain::{InferredPart, PreparedPart, Stage, Tensor};
use models::Model;

use crate::clock::Clock;

/// Runs `model` on every tensor of `prepared`; each tensor is handed to `used` afterwards.
#[must_use]
pub fn inferred_from_prepared(
    prepared: PreparedPart,
    model: &mut Model,
    clock: &dyn Clock,
    mut used: impl FnMut(Tensor),
) -> InferredPart {
    let PreparedPart { mut part, tensors, calibration } = prepared;
    let start = clock.now();
    let findings = tensors
        .into_iter()
        .zip(&part.views)
        .enumerate()
        .map(|(index, (tensor, view))| {
            let tensor = tensor?;
            let finding = model.run(&tensor, index, view.crop_in_frame);
            used(tensor);
            finding
        })
        .collect();
    part.times.add(Stage::Infer, clock.now().since(start));
    InferredPart { part, findings, calibration, model: model.hash() }
}
