//! Makes a flat field: takes pictures of a plain target and of darkness, one at a time, gives the
//! map, or what is wrong with the target, the light or the exposure.

use domain::{RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::field::{Blocks, Surface};
use super::{BadPixel, Exposure, Fault, FlatField, GAIN_BITS, OFFSET_BITS};
use crate::Picture;
use crate::rounding::{edge, grey, single, u16_from, u32_from};

/// Which brightness a plain target has after correction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The mean that it had before: thresholds and models stay right.
    #[default]
    Mean,
    /// That of its brightest block: nothing is darkened, dark edges are raised.
    Brightest,
}

/// What is asked of the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlatFieldLimits {
    /// Pictures of the target, at least.
    pub least_frames: u32,
    /// Dark pictures, at least, where there are any.
    pub least_darks: u32,
    /// Saturated pixels of a picture, in percent, at most.
    pub most_saturated_percent: f64,
    /// Grey of the darkest block, at least.
    pub least_grey: f64,
    /// Mean grey of a dark picture, at most.
    pub most_dark_grey: f64,
    /// Structure left on the target after the smooth course of the light, in percent, at most.
    pub most_structure_percent: f64,
    /// Difference in brightness between two pictures, in percent, at most; less is evened out.
    pub most_flicker_percent: f64,
    /// Bad pixels in a million, at most.
    pub most_bad_ppm: f64,
    /// Brightness of the target after correction.
    pub level: Level,
}

impl Default for FlatFieldLimits {
    fn default() -> Self {
        Self {
            least_frames: 16,
            least_darks: 8,
            most_saturated_percent: 0.1,
            least_grey: 24.0,
            most_dark_grey: 24.0,
            most_structure_percent: 3.0,
            most_flicker_percent: 5.0,
            most_bad_ppm: 1000.0,
            level: Level::Mean,
        }
    }
}

/// Why there is no flat field.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum FlatFieldRefused {
    /// A picture of another size.
    #[error("the picture is {got}, the camera's are {needed}: set its full resolution")]
    WrongSize {
        /// The picture's.
        got: SizePx,
        /// The camera's.
        needed: SizePx,
    },
    /// Too small for a course of brightness.
    #[error("pictures of {size} are too small: {least} x {least} pixels are needed")]
    TooSmall {
        /// The camera's.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// Too few pictures.
    #[error("{got} pictures of the target are too few: {needed} are needed to average out noise")]
    TooFew {
        /// Pictures.
        got: u32,
        /// Pictures.
        needed: u32,
    },
    /// Too few dark pictures.
    #[error("{got} dark pictures are too few: {needed} are needed, or none")]
    TooFewDarks {
        /// Pictures.
        got: u32,
        /// Pictures.
        needed: u32,
    },
    /// Too bright.
    #[error(
        "{percent:.2} % of picture {index} is saturated, {most_percent} % is allowed: shorten the \
         exposure or close the aperture until the target is about 180 grey"
    )]
    Saturated {
        /// From 0.
        index: u32,
        /// Of the pixels.
        percent: f64,
        /// Of the pixels.
        most_percent: f64,
    },
    /// Too dark.
    #[error(
        "the target is {grey:.0} grey at {at}, {least:.0} is needed: lengthen the exposure or add \
         light, until the target is about 180 grey"
    )]
    TooDark {
        /// Mean grey.
        grey: f64,
        /// Grey.
        least: f64,
        /// Where.
        at: RectPx,
    },
    /// A dark picture that is not.
    #[error("dark picture {index} is {grey:.0} grey, {most:.0} is allowed: cover the lens")]
    NotDark {
        /// From 0.
        index: u32,
        /// Mean grey.
        grey: f64,
        /// Grey.
        most: f64,
    },
    /// Brightness differs between pictures.
    #[error(
        "picture {index} differs by {percent:+.1} % in brightness from the first, \
         {most_percent:.1} % is allowed: the lamp flickers or automatic exposure is on"
    )]
    Flickers {
        /// From 0.
        index: u32,
        /// Of the first one's.
        percent: f64,
        /// Of the first one's.
        most_percent: f64,
    },
    /// Something is on the target.
    #[error(
        "the target is not plain: structure of {percent:.1} % at {at}, {most_percent:.1} % is \
         allowed: clean it, take out folds and print, or move it between the pictures"
    )]
    NotPlain {
        /// Of its brightness there.
        percent: f64,
        /// Of its brightness there.
        most_percent: f64,
        /// The worst place.
        at: RectPx,
    },
    /// Too many bad pixels.
    #[error(
        "{count} pixels are hot or dead, {most} are allowed (first at {x},{y}): the sensor is \
         damaged, or the target is not plain"
    )]
    BadPixels {
        /// Pixels.
        count: usize,
        /// Pixels.
        most: u32,
        /// Column of the first.
        x: u32,
        /// Row of the first.
        y: u32,
    },
}

