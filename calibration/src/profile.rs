//! One camera's calibration as a folder: `profile.toml`, and beside it the maps that are no text.
//! Takes what the procedures found; gives it dated, hashed and whole, or names what is not.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use domain::{Sha256, SizePx};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::accept::Accepted;
use crate::belt::BeltMotion;
use crate::flat_field::{Exposure, FlatField, FlatFieldBytes};
use crate::lens::Lens;
use crate::scale::Plane;
use crate::watch::{Baseline, BaselineRefused};

/// The text of a profile, in its folder.
pub const PROFILE_FILE: &str = "profile.toml";
/// The shape that this version writes.
const SCHEMA: u32 = 1;

/// What is known of one camera where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of this shape.
    pub schema: u32,
    /// When anything in it was last measured, RFC 3339.
    pub made_at: Timestamp,
    /// Size of the camera's pictures, pixels: valid for no other.
    pub size: SizePx,
    /// Root mean square reprojection error of the lens' fit, pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens_rms_px: Option<f64>,
    /// Which camera.
    #[serde(default)]
    pub camera: CameraNote,
    /// What the lens bends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<Lens>,
    /// Where the belt is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plane: Option<Plane>,
    /// What the lamp shades.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat_field: Option<FlatNote>,
    /// What commissioning looked like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<MapFile>,
    /// How the belt moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belt: Option<BeltMotion>,
    /// Who accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
}

/// Which camera a profile belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraNote {
    /// Its serial number, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The lens, and how it is set: "25 mm f/4, focus screw fixed".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens_note: Option<String>,
}

/// A file beside the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    /// Its name, in the profile's folder.
    pub file: String,
    /// Of its bytes.
    pub sha256: Sha256,
}

/// The flat field's file, and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlatNote {
    /// What is left of the shading, relative, on pictures that it was not made of.
    pub residual: f64,
    /// How the camera was set; not compared when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// The map.
    #[serde(flatten)]
    pub map: MapFile,
}

/// Why a profile can't be used, read or written.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a profile.
    #[error("{path}: {source}")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Numbers that no file can hold.
    #[error("the profile can't be written: {0}")]
    Numbers(#[from] toml::ser::Error),
    /// From another version.
    #[error("{path}: `schema` is {got}, this version reads {SCHEMA}; calibrate again")]
    Schema {
        /// Which file.
        path: PathBuf,
        /// Its version.
        got: u32,
    },
    /// A map that is not what the profile was made with.
    #[error("{path}: its sha256 is {got}, the profile says {wanted}: restore it, or make it anew")]
    Changed {
        /// Which file.
        path: PathBuf,
        /// Of its bytes.
        got: Sha256,
        /// As the profile says.
        wanted: Sha256,
    },
    /// A name that leads out of the folder.
    #[error("{path}: `{file}` is no plain file name; a map lies beside its profile")]
    FileName {
        /// Of the profile.
        path: PathBuf,
        /// As written.
        file: String,
    },
    /// A part of it that was made at another size.
    #[error("{path}: its {part} is of {got} pixels, the profile of {size}")]
    Size {
        /// Which file.
        path: PathBuf,
        /// Lens, flat field or baseline.
        part: &'static str,
        /// The part's.
        got: SizePx,
        /// The profile's.
        size: SizePx,
    },
    /// Not a flat field.
    #[error("{path}: {source}")]
    FlatField {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: FlatFieldBytes,
    },
    /// Not a baseline.
    #[error("{path}: {source}")]
    Baseline {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: BaselineRefused,
    },
}

impl Profile {
    /// Of a camera with pictures of `size`, with nothing measured yet.
    #[must_use]
    pub fn new(size: SizePx, camera: CameraNote, now: Timestamp) -> Self {
        Self {
            schema: SCHEMA,
            made_at: now,
            size,
            lens_rms_px: None,
            camera,
            lens: None,
            plane: None,
            flat_field: None,
            baseline: None,
            belt: None,
            accepted: None,
        }
    }

    /// Reads the profile in `folder`, without its maps.
    ///
    /// # Errors
    /// When there is none, or it is not one of this version.
    pub fn read(folder: &Path) -> Result<Self, ProfileError> {
        let path = folder.join(PROFILE_FILE);
        let text = fs::read_to_string(&path)
            .map_err(|source| ProfileError::Io { path: path.clone(), source })?;
        let profile: Self = toml::from_str(&text)
            .map_err(|source| ProfileError::Toml { path: path.clone(), source: source.into() })?;
        if profile.schema != SCHEMA {
            return Err(ProfileError::Schema { path, got: profile.schema });
        }
        if let Some(lens) = profile.lens.as_ref().filter(|lens| lens.size != profile.size) {
            let (part, got, size) = ("lens", lens.size, profile.size);
            return Err(ProfileError::Size { path, part, got, size });
        }
        Ok(profile)
    }

