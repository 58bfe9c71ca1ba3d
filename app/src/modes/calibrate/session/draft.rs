//! A profile that is being made, beside the one in force: takes what was measured, and puts it in
//! force once it was accepted. Whatever happens meanwhile, the profile in force is there and whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use calibration::profile::{CameraNote, MapFile, PROFILE_FILE};
use calibration::{AcceptLimits, Profile};
use domain::{Sha256, SizePx};
use jiff::{SignedDuration, Timestamp};

use super::swap;

/// A draft that was left behind, by a power cut or a restart, is taken up again for so long; the
/// camera may have been moved since.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A draft of a profile.
pub struct Draft {
    /// Where it will be in force.
    in_force: PathBuf,
    /// Where it is made; there from the first change on.
    folder: PathBuf,
    profile: Option<Profile>,
}

impl Draft {
    /// Begins from the profile that is in force in `folder`, or from a draft of it that was left
    /// behind lately. Gives also why neither could be read, where one is there.
    ///
    /// # Errors
    /// When what was left behind can't be taken away.
    pub fn begin(folder: &Path, now: Timestamp) -> Result<(Self, Option<String>)> {
        let in_force = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let beside = beside(&in_force, ".draft")?;
        let mut draft = Self { in_force, folder: beside, profile: None };
        let unread = match read(&draft.in_force) {
            Ok(profile) => {
                draft.profile = profile;
                None
            }
            Err(error) => Some(format!("{error:#}; everything is measured anew")),
        };
        if let Some(left) = draft.left_behind(now) {
            draft.profile = Some(left);
            return Ok((draft, None));
        }
        draft.tidy()?;
        Ok((draft, unread))
    }

    /// The draft that lies there, unless it is old or what was in force before.
    fn left_behind(&self, now: Timestamp) -> Option<Profile> {
        let left = read(&self.folder).ok()??;
        let known = self.profile.as_ref().map(|known| known.made_at);
        let is_draft = match left.accepted {
            // Somebody may have measured without the screen since.
            None => known.is_none_or(|known| left.made_at >= known),
            Some(_) => known.is_none_or(|known| left.made_at > known),
        };
        let age = now.duration_since(left.made_at);
        let kept_for = SignedDuration::try_from(KEPT_FOR).unwrap_or(SignedDuration::MAX);
        (is_draft && age < kept_for).then_some(Profile { accepted: None, ..left })
    }

