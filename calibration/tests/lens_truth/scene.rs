//! Targets before cameras that are known: takes seeds; gives cameras, views and pictures.

use domain::SizePx;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sightline_calibration::target::{
    Dictionary, Observation, Outline, Px, Seen, Target, TargetKind,
};
use sightline_calibration::{Lens, Picture};
use testdata::camera::{self, Camera, Optics, Pose, Sheet, Shot};

pub fn charuco() -> Target {
    Target::new(TargetKind::Charuco {
        columns: 11,
        rows: 8,
        square_mm: 20.0,
        marker_mm: 15.0,
        dictionary: Dictionary::D5x5_100,
    })
    .unwrap()
}

pub fn chessboard() -> Target {
    Target::new(TargetKind::Chessboard { columns: 11, rows: 7, square_mm: 20.0 }).unwrap()
}

pub fn circles() -> Target {
    Target::new(TargetKind::CircleGrid { columns: 5, rows: 9, spacing_mm: 20.0 }).unwrap()
}

/// What is printed, on white paper.
pub fn sheet(target: &Target) -> Sheet {
    let piece = |piece: sightline_calibration::target::Piece| {
        let outline = match piece.outline {
            Outline::Polygon(corners) => {
                camera::Outline::Polygon(corners.iter().map(|c| [c.x, c.y]).collect())
            }
            Outline::Disc { centre, radius_mm } => {
                camera::Outline::Disc { centre: [centre.x, centre.y], radius: radius_mm }
            }
        };
        camera::Piece { outline, reflectance: if piece.white { 0.9 } else { 0.06 } }
    };
    Sheet::new(0.9, target.pieces().unwrap().into_iter().map(piece).collect())
}

/// Takes a picture of a target.
pub fn shoot(camera: &Camera, target: &Target, shot: Shot<'_>) -> Vec<u8> {
    let sheet = sheet(target);
    shot.of(camera, &|at| sheet.reflectance(at))
}

pub fn picture(size: SizePx, luma: &[u8]) -> Picture<'_> {
    Picture::new(size, size.width as usize, luma).unwrap()
}

/// A camera of random focal length, centre and distortion, whose pictures are `width` wide.
pub fn random_camera(rng: &mut ChaCha8Rng, width: u32) -> Camera {
    let size = SizePx::new(width, width * 3 / 4);
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let focal = w * rng.random_range(0.7..2.2);
    // Wide lenses bend more.
    let bend = (w / focal).min(1.0);
    let k1 = rng.random_range(-0.32..0.12) * bend;
    let optics = Optics::Pinhole {
        focal_px: [focal, focal * rng.random_range(0.998..1.002)],
        centre_px: [w * rng.random_range(0.47..0.53), h * rng.random_range(0.47..0.53)],
        distortion: [
            k1,
            -k1 * rng.random_range(0.2..0.45),
            rng.random_range(-0.001..0.001),
            rng.random_range(-0.001..0.001),
            k1 * rng.random_range(0.0..0.06),
        ],
    };
    Camera { size, optics, pose: Pose::new([0.0; 3], [0.0; 3]) }
}

/// The camera with the target tilted before it, somewhere in the picture; seen whole, or at least
/// its middle.
pub fn random_view(rng: &mut ChaCha8Rng, camera: &Camera, target: &Target, whole: bool) -> Camera {
    let [width_mm, height_mm] = target.extent_mm();
    let Optics::Pinhole { focal_px, .. } = camera.optics else { panic!("a pinhole") };
    let (w, h) = (f64::from(camera.size.width), f64::from(camera.size.height));
    loop {
        let azimuth = rng.random_range(0.0..std::f64::consts::TAU);
        let tilt = rng.random_range(0.15..0.65_f64);
        let turn = [tilt * azimuth.cos(), tilt * azimuth.sin(), rng.random_range(-0.3..0.3)];
        let fill = rng.random_range(0.45..if whole { 0.85 } else { 1.1 });
        let distance = focal_px[0] * (width_mm / (w * fill)).max(height_mm / (h * fill));
        let place = [w, h].map(|side| side * rng.random_range(-0.35..0.35));
        let mut pose = Pose::facing(turn, [width_mm / 2.0, height_mm / 2.0], distance);
        for i in 0..2 {
            pose.translation_mm[i] += place[i] / focal_px[i] * distance;
        }
        let seen = Camera { pose, ..*camera };
        let corners = if whole {
            [[0.0, 0.0], [width_mm, 0.0], [0.0, height_mm], [width_mm, height_mm]]
        } else {
            [[width_mm / 2.0, height_mm / 2.0]; 4]
        };
        let inside = |[x, y]: [f64; 2]| {
            let px = seen.px_from_mm([x, y, 0.0]);
            px.is_some_and(|p| p[0] > 4.0 && p[1] > 4.0 && p[0] < w - 5.0 && p[1] < h - 5.0)
        };
        if corners.iter().all(|&corner| inside(corner)) {
            return seen;
        }
    }
}

/// Where each point of the target really is in the picture, with Gaussian noise of `sd_px`.
pub fn observed(rng: &mut ChaCha8Rng, camera: &Camera, target: &Target, sd_px: f64) -> Observation {
    let mut normal = || {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
    };
    let points = target.points_mm();
    let (w, h) = (f64::from(camera.size.width) - 1.0, f64::from(camera.size.height) - 1.0);
    let seen = |(id, mm): (u32, &sightline_calibration::Mm)| {
        let [x, y] = camera.px_from_mm([mm.x, mm.y, 0.0])?;
        let px = Px::new(x + sd_px * normal(), y + sd_px * normal());
        let inside = (0.0..=w).contains(&x) && (0.0..=h).contains(&y);
        inside.then_some(Seen { id, mm: *mm, px })
    };
    Observation {
        size: camera.size,
        of: points.len(),
        points: (0..).zip(&points).filter_map(seen).collect(),
        edge_width_px: 2.0,
    }
}

pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// The true lens of a camera, in the product's words.
pub fn true_lens(camera: &Camera) -> Lens {
    let Optics::Pinhole { focal_px, centre_px, distortion } = camera.optics else {
        panic!("a pinhole")
    };
    Lens {
        size: camera.size,
        focal_px,
        centre_px: Px::new(centre_px[0], centre_px[1]),
        distortion,
        sd: sightline_calibration::lens::LensSd::default(),
    }
}

pub fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = ((values.len() - 1) as f64 * part).round() as usize;
    values[at]
}
