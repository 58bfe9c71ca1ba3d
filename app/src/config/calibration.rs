//! What cameras are calibrated by: takes folders of profiles and a recipe; gives what its parts
//! are corrected and measured by, or refuses by name. A line that measures in millimetres does not
//! arm without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use calibration::watch::{Limits, Watch};
use calibration::{Calibration, CameraFacts, Profile, Px};
use domain::{CameraId, CheckedRecipe, Pixels};
use jiff::Timestamp;
use models::LumaReader;
use pipeline::line::Against;
use pipeline::prepare::{self, Calibrations, Still};

/// A camera, and how it is calibrated.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// Its name.
    pub camera: CameraId,
    /// Its serial number, where the station file says it; cameras that say it themselves are
    /// asked when they give their first frame.
    pub serial: Option<String>,
    /// The folder of its profile, if it has one.
    pub folder: Option<PathBuf>,
    /// Whether that still holds.
    pub still: Arc<Still>,
}

impl Calibrated {
    /// When it was last measured; `None` where it has no profile.
    pub fn made_at(&self) -> Result<Option<Timestamp>> {
        let profile = self.folder.as_deref().map(Profile::read).transpose()?;
        Ok(profile.map(|profile| profile.made_at))
    }

    /// What the camera and its frames are held against while a line runs; `None` where it has no
    /// profile.
    pub fn against(&self) -> Result<Option<Against>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let profile = Profile::read(folder)?;
        let watch = watch(folder, &profile)?;
        Ok(Some(Against { profile, watch }))
    }
}

/// What a camera's frames are held against; `None` where nothing was remembered.
fn watch(folder: &Path, profile: &Profile) -> Result<Option<Watch>> {
    let mm_per_px = profile.plane.as_ref().map(|plane| {
        let (width, height) = (profile.size.width, profile.size.height);
        plane.mm_per_px(Px::new(f64::from(width) / 2.0, f64::from(height) / 2.0))
    });
    let limits = Limits { mm_per_px, ..Limits::default() };
    Ok(profile.baseline(folder)?.map(|baseline| Watch::new(baseline, limits)))
}

/// What parts of the recipe in `file` are corrected and measured by, under `cameras`.
///
/// Without `now`, as for footage of old, no profile is too old.
///
/// # Errors
/// When a profile can't be read, was not accepted, or does not hold any more; when the recipe
/// measures in millimetres and a camera has none; when there is nothing to align by.
pub fn calibrations(
    file: &Path,
    recipe: &CheckedRecipe,
    cameras: &[Calibrated],
    now: Option<Timestamp>,
) -> Result<Calibrations> {
    let mut known = BTreeMap::new();
    for known_camera in cameras {
        let Calibrated { camera, folder, still, .. } = known_camera;
        if folder.is_none() && recipe.measures_in_mm() {
            bail!(
                "{}: it measures in millimetres, and the camera `{camera}` has no calibration; \
                 right would be: name its accepted profile's folder under `calibration`",
                file.display()
            );
        }
        let folder = folder.as_deref();
        let calibration = folder.map(|folder| calibration(known_camera, folder, recipe, now));
        let calibration = calibration.transpose()?.map(Arc::new);
        let still = Arc::clone(still);
        known.insert(camera.clone(), prepare::Calibrated { calibration, still });
    }
    let written = recipe.as_written();
    let golden = written.align.as_ref().map(|align| {
        let path = file.parent().unwrap_or(Path::new(".")).join(&align.golden);
        let pixels = models::picture::pixels_from_file(&path)
            .with_context(|| format!("{}: `align.golden`", file.display()))?;
        let (size, mut luma) = (pixels.size(), Vec::new());
        LumaReader::default().read(&pixels, size.rect(), &mut luma)?;
        Ok::<_, anyhow::Error>((align, size, luma))
    });
    let golden = golden.transpose()?;
    if let Some((_, size, _)) = &golden
        && written.view.crop_px != Some(*size)
    {
        bail!(
            "{}: `view.crop_px` must be {} x {}, as large as `align.golden`, so that every part is \
             cropped like it",
            file.display(),
            size.width,
            size.height
        );
    }
    Calibrations::new(known, golden).with_context(|| file.display().to_string())
}

/// The profile in `folder`, which may be measured by.
pub(super) fn accepted(
    Calibrated { camera, serial, .. }: &Calibrated,
    folder: &Path,
    now: Option<Timestamp>,
) -> Result<Profile> {
    let profile = Profile::read(folder).with_context(|| format!("camera `{camera}`"))?;
    let facts = CameraFacts { serial: serial.clone(), ..CameraFacts::default() };
    if let Err(objections) = profile.arm(&facts, now.unwrap_or(profile.made_at)) {
        let said: Vec<_> = objections.iter().map(ToString::to_string).collect();
        bail!("{}: the calibration of camera `{camera}`: {}", folder.display(), said.join("; "));
    }
    Ok(profile)
}

fn calibration(
    known @ Calibrated { camera, .. }: &Calibrated,
    folder: &Path,
    recipe: &CheckedRecipe,
    now: Option<Timestamp>,
) -> Result<Calibration> {
    let profile = accepted(known, folder, now)?;
    if recipe.measures_in_mm() && profile.plane.is_none() {
        bail!(
            "{}: the calibration of camera `{camera}` has no plane to measure on; run `sightline \
             calibrate plane`",
            folder.display()
        );
    }
    Calibration::open(&profile, folder).with_context(|| format!("camera `{camera}`"))
}
