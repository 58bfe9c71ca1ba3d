//! Where a part lies: takes a crop and the golden sample, gives how far the part is shifted and
//! turned, how sure that is, and the crop set upright.
//!
//! The coarse place is found by trying every angle at low resolution, all shifts at once in the
//! Fourier domain (matched filtering; Reddy & Chatterji 1996 is its log-polar cousin, which cannot
//! tell 0° from 180° and suffers from belt texture). It is refined from coarse to fine by
//! inverse-compositional Lucas–Kanade (Baker & Matthews 2004) on the golden sample's best edge
//! points, with robust weights, so that a defect pulls nothing, and with a lamp that may have
//! another strength, slope and black level than it had over the golden sample (Evangelidis &
//! Psarakis 2008 is the same idea without the slope).

mod coarse;
mod limits;
mod points;
mod pyramid;
mod refine;
mod refused;
mod upright;

use domain::{RectPx, SizePx};
use serde::{Deserialize, Serialize};

use crate::Picture;
use coarse::{COARSE_EDGE, Coarse};
use points::Points;
use pyramid::{Pyramid, middle};
use refine::{Fit, Free, Refiner};

/// What other modules of this crate use of a single level.
pub(crate) mod level {
    pub(crate) use super::points::Points;
    pub(crate) use super::pyramid::{inner, noise};
    pub(crate) use super::refine::{Free, Place, Refiner};
}

pub use limits::{Limits, Misalignment, OffsetLimit};
pub use refused::{GoldenRefused, NotAligned};
pub use upright::{upright_into, upright_packed};

/// How a part's own shape limits what its angle means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symmetry {
    /// It looks the same only after a full turn. An ambiguous golden sample is refused.
    #[default]
    None,
    /// It looks the same after every `n`th of a turn: angles are given within half of that.
    Order(u32),
    /// It looks the same at every angle: only its shift is given.
    Round,
}

/// How to look for a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the part is in the golden sample, without too much belt around it; all if absent.
    pub part: Option<RectPx>,
    /// The most that a part may be turned, to either side, in degrees; 180 is any angle.
    pub most_angle_deg: f64,
    /// The most that a part may be larger or smaller, in percent; 0 does not look for it.
    pub most_scale_percent: f64,
    /// What the part's shape says about its angle.
    pub symmetry: Symmetry,
    /// The least share of the golden sample's edge points that must be found, 0 to 1.
    pub least_confidence: f64,
    /// The most difference that may be left at those points, as a share of the part's contrast.
    pub most_residual: f64,
    /// Refinement ends on the level whose longer edge is at most this, in pixels.
    pub finest_edge_px: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part: None,
            most_angle_deg: 180.0,
            most_scale_percent: 0.0,
            symmetry: Symmetry::None,
            least_confidence: 0.6,
            most_residual: 0.35,
            finest_edge_px: 512,
        }
    }
}

/// Where a part is. A point `p` of the golden sample lies in the crop at
/// `c + d + scale · R(angle) · (p − c)`, `c` being the middle of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// Shift of the part's middle to the right, in pixels.
    pub dx_px: f64,
    /// Shift of the part's middle down, in pixels.
    pub dy_px: f64,
    /// Turn, clockwise on the screen, in degrees, above -180 up to 180.
    pub angle_deg: f64,
    /// Size relative to the golden sample; 1 where scale is not looked for.
    pub scale: f64,
    /// Difference left at the edge points that were found, as a share of the part's contrast.
    pub residual: f64,
    /// Share of the golden sample's edge points that were found, 0 to 1.
    pub confidence: f64,
    /// Standard error of each shift, in pixels.
    pub std_px: f64,
    /// Standard error of the angle, in degrees; 0 for a round part.
    pub std_deg: f64,
    /// Another angle that fits nearly as well, in degrees, where there is one.
    pub rival_deg: Option<f64>,
}

impl Pose {
    /// Exactly as the golden sample.
    pub const UPRIGHT: Self = Self {
        dx_px: 0.0,
        dy_px: 0.0,
        angle_deg: 0.0,
        scale: 1.0,
        residual: 0.0,
        confidence: 1.0,
        std_px: 0.0,
        std_deg: 0.0,
        rival_deg: None,
    };

    /// How far the part's middle is from where it should be, in pixels.
    #[must_use]
    pub fn offset_px(&self) -> f64 {
        self.dx_px.hypot(self.dy_px)
    }

