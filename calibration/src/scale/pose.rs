//! Where the camera is over the belt: takes points and the lens; gives its place.

use opencv::calib3d::{rodrigues_def, solve_pnp_def};
use opencv::core::{Mat, Point2d, Point3d, Vector};
use opencv::prelude::MatTraitConst;
use serde::{Deserialize, Serialize};

use super::ScaleError;
use super::homography::Pair;
use crate::lens::Lens;

/// Where the plane is before the camera: `camera = rotation * plane + translation`, with z into
/// the plane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanePose {
    /// Rows.
    pub rotation: [[f64; 3]; 3],
    /// Millimetres.
    pub translation_mm: [f64; 3],
    /// The place of the plane straight below the camera, millimetres.
    pub foot_mm: [f64; 2],
    /// From there to the camera, millimetres.
    pub distance_mm: f64,
    /// Standard deviation of that, millimetres, from the lens' focal length.
    pub distance_sd_mm: f64,
    /// How far the camera's axis is from square to the plane, degrees.
    pub tilt_deg: f64,
}

/// The place of the plane whose millimetres are seen at those straight pixels.
pub(super) fn of(pairs: &[Pair], lens: &Lens) -> Result<PlanePose, ScaleError> {
    let failed = |error: opencv::Error| ScaleError::OpenCv(error.message);
    let (rotation, translation_mm) = solved(pairs, lens).map_err(failed)?;
    // The camera's place on the plane is - Rᵀ t.
    let place = [0, 1, 2].map(|j| -(0..3).map(|i| rotation[i][j] * translation_mm[i]).sum::<f64>());
    let distance_mm = place[2].abs();
    let relative = (0..2).map(|i| lens.sd.focal_px[i] / lens.focal_px[i]).fold(0.0, f64::max);
    Ok(PlanePose {
        rotation,
        translation_mm,
        foot_mm: [place[0], place[1]],
        distance_mm,
        distance_sd_mm: distance_mm * relative,
        tilt_deg: rotation[2][2].abs().min(1.0).acos().to_degrees(),
    })
}

fn solved(pairs: &[Pair], lens: &Lens) -> Result<([[f64; 3]; 3], [f64; 3]), opencv::Error> {
    let on_plane: Vector<Point3d> =
        pairs.iter().map(|(mm, _)| Point3d::new(mm[0], mm[1], 0.0)).collect();
    let seen: Vector<Point2d> = pairs.iter().map(|(_, px)| Point2d::new(px[0], px[1])).collect();
    let [fx, fy] = lens.focal_px;
    let matrix = Mat::from_slice_2d(&[
        [fx, 0.0, lens.centre_px.x],
        [0.0, fy, lens.centre_px.y],
        [0.0, 0.0, 1.0],
    ])?;
    let (mut turn, mut moved, mut rotation) = (Mat::default(), Mat::default(), Mat::default());
    let found = solve_pnp_def(&on_plane, &seen, &matrix, &Mat::default(), &mut turn, &mut moved)?;
    if !found {
        return Err(opencv::Error::new(opencv::core::StsError, "no pose fits the points"));
    }
    rodrigues_def(&turn, &mut rotation)?;
    let mut rows = [[0.0; 3]; 3];
    let mut by = [0.0; 3];
    for (i, row) in (0..3).zip(&mut rows) {
        for (j, to) in (0..3).zip(row) {
            *to = *rotation.at_2d::<f64>(i, j)?;
        }
    }
    for (i, to) in (0..3).zip(&mut by) {
        *to = *moved.at::<f64>(i)?;
    }
    Ok((rows, by))
}
