//! The calibration of one camera, step by step: takes the steps that a person asks for and the
//! camera's frames; gives what the screen shows of it. It has no thread and no clock of its own.

mod alike;
mod draft;
mod eye;
mod facts;
mod swap;
mod takes;
mod views;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use calibration::Profile;
use calibration::flat_field::Exposure;
use calibration::profile::CameraNote;
use domain::{Board, CalibrationStep, CameraId, MonoTime, Sha256, SizePx};
use jiff::Timestamp;
use ui::calibrating::{Advice, Calibrating, HoldsBack, ProfileFacts, Seen, ViewFacts};

use self::draft::Draft;
pub use self::eye::{Eye, Look};
pub use self::facts::in_force as facts_in_force;
use self::facts::{of as facts_of, of_nothing as facts_of_nothing};
use self::takes::Take;
pub use self::takes::{BELT, BRIGHT, DARK, WATCH, WATCH_EVERY};
pub use self::views::Views;
use super::measured::{self, Sheet};
use super::shots::Shot;

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// What is worth knowing, in English.
    pub said: Option<String>,
    /// The profile that is in force from now on.
    pub profile: Option<Sha256>,
}

/// A calibration that is under way.
pub struct Session {
    camera: CameraId,
    /// As the station file names the profile's folder.
    shown_as: String,
    draft: Draft,
    facts: Arc<ProfileFacts>,
    /// Which camera and lens this is, until there is a profile to write it in.
    note: Option<CameraNote>,
    /// Its serial number, where it says one.
    serial: Option<String>,
    frame_size: Option<SizePx>,
    looked_at: Option<MonoTime>,
    board: Board,
    eye: Eye,
    seen: Option<Seen>,
    views: Views,
    view_facts: Arc<[ViewFacts]>,
    coverage: [[u32; 3]; 3],
    advice: Vec<Advice>,
    taking: Take,
    /// Pictures of the sheet, to which those of darkness are added.
    sheet: Option<Sheet>,
    refused: Option<String>,
    is_over: bool,
}

impl Session {
    /// Begins to calibrate `camera`, whose profile is or will be in `folder`.
    ///
    /// # Errors
    /// When a draft that was left behind can't be taken away.
    pub fn begin(camera: CameraId, folder: &Path, now: Timestamp) -> Result<Self> {
        let (draft, unread) = Draft::begin(folder, now)?;
        let board = Board::default();
        let mut session = Self {
            camera,
            shown_as: folder.display().to_string(),
            draft,
            facts: Arc::default(),
            note: None,
            serial: None,
            frame_size: None,
            looked_at: None,
            eye: Eye::new(measured::target_of(&board)?),
            board,
            seen: None,
            views: Views::default(),
            view_facts: Arc::new([]),
            coverage: [[0; 3]; 3],
            advice: Vec::new(),
            taking: Take::Nothing,
            sheet: None,
            refused: unread,
            is_over: false,
        };
        session.tell_facts(now);
        session.tell_views();
        Ok(session)
    }

    /// What the screen shows of it.
    pub fn shown(&self) -> Calibrating {
        Calibrating {
            camera: self.camera.clone(),
            frame_size: self.frame_size,
            board: self.board.clone(),
            draft: Arc::clone(&self.facts),
            taking: self.taking.shown(),
            seen: self.seen.clone(),
            views: Arc::clone(&self.view_facts),
            coverage: self.coverage,
            advice: self.advice.clone(),
            residuals: self.views.residuals(),
            refused: self.refused.clone(),
        }
    }

    /// Whether it has ended.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a lens waits to be fitted: [`Self::fit`].
    pub const fn is_fitting(&self) -> bool {
        matches!(self.taking, Take::Fit { .. })
    }

    /// Takes a step, which `by` asks for; a fit only begins.
    ///
    /// # Errors
    /// Why not, with what to do; [`Self::shown`] says it too.
    pub fn step(&mut self, step: &CalibrationStep, by: &str, now: Timestamp) -> Result<Taken> {
        self.refused = None;
        self.looked_at = None;
        let taken = self.try_step(step, by, now);
        self.note_refusal(taken)
    }

