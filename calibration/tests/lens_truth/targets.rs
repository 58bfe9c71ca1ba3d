//! Targets are found where they are, and each fault is named.

use domain::SizePx;
use sightline_calibration::target::{
    Dictionary, Mm, NotFound, Observation, Seen, Target, TargetKind,
};
use testdata::camera::{Camera, Optics, Pose, Shot};

use crate::scene::{
    charuco, chessboard, circles, largest, picture, quantile, random_camera, random_view, rng,
    shoot,
};

/// How far each point was found from where it is; a board with two odd counts looks the same
/// upside down.
fn errors_px(target: &Target, camera: &Camera, seen: &Observation) -> Vec<f64> {
    let [width, height] = target.extent_mm();
    let off = |turned: bool| -> Vec<f64> {
        let at =
            |mm: Mm| if turned { [width - mm.x, height - mm.y, 0.0] } else { [mm.x, mm.y, 0.0] };
        let off = |p: &Seen| {
            let [x, y] = camera.px_from_mm(at(p.mm)).unwrap();
            (p.px.x - x).hypot(p.px.y - y)
        };
        seen.points.iter().map(off).collect()
    };
    let (upright, turned) = (off(false), off(true));
    if turned[0] < upright[0] { turned } else { upright }
}

/// Every point, through random lenses, poses, blur and noise: to a fiftieth of a pixel.
#[test]
fn points_are_found_where_they_are() {
    for target in [chessboard(), charuco(), circles()] {
        let mut errors = Vec::new();
        for seed in 0..6 {
            let mut rng = rng(seed);
            let camera = random_camera(&mut rng, 960);
            let camera = random_view(&mut rng, &camera, &target, true);
            let luma = shoot(&camera, &target, Shot { seed, ..Shot::default() });
            let seen = target.detect(&picture(camera.size, &luma)).unwrap();
            assert_eq!(seen.points.len(), target.points_mm().len(), "{target}, {seed}");
            assert!((1.5..3.0).contains(&seen.edge_width_px), "{}", seen.edge_width_px);
            errors.extend(errors_px(&target, &camera, &seen));
        }
        let (count, max) = (errors.len(), largest(&errors));
        let [half, most] = [0.5, 0.95].map(|part| quantile(&mut errors, part));
        println!(
            "{target}: {count} points, off by {half:.3} px (median), {most:.3} (95 %), {max:.3}"
        );
        assert!(half < 0.015 && most < 0.04 && max < 0.2, "{target}");
    }
}

/// A camera that looks at the middle of `target`, a little from the side, so that it fills `fill`
/// of the picture's width or height.
fn before(target: &Target, fill: f64) -> Camera {
    let [width, height] = target.extent_mm();
    let optics = Optics::Pinhole {
        focal_px: [900.0; 2],
        centre_px: [399.5, 299.5],
        distortion: [-0.1, 0.03, 0.0, 0.0, 0.0],
    };
    let distance = 900.0 / fill * (width / 800.0).max(height / 600.0);
    let pose = Pose::facing([0.2, -0.3, 0.1], [width / 2.0, height / 2.0], distance);
    Camera { size: SizePx::new(800, 600), optics, pose }
}

/// What is said of a picture of `shown` where `wanted` is looked for.
fn fault(shown: &Target, wanted: &Target, fill: f64, shot: Shot<'_>, mirror: bool) -> NotFound {
    let camera = before(shown, fill);
    let mut luma = shoot(&camera, shown, shot);
    if mirror {
        luma.chunks_mut(800).for_each(<[u8]>::reverse);
    }
    wanted.detect(&picture(camera.size, &luma)).unwrap_err()
}

#[test]
fn an_empty_picture_is_said_to_be() {
    let luma = vec![130; 800 * 600];
    for target in [chessboard(), charuco(), circles()] {
        let error = target.detect(&picture(SizePx::new(800, 600), &luma)).unwrap_err();
        assert!(matches!(error, NotFound::Nothing { .. }), "{target}: {error}");
    }
}

#[test]
fn a_blurred_picture_is_said_to_be() {
    let shot = Shot { blur_px: 5.0, ..Shot::default() };
    for target in [chessboard(), charuco(), circles()] {
        let error = fault(&target, &target, 0.8, shot, false);
        assert!(matches!(error, NotFound::Blurred { .. }), "{target}: {error}");
        assert!(error.to_string().contains("focus the lens"), "{error}");
    }
}

