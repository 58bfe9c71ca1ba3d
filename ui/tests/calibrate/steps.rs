//! The steps, as a person takes them.

use super::*;

#[test]
fn a_board_is_what_a_caliper_says() {
    let mut hand = Hand::at(Scene::Begun);
    hand.harness.get_by_label("This board is looked for");
    hand.write("Squares across", "5");
    hand.write("Square, mm", "24.93");
    hand.tap("Family after");
    hand.tap("Use this board");
    let board = Board {
        columns: 5,
        square_mm: 24.93,
        dictionary: "4x4_100".to_owned(),
        ..Board::default()
    };
    assert_eq!(hand.steps(), [CalibrationStep::Board { board: board.clone() }]);
    hand.change(|it| it.board = board);
    hand.harness.get_by_label("This board is looked for");
    hand.tap("Chessboard");
    assert!(!hand.has("Family of markers"));
    assert!(hand.has("Corners across"));
}

#[test]
fn camera_and_lens_are_noted() {
    let mut hand = Hand::at(Scene::Begun);
    assert!(hand.is_off("Keep the note"));
    for (field, text) in [("Serial number", " DA1234567"), ("Lens and setting", "25 mm f/4")] {
        hand.harness.get_by_role_and_label(Kind::TextInput, field).focus();
        hand.harness.run_steps(2);
        hand.harness.get_by_role_and_label(Kind::TextInput, field).type_text(text);
        hand.harness.run_steps(3);
    }
    hand.tap("Keep the note");
    let serial = Some("DA1234567".to_owned());
    let lens_note = Some("25 mm f/4".to_owned());
    assert_eq!(hand.steps(), [CalibrationStep::Note { serial, lens_note }]);
}

#[test]
fn views_are_taken_dropped_and_fitted() {
    let mut hand = Hand::at(Scene::Collecting);
    hand.tap("By hand");
    hand.change(|it| it.taking = Taking::Views { is_by_itself: false });
    hand.tap("Take this view");
    hand.tap("Drop view 3");
    hand.tap("Compute the lens");
    hand.tap("Stop");
    let steps = [
        CalibrationStep::Views { is_by_itself: false },
        CalibrationStep::TakeView,
        CalibrationStep::DropView { number: 3 },
        CalibrationStep::FitLens,
        CalibrationStep::Leave,
    ];
    assert_eq!(hand.steps(), steps);
}

#[test]
fn nothing_is_asked_for_while_a_lens_is_computed() {
    let mut hand = Hand::with(Scene::Fitted, |it| it.taking = Taking::Fit);
    assert!(hand.has("Computing …"));
    assert!(hand.is_off("Compute the lens") && hand.is_off("Look for views"));
    hand.key(Key::Num4);
    assert!(hand.is_off("Bright sheet"));
    hand.key(Key::Num7);
    assert!(hand.is_off("Accept"));
}

#[test]
fn the_guide_says_what_to_do_next_and_what_holds_back() {
    let mut hand = Hand::at(Scene::Collecting);
    hand.harness.get_by_label("Hold the board down right · 5 / 8 views · Hold still");
    assert!(hand.has("Then: Tilt the board more"));
    hand.change(|it| {
        it.advice = vec![Advice::Retake(4), Advice::Fit];
        it.seen.as_mut().unwrap().holds_back = None;
    });
    hand.harness.get_by_label("Take view 4 again · 5 / 8 views · Good: taken");
    hand.change(|it| it.seen.as_mut().unwrap().holds_back = Some(HoldsBack::AlreadyTaken));
    assert!(hand.has("Good, but known: move on"));
    hand.change(|it| {
        let why = Some("no marker of 4x4_50 is seen".to_owned());
        let holds_back = Some(HoldsBack::NoTarget);
        it.seen = Some(Seen { points: vec![], of: 48, holds_back, why });
    });
    assert!(hand.has("No board seen") && hand.has("no marker of 4x4_50 is seen"));
    hand.change(|it| it.seen = None);
    assert!(hand.has("Waiting for a picture"));
}

#[test]
fn a_fitted_lens_shows_its_residuals_and_names_what_it_left_out() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.tap("Lens · in order · 0.18 ≤ 0.50 px");
    assert!(hand.has("320 points, the largest"));
    hand.tap("Views");
    hand.harness.get_by_label("View 4 · contradicts the others · 1.88 px");
    hand.tap("Picture");
    assert!(!hand.has("320 points"));
    hand.change(|it| it.taking = Taking::Fit);
    hand.change(|it| it.taking = Taking::Nothing);
    assert!(hand.has("320 points"), "there is a new fit to look at");
    hand.tap("Next: Belt plane");
    assert!(hand.has("Measure with the board"));
}

