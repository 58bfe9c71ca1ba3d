//! What is done to every part takes no memory after the start.
#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]

mod scene;

use domain::{MonoTime, RectPx, SizePx};
use scene::{At, bracket, part, random};
use sightline_calibration::align::{Aligner, Options, upright_into};
use sightline_calibration::flat_field::{Exposure, FlatFieldLimits, FlatFieldStudy};
use sightline_calibration::watch::{BaselineStudy, Landmark, Limits, Watch};

const SIZE: SizePx = SizePx::new(200, 160);

#[test]
fn nothing_is_taken_for_a_part() {
    let at = |deg| At { dx: 2.0, dy: -3.0, deg, scale: 1.0 };
    let seen = |deg, seed| part(SIZE, bracket, at(deg), 90.0).seen(1.5, 0.1, &mut random(seed));
    let golden = seen(0.0, 1);
    let mut aligner = Aligner::new(&golden.picture(), &Options::default()).unwrap();
    let crop = seen(77.0, 2);

    let exposure = Exposure { exposure_us: 100.0, gain_db: 0.0 };
    let mut study = FlatFieldStudy::new(SIZE, exposure, FlatFieldLimits::default()).unwrap();
    let plain = part(SIZE, |_, _| Some(150.0), at(0.0), 150.0).seen(1.0, 0.0, &mut random(3));
    for _ in 0..16 {
        study.flat(&plain.picture()).unwrap();
    }
    let flat_field = study.finish().unwrap();

    let landmark = Landmark::Patch(RectPx::new(30, 30, 100, 100));
    let mut study = BaselineStudy::new(SIZE, Some(landmark)).unwrap();
    for seed in 0..20 {
        study.see(&seen(0.0, seed).picture()).unwrap();
    }
    let mut watch = Watch::new(study.finish().unwrap(), Limits::default());

    let mut luma = crop.luma.clone();
    let mut out = vec![0; luma.len()];
    let taken = allocation_counter::measure(|| {
        flat_field.apply_in_place(SIZE.rect(), &mut luma, 200).unwrap();
        let pose = aligner.align(&crop.picture()).unwrap();
        upright_into(&crop.picture(), &pose, &mut out, 200);
        for index in 0..40 {
            watch.see(&crop.picture(), MonoTime::from_ns(index)).unwrap();
        }
    });
    assert_eq!(taken.count_total, 0, "{taken:?}");
}