    /// Writes it to `folder`, which is made when it is not there; whole or not at all.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn write(&self, folder: &Path) -> Result<(), ProfileError> {
        let head = "# A camera's calibration, written by `sightline calibrate`. What is changed by \
                    hand is no longer accepted.\n";
        let text = format!("{head}{}", toml::to_string(self)?);
        replace(&folder.join(PROFILE_FILE), text.as_bytes())
    }

    /// Hash of everything that was measured; who accepted it does not count.
    #[must_use]
    pub fn content_hash(&self) -> Sha256 {
        let bare = Self { accepted: None, ..self.clone() };
        // What was read or measured is finite, and can be written.
        Sha256::of(toml::to_string(&bare).unwrap_or_default().as_bytes())
    }

    /// Puts `flat` beside the profile in `folder` and notes it; `residual` is relative.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn keep_flat_field(
        &mut self,
        folder: &Path,
        flat: &FlatField,
        residual: f64,
    ) -> Result<(), ProfileError> {
        let map = keep(folder, "flat_field.bin", &flat.to_bytes())?;
        self.flat_field = Some(FlatNote { residual, exposure: Some(flat.exposure()), map });
        Ok(())
    }

    /// Puts `baseline` beside the profile in `folder` and notes it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn keep_baseline(
        &mut self,
        folder: &Path,
        baseline: &Baseline,
    ) -> Result<(), ProfileError> {
        self.baseline = Some(keep(folder, "baseline.bin", &baseline.to_bytes())?);
        Ok(())
    }

    /// The flat field that it names, if any.
    ///
    /// # Errors
    /// When the file is not there, not what was noted, or of another size.
    pub fn flat_field(&self, folder: &Path) -> Result<Option<FlatField>, ProfileError> {
        let Some(note) = &self.flat_field else { return Ok(None) };
        let (path, bytes) = map_bytes(folder, &note.map)?;
        let flat = FlatField::from_bytes(&bytes)
            .map_err(|source| ProfileError::FlatField { path: path.clone(), source })?;
        self.check_size(path, "flat field", flat.size())?;
        Ok(Some(flat))
    }

    /// The baseline that it names, if any.
    ///
    /// # Errors
    /// When the file is not there, not what was noted, or of another size.
    pub fn baseline(&self, folder: &Path) -> Result<Option<Baseline>, ProfileError> {
        let Some(note) = &self.baseline else { return Ok(None) };
        let (path, bytes) = map_bytes(folder, note)?;
        let baseline = Baseline::from_bytes(&bytes)
            .map_err(|source| ProfileError::Baseline { path: path.clone(), source })?;
        self.check_size(path, "baseline", baseline.size())?;
        Ok(Some(baseline))
    }

    fn check_size(
        &self,
        path: PathBuf,
        part: &'static str,
        got: SizePx,
    ) -> Result<(), ProfileError> {
        let size = self.size;
        if got == size { Ok(()) } else { Err(ProfileError::Size { path, part, got, size }) }
    }
}

fn map_bytes(folder: &Path, map: &MapFile) -> Result<(PathBuf, Vec<u8>), ProfileError> {
    // A profile may come from anywhere; it opens nothing but its own folder.
    if Path::new(&map.file).file_name().is_none_or(|name| name != map.file.as_str()) {
        return Err(ProfileError::FileName {
            path: folder.join(PROFILE_FILE),
            file: map.file.clone(),
        });
    }
    let path = folder.join(&map.file);
    let bytes =
        fs::read(&path).map_err(|source| ProfileError::Io { path: path.clone(), source })?;
    let got = Sha256::of(&bytes);
    if got != map.sha256 {
        return Err(ProfileError::Changed { path, got, wanted: map.sha256 });
    }
    Ok((path, bytes))
}

fn keep(folder: &Path, file: &str, bytes: &[u8]) -> Result<MapFile, ProfileError> {
    replace(&folder.join(file), bytes)?;
    Ok(MapFile { file: file.to_owned(), sha256: Sha256::of(bytes) })
}

