//! A picture costs a network no memory: after a warm start a run takes none, and what is read of
//! it takes the finding's own and little more.

#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]

#[expect(dead_code, reason = "fixtures of several tests")]
mod bundles;

use allocation_counter::measure;
use bundles::{data, runtime};
use domain::{Execution, SizePx};
use sightline_models::{Bundle, Model};

/// How often this thread takes memory while it does `work`.
fn taken_by(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

fn armed(fixture: &str) -> Model {
    let bundle = Bundle::load(&data().join(fixture)).unwrap();
    bundle.arm_on(&runtime(), &Execution { warm_up_runs: 1, ..Execution::default() }).unwrap()
}

#[test]
fn a_run_takes_no_memory() {
    for fixture in ["classifier", "segmenter"] {
        let mut model = armed(fixture);
        let tensor = model.input().tensor();
        model.compute(&tensor).unwrap();
        let taken = taken_by(|| (0..10).for_each(|_| model.compute(&tensor).unwrap()));
        assert_eq!(taken, 0, "{fixture}");
    }
}

#[test]
fn another_tensor_costs_a_look_at_it_and_its_numbers_are_used() {
    let mut model = armed("segmenter");
    let (dark, mut bright) = (model.input().tensor(), model.input().tensor());
    bright.data.fill(1.0);
    let crop = SizePx::new(64, 32).rect();
    let of_dark = model.run(&dark, 0, crop).unwrap();
    let of_bright = model.run(&bright, 0, crop).unwrap();
    assert_ne!(of_dark, of_bright);
    assert_eq!(model.run(&dark, 0, crop).unwrap(), of_dark);
    // The same memory with other numbers in it.
    bright.data.fill(0.0);
    assert_eq!(model.run(&bright, 0, crop).unwrap(), of_dark);
    let taken = taken_by(|| model.compute(&dark).unwrap());
    assert!(taken <= 4, "{taken} times");
}

#[test]
fn a_finding_takes_little_more_than_its_own_memory() {
    let mut model = armed("classifier");
    let (tensor, crop) = (model.input().tensor(), SizePx::new(16, 16).rect());
    let finding = model.run(&tensor, 0, crop).unwrap();
    let own = taken_by(|| drop(finding.clone()));
    let taken = taken_by(|| drop(model.run(&tensor, 0, crop).unwrap()));
    assert!(taken <= own + 2, "{taken} times, the finding itself {own}");
}
