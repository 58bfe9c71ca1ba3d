//! What was measured on the belt rather than in the picture.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A defect's place and size on the plane that the calibration knows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefectMm {
    /// Its middle, along the plane's first axis, millimetres.
    pub x_mm: f32,
    /// Its middle, along the second.
    pub y_mm: f32,
    /// The largest distance between two places of it (Feret diameter).
    pub length_mm: f32,
    /// What it covers.
    pub area_mm2: f32,
    /// Standard uncertainty of `length_mm`: of the calibration and of pointing at its ends.
    pub uncertainty_mm: f32,
}

impl fmt::Display for DefectMm {
    /// Length and expanded uncertainty (k = 2), as in `2.13 ± 0.08 mm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places();
        write!(f, "{:.places$} ± {:.places$} mm", self.length_mm, 2.0 * self.uncertainty_mm)
    }
}

impl DefectMm {
    /// How many places behind the point of the length mean anything: as many as show one or two
    /// digits of the expanded uncertainty (JCGM 100, 7.2.6), three at most.
    #[must_use]
    pub fn places(&self) -> usize {
        let expanded = 2.0 * self.uncertainty_mm;
        [3.0, 0.3, 0.03].iter().filter(|most| expanded < **most || expanded.is_nan()).count()
    }

    /// Whether the length may be `limit_mm` or more, uncertainty (k = 2) counted against the part:
    /// whoever passes a part must be able to prove it (ISO 14253-1).
    #[must_use]
    pub fn may_reach(&self, limit_mm: f32) -> bool {
        let at_most = self.length_mm + 2.0 * self.uncertainty_mm;
        at_most >= limit_mm || at_most.is_nan()
    }
}

/// How a part lay, against the golden sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartPose {
    /// Turned by so much, clockwise in the picture, degrees in -180..=180.
    pub angle_deg: f32,
    /// Shifted to the right, pixels.
    pub dx_px: f32,
    /// Shifted down, pixels.
    pub dy_px: f32,
    /// The length of the shift; absent where no plane is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_mm: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_counts_from_its_limit_less_its_uncertainty() {
        let of = |length_mm, uncertainty_mm| DefectMm {
            x_mm: 0.0,
            y_mm: 0.0,
            length_mm,
            area_mm2: 1.0,
            uncertainty_mm,
        };
        assert!(of(2.0, 0.0).may_reach(2.0));
        assert!(of(1.9, 0.05).may_reach(2.0));
        assert!(!of(1.89, 0.05).may_reach(2.0));
        assert!(of(f32::NAN, 0.05).may_reach(2.0));
    }

    #[test]
    fn a_length_is_told_as_exactly_as_it_is_known() {
        let said = |length_mm, uncertainty_mm| {
            let mm = DefectMm { x_mm: 0.0, y_mm: 0.0, length_mm, area_mm2: 1.0, uncertainty_mm };
            mm.to_string()
        };
        assert_eq!(said(2.1349, 0.006), "2.135 ± 0.012 mm");
        assert_eq!(said(2.1349, 0.04), "2.13 ± 0.08 mm");
        assert_eq!(said(2.1349, 0.2), "2.1 ± 0.4 mm");
        assert_eq!(said(21.349, 2.0), "21 ± 4 mm");
        assert_eq!(said(2.0, f32::NAN), "2.000 ± NaN mm");
    }
}
