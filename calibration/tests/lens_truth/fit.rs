//! Lenses are found again, and views that make no lens are refused with what to do.

use domain::SizePx;
use sightline_calibration::lens::{DistortionModel, FitOptions, LensError, LensFit, View, fit};
use sightline_calibration::{Lens, Px};
use testdata::camera::{Camera, Shot};

use crate::scene::{
    charuco, largest, observed, picture, quantile, random_camera, random_view, rng, shoot,
    true_lens,
};

/// What is off in a fitted lens: the focal length in percent, the centre in pixels, what
/// straightening a place of the camera's picture is off by in pixels (mean over the picture, once
/// centres and focal lengths are laid on each other), and all of them in fitted deviations.
struct Off {
    focal_percent: f64,
    centre_px: f64,
    bend_px: f64,
    in_sd: Vec<f64>,
}

impl Off {
    fn of(fitted: &Lens, truth: &Lens) -> Self {
        let focal = fitted.focal_px[0] / truth.focal_px[0] - 1.0;
        let in_sd = vec![
            (fitted.focal_px[0] - truth.focal_px[0]) / fitted.sd.focal_px[0],
            (fitted.focal_px[1] - truth.focal_px[1]) / fitted.sd.focal_px[1],
            (fitted.centre_px.x - truth.centre_px.x) / fitted.sd.centre_px.x,
            (fitted.centre_px.y - truth.centre_px.y) / fitted.sd.centre_px.y,
        ];
        Self {
            focal_percent: 100.0 * focal.abs(),
            centre_px: fitted.centre_px.distance(truth.centre_px),
            bend_px: bend_px(fitted, truth),
            in_sd,
        }
    }
}

/// How far straight pictures of the two lenses differ, root mean square over the picture, where
/// the best homography between them is allowed for: what no turn of the camera explains.
fn bend_px(fitted: &Lens, truth: &Lens) -> f64 {
    use sightline_calibration::target::{Mm, Observation, Seen};
    let mut points = Vec::new();
    for i in 0..=12 {
        for j in 0..=9 {
            let (w, h) = (f64::from(truth.size.width), f64::from(truth.size.height));
            let seen = Px::new(w * f64::from(i) / 12.0 - 0.5, h * f64::from(j) / 9.0 - 0.5);
            let (a, b) = (truth.undistort_px(seen), fitted.undistort_px(seen));
            points.push(Seen { id: 0, px: b, mm: Mm::new(a.x, a.y) });
        }
    }
    let view = Observation { size: truth.size, of: points.len(), points, edge_width_px: 1.0 };
    sightline_calibration::Plane::from_view(&view, None).unwrap().residual.rms_px
}

fn views(seed: u64, width: u32, count: usize, sd_px: f64) -> (Camera, Vec<View>) {
    let (target, mut rng) = (charuco(), rng(seed));
    let camera = random_camera(&mut rng, width);
    let view = |i: usize| {
        let at = random_view(&mut rng, &camera, &target, false);
        View { name: format!("{i:02}.png"), observation: observed(&mut rng, &at, &target, sd_px) }
    };
    (camera, (0..count).map(view).collect())
}

fn fitted(views: &[View], size: SizePx) -> LensFit {
    fit(views, size, &FitOptions::default()).unwrap()
}

fn print_row(what: &str, mut values: Vec<f64>) -> [f64; 3] {
    let max = largest(&values);
    let [half, most] = [0.5, 0.95].map(|part| quantile(&mut values, part));
    println!("| {what} | {half:.4} | {most:.4} | {max:.4} |");
    [half, most, max]
}

