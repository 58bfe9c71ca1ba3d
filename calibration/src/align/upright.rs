//! Sets a part upright: takes a crop and where the part is in it, gives the crop as the golden
//! sample would see it. Bilinear, into bytes that somebody else owns.

use std::ops::Range;

use domain::SizePx;

use super::Pose;
use crate::Picture;
use crate::rounding::fixed16;

/// Bits after the point of places in the crop.
const BITS: u32 = 16;

/// A place in the crop, with [`BITS`] after the point.
#[derive(Clone, Copy)]
struct Place {
    x: i64,
    y: i64,
}

/// A crop of pixels of `N` bytes.
struct Source<'a, const N: usize> {
    bytes: &'a [u8],
    stride: usize,
    size: SizePx,
}

/// Writes `crop` into `out`, a picture of the same size in rows of `stride` bytes, so that the part
/// lies as in the golden sample. What lies outside the crop takes the nearest edge's grey.
///
/// # Panics
/// Where `out` is too short for the crop's size.
pub fn upright_into(crop: &Picture<'_>, pose: &Pose, out: &mut [u8], stride: usize) {
    let source = Source::<1> { bytes: crop.luma(), stride: crop.stride(), size: crop.size() };
    set_upright(&source, pose, out, stride);
}

/// The same for pixels of `N` bytes side by side, such as RGB: `bytes` are those of a crop of
/// `size`, in rows without gaps, and so will be `out`.
///
/// # Panics
/// Where `bytes` or `out` are too short for that size.
pub fn upright_packed<const N: usize>(bytes: &[u8], size: SizePx, pose: &Pose, out: &mut [u8]) {
    let stride = size.width as usize * N;
    let needed = stride * size.height as usize;
    assert!(bytes.len() >= needed && out.len() >= needed, "fewer bytes than {size} pixels have");
    set_upright(&Source::<N> { bytes, stride, size }, pose, out, stride);
}

fn set_upright<const N: usize>(
    source: &Source<'_, N>,
    pose: &Pose,
    out: &mut [u8],
    out_stride: usize,
) {
    let (width, height) = (source.size.width as usize, source.size.height as usize);
    let (sin, cos) = pose.angle_deg.to_radians().sin_cos();
    let (a, b) = (cos * pose.scale, sin * pose.scale);
    let (cx, cy) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
    let step = Place { x: fixed16(a), y: fixed16(b) };
    for (y, row) in out.chunks_mut(out_stride).take(height).enumerate() {
        let v = y as f64 - cy;
        let first = Place {
            x: fixed16(cx + pose.dx_px - a * cx - b * v),
            y: fixed16(cy + pose.dy_px - b * cx + a * v),
        };
        let (row, _) = row[..width * N].as_chunks_mut::<N>();
        let at = |x: usize| {
            let x = i64::try_from(x).unwrap_or(0);
            Place { x: first.x + x * step.x, y: first.y + x * step.y }
        };
        let inner = inside(first.x, step.x, width, width);
        let inner = both(&inner, &inside(first.y, step.y, height, width));
        let (left, rest) = row.split_at_mut(inner.start);
        let (inner_row, right) = rest.split_at_mut(inner.len());
        let mut place = at(inner.start);
        for pixel in inner_row {
            *pixel = source.inner(place);
            place = Place { x: place.x + step.x, y: place.y + step.y };
        }
        for (x, pixel) in left.iter_mut().enumerate() {
            *pixel = source.at_border(at(x));
        }
        for (x, pixel) in right.iter_mut().enumerate() {
            *pixel = source.at_border(at(inner.end + x));
        }
    }
}

/// The columns of `count` whose place, `first` and `step` on for each, has a pixel after it in a
/// line of `length`.
fn inside(first: i64, step: i64, length: usize, count: usize) -> Range<usize> {
    // The last place that has a pixel after it.
    let last = ((i64::try_from(length).unwrap_or(0) - 1) << BITS) - 1;
    let (low, high) = match step {
        0 if (0..=last).contains(&first) => return 0..count,
        0 => return 0..0,
        // Round both ends inwards.
        step if step > 0 => (-(first.div_euclid(step)), (last - first).div_euclid(step)),
        step => (-((last - first).div_euclid(-step)), first.div_euclid(-step)),
    };
    let low = usize::try_from(low.max(0)).unwrap_or(count).min(count);
    let end = usize::try_from(high + 1).unwrap_or(0).min(count);
    low..end.max(low)
}

