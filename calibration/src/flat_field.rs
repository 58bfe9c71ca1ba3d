//! What the lamp and the lens shade: takes pictures of a plain target, gives per-pixel gain and
//! offset, and applies them to a part's crop in place.
//!
//! `corrected = (raw − offset) · gain`. The gain is a `u16` with 12 bits after the point: finer
//! than the 8-bit picture by a factor of 16, up to 16 times, and a multiplication that fits 32 bits
//! in every vector unit. The offset is a `u8` with 3 bits after the point, because dark level below
//! one grey matters where the target is 50 greys bright. Both together are 3 bytes a pixel: 25 MB
//! at 4K, of which a part touches only its crop.

mod field;
mod stored;
mod study;

use std::fmt;

use domain::{RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;
use crate::rounding::{edge, grey};
pub use stored::FlatFieldBytes;
pub use study::{FlatFieldLimits, FlatFieldRefused, FlatFieldStudy, Level};

/// Bits after the point of a gain.
const GAIN_BITS: u32 = 12;
/// Bits after the point of an offset.
const OFFSET_BITS: u32 = 3;

/// What a flat field belongs to: with another exposure or gain, offsets and hot pixels differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Microseconds.
    pub exposure_us: f64,
    /// The camera's gain, in decibels.
    pub gain_db: f64,
}

/// Cameras round what they are set to, exposures by up to this share,
const EXPOSURE_ROUNDING: f64 = 0.02;
/// and gains by so much.
const GAIN_ROUNDING_DB: f64 = 0.1;

impl Exposure {
    /// Whether it is the same, but for what cameras round.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let apart_us = (self.exposure_us - other.exposure_us).abs();
        apart_us <= EXPOSURE_ROUNDING * self.exposure_us.max(other.exposure_us)
            && (self.gain_db - other.gain_db).abs() <= GAIN_ROUNDING_DB
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} µs and {} dB", self.exposure_us, self.gain_db)
    }
}

/// What is wrong with a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Bright in the dark, or far brighter than its neighbours.
    Hot,
    /// Far darker than its neighbours.
    Dead,
}

/// A pixel that is replaced by its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadPixel {
    /// Column.
    pub x: u32,
    /// Row.
    pub y: u32,
    /// What is wrong.
    pub fault: Fault,
}

/// Per-pixel gain and offset of a camera under its lamp.
#[derive(Clone, PartialEq)]
pub struct FlatField {
    size: SizePx,
    exposure: Exposure,
    /// Grey that the plain target has after correction.
    level: f64,
    frames: u32,
    darks: u32,
    gain: Vec<u16>,
    offset: Vec<u8>,
    /// By row, then column.
    bad: Vec<BadPixel>,
}

/// How even a picture of a plain target is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evenness {
    /// Root mean square of the blocks' difference from their mean, in percent, as taken.
    pub before_percent: f64,
    /// The same after correction.
    pub after_percent: f64,
    /// The worst block after correction, in percent.
    pub worst_percent: f64,
    /// Where that is.
    pub worst_at: RectPx,
}

/// A crop or picture that the flat field does not cover.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotCovered {
    /// Outside the map.
    #[error("the crop {crop} is not inside the flat field of {size}")]
    Outside {
        /// The crop.
        crop: RectPx,
        /// The map's.
        size: SizePx,
    },
    /// Too few bytes for the crop.
    #[error("a crop of {crop} in rows of {stride} bytes does not fit {got} bytes")]
    TooShort {
        /// The crop.
        crop: RectPx,
        /// Bytes a row.
        stride: usize,
        /// Bytes.
        got: usize,
    },
    /// A whole picture was to be compared.
    #[error("the picture is {got}, the flat field {needed}")]
    WrongSize {
        /// The picture's.
        got: SizePx,
        /// The map's.
        needed: SizePx,
    },
}

impl FlatField {
    /// The size of the camera's picture.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// The exposure it belongs to.
    #[must_use]
    pub const fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// The grey that the plain target has after correction.
    #[must_use]
    pub const fn level(&self) -> f64 {
        self.level
    }

    /// How many bright and dark pictures it is made of.
    #[must_use]
    pub const fn frames(&self) -> (u32, u32) {
        (self.frames, self.darks)
    }

    /// Pixels that are replaced, by row, then column.
    #[must_use]
    pub fn bad_pixels(&self) -> &[BadPixel] {
        &self.bad
    }

    /// The gain of a pixel, which must be one of the map.
    #[must_use]
    pub fn gain_at(&self, x: u32, y: u32) -> f64 {
        f64::from(self.gain[self.at(x, y)]) / f64::from(1 << GAIN_BITS)
    }

    /// Corrects `luma`, the pixels of `crop` in rows of `stride` bytes. What is saturated stays so.
    ///
    /// # Errors
    /// Where the crop is outside the map or longer than its bytes.
    pub fn apply_in_place(
        &self,
        crop: RectPx,
        luma: &mut [u8],
        stride: usize,
    ) -> Result<(), NotCovered> {
        self.apply_packed::<1>(crop, luma, stride)
    }

