//! How the belt moves: takes pictures with their time and encoder count, gives velocity, direction
//! and the way per count, with standard errors.

mod fit;
mod shift;

use domain::{MonoTime, PointPx, RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;
use fit::{Line, Pair};
use shift::Shifter;

/// A measured number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub std_error: f64,
}

/// How the belt moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeltMotion {
    /// Way in the picture in a second, while it moves.
    pub px_per_s: Measured,
    /// The same on the belt, where a scale was given.
    pub mm_per_s: Option<Measured>,
    /// Direction in the picture, in degrees from the x axis (right) towards y (down).
    pub direction_deg: Measured,
    /// Way in the picture in a count of the encoder, where one was read. Positive: the count goes
    /// up while the belt moves along `direction_deg`.
    pub px_per_count: Option<Measured>,
    /// The same on the belt, where a scale was given.
    pub mm_per_count: Option<Measured>,
    /// What is left, in pixels a pair of pictures (root mean square).
    pub residual_px: f64,
    /// Pairs of pictures that were measured.
    pub pairs_used: usize,
    /// Pairs given, those that showed nothing included.
    pub pairs: usize,
    /// Pairs in which the belt stood still.
    pub pairs_still: usize,
    /// Pairs that contradicted the rest and were left out.
    pub pairs_odd: usize,
}

/// A place on the belt, in millimetres: x and y.
pub type PlaceMm = (f64, f64);

/// Why the belt's motion cannot be told.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum BeltRefused {
    /// A picture of another size.
    #[error("picture {index} is {got}, the ones before it {needed}")]
    WrongSize {
        /// From 0.
        index: usize,
        /// Its size.
        got: SizePx,
        /// Theirs.
        needed: SizePx,
    },
    /// The window is outside, or too small.
    #[error(
        "the window {window} must lie in the picture of {size} and be at least {least} pixels long \
         and wide"
    )]
    Window {
        /// As given.
        window: RectPx,
        /// The picture's.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// Time did not go on.
    #[error("picture {index} is not later than the one before it")]
    TimeStandsStill {
        /// From 0.
        index: usize,
    },
    /// Too few pictures.
    #[error("{got} pictures are too few, {needed} are needed")]
    TooFew {
        /// Pictures.
        got: usize,
        /// Pictures.
        needed: usize,
    },
    /// Pairs show nothing that moves.
    #[error(
        "only {seen} of {pairs} pairs of pictures show something that moves along: let parts or \
         texture pass in view; if they do, the belt moves further than the window of {window_px} \
         pixels between two pictures: raise the frame rate or slow the belt"
    )]
    NothingSeen {
        /// Pairs that show something.
        seen: usize,
        /// Pairs.
        pairs: usize,
        /// The window's longer edge.
        window_px: u32,
    },
    /// What is seen stands still.
    #[error(
        "the belt stands still: {still} of {pairs} pairs show no motion (less than {least_px:.2} \
         pixels); start the belt"
    )]
    StandsStill {
        /// Pairs without motion.
        still: usize,
        /// Pairs.
        pairs: usize,
        /// Pixels a pair.
        least_px: f64,
    },
    /// More than half a window between two pictures.
    #[error(
        "the belt moves {moved_px:.0} pixels between two pictures, more than half of the window's \
         {window_px}, and could as well move the other way: use at least {fps:.0} pictures a \
         second, or at most {share_percent:.0} % of the belt's speed"
    )]
    TooFast {
        /// Pixels a pair.
        moved_px: f64,
        /// Along the motion.
        window_px: u32,
        /// Frames a second that would be right.
        fps: f64,
        /// Share of the speed that would be right, in percent.
        share_percent: f64,
    },
    /// It moves, but counts do not.
    #[error(
        "the encoder does not count ({count} throughout) while the belt moves {moved_px:.0} \
         pixels: check its wiring and channel"
    )]
    EncoderSilent {
        /// The count.
        count: i64,
        /// Pixels.
        moved_px: f64,
    },
    /// It was read too seldom.
    #[error(
        "the encoder's count is known at {known} of {of} pairs of pictures: have it read more \
         often, or leave the counts out"
    )]
    EncoderGaps {
        /// Pairs.
        known: usize,
        /// Pairs that show the belt move.
        of: usize,
    },
    /// Counts run the other way at times.
    #[error(
        "the encoder went back by {by} counts at picture {index} while the belt moved on: swap or \
         check its A and B channels, or reset its counter before the study"
    )]
    EncoderBack {
        /// From 0.
        index: usize,
        /// Counts.
        by: i64,
    },
    /// Counts and way do not go together.
    #[error(
        "counts and way disagree: {residual_percent:.1} % are left after a straight line, \
         {most_percent:.1} % are allowed: the encoder's wheel slips, or it is not on this belt"
    )]
    EncoderSlips {
        /// Of the way in a pair.
        residual_percent: f64,
        /// Of the way in a pair.
        most_percent: f64,
    },
    /// A pattern that repeats.
    #[error(
        "{ambiguous} of {pairs} pairs fit as well at another shift: the belt's pattern or the \
         parts repeat; put a single part or a mark on the belt, or narrow the window to where \
         nothing repeats"
    )]
    Repeats {
        /// Pairs that fit twice.
        ambiguous: usize,
        /// Pairs.
        pairs: usize,
    },
    /// Directions differ.
    #[error(
        "the direction is not constant: it differs by {spread_deg:.1}° (standard deviation), \
         {most_deg:.1}° is allowed: things move on their own, or the camera shakes"
    )]
    DirectionVaries {
        /// Degrees.
        spread_deg: f64,
        /// Degrees.
        most_deg: f64,
    },
}

