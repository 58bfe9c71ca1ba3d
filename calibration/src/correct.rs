//! What the line does with a calibration, part by part: takes the camera's pixels around a part,
//! gives them evenly lit, straight and upright, and says where each corrected pixel came from.

use domain::{RectPx, Sha256, SizePx};

use crate::align::{Aligner, NotAligned, Pose, upright_packed};
use crate::flat_field::FlatField;
use crate::lens::{CropMap, Lens};
use crate::scale::Plane;
use crate::target::Px;
use crate::{Picture, Profile, ProfileError};

/// A profile ready to be measured by. Shared; never changes.
#[derive(Debug)]
pub struct Calibration {
    hash: Option<Sha256>,
    size: SizePx,
    lens: Option<(Lens, CropMap)>,
    plane: Option<Plane>,
    flat_field: Option<FlatField>,
}

impl Calibration {
    /// Of the profile in `folder`, with its maps.
    ///
    /// # Errors
    /// When a map is not there, or not what the profile says.
    pub fn open(profile: &Profile, folder: &std::path::Path) -> Result<Self, ProfileError> {
        let flat_field = profile.flat_field(folder)?;
        Ok(Self {
            hash: Some(profile.content_hash()),
            size: profile.size,
            lens: profile.lens.clone().map(|lens| (lens.clone(), CropMap::new(&lens))),
            plane: profile.plane.clone(),
            flat_field,
        })
    }

    /// Of a camera with pictures of `size` that nothing is known of: parts can be aligned, and
    /// nothing measured.
    #[must_use]
    pub const fn bare(size: SizePx) -> Self {
        Self { hash: None, size, lens: None, plane: None, flat_field: None }
    }

    /// Hash of what was measured, for the record; none where nothing was.
    #[must_use]
    pub const fn hash(&self) -> Option<Sha256> {
        self.hash
    }

    /// Of the camera's pictures.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// The belt, if it is known.
    #[must_use]
    pub const fn plane(&self) -> Option<&Plane> {
        self.plane.as_ref()
    }

    /// Whether it changes any pixel.
    #[must_use]
    pub const fn changes_pixels(&self) -> bool {
        self.lens.is_some() || self.flat_field.is_some()
    }

    /// The same piece of the belt in the straight picture as `crop` in the camera's, as large.
    fn straight_crop(&self, crop: RectPx) -> RectPx {
        let Some((lens, _)) = &self.lens else { return crop };
        let half = |start: u32, length: u32| f64::from(start) + (f64::from(length) - 1.0) / 2.0;
        let middle = Px::new(half(crop.x, crop.width), half(crop.y, crop.height));
        let straight = lens.undistort_px(middle);
        let moved = |start: u32, length: u32, by: f64, pixels: u32| {
            let last = f64::from(pixels.saturating_sub(length));
            whole((f64::from(start) + by).round().clamp(0.0, last))
        };
        let size = self.size;
        RectPx {
            x: moved(crop.x, crop.width, straight.x - middle.x, size.width),
            y: moved(crop.y, crop.height, straight.y - middle.y, size.height),
            ..crop
        }
    }

    /// How `crop` lies where no pixel is corrected.
    #[must_use]
    pub const fn laid_as_seen(&self, crop: RectPx) -> Laid {
        Laid { crop, straight: crop, pose: None }
    }

