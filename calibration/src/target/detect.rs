//! Finds a target: takes a picture; gives its points to a fraction of a pixel, or why there are
//! none.

use domain::SizePx;
use opencv::core::{self, Mat, Size};
use opencv::imgproc::{INTER_AREA, resize};
use opencv::prelude::{MatTraitConst, MatTraitManual};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::sharpness::edge_width_px;
use super::{Mm, Px, Target, TargetKind, charuco, chessboard, circles};
use crate::Picture;

/// Where a target's points are in one picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Of the picture.
    pub size: SizePx,
    /// What was found, in the target's order.
    pub points: Vec<Seen>,
    /// How many points the target has.
    pub of: usize,
    /// How wide its edges are from 10 % to 90 %, pixels: the lower, the sharper.
    pub edge_width_px: f64,
}

/// One point of a target in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Which point of the target.
    pub id: u32,
    /// Where it is in the picture, as the camera gave it (not undistorted).
    pub px: Px,
    /// Where it is on the target.
    pub mm: Mm,
}

/// Why a target was not found, and what to do.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum NotFound {
    /// Nothing like it is in the picture.
    #[error("no {target} in the picture; show it whole, flat, evenly lit, with its white border")]
    Nothing {
        /// What was looked for.
        target: String,
    },
    /// Edges are too wide to measure at.
    #[error(
        "the picture is blurred: edges are {edge_width_px:.1} px wide, at most {limit_px:.1} px \
         is allowed; focus the lens, hold the target still, shorten the exposure"
    )]
    Blurred {
        /// From 10 % to 90 %, pixels.
        edge_width_px: f64,
        /// At most, pixels.
        limit_px: f64,
    },
    /// It is there, but as in a mirror.
    #[error("the {target} is mirrored; turn off the camera's flip, or film it from its front")]
    Mirrored {
        /// What was looked for.
        target: String,
    },
    /// Some of it was seen, too little to use.
    #[error(
        "only {seen} of {of} points of the {target} are seen, {needed} are needed; move it into \
         the picture and cover nothing of it"
    )]
    Partial {
        /// What was looked for.
        target: String,
        /// Points found.
        seen: usize,
        /// Points it has.
        of: usize,
        /// Points that are needed.
        needed: usize,
    },
    /// Another target is there.
    #[error("{seen} is seen instead of the {target}; give the measures of the one in use")]
    OtherTarget {
        /// What was looked for.
        target: String,
        /// What is there.
        seen: String,
    },
    /// OpenCV gave up.
    #[error("OpenCV cannot look for the target: {0}")]
    OpenCv(String),
}

impl From<opencv::Error> for NotFound {
    fn from(error: opencv::Error) -> Self {
        Self::OpenCv(error.message)
    }
}

/// Edges of a target that are wider are refused: points are then worse than a tenth of a pixel.
const EDGE_WIDTH_MAX_PX: f64 = 6.0;

impl Target {
    /// Finds the target in `picture`.
    ///
    /// # Errors
    /// With what is wrong, and what to do.
    pub fn detect(&self, picture: &Picture<'_>) -> Result<Observation, NotFound> {
        let luma = mat_from(picture)?;
        let all = match self.0 {
            TargetKind::Chessboard { columns, rows, .. } => {
                chessboard::find(self, &luma, columns, rows)
            }
            TargetKind::Charuco { .. } => charuco::find(self, &luma),
            TargetKind::CircleGrid { columns, rows, .. } => {
                circles::find(self, &luma, columns, rows)
            }
        };
        let limit_px = EDGE_WIDTH_MAX_PX;
        let found = all.map_err(|why| match (why, edge_width_px(picture, &[])) {
            (NotFound::Nothing { .. } | NotFound::Partial { .. }, Some(edge_width_px))
                if edge_width_px > limit_px =>
            {
                NotFound::Blurred { edge_width_px, limit_px }
            }
            (why, _) => why,
        })?;
        let mm = self.points_mm();
        let seen = |(id, px): (u32, Px)| Seen { id, px, mm: mm[id as usize] };
        let places: Vec<Px> = found.iter().map(|&(_, px)| px).collect();
        let edge_width_px = edge_width_px(picture, &places).unwrap_or_default();
        if edge_width_px > limit_px {
            return Err(NotFound::Blurred { edge_width_px, limit_px });
        }
        let points = found.into_iter().map(seen).collect();
        Ok(Observation { size: picture.size(), points, of: mm.len(), edge_width_px })
    }
}

/// What was found: the number of each point and its place, in the order of the numbers.
pub(super) type Found = Result<Vec<(u32, Px)>, NotFound>;

/// A copy for OpenCV.
fn mat_from(picture: &Picture<'_>) -> Result<Mat, NotFound> {
    let size = picture.size();
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let (rows, columns) = (side(size.height), side(size.width));
    let mut mat =
        Mat::new_rows_cols_with_default(rows, columns, core::CV_8UC1, core::Scalar::all(0.0))?;
    let width = size.width as usize;
    let bytes = mat.data_bytes_mut()?;
    for (to, y) in bytes.chunks_exact_mut(width.max(1)).zip(0..) {
        to.copy_from_slice(picture.row(y));
    }
    Ok(mat)
}

/// The longer side of a picture that is looked at as a whole, pixels: OpenCV looks ten seconds for
/// a chessboard in one of 4K.
const LOOK_PX: f64 = 1600.0;

/// The picture, made so small that looking at all of it is quick.
pub(super) fn reduced(luma: &Mat) -> Result<Mat, NotFound> {
    let times = (f64::from(luma.cols().max(luma.rows())) / LOOK_PX).ceil().max(1.0);
    let mut small = Mat::default();
    resize(luma, &mut small, Size::default(), 1.0 / times, 1.0 / times, INTER_AREA)?;
    Ok(small)
}

pub(super) fn px_from(point: core::Point2f) -> Px {
    Px::new(f64::from(point.x), f64::from(point.y))
}
