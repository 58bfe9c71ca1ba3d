//! A camera is calibrated step by step, on rendered pictures; and whatever a person does wrong is
//! said.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use calibration::profile::PROFILE_FILE;
use domain::{BoardKind, PointPx};
use tempfile::TempDir;
use testdata::camera::{Camera, Sheet as Printed};
use ui::calibrating::Taking;

use super::*;

use crate::modes::calibrate::printed as board;
use board::SIZE;

/// A session, and the camera that it looks through.
struct Trial {
    dir: TempDir,
    session: Session,
    board: Printed,
    ms: u64,
}

impl Trial {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let session = begin(&dir.path().join("top"));
        Self { dir, session, board: board::board(), ms: 0 }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("top")
    }

    /// The program was killed, and somebody begins again.
    fn killed(self) -> Self {
        let session = begin(&self.folder());
        Self { session, ..self }
    }

    fn step(&mut self, step: CalibrationStep) -> Taken {
        self.session.step(&step, "ann", now()).unwrap()
    }

    /// A step that is refused: what is said of it, which the screen shows too.
    fn refused(&mut self, step: CalibrationStep) -> String {
        let said = format!("{:#}", self.session.step(&step, "ann", now()).unwrap_err());
        assert_eq!(self.session.shown().refused.as_ref(), Some(&said));
        said
    }

    /// The camera shows this `times` times, as far apart as they are wanted.
    fn shows(&mut self, times: u32, mut luma: impl FnMut(u32) -> Vec<u8>) {
        for time in 0..times {
            self.ms += 500;
            let at = mono(self.ms);
            assert!(self.session.wants(at));
            self.session.see(Shot::example(SIZE, at, luma(time)), now());
        }
    }

    /// The board is held before the camera, still.
    fn holds(&mut self, camera: &Camera) {
        let luma = board::seen(&self.board, camera, self.ms);
        self.shows(2, |_| luma.clone());
    }

    fn views(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.holds(&board::view(number));
        }
    }

    fn shown(&self) -> Calibrating {
        self.session.shown()
    }

    fn holds_back(&self) -> Option<HoldsBack> {
        self.shown().seen.unwrap().holds_back
    }
}

fn begin(folder: &Path) -> Session {
    Session::begin(CameraId::new("top"), folder, now()).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn mono(ms: u64) -> MonoTime {
    MonoTime { ns: ms * 1_000_000 }
}

/// A plain picture of this grey.
fn grey(value: u8) -> Vec<u8> {
    vec![value; 640 * 480]
}

/// The belt with parts on it, `shift` pixels further on.
fn belt(shift: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let (slot, along) = ((x + 6400 - shift) / 90, (x + 6400 - shift) % 90);
        let across = 200 + slot % 5 * 17;
        if along < 30 + slot % 4 * 8 && y.abs_diff(across) < 40 { 180 } else { 70 }
    };
    (0..480).flat_map(|y| (0..640).map(move |x| pixel(x, y))).collect()
}

const BY_ITSELF: CalibrationStep = CalibrationStep::Views { is_by_itself: true };
const PLANE: CalibrationStep = CalibrationStep::Plane { height_mm: 0.0, is_telecentric: false };

fn flat(is_dark: bool) -> CalibrationStep {
    CalibrationStep::Flat { is_dark, exposure_us: 400.0, gain_db: 0.0 }
}