#[test]
fn the_plane_is_found_with_the_board() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.write("Parts' height, mm", "12.5");
    hand.tap("yes");
    hand.tap("Measure with the board");
    let step = CalibrationStep::Plane { height_mm: 12.5, is_telecentric: true };
    assert_eq!(hand.steps(), [step]);
}

/// The places that were sent, as shares of the frame.
fn shares(steps: &[CalibrationStep]) -> [(f32, f32); 2] {
    let [CalibrationStep::Ruler { from, to, length_mm }] = steps else { panic!("{steps:?}") };
    assert_eq!(*length_mm, 80.0);
    let (wide, high) = (FRAME.width as f32, FRAME.height as f32);
    [from, to].map(|at| (at.x / wide, at.y / high))
}

#[test]
fn the_plane_is_found_by_two_places_that_are_touched() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.tap("Pick two places");
    assert!(hand.has("Tap both ends of a length"));
    hand.touch(0.25, 0.5);
    assert!(hand.has("1 of 2 places picked"));
    hand.touch(0.75, 0.5);
    assert!(hand.is_off("Measure by this length"), "how long it is was not said");
    hand.write("Length, mm", "80");
    hand.tap("Measure by this length");
    for ((x, y), right) in shares(&hand.steps()).into_iter().zip([0.25, 0.75]) {
        assert!((x - right).abs() < 0.01 && (y - 0.5).abs() < 0.01, "{x} {y}");
    }
}

#[test]
fn the_plane_is_found_by_keys_alone() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.tap("Pick two places");
    for _ in 0..4 {
        hand.key(Key::ArrowLeft);
    }
    hand.key(Key::Enter);
    for _ in 0..9 {
        hand.key(Key::ArrowRight);
    }
    hand.key(Key::Enter);
    hand.write("Length, mm", "80");
    hand.tap("Measure by this length");
    let [(from, _), (to, _)] = shares(&hand.steps());
    assert!(from < 0.5 && to > 0.5, "{from} {to}");
}

#[test]
fn escape_leaves_the_picking() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.tap("Pick two places");
    hand.key(Key::Escape);
    assert!(hand.has("Pick two places") && !hand.has("Tap both ends"));
    hand.touch(0.5, 0.5);
    assert!(!hand.has("of 2 places picked"));
}

#[test]
fn sheets_and_darkness_belong_to_an_exposure() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.key(Key::Num4);
    assert!(hand.is_off("Bright sheet"));
    assert!(hand.has("First type what the camera is set to."));
    hand.write("Exposure, µs", "400");
    hand.write("Gain, dB", "1.5");
    hand.tap("Bright sheet");
    hand.tap("Darkness");
    let flat = |is_dark| CalibrationStep::Flat { is_dark, exposure_us: 400.0, gain_db: 1.5 };
    assert_eq!(hand.steps(), [flat(false), flat(true)]);
    hand.change(|it| it.taking = Taking::Flat { is_dark: true, taken: 3, of: 40 });
    hand.harness.get_by_label("Keep it dark · 3 / 40 pictures · Taking pictures …");
    hand.tap("Stop");
    assert_eq!(hand.steps().pop(), Some(CalibrationStep::Leave));
}

#[test]
fn what_must_not_move_is_pointed_at() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.key(Key::Num5);
    hand.tap("Remember these pictures");
    hand.tap("Pick a landmark");
    hand.touch(0.5, 0.5);
    hand.tap("Remember these pictures");
    hand.tap("Without a landmark");
    hand.tap("Remember these pictures");
    let steps = hand.steps();
    let [
        CalibrationStep::Watch { landmark: None },
        CalibrationStep::Watch { landmark: Some(landmark) },
        CalibrationStep::Watch { landmark: None },
    ] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    let middle = RectPx::new(FRAME.width / 2 - 32, FRAME.height / 2 - 32, 64, 64);
    let off = |a: u32, b: u32| a.abs_diff(b);
    assert!(off(landmark.x, middle.x) < 8 && off(landmark.y, middle.y) < 8, "{landmark:?}");
    hand.change(|it| it.taking = Taking::Watch { taken: 12, of: 60 });
    hand.harness.get_by_label("Let good parts pass · 12 / 60 pictures · Taking pictures …");
}

#[test]
fn the_belt_is_measured() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.key(Key::Num6);
    hand.tap("Measure the belt");
    assert_eq!(hand.steps(), [CalibrationStep::Belt]);
}