    /// The same part seen in a frame in which the crop lay `dx_px` further right and `dy_px`
    /// further down than the golden sample's did.
    #[must_use]
    pub fn moved_by(self, dx_px: f64, dy_px: f64) -> Self {
        Self { dx_px: self.dx_px + dx_px, dy_px: self.dy_px + dy_px, ..self }
    }
}

/// Aligns crops to one golden sample; all memory is taken at the start.
#[derive(Debug)]
pub struct Aligner {
    size: SizePx,
    options: Options,
    pyramid: Pyramid,
    coarse: Coarse,
    /// From the finest level that is looked at to the coarsest.
    levels: Vec<Level>,
    refiner: Refiner,
    fits: Vec<Fit>,
}

/// What the golden sample is recognised by on a level.
#[derive(Debug)]
struct Level {
    number: usize,
    middle: (f32, f32),
    points: Points,
}

/// The least edge of a golden sample.
const LEAST_EDGE: u32 = 32;
/// Edge points on the finest level and on the others, at most.
const MOST_POINTS: (usize, usize) = (1500, 500);
/// Edge points on the finest level, at least.
const LEAST_POINTS: usize = 40;
/// Angles tried are this far apart: 1.4 pixels at the coarse level's border.
const STEP_DEG: f64 = 5.0;
/// Places that are refined on the coarse level, at most.
const MOST_CANDIDATES: usize = 5;
/// A place is followed to the next level while it fits at least this well relative to the best.
const FOLLOWED: f64 = 0.8;
/// Another angle that fits this much worse, or less, is a rival.
const RIVAL: f64 = 0.05;
/// A golden sample that fits itself this well at another angle is ambiguous.
const AMBIGUOUS: f64 = 0.9;
/// A part whose edges show less of a turn than this share is round.
const ROUND_SHARE: f64 = 0.004;

impl Aligner {
    /// An aligner to `golden`.
    ///
    /// # Errors
    /// Where the golden sample has nothing to align by, or looks the same at another angle.
    pub fn new(golden: &Picture<'_>, options: &Options) -> Result<Self, GoldenRefused> {
        let size = golden.size();
        options.check(size)?;
        let part = options.part.unwrap_or_else(|| size.rect());
        let mut pyramid = Pyramid::new(size, COARSE_EDGE);
        pyramid.fill(golden);
        let coarsest = pyramid.coarsest();
        let finest = (0..=coarsest)
            .find(|&level| longer(pyramid.size(level)) <= options.finest_edge_px)
            .unwrap_or(coarsest);
        let mut noise = f32::INFINITY;
        let levels: Vec<Level> = (finest..=coarsest)
            .map(|number| {
                let picture = pyramid.level(number, golden);
                // A mean of pixels has no more noise than they have: what looks like it is texture.
                noise = noise.min(level::noise(&picture));
                let most = if number == finest { MOST_POINTS.0 } else { MOST_POINTS.1 };
                let (middle, part) = (middle(size, number), shrunk(part, number));
                let points = Points::of(&picture, part, middle, noise, most);
                Level { number, middle, points }
            })
            .collect();
        check_structure(&levels[0].points, options)?;
        let coarse = Coarse::new(
            &pyramid.level(coarsest, golden),
            shrunk(part, coarsest),
            middle(size, coarsest),
            options.angles(),
        );
        let refiner = Refiner::new(MOST_POINTS.0);
        let fits = Vec::with_capacity(MOST_CANDIDATES);
        let options = options.clone();
        let mut aligner = Self { size, options, pyramid, coarse, levels, refiner, fits };
        aligner.check_unambiguous(golden)?;
        Ok(aligner)
    }