    /// The same for pixels of `N` bytes side by side, such as RGB: every channel of a pixel has the
    /// gain and the offset that luma has there.
    ///
    /// # Errors
    /// Where the crop is outside the map or longer than its bytes.
    pub fn apply_packed<const N: usize>(
        &self,
        crop: RectPx,
        bytes: &mut [u8],
        stride: usize,
    ) -> Result<(), NotCovered> {
        let (width, height) = (crop.width as usize, crop.height as usize);
        if !self.size.rect().contains(&crop) {
            return Err(NotCovered::Outside { crop, size: self.size });
        }
        if crop.is_empty() {
            return Ok(());
        }
        if stride < width * N || bytes.len() < stride * (height - 1) + width * N {
            return Err(NotCovered::TooShort { crop, stride, got: bytes.len() });
        }
        for (y, row) in (crop.y..crop.bottom()).zip(bytes.chunks_mut(stride)) {
            let at = self.at(crop.x, y);
            let (pixels, _) = row[..width * N].as_chunks_mut::<N>();
            correct(pixels, &self.gain[at..][..width], &self.offset[at..][..width]);
        }
        self.mend::<N>(crop, bytes, stride);
        Ok(())
    }

    fn at(&self, x: u32, y: u32) -> usize {
        y as usize * self.size.width as usize + x as usize
    }

    /// Replaces the crop's bad pixels by the mean of the good ones around them.
    fn mend<const N: usize>(&self, crop: RectPx, bytes: &mut [u8], stride: usize) {
        let place = |x: u32, y: u32| (y - crop.y) as usize * stride + (x - crop.x) as usize * N;
        let first = self.bad.partition_point(|bad| bad.y < crop.y);
        for bad in self.bad[first..].iter().take_while(|bad| bad.y < crop.bottom()) {
            if bad.x < crop.x || bad.x >= crop.right() {
                continue;
            }
            let (mut sums, mut count) = ([0_u32; N], 0);
            for (x, y) in self.good_around(bad.x, bad.y, &crop) {
                let pixel = &bytes[place(x, y)..][..N];
                sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(*value));
                count += 1;
            }
            if count > 0 {
                let pixel = &mut bytes[place(bad.x, bad.y)..][..N];
                let means = sums.iter().map(|sum| grey(*sum as f32 / count as f32));
                pixel.iter_mut().zip(means).for_each(|(value, mean)| *value = mean);
            }
        }
    }

    fn good_around(&self, x: u32, y: u32, crop: &RectPx) -> impl Iterator<Item = (u32, u32)> {
        let (xs, ys) = (crop.x.max(x.saturating_sub(1)), crop.y.max(y.saturating_sub(1)));
        let right = crop.right().min(x + 2);
        (ys..crop.bottom().min(y + 2))
            .flat_map(move |y| (xs..right).map(move |x| (x, y)))
            .filter(|&(x, y)| !self.is_bad(x, y))
    }

    fn is_bad(&self, x: u32, y: u32) -> bool {
        self.bad.binary_search_by_key(&(y, x), |bad| (bad.y, bad.x)).is_ok()
    }

    /// How even `flat`, a picture of a plain target that the map was not made of, becomes.
    ///
    /// # Errors
    /// Where the picture is of another size.
    pub fn evenness(&self, flat: &Picture<'_>) -> Result<Evenness, NotCovered> {
        if flat.size() != self.size {
            return Err(NotCovered::WrongSize { got: flat.size(), needed: self.size });
        }
        let width = self.size.width as usize;
        let mut corrected = Vec::with_capacity(width * self.size.height as usize);
        for y in 0..self.size.height {
            corrected.extend_from_slice(flat.row(y));
        }
        let before = field::Blocks::of_greys(self.size, &corrected);
        self.apply_in_place(self.size.rect(), &mut corrected, width)?;
        let after = field::Blocks::of_greys(self.size, &corrected);
        let (worst_at, worst) = after.worst();
        Ok(Evenness {
            before_percent: before.spread() * 100.0,
            after_percent: after.spread() * 100.0,
            worst_percent: worst * 100.0,
            worst_at,
        })
    }
}

impl fmt::Debug for FlatField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatField")
            .field("size", &self.size)
            .field("exposure", &self.exposure)
            .field("level", &self.level)
            .field("bad", &edge(self.bad.len()))
            .finish_non_exhaustive()
    }
}

/// A row, in place. Written so that it becomes vector code.
fn correct<const N: usize>(row: &mut [[u8; N]], gain: &[u16], offset: &[u8]) {
    for ((pixel, &gain), &offset) in row.iter_mut().zip(gain).zip(offset) {
        let (gain, offset) = (u32::from(gain), u32::from(offset));
        *pixel = pixel.map(|raw| corrected(u32::from(raw), gain, offset));
    }
}

#[inline]
fn corrected(raw: u32, gain: u32, offset: u32) -> u8 {
    const HALF: u32 = 1 << (GAIN_BITS + OFFSET_BITS - 1);
    let light = (raw << OFFSET_BITS).saturating_sub(offset);
    let even = (light * gain + HALF) >> (GAIN_BITS + OFFSET_BITS);
    let white = if raw == 255 { 255 } else { 0 };
    byte((even | white).min(255))
}

#[expect(clippy::cast_possible_truncation, reason = "at most 255 by its caller")]
#[inline]
const fn byte(value: u32) -> u8 {
    value as u8
}