/// 120 cameras of 0.7 to 2.2 picture widths focal length, 15 views each, points off by 0.1 px:
/// parameters come back, as far off as the fit says of itself.
#[test]
fn parameters_of_many_cameras_are_recovered() {
    let mut all = Vec::new();
    let mut five = 0;
    for seed in 0..120 {
        let (camera, views) = views(1000 + seed, 1280, 15, 0.1);
        let fit = fitted(&views, camera.size);
        assert!(fit.views.iter().all(|view| !view.left_out), "{seed}");
        assert!((0.12..0.16).contains(&fit.rms_px), "{seed}: {}", fit.rms_px);
        five += usize::from(fit.model == DistortionModel::FiveParameters);
        all.push(Off::of(&fit.lens, &true_lens(&camera)));
    }
    println!("| 120 cameras, 15 views, 0.1 px | median | 95 % | max |\n|---|---|---|---|");
    let column = |of: fn(&Off) -> f64| all.iter().map(of).collect::<Vec<f64>>();
    let focal = print_row("focal length, %", column(|off| off.focal_percent));
    let centre = print_row("centre, px", column(|off| off.centre_px));
    let bend = print_row("straightened places, px rms", column(|off| off.bend_px));
    let in_sd: Vec<f64> = all.iter().flat_map(|off| off.in_sd.clone()).collect();
    #[expect(clippy::cast_precision_loss)]
    let rms_in_sd = (in_sd.iter().map(|z| z * z).sum::<f64>() / in_sd.len() as f64).sqrt();
    println!("parameters are off by {rms_in_sd:.2} of their standard deviations; k3 in {five}");
    assert!(focal[0] < 0.1 && focal[1] < 0.2 && focal[2] < 0.5);
    assert!(centre[0] < 2.0 && centre[1] < 6.0 && centre[2] < 12.0);
    assert!(bend[0] < 0.05 && bend[1] < 0.15 && bend[2] < 0.5);
    assert!((0.8..1.25).contains(&rms_in_sd), "{rms_in_sd}");
}

/// The same from pictures: rendered, found and fitted.
#[test]
fn lenses_of_rendered_views_are_recovered() {
    let target = charuco();
    println!(
        "| camera | rms px | focal % | centre px | straightened px | views |\n\
         |---|---|---|---|---|---|"
    );
    for seed in 0..6 {
        let mut rng = rng(2000 + seed);
        let camera = random_camera(&mut rng, 960);
        let mut views = Vec::new();
        for i in 0..10 {
            let at = random_view(&mut rng, &camera, &target, false);
            let luma = shoot(&at, &target, Shot { seed: seed * 100 + i, ..Shot::default() });
            if let Ok(observation) = target.detect(&picture(at.size, &luma)) {
                views.push(View { name: format!("{i}.png"), observation });
            }
        }
        assert!(views.len() >= 8, "{seed}: {} views", views.len());
        let fit = fitted(&views, camera.size);
        let off = Off::of(&fit.lens, &true_lens(&camera));
        println!(
            "| {seed} | {:.3} | {:.3} | {:.2} | {:.3} | {} |",
            fit.rms_px,
            off.focal_percent,
            off.centre_px,
            off.bend_px,
            views.len()
        );
        assert!(fit.rms_px < 0.05, "{}", fit.rms_px);
        assert!(off.focal_percent < 0.1 && off.centre_px < 1.5 && off.bend_px < 0.05);
    }
}

#[test]
fn views_that_contradict_the_others_are_left_out_by_name() {
    let (camera, mut views) = views(5, 1280, 14, 0.1);
    let clean = fitted(&views, camera.size);
    // The target was bent in one view, and moved while the other was read out.
    for seen in &mut views[3].observation.points {
        seen.px.x += 4.0 * (seen.mm.y / 40.0).sin();
    }
    for seen in &mut views[9].observation.points {
        seen.px.y += 3.0 * (seen.mm.x / 30.0).cos();
    }
    let fit = fitted(&views, camera.size);
    let left_out: Vec<&str> =
        fit.views.iter().filter(|v| v.left_out).map(|v| v.name.as_str()).collect();
    assert_eq!(left_out, ["03.png", "09.png"]);
    assert!(fit.views[3].rms_px > 1.0 && fit.views[3].residuals.len() > 8);
    assert!((fit.lens.focal_px[0] / clean.lens.focal_px[0] - 1.0).abs() < 0.002);
}

