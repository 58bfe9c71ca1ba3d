//! Calibrating at the screen, from the first step to the profile in force, through the socket: who
//! may, what is written down, what the line's parts are meanwhile, and what becomes of it when
//! something is in the way.

#[path = "tests/cell.rs"]
mod cell;

use std::sync::atomic::Ordering;

use calibration::Profile;
use domain::{Command, PointPx, Role, SizePx};
use serde_json::Value;
use ui::calibrating::{Advice, Taking};
use ui::{Answer, Refusal};

use super::*;
use cell::{Cell, FOCAL_PX, Prop, SIZE};

fn dark(size: SizePx) -> Option<(SizePx, Vec<u8>)> {
    Some((size, vec![40; usize::try_from(size.area()).unwrap()]))
}

/// Something to measure by that needs no target: 200 pixels are `length_mm`.
fn ruler(length_mm: f64) -> CalibrationStep {
    let from = PointPx { x: 100.0, y: 240.0 };
    CalibrationStep::Ruler { from, to: PointPx { x: 300.0, ..from }, length_mm }
}

fn steps_of(audit: &[(Option<PersonId>, Value)]) -> Vec<&str> {
    audit.iter().map(|(_, detail)| detail["step"].as_str().unwrap()).collect()
}

/// Views, taken as they come, until they are enough; then the lens and the plane.
fn measure(cell: &mut Cell, prop: &Prop) {
    cell.steps(CalibrationStep::Views { is_by_itself: true });
    for view in 0..12 {
        cell.show(Some((SIZE, prop.in_hand(view))));
        cell.until_it("a view more", |it| it.views.len() > view as usize);
    }
    let before = cell.until_it("views", |it| it.views.len() == 12);
    assert!(!before.advice.iter().any(|it| matches!(it, Advice::More(_))), "{:?}", before.advice);
    cell.steps(CalibrationStep::FitLens);
    let fitted = cell.until_it("a lens", |it| it.draft.lens.is_some());
    let lens = fitted.draft.lens.as_ref().unwrap();
    assert!((lens.focal_px[0].0 / FOCAL_PX - 1.0).abs() < 0.005, "{lens:?}");
    assert!(fitted.views[0].rms_px.is_some() && !fitted.residuals.is_empty());

    cell.show(Some((SIZE, prop.on_belt())));
    cell.steps(CalibrationStep::Plane { height_mm: 0.0, is_telecentric: false });
    let placed = cell.until_it("a plane", |it| it.draft.plane.is_some());
    let scale = placed.draft.plane.unwrap().mm_per_px;
    assert!((scale / (430.0 / FOCAL_PX) - 1.0).abs() < 0.02, "{scale}");
    assert_eq!((placed.taking, &placed.draft.objections), (Taking::Nothing, &vec![]));
}

