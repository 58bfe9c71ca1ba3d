//! Lengths on the belt are those of the parts, and as far off as the plane says of itself.

use domain::SizePx;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sightline_calibration::lens::{FitOptions, LensSd, View, fit};
use sightline_calibration::scale::{PlaneKind, ScaleError};
use sightline_calibration::{Lens, Observation, Plane, Px, Target};
use testdata::camera::{Camera, Optics, Pose, Shot};

use crate::scene::{
    charuco, chessboard, largest, observed, picture, quantile, random_camera, random_view, rng,
    sheet, shoot, true_lens,
};

/// A camera and its lens as fitted from 12 views.
fn known_camera(rng: &mut ChaCha8Rng, width: u32) -> (Camera, Lens) {
    let (camera, target) = (random_camera(rng, width), charuco());
    let view = |i: u32| {
        let at = random_view(rng, &camera, &target, false);
        View { name: format!("{i}"), observation: observed(rng, &at, &target, 0.05) }
    };
    let views: Vec<View> = (0..12).map(view).collect();
    (camera, fit(&views, camera.size, &FitOptions::default()).unwrap().lens)
}

/// The camera over the belt, nearly square on, as in a station: the target fills most of the view.
fn over_belt(rng: &mut ChaCha8Rng, camera: &Camera, target: &Target) -> Camera {
    let [width, height] = target.extent_mm();
    let Optics::Pinhole { focal_px, .. } = camera.optics else { panic!("a pinhole") };
    let mut tilt = || rng.random_range(-0.15..0.15);
    let turn = [tilt(), tilt(), tilt()];
    let distance = 1.6 * focal_px[0] * width / f64::from(camera.size.width);
    Camera { pose: Pose::facing(turn, [width / 2.0, height / 2.0], distance), ..*camera }
}

fn straight(camera: &Camera, lens: &Lens, mm: [f64; 3]) -> Px {
    let [x, y] = camera.px_from_mm(mm).unwrap();
    lens.undistort_px(Px::new(x, y))
}

