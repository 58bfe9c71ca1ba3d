//! The Label page.

use domain::{Judgement, Label, Mark, MarkedBy, RectPx, Shape};
use egui::{Key, Modifiers};
use sightline_ui::{Page, Refusal, Settings};

use crate::station::{Does, Session};

/// What holds of the part that is shown.
fn label(session: &Session) -> Label {
    session.world.borrow().holds(session.part()).unwrap()
}

fn marks(session: &Session) -> Vec<Mark> {
    label(session).marks
}

fn boxed(mark: &Mark) -> RectPx {
    match mark.shape {
        Shape::Box { area } => area,
        ref other => panic!("{other:?} is no box"),
    }
}

#[test]
fn a_box_drawn_by_mouse_is_exact_and_saved_at_once() {
    let mut session = Session::new(48, Page::Label);
    session.key(Key::Num2);
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    let marks = marks(&session);
    assert_eq!(boxed(&marks[0]), RectPx::new(60, 50, 24, 16));
    assert_eq!((&*marks[0].class, marks[0].by), ("dent", MarkedBy::Hand));
    assert!(session.sees("Saved: Bad"));
    assert_eq!(session.world.borrow().acknowledged, 1);
}

#[test]
fn a_box_by_keyboard_alone() {
    let mut session = Session::new(48, Page::Label);
    // The crosshair begins in the middle, at (100, 80).
    session.key_with(Modifiers::SHIFT, Key::ArrowLeft);
    session.key(Key::ArrowUp);
    assert!(session.sees_part_of("x 90, y 79"));
    session.key(Key::Enter);
    session.key_with(Modifiers::SHIFT, Key::ArrowRight);
    session.key(Key::ArrowDown);
    session.key(Key::Enter);
    assert_eq!(boxed(&marks(&session)[0]), RectPx::new(90, 79, 11, 2));
}

#[test]
fn a_polygon_by_keyboard_alone() {
    let mut session = Session::new(48, Page::Label);
    session.key(Key::P);
    for way in [Key::ArrowUp, Key::ArrowRight, Key::ArrowDown] {
        session.key_with(Modifiers::SHIFT, way);
        session.key(Key::Enter);
    }
    session.key(Key::Enter);
    let marks = marks(&session);
    let Shape::Polygon { corners } = &marks[0].shape else { panic!("{marks:?}") };
    let corners: Vec<(f32, f32)> = corners.iter().map(|at| (at.x, at.y)).collect();
    assert_eq!(corners, [(100.5, 70.5), (110.5, 70.5), (110.5, 80.5)]);
}

#[test]
fn a_stroke_by_keyboard_alone() {
    let mut session = Session::new(48, Page::Label);
    session.key(Key::M);
    session.key(Key::OpenBracket);
    session.key_with(Modifiers::SHIFT, Key::ArrowRight);
    session.key(Key::Enter);
    session.key_with(Modifiers::SHIFT, Key::ArrowDown);
    session.key(Key::Enter);
    let marks = marks(&session);
    let Shape::Mask { mask } = &marks[0].shape else { panic!("{marks:?}") };
    assert!(mask.count() > 60 && mask.area.contains(&RectPx::new(110, 80, 1, 11)));
}

#[test]
fn one_of_each_shape_by_finger() {
    let mut session = Session::new(48, Page::Label);
    let [a, b] = [session.at(60.0, 50.0), session.at(84.0, 66.0)];
    session.finger(&[a, a.lerp(b, 0.5), b]);
    assert_eq!(boxed(&marks(&session)[0]), RectPx::new(60, 50, 24, 16));
    session.click("Polygon");
    for (x, y) in [(110.0, 60.0), (150.0, 60.0), (150.0, 100.0), (110.0, 60.0)] {
        session.finger(&[session.at(x, y)]);
    }
    assert!(matches!(&marks(&session)[1].shape, Shape::Polygon { corners } if corners.len() == 3));
    session.click("Brush");
    let way: Vec<_> = [40.0, 48.0, 56.0].map(|x| session.at(x, 100.0)).to_vec();
    session.finger(&way);
    let all = marks(&session);
    let Shape::Mask { mask } = &all[2].shape else { panic!("{all:?}") };
    assert!(mask.count() > 100);
    assert_eq!(session.world.borrow().acknowledged, 3, "each is on disk");
}

