//! OpenCV's fit of a lens: takes views; gives the lens, where the target was in each, and what is
//! left over.

use domain::SizePx;
use opencv::calib3d::{CALIB_FIX_K3, SOLVEPNP_ITERATIVE, calibrate_camera_extended, solve_pnp};
use opencv::core::{
    Mat, Point2d, Point2f, Point3d, Point3f, Size, TermCriteria, TermCriteria_COUNT,
    TermCriteria_EPS, Vector,
};
use opencv::prelude::MatTraitConst;

use super::{DistortionModel, Lens, LensError, LensSd, Residual, View};
use crate::target::{Mm, Observation, Px};

/// A lens and where the target was in each view.
pub(super) struct Solution {
    pub lens: Lens,
    pub rms_px: f64,
    pub poses: Vec<Pose>,
    residuals: Vec<Vec<Residual>>,
}

/// Where a target is before the camera: OpenCV's rotation vector and translation.
#[derive(Clone, Copy)]
pub(super) struct Pose {
    turn: [f64; 3],
    moved_mm: [f64; 3],
}

impl From<opencv::Error> for LensError {
    fn from(error: opencv::Error) -> Self {
        Self::OpenCv(error.message)
    }
}

impl Solution {
    /// The lens that fits the views best.
    pub(super) fn of(
        views: &[&View],
        size: SizePx,
        model: DistortionModel,
    ) -> Result<Self, LensError> {
        let on_target: Vector<Vector<Point3f>> =
            views.iter().map(|view| points_mm(&view.observation)).collect();
        let in_picture: Vector<Vector<Point2f>> =
            views.iter().map(|view| points_px(&view.observation)).collect();
        let mut matrix = Mat::default();
        let mut distortion = Mat::default();
        let (mut turns, mut moves) = (Vector::<Mat>::new(), Vector::<Mat>::new());
        let (mut sd, mut sd_of_poses, mut rms_of_views) =
            (Mat::default(), Mat::default(), Mat::default());
        let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        let flags = match model {
            DistortionModel::FourParameters => CALIB_FIX_K3,
            DistortionModel::FiveParameters => 0,
        };
        let until = TermCriteria {
            typ: TermCriteria_COUNT + TermCriteria_EPS,
            max_count: 100,
            epsilon: 1e-10,
        };
        let rms_px = calibrate_camera_extended(
            &on_target,
            &in_picture,
            Size::new(side(size.width), side(size.height)),
            &mut matrix,
            &mut distortion,
            &mut turns,
            &mut moves,
            &mut sd,
            &mut sd_of_poses,
            &mut rms_of_views,
            flags,
            until,
        )?;
        let fitted = f64::from(opencv::core::count_non_zero(&sd)?) + 6.0 * count(views.len());
        let points = count(views.iter().map(|view| view.observation.points.len()).sum());
        // OpenCV divides what is left over by points less parameters, where each point has two
        // coordinates: its deviations are too large by this.
        let too_large = ((2.0 * points - fitted) / (points - fitted).max(1.0)).sqrt();
        let lens = lens(size, &matrix, &distortion, &sd, too_large)?;
        let pose = |(turn, moved)| Pose::read(&turn, &moved);
        let poses: Vec<Pose> =
            turns.iter().zip(moves.iter()).map(pose).collect::<Result<_, _>>()?;
        let with = |(pose, view): (&Pose, &&View)| pose.residuals(&lens, &view.observation);
        let residuals = poses.iter().zip(views).map(with).collect();
        Ok(Self { lens, rms_px, poses, residuals })
    }

    /// Of each view, pixels.
    pub(super) fn view_rms(&self) -> Vec<f64> {
        self.residuals.iter().map(|residuals| rms(residuals)).collect()
    }

    /// Which way the target faced in each view.
    pub(super) fn normals(&self) -> Vec<[f64; 3]> {
        self.poses.iter().map(Pose::normal).collect()
    }
}