/// Collects pictures of a moving belt; keeps a small copy of each (64 KiB at most).
///
/// Between two pictures the belt must move less than half the window and, where parts or a pattern
/// repeat evenly, less than half of what they repeat after: more cannot be told from moving back.
#[derive(Debug)]
pub struct BeltStudy {
    size: SizePx,
    window: RectPx,
    /// Pixels of the picture a pixel kept.
    shrink: u32,
    times: Vec<MonoTime>,
    counts: Vec<Option<i64>>,
    kept: Vec<Vec<u8>>,
}

/// The longer edge of what is kept of a picture, at most.
const KEPT_EDGE: u32 = 256;
/// The window's edges, at least.
const LEAST_EDGE: u32 = 32;
/// Pictures, at least.
const LEAST_PICTURES: usize = 6;
/// Pairs that show motion, at least.
const LEAST_PAIRS: usize = 4;
/// A shift of less than this, in kept pixels, is none.
const STILL_PX: f64 = 0.25;
/// Interpolation may pull every shift by this much towards whole pixels, in kept pixels.
const BIAS_PX: f64 = 0.015;
/// Pictures that differ by less than this, in greys, are the same but for noise.
const SAME_GREYS: f64 = 1.2;
/// Standard deviation of the direction, at most.
const MOST_SPREAD_DEG: f64 = 5.0;
/// What may be left between counts and way, in percent of a pair's way.
const MOST_SLIP_PERCENT: f64 = 3.0;