#[test]
fn what_is_good_is_accepted_under_a_name() {
    let mut hand = Hand::at(Scene::Ready);
    assert!(hand.has("As Kim Lee"));
    hand.tap("Accept");
    assert_eq!(hand.steps(), [CalibrationStep::Accept]);
    hand.change(|it| draft(it).accepted = Some(("p-m2r6c5hd".to_owned(), support::NOW)));
    assert!(hand.has("In force when the line is started or a recipe is selected."));
    hand.tap("End calibration");
    assert_eq!(hand.steps().pop(), Some(CalibrationStep::End), "nothing is lost");
}

#[test]
fn what_is_not_good_is_refused_with_the_reason() {
    let mut hand = Hand::at(Scene::Objected);
    hand.harness.get_by_label(TOO_LARGE);
    assert!(hand.is_off("Accept"));
    hand.change(|it| {
        draft(it).objections.clear();
        draft(it).plane = None;
    });
    assert!(hand.is_off("Accept"));
    assert!(hand.has("The belt plane is not measured"));
}

#[test]
fn what_was_refused_is_said_once() {
    let mut hand = Hand::at(Scene::Refused);
    let why = hand.behind.borrow().news.calibrating.as_ref().unwrap().refused.clone().unwrap();
    let answer = sightline_ui::Answer::Refused(sightline_ui::Refusal::Failed(why.clone()));
    hand.behind.borrow_mut().answer = answer;
    hand.tap("Measure with the board");
    assert_eq!(hand.harness.query_all_by_label_contains(&why).count(), 1);
}

#[test]
fn who_ends_too_early_is_asked_whether_it_is_meant() {
    let mut hand = Hand::at(Scene::Ready);
    hand.tap("End calibration");
    assert_eq!(hand.steps(), []);
    hand.tap("Go on");
    hand.tap("End calibration");
    hand.tap("Forget it and end");
    assert_eq!(hand.steps(), [CalibrationStep::End]);
    let mut hand = Hand::at(Scene::Begun);
    hand.tap("End calibration");
    assert_eq!(hand.steps(), [CalibrationStep::End], "nothing was measured");
}

#[test]
fn a_step_that_begins_elsewhere_is_shown() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.key(Key::Num1);
    hand.change(|it| it.taking = Taking::Belt { taken: 1, of: 100 });
    assert!(hand.has("Let the belt run with parts · 1 / 100 pictures"));
    hand.key(Key::Num1);
    assert!(hand.has("Measure the board"), "a person may look elsewhere meanwhile");
}

#[test]
fn the_end_shows_the_cards() {
    let mut hand = Hand::at(Scene::Ready);
    hand.behind.borrow_mut().news.calibrating = None;
    hand.harness.run_steps(4);
    assert!(hand.has("Calibrate top"));
}

#[test]
fn german() {
    let settings = Settings { language: Language::German, ..Settings::default() };
    let news = Scene::Collecting.news();
    let mut hand = Hand::of(news, settings, Vec2::new(1280.0, 800.0));
    hand.tap("Ansicht 3 verwerfen");
    hand.tap("Objektiv berechnen");
    let steps = [CalibrationStep::DropView { number: 3 }, CalibrationStep::FitLens];
    assert_eq!(hand.steps(), steps);
}

#[test]
fn another_camera_begins_with_nothing_of_the_one_before() {
    let mut hand = Hand::at(Scene::Fitted);
    hand.tap("Pick two places");
    hand.touch(0.25, 0.5);
    hand.change(|it| it.camera = CameraId::new("left"));
    assert!(hand.has("Camera left") && !hand.has("of 2 places picked"));
}

#[test]
fn the_keyboard_covers_nothing_that_is_typed_into() {
    for (kind, field) in [(Kind::TextInput, "Lens and setting"), (Kind::SpinButton, "Marker, mm")] {
        let mut hand = Hand::of(Scene::Begun.news(), Settings::default(), Vec2::new(1024.0, 640.0));
        hand.harness.get_by_role_and_label(kind, field).scroll_to_me();
        hand.harness.run_steps(30);
        hand.harness.get_by_role_and_label(kind, field).click();
        hand.harness.run_steps(30);
        let keys = hand.harness.get_by_role_and_label(Kind::Button, "q").rect().top() - 64.0;
        let field = hand.harness.get_by_role_and_label(kind, field).rect();
        assert!(field.bottom() <= keys, "{field:?} {keys}");
    }
}

#[test]
fn it_rests_while_nothing_is_new() {
    for scene in [Scene::Collecting, Scene::Fitted, Scene::Refused, Scene::Accepted] {
        let mut hand = Hand::at(scene);
        assert!(hand.harness.run_ok().is_some(), "{scene:?} paints again and again");
    }
}