    /// The size that crops must have.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// Where the part in `crop`, a picture of the golden sample's size, is.
    ///
    /// # Errors
    /// Where it is another part, or lies beyond what is looked for.
    pub fn align(&mut self, crop: &Picture<'_>) -> Result<Pose, NotAligned> {
        let (got, needed) = (crop.size(), self.size);
        if got != needed {
            return Err(NotAligned::WrongSize { got, needed });
        }
        self.fit(crop);
        let best = *self.fits.first().ok_or(NotAligned::Blank)?;
        let pose = self.pose(&best);
        let options = &self.options;
        if pose.confidence < options.least_confidence {
            let (confidence, least) = (pose.confidence, options.least_confidence);
            return Err(NotAligned::OtherPart { confidence, least, angle_deg: pose.angle_deg });
        }
        if pose.residual > options.most_residual {
            let (residual, most) = (pose.residual, options.most_residual);
            return Err(NotAligned::Residual { residual, most });
        }
        let (angle_deg, most_deg) = (pose.angle_deg, options.most_angle_deg);
        if angle_deg.abs() > most_deg + pose.std_deg {
            return Err(NotAligned::TurnedTooFar { angle_deg, most_deg });
        }
        Ok(pose)
    }

    /// Fills `fits` with the places that fit `crop` on the finest level, the best first.
    fn fit(&mut self, crop: &Picture<'_>) {
        self.pyramid.fill(crop);
        self.coarse.search(&self.pyramid.level(self.pyramid.coarsest(), crop));
        self.fits.clear();
        // The most likely angles, none next to one that was already taken.
        let candidates = &mut self.coarse.candidates;
        candidates.sort_unstable_by(|a, b| b.likeness.total_cmp(&a.likeness));
        let period = self.options.period();
        for candidate in candidates.iter().filter(|candidate| candidate.likeness > 0.0) {
            let place = candidate.place;
            let apart = |fit: &Fit| apart(fit.place.angle, place.angle, period) > 1.5 * STEP_DEG;
            if self.fits.len() < MOST_CANDIDATES && self.fits.iter().all(apart) {
                self.fits.push(Fit::unknown(place));
            }
        }
        for index in (0..self.levels.len()).rev() {
            // Texture may be too fine for a coarse level to show any of it.
            if self.levels[index].points.all.len() >= LEAST_POINTS {
                self.refine(index, crop);
            }
            if index > 0 {
                self.fits.iter_mut().for_each(|fit| fit.place = fit.place.doubled());
            }
        }
    }

    /// Refines `fits` on a level, keeps those that are worth it, the best first.
    fn refine(&mut self, index: usize, crop: &Picture<'_>) {
        let level = &self.levels[index];
        let picture = self.pyramid.level(level.number, crop);
        let free = self.options.free();
        let refiner = &mut self.refiner;
        self.fits.retain_mut(|fit| {
            let fitted = refiner.refine(&level.points, &picture, level.middle, fit.place, free);
            fitted.map(|fitted| *fit = fitted).is_some()
        });
        self.fits.sort_by(|a, b| b.found.total_cmp(&a.found));
        let least = self.fits.first().map_or(0.0, |best| best.found * FOLLOWED);
        self.fits.retain(|fit| fit.found >= least);
        // Two starts may have ended in one place.
        let period = self.options.period();
        self.fits.dedup_by(|b, a| apart(a.place.angle, b.place.angle, period) < STEP_DEG);
    }

    fn pose(&self, best: &Fit) -> Pose {
        let pixels = f64::from(1_u32 << self.levels[0].number);
        let period = self.options.period();
        let turned = |fit: &Fit| match self.options.symmetry {
            Symmetry::Round => 0.0,
            _ => within(fit.place.angle.to_degrees(), period),
        };
        let near = self.fits.iter().skip(1).find(|fit| {
            fit.found > best.found - RIVAL
                && apart(fit.place.angle, best.place.angle, period) > 1.5 * STEP_DEG
        });
        Pose {
            dx_px: best.place.dx * pixels,
            dy_px: best.place.dy * pixels,
            angle_deg: turned(best),
            scale: best.place.scale,
            residual: best.residual,
            confidence: best.found,
            std_px: best.std_px * pixels,
            std_deg: best.std_angle.to_degrees(),
            rival_deg: near.map(turned),
        }
    }

    /// The golden sample must not look like itself at another angle that is looked for.
    fn check_unambiguous(&mut self, golden: &Picture<'_>) -> Result<(), GoldenRefused> {
        self.fit(golden);
        let best = *self.fits.first().ok_or(GoldenRefused::TooFine { edge: COARSE_EDGE })?;
        let pose = self.pose(&best);
        let other = if pose.angle_deg.abs() > STEP_DEG {
            Some((pose.angle_deg, best.found))
        } else {
            pose.rival_deg.and_then(|deg| Some((deg, self.fits.get(1)?.found)))
        };
        match other.filter(|(_, likeness)| *likeness > AMBIGUOUS) {
            Some((other_deg, likeness)) => {
                Err(GoldenRefused::Ambiguous { other_deg, likeness, below_deg: other_deg.abs() })
            }
            None => Ok(()),
        }
    }
}