#[test]
fn the_models_suggestion_is_taken_over_and_put_right() {
    let mut session = Session::new(48, Page::Label);
    while !session.sees("Suggested by the model") {
        session.key(Key::PageDown);
    }
    session.key(Key::A);
    let taken = marks(&session).remove(0);
    assert_eq!(taken.by, MarkedBy::Model);
    assert!(!session.sees("Suggested by the model"), "it is suggested no more");
    // By its lower right handle, which sits a little outside of the corner.
    let before = boxed(&taken);
    let corner = session.at(before.right() as f32, before.bottom() as f32) + egui::vec2(14.0, 14.0);
    let zoom = session.at(1.0, 0.0).x - session.at(0.0, 0.0).x;
    session.drag(corner, corner + egui::vec2(5.0, 3.0) * zoom);
    let after = marks(&session).remove(0);
    assert_eq!(after.by, MarkedBy::Corrected);
    let wanted = RectPx::new(before.x, before.y, before.width + 5, before.height + 3);
    assert_eq!(boxed(&after), wanted);
    session.key(Key::Num3);
    assert_eq!(&*marks(&session)[0].class, "missing hole");
}

#[test]
fn each_deed_is_taken_back_alone() {
    let mut session = Session::new(48, Page::Label);
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    session.key(Key::Escape);
    session.drag(session.at(100.0, 90.0), session.at(120.0, 110.0));
    assert_eq!(marks(&session).len(), 2);
    session.key(Key::Delete);
    assert_eq!(marks(&session).len(), 1);
    for left in [2, 1] {
        session.key_with(Modifiers::COMMAND, Key::Z);
        assert_eq!(marks(&session).len(), left);
    }
    session.click("Undo");
    assert_eq!(session.world.borrow().holds(session.part()), None);
    assert!(session.sees("Nothing marked yet"));
}

#[test]
fn without_its_last_mark_a_part_is_asked_about_again() {
    let mut session = Session::new(48, Page::Label);
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    session.key(Key::Delete);
    assert_eq!(label(&session), Label::unmarked(Judgement::Skip, false));
}

#[test]
fn what_was_drawn_and_refused_is_still_there() {
    let full = Refusal::Failed("the disk is full: make room".to_owned());
    let mut session = Session::set_up(48, Page::Label, Settings::default(), |world| {
        world.does = Does::Refuses(full);
    });
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    assert!(session.sees_part_of("the disk is full"));
    session.key(Key::Escape);
    session.drag(session.at(100.0, 90.0), session.at(120.0, 110.0));
    session.world.borrow_mut().does = Does::All;
    session.click("Retry");
    assert_eq!(marks(&session).len(), 2, "nothing that was drawn is lost");
    assert!(session.sees("Saved: Bad"));
}

#[test]
fn coordinates_are_exact_at_every_zoom() {
    let mut session = Session::new(48, Page::Label);
    // At 32 points a pixel, with the middle of the picture in the middle of the pane.
    for _ in 0..12 {
        session.key(Key::Plus);
    }
    let middle = session.pane().center();
    let at = |x: f32, y: f32| middle + egui::vec2(x - 100.0, y - 80.0) * 32.0;
    session.drag(at(98.0, 78.0), at(103.0, 80.0));
    assert_eq!(boxed(&marks(&session)[0]), RectPx::new(98, 78, 5, 2));
    session.key(Key::F);
    session.key(Key::Escape);
    session.drag(session.at(30.0, 30.0), session.at(41.0, 37.0));
    assert_eq!(boxed(&marks(&session)[1]), RectPx::new(30, 30, 11, 7));
}

#[test]
fn a_mark_is_moved_and_a_picture_panned() {
    let mut session = Session::new(48, Page::Label);
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    session.key(Key::V);
    session.drag(session.at(70.0, 58.0), session.at(90.0, 68.0));
    assert_eq!(boxed(&marks(&session)[0]), RectPx::new(80, 60, 24, 16));
    let asked = session.world.borrow().asked.len();
    session.drag(session.at(150.0, 120.0), session.at(120.0, 100.0));
    assert_eq!(session.world.borrow().asked.len(), asked, "where nothing is, nothing is moved");
}