fn both(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

impl<const N: usize> Source<'_, N> {
    /// The pixel at a place that has pixels to the right and below.
    #[inline]
    fn inner(&self, place: Place) -> [u8; N] {
        let at = whole(place.y >> BITS) * self.stride + whole(place.x >> BITS) * N;
        let top = &self.bytes[at..at + 2 * N];
        let bottom = &self.bytes[at + self.stride..][..2 * N];
        let mut pixel = [0; N];
        for (i, to) in pixel.iter_mut().enumerate() {
            *to = mixed([top[i], top[i + N], bottom[i], bottom[i + N]], place);
        }
        pixel
    }

    /// The pixel at the place in the crop that is nearest.
    fn at_border(&self, place: Place) -> [u8; N] {
        let last = |length: u32| i64::from(length - 1);
        let (x_last, y_last) = (last(self.size.width), last(self.size.height));
        let place =
            Place { x: place.x.clamp(0, x_last << BITS), y: place.y.clamp(0, y_last << BITS) };
        let (x, y) = (place.x >> BITS, place.y >> BITS);
        let top = whole(y) * self.stride + whole(x) * N;
        let right = if x < x_last { N } else { 0 };
        let bottom = top + if y < y_last { self.stride } else { 0 };
        let corners = [top, top + right, bottom, bottom + right];
        let mut pixel = [0; N];
        for (i, to) in pixel.iter_mut().enumerate() {
            *to = mixed(corners.map(|at| self.bytes[at + i]), place);
        }
        pixel
    }
}

/// Four pixels mixed by the first 8 bits after the point.
#[inline]
fn mixed(greys: [u8; 4], place: Place) -> u8 {
    let (u, v) = (fraction(place.x), fraction(place.y));
    let [a, b, c, d] = greys.map(u32::from);
    byte((a * (256 - u) + b * u) * (256 - v) + (c * (256 - u) + d * u) * v)
}

#[expect(clippy::cast_sign_loss, reason = "8 bits")]
const fn fraction(at: i64) -> u32 {
    ((at >> (BITS - 8)) & 0xff) as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside a picture")]
const fn whole(at: i64) -> usize {
    at as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a mixture of bytes")]
const fn byte(sum: u32) -> u8 {
    ((sum + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use domain::SizePx;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_quick_way_gives_what_the_careful_one_does(
            dx_px in -30.0..30.0_f64,
            dy_px in -30.0..30.0_f64,
            angle_deg in prop::sample::select(vec![0.0, 90.0, 180.0, -90.0, 3.7, 44.0, -131.0]),
        ) {
            let size = SizePx::new(23, 17);
            let luma: Vec<u8> = (0..30 * 17_u32).map(|at| byte((at * 37 % 251) << 16)).collect();
            let crop = Picture::new(size, 30, &luma).unwrap();
            let pose = Pose { dx_px, dy_px, angle_deg, ..Pose::UPRIGHT };
            let mut quick = vec![0; 24 * 17];
            upright_into(&crop, &pose, &mut quick, 24);
            let source = Source::<1> { bytes: &luma, stride: 30, size };
            let (sin, cos) = angle_deg.to_radians().sin_cos();
            for y in 0..17_u8 {
                let v = f64::from(y) - 8.0;
                let first = Place {
                    x: fixed16(11.0 + dx_px - cos * 11.0 - sin * v),
                    y: fixed16(8.0 + dy_px - sin * 11.0 + cos * v),
                };
                for x in 0..23_u8 {
                    let place = Place {
                        x: first.x + i64::from(x) * fixed16(cos),
                        y: first.y + i64::from(x) * fixed16(sin),
                    };
                    let [careful] = source.at_border(place);
                    prop_assert_eq!(quick[usize::from(y) * 24 + usize::from(x)], careful);
                }
            }
        }
    }

    #[test]
    fn colours_are_turned_as_grey_is() {
        let size = SizePx::new(23, 17);
        let luma: Vec<u8> = (0..23 * 17_u32).map(|at| byte((at * 37 % 251) << 16)).collect();
        let colours: Vec<u8> = luma.iter().flat_map(|&v| [v, 7, 255 - v]).collect();
        let crop = Picture::packed(size, &luma);
        let pose = Pose { dx_px: 1.3, dy_px: -2.4, angle_deg: 33.0, ..Pose::UPRIGHT };
        let (mut grey, mut rgb) = (vec![0; 23 * 17], vec![0; 23 * 17 * 3]);
        upright_into(&crop, &pose, &mut grey, 23);
        upright_packed::<3>(&colours, size, &pose, &mut rgb);
        for (&v, pixel) in grey.iter().zip(rgb.as_chunks::<3>().0) {
            assert_eq!([pixel[0], pixel[1]], [v, 7]);
            assert!(pixel[2].abs_diff(255 - v) <= 1);
        }
    }
}
