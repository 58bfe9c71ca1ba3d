//! Straightens crops: takes a lens once; then the camera's picture and a rectangle of the straight
//! picture; gives that rectangle's pixels.
//!
//! Where a straight pixel comes from is known at the nodes of a grid and laid out straight between
//! them. The grid is as coarse as keeps that within a fiftieth of a pixel, so it is small, is made
//! once, and serves a crop at any place.

use domain::{RectPx, SizePx};

use super::Lens;
use crate::Picture;
use crate::target::Px;

/// Where the pixels of the straight picture come from.
#[derive(Clone, Debug)]
pub struct CropMap {
    size: SizePx,
    /// Pixels from node to node: two to this power.
    cell_log2: u32,
    columns: usize,
    /// Row-major: the place in the camera's picture, 16 bits after the point.
    nodes: Vec<[i32; 2]>,
    error_px: f64,
}

/// Bits after the point of places.
const POINT: u32 = 16;
const ONE: f64 = 65_536.0;
/// How far off a place between nodes may be.
const ERROR_MAX_PX: f64 = 0.02;
/// The coarsest and the finest grid.
const CELLS_LOG2: [u32; 5] = [5, 4, 3, 2, 1];
/// Places beyond the picture by more are not told apart.
const FAR_PX: f64 = 16_000.0;

impl CropMap {
    /// The map of `lens`, made once.
    #[must_use]
    pub fn new(lens: &Lens) -> Self {
        let mut map = Self::with_cells(lens, CELLS_LOG2[0]);
        for cell_log2 in &CELLS_LOG2[1..] {
            if map.error_px <= ERROR_MAX_PX {
                break;
            }
            map = Self::with_cells(lens, *cell_log2);
        }
        map
    }

    fn with_cells(lens: &Lens, cell_log2: u32) -> Self {
        let nodes_along = |pixels: u32| (pixels >> cell_log2) + 2;
        let (columns, rows) = (nodes_along(lens.size.width), nodes_along(lens.size.height));
        let place = |column: f64, row: f64| {
            let cell = f64::from(1_u32 << cell_log2);
            lens.distort_px(Px::new(column * cell, row * cell))
        };
        let mut nodes = Vec::with_capacity(columns as usize * rows as usize);
        for row in 0..rows {
            for column in 0..columns {
                let at = place(f64::from(column), f64::from(row));
                nodes.push([fixed(at.x), fixed(at.y)]);
            }
        }
        let columns = columns as usize;
        let mut map = Self { size: lens.size, cell_log2, columns, nodes, error_px: 0.0 };
        // Between nodes a smooth map is farthest off in the middle of a side or a cell.
        for row in 0..rows - 1 {
            for column in 0..u32::try_from(columns).unwrap_or_default() - 1 {
                for (x, y) in [(0.5, 0.0), (0.0, 0.5), (0.5, 0.5)] {
                    let [x, y] = [f64::from(column) + x, f64::from(row) + y];
                    let off = map.between(x, y).distance(place(x, y));
                    map.error_px = map.error_px.max(off);
                }
            }
        }
        map
    }

    /// How far the map is at most from the lens, pixels.
    #[must_use]
    pub const fn error_px(&self) -> f64 {
        self.error_px
    }

    /// The size of the pictures it is for.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// Where a pixel of the straight picture comes from.
    #[must_use]
    pub fn source(&self, x: u32, y: u32) -> Px {
        let cell = f64::from(1_u32 << self.cell_log2);
        let (x, y) = (x.min(self.size.width), y.min(self.size.height));
        self.between(f64::from(x) / cell, f64::from(y) / cell)
    }

