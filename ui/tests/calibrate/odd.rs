//! What nobody wants to hear from a station breaks nothing.

use super::*;

/// Everything that a station might tell and nobody wants to hear.
fn odd(it: &mut Calibrating) {
    let nan = PointPx { x: f32::NAN, y: f32::INFINITY };
    let view = |number: u32| ViewFacts {
        number,
        outline: vec![nan, PointPx { x: -1e30, y: 1e30 }, nan],
        points: u32::MAX,
        rms_px: Some(if number.is_multiple_of(2) { f64::NAN } else { 1e300 }),
        tilt_deg: Some(f64::NEG_INFINITY),
        is_left_out: number.is_multiple_of(3),
    };
    it.views = (1..=100).map(view).collect();
    it.coverage = [[u32::MAX; 3]; 3];
    it.advice = vec![Advice::Cover { row: 9, column: 9 }, Advice::More(u32::MAX), Advice::Tilt];
    it.residuals =
        Arc::new([(nan, nan), (PointPx { x: 1e30, y: 0.0 }, PointPx { x: 1e30, y: 1.0 })]);
    it.seen =
        Some(Seen { points: vec![nan; 48], of: 0, holds_back: None, why: Some(LONG.repeat(9)) });
    it.refused = Some(LONG.repeat(40));
    let draft = draft(it);
    draft.lens.as_mut().unwrap().rms_px = f64::NAN;
    draft.lens.as_mut().unwrap().focal_px = [(1e300, f64::NAN); 2];
    draft.lens_note = Some(LONG.repeat(20));
    draft.objections = vec![LONG.repeat(10); 12];
    let plane = draft.plane.as_mut().unwrap();
    (plane.mm_per_px, plane.length_sd_share) = (f64::INFINITY, f64::NAN);
    let belt = draft.belt.as_mut().unwrap();
    (belt.speed, belt.direction_deg) = ((f64::NAN, 1e300), f64::NAN);
}

const LONG: &str = "Donaudampfschifffahrtsgesellschaftskapitän and so on, ";

#[test]
fn odd_news_break_nothing() {
    let sizes = [Vec2::new(1280.0, 800.0), Vec2::new(700.0, 420.0), Vec2::new(2560.0, 1440.0)];
    let frames =
        [None, Some(SizePx::new(1, 1)), Some(SizePx::new(20_000, 3)), Some(SizePx::new(0, 7))];
    let takings = [
        Taking::Nothing,
        Taking::Views { is_by_itself: false },
        Taking::Plane,
        Taking::Flat { is_dark: true, taken: 9, of: 0 },
        Taking::Belt { taken: u32::MAX, of: 1 },
    ];
    for size in sizes {
        let mut news = Scene::Ready.news();
        changed(&mut news, odd);
        let mut hand = Hand::of(news, Settings::default(), size);
        for frame in frames {
            for taking in takings {
                hand.change(|it| (it.frame_size, it.taking) = (frame, taking));
                for key in [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num7] {
                    hand.key(key);
                }
            }
        }
        hand.behind.borrow_mut().news.previews.clear();
        hand.key(Key::Num2);
        assert!(hand.steps().is_empty());
    }
}

#[test]
fn many_cameras_with_long_names_have_a_card_each() {
    let mut news = Scene::Cards.news();
    let mut calibrating = Scene::Ready.calibrating();
    odd(&mut calibrating);
    let camera = |number: usize| CameraCalibration {
        camera: CameraId::new(&format!("{number} {}", LONG.repeat(number % 3))),
        profile: Some((*calibrating.draft).clone()),
        lost: Some(LONG.repeat(8)),
    };
    news.calibrations = (0..24).map(camera).collect();
    news.who = engineer();
    let hand = Hand::of(news, Settings::default(), Vec2::new(1280.0, 800.0));
    assert!(hand.has("Lost now"));
}
