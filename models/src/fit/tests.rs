//! The whole way, on made-up cloth: woven lines that lie a little differently on each picture; bad
//! ones have a blemish.

use std::path::Path;

use domain::{OwnedPixels, Pixels};
use image::GrayImage;

use super::*;
use crate::bundle::Bundle;
use crate::tensor::Shaper;

const SIDE: u32 = 96;

/// Cloth number `number`; `blemish` is the side of a smooth dark spot, 0 for none.
fn cloth(number: u32, blemish: u32) -> GrayImage {
    let shift = number.wrapping_mul(2_654_435_761);
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let (across, down) = ((x + (shift >> 8) % 8) % 8, (y + (shift >> 16) % 8) % 8);
        let grain = (((x * 7919) ^ (y * 104_729) ^ shift).wrapping_mul(40_503) >> 8) & 15;
        let line = 90 + 12 * across.abs_diff(4) + 14 * down.abs_diff(4) + grain;
        let inside = |at: u32, from: u32| (from..from + blemish).contains(&at);
        let spot = inside(x, 20 + (shift >> 4) % 40) && inside(y, 20 + (shift >> 12) % 40);
        image::Luma([u8::try_from(if spot { 40 } else { line }).unwrap()])
    })
}

/// Pictures in folders: good ones in `lots` folders below `good`, bad ones in `bad`.
fn folders(good: u32, lots: u32, bad: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..good {
        let lot = dir.path().join(format!("good/lot{}", number % lots));
        std::fs::create_dir_all(&lot).unwrap();
        cloth(number, 0).save(lot.join(format!("{number:03}.png"))).unwrap();
    }
    std::fs::create_dir_all(dir.path().join("bad")).unwrap();
    for number in 0..bad {
        let file = dir.path().join(format!("bad/{number:03}.png"));
        cloth(1000 + number, 18).save(file).unwrap();
    }
    dir
}

fn plan() -> Plan {
    Plan {
        name: "cloth".to_owned(),
        licence: "MIT".to_owned(),
        method: Method::Patchcore,
        size: SizePx::new(SIDE, SIDE),
        grid: Grid::Coarse,
        patches: 100,
        seed: 1,
        rule: Rule::USUAL,
        threads: 2,
        skip_unreadable: false,
    }
}

fn fit(data: &Path, out: &str, with_bad: bool, plan: &Plan) -> Result<Fitted, FitError> {
    let bad = data.join("bad");
    let pictures = Pictures::from_folders(&data.join("good"), with_bad.then_some(&*bad))?;
    bundle_from_pictures(&data.join(out), pictures, plan, &Runtime::open().unwrap(), &|_| {})
}

fn score(bundle: &Path, picture: &OwnedPixels) -> f32 {
    let mut model = Bundle::load(bundle).unwrap().arm(&Runtime::open().unwrap()).unwrap();
    let mut tensor = model.input().tensor();
    let crop = picture.size().rect();
    Shaper::new(model.input().clone()).prepare(picture, crop, &mut tensor).unwrap();
    model.run(&tensor, 0, crop).unwrap().classes[1].score.get()
}

#[test]
fn blemishes_are_found_by_either_method() {
    let data = folders(30, 3, 9);
    for (method, grid) in [
        (Method::Patchcore, Grid::Coarse),
        (Method::Patchcore, Grid::Fine),
        (Method::Padim, Grid::Coarse),
    ] {
        let out = format!("{method:?}{grid:?}");
        let plan = Plan { method, grid, ..plan() };
        let fitted = fit(data.path(), &out, true, &plan).unwrap();
        assert!(fitted.auroc.unwrap() > 0.99, "{fitted:?}");
        assert_eq!(
            (fitted.errors.overkill.count, fitted.errors.escape.count),
            (0, 0),
            "{fitted:?}"
        );
        assert_eq!((fitted.good, fitted.bad, fitted.groups, fitted.folds), (30, 9, 3, 3));
        assert_eq!(fitted.warnings, [""; 0]);
        // The bundle says of new cloth what was expected of it.
        for number in 500..504 {
            for (blemish, bad) in [(0, false), (18, true)] {
                let file = data.path().join("new.png");
                cloth(number, blemish).save(&file).unwrap();
                let score = score(&data.path().join(&out), &pixels_from_file(&file).unwrap());
                assert_eq!(score >= fitted.reject_at, bad, "{method:?} {number} {score}");
            }
        }
    }
}