impl Options {
    /// Degrees after which the part looks the same.
    fn period(&self) -> f64 {
        match self.symmetry {
            Symmetry::Order(order) => 360.0 / f64::from(order.max(1)),
            Symmetry::None | Symmetry::Round => 360.0,
        }
    }

    const fn free(&self) -> Free {
        let angle = !matches!(self.symmetry, Symmetry::Round) && self.most_angle_deg > 0.0;
        Free { angle, scale: self.most_scale_percent > 0.0 }
    }

    /// The angles to try, in radians.
    fn angles(&self) -> Vec<f64> {
        if !self.free().angle {
            return vec![0.0];
        }
        let half = self.period() / 2.0;
        let most = (self.most_angle_deg + STEP_DEG / 2.0).min(half);
        let steps = edge_of(most / STEP_DEG);
        let all = (-steps..=steps).map(|step| f64::from(step) * STEP_DEG);
        // Half a period to either side is the same angle.
        all.filter(|deg| *deg > -half + STEP_DEG / 2.0).map(f64::to_radians).collect()
    }

    fn check(&self, size: SizePx) -> Result<(), GoldenRefused> {
        if size.width.min(size.height) < LEAST_EDGE {
            return Err(GoldenRefused::TooSmall { size, least: LEAST_EDGE });
        }
        if let Some(part) = self.part.filter(|part| !size.rect().contains(part) || part.is_empty())
        {
            return Err(GoldenRefused::PartOutside { part, size });
        }
        let order = match self.symmetry {
            Symmetry::Order(order) => f64::from(order),
            Symmetry::None | Symmetry::Round => 1.0,
        };
        let checks = [
            ("most_angle_deg", self.most_angle_deg, 0.0, 180.0, "from 0 to 180"),
            ("most_scale_percent", self.most_scale_percent, 0.0, 10.0, "from 0 to 10"),
            ("least_confidence", self.least_confidence, 0.05, 1.0, "from 0.05 to 1"),
            ("most_residual", self.most_residual, 0.01, 10.0, "from 0.01 to 10"),
            ("finest_edge_px", f64::from(self.finest_edge_px), 32.0, 1e5, "at least 32"),
            ("symmetry.order", order, 1.0, 72.0, "from 1 to 72"),
        ];
        let wrong =
            checks.into_iter().find(|(_, value, from, to, _)| !(from..=to).contains(&value));
        wrong.map_or(Ok(()), |(key, value, _, _, must)| {
            Err(GoldenRefused::Option { key, value, must })
        })
    }
}

fn check_structure(points: &Points, options: &Options) -> Result<(), GoldenRefused> {
    let found = points.all.len();
    if found < LEAST_POINTS {
        return Err(GoldenRefused::NoStructure { found, needed: LEAST_POINTS });
    }
    if let Some(along_deg) = points.slides_along() {
        return Err(GoldenRefused::OneWay { along_deg });
    }
    let share = points.turning_share();
    if options.free().angle && share < ROUND_SHARE {
        return Err(GoldenRefused::Round { percent: share.max(0.0) * 100.0 });
    }
    Ok(())
}

/// An angle within half a period to either side.
fn within(deg: f64, period: f64) -> f64 {
    let wrapped = deg.rem_euclid(period);
    if wrapped > period / 2.0 { wrapped - period } else { wrapped }
}

/// How far two angles, in radians, are apart, in degrees.
fn apart(a: f64, b: f64, period: f64) -> f64 {
    within((a - b).to_degrees(), period).abs()
}

/// A rectangle on a level.
fn shrunk(rect: RectPx, level: usize) -> RectPx {
    let at = |length: u32| length >> level;
    RectPx::from_corners(
        at(rect.x),
        at(rect.y),
        at(rect.right()).max(at(rect.x) + 1),
        at(rect.bottom()).max(at(rect.y) + 1),
    )
}

fn longer(size: SizePx) -> u32 {
    size.width.max(size.height)
}

fn edge_of(steps: f64) -> i32 {
    crate::rounding::floor(crate::rounding::single(steps))
}