    /// The place at a fraction of the grid.
    fn between(&self, x: f64, y: f64) -> Px {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "of the grid")]
        let (column, row) = (x as usize, y as usize);
        let (u, v) = (x.fract(), y.fract());
        let first = row * self.columns + column;
        let at = |i: usize| self.nodes.get(i).or(self.nodes.last()).copied().unwrap_or_default();
        let corners = [first, first + 1, first + self.columns, first + self.columns + 1].map(at);
        let blend = |i: usize| {
            let [a, b, c, d] = corners.map(|corner| f64::from(corner[i]));
            ((a * (1.0 - u) + b * u) * (1.0 - v) + (c * (1.0 - u) + d * u) * v) / ONE
        };
        Px::new(blend(0), blend(1))
    }

    /// Writes the pixels of `crop`, a rectangle of the straight picture, to `out`, whose rows begin
    /// `out_stride` bytes after each other; bilinear; allocates nothing.
    ///
    /// What the camera did not see repeats the nearest pixel that it saw.
    ///
    /// # Panics
    /// If `frame` has another size than the lens' pictures, or `out` is too short.
    pub fn apply(&self, frame: &Picture<'_>, crop: RectPx, out: &mut [u8], out_stride: usize) {
        assert_eq!(frame.size(), self.size, "a picture of another size than the lens' pictures");
        self.apply_packed::<1>(frame.luma(), frame.stride(), crop, out, out_stride);
    }

    /// The same for pixels of `N` bytes side by side, such as RGB: `bytes` are the whole picture's,
    /// in rows one `stride` (in bytes) apart.
    ///
    /// # Panics
    /// If `bytes` are fewer than a picture of the lens' size has, or `out` is too short.
    pub fn apply_packed<const N: usize>(
        &self,
        bytes: &[u8],
        stride: usize,
        crop: RectPx,
        out: &mut [u8],
        out_stride: usize,
    ) {
        self.apply_piece::<N>(bytes, stride, self.size.rect(), crop, out, out_stride);
    }

    /// The same where only the rectangle `seen` of the camera's picture is at hand, in `bytes`.
    /// What would come from beyond it repeats its nearest pixel.
    ///
    /// # Panics
    /// If `bytes` are fewer than that rectangle has, or `out` is too short.
    pub fn apply_piece<const N: usize>(
        &self,
        bytes: &[u8],
        stride: usize,
        seen: RectPx,
        crop: RectPx,
        out: &mut [u8],
        out_stride: usize,
    ) {
        let size = SizePx::new(seen.width, seen.height);
        let rows = |stride: usize, size: SizePx| {
            stride * (size.height as usize).saturating_sub(1) + size.width as usize * N
        };
        assert!(bytes.len() >= rows(stride, size), "fewer bytes than {size} pixels have");
        if crop.is_empty() || size.area() == 0 {
            return;
        }
        let needed = rows(out_stride, SizePx::new(crop.width, crop.height));
        let row_bytes = crop.width as usize * N;
        assert!(out.len() >= needed && out_stride >= row_bytes, "no room for {crop}");
        let source = Source::<N> { bytes, stride, seen };
        for (row, y) in out.chunks_mut(out_stride).zip(crop.y..crop.bottom()) {
            let (pixels, _) = row[..row_bytes].as_chunks_mut::<N>();
            self.apply_row(&source, crop.x, y.min(self.size.height - 1), pixels);
        }
    }

    /// The pixels from column `x` on of row `y`, cell by cell.
    fn apply_row<const N: usize>(
        &self,
        source: &Source<'_, N>,
        x: u32,
        y: u32,
        out: &mut [[u8; N]],
    ) {
        let last = self.size.width - 1;
        let (mut x, mut done) = (x, 0);
        while done < out.len() {
            if x > last {
                // Beyond the straight picture: as its last column.
                let mut edge = [[0; N]];
                self.apply_row(source, last, y, &mut edge);
                out[done..].fill(edge[0]);
                return;
            }
            let cell_end = ((x >> self.cell_log2) + 1) << self.cell_log2;
            let run = (cell_end.min(last + 1) - x) as usize;
            let run = run.min(out.len() - done);
            source.sample(self.walk(x, y), &mut out[done..done + run]);
            done += run;
            x = cell_end;
        }
    }

    /// The straight walk through the camera's picture from `(x, y)` to the end of its cell.
    fn walk(&self, x: u32, y: u32) -> Walk {
        let (shift, mask) = (self.cell_log2, (1_u32 << self.cell_log2) - 1);
        let first = (y >> shift) as usize * self.columns + (x >> shift) as usize;
        let (down, along) = (i64::from(y & mask), i64::from(x & mask));
        let side = |node: usize, i: usize| {
            let (a, b) =
                (i64::from(self.nodes[node][i]), i64::from(self.nodes[node + self.columns][i]));
            a + (((b - a) * down) >> shift)
        };
        let [at_x, at_y] = [0, 1].map(|i| {
            let (left, right) = (side(first, i), side(first + 1, i));
            let step = (right - left) >> shift;
            (left + step * along, step)
        });
        Walk { x: at_x.0, y: at_y.0, step_x: at_x.1, step_y: at_y.1 }
    }

    /// Whether the camera saw all of `crop`.
    #[must_use]
    pub fn sees(&self, crop: RectPx) -> bool {
        let (right, bottom) = (f64::from(self.size.width) - 1.0, f64::from(self.size.height) - 1.0);
        let seen = |x: u32, y: u32| {
            let at = self.source(x, y);
            (0.0..=right).contains(&at.x) && (0.0..=bottom).contains(&at.y)
        };
        let (last_x, last_y) = (crop.right().saturating_sub(1), crop.bottom().saturating_sub(1));
        let within = self.size.rect().contains(&crop) && !crop.is_empty();
        within
            && (crop.x..=last_x).all(|x| seen(x, crop.y) && seen(x, last_y))
            && (crop.y..=last_y).all(|y| seen(crop.x, y) && seen(last_x, y))
    }
}