    fn note_refusal<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.refused = Some(format!("{error:#}"));
        }
        result
    }

    fn try_step(&mut self, step: &CalibrationStep, by: &str, now: Timestamp) -> Result<Taken> {
        match *step {
            CalibrationStep::Begin => {}
            CalibrationStep::Board { ref board } => self.set_board(board)?,
            CalibrationStep::Note { ref serial, ref lens_note } => {
                self.set_note(serial.as_deref(), lens_note.as_deref(), now)?;
            }
            CalibrationStep::Views { is_by_itself } => self.taking = Take::Views { is_by_itself },
            CalibrationStep::TakeView => self.take_view_by_hand()?,
            CalibrationStep::DropView { number } => {
                self.views.forget(number)?;
                self.tell_views();
            }
            CalibrationStep::FitLens => {
                self.size()?;
                let views = match self.taking {
                    Take::Views { is_by_itself } => Some(is_by_itself),
                    _ => None,
                };
                self.taking = Take::Fit { views };
            }
            CalibrationStep::Plane { height_mm, is_telecentric } => {
                self.eye.blink();
                self.taking = Take::Plane { height_mm, is_telecentric };
            }
            CalibrationStep::Ruler { from, to, length_mm } => {
                let lens = self.draft.profile().and_then(|profile| profile.lens.as_ref());
                let plane = measured::plane_by_ruler(from.into(), to.into(), length_mm, lens)?;
                self.measured(now, |profile, _| {
                    measured::keep_plane(profile, plane);
                    Ok(())
                })?;
            }
            CalibrationStep::Flat { is_dark, exposure_us, gain_db } => {
                self.begin_flat(is_dark, Exposure { exposure_us, gain_db })?;
            }
            CalibrationStep::Watch { landmark } => {
                self.taking = Take::Watch { landmark, study: None, taken: 0 };
            }
            CalibrationStep::Belt => self.taking = Take::Belt { study: None, taken: 0 },
            CalibrationStep::Leave => self.taking = Take::Nothing,
            CalibrationStep::Accept => return self.accept(by, now),
            CalibrationStep::End => {
                self.draft.forget();
                self.is_over = true;
            }
        }
        Ok(Taken::default())
    }

    fn size(&self) -> Result<SizePx> {
        self.frame_size.context("the camera has given no frame yet")
    }

    fn set_board(&mut self, board: &Board) -> Result<()> {
        let target = measured::target_of(board)?;
        if *board != self.board {
            // Views of another target, or of the same one measured otherwise, are of no use.
            self.views.forget_all();
            self.tell_views();
        }
        self.eye = Eye::new(target);
        self.board = board.clone();
        Ok(())
    }

    fn set_note(&mut self, serial: Option<&str>, lens: Option<&str>, now: Timestamp) -> Result<()> {
        let said = |text: Option<&str>| {
            text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        self.note = Some(CameraNote { serial: said(serial), lens_note: said(lens) });
        if self.frame_size.is_none() {
            return Ok(());
        }
        self.change(now, |_, _| Ok(()))
    }

    fn take_view_by_hand(&mut self) -> Result<()> {
        let Some(observation) = self.eye.newest().cloned() else {
            let why = self.seen.as_ref().and_then(|seen| seen.why.clone());
            return Err(views::NotTaken::Unseen(
                why.unwrap_or_else(|| "the target is not seen".to_owned()),
            )
            .into());
        };
        self.keep_view(observation)
    }

    fn keep_view(&mut self, observation: calibration::target::Observation) -> Result<()> {
        let lens = self.draft.profile().and_then(|profile| profile.lens.as_ref());
        self.views.take(observation, lens)?;
        self.tell_views();
        Ok(())
    }

    fn begin_flat(&mut self, is_dark: bool, exposure: Exposure) -> Result<()> {
        let size = self.size()?;
        if is_dark {
            let bright = self.sheet.as_ref().map(Sheet::exposure);
            let bright = bright.context("show the plain sheet first, then cover the lens")?;
            if bright != exposure {
                bail!(
                    "the sheet was taken at {} µs and {} dB: take darkness at the same",
                    bright.exposure_us,
                    bright.gain_db
                );
            }
        } else {
            self.sheet = Some(Sheet::new(size, exposure)?);
        }
        self.taking = Take::Flat { is_dark, taken: 0 };
        Ok(())
    }

    fn accept(&mut self, by: &str, now: Timestamp) -> Result<Taken> {
        let profile = self.draft.accept(by, now)?;
        self.taking = Take::Nothing;
        self.tell_facts(now);
        let said = format!(
            "{}: accepted; it holds from the next time that a recipe is armed",
            self.shown_as
        );
        Ok(Taken { said: Some(said), profile: Some(profile) })
    }

    /// Fits the lens, after [`CalibrationStep::FitLens`]: seconds.
    ///
    /// # Errors
    /// When the views make none, with what to do.
    pub fn fit(&mut self, now: Timestamp) -> Result<Taken> {
        let fitted = self.try_fit(now);
        self.tell_views();
        if let Take::Fit { views } = self.taking {
            // Nothing is left to better: no more views are looked for.
            let is_done = fitted.is_ok() && self.advice.is_empty();
            self.taking = match views {
                Some(is_by_itself) if !is_done => Take::Views { is_by_itself },
                _ => Take::Nothing,
            };
        }
        self.note_refusal(fitted)
    }

    fn try_fit(&mut self, now: Timestamp) -> Result<Taken> {
        let found = self.views.fit(self.size()?)?;
        self.measured(now, |profile, _| {
            measured::keep_lens(profile, &found);
            Ok(())
        })?;
        Ok(Taken { said: Some(format!("{:.3} px rms", found.rms_px)), profile: None })
    }

    /// Whether a frame exposed at `at` is of use; the others need not be read.
    pub fn wants(&self, at: MonoTime) -> bool {
        self.looked_at.is_none_or(|last| at.since(last) >= self.taking.every())
    }

    /// The camera gives no frames, for this reason. It goes on when there are frames again.
    pub fn is_silent(&mut self, why: &str) {
        self.eye.blink();
        let why = format!("{why}; the calibration goes on when it gives frames again");
        self.seen = Some(self.eye.unseen(HoldsBack::NoTarget, why));
    }

    /// Looks at a frame, which [`Self::wants`] wants.
    pub fn see(&mut self, shot: Shot, now: Timestamp) {
        self.looked_at = Some(shot.at);
        self.serial.clone_from(&shot.says.serial);
        if let Err(error) = self.check_size(shot.size, now) {
            self.refused = Some(error.to_string());
            return;
        }
        let looked = match self.taking.looks_for_a_target() {
            true => self.look(&shot, now),
            false => self.take(shot, now),
        };
        if looked.is_err() {
            // What it has taken so far is of no use without the rest.
            self.taking = Take::Nothing;
        }
        // It is shown; a frame has nobody else to tell.
        let _ = self.note_refusal(looked);
    }

    /// One size a session: that of its first frame.
    fn check_size(&mut self, size: SizePx, now: Timestamp) -> Result<()> {
        match self.frame_size {
            Some(before) if before == size => return Ok(()),
            Some(before) => {
                return Err(anyhow!(
                    "the camera gives {size} pixels now and gave {before} before: set it back, or \
                     end the calibration and begin again"
                ));
            }
            None => self.frame_size = Some(size),
        }
        let made = self.draft.profile().map(|profile| profile.size);
        if let Some(made) = made.filter(|made| *made != size) {
            self.draft.begin_anew(size, now);
            self.tell_facts(now);
            self.refused = Some(format!(
                "the profile was made at {made} pixels, the camera gives {size}: everything is \
                 measured anew"
            ));
        }
        Ok(())
    }

    fn look(&mut self, shot: &Shot, now: Timestamp) -> Result<()> {
        let look = self.eye.look(&shot.picture()?);
        let moving = (!look.is_still).then_some(HoldsBack::Moving);
        let holds_back = match self.taking {
            Take::Views { .. } => self.views.holds_back(&look),
            _ => moving,
        };
        self.seen = Some(self.eye.shown(&look, holds_back.filter(|_| look.found.is_ok())));
        let Ok(observation) = look.found else { return Ok(()) };
        match self.taking {
            Take::Views { is_by_itself: true } if holds_back.is_none() => {
                self.keep_view(observation)
            }
            Take::Plane { height_mm, is_telecentric } if holds_back.is_none() => {
                let lens = self.draft.profile().and_then(|profile| profile.lens.as_ref());
                // No height: measured on the belt itself, which needs no lens.
                let height_mm = Some(height_mm).filter(|height| *height != 0.0);
                let plane = measured::plane_of(&observation, lens, is_telecentric, height_mm)?;
                self.taking = Take::Nothing;
                self.measured(now, |profile, _| {
                    measured::keep_plane(profile, plane);
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }

    /// A frame of those that are averaged.
    fn take(&mut self, shot: Shot, now: Timestamp) -> Result<()> {
        self.seen = None;
        let size = shot.size;
        let is_full = match &mut self.taking {
            Take::Flat { is_dark, taken } => {
                let sheet = self.sheet.as_mut().context("show the plain sheet first")?;
                if *is_dark {
                    sheet.dark(&shot)?
                } else {
                    sheet.bright(shot)?
                }
                *taken += 1;
                *taken == if *is_dark { DARK } else { BRIGHT }
            }
            Take::Watch { landmark, study, taken } => {
                takes::watch(study, *landmark, &shot)?;
                *taken += 1;
                *taken == WATCH
            }
            Take::Belt { study, taken } => {
                takes::belt(study, &shot)?;
                *taken += 1;
                *taken == BELT
            }
            _ => false,
        };
        if is_full { self.finish(size, now) } else { Ok(()) }
    }

    /// Makes something of the frames that were taken.
    fn finish(&mut self, size: SizePx, now: Timestamp) -> Result<()> {
        match std::mem::replace(&mut self.taking, Take::Nothing) {
            Take::Flat { .. } => {
                let sheet = self.sheet.as_ref().context("show the plain sheet first")?;
                let (flat, even) = sheet.finish()?;
                self.measured(now, |profile, folder| {
                    Ok(profile.keep_flat_field(folder, &flat, even.after_percent / 100.0)?)
                })
            }
            Take::Watch { study, .. } => {
                let baseline = takes::watched(study, size)?;
                self.measured(now, |profile, folder| Ok(profile.keep_baseline(folder, &baseline)?))
            }
            Take::Belt { study, .. } => {
                let place = self.draft.profile().and_then(measured::place_mm);
                let place = place.as_ref().map(|place| place as _);
                let motion = takes::moved(study.as_deref(), size, place)?;
                self.measured(now, |profile, _| {
                    measured::keep_belt(profile, motion);
                    Ok(())
                })
            }
            _ => Ok(()),
        }
    }

    /// Changes the draft by something that was measured now.
    fn measured(
        &mut self,
        now: Timestamp,
        change: impl FnOnce(&mut Profile, &Path) -> Result<()>,
    ) -> Result<()> {
        self.change(now, |profile, folder| {
            profile.made_at = now;
            change(profile, folder)
        })
    }

    fn change(
        &mut self,
        now: Timestamp,
        change: impl FnOnce(&mut Profile, &Path) -> Result<()>,
    ) -> Result<()> {
        let (size, note, serial) = (self.size()?, self.note.clone(), self.serial.clone());
        self.draft.change(size, now, |profile, folder| {
            if let Some(note) = note {
                profile.camera = note;
            }
            // What the camera says is what it will be held against.
            profile.camera.serial = serial.or_else(|| profile.camera.serial.take());
            change(profile, folder)
        })?;
        self.tell_facts(now);
        Ok(())
    }

    fn tell_facts(&mut self, now: Timestamp) {
        let facts = match self.draft.profile() {
            Some(profile) => {
                let objections = self.draft.objections(now);
                facts_of(profile, self.draft.maps(), &self.shown_as, objections)
            }
            None => facts_of_nothing(&self.shown_as),
        };
        self.facts = Arc::new(facts);
    }

    fn tell_views(&mut self) {
        self.view_facts = self.views.facts();
        self.coverage = self.views.coverage();
        self.advice = self.views.advice();
    }
}

/// Where a camera's profile is made when the station file names no folder.
pub fn usual_folder(station: &Path, camera: &str) -> PathBuf {
    station.parent().unwrap_or(Path::new("")).join("calibration").join(camera)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