/// The least edge of a picture.
const LEAST_EDGE: u32 = 64;
/// Bits after the point of sums.
const SUM_BITS: u32 = 8;
/// The most pictures that sums hold.
const MOST_FRAMES: u32 = 1 << 15;
/// From this grey on a pixel counts as saturated: 255 minus a little noise reduction in cameras.
const SATURATED: u8 = 254;
/// Brighter than the usual darkness by this many greys: hot.
const HOT_GREYS: f64 = 16.0;
/// Further than this from its neighbours, as a share: hot or dead.
const BAD_SHARE: f64 = 0.4;

/// Sums of pictures; no picture is kept.
#[derive(Clone, Debug)]
pub struct FlatFieldStudy {
    size: SizePx,
    exposure: Exposure,
    limits: FlatFieldLimits,
    flat_sums: Vec<u32>,
    flats: u32,
    first_mean: f64,
    /// Empty until there is a dark picture.
    dark_sums: Vec<u32>,
    darks: u32,
}

impl FlatFieldStudy {
    /// A study of a camera with pictures of `size`, set to `exposure`.
    ///
    /// # Errors
    /// Where the size is too small.
    pub fn new(
        size: SizePx,
        exposure: Exposure,
        limits: FlatFieldLimits,
    ) -> Result<Self, FlatFieldRefused> {
        if size.width.min(size.height) < LEAST_EDGE {
            return Err(FlatFieldRefused::TooSmall { size, least: LEAST_EDGE });
        }
        let pixels = size.width as usize * size.height as usize;
        let (flat_sums, dark_sums) = (vec![0; pixels], Vec::new());
        let (flats, darks, first_mean) = (0, 0, 0.0);
        Ok(Self { size, exposure, limits, flat_sums, flats, first_mean, dark_sums, darks })
    }

    /// How many pictures of the target and of darkness were taken.
    #[must_use]
    pub const fn frames(&self) -> (u32, u32) {
        (self.flats, self.darks)
    }

    /// Takes a picture of darkness: shutter closed or lens covered, at the same exposure.
    ///
    /// # Errors
    /// Where it is of another size, or not dark. It is then not taken.
    pub fn dark(&mut self, picture: &Picture<'_>) -> Result<(), FlatFieldRefused> {
        self.check_size(picture)?;
        let (mean, index) = (mean(picture), self.darks);
        if mean > self.limits.most_dark_grey {
            let most = self.limits.most_dark_grey;
            return Err(FlatFieldRefused::NotDark { index, grey: mean, most });
        }
        self.dark_sums.resize(self.flat_sums.len(), 0);
        if self.darks < MOST_FRAMES {
            add(&mut self.dark_sums, picture, 1.0);
            self.darks += 1;
        }
        Ok(())
    }

    /// Takes a picture of the plain target.
    ///
    /// # Errors
    /// Where it is of another size, too bright, or differs from the first. It is then not taken.
    pub fn flat(&mut self, picture: &Picture<'_>) -> Result<(), FlatFieldRefused> {
        self.check_size(picture)?;
        let (mean, index) = (mean(picture), self.flats);
        let percent = saturated(picture) * 100.0;
        if percent > self.limits.most_saturated_percent {
            let most_percent = self.limits.most_saturated_percent;
            return Err(FlatFieldRefused::Saturated { index, percent, most_percent });
        }
        if mean < self.limits.least_grey {
            let (grey, least, at) = (mean, self.limits.least_grey, self.size.rect());
            return Err(FlatFieldRefused::TooDark { grey, least, at });
        }
        if self.flats == 0 {
            self.first_mean = mean;
        }
        let percent = (mean / self.first_mean - 1.0) * 100.0;
        if percent.abs() > self.limits.most_flicker_percent {
            let most_percent = self.limits.most_flicker_percent;
            return Err(FlatFieldRefused::Flickers { index, percent, most_percent });
        }
        if self.flats < MOST_FRAMES {
            add(&mut self.flat_sums, picture, self.first_mean / mean);
            self.flats += 1;
        }
        Ok(())
    }

