//! How a part may lie: takes a pose and limits, gives the misalignment that is a defect.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Pose;

/// How far a part's middle may be from where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffsetLimit {
    /// In pixels.
    Px(f64),
    /// In millimetres; needs a scale.
    Mm(f64),
}

/// How a part may lie. What is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Degrees to either side.
    #[serde(default)]
    pub angle_deg: Option<f64>,
    /// Distance of the middle.
    #[serde(default)]
    pub offset: Option<OffsetLimit>,
}

/// A part that lies outside its limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misalignment {
    /// Measured turn, in degrees.
    pub angle_deg: f64,
    /// Measured distance of the middle, in pixels.
    pub offset_px: f64,
    /// The same in millimetres, where a scale is known.
    pub offset_mm: Option<f64>,
    /// What was allowed.
    pub limits: Limits,
    /// By how much the worse of the two is beyond its limit: 1 is at the limit.
    pub excess: f64,
}

impl Limits {
    /// What is wrong with a part that lies as `pose` says, if anything is. `mm_per_px` is the
    /// belt's scale at the part; without one a limit in millimetres counts as exceeded, because
    /// what cannot be measured cannot pass.
    #[must_use]
    pub fn judge(&self, pose: &Pose, mm_per_px: Option<f64>) -> Option<Misalignment> {
        let offset_px = pose.offset_px();
        let offset_mm = mm_per_px.map(|scale| offset_px * scale);
        let angle = self.angle_deg.map(|limit| pose.angle_deg.abs() / limit);
        let offset = self.offset.map(|limit| match limit {
            OffsetLimit::Px(limit) => offset_px / limit,
            OffsetLimit::Mm(limit) => offset_mm.map_or(f64::INFINITY, |mm| mm / limit),
        });
        let excess = angle.unwrap_or(0.0).max(offset.unwrap_or(0.0));
        (excess > 1.0).then_some(Misalignment {
            angle_deg: pose.angle_deg,
            offset_px,
            offset_mm,
            limits: *self,
            excess,
        })
    }
}

impl fmt::Display for Misalignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "misaligned: turned by {:.2}°", self.angle_deg)?;
        if let Some(limit) = self.limits.angle_deg {
            write!(f, " (±{limit} allowed)")?;
        }
        write!(f, ", off by {:.2} px", self.offset_px)?;
        if let Some(mm) = self.offset_mm {
            write!(f, " = {mm:.3} mm")?;
        }
        match self.limits.offset {
            Some(OffsetLimit::Px(limit)) => write!(f, " ({limit} px allowed)"),
            Some(OffsetLimit::Mm(limit)) => write!(f, " ({limit} mm allowed)"),
            None => Ok(()),
        }
    }
}