#[test]
fn too_many_contradictions_make_no_lens() {
    let (camera, mut views) = views(6, 1280, 9, 0.1);
    for (index, view) in views.iter_mut().enumerate().take(2) {
        for (seen, i) in view.observation.points.iter_mut().zip(0..) {
            #[expect(clippy::cast_precision_loss)]
            let sideways = ((i * 7 + index) % 11) as f64;
            seen.px.x += sideways;
        }
    }
    let error = fit(&views, camera.size, &FitOptions::default()).unwrap_err();
    let LensError::TooFewAgree { agree: 7, got: 9, needed: 8, left_out } = &error else {
        panic!("{error}");
    };
    assert_eq!(left_out, &["00.png", "01.png"]);
}

#[test]
fn too_few_views_and_another_resolution_are_refused() {
    let (camera, mut views) = views(7, 1280, 8, 0.1);
    let options = FitOptions::default();
    assert!(fit(&views, camera.size, &options).is_ok());
    let error = fit(&views[..7], camera.size, &options).unwrap_err();
    assert_eq!(error, LensError::TooFew { got: 7, needed: 8 });
    views[4].observation.size = SizePx::new(640, 480);
    let error = fit(&views, camera.size, &options).unwrap_err().to_string();
    assert!(error.starts_with("04.png has 640x480 pixels, the others 1280x960"), "{error}");
}

#[test]
fn views_that_are_all_alike_are_refused() {
    let (target, mut rng) = (charuco(), rng(8));
    let camera = random_camera(&mut rng, 1280);
    // The same tilt each time, and no tilt at all: moved about, or not even that.
    for (turn, moved) in [([0.3, 0.1, 0.0], 60.0), ([0.0; 3], 60.0), ([0.4, -0.2, 0.1], 0.0)] {
        let mut views = Vec::new();
        for i in 0..10 {
            let mut pose = testdata::camera::Pose::facing(turn, [110.0, 80.0], 700.0);
            pose.translation_mm[0] += moved * (f64::from(i) / 5.0 - 1.0);
            pose.translation_mm[2] += moved * f64::from(i % 3);
            let at = Camera { pose, ..camera };
            let observation = observed(&mut rng, &at, &target, 0.1);
            views.push(View { name: format!("{i}.png"), observation });
        }
        let error = fit(&views, camera.size, &FitOptions::default()).unwrap_err();
        assert!(matches!(error, LensError::Alike { .. }), "{error}");
        assert!(error.to_string().contains("tilt it left, right, up and down"), "{error}");
    }
}

#[test]
fn corners_without_views_are_named_and_k3_is_not_fitted_there() {
    let (camera, mut views) = views(9, 1280, 20, 0.1);
    // Nothing in the upper left ninth, nor near any corner.
    let (w, h) = (1280.0, 960.0);
    for view in &mut views {
        view.observation.points.retain(|seen| {
            let upper_left = seen.px.x < w / 3.0 && seen.px.y < h / 3.0;
            !upper_left && (seen.px.x - w / 2.0).hypot(seen.px.y - h / 2.0) < 0.65 * 800.0
        });
    }
    views.retain(|view| view.observation.points.len() > 20);
    let fit = fitted(&views, camera.size);
    assert!(fit.advice[0].starts_with("no view covers the upper left"), "{:?}", fit.advice);
    assert_eq!(fit.model, DistortionModel::FourParameters);
    assert!(fit.model_reason.contains("of the way to the corners"), "{}", fit.model_reason);
    assert_eq!(fit.lens.distortion[4], 0.0);
}

#[test]
fn k3_is_fitted_where_the_views_show_it() {
    let (target, mut rng) = (charuco(), rng(10));
    let mut camera = random_camera(&mut rng, 1280);
    let bending = testdata::camera::Optics::Pinhole {
        focal_px: [950.0, 950.0],
        centre_px: [640.0, 480.0],
        distortion: [-0.3, 0.15, 0.0, 0.0, -0.05],
    };
    camera.optics = bending;
    let view = |i: i32| {
        let at = random_view(&mut rng, &camera, &target, false);
        View { name: format!("{i}"), observation: observed(&mut rng, &at, &target, 0.05) }
    };
    let views: Vec<View> = (0..25).map(view).collect();
    let fit = fitted(&views, camera.size);
    assert_eq!(fit.model, DistortionModel::FiveParameters, "{}", fit.model_reason);
    assert!((fit.lens.distortion[4] + 0.05).abs() < 4.0 * fit.lens.sd.distortion[4]);
}