    /// What of the camera's picture is needed to correct `crop` of it.
    #[must_use]
    pub fn source_of(&self, crop: RectPx) -> RectPx {
        let Some((_, map)) = &self.lens else { return crop };
        let straight = self.straight_crop(crop);
        let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
        // The border bounds what is within: a lens that folds is no lens.
        let (right, bottom) = (straight.right().max(1) - 1, straight.bottom().max(1) - 1);
        let along = |from: u32, to: u32| (from..to).step_by(BORDER_STEP).chain([to]);
        let level = along(straight.x, right).flat_map(|x| [(x, straight.y), (x, bottom)]);
        let upright = along(straight.y, bottom).flat_map(|y| [(straight.x, y), (right, y)]);
        for (x, y) in level.chain(upright) {
            let at = map.source(x, y);
            low = [low[0].min(at.x), low[1].min(at.y)];
            high = [high[0].max(at.x), high[1].max(at.y)];
        }
        // One for the neighbours of an interpolated pixel, one for what bulges between two steps.
        let from = |value: f64, pixels: u32| {
            whole((value.floor() - 2.0).clamp(0.0, f64::from(pixels - 1)))
        };
        let to =
            |value: f64, pixels: u32| whole((value.ceil() + 3.0).clamp(1.0, f64::from(pixels)));
        let (width, height) = (self.size.width.max(1), self.size.height.max(1));
        RectPx::from_corners(
            from(low[0], width),
            from(low[1], height),
            to(high[0], width),
            to(high[1], height),
        )
    }

    /// Where a place of the straight picture is in the camera's.
    fn frame_px(&self, straight: Px) -> Px {
        self.lens.as_ref().map_or(straight, |(lens, _)| lens.distort_px(straight))
    }

    /// Where a place of the camera's picture is in the straight one.
    fn straight_px(&self, frame: Px) -> Px {
        self.lens.as_ref().map_or(frame, |(lens, _)| lens.undistort_px(frame))
    }
}

/// Pixels between two places of a crop's border that are looked up.
const BORDER_STEP: usize = 16;

/// How a corrected crop lies on what the camera saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laid {
    /// The crop in the camera's picture; a corrected one is as large.
    pub crop: RectPx,
    /// Where it is in the straight picture.
    straight: RectPx,
    /// How the part lay.
    pub pose: Option<Pose>,
}

impl Laid {
    /// Where the corrected place `(x, y)`, counted from the crop's first pixel, is in the straight
    /// picture.
    #[must_use]
    pub fn straight_px(&self, at: Px) -> Px {
        let at = self.pose.map_or(at, |pose| turned(at, &pose, self.crop));
        Px::new(f64::from(self.straight.x) + at.x, f64::from(self.straight.y) + at.y)
    }

    /// Where it is in the camera's picture.
    #[must_use]
    pub fn frame_px(&self, at: Px, calibration: &Calibration) -> Px {
        calibration.frame_px(self.straight_px(at))
    }

    /// The corrected place that shows `frame`, a place in the camera's picture.
    #[must_use]
    pub fn corrected_px(&self, frame: Px, calibration: &Calibration) -> Px {
        let straight = calibration.straight_px(frame);
        let at = Px::new(
            straight.x - f64::from(self.straight.x),
            straight.y - f64::from(self.straight.y),
        );
        self.pose.map_or(at, |pose| turned_back(at, &pose, self.crop))
    }
}

const fn size_of(rect: RectPx) -> SizePx {
    SizePx::new(rect.width, rect.height)
}

fn middle(crop: RectPx) -> Px {
    Px::new((f64::from(crop.width) - 1.0) / 2.0, (f64::from(crop.height) - 1.0) / 2.0)
}

/// Where [`upright_into`] took the corrected place `at` from.
fn turned(at: Px, pose: &Pose, crop: RectPx) -> Px {
    let (sin, cos) = pose.angle_deg.to_radians().sin_cos();
    let (a, b, c) = (cos * pose.scale, sin * pose.scale, middle(crop));
    let (u, v) = (at.x - c.x, at.y - c.y);
    Px::new(c.x + pose.dx_px + a * u - b * v, c.y + pose.dy_px + b * u + a * v)
}

fn turned_back(at: Px, pose: &Pose, crop: RectPx) -> Px {
    let (sin, cos) = pose.angle_deg.to_radians().sin_cos();
    let c = middle(crop);
    let (u, v) = (at.x - c.x - pose.dx_px, at.y - c.y - pose.dy_px);
    let scale = pose.scale;
    Px::new(c.x + (cos * u + sin * v) / scale, c.y + (cos * v - sin * u) / scale)
}