/// Pairs of places on the belt that are in the picture and at least 20 mm apart.
fn pairs(rng: &mut ChaCha8Rng, camera: &Camera, count: usize) -> Vec<[[f64; 2]; 2]> {
    let (w, h) = (f64::from(camera.size.width), f64::from(camera.size.height));
    let mut place =
        || camera.mm_from_px([rng.random_range(5.0..w - 6.0), rng.random_range(5.0..h - 6.0)]);
    let mut pairs = Vec::new();
    while pairs.len() < count {
        let (a, b) = (place().unwrap(), place().unwrap());
        if (a[0] - b[0]).hypot(a[1] - b[1]) > 20.0 {
            pairs.push([a, b]);
        }
    }
    pairs
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The plane from a rendered chessboard; then a rendered ChArUco board, laid elsewhere on the same
/// belt, is measured from corner to corner.
#[test]
fn lengths_on_the_belt_are_good_to_a_tenth_of_a_percent_or_half_a_pixel() {
    let (mut off_px, mut percent) = (Vec::new(), Vec::new());
    for seed in 0..6 {
        let mut rng = rng(3000 + seed);
        let (camera, lens) = known_camera(&mut rng, 960);
        let target = chessboard();
        let camera = over_belt(&mut rng, &camera, &target);
        let luma = shoot(&camera, &target, Shot { seed, ..Shot::default() });
        let view = target.detect(&picture(camera.size, &luma)).unwrap();
        let plane = Plane::from_view(&view, Some(&lens)).unwrap();
        assert!(plane.residual.rms_px < 0.15, "{seed}: {:?}", plane.residual);

        let (part, moved) = (charuco(), [13.0, -9.0]);
        let printed = sheet(&part);
        let shot = Shot { seed: seed + 100, ..Shot::default() };
        let turned = |at: [f64; 2]| printed.reflectance([at[0] - moved[0], at[1] - moved[1]]);
        let luma = shot.of(&camera, &turned);
        let seen = part.detect(&picture(camera.size, &luma)).unwrap();
        let first = seen.points[0];
        for point in &seen.points[1..] {
            let [a, b] = [first, *point].map(|p| lens.undistort_px(p.px));
            let error = (plane.length_mm(a, b).value - first.mm.distance(point.mm)).abs();
            let true_mm = first.mm.distance(point.mm);
            off_px.push(error / plane.mm_per_px(a));
            percent.push(100.0 * error / true_mm);
            let allowed = (0.001 * true_mm).max(0.5 * plane.mm_per_px(a));
            assert!(error <= allowed, "{seed}: {error} mm of {true_mm}");
        }
    }
    let max = [largest(&off_px), largest(&percent)];
    println!(
        "lengths of rendered parts: off by {:.4} px, {:.4} % (median); {:.3} px, {:.3} % (95 %); \
         {:.3} px, {:.3} % (max)",
        quantile(&mut off_px, 0.5),
        quantile(&mut percent, 0.5),
        quantile(&mut off_px, 0.95),
        quantile(&mut percent, 0.95),
        max[0],
        max[1]
    );
}

/// 100 cameras, ends pointed at as badly as said: errors are as large as their deviations.
#[test]
fn uncertainty_is_as_large_as_the_errors() {
    let mut in_sd = Vec::new();
    for seed in 0..100 {
        let mut rng = rng(4000 + seed);
        let camera = random_camera(&mut rng, 1280);
        let lens = true_lens(&camera);
        let camera = over_belt(&mut rng, &camera, &chessboard());
        let view = observed(&mut rng, &camera, &chessboard(), 0.3);
        let plane = Plane::from_view(&view, Some(&lens)).unwrap().with_pointing_sd(0.2);
        for [a, b] in pairs(&mut rng, &camera, 20) {
            let mut pointed = |at: [f64; 2]| {
                let px = straight(&camera, &lens, [at[0], at[1], 0.0]);
                // Uniform, of the same deviation.
                let mut off = || rng.random_range(-0.5..0.5) * 12.0_f64.sqrt() * 0.2;
                Px::new(px.x + off(), px.y + off())
            };
            let length = plane.length_mm(pointed(a), pointed(b));
            in_sd.push((length.value - distance(a, b)) / length.sd);
        }
    }
    #[expect(clippy::cast_precision_loss)]
    let rms = (in_sd.iter().map(|z| z * z).sum::<f64>() / in_sd.len() as f64).sqrt();
    println!("lengths are off by {rms:.3} of their standard deviations");
    assert!((0.9..1.1).contains(&rms), "{rms}");
}

#[test]
fn height_above_the_belt_is_allowed_for() {
    let mut rng = rng(5000);
    let (camera, lens) = known_camera(&mut rng, 1280);
    let camera = over_belt(&mut rng, &camera, &chessboard());
    let view = observed(&mut rng, &camera, &chessboard(), 0.05);
    let belt = Plane::from_view(&view, Some(&lens)).unwrap();
    let top = belt.at_height(25.0).unwrap();
    let expected = belt.height_error(25.0).unwrap();
    assert!((0.02..0.2).contains(&expected), "{expected}");
    for [a, b] in pairs(&mut rng, &camera, 50) {
        let [from, to] = [a, b].map(|at| straight(&camera, &lens, [at[0], at[1], -25.0]));
        let (on_belt, raised) = (belt.length_mm(from, to), top.length_mm(from, to));
        let true_mm = distance(a, b);
        assert!((raised.value / true_mm - 1.0).abs() < 0.003, "{} {true_mm}", raised.value);
        assert!((on_belt.value / true_mm - 1.0 - expected).abs() < 0.003);
        assert!(raised.sd > 0.0 && top.mm_per_px(from) < belt.mm_per_px(from));
        assert!(top.px_from_mm(top.point_mm(to)).distance(to) < 1e-6);
        let place = top.point_mm(from);
        assert!(distance([place.x, place.y], a) < 0.5, "{place:?} {a:?}");
    }
    assert!(matches!(belt.at_height(1e4), Err(ScaleError::TooHigh { .. })));
    let without = Plane::from_view(&view, None).unwrap();
    assert!(matches!(without.at_height(5.0), Err(ScaleError::NoPose { .. })));
    assert_eq!(without.height_error(5.0), None);
}

#[test]
fn a_telecentric_lens_measures_alike_at_any_height() {
    let optics = Optics::Telecentric { px_per_mm: 4.0, centre_px: [639.5, 479.5] };
    let pose = Pose::facing([0.05, -0.08, 0.3], [120.0, 80.0], 400.0);
    let camera = Camera { size: SizePx::new(1280, 960), optics, pose };
    let target = chessboard();
    let luma = shoot(&camera, &target, Shot::default());
    let view = target.detect(&picture(camera.size, &luma)).unwrap();
    let plane = Plane::telecentric(&view, None).unwrap();
    assert_eq!(plane.kind, PlaneKind::Telecentric);
    assert!(plane.residual.rms_px < 0.03, "{:?}", plane.residual);
    let raised = plane.at_height(40.0).unwrap();
    assert_eq!(plane.height_error(40.0), Some(0.0));
    for [a, b] in pairs(&mut rng(6000), &camera, 50) {
        let px = |at: [f64; 2], z| {
            let [x, y] = camera.px_from_mm([at[0], at[1], z]).unwrap();
            Px::new(x, y)
        };
        let length = plane.length_mm(px(a, 0.0), px(b, 0.0));
        assert!((length.value / distance(a, b) - 1.0).abs() < 2e-4);
        assert!((raised.length_mm(px(a, -40.0), px(b, -40.0)).value - length.value).abs() < 1e-6);
    }
}

#[test]
fn a_ruler_gives_lengths_with_more_doubt() {
    let (a, b) = (Px::new(100.0, 200.0), Px::new(500.0, 500.0));
    let plane = Plane::from_ruler(a, b, 100.0, 0.5).unwrap();
    let length = plane.length_mm(a, b);
    assert!((length.value - 100.0).abs() < 1e-9 && (1.0..1.1).contains(&length.sd), "{length:?}");
    assert!((plane.mm_per_px(a) - 0.2).abs() < 1e-12);
    let area = plane.area_mm2(b, 400.0);
    assert!((area.value - 16.0).abs() < 1e-9 && area.sd > 0.32, "{area:?}");
    let place = plane.point_mm(Px::new(50.0, 0.0));
    assert!((place.x - 10.0).abs() < 1e-9 && place.y.abs() < 1e-9);
    for (length_mm, end) in [(0.0, b), (f64::NAN, b), (100.0, Px::new(120.0, 200.0))] {
        let error = Plane::from_ruler(a, end, length_mm, 0.5).unwrap_err();
        assert!(error.to_string().contains("at least 50 px apart"), "{error}");
    }
}

#[test]
fn areas_follow_the_perspective() {
    let mut rng = rng(7000);
    let camera = random_camera(&mut rng, 1280);
    let lens = true_lens(&camera);
    let camera = over_belt(&mut rng, &camera, &chessboard());
    let view = observed(&mut rng, &camera, &chessboard(), 0.02);
    let plane = Plane::from_view(&view, Some(&lens)).unwrap();
    for [a, _] in pairs(&mut rng, &camera, 20) {
        // A square of 4 mm by its corners in the straight picture.
        let corner = |x: f64, y: f64| straight(&camera, &lens, [a[0] + x, a[1] + y, 0.0]);
        let (p, q, r, s) =
            (corner(-2.0, -2.0), corner(2.0, -2.0), corner(2.0, 2.0), corner(-2.0, 2.0));
        let (d1, d2) = ((r.x - p.x, r.y - p.y), (s.x - q.x, s.y - q.y));
        let area_px = (d1.0 * d2.1 - d1.1 * d2.0).abs() / 2.0;
        let area = plane.area_mm2(corner(0.0, 0.0), area_px);
        assert!((area.value / 16.0 - 1.0).abs() < 0.002, "{area:?}");
        assert!(area.sd > 0.0 && area.sd < 4.0);
    }
}

#[test]
fn what_makes_no_plane_is_refused() {
    let mut rng = rng(8000);
    let camera = random_camera(&mut rng, 1280);
    let camera = over_belt(&mut rng, &camera, &chessboard());
    let mut view = observed(&mut rng, &camera, &chessboard(), 0.1);
    let other = Lens { size: SizePx::new(640, 480), sd: LensSd::default(), ..true_lens(&camera) };
    let error = Plane::from_view(&view, Some(&other)).unwrap_err();
    assert!(error.to_string().contains("1280x960 pixels, the lens was fitted at 640x480"));
    // One row of corners.
    view.points.truncate(11);
    let noiseless = Observation {
        points: view
            .points
            .iter()
            .map(|p| {
                let [x, y] = camera.px_from_mm([p.mm.x, p.mm.y, 0.0]).unwrap();
                sightline_calibration::target::Seen { px: Px::new(x, y), ..*p }
            })
            .collect(),
        ..view
    };
    let error = Plane::from_view(&noiseless, None).unwrap_err();
    assert_eq!(error, ScaleError::Degenerate { points: 11 });
}

#[test]
fn a_plane_is_read_as_it_was_written() {
    let mut rng = rng(9000);
    let camera = random_camera(&mut rng, 1280);
    let lens = true_lens(&camera);
    let camera = over_belt(&mut rng, &camera, &chessboard());
    let view = observed(&mut rng, &camera, &chessboard(), 0.1);
    for plane in
        [Plane::from_view(&view, Some(&lens)).unwrap(), Plane::telecentric(&view, None).unwrap()]
    {
        let again: Plane = toml::from_str(&toml::to_string(&plane).unwrap()).unwrap();
        assert_eq!(again, plane);
    }
    let again: Lens = toml::from_str(&toml::to_string(&lens).unwrap()).unwrap();
    assert_eq!(again, lens);
}