#[test]
fn a_camera_is_calibrated_from_the_first_view_until_it_is_in_force() {
    let mut trial = Trial::new();
    trial.step(CalibrationStep::Note { serial: Some("S1".to_owned()), lens_note: None });
    trial.step(BY_ITSELF);
    assert_eq!(trial.shown().advice, [Advice::More(12)]);
    trial.views(0..12);
    let shown = trial.shown();
    assert_eq!(shown.views.len(), 12, "{:?}", shown.seen);
    assert!(shown.coverage.iter().flatten().all(|views| *views > 0), "{:?}", shown.coverage);
    assert_eq!(shown.advice, [Advice::Fit]);
    assert!(shown.views.iter().all(|view| view.outline.len() == 4 && view.rms_px.is_none()));

    trial.step(CalibrationStep::FitLens);
    assert!(trial.session.is_fitting() && trial.shown().taking == Taking::Fit);
    trial.session.fit(now()).unwrap();
    let shown = trial.shown();
    let lens = shown.draft.lens.clone().unwrap();
    assert!((lens.focal_px[0].0 / board::FOCAL_PX - 1.0).abs() < 0.005, "{lens:?}");
    assert!(lens.rms_px < 0.2 && lens.rms_px < lens.rms_limit_px, "{lens:?}");
    assert!(shown.residuals.len() > 400 && shown.advice.is_empty(), "{:?}", shown.advice);
    assert!(shown.views.iter().all(|view| view.rms_px.unwrap() < 0.3 && !view.is_left_out));
    assert_eq!(shown.taking, Taking::Nothing, "no more views are needed");
    assert!(shown.draft.objections.iter().any(|it| it.contains("plane")), "{:?}", shown.draft);

    trial.step(PLANE);
    trial.holds(&board::over_the_belt());
    assert_eq!(trial.shown().taking, Taking::Nothing, "found: {:?}", trial.shown());
    let plane = trial.shown().draft.plane.unwrap();
    assert!((plane.mm_per_px / (430.0 / board::FOCAL_PX) - 1.0).abs() < 0.02, "{plane:?}");

    trial.step(flat(false));
    trial.shows(BRIGHT - 1, |n| board::plain_sheet(n.into()));
    let taken = Taking::Flat { is_dark: false, taken: BRIGHT - 1, of: BRIGHT };
    assert_eq!(trial.shown().taking, taken);
    trial.shows(1, |_| board::plain_sheet(99));
    assert!(trial.shown().draft.flat.unwrap().residual < 0.01, "{:?}", trial.shown());
    trial.step(flat(true));
    trial.shows(DARK, |n| grey(2 + u8::try_from(n % 2).unwrap()));
    assert_eq!(trial.shown().taking, Taking::Nothing, "{:?}", trial.shown().refused);

    trial.step(CalibrationStep::Belt);
    trial.shows(BELT, |n| belt(7 * n));
    let belt = trial.shown().draft.belt.unwrap();
    assert!(belt.is_mm && belt.direction_deg.abs() < 3.0, "{belt:?}");
    // 7 pixels in half a second.
    assert!((belt.speed.0 / (14.0 * plane.mm_per_px) - 1.0).abs() < 0.05, "{belt:?}");

    assert!(!trial.folder().exists(), "nothing is in force before it is accepted");
    let taken = trial.step(CalibrationStep::Accept);
    let profile = Profile::read(&trial.folder()).unwrap();
    assert_eq!(taken.profile, Some(profile.content_hash()));
    assert_eq!(profile.accepted.as_ref().map(|it| it.by.as_str()), Some("ann"));
    assert_eq!(profile.camera.serial.as_deref(), Some("S1"));
    assert!(profile.flat_field(&trial.folder()).unwrap().is_some());
    trial.step(CalibrationStep::End);
    assert!(trial.session.is_over());
    assert_eq!(fs::read_dir(trial.dir.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn what_the_camera_says_of_itself_is_believed() {
    let mut trial = Trial::new();
    trial.step(CalibrationStep::Note { serial: Some("typed".to_owned()), lens_note: None });
    let mut shot = Shot::example(SIZE, mono(1), board::plain_sheet(1));
    shot.says.serial = Some("DA1".to_owned());
    shot.says.exposure = Some(Exposure { exposure_us: 800.0, gain_db: 0.0 });
    trial.session.see(shot.clone(), now());
    trial.step(CalibrationStep::Note { serial: Some("typed".to_owned()), lens_note: None });
    assert_eq!(trial.shown().draft.serial.as_deref(), Some("DA1"));

    trial.step(flat(false));
    trial.session.see(shot, now());
    let refused = trial.shown().refused.unwrap();
    assert!(refused.contains("800 µs") && refused.contains("400 µs"), "{refused}");
}

#[test]
fn good_pictures_are_remembered() {
    let mut trial = Trial::new();
    trial.step(CalibrationStep::Watch { landmark: None });
    trial.shows(1, |_| belt(0));
    let soon = mono(trial.ms + 499);
    assert!(!trial.session.wants(soon), "parts have not moved on");
    trial.shows(WATCH - 1, |n| belt(31 * n));
    assert!(trial.shown().draft.is_watched, "{:?}", trial.shown().refused);

    let landmark = domain::RectPx::new(600, 400, 64, 64);
    trial.step(CalibrationStep::Watch { landmark: Some(landmark) });
    trial.shows(1, |_| belt(0));
    let refused = trial.shown().refused.unwrap();
    assert!(refused.contains("landmark") && refused.contains("640"), "{refused}");
    assert_eq!(trial.shown().taking, Taking::Nothing);
}

#[test]
fn a_view_is_taken_by_itself_only_when_it_is_still_and_says_something_new() {
    let mut trial = Trial::new();
    trial.step(BY_ITSELF);
    let moving: Vec<_> =
        [0, 1].map(|n| board::seen(&trial.board, &board::view(n), 1)).into_iter().collect();
    trial.shows(2, |n| moving[n as usize].clone());
    assert_eq!((trial.holds_back(), trial.shown().views.len()), (Some(HoldsBack::Moving), 0));
    trial.shows(1, |_| moving[1].clone());
    assert_eq!(trial.shown().views.len(), 1);
    trial.shows(1, |_| moving[1].clone());
    assert_eq!(trial.holds_back(), Some(HoldsBack::AlreadyTaken));
    trial.shows(1, |_| grey(90));
    let seen = trial.shown().seen.unwrap();
    assert!(seen.points.is_empty() && seen.why.is_some(), "{seen:?}");

    // By hand everything is taken that can be seen.
    assert!(trial.refused(CalibrationStep::TakeView).contains(&seen.why.unwrap()));
    trial.shows(1, |_| moving[1].clone());
    trial.step(CalibrationStep::TakeView);
    assert_eq!(trial.shown().views.len(), 2);
    trial.step(CalibrationStep::DropView { number: 2 });
    assert!(trial.refused(CalibrationStep::DropView { number: 2 }).contains("no view 2"));
    trial.step(CalibrationStep::TakeView);
    let numbers: Vec<_> = trial.shown().views.iter().map(|view| view.number).collect();
    assert_eq!(numbers, [1, 3], "no number is given twice");
}

#[test]
fn too_few_views_and_another_board_are_refused() {
    let mut trial = Trial::new();
    assert!(trial.refused(CalibrationStep::FitLens).contains("no frame yet"));
    trial.step(BY_ITSELF);
    trial.views(0..3);
    trial.step(CalibrationStep::FitLens);
    let error = trial.session.fit(now()).unwrap_err().to_string();
    assert!(error.contains('3') && error.contains('8'), "{error}");
    assert_eq!(trial.shown().refused, Some(error));
    assert_eq!(trial.shown().taking, Taking::Views { is_by_itself: true });

    let board = Board { columns: 9, ..Board::default() };
    trial.step(CalibrationStep::Board { board });
    assert!(trial.shown().views.is_empty(), "views of another board are of no use");
    trial.views(3..4);
    let seen = trial.shown().seen.unwrap();
    assert!(seen.points.is_empty() || seen.holds_back.is_some(), "{seen:?}");
    let board = Board { kind: BoardKind::Chessboard, columns: 1, ..Board::default() };
    trial.refused(CalibrationStep::Board { board });
}

#[test]
fn whoever_is_interrupted_goes_on_where_they_were_and_what_is_in_force_stays_whole() {
    let mut trial = Trial::new();
    trial.shows(1, |_| grey(90));
    let ruler = |to| {
        let at = |x| PointPx { x, y: 240.0 };
        CalibrationStep::Ruler { from: at(0.0), to: at(to), length_mm: 100.0 }
    };
    trial.step(ruler(400.0));
    trial.step(CalibrationStep::Accept);
    let in_force = fs::read(trial.folder().join(PROFILE_FILE)).unwrap();

    let mut trial = trial.killed();
    trial.shows(1, |_| grey(90));
    trial.step(ruler(500.0));
    let trial = trial.killed();
    let plane = trial.shown().draft.plane.unwrap();
    assert!((plane.mm_per_px - 0.2).abs() < 1e-9, "the draft is taken up: {plane:?}");
    assert!(trial.shown().draft.accepted.is_none());
    assert_eq!(fs::read(trial.folder().join(PROFILE_FILE)).unwrap(), in_force);

    let mut trial = trial;
    trial.step(CalibrationStep::End);
    let trial = trial.killed();
    let plane = trial.shown().draft.plane.unwrap();
    assert!((plane.mm_per_px - 0.25).abs() < 1e-9, "what was not accepted is forgotten: {plane:?}");
}

#[test]
fn a_plane_without_a_lens_is_accepted_only_by_a_ruler_and_what_is_missing_is_said() {
    let mut trial = Trial::new();
    let nothing = trial.refused(CalibrationStep::Accept);
    assert!(nothing.contains("fit the lens") && nothing.contains("plane"), "{nothing}");
    trial.shows(1, |_| grey(90));
    let same = PointPx { x: 5.0, y: 5.0 };
    trial.refused(CalibrationStep::Ruler { from: same, to: same, length_mm: 10.0 });
    assert!(!trial.dir.path().join("top.draft").join(PROFILE_FILE).exists());
    assert!(trial.refused(CalibrationStep::Accept).contains("nothing was measured"));
}

#[test]
fn what_the_gate_may_rest_on_is_not_lost_by_the_way() {
    let mut trial = Trial::new();
    trial.shows(1, |_| grey(90));
    let at = |x| PointPx { x, y: 240.0 };
    let ruler = || CalibrationStep::Ruler { from: at(0.0), to: at(400.0), length_mm: 100.0 };
    trial.step(ruler());
    trial.step(CalibrationStep::Accept);
    let mut profile = Profile::read(&trial.folder()).unwrap();
    let measured = |value| calibration::belt::Measured { value, std_error: 0.001 };
    profile.belt = Some(calibration::belt::BeltMotion {
        px_per_s: measured(400.0),
        mm_per_s: Some(measured(100.0)),
        direction_deg: measured(0.0),
        px_per_count: Some(measured(0.8)),
        mm_per_count: Some(measured(0.2)),
        residual_px: 0.1,
        pairs_used: 9,
        pairs: 9,
        pairs_still: 0,
        pairs_odd: 0,
    });
    profile.accept("ann", calibration::AcceptLimits::default(), now()).unwrap();
    profile.write(&trial.folder()).unwrap();

    let mut trial = trial.killed();
    trial.shows(1, |_| grey(90));
    trial.step(ruler());
    let objections = trial.shown().draft.objections.clone();
    assert!(objections[0].contains("measure the belt's motion again"), "{objections:?}");
    assert_eq!(trial.refused(CalibrationStep::Accept), objections[0]);
    assert!(Profile::read(&trial.folder()).unwrap().belt.is_some(), "what is in force stays");
}

#[test]
fn darkness_belongs_to_a_sheet_of_the_same_exposure() {
    let mut trial = Trial::new();
    assert!(trial.refused(flat(false)).contains("no frame yet"));
    trial.shows(1, |_| grey(90));
    assert!(trial.refused(flat(true)).contains("sheet first"));
    trial.step(flat(false));
    let longer = CalibrationStep::Flat { is_dark: true, exposure_us: 900.0, gain_db: 0.0 };
    let refused = trial.refused(longer);
    assert!(refused.contains("400 µs"), "{refused}");

    // A sheet that is no sheet ends it.
    trial.step(flat(false));
    trial.shows(BRIGHT, |n| grey(if n % 2 == 0 { 255 } else { 250 }));
    let shown = trial.shown();
    assert!(shown.refused.is_some() && shown.draft.flat.is_none(), "{shown:?}");
    assert_eq!(shown.taking, Taking::Nothing);
}

#[test]
fn a_belt_that_stands_still_and_a_camera_that_is_gone_are_named() {
    let mut trial = Trial::new();
    trial.step(CalibrationStep::Belt);
    trial.shows(BELT, |_| belt(0));
    let refused = trial.shown().refused.unwrap();
    assert!(refused.contains("stands still") || refused.contains("still"), "{refused}");
    trial.step(CalibrationStep::Leave);
    assert_eq!(trial.shown().refused, None, "gone with the next step");
    trial.session.is_silent("top: no frames for 2 s");
    let why = trial.shown().seen.unwrap().why.unwrap();
    assert!(why.contains("no frames for 2 s") && why.contains("goes on"), "{why}");
}

#[test]
fn a_camera_that_is_set_to_another_size_is_told_and_measured_anew() {
    let mut trial = Trial::new();
    trial.shows(1, |_| grey(90));
    let smaller = SizePx::new(320, 240);
    let shot = Shot::example(smaller, mono(9_000), vec![0; 320 * 240]);
    trial.session.see(shot, now());
    let refused = trial.shown().refused.unwrap();
    assert!(refused.contains("320") && refused.contains("640"), "{refused}");

    let at = |x| PointPx { x, y: 9.0 };
    trial.step(CalibrationStep::Ruler { from: at(0.0), to: at(100.0), length_mm: 10.0 });
    trial.step(CalibrationStep::Accept);
    let mut trial = trial.killed();
    let shot = Shot::example(smaller, mono(9_000), vec![0; 320 * 240]);
    trial.session.see(shot, now());
    let shown = trial.shown();
    assert!(shown.refused.unwrap().contains("measured anew"));
    assert!(shown.draft.plane.is_none());
    assert!(Profile::read(&trial.folder()).unwrap().plane.is_some(), "what is in force stays");
}

#[test]
fn looks_are_as_often_as_what_is_done_needs() {
    let mut trial = Trial::new();
    trial.shows(1, |_| grey(90));
    let after = |ms: u64| mono(500 + ms);
    assert!(!trial.session.wants(after(499)) && trial.session.wants(after(500)));
    trial.step(BY_ITSELF);
    assert!(trial.session.wants(after(1)), "at once after a step");
    trial.session.see(Shot::example(SIZE, after(1), grey(90)), now());
    assert!(!trial.session.wants(after(100)) && trial.session.wants(after(101)));
    assert_eq!(Duration::ZERO, Take::Belt { study: None, taken: 0 }.every());
}
