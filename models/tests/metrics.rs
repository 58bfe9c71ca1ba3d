//! Our figures against those of the packages that the field measures with, on the same predictions:
//! `tests/make_metrics.py` made them, and says which package gave which.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test that stops has failed; made-up pixels are of 24 bits"
)]

use std::path::Path;

use domain::SizePx;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sightline_models::eval::{
    BoxFigures, Confusion, DefectMap, FoundBox, KnownBox, McNemar, PictureBoxes, PixelFigures,
    PixelTally, Ranking, Truth, mean_average_precision,
};

/// How far a figure may be off.
const NEAR: f64 = 1e-6;

fn read<T: DeserializeOwned>(name: &str) -> T {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metrics").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[track_caller]
fn same(case: &str, figure: &str, ours: Option<f64>, theirs: Option<f64>) {
    let is_near = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= NEAR,
        (ours, theirs) => ours == theirs,
    };
    assert!(is_near, "{case}: {figure} is {ours:?}, theirs {theirs:?}");
}

#[derive(Deserialize)]
struct RankingCase {
    name: String,
    scores: Vec<f32>,
    bad: Vec<bool>,
    auroc: Option<f64>,
    ap: Option<f64>,
    escape_at_overkill_1pct: Option<f64>,
    limit_1pct: Option<f64>,
    overkill_at_zero_escape: Option<f64>,
    limit_zero: Option<f64>,
}

#[test]
fn rankings_agree() {
    let cases: Vec<RankingCase> = read("rankings.json");
    assert!(cases.iter().any(|case| case.auroc.is_none()) && cases.len() > 5);
    for case in cases {
        let name = &case.name;
        let ranking = Ranking::new(case.scores.into_iter().zip(case.bad));
        let ranking = ranking.as_ref();
        same(name, "auroc", ranking.map(Ranking::auroc), case.auroc);
        same(name, "ap", ranking.map(Ranking::average_precision), case.ap);
        let escape = ranking.map(|ranking| ranking.escape_at_overkill(0.01));
        same(name, "escape", escape.and_then(|at| at.rate.rate), case.escape_at_overkill_1pct);
        same(name, "its limit", escape.and_then(|at| at.limit).map(f64::from), case.limit_1pct);
        let overkill = ranking.map(Ranking::overkill_at_zero_escape);
        same(name, "overkill", overkill.and_then(|at| at.rate.rate), case.overkill_at_zero_escape);
        same(name, "its limit", overkill.and_then(|at| at.limit).map(f64::from), case.limit_zero);
    }
}

#[derive(Deserialize)]
struct LabelsCase {
    name: String,
    labels: usize,
    truth: Vec<usize>,
    said: Vec<usize>,
    accuracy: f64,
    macro_f1: f64,
    kappa: Option<f64>,
}

#[test]
fn labels_agree() {
    for case in read::<Vec<LabelsCase>>("labels.json") {
        let names = (0..case.labels).map(|label| label.to_string()).collect();
        let confusion = Confusion::new(names, case.truth.into_iter().zip(case.said));
        same(&case.name, "accuracy", confusion.accuracy(), Some(case.accuracy));
        same(&case.name, "macro F1", confusion.macro_f1(), Some(case.macro_f1));
        same(&case.name, "kappa", confusion.kappa(), case.kappa);
    }
}

#[derive(Deserialize)]
struct McNemarCase {
    first: u64,
    second: u64,
    p: f64,
}

#[test]
fn mcnemar_agrees() {
    for McNemarCase { first, second, p } in read::<Vec<McNemarCase>>("mcnemar.json") {
        same(&format!("{first} {second}"), "p", Some(McNemar::new(first, second).p), Some(p));
    }
}

#[derive(Deserialize)]
struct TheirPixels {
    threshold: f32,
    auroc: Option<f64>,
    aupro: Option<f64>,
    iou: Option<f64>,
}

impl TheirPixels {
    #[track_caller]
    fn agree(&self, name: &str, ours: PixelFigures) {
        same(name, "auroc", ours.auroc, self.auroc);
        same(name, "aupro", ours.aupro, self.aupro);
        same(name, "iou", ours.iou, self.iou);
    }
}

