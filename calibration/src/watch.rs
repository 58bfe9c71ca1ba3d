//! Whether calibration still holds: takes samples of production pictures, gives what has changed
//! since commissioning (focus, light, flicker, dirt, drift), in words and against a limit.

mod baseline;
mod cause;
mod landmark;
mod measure;

use domain::{MonoTime, RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;
use crate::rounding::single;
use landmark::{Follower, Marked};
use measure::{Lattice, brightness, flicker, mains, median};

pub use baseline::{Baseline, BaselineRefused, BaselineStudy};
pub use cause::Cause;

/// Something that does not move with the belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landmark {
    /// A fiducial or a screw: a small picture with edges in both directions. Where all its edges
    /// run one way, as at the belt's edge, it is that edge.
    Patch(RectPx),
    /// A straight edge (the belt's) that runs through the rectangle from top to bottom.
    UprightEdge(RectPx),
    /// A straight edge that runs through the rectangle from left to right.
    LevelEdge(RectPx),
}

/// What may change before parts are no longer judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Loss of sharpness, in percent of commissioning's.
    pub sharpness_loss_percent: f64,
    /// Change of the belt's brightness, in percent.
    pub brightness_percent: f64,
    /// Saturated pixels beyond commissioning's, in percent of all.
    pub saturated_percent: f64,
    /// Picture-to-picture change of brightness (standard deviation), in percent.
    pub flicker_percent: f64,
    /// Darkening or brightening of a spot that stays while parts pass, in percent.
    pub spot_percent: f64,
    /// Shift of the landmark, in pixels.
    pub drift_px: f64,
    /// Millimetres a pixel at the landmark, for the words.
    pub mm_per_px: Option<f64>,
    /// Samples that are judged together: one odd part among them changes nothing.
    pub samples: usize,
    /// A cause goes only when its value is back below this share of the limit.
    pub back_share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sharpness_loss_percent: 20.0,
            brightness_percent: 8.0,
            saturated_percent: 1.0,
            flicker_percent: 1.5,
            spot_percent: 4.0,
            drift_px: 1.5,
            mm_per_px: None,
            samples: 15,
            back_share: 0.8,
        }
    }
}

/// What was measured lately: medians over the samples judged together. What could not be is
/// absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Sharpness against commissioning's; 1 is the same.
    pub sharpness: Option<f64>,
    /// Brightness of the belt against commissioning's; 1 is the same.
    pub brightness: Option<f64>,
    /// Saturated share of the picture, in percent.
    pub saturated_percent: Option<f64>,
    /// Picture-to-picture change, in percent.
    pub flicker_percent: Option<f64>,
    /// The worst spot, in percent against its surroundings.
    pub spot_percent: Option<f64>,
    /// The landmark's shift to the right and down, in pixels.
    pub drift_px: Option<(f64, f64)>,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Still<'a> {
    /// Whether enough samples were seen to say anything.
    pub settled: bool,
    /// Why calibration no longer holds; none while it does.
    pub causes: &'a [Cause],
    /// What was measured.
    pub measures: Measures,
}

impl Still<'_> {
    /// Whether calibration holds, as far as is known.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.causes.is_empty()
    }
}

/// A sample that cannot be compared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the sample is {got}, commissioning's were {needed}")]
pub struct WrongSampleSize {
    /// The sample's.
    pub got: SizePx,
    /// Commissioning's.
    pub needed: SizePx,
}

/// Watches production pictures; all memory is taken at the start.
///
/// A sample costs a lattice of about 130 000 pixels at any size, and the landmark's window.
#[derive(Debug)]
pub struct Watch {
    baseline: Baseline,
    limits: Limits,
    lattice: Lattice,
    follower: Option<Follower>,
    seen: u64,
    cells: Vec<f32>,
    cells_before: Vec<f32>,
    /// Each cell's running median against commissioning, without changes of the whole picture.
    spots: Vec<f32>,
    sharpness: Ring<f64>,
    saturated: Ring<f64>,
    drift: Ring<(f64, f64)>,
    /// Seconds and brightness.
    bright: Ring<(f64, f64)>,
    room: Vec<f32>,
    broken: [bool; KINDS],
    causes: Vec<Cause>,
}

/// Kinds of causes.
const KINDS: usize = 7;
/// Of these a moved landmark, and dirt, which is not judged then.
const MOVED: usize = 4;
const DIRT: usize = 5;
/// Samples that flicker is judged by, at least.
const FLICKER_SAMPLES: usize = 32;
/// A running median moves by this much a sample.
const SPOT_STEP: f32 = 0.002;
/// Cells that differ by this many greys from the sample before have moved.
const MOVED_GREYS: f32 = 4.0;
/// So many of them say that the belt moves.
const MOVED_CELLS: usize = 3;