/// Writes a file whole or not at all: a power cut leaves the old one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ProfileError> {
    let io = |source| ProfileError::Io { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io)?;
    let new = path.with_extension("new");
    let mut file = File::create(&new).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)?;
    fs::rename(&new, path).map_err(io)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::{AcceptLimits, CameraFacts, Objection};
    use crate::scale::Plane;
    use crate::target::Px;

    const SIZE: SizePx = SizePx::new(640, 480);
    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn later(days: i64) -> Timestamp {
        Timestamp::from_second(NOW.as_second() + days * 86_400).unwrap()
    }

    fn profile() -> Profile {
        let note = CameraNote { serial: Some("S1".into()), lens_note: Some("25 mm".into()) };
        let mut profile = Profile::new(SIZE, note, NOW);
        let plane = Plane::from_ruler(Px { x: 10.0, y: 5.0 }, Px { x: 410.0, y: 5.0 }, 100.0, 0.5);
        profile.plane = Some(plane.unwrap());
        profile
    }

    fn facts(serial: &str, size: SizePx) -> CameraFacts {
        CameraFacts { serial: Some(serial.into()), size: Some(size), exposure: None }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut profile = profile();
        profile.accept("QE", AcceptLimits::default(), NOW).unwrap();
        let folder = dir.path().join("new/top");
        profile.write(&folder).unwrap();
        let read = Profile::read(&folder).unwrap();
        assert_eq!(read, profile);
        assert_eq!(read.content_hash(), profile.content_hash());
        read.arm(&facts("S1", SIZE), later(180)).unwrap();
    }

    #[test]
    fn each_thing_that_is_not_true_any_more_is_named() {
        let mut profile = profile();
        let arm = |profile: &Profile, facts, now| profile.arm(&facts, now).unwrap_err();
        let known = || facts("S1", SIZE);
        assert_eq!(arm(&profile, known(), NOW), [Objection::NotAccepted]);
        profile.accept("QE", AcceptLimits::default(), NOW).unwrap();
        profile.arm(&CameraFacts::default(), NOW).unwrap();
        let old = arm(&profile, known(), later(181));
        assert_eq!(old, [Objection::Old { days: 181, limit: 180 }]);
        profile.arm(&known(), later(-1)).unwrap();
        let early = profile.clone().accept("QE", AcceptLimits::default(), later(-1)).unwrap_err();
        assert!(matches!(early[..], [Objection::Future { .. }]));
        let other = facts("S2", SizePx::new(320, 240));
        assert!(matches!(
            arm(&profile, other, NOW)[..],
            [Objection::Size { .. }, Objection::Serial { .. }]
        ));
        profile.camera.lens_note = Some("35 mm".into());
        assert!(matches!(arm(&profile, known(), NOW)[..], [Objection::Changed { .. }]));
    }

    #[test]
    fn a_camera_that_is_set_otherwise_is_named_where_a_flat_field_knows_how_it_was() {
        let mut profile = profile();
        let set = |exposure_us, gain_db| CameraFacts {
            exposure: Some(Exposure { exposure_us, gain_db }),
            ..CameraFacts::default()
        };
        assert_eq!(profile.objections_to_camera(&set(800.0, 0.0)), [], "no flat field");
        let map = MapFile { file: String::new(), sha256: Sha256::of(b"") };
        let made = Exposure { exposure_us: 400.0, gain_db: 6.0 };
        profile.flat_field = Some(FlatNote { residual: 0.0, exposure: Some(made), map });
        assert_eq!(profile.objections_to_camera(&CameraFacts::default()), [], "it says nothing");
        assert_eq!(profile.objections_to_camera(&set(399.2, 6.05)), [], "cameras round");
        for other in [set(800.0, 6.0), set(400.0, 0.0), set(f64::NAN, 6.0)] {
            let said = profile.objections_to_camera(&other);
            assert!(matches!(said[..], [Objection::Exposure { .. }]), "{other:?}");
            assert!(said[0].to_string().contains("400 µs and 6 dB"), "{}", said[0]);
        }
    }

    #[test]
    fn what_is_not_good_enough_is_not_accepted() {
        let mut profile = profile();
        profile.plane = None;
        profile.lens_rms_px = Some(f64::NAN);
        let objections = profile.accept("QE", AcceptLimits::default(), later(200)).unwrap_err();
        assert!(matches!(
            objections[..],
            [Objection::NoPlane, Objection::TooLarge { .. }, Objection::Old { days: 200, .. }]
        ));
        assert_eq!(profile.accepted, None);
    }

    #[test]
    fn maps_are_checked_and_stay_in_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let map = keep(dir.path(), "flat_field.bin", b"not a map").unwrap();
        let mut profile = profile();
        profile.flat_field = Some(FlatNote { residual: 0.0, exposure: None, map });
        let read = |profile: &Profile| profile.flat_field(dir.path()).unwrap_err();
        assert!(matches!(read(&profile), ProfileError::FlatField { .. }));
        fs::write(dir.path().join("flat_field.bin"), b"changed").unwrap();
        assert!(matches!(read(&profile), ProfileError::Changed { .. }));
        for file in ["../flat_field.bin", "/etc/passwd", "a/b", "..", ""] {
            profile.flat_field.as_mut().unwrap().map.file = file.to_owned();
            assert!(matches!(read(&profile), ProfileError::FileName { .. }), "{file}");
        }
    }

    #[test]
    fn other_versions_and_other_sizes_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let text = toml::to_string(&profile()).unwrap();
        fs::write(dir.path().join(PROFILE_FILE), text.replace("schema = 1", "schema = 2")).unwrap();
        let error = Profile::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("`schema` is 2, this version reads 1"), "{error}");
        let error = Profile::read(&dir.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("profile.toml"), "{error}");
    }
}