#[test]
fn a_camera_is_calibrated_at_the_screen_and_accepted() {
    let mut cell = Cell::new(true);
    let known = cell.until("profiles", |news| !news.calibrations.is_empty());
    let profile = known.calibrations[0].profile.as_ref().unwrap();
    assert!(profile.objections[0].contains("there is no profile in it yet"), "{profile:?}");
    cell.log_in(Role::Engineer);
    cell.steps(CalibrationStep::Begin);
    assert!(cell.still.lost().unwrap().contains("being calibrated"));
    let lost = cell.until("undecided", |news| news.calibrations[0].lost.is_some());
    assert!(lost.calibrations[0].lost.as_ref().unwrap().contains("being calibrated"));
    assert_eq!(cell.counters.events()["calibration_lost"], 1);

    measure(&mut cell, &Prop::new());
    assert!(!cell.is_anew.load(Ordering::Acquire));
    let Answer::Said(said) = cell.step(CalibrationStep::Accept) else { panic!("not accepted") };
    assert!(said.contains("accepted") && said.ends_with("armed: start the line"), "{said}");
    assert!(cell.is_anew.load(Ordering::Acquire), "the line knows");
    let news = cell.news();
    let told = news.calibrations[0].profile.as_ref().unwrap();
    let engineer = cell.person(Role::Engineer);
    assert_eq!(told.accepted.as_ref().unwrap().0, engineer.as_str());
    assert!(told.objections.is_empty() && told.plane.is_some(), "{told:?}");
    assert!(news.calibrating.unwrap().draft.accepted.is_some());
    cell.steps(CalibrationStep::End);
    let news = cell.news();
    assert!(news.calibrating.is_none() && news.calibrations[0].lost.is_some());
    let waits = cell.still.lost().unwrap();
    assert!(waits.contains("select a recipe"), "the former may be wrong: {waits}");
    cell.still.forget();
    assert_eq!(cell.still.lost(), None, "armed");

    let profile = Profile::read(&cell.folder.path().join("calibration/top")).unwrap();
    assert!(profile.lens.is_some() && profile.plane.is_some());
    assert_eq!(profile.accepted.as_ref().unwrap().by, engineer.as_str());
    let audit = cell.audit();
    assert_eq!(steps_of(&audit), ["begin", "fit_lens", "plane", "accept", "end"]);
    assert!(audit.iter().all(|(by, it)| *by == Some(engineer.clone()) && it["camera"] == "top"));
    assert_eq!(audit[3].1["profile"], profile.content_hash().to_string());
}

#[test]
fn who_may_not_does_not() {
    let mut cell = Cell::new(true);
    let begin = || CalibrationStep::Begin;
    assert_eq!(cell.step(begin()), Answer::Refused(Refusal::LogInFirst));
    cell.log_in(Role::Operator);
    assert_eq!(cell.step(begin()), Answer::Refused(Refusal::Needs(Role::Engineer)));
    cell.log_in(Role::Engineer);
    cell.plc_holds.store(true, Ordering::Release);
    assert_eq!(cell.step(begin()), Answer::Refused(Refusal::PlcHolds));
    assert_eq!((cell.still.lost(), cell.audit()), (None, vec![]));
    cell.plc_holds.store(false, Ordering::Release);
    let early = cell.step(CalibrationStep::Leave);
    let Answer::Refused(Refusal::Failed(why)) = early else { panic!("{early:?}") };
    assert!(why.contains("begin first"), "{why}");
    let side = Command::Calibrate { camera: CameraId::new("side"), step: begin() };
    let Answer::Refused(Refusal::Failed(why)) = cell.ask(side.clone()) else { panic!("begun") };
    assert!(why.contains("there is no camera `side`"), "{why}");

    cell.show(dark(SIZE));
    cell.steps(begin());
    let Answer::Refused(Refusal::Failed(why)) = cell.ask(side) else { panic!("begun") };
    assert!(why.contains("`top` is being calibrated"), "{why}");
    // What a step is refused for is shown where people look, too.
    let Answer::Refused(Refusal::Failed(why)) = cell.step(CalibrationStep::DropView { number: 7 })
    else {
        panic!("there is none")
    };
    assert_eq!(cell.news().calibrating.unwrap().refused, Some(why));
    cell.until_it("a frame", |it| it.frame_size.is_some());
    cell.steps(ruler(50.0));
    cell.plc_holds.store(true, Ordering::Release);
    assert_eq!(cell.step(CalibrationStep::Accept), Answer::Refused(Refusal::PlcHolds));
    cell.log_in(Role::Operator);
    assert_eq!(cell.step(CalibrationStep::End), Answer::Refused(Refusal::Needs(Role::Engineer)));
    assert!(cell.news().calibrating.is_some(), "it goes on");
    cell.log_in(Role::Engineer);
    cell.steps(CalibrationStep::End);
    assert_eq!(steps_of(&cell.audit()), ["begin", "ruler", "end"]);
}