/// The last values of a measure; those of samples in which it could not be measured are absent.
#[derive(Debug)]
struct Ring<T> {
    values: Vec<Option<T>>,
    next: usize,
}

impl<T: Copy> Ring<T> {
    fn new(length: usize) -> Self {
        Self { values: vec![None; length], next: 0 }
    }

    fn push(&mut self, value: Option<T>) {
        self.values[self.next] = value;
        self.next = (self.next + 1) % self.values.len();
    }

    /// From the oldest on.
    fn iter(&self) -> impl Iterator<Item = T> + Clone + '_ {
        let (newer, older) = self.values.split_at(self.next);
        older.iter().chain(newer).filter_map(|value| *value)
    }

    fn median(&self, of: impl Fn(T) -> f64, room: &mut Vec<f32>) -> Option<f64> {
        room.clear();
        room.extend(self.iter().map(|value| single(of(value))));
        median(room).map(f64::from)
    }
}

impl Watch {
    /// A watch against `baseline`.
    #[must_use]
    pub fn new(baseline: Baseline, limits: Limits) -> Self {
        let lattice = Lattice::new(baseline.size);
        let samples = limits.samples.max(1);
        // A baseline was refused if its landmark could not be followed.
        let follower = baseline.landmark.as_ref().and_then(|marked| Follower::new(marked).ok());
        Self {
            limits: Limits { samples, ..limits },
            follower,
            seen: 0,
            cells: vec![0.0; lattice.count()],
            cells_before: vec![0.0; lattice.count()],
            spots: vec![1.0; lattice.count()],
            sharpness: Ring::new(samples),
            saturated: Ring::new(samples),
            drift: Ring::new(samples),
            bright: Ring::new(samples.max(FLICKER_SAMPLES)),
            room: Vec::with_capacity(lattice.count().max(samples)),
            broken: [false; KINDS],
            causes: Vec::with_capacity(KINDS),
            lattice,
            baseline,
        }
    }

