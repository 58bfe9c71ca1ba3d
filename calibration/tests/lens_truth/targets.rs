//! Targets are found where they are, and each fault is named.

use calibration::target::{NotFound, Target};
use testdata::camera::Shot;

use crate::scene::{
    charuco, chessboard, circles, largest, picture, quantile, random_camera, random_view, rng,
    shoot,
};

fn errors_px(target: &Target, seeds: std::ops::Range<u64>) -> Vec<f64> {
    let mut errors = Vec::new();
    for seed in seeds {
        let mut rng = rng(seed);
        let camera = random_camera(&mut rng, 960);
        let camera = random_view(&mut rng, &camera, target);
        let luma = shoot(&camera, target, Shot { seed, ..Shot::default() });
        let seen =
            target.detect(&picture(camera.size, &luma)).unwrap_or_else(|e| panic!("{seed}: {e}"));
        println!("{seed} {} of {}, edges {:.2}", seen.points.len(), seen.of, seen.edge_width_px);
        for point in &seen.points {
            let [x, y] = camera.px_from_mm([point.mm.x, point.mm.y, 0.0]).unwrap();
            errors.push((point.px.x - x).hypot(point.px.y - y));
        }
    }
    errors
}

#[test]
fn probe() {
    for target in [chessboard(), charuco(), circles()] {
        let mut errors = errors_px(&target, 0..6);
        println!(
            "{target}: {} median {:.3} 95 % {:.3} max {:.3}",
            errors.len(),
            quantile(&mut errors, 0.5),
            quantile(&mut errors, 0.95),
            largest(&errors)
        );
    }
    let _ = NotFound::OpenCv(String::new());
}
