//! Which cameras are calibrated, and who may begin.

use super::*;

#[test]
fn a_calibration_begins_at_once_where_no_line_runs() {
    let mut hand = Hand::at(Scene::Alone);
    hand.tap("Calibrate top");
    assert_eq!(hand.steps(), [CalibrationStep::Begin]);
}

#[test]
fn a_line_that_runs_asks_whether_it_is_meant() {
    let mut hand = Hand::at(Scene::Cards);
    hand.tap("Calibrate top");
    assert_eq!(hand.steps(), [], "parts would be undecided");
    assert!(hand.has("this camera's parts are undecided"));
    hand.tap("Cancel");
    hand.tap("Calibrate top");
    hand.tap("Really calibrate now?");
    assert_eq!(hand.steps(), [CalibrationStep::Begin]);
}

#[test]
fn cards_say_how_each_camera_stands() {
    let hand = Hand::of(Scene::Cards.news(), Settings::default(), Vec2::new(1280.0, 2000.0));
    for stands in ["In order", "Not accepted", "May not measure", "Lost now", "Not calibrated"] {
        assert_eq!(hand.harness.query_all_by_label(stands).count(), 1, "{stands}");
    }
    hand.harness.get_by_label(TOO_LARGE);
    hand.harness.get_by_label("the landmark moved by 3.1 px: somebody touched the camera");
    hand.harness.get_by_label("Lens error > 0.50 px 0.71 px");
    assert_eq!(hand.harness.query_all_by_label("mm a pixel 0.0842").count(), 4);
    assert_eq!(hand.harness.query_all_by_label("Accepted by Kim Lee, 2026-10-10 08:00").count(), 3);
}

#[test]
fn who_may_not_calibrate_is_told_who_may() {
    for who in [None, people().into_iter().find(|it| it.role == Role::Quality)] {
        let news = News { who, ..Scene::Alone.news() };
        let mut hand = Hand::of(news, Settings::default(), Vec2::new(1280.0, 800.0));
        assert!(hand.has("An engineer has to log in for that."));
        hand.tap("Calibrate top");
        assert!(hand.behind.borrow().asked.is_empty());
        assert!(hand.has("Who are you?"));
        assert!(hand.has("Kim Lee") && !hand.has("Jörg Weiß"));
    }
}

#[test]
fn a_step_waits_for_the_log_in_of_an_engineer_and_then_goes_through() {
    let news = News { who: None, ..Scene::Begun.news() };
    let mut hand = Hand::of(news, Settings::default(), Vec2::new(1280.0, 800.0));
    hand.key(Key::Num2);
    hand.tap("Look for views");
    assert!(hand.behind.borrow().asked.is_empty());
    for key in [Key::Num1, Key::Num0, Key::Num8, Key::Num1, Key::Num5, Key::Enter] {
        hand.key(key);
    }
    let asked = hand.behind.borrow().asked.clone();
    let (person, pin) = (PersonId::new("p-m2r6c5hd"), Pin::new("0815".to_owned()));
    assert_eq!(asked[0], Command::LogIn { person, pin });
    let step = CalibrationStep::Views { is_by_itself: true };
    assert_eq!(asked[1], Command::Calibrate { camera: CameraId::new("top"), step });
}

#[test]
fn pictures_are_made_where_a_board_is_held_before_a_camera() {
    let mut hand = Hand::at(Scene::Begun);
    assert!(hand.behind.borrow().looks);
    hand.key(Key::F8);
    assert!(!hand.behind.borrow().looks, "nobody sees them there");
}
