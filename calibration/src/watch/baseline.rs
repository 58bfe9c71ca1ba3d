//! What commissioning looked like: takes pictures of a line in order, gives what the watch compares
//! with.

use domain::{RectPx, SizePx};
use thiserror::Error;

use super::Landmark;
use super::landmark::{Follower, Marked, find_edge, runs_along, window};
use super::measure::{Lattice, Look, brightness, flicker, median};
use crate::Picture;
use crate::align::level::noise;
use crate::bytes::{Reader, put_f64, put_u32};
use crate::rounding::{edge, grey, single};

/// Why there is no baseline.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum BaselineRefused {
    /// A picture of another size.
    #[error("the picture is {got}, the ones before it {needed}")]
    WrongSize {
        /// The picture's.
        got: SizePx,
        /// The others'.
        needed: SizePx,
    },
    /// Too few pictures.
    #[error("{got} pictures are too few to compare with, {needed} are needed")]
    TooFew {
        /// Pictures.
        got: usize,
        /// Pictures.
        needed: usize,
    },
    /// Too small to measure in.
    #[error("the picture is {size}; at least {least} x {least} pixels are needed")]
    TooSmall {
        /// The picture's.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// The landmark cannot be used.
    #[error("the landmark at {at} cannot be followed: {why}")]
    Landmark {
        /// Where.
        at: RectPx,
        /// Why.
        why: String,
    },
    /// The light flickers already.
    #[error(
        "the light flickers by {percent:.1} % at commissioning, {most_percent:.1} % is allowed: \
         mend that first"
    )]
    Flickers {
        /// Percent.
        percent: f64,
        /// Percent.
        most_percent: f64,
    },
    /// Bytes that are not a baseline.
    #[error("not a baseline of this version: {why}")]
    Bytes {
        /// Why.
        why: String,
    },
}

/// What commissioning looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    pub(super) size: SizePx,
    /// Mean grey of each cell: the median over the pictures.
    pub(super) cells: Vec<f32>,
    /// Whether a cell sees the belt most of the time, so that a spot on it can be told from parts.
    pub(super) steady: Vec<bool>,
    /// Absent where no picture had edges.
    pub(super) sharpness: Option<f64>,
    pub(super) saturated_percent: f64,
    /// Of pixels, in greys.
    pub(super) noise: f32,
    pub(super) landmark: Option<Marked>,
}

const MAGIC: &[u8; 8] = b"SLWATC01";
/// Pictures, at least.
const LEAST_PICTURES: usize = 20;
/// A picture's edges, at least.
const LEAST_EDGE: u32 = 64;
/// Flicker of the light, at most, in percent.
const MOST_FLICKER: f64 = 3.0;
/// A cell is steady if half of its greys are within this share of each other.
const STEADY_SHARE: f32 = 0.04;

impl Baseline {
    /// The size that samples must have.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// Share of the picture in which spots can be told from parts, 0 to 1.
    #[must_use]
    pub fn watched_share(&self) -> f64 {
        let steady = self.steady.iter().filter(|steady| **steady).count();
        steady as f64 / self.steady.len().max(1) as f64
    }

    /// Whether sharpness can be watched: there were edges in view.
    #[must_use]
    pub const fn has_sharpness(&self) -> bool {
        self.sharpness.is_some()
    }

    /// As bytes, little-endian, for the profile.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_u32(&mut out, self.size.width);
        put_u32(&mut out, self.size.height);
        // No sharpness is 0: a picture with edges has more.
        for number in [self.sharpness.unwrap_or(0.0), self.saturated_percent, f64::from(self.noise)]
        {
            put_f64(&mut out, number);
        }
        for cell in &self.cells {
            out.extend_from_slice(&cell.to_le_bytes());
        }
        out.extend(self.steady.iter().map(|&steady| u8::from(steady)));
        match &self.landmark {
            None => out.push(0),
            Some(Marked::Patch { at, luma }) => {
                out.push(1);
                put_rect(&mut out, *at);
                out.extend_from_slice(luma);
            }
            Some(Marked::Edge { at, upright, place, brighter }) => {
                out.push(2);
                put_rect(&mut out, *at);
                out.extend([u8::from(*upright), u8::from(*brighter)]);
                put_f64(&mut out, *place);
            }
        }
        out
    }

    /// From what [`Baseline::to_bytes`] gave.
    ///
    /// # Errors
    /// Where the bytes are not a baseline of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BaselineRefused> {
        read(bytes).map_err(|why| BaselineRefused::Bytes { why })
    }
}

