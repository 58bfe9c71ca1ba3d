//! Whether a profile may be measured by: takes it, its limits and the hour; gives it accepted, or
//! every reason why not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::flat_field::Exposure;
use crate::profile::Profile;

/// How good a calibration must be, and for how long it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptLimits {
    /// Reprojection error of the lens, root mean square, pixels.
    pub lens_rms_px: f64,
    /// Residual of the belt's plane, root mean square, pixels.
    pub plane_rms_px: f64,
    /// What is left of the lamp's shading, relative.
    pub flat_residual: f64,
    /// How old it may become, days.
    pub age_days: u32,
}

impl Default for AcceptLimits {
    /// Half a pixel is what a well printed target on a flat board gives; one percent of shading is
    /// below what a person sees; half a year is a usual interval of gauges in use.
    fn default() -> Self {
        Self { lens_rms_px: 0.5, plane_rms_px: 0.5, flat_residual: 0.01, age_days: 180 }
    }
}

/// That a person accepted a profile as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Who: a name or a pseudonym.
    pub by: String,
    /// When, RFC 3339.
    pub at: Timestamp,
    /// By these limits; the age is held against every start.
    pub limits: AcceptLimits,
    /// Hash of what was accepted. What was changed since is not.
    pub content: String,
}

/// One reason against a profile.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Objection {
    /// There is nothing in it to measure with.
    #[error("it has no plane: run `sightline calibrate plane` with a target on the belt")]
    NoPlane,
    /// A residual is too large.
    #[error("{what} is {got:.3} {unit}, at most {limit} is accepted: {remedy}")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// The residual.
        got: f64,
        /// The limit.
        limit: f64,
        /// Of both.
        unit: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Made in the future: a clock was wrong.
    #[error("it was made at {made}, which is later than now ({now}): set this machine's clock")]
    Future {
        /// When.
        made: Timestamp,
        /// This machine's clock.
        now: Timestamp,
    },
    /// Too old.
    #[error("it is {days} days old, at most {limit} are accepted: calibrate again")]
    Old {
        /// Its age.
        days: i64,
        /// The limit.
        limit: u32,
    },
    /// Nobody accepted it.
    #[error("nobody has accepted it: look at it, then run `sightline calibrate accept`")]
    NotAccepted,
    /// It is not what was accepted.
    #[error("it was changed after {by} accepted it at {at}: accept it again")]
    Changed {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Another resolution.
    #[error("it was made at {made} pixels, the camera gives {got}: calibrate at that size")]
    Size {
        /// The profile's.
        made: domain::SizePx,
        /// The camera's.
        got: domain::SizePx,
    },
    /// Set otherwise.
    #[error(
        "its flat field was taken at {made}, the camera is set to {got}: set it back, without \
         automatic exposure and gain, or take the flat field again"
    )]
    Exposure {
        /// The flat field's.
        made: Exposure,
        /// The camera's.
        got: Exposure,
    },
    /// Another camera.
    #[error("it belongs to the camera with serial {made}, this one is {got}: calibrate this one")]
    Serial {
        /// The profile's.
        made: String,
        /// The camera's.
        got: String,
    },
}

/// What a camera says of itself; what it does not say is not compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraFacts {
    /// Its serial number.
    pub serial: Option<String>,
    /// Of its pictures.
    pub size: Option<domain::SizePx>,
    /// As it is set.
    pub exposure: Option<Exposure>,
}

impl Profile {
    /// Accepts it as it is.
    ///
    /// # Errors
    /// Every reason against it.
    pub fn accept(
        &mut self,
        by: &str,
        limits: AcceptLimits,
        now: Timestamp,
    ) -> Result<(), Vec<Objection>> {
        let objections = self.objections_to(&limits, now);
        if !objections.is_empty() {
            return Err(objections);
        }
        let content = self.content_hash().to_string();
        self.accepted = Some(Accepted { by: by.to_owned(), at: now, limits, content });
        Ok(())
    }

    /// Whether a line may measure by it now, with a camera that says `facts` of itself. A clock
    /// that is behind the profile's date is wrong, which is no fault of the profile: a station that
    /// starts without a network, and without a clock that was set, may measure.
    ///
    /// # Errors
    /// Every reason against it.
    pub fn arm(&self, facts: &CameraFacts, now: Timestamp) -> Result<(), Vec<Objection>> {
        let mut objections = match &self.accepted {
            None => vec![Objection::NotAccepted],
            Some(accepted) if accepted.content != self.content_hash().to_string() => {
                vec![Objection::Changed { by: accepted.by.clone(), at: accepted.at }]
            }
            Some(accepted) => {
                let mut objections = self.objections_to(&accepted.limits, now);
                objections.retain(|it| !matches!(it, Objection::Future { .. }));
                objections
            }
        };
        objections.extend(self.objections_to_camera(facts));
        if objections.is_empty() { Ok(()) } else { Err(objections) }
    }

    /// Every reason against a camera that says `facts` of itself: it is another, or set otherwise.
    #[must_use]
    pub fn objections_to_camera(&self, facts: &CameraFacts) -> Vec<Objection> {
        let mut objections = Vec::new();
        if let Some(got) = facts.size.filter(|got| *got != self.size) {
            objections.push(Objection::Size { made: self.size, got });
        }
        let flat = self.flat_field.as_ref().and_then(|flat| flat.exposure);
        if let Some((made, got)) = flat.zip(facts.exposure).filter(|(made, got)| !made.is_like(got))
        {
            objections.push(Objection::Exposure { made, got });
        }
        let serials = self.camera.serial.as_ref().zip(facts.serial.as_ref());
        if let Some((made, got)) = serials.filter(|(made, got)| made != got) {
            objections.push(Objection::Serial { made: made.clone(), got: got.clone() });
        }
        objections
    }

    fn objections_to(&self, limits: &AcceptLimits, now: Timestamp) -> Vec<Objection> {
        let mut objections = Vec::new();
        if self.plane.is_none() {
            objections.push(Objection::NoPlane);
        }
        let residuals = [
            (
                "the lens' reprojection error",
                self.lens_rms_px,
                limits.lens_rms_px,
                "px",
                "look at the views it names, leave blurred ones out, hold the board still",
            ),
            (
                "the plane's residual",
                self.plane.as_ref().map(|plane| plane.residual.rms_px),
                limits.plane_rms_px,
                "px",
                "lay the target flat on the belt, and calibrate the lens first",
            ),
            (
                "the shading that is left",
                self.flat_field.as_ref().map(|flat| flat.residual),
                limits.flat_residual,
                "of full level",
                "take more pictures of a plain sheet that fills the view",
            ),
        ];
        for (what, got, limit, unit, remedy) in residuals {
            if let Some(got) = got.filter(|got| *got > limit || got.is_nan()) {
                objections.push(Objection::TooLarge { what, got, limit, unit, remedy });
            }
        }
        let made = self.made_at;
        let seconds = now.as_second() - made.as_second();
        let days = seconds.div_euclid(24 * 60 * 60);
        if seconds < -60 {
            objections.push(Objection::Future { made, now });
        } else if days > i64::from(limits.age_days) {
            objections.push(Objection::Old { days, limit: limits.age_days });
        }
        objections
    }
}