impl Pose {
    /// Of a target seen through a lens that is known.
    pub(super) fn before(lens: &Lens, seen: &Observation) -> Result<Self, LensError> {
        let on_target: Vector<Point3d> =
            seen.points.iter().map(|p| Point3d::new(p.mm.x, p.mm.y, 0.0)).collect();
        let straight = |px: Px| {
            let px = lens.undistort_px(px);
            Point2d::new(px.x, px.y)
        };
        let in_picture: Vector<Point2d> = seen.points.iter().map(|p| straight(p.px)).collect();
        let [fx, fy] = lens.focal_px;
        let Px { x: cx, y: cy } = lens.centre_px;
        let matrix = Mat::from_slice_2d(&[[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])?;
        let (mut turn, mut moved) = (Mat::default(), Mat::default());
        let (none, method) = (Mat::default(), SOLVEPNP_ITERATIVE);
        solve_pnp(&on_target, &in_picture, &matrix, &none, &mut turn, &mut moved, false, method)?;
        Ok(Self::read(&turn, &moved)?)
    }

    fn read(turn: &Mat, moved: &Mat) -> Result<Self, opencv::Error> {
        let three = |mat: &Mat| -> Result<[f64; 3], opencv::Error> {
            Ok([*mat.at::<f64>(0)?, *mat.at::<f64>(1)?, *mat.at::<f64>(2)?])
        };
        Ok(Self { turn: three(turn)?, moved_mm: three(moved)? })
    }

    /// Turns a vector as the target is turned (Rodrigues' formula).
    fn turned(&self, v: [f64; 3]) -> [f64; 3] {
        let angle = self.turn.iter().map(|t| t * t).sum::<f64>().sqrt();
        if angle < 1e-12 {
            return v;
        }
        let k = self.turn.map(|t| t / angle);
        let (sin, cos) = angle.sin_cos();
        let along = (k[0] * v[0] + k[1] * v[1] + k[2] * v[2]) * (1.0 - cos);
        let cross =
            [k[1] * v[2] - k[2] * v[1], k[2] * v[0] - k[0] * v[2], k[0] * v[1] - k[1] * v[0]];
        [0, 1, 2].map(|i| v[i] * cos + cross[i] * sin + k[i] * along)
    }

    /// Which way the target faces.
    pub(super) fn normal(&self) -> [f64; 3] {
        self.turned([0.0, 0.0, 1.0])
    }

    /// Where a place of the target is in the camera's picture.
    fn px(&self, lens: &Lens, mm: Mm) -> Px {
        let turned = self.turned([mm.x, mm.y, 0.0]);
        let [x, y, z] = [0, 1, 2].map(|i| turned[i] + self.moved_mm[i]);
        lens.px(lens.bent(x / z, y / z))
    }

    /// Found less expected, of each point.
    pub(super) fn residuals(&self, lens: &Lens, seen: &Observation) -> Vec<Residual> {
        let residual = |seen: &crate::target::Seen| {
            let expected = self.px(lens, seen.mm);
            Residual { px: seen.px, off: Px::new(seen.px.x - expected.x, seen.px.y - expected.y) }
        };
        seen.points.iter().map(residual).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "points and views, far below 2^52")]
fn count(of: usize) -> f64 {
    of as f64
}

/// Of distances, pixels.
pub(super) fn rms(residuals: &[Residual]) -> f64 {
    let sum: f64 = residuals.iter().map(|r| r.off.x.powi(2) + r.off.y.powi(2)).sum();
    (sum / count(residuals.len().max(1))).sqrt()
}

/// Refuses normals that differ too little from their mean.
pub(super) fn spread_at_least(normals: &[[f64; 3]], needed_deg: f64) -> Result<(), LensError> {
    let sum = |i: usize| normals.iter().map(|n| n[i]).sum::<f64>();
    let mean = [sum(0), sum(1), sum(2)];
    let length = mean.iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let off_deg = |n: &[f64; 3]| {
        let cos = (0..3).map(|i| n[i] * mean[i] / length).sum::<f64>();
        cos.clamp(-1.0, 1.0).acos().to_degrees()
    };
    let squares: f64 = normals.iter().map(|n| off_deg(n).powi(2)).sum();
    let spread_deg = (squares / count(normals.len().max(1))).sqrt();
    // Written so that views without any sense, whose spread is no number, are refused as well.
    if spread_deg >= needed_deg { Ok(()) } else { Err(LensError::Alike { spread_deg, needed_deg }) }
}

/// What OpenCV found, with its deviations divided by `too_large`.
fn lens(
    size: SizePx,
    matrix: &Mat,
    distortion: &Mat,
    sd: &Mat,
    too_large: f64,
) -> Result<Lens, opencv::Error> {
    let sd_of = |i: i32| sd.at::<f64>(i).map(|sd| sd / too_large);
    let mut bends = [0.0; 5];
    let mut bends_sd = [0.0; 5];
    for (i, (bend, bend_sd)) in (0..).zip(bends.iter_mut().zip(&mut bends_sd)) {
        *bend = *distortion.at::<f64>(i)?;
        *bend_sd = sd_of(i + 4)?;
    }
    Ok(Lens {
        size,
        focal_px: [*matrix.at_2d::<f64>(0, 0)?, *matrix.at_2d::<f64>(1, 1)?],
        centre_px: Px::new(*matrix.at_2d::<f64>(0, 2)?, *matrix.at_2d::<f64>(1, 2)?),
        distortion: bends,
        sd: LensSd {
            focal_px: [sd_of(0)?, sd_of(1)?],
            centre_px: Px::new(sd_of(2)?, sd_of(3)?),
            distortion: bends_sd,
        },
    })
}

#[expect(clippy::cast_possible_truncation, reason = "as OpenCV takes it")]
fn points_mm(seen: &Observation) -> Vector<Point3f> {
    seen.points.iter().map(|p| Point3f::new(p.mm.x as f32, p.mm.y as f32, 0.0)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "as OpenCV takes it")]
fn points_px(seen: &Observation) -> Vector<Point2f> {
    seen.points.iter().map(|p| Point2f::new(p.px.x as f32, p.px.y as f32)).collect()
}
