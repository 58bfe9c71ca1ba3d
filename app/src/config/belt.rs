//! What the belt runs in a count of its encoder: takes the cameras with their folders of profiles;
//! gives what the accepted ones know, or which two contradict each other.

use anyhow::{Result, bail};
use jiff::Timestamp;
use pipeline::act::reject::CalibratedBelt;

use super::calibration::{Calibrated, accepted};

/// What the profiles of `cameras` say of the belt; of several that say the same the surest. There
/// is one encoder: every camera's profile that knows it must agree.
///
/// # Errors
/// When a profile can't be read or may not be measured by; when two contradict each other.
pub fn belt(cameras: &[Calibrated], now: Timestamp) -> Result<Option<CalibratedBelt>> {
    let mut surest: Option<CalibratedBelt> = None;
    for known in cameras {
        let Some(folder) = &known.folder else { continue };
        let belt = accepted(known, folder, Some(now))?.belt;
        let Some(mm_per_count) = belt.and_then(|belt| belt.mm_per_count) else { continue };
        let this = CalibratedBelt { camera: known.camera.clone(), mm_per_count };
        let Some(other) = &surest else {
            surest = Some(this);
            continue;
        };
        if this.contradicts(other) {
            bail!(
                "the calibrations of the cameras `{}` and `{}` say that the belt runs {:.5} and \
                 {:.5} mm in a count of the encoder; right would be: run `sightline calibrate \
                 belt` again for the one that is wrong",
                other.camera,
                this.camera,
                other.mm_per_count.value,
                this.mm_per_count.value
            );
        }
        if this.mm_per_count.std_error < other.mm_per_count.std_error {
            surest = Some(this);
        }
    }
    Ok(surest)
}

#[cfg(test)]
pub mod tests {
    use std::path::Path;

    use calibration::accept::AcceptLimits;
    use calibration::belt::{BeltMotion, Measured};
    use calibration::profile::CameraNote;
    use calibration::{Plane, Profile, Px};
    use domain::{CameraId, SizePx};

    use super::*;

    /// A camera with an accepted profile.
    fn camera(name: &str, folder: &Path, mm_per_count: Option<(f64, f64)>) -> Calibrated {
        let folder = folder.join(name);
        accepted_profile(&folder, mm_per_count);
        let camera = CameraId::new(name);
        Calibrated { camera, serial: None, folder: Some(folder), still: std::sync::Arc::default() }
    }

    /// An accepted profile in `folder`, which knows a belt of so many millimetres in a count.
    pub fn accepted_profile(folder: &Path, mm_per_count: Option<(f64, f64)>) {
        let mut profile =
            Profile::new(SizePx::new(64, 64), CameraNote::default(), Timestamp::now());
        let ruler = Plane::from_ruler(Px::new(0.0, 0.0), Px::new(60.0, 0.0), 15.0, 0.1);
        profile.plane = Some(ruler.unwrap());
        let measured = |(value, std_error)| Measured { value, std_error };
        profile.belt = Some(BeltMotion {
            px_per_s: measured((100.0, 0.1)),
            mm_per_s: None,
            direction_deg: measured((0.0, 0.1)),
            px_per_count: None,
            mm_per_count: mm_per_count.map(measured),
            residual_px: 0.1,
            pairs_used: 9,
            pairs: 9,
            pairs_still: 0,
            pairs_odd: 0,
        });
        profile.accept("QE", AcceptLimits::default(), Timestamp::now()).unwrap();
        profile.write(folder).unwrap();
    }

    #[test]
    fn the_surest_of_several_that_agree_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name, known| camera(name, dir.path(), known);
        let now = Timestamp::now();
        let silent = Calibrated { folder: None, ..at("a", None) };
        assert_eq!(belt(&[silent.clone(), at("b", None)], now).unwrap(), None);
        let (rough, fine) = (at("c", Some((0.201, 0.002))), at("d", Some((0.2, 0.0001))));
        for cameras in [[rough.clone(), fine.clone()], [fine.clone(), rough]] {
            let belt = belt(&[&[silent.clone()][..], &cameras].concat(), now).unwrap().unwrap();
            assert_eq!((belt.camera.as_str(), belt.mm_per_count.value), ("d", 0.2));
        }
        let other = at("e", Some((0.21, 0.0001)));
        let error = belt(&[fine, other], now).unwrap_err().to_string();
        assert!(
            ["`d`", "`e`", "0.20000", "0.21000"].iter().all(|it| error.contains(it)),
            "{error}"
        );
    }

    #[test]
    fn what_nobody_accepted_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let camera = camera("top", dir.path(), Some((0.2, 0.001)));
        let folder = camera.folder.clone().unwrap();
        let mut profile = Profile::read(&folder).unwrap();
        profile.accepted = None;
        profile.write(&folder).unwrap();
        let error = belt(&[camera], Timestamp::now()).unwrap_err().to_string();
        assert!(error.contains("calibrate accept"), "{error}");
    }
}