#[test]
fn whoever_goes_away_leaves_the_line_as_it_was_and_a_draft() {
    let mut cell = Cell::new(true);
    cell.log_in(Role::Engineer);
    cell.show(dark(SIZE));
    cell.steps(CalibrationStep::Begin);
    cell.until_it("a frame", |it| it.frame_size.is_some());
    cell.steps(ruler(50.0));
    assert!(matches!(cell.step(CalibrationStep::Accept), Answer::Said(_)));
    let accepted = cell.profile();
    // Armed.
    cell.still.forget();

    // Nobody touches it any more.
    cell.later(Duration::from_secs(29 * 60));
    cell.steps(ruler(60.0));
    cell.later(Duration::from_secs(29 * 60));
    cell.until_it("half an hour from the last step on", |it| it.draft.plane.is_some());
    assert!(cell.still.lost().is_some());
    cell.later(Duration::from_secs(60));
    cell.until("left", |news| news.calibrating.is_none());
    assert_eq!((cell.still.lost(), cell.profile()), (None, accepted.clone()));
    let half = |news: &ui::News| news.calibrating.as_ref()?.draft.plane.map(|it| it.mm_per_px);
    cell.steps(CalibrationStep::Begin);
    assert!((half(&cell.news()).unwrap() - 0.3).abs() < 1e-6, "the draft is taken up again");

    // The screen is another one.
    cell.to_clerk.send(super::super::clerk::Inbox::NewScreen).unwrap();
    cell.until("left", |news| news.calibrating.is_none() && news.who.is_none());
    assert_eq!(cell.still.lost(), None);

    // The program goes, and comes again.
    cell.log_in(Role::Engineer);
    cell.steps(CalibrationStep::Begin);
    let audit = cell.audit();
    let left: Vec<_> =
        audit.iter().filter_map(|(by, it)| Some((by, it["why"].as_str()?))).collect();
    let whys = ["nobody has touched it for 30 minutes", "the screen was closed"];
    assert_eq!(left, whys.map(|why| (&None, why)));
    let still = Arc::clone(&cell.still);
    let mut cell = cell.again();
    assert_eq!((still.lost(), cell.profile()), (None, accepted.clone()));
    cell.log_in(Role::Engineer);
    cell.later(Duration::from_secs(2 * 60 * 60));
    cell.steps(CalibrationStep::Begin);
    assert!((half(&cell.news()).unwrap() - 0.3).abs() < 1e-6);
    cell.steps(CalibrationStep::End);
    cell.steps(CalibrationStep::Begin);
    assert!((half(&cell.news()).unwrap() - 0.25).abs() < 1e-6, "what was ended is forgotten");
    assert_eq!(cell.profile(), accepted);
}

#[test]
fn a_camera_that_is_silent_or_gives_another_size_is_told() {
    let mut cell = Cell::new(false);
    cell.log_in(Role::Engineer);
    assert!(cell.news().calibrations.iter().all(|it| it.profile.is_none()), "none is named");
    cell.steps(CalibrationStep::Begin);
    assert_eq!(cell.news().calibrating.unwrap().seen, None);
    cell.later(Duration::from_secs(2));
    let why = |it: &ui::calibrating::Calibrating| it.seen.as_ref().and_then(|it| it.why.clone());
    let said = |word: &'static str| {
        move |it: &ui::calibrating::Calibrating| why(it).is_some_and(|why| why.contains(word))
    };
    cell.until_it("the line is off", said("the line is off"));
    cell.counters.set_state(domain::LineState::Running);
    cell.until_it("silent", said("`top` has given no frame for 2 s"));
    cell.show(dark(SIZE));
    let seen = cell.until_it("a frame", |it| it.frame_size == Some(SIZE));
    assert!(!why(&seen).unwrap().contains("no frame"), "{seen:?}");
    cell.steps(ruler(50.0));
    cell.show(dark(SizePx::new(320, 240)));
    let refuses = |it: &ui::calibrating::Calibrating| {
        it.refused.as_ref().is_some_and(|why| why.contains("320x240") && why.contains("640x480"))
    };
    let shrunk = cell.until_it("another size", refuses);
    assert!(shrunk.draft.plane.is_some(), "what was measured stays");
    cell.show(None);
    // The last frame may still be on its way.
    let is_silent = said("no frame");
    cell.until_later("silent again", |it| is_silent(it));
}
