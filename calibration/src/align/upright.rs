//! Sets a part upright: takes a crop and where the part is in it, gives the crop as the golden
//! sample would see it. Bilinear, into bytes that somebody else owns.

use super::Pose;
use crate::Picture;
use crate::rounding::fixed16;

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

/// The grey at a place given with 16 bits after the point, of which 8 are used to mix.
#[inline]
fn between(crop: &Picture<'_>, x_at: i64, y_at: i64) -> u8 {
    let last = |length: u32| i64::from(length - 1);
    let (x_last, y_last) = (last(crop.size.width), last(crop.size.height));
    let (x_at, y_at) = (x_at.clamp(0, x_last << BITS), y_at.clamp(0, y_last << BITS));
    let (x, y) = (x_at >> BITS, y_at >> BITS);
    let (u, v) = (fraction(x_at), fraction(y_at));
    let top = whole(y) * crop.stride + whole(x);
    let right = usize::from(x < x_last);
    let bottom = top + if y < y_last { crop.stride } else { 0 };
    let mix =
        |at: usize| u32::from(crop.luma[at]) * (256 - u) + u32::from(crop.luma[at + right]) * u;
    mixed(mix(top) * (256 - v) + mix(bottom) * v)
}

#[expect(clippy::cast_sign_loss, reason = "8 bits")]
const fn fraction(at: i64) -> u32 {
    ((at >> (BITS - 8)) & 0xff) as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a picture")]
const fn whole(at: i64) -> usize {
    at as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a mixture of bytes")]
const fn mixed(sum: u32) -> u8 {
    ((sum + 0x8000) >> 16) as u8
}