    fn check_size(&self, picture: &Picture<'_>) -> Result<(), FlatFieldRefused> {
        let (got, needed) = (picture.size(), self.size);
        if got == needed { Ok(()) } else { Err(FlatFieldRefused::WrongSize { got, needed }) }
    }

    /// The flat field.
    ///
    /// # Errors
    /// Where there are too few pictures, the target is not plain or too dark, or the sensor is
    /// damaged.
    pub fn finish(self) -> Result<FlatField, FlatFieldRefused> {
        let limits = &self.limits;
        if self.flats < limits.least_frames {
            let (got, needed) = (self.flats, limits.least_frames);
            return Err(FlatFieldRefused::TooFew { got, needed });
        }
        if self.darks > 0 && self.darks < limits.least_darks {
            let (got, needed) = (self.darks, limits.least_darks);
            return Err(FlatFieldRefused::TooFewDarks { got, needed });
        }
        let means = self.means();
        let blocks = Blocks::of(self.size, |at| means.light(at));
        self.check_light(&blocks)?;
        let Some(surface) = Surface::fit(&blocks) else {
            return Err(self.not_plain(100.0, self.size.rect()));
        };
        self.check_plain(&means, &blocks, &surface)?;
        let bad = self.bad_pixels(&means, &surface)?;
        Ok(self.map(&means, &blocks, bad))
    }

    fn means(&self) -> Means {
        let mean = |sum: u32, count: u32| f64::from(sum) / f64::from(count << SUM_BITS);
        let flat = self.flat_sums.iter().map(|&sum| single(mean(sum, self.flats))).collect();
        let offset = if self.darks == 0 {
            vec![0; self.flat_sums.len()]
        } else {
            let eighths = |&sum| mean(sum, self.darks) * f64::from(1 << OFFSET_BITS);
            self.dark_sums.iter().map(|sum| grey(single(eighths(sum)))).collect()
        };
        Means { flat, offset }
    }

    fn check_light(&self, blocks: &Blocks) -> Result<(), FlatFieldRefused> {
        let least = self.limits.least_grey;
        let dark = (0..blocks.count()).find(|&index| blocks.means[index as usize] < least);
        dark.map_or(Ok(()), |index| {
            let (grey, at) = (blocks.means[index as usize], blocks.rect(index));
            Err(FlatFieldRefused::TooDark { grey, least, at })
        })
    }

    const fn not_plain(&self, percent: f64, at: RectPx) -> FlatFieldRefused {
        let most_percent = self.limits.most_structure_percent;
        FlatFieldRefused::NotPlain { percent, most_percent, at }
    }

    /// Neither blocks nor the pixels in them may differ from the smooth course of light.
    fn check_plain(
        &self,
        means: &Means,
        blocks: &Blocks,
        surface: &Surface,
    ) -> Result<(), FlatFieldRefused> {
        let structure = |index: u32| {
            let grain = means.grain(blocks, index);
            surface.share_off(blocks, index).abs().max(grain) * 100.0
        };
        let all = (0..blocks.count()).map(|index| (structure(index), index));
        let (percent, index) = all.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
        if percent > self.limits.most_structure_percent {
            return Err(self.not_plain(percent, blocks.rect(index)));
        }
        Ok(())
    }

    fn bad_pixels(
        &self,
        means: &Means,
        surface: &Surface,
    ) -> Result<Vec<BadPixel>, FlatFieldRefused> {
        let usual = means.usual_offset();
        let most = u32_from(self.size.area() as f64 * self.limits.most_bad_ppm / 1e6);
        let mut bad = Vec::new();
        for y in 0..self.size.height {
            // The surface is slow: exact every 16 pixels is enough to say what is far from it.
            let mut level = 0.0;
            for x in 0..self.size.width {
                if x % 16 == 0 {
                    level = surface.at(x, y);
                }
                let at = y as usize * self.size.width as usize + x as usize;
                let hot = means.offset_greys(at) > usual + HOT_GREYS;
                let share = means.light(at) / level - 1.0;
                let fault = if hot || share > BAD_SHARE { Fault::Hot } else { Fault::Dead };
                if hot || share.abs() > BAD_SHARE {
                    bad.push(BadPixel { x, y, fault });
                }
            }
        }
        if let Some(first) = bad.first().filter(|_| bad.len() > most as usize) {
            let (count, x, y) = (bad.len(), first.x, first.y);
            return Err(FlatFieldRefused::BadPixels { count, most, x, y });
        }
        Ok(bad)
    }

