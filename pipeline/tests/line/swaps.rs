//! Recipe and model change between two parts; none is missed, and none is inspected with what it
//! was not located with.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::Sha256;
use sightline_pipeline::line::Armed;
use sightline_pipeline::prepare::Calibrations;
use store::{PartFilter, Reader};

use super::setup::{Setup, fixture, grey, model, recipe};

const SWAPS: usize = 10_000;
/// No divisor of the swaps, so that parts meet both recipes.
const PARTS: usize = 1_100;

#[test]
fn ten_thousand_swaps_under_load_miss_no_part() {
    let recipes = [recipe("one", 50_000), recipe("two", 40_000)];
    let armed = recipes.each_ref().map(|recipe| {
        Arc::new(
            Armed::new(Arc::clone(recipe), model(&fixture()), Calibrations::default(), 2).unwrap(),
        )
    });
    let bench = Setup::new(Arc::clone(&recipes[0])).start();
    let mut shot = 0;
    for swap in 0..SWAPS {
        bench.line.change(Arc::clone(&armed[(swap + 1) % 2])).unwrap();
        if swap * PARTS / SWAPS >= shot {
            shot += 1;
            bench.shoot(grey(128));
            // The camera must not outrun the line, or frames are dropped, as they should be.
            bench.answers(shot);
        }
    }
    assert_eq!(shot, PARTS);
    let left = bench.end();
    assert_eq!(left.answers.len(), PARTS);
    assert_eq!(left.summary.events["recipe_changed"], SWAPS as u64);
    let reader = Reader::open(&left.store).unwrap();
    let run = reader.runs().unwrap()[0].id;
    let mut used: BTreeSet<Sha256> = BTreeSet::new();
    for row in reader.parts(&PartFilter::default()).unwrap() {
        used.insert(reader.part(run, row.part).unwrap().unwrap().provenance.recipe);
    }
    assert_eq!(used, recipes.iter().map(|recipe| recipe.hash()).collect());
}
