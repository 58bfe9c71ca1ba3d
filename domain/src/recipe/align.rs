//! How a part must lie.

use serde::{Deserialize, Serialize};

use super::RecipeError;

/// A part is turned and shifted back onto the golden sample before the model sees it. One that
/// lies beyond these limits has a defect of the kind [`Align::MISALIGNED`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Align {
    /// Picture of a good part that lies right, cropped as parts are; relative to the recipe file.
    pub golden: String,
    /// Turned by more is a defect, degrees.
    pub max_angle_deg: Option<f32>,
    /// Shifted by more is a defect, pixels.
    pub max_offset_px: Option<f32>,
    /// Shifted by more is a defect, millimetres. Needs a calibrated camera.
    pub max_offset_mm: Option<f32>,
    /// How far a part may be turned at all, degrees either way; 180 when absent.
    pub search_deg: Option<f32>,
    /// In how many positions of a full turn the part looks the same; 1 when absent.
    pub symmetry: Option<u32>,
}

impl Align {
    /// The kind of defect that a part which does not lie right has.
    pub const MISALIGNED: &str = "misaligned";

    pub(super) fn check(&self) -> Result<(), RecipeError> {
        if self.golden.trim().is_empty() {
            let right = "name the picture of a good part that lies right";
            return Err(RecipeError::new("align.golden", "is empty", right));
        }
        let limits = [
            ("align.max_angle_deg", self.max_angle_deg, 180.0),
            ("align.max_offset_px", self.max_offset_px, f32::MAX),
            ("align.max_offset_mm", self.max_offset_mm, f32::MAX),
            ("align.search_deg", self.search_deg, 180.0),
        ];
        for (key, value, most) in limits {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && *value <= most)) {
                let right = format!("more than 0 and at most {most}");
                return Err(RecipeError::new(key, format!("{value} is no limit"), right));
            }
        }
        if self.symmetry == Some(0) {
            let right = "1 for a part that looks the same only after a full turn";
            return Err(RecipeError::new("align.symmetry", "is 0", right));
        }
        Ok(())
    }
}