/// Corrects crops, one after the other; keeps its memory.
#[derive(Debug, Default)]
pub struct Corrector {
    aligner: Option<Aligner>,
    straight: Vec<u8>,
    luma: Vec<u8>,
    upright: Vec<u8>,
}

impl Corrector {
    /// One that sets parts upright by `aligner`, if any.
    #[must_use]
    pub fn new(aligner: Option<Aligner>) -> Self {
        Self { aligner, ..Self::default() }
    }

    /// Whether it aligns.
    #[must_use]
    pub const fn aligns(&self) -> bool {
        self.aligner.is_some()
    }

    /// Corrects `crop` of the camera's picture. `raw` is the luma of [`Calibration::source_of`] it,
    /// packed, and is overwritten. Gives the corrected crop, packed, in rows as wide as the crop.
    ///
    /// # Errors
    /// When the part can't be aligned.
    ///
    /// # Panics
    /// When `raw` is shorter than that.
    pub fn correct(
        &mut self,
        calibration: &Calibration,
        crop: RectPx,
        raw: &mut [u8],
    ) -> Result<(&[u8], Laid), NotAligned> {
        let laid = self.straighten::<1>(calibration, crop, raw);
        let Some(aligner) = &mut self.aligner else { return Ok((&self.straight, laid)) };
        let pose = aligner.align(&Picture::packed(size_of(crop), &self.straight))?;
        Ok(self.set_upright::<1>(pose, laid))
    }

    /// The same for pixels of three bytes, such as RGB. The part is aligned by its luma, which
    /// `luma_of` makes of the straight crop's pixels.
    ///
    /// # Errors
    /// When the part can't be aligned.
    ///
    /// # Panics
    /// When `raw` is shorter than that, or `luma_of` gives fewer bytes than the crop has pixels.
    pub fn correct_colours(
        &mut self,
        calibration: &Calibration,
        crop: RectPx,
        raw: &mut [u8],
        luma_of: impl FnOnce(&[u8], &mut Vec<u8>),
    ) -> Result<(&[u8], Laid), NotAligned> {
        let laid = self.straighten::<3>(calibration, crop, raw);
        let Some(aligner) = &mut self.aligner else { return Ok((&self.straight, laid)) };
        luma_of(&self.straight, &mut self.luma);
        let luma = &self.luma[..crop.width as usize * crop.height as usize];
        let pose = aligner.align(&Picture::packed(size_of(crop), luma))?;
        Ok(self.set_upright::<3>(pose, laid))
    }

    /// Leaves the crop evenly lit and straight in `self.straight`, pixels of `N` bytes.
    fn straighten<const N: usize>(
        &mut self,
        calibration: &Calibration,
        crop: RectPx,
        raw: &mut [u8],
    ) -> Laid {
        let source = calibration.source_of(crop);
        let (wide, row) = (source.width as usize * N, crop.width as usize * N);
        let raw = &mut raw[..wide * source.height as usize];
        if let Some(flat) = &calibration.flat_field {
            // The source lies in the picture, as the map does.
            let _ = flat.apply_packed::<N>(source, raw, wide);
        }
        let straight = calibration.straight_crop(crop);
        self.straight.resize(row * crop.height as usize, 0);
        match &calibration.lens {
            None => self.straight.copy_from_slice(raw),
            Some((_, map)) => {
                map.apply_piece::<N>(raw, wide, source, straight, &mut self.straight, row);
            }
        }
        Laid { crop, straight, pose: None }
    }

    /// Turns what is straight.
    fn set_upright<const N: usize>(&mut self, pose: Pose, laid: Laid) -> (&[u8], Laid) {
        self.upright.resize(self.straight.len(), 0);
        upright_packed::<N>(&self.straight, size_of(laid.crop), &pose, &mut self.upright);
        (&self.upright, Laid { pose: Some(pose), ..laid })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a picture")]
const fn whole(value: f64) -> u32 {
    value as u32
}
