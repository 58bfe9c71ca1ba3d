//! A profile as the screen shows it: takes it and the folder of its maps, gives its facts.

use std::path::Path;

use calibration::profile::PROFILE_FILE;
use calibration::{AcceptLimits, CameraFacts, Profile, Px};
use domain::WallTime;
use jiff::Timestamp;
use ui::calibrating::{BeltFacts, FlatFacts, LensFacts, PlaneFacts, ProfileFacts};

/// The facts of `profile`, whose maps are in `maps`. A map that can't be read says so among the
/// objections.
pub fn of(profile: &Profile, maps: &Path, shown_as: &str, objections: Vec<String>) -> ProfileFacts {
    let limits = profile.accepted.as_ref().map_or_else(AcceptLimits::default, |it| it.limits);
    let mut facts = ProfileFacts {
        folder: shown_as.to_owned(),
        size: Some(profile.size),
        made_at: Some(wall(profile.made_at)),
        serial: profile.camera.serial.clone(),
        lens_note: profile.camera.lens_note.clone(),
        lens: lens(profile, &limits),
        plane: plane(profile, &limits),
        flat: None,
        is_watched: profile.baseline.is_some(),
        belt: belt(profile),
        accepted: profile.accepted.as_ref().map(|it| (it.by.clone(), wall(it.at))),
        objections,
    };
    match flat(profile, maps, &limits) {
        Ok(flat) => facts.flat = flat,
        Err(error) => facts.objections.push(error.to_string()),
    }
    if let Err(error) = profile.baseline(maps) {
        facts.objections.push(error.to_string());
    }
    facts
}

/// Of a folder that holds no profile yet.
pub fn of_nothing(shown_as: &str) -> ProfileFacts {
    ProfileFacts { folder: shown_as.to_owned(), ..ProfileFacts::default() }
}

/// The facts of the profile in `folder`, which a line measures by, and what keeps it from that.
pub fn in_force(folder: &Path, now: Timestamp) -> ProfileFacts {
    let shown_as = folder.display().to_string();
    let objecting =
        |objection: String| ProfileFacts { objections: vec![objection], ..of_nothing(&shown_as) };
    if !folder.join(PROFILE_FILE).exists() {
        return objecting(format!("{shown_as}: there is no profile in it yet"));
    }
    match Profile::read(folder) {
        Ok(profile) => {
            let objections = profile.arm(&CameraFacts::default(), now).err().unwrap_or_default();
            let objections = objections.iter().map(ToString::to_string).collect();
            of(&profile, folder, &shown_as, objections)
        }
        Err(error) => objecting(error.to_string()),
    }
}

fn lens(profile: &Profile, limits: &AcceptLimits) -> Option<LensFacts> {
    let lens = profile.lens.as_ref()?;
    let (value, sd) = (lens.distortion, lens.sd.distortion);
    Some(LensFacts {
        rms_px: finite(profile.lens_rms_px.unwrap_or_default()),
        rms_limit_px: limits.lens_rms_px,
        focal_px: [0, 1].map(|i| (lens.focal_px[i], finite(lens.sd.focal_px[i]))),
        centre_px: [
            (lens.centre_px.x, finite(lens.sd.centre_px.x)),
            (lens.centre_px.y, finite(lens.sd.centre_px.y)),
        ],
        distortion: [0, 1, 2, 3, 4].map(|i| (value[i], finite(sd[i]))),
    })
}

fn plane(profile: &Profile, limits: &AcceptLimits) -> Option<PlaneFacts> {
    let plane = profile.plane.as_ref()?;
    let (width, height) = (f64::from(profile.size.width), f64::from(profile.size.height));
    let middle = Px::new(width / 2.0, height / 2.0);
    let length = plane.length_mm(Px::new(width / 4.0, height / 2.0), middle);
    Some(PlaneFacts {
        mm_per_px: finite(plane.mm_per_px(middle)),
        rms_px: finite(plane.residual.rms_px),
        rms_limit_px: limits.plane_rms_px,
        points: u32::try_from(plane.residual.points).unwrap_or(u32::MAX),
        length_sd_share: finite(length.sd / length.value),
    })
}

fn flat(
    profile: &Profile,
    maps: &Path,
    limits: &AcceptLimits,
) -> Result<Option<FlatFacts>, calibration::ProfileError> {
    let Some((map, note)) = profile.flat_field(maps)?.zip(profile.flat_field.as_ref()) else {
        return Ok(None);
    };
    Ok(Some(FlatFacts {
        residual: finite(note.residual),
        residual_limit: limits.flat_residual,
        exposure_us: map.exposure().exposure_us,
        gain_db: map.exposure().gain_db,
        bad_pixels: u32::try_from(map.bad_pixels().len()).unwrap_or(u32::MAX),
    }))
}

fn belt(profile: &Profile) -> Option<BeltFacts> {
    let belt = profile.belt.as_ref()?;
    let speed = belt.mm_per_s.unwrap_or(belt.px_per_s);
    Some(BeltFacts {
        speed: (finite(speed.value), finite(speed.std_error)),
        is_mm: belt.mm_per_s.is_some(),
        direction_deg: belt.direction_deg.value,
        mm_per_count: belt.mm_per_count.map(|it| (finite(it.value), finite(it.std_error))),
    })
}

/// What is told is JSON, which knows finite numbers only; what is not known at all is huge.
const fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX }
}

fn wall(at: Timestamp) -> WallTime {
    WallTime { unix_ns: i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX) }
}
