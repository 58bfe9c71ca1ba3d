//! What a study changes in a profile, the same from pictures on the disk and from a live camera:
//! takes what was found, gives the profile with it and without what it makes untrue.

use anyhow::{Result, anyhow};
use calibration::belt::BeltMotion;
use calibration::flat_field::{Evenness, Exposure, FlatField, FlatFieldLimits, FlatFieldStudy};
use calibration::target::{Dictionary, Observation, TargetKind};
use calibration::{Lens, LensFit, Plane, Profile, Px, Target};
use domain::{Board, BoardKind, PointPx, SizePx};

use super::shots::Shot;

/// How well a person points at a place on a screen, pixels.
const POINTING_SD_PX: f64 = 0.5;
/// Of so many pictures of a sheet one is held out.
const HELD_OUT_OF: u32 = 4;

/// The target that a board is, as it was measured.
///
/// # Errors
/// When no target has these measures.
pub fn target_of(board: &Board) -> Result<Target> {
    let Board { columns, rows, square_mm, .. } = *board;
    Ok(Target::new(match board.kind {
        BoardKind::Chessboard => TargetKind::Chessboard { columns, rows, square_mm },
        BoardKind::Circles => TargetKind::CircleGrid { columns, rows, spacing_mm: square_mm },
        BoardKind::Charuco => {
            let marker_mm = board.marker_mm.unwrap_or(0.75 * square_mm);
            let dictionary = dictionary(&board.dictionary)?;
            TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary }
        }
    })?)
}

/// A family of markers by its name.
///
/// # Errors
/// When there is none of that name.
pub fn dictionary(name: &str) -> Result<Dictionary> {
    let named = Dictionary::ALL.into_iter().find(|known| known.to_string() == name);
    named.ok_or_else(|| anyhow!("there is no family of markers `{name}`; write 4x4_50 to 6x6_250"))
}

/// Keeps a fitted lens. What was measured through another lens is no longer true.
pub fn keep_lens(profile: &mut Profile, found: &LensFit) {
    profile.lens = Some(found.lens.clone());
    profile.lens_rms_px = Some(found.rms_px);
    profile.plane = None;
    forget_millimetres(profile);
}

/// Keeps the belt's plane. What was measured on another plane is no longer true.
pub fn keep_plane(profile: &mut Profile, plane: Plane) {
    profile.plane = Some(plane);
    forget_millimetres(profile);
}

fn forget_millimetres(profile: &mut Profile) {
    if let Some(belt) = &mut profile.belt {
        (belt.mm_per_s, belt.mm_per_count) = (None, None);
    }
}

/// The plane that a target lies on, and parts `height_mm` above it.
///
/// # Errors
/// When its points fix no plane, or the height can't be allowed for.
pub fn plane_of(
    seen: &Observation,
    lens: Option<&Lens>,
    is_telecentric: bool,
    height_mm: Option<f64>,
) -> Result<Plane> {
    let plane = match is_telecentric {
        true => Plane::telecentric(seen, lens)?,
        false => Plane::from_view(seen, lens)?,
    };
    match height_mm {
        Some(height_mm) => Ok(plane.at_height(height_mm)?),
        None => Ok(plane),
    }
}

/// The plane by two places in the camera's picture and the length between them.
///
/// # Errors
/// When they are too near each other, or the length is none.
pub fn plane_by_ruler(from: Px, to: Px, length_mm: f64, lens: Option<&Lens>) -> Result<Plane> {
    let straight = |px| lens.map_or(px, |lens| lens.undistort_px(px));
    Ok(Plane::from_ruler(straight(from), straight(to), length_mm, POINTING_SD_PX)?)
}

/// Where a pixel of the camera's picture is on the belt.
pub fn place_mm(profile: &Profile) -> Option<impl Fn(PointPx) -> (f64, f64) + use<>> {
    let (plane, lens): (Plane, Option<Lens>) = (profile.plane.clone()?, profile.lens.clone());
    Some(move |at: PointPx| {
        let seen = Px::from(at);
        let straight = lens.as_ref().map_or(seen, |lens| lens.undistort_px(seen));
        let mm = plane.point_mm(straight);
        (mm.x, mm.y)
    })
}

/// Keeps how the belt moves.
pub fn keep_belt(profile: &mut Profile, motion: BeltMotion) {
    profile.belt = Some(motion);
}

/// Pictures of a plain sheet, and of darkness. Every fourth of the sheet is not used but tells
/// what is left afterwards.
pub struct Sheet {
    study: FlatFieldStudy,
    exposure: Exposure,
    seen: u32,
    held_out: Option<Shot>,
}

impl Sheet {
    /// Of a camera with pictures of `size`, set so.
    ///
    /// # Errors
    /// When the pictures are too small, or the camera can't be set so.
    pub fn new(size: SizePx, exposure: Exposure) -> Result<Self> {
        let Exposure { exposure_us, gain_db } = exposure;
        if !(exposure_us > 0.0 && exposure_us.is_finite() && gain_db.is_finite()) {
            return Err(anyhow!(
                "an exposure of {exposure_us} µs at {gain_db} dB is none; say what the camera is \
                 set to, in microseconds and decibels"
            ));
        }
        let study = FlatFieldStudy::new(size, exposure, FlatFieldLimits::default())?;
        Ok(Self { study, exposure, seen: 0, held_out: None })
    }

    /// What the camera is set to.
    pub const fn exposure(&self) -> Exposure {
        self.exposure
    }

    /// Takes a picture of the sheet.
    ///
    /// # Errors
    /// When it is too bright, too dark, or unlike the first.
    pub fn bright(&mut self, shot: Shot) -> Result<()> {
        self.check(&shot)?;
        self.seen += 1;
        if self.seen.is_multiple_of(HELD_OUT_OF) {
            self.held_out = Some(shot);
            return Ok(());
        }
        Ok(self.study.flat(&shot.picture()?)?)
    }

    /// Takes a picture of darkness.
    ///
    /// # Errors
    /// When it is not dark.
    pub fn dark(&mut self, shot: &Shot) -> Result<()> {
        self.check(shot)?;
        Ok(self.study.dark(&shot.picture()?)?)
    }

    /// A camera that says how it is set knows better.
    fn check(&self, shot: &Shot) -> Result<()> {
        match shot.says.exposure {
            Some(got) if !got.is_like(&self.exposure) => Err(anyhow!(
                "the camera says that it is set to {got}, not to {}: say what it is set to",
                self.exposure
            )),
            _ => Ok(()),
        }
    }

    /// The flat field, and what it leaves of the shading.
    ///
    /// # Errors
    /// When there are too few pictures, or the sheet is not plain.
    pub fn finish(&self) -> Result<(FlatField, Evenness)> {
        let flat = self.study.clone().finish()?;
        let held_out = self.held_out.as_ref();
        let held_out = held_out.ok_or_else(|| anyhow!("too few pictures to hold one out"))?;
        let even = flat.evenness(&held_out.picture()?)?;
        Ok((flat, even))
    }
}