#[test]
fn without_bad_pictures_escape_is_not_known() {
    let data = folders(30, 3, 2);
    let fitted = fit(data.path(), "out", false, &plan()).unwrap();
    assert_eq!((fitted.bad, fitted.auroc, fitted.errors.escape.rate), (0, None, None));
    assert_eq!(fitted.errors.overkill.of, 30);
    let card = std::fs::read_to_string(data.path().join("out/CARD.md")).unwrap();
    for part in ["How many bad parts escape is not known", "2106.08265", "Apache-2.0", "30 good"] {
        assert!(card.contains(part), "{part} is missing in {card}");
    }
    let recipe = std::fs::read_to_string(data.path().join("out/recipe.toml")).unwrap();
    let recipe: domain::Recipe = toml::from_str(&recipe).unwrap();
    assert_eq!(recipe.limits.reject_at, fitted.reject_at);
    assert_eq!(recipe.limits.undecided_from, Some(fitted.undecided_from));
    // The score at which a part is rejected is the one that the bundle gives it.
    let bad = pixels_from_file(&data.path().join("bad/000.png")).unwrap();
    assert!(score(&data.path().join("out"), &bad) > fitted.reject_at);
}

#[test]
fn the_same_pictures_give_the_same_bundle() {
    let data = folders(12, 2, 0);
    let one = fit(data.path(), "one", false, &Plan { threads: 1, ..plan() }).unwrap();
    let two = fit(data.path(), "two", false, &Plan { threads: 3, ..plan() }).unwrap();
    assert_eq!(one.model, two.model);
    let other = fit(data.path(), "other", false, &Plan { seed: 2, ..plan() }).unwrap();
    assert_ne!(one.model, other.model);
}

#[test]
fn pictures_of_other_shapes_are_taken() {
    let data = folders(12, 2, 0);
    let wide =
        image::imageops::resize(&cloth(50, 0), 200, 60, image::imageops::FilterType::Triangle);
    wide.save(data.path().join("good/lot0/wide.png")).unwrap();
    assert_eq!(fit(data.path(), "out", false, &plan()).unwrap().good, 13);
}

#[test]
fn what_can_not_be_read_is_refused_or_skipped() {
    let data = folders(6, 2, 1);
    std::fs::write(data.path().join("good/lot1/broken.png"), b"no picture").unwrap();
    std::fs::write(data.path().join("bad/broken.jpg"), b"nor this").unwrap();
    let error = fit(data.path(), "out", true, &plan()).unwrap_err().to_string();
    assert!(error.contains("2 pictures") && error.contains("lot1/broken.png"), "{error}");
    assert!(!data.path().join("out").exists());
    let skipping = Plan { skip_unreadable: true, ..plan() };
    let fitted = fit(data.path(), "out", true, &skipping).unwrap();
    assert_eq!((fitted.good, fitted.bad), (6, 1));
    assert!(fitted.warnings.iter().any(|w| w.contains("2 pictures were skipped")), "{fitted:?}");
    // With too few left it is no longer worth it.
    for number in ["000", "002"] {
        std::fs::write(data.path().join(format!("good/lot0/{number}.png")), number).unwrap();
    }
    let error = fit(data.path(), "again", true, &skipping).unwrap_err().to_string();
    assert!(error.contains("4 good pictures"), "{error}");
}

#[test]
fn few_pictures_and_no_lots_are_warned_of() {
    let data = folders(7, 1, 0);
    let fitted = fit(data.path(), "out", false, &plan()).unwrap();
    assert_eq!((fitted.groups, fitted.folds, fitted.warnings.len()), (0, 3, 2), "{fitted:?}");
    assert!(fitted.warnings[0].contains("7 good pictures are few"));
    assert!(fitted.warnings[1].contains("no lots"));
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let data = folders(6, 1, 0);
    let taken = data.path().join("bad");
    let error = fit(data.path(), "bad", false, &plan()).unwrap_err();
    assert!(matches!(error, FitError::Write(WriteError::Taken(_))), "{error}");
    assert!(taken.is_dir());
}

#[test]
fn more_pictures_than_memory_takes_are_thinned_evenly() {
    let picture = |i: usize| Picture { file: format!("{i}.png").into(), group: String::new() };
    let good: Vec<_> = (0..3000).map(picture).collect();
    let (place, bad) = (PathBuf::new(), Vec::new());
    let mut pictures = Pictures { place, good, bad, warnings: Vec::new() };
    let plan = Plan { size: SizePx::new(512, 512), grid: Grid::Fine, ..plan() };
    thin_out(&mut pictures, &plan);
    let most = FEATURE_BYTES_MOST / (64 * 64 * 152 * 4);
    assert_eq!(pictures.good.len(), most);
    let gaps = pictures.good.windows(2).map(|pair| {
        let number = |p: &Picture| p.file.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let (a, b): (usize, usize) = (number(&pair[0]), number(&pair[1]));
        b - a
    });
    assert!(gaps.clone().max() <= gaps.min().map(|least| least + 1));
    assert!(pictures.warnings[0].contains("3000"), "{:?}", pictures.warnings);
}