/// Equal steps through the camera's picture, 16 bits after the point.
struct Walk {
    x: i64,
    y: i64,
    step_x: i64,
    step_y: i64,
}

/// A rectangle of the camera's picture, pixels of `N` bytes.
struct Source<'a, const N: usize> {
    bytes: &'a [u8],
    stride: usize,
    seen: RectPx,
}

impl<const N: usize> Source<'_, N> {
    /// The pixels along a walk.
    fn sample(&self, walk: Walk, out: &mut [[u8; N]]) {
        let Walk { x, y, step_x, step_y } = walk;
        let (mut x, mut y) =
            (x - (i64::from(self.seen.x) << POINT), y - (i64::from(self.seen.y) << POINT));
        let (width, height) = (i64::from(self.seen.width), i64::from(self.seen.height));
        let steps = i64::try_from(out.len()).unwrap_or_default();
        let (end_x, end_y) = (x + step_x * steps, y + step_y * steps);
        let inside = |a: i64, b: i64, pixels: i64| a.min(b) >= 0 && a.max(b) >> POINT < pixels - 1;
        if inside(x, end_x, width) && inside(y, end_y, height) {
            #[expect(clippy::cast_possible_truncation, reason = "inside the picture, as nodes are")]
            let [mut x, mut y, step_x, step_y] = [x, y, step_x, step_y].map(|at| at as i32);
            for to in out {
                *to = self.bilinear(x, y);
                // The step after the last may leave what the type holds.
                (x, y) = (x.wrapping_add(step_x), y.wrapping_add(step_y));
            }
        } else {
            for to in out {
                *to = self.at_border(x, y);
                (x, y) = (x + step_x, y + step_y);
            }
        }
    }

    /// The pixel at a place that has all four neighbours. Nothing here can overflow, so nothing is
    /// spent on looking.
    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "places inside")]
    fn bilinear(&self, x: i32, y: i32) -> [u8; N] {
        let (column, row) = ((x >> POINT) as usize, (y >> POINT) as usize);
        let first = row.wrapping_mul(self.stride).wrapping_add(column.wrapping_mul(N));
        let (u, v) = ((x as u32 >> 8) & 255, (y as u32 >> 8) & 255);
        let below = first.wrapping_add(self.stride);
        let above = &self.bytes[first..first.wrapping_add(2 * N)];
        let below = &self.bytes[below..below.wrapping_add(2 * N)];
        let mut pixel = [0; N];
        for (i, to) in pixel.iter_mut().enumerate() {
            *to = blend([above[i], above[i + N], below[i], below[i + N]], u, v);
        }
        pixel
    }

    /// The pixel at any place: beyond the picture, the nearest of its border.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn at_border(&self, x: i64, y: i64) -> [u8; N] {
        let last = |pixels: u32| (i64::from(pixels) - 1) << POINT;
        let (x, y) = (x.clamp(0, last(self.seen.width)), y.clamp(0, last(self.seen.height)));
        let (left, top) = ((x >> POINT) as usize, (y >> POINT) as usize);
        let right = (left + 1).min(self.seen.width as usize - 1);
        let bottom = (top + 1).min(self.seen.height as usize - 1);
        let (u, v) = ((x as u32 >> 8) & 255, (y as u32 >> 8) & 255);
        let at =
            |column: usize, row: usize, i: usize| self.bytes[row * self.stride + column * N + i];
        let mut pixel = [0; N];
        for (i, to) in pixel.iter_mut().enumerate() {
            let corners =
                [at(left, top, i), at(right, top, i), at(left, bottom, i), at(right, bottom, i)];
            *to = blend(corners, u, v);
        }
        pixel
    }
}