#[test]
fn a_mirrored_picture_is_said_to_be_where_it_can_be_known() {
    for target in [chessboard(), charuco()] {
        let error = fault(&target, &target, 0.8, Shot::default(), true);
        assert!(matches!(error, NotFound::Mirrored { .. }), "{target}: {error}");
    }
    // A grid of an odd number of rows is its own mirror image: found, and no harm done.
    let (target, camera) = (circles(), before(&circles(), 0.8));
    let mut luma = shoot(&camera, &target, Shot::default());
    luma.chunks_mut(800).for_each(<[u8]>::reverse);
    let seen = target.detect(&picture(camera.size, &luma)).unwrap();
    assert_eq!(seen.points.len(), 45);
}

#[test]
fn another_target_is_named() {
    let board = |columns, rows| {
        Target::new(TargetKind::Chessboard { columns, rows, square_mm: 20.0 }).unwrap()
    };
    let charuco_of = |columns, dictionary| {
        let (square_mm, marker_mm) = (20.0, 15.0);
        Target::new(TargetKind::Charuco { columns, rows: 8, square_mm, marker_mm, dictionary })
            .unwrap()
    };
    let grid = |columns, rows| {
        Target::new(TargetKind::CircleGrid { columns, rows, spacing_mm: 20.0 }).unwrap()
    };
    let d5 = Dictionary::D5x5_100;
    for (shown, wanted, words) in [
        (board(9, 6), board(8, 5), "9 x 6"),
        (board(9, 6), board(8, 6), "9 x 6"),
        (board(8, 8), board(9, 6), "8 x 8"),
        (charuco_of(9, d5), charuco_of(11, d5), "another order"),
        (charuco_of(11, Dictionary::D4x4_50), charuco_of(11, d5), "4 x 4 bits"),
        (grid(6, 9), grid(5, 9), "54 discs"),
    ] {
        let error = fault(&shown, &wanted, 0.8, Shot::default(), false);
        assert!(matches!(error, NotFound::OtherTarget { .. }), "{shown} as {wanted}: {error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_target_that_is_partly_seen_is_said_to_be_unless_a_part_is_enough() {
    for target in [chessboard(), circles()] {
        let error = fault(&target, &target, 1.15, Shot::default(), false);
        assert!(matches!(error, NotFound::Partial { .. }), "{target}: {error}");
    }
    let error = fault(&charuco(), &charuco(), 4.0, Shot::default(), false);
    assert!(matches!(error, NotFound::Partial { needed: 8, .. }), "{error}");
    let (target, camera) = (charuco(), before(&charuco(), 1.5));
    let luma = shoot(&camera, &target, Shot::default());
    let seen = target.detect(&picture(camera.size, &luma)).unwrap();
    assert!((20..70).contains(&seen.points.len()), "{}", seen.points.len());
    assert!(largest(&errors_px(&target, &camera, &seen)) < 0.2);
}

/// A board whose counts are odd and even has one upright, and a ChArUco board always.
#[test]
fn a_target_is_found_the_same_way_up_however_it_lies() {
    let kind = TargetKind::Chessboard { columns: 8, rows: 5, square_mm: 20.0 };
    let square = TargetKind::Chessboard { columns: 7, rows: 7, square_mm: 20.0 };
    for target in [Target::new(kind).unwrap(), Target::new(square).unwrap(), charuco()] {
        let [width, height] = target.extent_mm();
        for turns in 0..8_u8 {
            let turn = [0.1, 0.0, f64::from(turns) * std::f64::consts::FRAC_PI_4];
            let pose = Pose::facing(turn, [width / 2.0, height / 2.0], 450.0);
            let camera = Camera { pose, ..before(&target, 0.5) };
            let luma = shoot(&camera, &target, Shot::default());
            let seen = target.detect(&picture(camera.size, &luma)).unwrap();
            let off = |p: &Seen| {
                let [x, y] = camera.px_from_mm([p.mm.x, p.mm.y, 0.0]).unwrap();
                (p.px.x - x).hypot(p.px.y - y)
            };
            let off: Vec<f64> = seen.points.iter().map(off).collect();
            // A square board of odd counts looks the same upside down.
            assert!(largest(&off) < 0.2 || target.points_mm().len() == 49, "{target}, {turns}");
            assert!(largest(&errors_px(&target, &camera, &seen)) < 0.2, "{target}, {turns}");
        }
    }
}

/// Uneven light and a coarse picture, as a phone or a webcam gives.
#[test]
fn a_lamp_gradient_does_not_pull() {
    for target in [chessboard(), charuco(), circles()] {
        let camera = before(&target, 0.7);
        let lamp = |x: f64, y: f64| 0.95 - 0.7 * x / 800.0 + 0.1 * y / 600.0;
        let luma =
            shoot(&camera, &target, Shot { lamp: &lamp, full_well: 4000.0, ..Shot::default() });
        let seen = target.detect(&picture(camera.size, &luma)).unwrap();
        let mut errors = errors_px(&target, &camera, &seen);
        assert!(quantile(&mut errors, 0.95) < 0.1, "{target}: {errors:?}");
    }
}
