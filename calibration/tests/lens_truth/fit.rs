//! Lenses are found again.

use sightline_calibration::lens::{FitOptions, View, fit};

use crate::scene::{charuco, observed, random_camera, random_view, rng, true_lens};

#[test]
fn probe() {
    let target = charuco();
    for seed in 0..6 {
        let mut rng = rng(seed);
        let camera = random_camera(&mut rng, 1280);
        let views: Vec<View> = (0..15)
            .map(|i| {
                let at = random_view(&mut rng, &camera, &target);
                View {
                    name: format!("{i}.png"),
                    observation: observed(&mut rng, &at, &target, 0.1),
                }
            })
            .collect();
        let found = fit(&views, camera.size, &FitOptions::default()).unwrap();
        let truth = true_lens(&camera);
        println!(
            "{:?}\n{:?} {:?}\n  {:?} {} {:?}",
            truth, found.lens, found.rms_px, found.model, found.model_reason, found.advice
        );
    }
}