#[derive(Deserialize)]
struct PixelCase {
    name: String,
    width: usize,
    maps: Vec<Vec<f32>>,
    masks: Vec<String>,
    #[serde(flatten)]
    theirs: TheirPixels,
}

#[test]
fn pixels_agree() {
    let cases: Vec<PixelCase> = read("pixels.json");
    assert!(cases.iter().any(|case| case.theirs.aupro.is_none()) && cases.len() > 5);
    for case in cases {
        let mut tally = PixelTally::new(Some(case.theirs.threshold));
        for (map, mask) in case.maps.iter().zip(&case.masks) {
            let mask: Vec<bool> = mask.bytes().map(|bit| bit == b'1').collect();
            assert_eq!(map.len(), mask.len());
            tally.add(map, &Truth::from_mask(mask, case.width));
        }
        case.theirs.agree(&case.name, tally.figures());
    }
}

/// Half a million pixels, kept one by one and in bins.
#[test]
fn many_pixels_agree() {
    let theirs: TheirPixels = read("many_pixels.json");
    for each in [usize::MAX, 0] {
        let mut tally = PixelTally::exact_up_to(each, Some(theirs.threshold));
        for picture in 0..2_u64 {
            let (mut map, mut mask) = (Vec::new(), Vec::new());
            for (x, y) in (0..400).flat_map(|y| (0..600).map(move |x| (x, y))) {
                let index = picture * 240_000 + y * 600 + x;
                let hashed = |factor: u64| ((index * factor) as u32 >> 8) as f32 / 16_777_216.0;
                let is_bad = x % 97 < 9 && y % 61 < 13;
                let (one, other) = (hashed(2_654_435_761), hashed(2_246_822_519));
                map.push(if is_bad { one.max(other) } else { one });
                mask.push(is_bad);
            }
            tally.add(&map, &Truth::from_mask(mask, 600));
        }
        theirs.agree(if each == 0 { "in bins" } else { "one by one" }, tally.figures());
    }
}

#[derive(Deserialize)]
struct BoxCase {
    name: String,
    labels: usize,
    limit: f32,
    pictures: Vec<BoxPicture>,
    map33: Option<f64>,
    map50: Option<f64>,
    f1: Option<f64>,
}

#[derive(Deserialize)]
struct BoxPicture {
    known: Vec<(usize, [f64; 4])>,
    found: Vec<(usize, f32, [f64; 4])>,
}

#[test]
fn boxes_agree() {
    let cases: Vec<BoxCase> = read("boxes.json");
    assert!(cases.iter().any(|case| case.map50.is_none()) && cases.len() > 5);
    for case in cases {
        let pictures: Vec<_> = case.pictures.iter().map(boxes_of).collect();
        let ours = BoxFigures::new(&pictures, case.labels, case.limit);
        same(&case.name, "map33", ours.map33, case.map33);
        same(&case.name, "map50", ours.map50, case.map50);
        same(&case.name, "f1", ours.f1, case.f1);
        assert_eq!(ours.map50, mean_average_precision(&pictures, case.labels, 0.5));
    }
}

fn boxes_of(picture: &BoxPicture) -> PictureBoxes {
    let known = picture.known.iter().map(|&(label, corners)| KnownBox { label, corners });
    let found =
        picture.found.iter().map(|&(label, score, corners)| FoundBox { label, score, corners });
    PictureBoxes { found: found.collect(), known: known.collect() }
}

#[derive(Deserialize)]
struct ResizeCase {
    rows: usize,
    columns: usize,
    grid: Vec<f32>,
    height: u32,
    width: u32,
    pixels: Vec<f32>,
}

#[test]
fn maps_are_scaled_alike() {
    for case in read::<Vec<ResizeCase>>("resize.json") {
        let map = DefectMap {
            width: case.columns,
            height: case.rows,
            values: case.grid,
            across: (0.0, f64::from(case.width) / case.columns as f64),
            down: (0.0, f64::from(case.height) / case.rows as f64),
        };
        let pixels = map.pixels(SizePx::new(case.width, case.height));
        assert_eq!(pixels.len(), case.pixels.len());
        for (ours, theirs) in pixels.iter().zip(&case.pixels) {
            same("resize", "a pixel", Some((*ours).into()), Some((*theirs).into()));
        }
    }
}