/// Four pixels, weighted in 256ths; both rows at once, in the halves of a word.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
fn blend(pixels: [u8; 4], u: u32, v: u32) -> u8 {
    let [a, b, c, d] = pixels.map(u32::from);
    let (left, right) = (a | c << 16, b | d << 16);
    let both = left.wrapping_mul(256 - u).wrapping_add(right.wrapping_mul(u));
    let (above, below) = (both & 0xffff, both >> 16);
    let sum = above.wrapping_mul(256 - v).wrapping_add(below.wrapping_mul(v));
    (sum.wrapping_add(1 << 15) >> 16) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "kept within a picture and its surroundings")]
fn fixed(px: f64) -> i32 {
    (px.clamp(-FAR_PX, FAR_PX * 2.0 - 1.0) * ONE).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lens::LensSd;

    fn lens(distortion: [f64; 5]) -> Lens {
        Lens {
            size: SizePx::new(640, 480),
            focal_px: [520.0, 523.0],
            centre_px: Px::new(331.0, 228.0),
            distortion,
            sd: LensSd::default(),
        }
    }

    fn barrel() -> Lens {
        lens([-0.28, 0.11, 0.0008, -0.0012, -0.02])
    }

    fn pincushion() -> Lens {
        lens([0.15, 0.02, 0.0, 0.001, 0.0])
    }

    /// Smooth, so that what is between pixels is known.
    fn grey(x: f64, y: f64) -> f64 {
        128.0 + 60.0 * (x / 23.0).sin() + 50.0 * (y / 17.0).cos()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grey")]
    fn frame() -> Vec<u8> {
        let at = |i: u32| grey(f64::from(i % 640), f64::from(i / 640)).round() as u8;
        (0..640 * 480).map(at).collect()
    }

    #[test]
    fn the_map_is_the_lens_to_a_fiftieth_of_a_pixel() {
        for lens in [barrel(), pincushion(), lens([0.0; 5])] {
            let map = CropMap::new(&lens);
            assert!(map.error_px() <= ERROR_MAX_PX, "{}", map.error_px());
            for y in 0..480 {
                for x in 0..640 {
                    let exact = lens.distort_px(Px::new(f64::from(x), f64::from(y)));
                    let off = map.source(x, y).distance(exact);
                    assert!(off < 0.022, "{off} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_crop_has_the_straight_pixels_wherever_it_is() {
        let luma = frame();
        let frame = Picture::new(SizePx::new(640, 480), 640, &luma).unwrap();
        for lens in [barrel(), pincushion()] {
            let map = CropMap::new(&lens);
            for (x, y) in [(0, 0), (7, 300), (333, 101), (540, 380)] {
                let crop = RectPx::new(x, y, 100, 100);
                let mut out = vec![0; 128 * 100];
                map.apply(&frame, crop, &mut out, 128);
                for (row, y) in out.chunks(128).zip(crop.y..) {
                    for (&got, x) in row[..100].iter().zip(crop.x..) {
                        let at = lens.distort_px(Px::new(f64::from(x), f64::from(y)));
                        let seen = Px::new(at.x.clamp(0.0, 639.0), at.y.clamp(0.0, 479.0));
                        let off = (f64::from(got) - grey(seen.x, seen.y)).abs();
                        assert!(off < 1.6, "{off} at {x}, {y}");
                    }
                    assert_eq!(row[100..], [0; 28]);
                }
            }
        }
    }

    #[test]
    fn what_was_not_seen_repeats_the_border_and_is_said_not_to_be_seen() {
        let luma = frame();
        let frame = Picture::new(SizePx::new(640, 480), 640, &luma).unwrap();
        let map = CropMap::new(&lens([0.0; 5]));
        let mut out = vec![0; 40 * 30];
        map.apply(&frame, RectPx::new(620, 470, 40, 30), &mut out, 40);
        assert_eq!(out[..20], luma[470 * 640 + 620..471 * 640]);
        assert!(out[20..40].iter().all(|&v| v == luma[471 * 640 - 1]));
        assert_eq!(out[29 * 40..], out[9 * 40..10 * 40]);
        assert!(!map.sees(RectPx::new(620, 470, 40, 30)));
        assert!(map.sees(RectPx::new(0, 0, 640, 480)));
        map.apply(&frame, RectPx::new(5000, 5000, 3, 3), &mut out, 40);
        assert_eq!(out[..3], [luma[640 * 480 - 1]; 3]);
        // Straightening a pincushion needs more than the camera saw; a barrel less.
        assert!(!CropMap::new(&pincushion()).sees(RectPx::new(0, 0, 640, 480)));
        assert!(CropMap::new(&barrel()).sees(RectPx::new(0, 0, 640, 480)));
    }

    #[test]
    fn colours_are_straightened_as_grey_is() {
        let luma = frame();
        let frame = Picture::new(SizePx::new(640, 480), 640, &luma).unwrap();
        let colours: Vec<u8> = luma.iter().flat_map(|&v| [v, 255 - v, 7]).collect();
        let map = CropMap::new(&pincushion());
        // At the border and inside.
        for crop in [RectPx::new(0, 0, 70, 40), RectPx::new(250, 200, 70, 40)] {
            let (mut grey, mut rgb) = ([0; 70 * 40], [0; 70 * 3 * 40]);
            map.apply(&frame, crop, &mut grey, 70);
            map.apply_packed::<3>(&colours, 640 * 3, crop, &mut rgb, 70 * 3);
            for (&v, pixel) in grey.iter().zip(rgb.as_chunks::<3>().0) {
                assert_eq!([pixel[0], pixel[2]], [v, 7]);
                assert!(pixel[1].abs_diff(255 - v) <= 1);
            }
        }
    }

    #[test]
    #[should_panic(expected = "no room for 5x5")]
    fn too_little_room_is_a_mistake() {
        let luma = frame();
        let frame = Picture::new(SizePx::new(640, 480), 640, &luma).unwrap();
        CropMap::new(&barrel()).apply(&frame, RectPx::new(0, 0, 5, 5), &mut [0; 24], 5);
    }

    #[test]
    #[should_panic(expected = "another size")]
    fn a_picture_of_another_size_is_a_mistake() {
        let luma = [0; 100];
        let frame = Picture::new(SizePx::new(10, 10), 10, &luma).unwrap();
        CropMap::new(&barrel()).apply(&frame, RectPx::new(0, 0, 5, 5), &mut [0; 25], 5);
    }
}