fn put_rect(out: &mut Vec<u8>, rect: RectPx) {
    for number in [rect.x, rect.y, rect.width, rect.height] {
        put_u32(out, number);
    }
}

fn read(bytes: &[u8]) -> Result<Baseline, String> {
    let mut reader = Reader::new(bytes);
    reader.magic(MAGIC)?;
    let size = SizePx::new(reader.u32()?, reader.u32()?);
    if size.width.min(size.height) < LEAST_EDGE || size.area() > 1 << 28 {
        return Err(format!("its size is {size}"));
    }
    let sharpness = Some(reader.f64()?).filter(|sharpness| *sharpness > 0.0);
    let (saturated_percent, noise) = (reader.f64()?, single(reader.f64()?));
    let count = Lattice::new(size).count();
    let cells = reader.bytes(count * 4)?.chunks_exact(4);
    let cells: Vec<f32> = cells.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    if cells.iter().any(|cell| !(0.0..=255.0).contains(cell)) {
        return Err("a brightness is outside 0 to 255".to_owned());
    }
    let steady = reader.bytes(count)?.iter().map(|&byte| byte != 0).collect();
    let landmark = read_landmark(&mut reader, size)?;
    reader.end()?;
    Ok(Baseline { size, cells, steady, sharpness, saturated_percent, noise, landmark })
}