    fn map(&self, means: &Means, blocks: &Blocks, bad: Vec<BadPixel>) -> FlatField {
        let count = f64::from(edge(blocks.means.len()));
        let level = match self.limits.level {
            Level::Mean => blocks.means.iter().sum::<f64>() / count,
            Level::Brightest => blocks.means.iter().copied().fold(0.0, f64::max),
        };
        let gain = (0..means.flat.len())
            .map(|at| u16_from(level / means.light(at).max(1.0) * f64::from(1 << GAIN_BITS)))
            .collect();
        let (size, exposure) = (self.size, self.exposure);
        let (frames, darks, offset) = (self.flats, self.darks, means.offset.clone());
        FlatField { size, exposure, level, frames, darks, gain, offset, bad }
    }
}

/// Means of the pictures taken.
struct Means {
    /// Greys.
    flat: Vec<f32>,
    /// As it will be stored.
    offset: Vec<u8>,
}

impl Means {
    fn offset_greys(&self, at: usize) -> f64 {
        f64::from(self.offset[at]) / f64::from(1 << OFFSET_BITS)
    }

    /// Light on a pixel, in greys.
    fn light(&self, at: usize) -> f64 {
        f64::from(self.flat[at]) - self.offset_greys(at)
    }

    /// Root mean square difference of a block's pixels from a slope, as a share of their mean.
    /// Pixels that are about to be called bad do not count, unless they are many.
    fn grain(&self, blocks: &Blocks, index: u32) -> f64 {
        let mean = blocks.means[index as usize];
        let rect = blocks.rect(index);
        let middle = |from: u32, length: u32| f64::from(from) + (f64::from(length) - 1.0) / 2.0;
        let (cx, cy) = (middle(rect.x, rect.width), middle(rect.y, rect.height));
        let places =
            (rect.y..rect.bottom()).flat_map(|y| (rect.x..rect.right()).map(move |x| (x, y)));
        let pixels = || {
            places.clone().zip(blocks.indices(index)).map(|((x, y), at)| {
                (f64::from(x) - cx, f64::from(y) - cy, self.light(at) / mean - 1.0)
            })
        };
        let near = || pixels().filter(|(.., share)| share.abs() <= BAD_SHARE);
        let sums = near().fold([0.0; 4], |[xx, yy, x_share, y_share], (x, y, share)| {
            [xx + x * x, yy + y * y, x_share + x * share, y_share + y * share]
        });
        let (right, down) = (sums[2] / sums[0].max(1.0), sums[3] / sums[1].max(1.0));
        let squares: f64 = near().map(|(x, y, share)| (share - right * x - down * y).powi(2)).sum();
        let (count, all) = (near().count() as f64, pixels().count() as f64);
        if count < 0.95 * all { BAD_SHARE } else { (squares / count).sqrt() }
    }

    /// The median offset, in greys.
    fn usual_offset(&self) -> f64 {
        let mut counts = [0_usize; 256];
        for &offset in &self.offset {
            counts[usize::from(offset)] += 1;
        }
        let mut left = self.offset.len() / 2;
        let median = counts.iter().position(|&count| {
            let here = left < count;
            left = left.saturating_sub(count);
            here
        });
        median.unwrap_or(0) as f64 / f64::from(1 << OFFSET_BITS)
    }
}

fn mean(picture: &Picture<'_>) -> f64 {
    let size = picture.size();
    let sum: u64 =
        (0..size.height).map(|y| picture.row(y).iter().map(|&p| u64::from(p)).sum::<u64>()).sum();
    sum as f64 / size.area() as f64
}

/// The share of saturated pixels.
fn saturated(picture: &Picture<'_>) -> f64 {
    let size = picture.size();
    let count = |y| picture.row(y).iter().filter(|&&p| p >= SATURATED).count();
    (0..size.height).map(count).sum::<usize>() as f64 / size.area() as f64
}

/// Adds a picture, times `scale`, to sums.
fn add(sums: &mut [u32], picture: &Picture<'_>, scale: f64) {
    let size = picture.size();
    let scale = u32_from(scale * f64::from(1 << (SUM_BITS + 4)));
    for (y, sums) in (0..size.height).zip(sums.chunks_mut(size.width as usize)) {
        for (sum, &pixel) in sums.iter_mut().zip(picture.row(y)) {
            *sum += (u32::from(pixel) * scale + 8) >> 4;
        }
    }
}
