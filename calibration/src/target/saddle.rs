//! Where four squares meet, to a hundredth of a pixel: takes luma, a corner known to a pixel or so
//! and how the board lies there; gives the corner.
//!
//! Two soft edges that cross are fitted to the grey levels around the corner (their place, their
//! directions, both levels and their softness; least squares, Levenberg and Marquardt), which uses
//! all of the edges' length where `cornerSubPix` uses a small window: its errors are several times
//! larger.

use opencv::core::Mat;
use opencv::prelude::{MatTraitConst, MatTraitConstManual};

use super::{NotFound, Px};
use crate::scale::homography::{Square, solved};

/// A corner as it is known before.
pub(super) struct Corner {
    /// Where it is thought to be.
    pub at: Px,
    /// The board's square there: how x and y of the picture change along its columns and rows, in
    /// pixels a square.
    pub along: [[f64; 2]; 2],
    /// Whether the squares before and after it on the falling diagonal are black.
    pub falling_black: bool,
    /// How far from the edges white squares are plain, in squares.
    pub plain: f64,
}

/// A pixel by its place and its grey level.
type Sample = (f64, f64, f64);

/// How far edges are followed, in squares and in pixels: the next corner is at one square, and lens
/// and perspective bend what is long.
const REACH: f64 = 0.42;
const REACH_MAX_PX: f64 = 24.0;
/// Steps of the fit.
const STEPS: usize = 12;

/// The corner, found again; none where what is there does not look like one.
pub(super) fn refined(luma: &Mat, corner: &Corner) -> Result<Option<Px>, NotFound> {
    let samples = samples(luma, corner)?;
    if samples.len() < 16 {
        return Ok(None);
    }
    let mut model = Model::start(corner, &samples);
    let (mut error, mut damping) = (model.error(&samples), 1e-3);
    for _ in 0..STEPS {
        let Some(next) = model.stepped(&samples, damping) else { break };
        let next_error = next.error(&samples);
        if next_error < error {
            let settled = error - next_error < 1e-9 * error;
            (model, error, damping) = (next, next_error, damping * 0.1);
            if settled {
                break;
            }
        } else {
            damping *= 10.0;
        }
    }
    let found = Px::new(model.0[0], model.0[1]);
    let square_px = corner.along[0][0].hypot(corner.along[1][0]);
    let crosses = model.0[5].abs() > 8.0 && found.distance(corner.at) < (0.2 * square_px).max(1.5);
    Ok(crosses.then_some(found))
}

/// The pixels around a corner that see nothing but its four squares.
fn samples(luma: &Mat, corner: &Corner) -> Result<Vec<Sample>, NotFound> {
    let [[a, b], [c, d]] = corner.along;
    let determinant = a * d - b * c;
    let across = |i: usize| corner.along[i][0].abs() + corner.along[i][1].abs();
    let square_px = determinant.abs().sqrt();
    let reach = REACH.min(REACH_MAX_PX / square_px);
    // White is not trusted within a pixel and a half of a marker.
    let plain = corner.plain - 1.5 / square_px;
    let mut samples = Vec::new();
    for y in span(corner.at.y, reach * across(1), luma.rows()) {
        let row = luma.at_row::<u8>(y)?;
        for x in span(corner.at.x, reach * across(0), luma.cols()) {
            let (px, py) = (f64::from(x), f64::from(y));
            let (dx, dy) = (px - corner.at.x, py - corner.at.y);
            let u = (d * dx - b * dy) / determinant;
            let v = (a * dy - c * dx) / determinant;
            let black = (u * v > 0.0) == corner.falling_black;
            let sees_marker = !black && u.abs().min(v.abs()) > plain;
            if u.abs() < reach && v.abs() < reach && !sees_marker {
                samples.push((px, py, f64::from(row[usize::try_from(x).unwrap_or_default()])));
            }
        }
    }
    Ok(samples)
}

/// Whole pixels within `reach` of `middle`, inside the picture.
#[expect(clippy::cast_possible_truncation, reason = "places in a picture")]
fn span(middle: f64, reach: f64, pixels: i32) -> std::ops::Range<i32> {
    ((middle - reach).ceil().max(0.0) as i32)..((middle + reach).floor() as i32 + 1).min(pixels)
}

/// x, y, the angles of both edges' normals, mid grey, half the contrast (negative where the falling
/// diagonal is black), softness in pixels.
#[derive(Clone, Copy)]
struct Model([f64; 7]);

impl Model {
    #[expect(clippy::cast_precision_loss, reason = "a count of pixels")]
    fn start(corner: &Corner, samples: &[Sample]) -> Self {
        let [[a, b], [c, d]] = corner.along;
        // The first edge runs down the board's rows, the second along its columns.
        let turned = if a * d - b * c > 0.0 { 1.0 } else { -1.0 };
        let (first, second) = ((-b * turned).atan2(d * turned), (a * turned).atan2(-c * turned));
        let mean = samples.iter().map(|s| s.2).sum::<f64>() / samples.len() as f64;
        let spread = samples.iter().map(|s| (s.2 - mean).powi(2)).sum::<f64>();
        let half = (spread / samples.len() as f64).sqrt();
        let signed = if corner.falling_black { -half } else { half };
        Self([corner.at.x, corner.at.y, first, second, mean, signed, 1.0])
    }

    /// The grey level at a place and how it changes with the seven parameters.
    fn at(&self, x: f64, y: f64) -> (f64, [f64; 7]) {
        let [cx, cy, first, second, grey, half, soft] = self.0;
        let (dx, dy) = (x - cx, y - cy);
        let edge = |angle: f64| {
            let (sin, cos) = angle.sin_cos();
            let off = cos * dx + sin * dy;
            let t = (off / soft).tanh();
            (cos, sin, off, t, (1.0 - t * t) / soft, cos * dy - sin * dx)
        };
        let (c1, s1, d1, t1, slope1, turn1) = edge(first);
        let (c2, s2, d2, t2, slope2, turn2) = edge(second);
        let (by1, by2) = (half * slope1 * t2, half * t1 * slope2);
        let slopes = [
            -by1 * c1 - by2 * c2,
            -by1 * s1 - by2 * s2,
            by1 * turn1,
            by2 * turn2,
            1.0,
            t1 * t2,
            -(by1 * d1 + by2 * d2) / soft,
        ];
        (grey + half * t1 * t2, slopes)
    }

    fn error(&self, samples: &[Sample]) -> f64 {
        samples.iter().map(|&(x, y, grey)| (grey - self.at(x, y).0).powi(2)).sum()
    }

    /// One step towards the samples.
    fn stepped(&self, samples: &[Sample], damping: f64) -> Option<Self> {
        let (mut normal, mut right): (Square, [f64; 8]) = ([[0.0; 8]; 8], [0.0; 8]);
        for &(x, y, grey) in samples {
            let (expected, slopes) = self.at(x, y);
            for row in 0..7 {
                right[row] += slopes[row] * (grey - expected);
                for column in 0..7 {
                    normal[row][column] += slopes[row] * slopes[column];
                }
            }
        }
        for (i, row) in normal.iter_mut().enumerate() {
            row[i] *= 1.0 + damping;
        }
        let change = solved(normal, &mut right, 7)?;
        let mut next = self.0;
        for (parameter, by) in next.iter_mut().zip(change) {
            *parameter += by;
        }
        next[6] = next[6].clamp(0.3, 20.0);
        Some(Self(next))
    }
}
