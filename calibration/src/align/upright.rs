//! Sets a part upright: takes a crop and where the part is in it, gives the crop as the golden
//! sample would see it. Bilinear, into bytes that somebody else owns.

use super::Pose;
use crate::Picture;
use crate::rounding::{fixed16, grey_from_fixed};

/// Bits after the point of places in the crop.
const BITS: u32 = 16;

/// Writes `crop` into `out`, a picture of the same size in rows of `stride` bytes, so that the part
/// lies as in the golden sample. What lies outside the crop takes the nearest edge's grey.
///
/// # Panics
/// Where `out` is too short for the crop's size.
pub fn upright_into(crop: &Picture<'_>, pose: &Pose, out: &mut [u8], stride: usize) {
    let size = crop.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let (sin, cos) = pose.angle_deg.to_radians().sin_cos();
    let (a, b) = (cos * pose.scale, sin * pose.scale);
    let (cx, cy) = ((f64::from(size.width) - 1.0) / 2.0, (f64::from(size.height) - 1.0) / 2.0);
    let (step_x, step_y) = (fixed16(a), fixed16(b));
    for (y, row) in out.chunks_mut(stride).take(height).enumerate() {
        let v = y as f64 - cy;
        let mut x_at = fixed16(cx + pose.dx_px - a * cx - b * v);
        let mut y_at = fixed16(cy + pose.dy_px - b * cx + a * v);
        for pixel in &mut row[..width] {
            *pixel = between(crop, x_at, y_at);
            x_at += step_x;
            y_at += step_y;
        }
    }
}

/// The grey at a place given with 16 bits after the point.
#[inline]
fn between(crop: &Picture<'_>, x_at: i64, y_at: i64) -> u8 {
    let size = crop.size();
    let clamp = |at: i64, len: u32| at.clamp(0, i64::from(len - 1) << BITS);
    let (x_at, y_at) = (clamp(x_at, size.width), clamp(y_at, size.height));
    let (x, y) = (whole(x_at), whole(y_at));
    let (u, v) = (x_at & 0xffff, y_at & 0xffff);
    let (top, bottom) = (crop.row(y), crop.row((y + 1).min(size.height - 1)));
    let (left, right) = (x as usize, (x as usize + 1).min(size.width as usize - 1));
    let mix = |row: &[u8]| i64::from(row[left]) * (0x10000 - u) + i64::from(row[right]) * u;
    grey_from_fixed((mix(top) * (0x10000 - v) + mix(bottom) * v) >> BITS)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a picture")]
const fn whole(at: i64) -> u32 {
    (at >> BITS) as u32
}