fn read_landmark(reader: &mut Reader<'_>, size: SizePx) -> Result<Option<Marked>, String> {
    let kind = reader.u8()?;
    if kind == 0 {
        return Ok(None);
    }
    let at = RectPx::new(reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
    if !size.rect().contains(&at) || at.width.min(at.height) < LEAST_LANDMARK {
        return Err(format!("its landmark is at {at}"));
    }
    let marked = if kind == 1 {
        let luma = reader.bytes(at.width as usize * at.height as usize)?.to_vec();
        Marked::Patch { at, luma }
    } else {
        let (upright, brighter) = (reader.u8()? != 0, reader.u8()? != 0);
        Marked::Edge { at, upright, place: reader.f64()?, brighter }
    };
    Follower::new(&marked)?;
    Ok(Some(marked))
}

/// A landmark's edges, at least.
const LEAST_LANDMARK: u32 = 32;

/// Collects pictures of a line in order, with parts passing.
#[derive(Debug)]
pub struct BaselineStudy {
    size: SizePx,
    lattice: Lattice,
    landmark: Option<Landmark>,
    /// Of each picture.
    cells: Vec<Vec<f32>>,
    looks: Vec<Look>,
    noises: Vec<f32>,
    /// Where the landmark's edge was, by whether it is upright, and its pixels' sums.
    edges: [Vec<(f64, bool)>; 2],
    patch_sums: Vec<u32>,
}

impl BaselineStudy {
    /// A study of pictures of `size`.
    ///
    /// # Errors
    /// Where the picture is too small, or the landmark is not in it.
    pub fn new(size: SizePx, landmark: Option<Landmark>) -> Result<Self, BaselineRefused> {
        if size.width.min(size.height) < LEAST_EDGE {
            return Err(BaselineRefused::TooSmall { size, least: LEAST_EDGE });
        }
        if let Some(at) = landmark.map(|landmark| landmark.rect())
            && (!size.rect().contains(&at) || at.width.min(at.height) < LEAST_LANDMARK)
        {
            let why = format!(
                "it must lie in the picture of {size}, at least {LEAST_LANDMARK} pixels in each way"
            );
            return Err(BaselineRefused::Landmark { at, why });
        }
        Ok(Self {
            size,
            lattice: Lattice::new(size),
            landmark,
            cells: Vec::new(),
            looks: Vec::new(),
            noises: Vec::new(),
            edges: Default::default(),
            patch_sums: Vec::new(),
        })
    }

    /// How many pictures were taken.
    #[must_use]
    pub const fn pictures(&self) -> usize {
        self.looks.len()
    }

    /// Takes a picture.
    ///
    /// # Errors
    /// Where it is of another size.
    pub fn see(&mut self, picture: &Picture<'_>) -> Result<(), BaselineRefused> {
        let (got, needed) = (picture.size(), self.size);
        if got != needed {
            return Err(BaselineRefused::WrongSize { got, needed });
        }
        let noise = noise(picture);
        let mut cells = vec![0.0; self.lattice.count()];
        self.looks.push(self.lattice.read(picture, noise, &mut cells));
        self.cells.push(cells);
        self.noises.push(noise);
        match self.landmark {
            None => {}
            Some(Landmark::Patch(at)) => {
                self.see_edge(picture, at, false);
                self.see_edge(picture, at, true);
                self.patch_sums.resize(at.width as usize * at.height as usize, 0);
                let window = window(picture, at);
                let pixels = (0..at.height).flat_map(|y| window.row(y));
                self.patch_sums.iter_mut().zip(pixels).for_each(|(sum, p)| *sum += u32::from(*p));
            }
            Some(Landmark::UprightEdge(at)) => self.see_edge(picture, at, true),
            Some(Landmark::LevelEdge(at)) => self.see_edge(picture, at, false),
        }
        Ok(())
    }

    fn see_edge(&mut self, picture: &Picture<'_>, at: RectPx, upright: bool) {
        self.edges[usize::from(upright)].extend(find_edge(picture, at, upright));
    }

    /// What it looked like.
    ///
    /// # Errors
    /// Where there were too few pictures, or the line was not in order.
    pub fn finish(self) -> Result<Baseline, BaselineRefused> {
        let got = self.looks.len();
        if got < LEAST_PICTURES {
            return Err(BaselineRefused::TooFew { got, needed: LEAST_PICTURES });
        }
        let mut room = Vec::with_capacity(got.max(self.lattice.count()));
        let (cells, steady) = self.usual_cells(&mut room);
        let bright: Vec<f64> =
            self.cells.iter().map(|now| brightness(now, &cells, &mut room)).collect();
        let percent = flicker(bright.iter().copied(), &mut room).unwrap_or(0.0) * 100.0;
        if percent > MOST_FLICKER {
            return Err(BaselineRefused::Flickers { percent, most_percent: MOST_FLICKER });
        }
        let mut of = |value: fn(&Look) -> Option<f64>| {
            room.clear();
            room.extend(self.looks.iter().filter_map(value).map(single));
            median(&mut room).map(f64::from)
        };
        Ok(Baseline {
            size: self.size,
            sharpness: of(|look| look.sharpness).filter(|sharpness| *sharpness > 0.0),
            saturated_percent: of(|look| Some(look.saturated_percent)).unwrap_or(0.0),
            cells,
            steady,
            noise: median(&mut self.noises.clone()).unwrap_or(1.0),
            landmark: self.marked()?,
        })
    }

    /// Each cell's median, and whether it sees the belt most of the time.
    fn usual_cells(&self, room: &mut Vec<f32>) -> (Vec<f32>, Vec<bool>) {
        (0..self.lattice.count())
            .map(|index| {
                room.clear();
                room.extend(self.cells.iter().map(|cells| cells[index]));
                room.sort_unstable_by(f32::total_cmp);
                let at = |quarter: usize| room[room.len() * quarter / 4];
                (at(2), at(3) - at(1) < STEADY_SHARE * at(2))
            })
            .unzip()
    }

    fn marked(&self) -> Result<Option<Marked>, BaselineRefused> {
        let Some(landmark) = self.landmark else { return Ok(None) };
        let refused = |why| BaselineRefused::Landmark { at: landmark.rect(), why };
        let marked = match landmark {
            Landmark::Patch(at) => {
                let count = f64::from(edge(self.looks.len()));
                let mean = |sum: &u32| grey(single(f64::from(*sum) / count));
                let luma: Vec<u8> = self.patch_sums.iter().map(mean).collect();
                match runs_along(at, &luma) {
                    Some(deg) => self.edge(at, (45.0..135.0).contains(&deg)),
                    None => Ok(Marked::Patch { at, luma }),
                }
            }
            Landmark::UprightEdge(at) => self.edge(at, true),
            Landmark::LevelEdge(at) => self.edge(at, false),
        };
        let marked = marked.map_err(refused)?;
        Follower::new(&marked).map_err(refused)?;
        Ok(Some(marked))
    }

    fn edge(&self, at: RectPx, upright: bool) -> Result<Marked, String> {
        let edges = &self.edges[usize::from(upright)];
        if edges.len() * 2 < self.looks.len() {
            let (seen, all) = (edges.len(), self.looks.len());
            return Err(format!("a straight edge was seen in {seen} of {all} pictures"));
        }
        let mut places: Vec<f32> = edges.iter().map(|edge| single(edge.0)).collect();
        let place = f64::from(median(&mut places).unwrap_or(0.0));
        let brighter = edges.iter().filter(|edge| edge.1).count();
        Ok(Marked::Edge { at, upright, place, brighter: brighter * 2 > edges.len() })
    }
}