    /// Takes away what lies there of before; the former profile, left when this program was killed
    /// as it was replaced, is kept as such.
    fn tidy(&self) -> Result<()> {
        let in_force = read(&self.in_force).ok().flatten();
        let is_former = read(&self.folder).ok().flatten().is_some_and(|left| {
            let is_older = in_force.is_some_and(|known| left.made_at <= known.made_at);
            is_older && left.accepted.is_some()
        });
        if is_former {
            return swap::keep_former(&self.folder, &self.in_force);
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| self.folder.display().to_string())
            }
            _ => Ok(()),
        }
    }

    /// What is in it so far.
    pub const fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Where its maps are: its own folder, or before the first change that of what is in force.
    pub fn maps(&self) -> &Path {
        if self.folder.join(PROFILE_FILE).exists() { &self.folder } else { &self.in_force }
    }

    /// Begins from nothing: what is known of the camera and its lens stays.
    pub fn begin_anew(&mut self, size: SizePx, now: Timestamp) {
        let camera = self.profile.take().map_or_else(CameraNote::default, |known| known.camera);
        self.profile = Some(Profile::new(size, camera, now));
    }

    /// Changes it, of a camera with pictures of `size`; on the disk before this returns. `change`
    /// is given its folder for maps; a map that could not be noted is refused later by its hash.
    ///
    /// # Errors
    /// What `change` says; when the disk does not take it.
    pub fn change(
        &mut self,
        size: SizePx,
        now: Timestamp,
        change: impl FnOnce(&mut Profile, &Path) -> Result<()>,
    ) -> Result<()> {
        let new = || Profile::new(size, CameraNote::default(), now);
        let mut profile = self.profile.clone().unwrap_or_else(new);
        profile.accepted = None;
        self.copy().map_err(advised)?;
        change(&mut profile, &self.folder).map_err(advised)?;
        profile.write(&self.folder).map_err(|error| advised(error.into()))?;
        self.profile = Some(profile);
        Ok(())
    }

    /// Copies the maps that the profile names, unless that was done. The profile itself comes
    /// last: a draft without one was never begun.
    fn copy(&self) -> Result<()> {
        if self.folder.join(PROFILE_FILE).exists() {
            return Ok(());
        }
        let folder = || self.folder.display().to_string();
        fs::create_dir_all(&self.folder).with_context(folder)?;
        let Some(profile) = &self.profile else { return Ok(()) };
        let flat_field = profile.flat_field.as_ref().map(|note| &note.map);
        for MapFile { file, .. } in [flat_field, profile.baseline.as_ref()].into_iter().flatten() {
            let from = self.in_force.join(file);
            let to = self.folder.join(file);
            let copied = fs::copy(&from, &to).and_then(|_| File::open(&to)?.sync_all());
            copied.with_context(|| from.display().to_string())?;
        }
        File::open(&self.folder).and_then(|it| it.sync_all()).with_context(folder)
    }

    /// Forgets it.
    pub fn forget(&mut self) {
        if let Err(error) = self.tidy() {
            // The next one that begins looks at it again.
            tracing::warn!(target: "calibrate", "{error:#}");
        }
    }

    /// Accepts it in the name of `by`, and puts it in force. Gives its hash.
    ///
    /// # Errors
    /// Every objection to it; when a map is not what was measured; when the disk does not take it.
    /// What was in force still is, and the draft is still there.
    pub fn accept(&mut self, by: &str, now: Timestamp) -> Result<Sha256> {
        let Some(profile) = &self.profile else {
            bail!("nothing was measured: fit the lens, then find the belt's plane")
        };
        let mut profile = profile.clone();
        if let Some(lost) = self.lost() {
            bail!("{lost}");
        }
        self.copy().map_err(advised)?;
        // The maps must be there and be what was measured.
        profile.flat_field(&self.folder)?;
        profile.baseline(&self.folder)?;
        profile.accept(by, AcceptLimits::default(), now).map_err(|objections| {
            let said: Vec<_> = objections.iter().map(ToString::to_string).collect();
            anyhow!("{}", said.join("; "))
        })?;
        profile.write(&self.folder).map_err(|error| advised(error.into()))?;
        swap::put_in_force(&self.folder, &self.in_force, &mut |_| Ok(()))?;
        let hash = profile.content_hash();
        self.profile = Some(profile);
        Ok(hash)
    }

    /// Why it would not be accepted at `now`.
    pub fn objections(&self, now: Timestamp) -> Vec<String> {
        let Some(mut profile) = self.profile.clone() else { return Vec::new() };
        let objections = profile.accept("", AcceptLimits::default(), now).err();
        let said = objections.unwrap_or_default();
        said.iter().map(ToString::to_string).chain(self.lost()).collect()
    }

    /// What the profile in force knows and this does not any more, though a line may rest on it.
    fn lost(&self) -> Option<String> {
        let knows = |profile: &Profile| {
            profile.belt.as_ref().is_some_and(|belt| belt.mm_per_count.is_some())
        };
        let was_known = read(&self.in_force).ok().flatten().as_ref().is_some_and(knows);
        let is_lost = was_known && !self.profile.as_ref().is_some_and(knows);
        is_lost.then(|| {
            "the profile in force knows how far the belt runs in a count of the encoder, by which \
             the reject gate may be reached: measure the belt's motion again"
                .to_owned()
        })
    }
}

/// The profile in `folder`; `None` where there is none.
fn read(folder: &Path) -> Result<Option<Profile>> {
    if !folder.join(PROFILE_FILE).exists() {
        return Ok(None);
    }
    Ok(Some(Profile::read(folder)?))
}

/// A folder's neighbour, whose name ends in `ending`.
pub(super) fn beside(folder: &Path, ending: &str) -> Result<PathBuf> {
    let name = folder.file_name().with_context(|| {
        format!("{}: a profile's folder has a name, for example calibration/top", folder.display())
    })?;
    let mut beside = OsString::from(name);
    beside.push(ending);
    Ok(folder.with_file_name(beside))
}

/// A full disk is no riddle.
fn advised(error: anyhow::Error) -> anyhow::Error {
    let is_full = error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        io.is_some_and(|io| full.contains(&io.kind()))
            || matches!(cause.downcast_ref(), Some(calibration::ProfileError::Io { source, .. })
                if full.contains(&source.kind()))
    });
    if is_full {
        return anyhow!("{error:#}; make room on the disk, then take this step again");
    }
    error
}