    /// Looks at a picture taken `at` this time. Reads a thin lattice of it.
    ///
    /// # Errors
    /// Where the picture is of another size than commissioning's.
    pub fn see(
        &mut self,
        sample: &Picture<'_>,
        at: MonoTime,
    ) -> Result<Still<'_>, WrongSampleSize> {
        let (got, needed) = (sample.size(), self.baseline.size);
        if got != needed {
            return Err(WrongSampleSize { got, needed });
        }
        std::mem::swap(&mut self.cells, &mut self.cells_before);
        let look = self.lattice.read(sample, self.baseline.noise, &mut self.cells);
        let usual = self.baseline.sharpness;
        self.sharpness.push(look.sharpness.zip(usual).map(|(now, usual)| now / usual));
        self.saturated.push(Some(look.saturated_percent - self.baseline.saturated_percent));
        let bright = brightness(&self.cells, &self.baseline.cells, &mut self.room);
        self.bright.push(Some((at.as_secs(), bright)));
        self.update_spots(single(bright));
        if let Some(follower) = &mut self.follower {
            self.drift.push(follower.look(sample));
        }
        self.seen += 1;
        let settled = self.seen >= self.limits.samples as u64;
        let (measures, spot_at) = self.measures();
        if settled {
            self.judge(&measures, spot_at);
        }
        Ok(Still { settled, causes: &self.causes, measures })
    }

    /// Forgets what was seen, for after a stop or a repair; commissioning stays.
    pub fn restart(&mut self) {
        *self = Self::new(self.baseline.clone(), self.limits);
    }

    /// Moves each cell's running median, while the belt moves: a part that stops is no dirt.
    fn update_spots(&mut self, bright: f32) {
        let pairs = self.cells.iter().zip(&self.cells_before);
        let moved = pairs.filter(|(now, before)| (*now - *before).abs() > MOVED_GREYS).count();
        // What has moved shows its edges elsewhere, which is no dirt either.
        if self.seen == 0 || moved < MOVED_CELLS || self.broken[MOVED] {
            return;
        }
        let usual = self.cells.iter().zip(&self.baseline.cells);
        for (spot, (now, usual)) in self.spots.iter_mut().zip(usual) {
            let share = now / (usual.max(1.0) * bright.max(0.01));
            *spot += SPOT_STEP.min((share - *spot).abs()) * (share - *spot).signum();
        }
    }

    fn measures(&mut self) -> (Measures, RectPx) {
        let flicker = flicker(self.bright.iter().map(|(_, bright)| bright), &mut self.room);
        let enough = self.bright.iter().count() >= self.limits.samples;
        let (spot, at) = self.worst_spot();
        let room = &mut self.room;
        let dx = self.drift.median(|(dx, _)| dx, room);
        let dy = self.drift.median(|(_, dy)| dy, room);
        let brightness = self.latest_brightness();
        let room = &mut self.room;
        let measures = Measures {
            sharpness: self.sharpness.median(|sharpness| sharpness, room),
            brightness,
            saturated_percent: self.saturated.median(|percent| percent, room),
            flicker_percent: flicker.filter(|_| enough).map(|share| share * 100.0),
            spot_percent: Some(f64::from(spot) * 100.0),
            drift_px: dx.zip(dy),
        };
        (measures, self.lattice.rect(at))
    }

    /// The median over the last samples, of a ring that is longer than they are.
    fn latest_brightness(&mut self) -> Option<f64> {
        let count = self.bright.iter().count();
        let skipped = count.saturating_sub(self.limits.samples);
        self.room.clear();
        self.room.extend(self.bright.iter().skip(skipped).map(|(_, bright)| single(bright)));
        median(&mut self.room).map(f64::from)
    }

    /// The steady cell that differs most, together with a neighbour: no single cell's noise counts.
    fn worst_spot(&self) -> (f32, usize) {
        let columns = self.lattice.columns() as usize;
        let off = |index: usize| {
            let steady = self.baseline.steady.get(index).copied().unwrap_or(false);
            if steady { self.spots[index] - 1.0 } else { 0.0 }
        };
        let with = |index: usize, other: usize| {
            let (a, b) = (off(index), off(other));
            if a * b <= 0.0 {
                0.0
            } else if a.abs() < b.abs() {
                a
            } else {
                b
            }
        };
        let mut worst = (0.0_f32, 0);
        for index in 0..self.spots.len() {
            let right = if (index + 1) % columns == 0 { index } else { index + 1 };
            for other in [right, index + columns] {
                if other != index && other < self.spots.len() {
                    let off = with(index, other);
                    if off.abs() > worst.0.abs() {
                        worst = (off, index);
                    }
                }
            }
        }
        worst
    }

    /// Names what is beyond its limit, and what was and is not yet well within.
    fn judge(&mut self, measures: &Measures, spot_at: RectPx) {
        let readings = self.readings(measures, spot_at);
        self.causes.clear();
        for (kind, (value, limit, cause)) in readings.into_iter().enumerate() {
            let least = if self.broken[kind] { limit * self.limits.back_share } else { limit };
            let hidden = kind == DIRT && self.broken[MOVED];
            self.broken[kind] = value > least && !hidden;
            if self.broken[kind] {
                self.causes.push(cause);
            }
        }
    }

    /// Of every kind: value, limit, and what it would be called.
    fn readings(&self, measures: &Measures, spot_at: RectPx) -> [(f64, f64, Cause); KINDS] {
        let limits = self.limits;
        let mains = mains(self.bright.iter());
        let (dx, dy) = measures.drift_px.unwrap_or_default();
        let moved_px = dx.hypot(dy);
        let loss = (1.0 - measures.sharpness.unwrap_or(1.0)) * 100.0;
        let change = (measures.brightness.unwrap_or(1.0) - 1.0) * 100.0;
        let saturated = measures.saturated_percent.unwrap_or(0.0);
        let flicker = measures.flicker_percent.unwrap_or(0.0);
        let spot = measures.spot_percent.unwrap_or(0.0);
        let (seen, samples) = (self.drift.iter().count(), limits.samples);
        let at = self.baseline.landmark.as_ref().map_or(spot_at, Marked::rect);
        // At a third of the samples it counts as lost.
        let lost =
            if self.follower.is_some() { samples as f64 / (3 * seen).max(1) as f64 } else { 0.0 };
        [
            (
                loss,
                limits.sharpness_loss_percent,
                Cause::Blurred { loss_percent: loss, limit_percent: limits.sharpness_loss_percent },
            ),
            (
                change.abs(),
                limits.brightness_percent,
                Cause::Brightness {
                    change_percent: change,
                    limit_percent: limits.brightness_percent,
                },
            ),
            (
                saturated,
                limits.saturated_percent,
                Cause::Saturated { percent: saturated, limit_percent: limits.saturated_percent },
            ),
            (
                flicker,
                limits.flicker_percent,
                Cause::Flickers {
                    percent: flicker,
                    limit_percent: limits.flicker_percent,
                    mains_hz: mains,
                },
            ),
            (
                moved_px,
                limits.drift_px,
                Cause::Moved {
                    dx_px: dx,
                    dy_px: dy,
                    moved_px,
                    moved_mm: limits.mm_per_px.map(|scale| scale * moved_px),
                    limit_px: limits.drift_px,
                },
            ),
            (
                spot.abs(),
                limits.spot_percent,
                Cause::Dirt { percent: spot, limit_percent: limits.spot_percent, at: spot_at },
            ),
            (lost, 1.0, Cause::LandmarkLost { at, seen, samples }),
        ]
    }
}
