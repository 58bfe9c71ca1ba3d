//! The board that `calibrate` looks for when it is told nothing, and a camera before it.
#![allow(dead_code, reason = "not every test uses all of it")]

use calibration::Target;
use calibration::target::{Dictionary, Outline, TargetKind};
use domain::SizePx;
use testdata::camera::{self, Camera, Optics, Pose, Sheet, Shot};

pub const SIZE: SizePx = SizePx::new(640, 480);
pub const FOCAL_PX: f64 = 700.0;
/// 7 x 9 squares of 25 mm: what `calibrate` takes when it is told nothing.
const BOARD_MM: [f64; 2] = [175.0, 225.0];

pub fn board() -> Sheet {
    let target = Target::new(TargetKind::Charuco {
        columns: 7,
        rows: 9,
        square_mm: 25.0,
        marker_mm: 18.75,
        dictionary: Dictionary::D4x4_50,
    });
    let piece = |piece: calibration::target::Piece| {
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
    Sheet::new(0.9, target.unwrap().pieces().unwrap().into_iter().map(piece).collect())
}

/// The camera before something that is turned and shifted so.
pub fn camera(turn: [f64; 3], shift_mm: [f64; 2], distance_mm: f64) -> Camera {
    let optics = Optics::Pinhole {
        focal_px: [FOCAL_PX, FOCAL_PX],
        centre_px: [322.0, 238.0],
        distortion: [-0.18, 0.05, 0.0, 0.0, 0.0],
    };
    let middle = [BOARD_MM[0] / 2.0, BOARD_MM[1] / 2.0];
    let mut pose = Pose::facing(turn, middle, distance_mm);
    pose.translation_mm[0] += shift_mm[0];
    pose.translation_mm[1] += shift_mm[1];
    Camera { size: SIZE, optics, pose }
}

/// The camera before view `number` of the board: twelve of them are all over the picture.
pub fn view(number: u32) -> Camera {
    let (tilt, around) = (0.25 + 0.03 * f64::from(number), 0.9 * f64::from(number));
    let turn = [tilt * around.cos(), tilt * around.sin(), 0.1 * around.sin()];
    let shift = [70.0 * (2.0 * around).cos(), 45.0 * (3.0 * around).sin()];
    camera(turn, shift, 420.0)
}

/// The camera above the belt, a little aslant.
pub fn over_the_belt() -> Camera {
    camera([0.08, -0.05, 0.02], [0.0, 0.0], 430.0)
}

/// What a camera sees of `sheet`: luma, row by row.
pub fn seen(sheet: &Sheet, camera: &Camera, seed: u64) -> Vec<u8> {
    let shot = Shot { samples: 3, seed, ..Shot::default() };
    shot.of(camera, &|mm| sheet.reflectance(mm))
}

/// What it sees of a plain white sheet, under a lamp that is not even.
pub fn plain_sheet(seed: u64) -> Vec<u8> {
    let lamp = |x: f64, y: f64| 0.8 - 0.3 * (((x - 300.0) / 640.0).powi(2) + (y / 480.0).powi(2));
    let shot = Shot { lamp: &lamp, samples: 1, blur_px: 0.0, seed, ..Shot::default() };
    shot.of(&over_the_belt(), &|_| 0.9)
}