impl BeltStudy {
    /// A study of pictures of `size`, in which `window` (all if absent) sees the belt.
    ///
    /// # Errors
    /// Where the window is not in the picture or too small.
    pub fn new(size: SizePx, window: Option<RectPx>) -> Result<Self, BeltRefused> {
        let window = window.unwrap_or_else(|| size.rect());
        let small = window.width.min(window.height) < LEAST_EDGE;
        if small || !size.rect().contains(&window) {
            return Err(BeltRefused::Window { window, size, least: LEAST_EDGE });
        }
        let shrink = window.width.max(window.height).div_ceil(KEPT_EDGE);
        let (times, counts, kept) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { size, window, shrink, times, counts, kept })
    }

    /// How many pictures were taken.
    #[must_use]
    pub const fn pictures(&self) -> usize {
        self.kept.len()
    }

    /// Takes the next picture, taken `at` this time with the encoder at `count`.
    ///
    /// # Errors
    /// Where it is of another size, or not later than the one before.
    pub fn see(
        &mut self,
        at: MonoTime,
        count: Option<i64>,
        picture: &Picture<'_>,
    ) -> Result<(), BeltRefused> {
        let (index, got, needed) = (self.kept.len(), picture.size(), self.size);
        if got != needed {
            return Err(BeltRefused::WrongSize { index, got, needed });
        }
        if self.times.last().is_some_and(|before| at <= *before) {
            return Err(BeltRefused::TimeStandsStill { index });
        }
        self.times.push(at);
        self.counts.push(count);
        self.kept.push(shift::shrunk(picture, self.window, self.shrink));
        Ok(())
    }

    /// How the belt moved. `mm_from_px` tells where on the belt a pixel is, if that is known.
    ///
    /// # Errors
    /// Where it cannot be told, and why.
    pub fn solve(
        &self,
        mm_from_px: Option<&dyn Fn(PointPx) -> PlaceMm>,
    ) -> Result<BeltMotion, BeltRefused> {
        let got = self.kept.len();
        if got < LEAST_PICTURES {
            return Err(BeltRefused::TooFew { got, needed: LEAST_PICTURES });
        }
        let pairs = got - 1;
        let (all, ambiguous) = self.pairs();
        let (still, moved): (Vec<Pair>, Vec<Pair>) =
            all.into_iter().partition(|pair| pair.length() < STILL_PX * f64::from(self.shrink));
        if moved.len() < LEAST_PAIRS {
            return Err(self.nothing(moved.len(), still.len(), ambiguous));
        }
        let line = Line::through(moved).map_err(|spread_deg| BeltRefused::DirectionVaries {
            spread_deg,
            most_deg: MOST_SPREAD_DEG,
        })?;
        self.check_speed(&line)?;
        let per_count = self.per_count(&line)?;
        let (px_per_s, residual_px) = line.slope(self.bias_px(), |pair| pair.seconds);
        let scale = mm_from_px.map(|mm| self.mm_per_px(&line, mm));
        let times = |measured: Measured, scale: f64| Measured {
            value: measured.value * scale,
            std_error: measured.std_error * scale,
        };
        Ok(BeltMotion {
            px_per_s,
            mm_per_s: scale.map(|scale| times(px_per_s, scale)),
            direction_deg: line.direction(),
            px_per_count: per_count.map(|(value, _)| value),
            mm_per_count: per_count.zip(scale).map(|((value, _), scale)| times(value, scale)),
            residual_px: per_count.map_or(residual_px, |(_, residual)| residual),
            pairs_used: line.pairs.len(),
            pairs,
            pairs_still: still.len(),
            pairs_odd: line.odd,
        })
    }

    /// The shifts between pictures that show something, and how many fit twice.
    fn pairs(&self) -> (Vec<Pair>, usize) {
        let size = SizePx::new(self.window.width / self.shrink, self.window.height / self.shrink);
        let mut shifter = Shifter::new(size, shift::standing(&self.kept));
        shifter.start(&self.kept[0]);
        let (mut pairs, mut ambiguous) = (Vec::new(), 0);
        for index in 1..self.kept.len() {
            let Some(shift) = shifter.next(&self.kept[index - 1], &self.kept[index]) else {
                continue;
            };
            if shift.ambiguous {
                ambiguous += 1;
                continue;
            }
            let scale = f64::from(self.shrink);
            pairs.push(Pair {
                index,
                dx: shift.dx * scale,
                dy: shift.dy * scale,
                seconds: self.times[index].since(self.times[index - 1]).as_secs_f64(),
                counts: self.counts[index]
                    .zip(self.counts[index - 1])
                    .map(|(now, before)| now.saturating_sub(before)),
            });
        }
        (pairs, ambiguous)
    }

    /// Why too few pairs show motion.
    fn nothing(&self, seen: usize, still: usize, ambiguous: usize) -> BeltRefused {
        let pairs = self.kept.len() - 1;
        if ambiguous > pairs / 2 {
            return BeltRefused::Repeats { ambiguous, pairs };
        }
        let same =
            self.kept.windows(2).filter(|pair| shift::difference(&pair[0], &pair[1]) < SAME_GREYS);
        let (same, counted) = (same.count(), self.counts.first() != self.counts.last());
        if still.max(same) * 10 > pairs * 8 && !counted {
            let least_px = STILL_PX * f64::from(self.shrink);
            return BeltRefused::StandsStill { still: still.max(same), pairs, least_px };
        }
        let window_px = self.window.width.max(self.window.height);
        BeltRefused::NothingSeen { seen, pairs, window_px }
    }

    fn check_speed(&self, line: &Line) -> Result<(), BeltRefused> {
        let (x, y) = line.along;
        let reach = |length: u32, share: f64| f64::from(length) / share.abs().max(1e-9);
        let window = reach(self.window.width, x).min(reach(self.window.height, y));
        let moved_px = line.usual_way();
        if moved_px <= window / 2.0 {
            return Ok(());
        }
        // Right is a third of the window: what is seen in one picture is still there in the next.
        let share = window / 3.0 / moved_px;
        let fps = 1.0 / (line.usual_seconds() * share);
        let window_px = crate::rounding::u32_from(window);
        Err(BeltRefused::TooFast { moved_px, window_px, fps, share_percent: share * 100.0 })
    }

    /// The way in a count, and what is left.
    fn per_count(&self, line: &Line) -> Result<Option<(Measured, f64)>, BeltRefused> {
        let counted = line.of_those(|pair| pair.counts.is_some());
        let (known, of) = (counted.pairs.len(), line.pairs.len());
        if known == 0 {
            return Ok(None);
        }
        if known < LEAST_PAIRS || 2 * known < of {
            return Err(BeltRefused::EncoderGaps { known, of });
        }
        let line = &counted;
        if line.pairs.iter().all(|pair| pair.counts == Some(0)) {
            let moved_px = line.pairs.iter().map(|pair| line.way(pair)).sum();
            let count = self.counts.first().copied().flatten().unwrap_or(0);
            return Err(BeltRefused::EncoderSilent { count, moved_px });
        }
        if let Some(pair) = line.pairs.iter().find(|pair| pair.counts.is_some_and(|c| c < 0)) {
            let by = pair.counts.unwrap_or(0).saturating_neg();
            return Err(BeltRefused::EncoderBack { index: pair.index, by });
        }
        let (slope, residual) = line.slope(self.bias_px(), |pair| pair.counts.unwrap_or(0) as f64);
        let residual_percent = residual / line.usual_way() * 100.0;
        if residual_percent > MOST_SLIP_PERCENT {
            let most_percent = MOST_SLIP_PERCENT;
            return Err(BeltRefused::EncoderSlips { residual_percent, most_percent });
        }
        Ok(Some((slope, residual)))
    }

    /// What interpolation may add to every shift alike.
    fn bias_px(&self) -> f64 {
        BIAS_PX * f64::from(self.shrink)
    }

    /// Millimetres a pixel along the motion, in the middle of the window.
    fn mm_per_px(&self, line: &Line, mm_from_px: &dyn Fn(PointPx) -> PlaceMm) -> f64 {
        let (middle, way) = (self.window.centre(), line.usual_way());
        let at = |share: f64| {
            let single = crate::rounding::single;
            mm_from_px(PointPx {
                x: middle.x + single(share * way * line.along.0),
                y: middle.y + single(share * way * line.along.1),
            })
        };
        let (from, to) = (at(-0.5), at(0.5));
        (to.0 - from.0).hypot(to.1 - from.1) / way
    }
}
