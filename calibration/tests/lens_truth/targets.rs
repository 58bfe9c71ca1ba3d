//! Targets are found where they are, and each fault is named.

use sightline_calibration::target::{Mm, NotFound, Seen, Target};
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
        let [width, height] = target.extent_mm();
        // A board with two odd counts looks the same upside down.
        let off = |turned: bool| -> Vec<f64> {
            let at = |mm: Mm| {
                if turned { [width - mm.x, height - mm.y, 0.0] } else { [mm.x, mm.y, 0.0] }
            };
            let off = |p: &Seen| {
                let [x, y] = camera.px_from_mm(at(p.mm)).unwrap();
                (p.px.x - x).hypot(p.px.y - y)
            };
            seen.points.iter().map(off).collect()
        };
        let (upright, turned) = (off(false), off(true));
        errors.extend(if turned[0] < upright[0] { turned } else { upright });
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
