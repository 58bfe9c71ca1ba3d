//! Where the landmark is: takes a sample, gives how far its patch or edge has moved since
//! commissioning, to a fraction of a pixel.

use domain::RectPx;

use super::Landmark;
use crate::Picture;
use crate::align::{Aligner, GoldenRefused, Options};
use crate::rounding::edge;

/// A landmark as commissioning saw it.
#[derive(Clone, Debug, PartialEq)]
pub enum Marked {
    /// Its pixels.
    Patch { at: RectPx, luma: Vec<u8> },
    /// Where its middle is across the rectangle, and whether it gets brighter there.
    Edge { at: RectPx, upright: bool, place: f64, brighter: bool },
}

impl Marked {
    /// Where it is.
    pub const fn rect(&self) -> RectPx {
        match self {
            Self::Patch { at, .. } | Self::Edge { at, .. } => *at,
        }
    }
}

/// Half the length over which an edge's steepness is taken.
const REACH: usize = 3;
/// A line of the rectangle has an edge if it is this steep, in greys over that length.
const LEAST_STEEP: i32 = 24;
/// Share of the lines that must agree.
const LEAST_LINES: f64 = 0.5;
/// Lines agree within this many pixels.
const AGREE_PX: f64 = 1.5;
/// Lines that are looked at, about.
const LINES: usize = 200;

impl Landmark {
    /// Where it is.
    pub const fn rect(&self) -> RectPx {
        match self {
            Self::Patch(at) | Self::UprightEdge(at) | Self::LevelEdge(at) => *at,
        }
    }
}

/// Follows a landmark; memory is taken at the start.
#[derive(Debug)]
pub enum Follower {
    Patch { at: RectPx, aligner: Box<Aligner> },
    Edge { at: RectPx, upright: bool, place: f64, brighter: bool, places: Vec<(f64, f64)> },
}

impl Follower {
    /// A follower, or why the landmark cannot be followed.
    pub fn new(marked: &Marked) -> Result<Self, String> {
        match *marked {
            Marked::Patch { at, ref luma } => {
                let picture = patch(at, luma);
                let aligner = Aligner::new(&picture, &patch_options());
                let aligner = aligner.map_err(|why| why.to_string())?;
                Ok(Self::Patch { at, aligner: Box::new(aligner) })
            }
            Marked::Edge { at, upright, place, brighter } => {
                let places = Vec::with_capacity(2 * LINES);
                Ok(Self::Edge { at, upright, place, brighter, places })
            }
        }
    }

    /// How far the landmark has moved, to the right and down; `None` where it is not seen.
    pub fn look(&mut self, sample: &Picture<'_>) -> Option<(f64, f64)> {
        match self {
            Self::Patch { at, aligner } => {
                let pose = aligner.align(&window(sample, *at)).ok()?;
                Some((pose.dx_px, pose.dy_px))
            }
            Self::Edge { at, upright, place, brighter, places } => {
                let now = edge_place(&window(sample, *at), *upright, Some(*brighter), places)?.0;
                let moved = now - *place;
                Some(if *upright { (moved, 0.0) } else { (0.0, moved) })
            }
        }
    }
}

/// Where the edge through a window is, across it, and whether it gets brighter there. `None` where
/// there is none.
pub fn find_edge(sample: &Picture<'_>, at: RectPx, upright: bool) -> Option<(f64, bool)> {
    edge_place(&window(sample, at), upright, None, &mut Vec::with_capacity(2 * LINES))
}

/// The direction of a patch's edges, degrees from the x axis, where all of them run one way.
pub fn runs_along(at: RectPx, luma: &[u8]) -> Option<f64> {
    match Aligner::new(&patch(at, luma), &patch_options()) {
        Err(GoldenRefused::OneWay { along_deg }) => Some(along_deg),
        _ => None,
    }
}

fn patch_options() -> Options {
    Options { most_angle_deg: 0.0, least_confidence: 0.5, ..Options::default() }
}

fn patch(at: RectPx, luma: &[u8]) -> Picture<'_> {
    Picture { size: domain::SizePx::new(at.width, at.height), stride: at.width as usize, luma }
}

/// A part of a picture.
pub fn window<'a>(sample: &Picture<'a>, at: RectPx) -> Picture<'a> {
    let from = at.y as usize * sample.stride() + at.x as usize;
    let size = domain::SizePx::new(at.width, at.height);
    Picture { size, stride: sample.stride(), luma: &sample.luma[from..] }
}

fn edge_place(
    window: &Picture<'_>,
    upright: bool,
    brighter: Option<bool>,
    places: &mut Vec<(f64, f64)>,
) -> Option<(f64, bool)> {
    let (width, height) = (window.size().width as usize, window.size().height as usize);
    let (lines, length) = if upright { (height, width) } else { (width, height) };
    let grey = |line: usize, at: usize| {
        let (x, y) = if upright { (at, line) } else { (line, at) };
        i32::from(window.row(edge(y))[x])
    };
    let steep = |line: usize, at: usize| -> i32 {
        (1..=REACH).map(|by| grey(line, at + by) - grey(line, at - by)).sum()
    };
    // Commissioning finds out which way it goes: by the sum over all lines.
    let brighter = brighter.unwrap_or_else(|| {
        let strongest = |line: usize| {
            (REACH..length - REACH).map(|at| steep(line, at)).max_by_key(|steep| steep.abs())
        };
        (0..lines).filter_map(strongest).map(i64::from).sum::<i64>() > 0
    });
    let sign = if brighter { 1 } else { -1 };
    places.clear();
    for line in (0..lines).step_by((lines / LINES).max(1)) {
        let steep = |at: usize| sign * steep(line, at);
        let best = (REACH..length - REACH).max_by_key(|&at| steep(at))?;
        if steep(best) < LEAST_STEEP {
            continue;
        }
        // The middle of the hill, down to half its height on either side.
        let near =
            best.saturating_sub(2 * REACH).max(REACH)..(best + 2 * REACH + 1).min(length - REACH);
        let half = steep(best) / 2;
        let (sum, weight) = near.fold((0.0, 0.0), |(sum, weight), at| {
            let over = f64::from((steep(at) - half).max(0));
            (sum + over * at as f64, weight + over)
        });
        places.push((line as f64, sum / weight.max(1e-9)));
    }
    let wanted = (lines.div_ceil((lines / LINES).max(1))) as f64 * LEAST_LINES;
    line_through(places, lines as f64 / 2.0, wanted).map(|place| (place, brighter))
}

/// Where a line through most of the places passes `middle`: fitted three times, leaving out what
/// does not agree. `None` where fewer than `wanted` agree.
fn line_through(places: &mut Vec<(f64, f64)>, middle: f64, wanted: f64) -> Option<f64> {
    if places.is_empty() {
        return None;
    }
    // From the median on: a part in the window moves a few lines far away.
    places.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    let (mut at, mut slope) = (places[places.len() / 2].1, 0.0);
    for within in [8.0, 3.0, AGREE_PX] {
        places.retain(|(line, place)| (place - at - slope * (line - middle)).abs() < within);
        let count = places.len() as f64;
        let sum = |of: &dyn Fn(&(f64, f64)) -> f64| places.iter().map(of).sum::<f64>();
        let (mean_line, mean_place) = (sum(&|p| p.0) / count, sum(&|p| p.1) / count);
        let squares = sum(&|p| (p.0 - mean_line).powi(2));
        slope = sum(&|p| (p.0 - mean_line) * (p.1 - mean_place)) / squares.max(1e-9);
        at = mean_place + slope * (middle - mean_line);
    }
    (places.len() as f64 >= wanted && at.is_finite()).then_some(at)
}
