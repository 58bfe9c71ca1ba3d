//! Whole fits on made-up parts: gray plates with dark spots, six pictures of each.

use std::fmt::Write;

use image::{GrayImage, Luma};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::index::Row;
use crate::tensor::Shaper;

const SIZE: SizePx = SizePx::new(96, 64);

/// What a row says of its spot.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Mask,
    Box,
    LabelOnly,
}

/// A folder with pictures of 12 good parts and 12 bad ones, half of these with a dark spot and half
/// with a bright streak; two pictures a part; the last parts of each in the split `val`.
fn parts(says: Says) -> (tempfile::TempDir, Index) {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut csv = "file,label,split,mask,boxes,group\n".to_owned();
    for number in 0..48_u32 {
        let (part, is_bad) = (number / 2, number % 4 > 1);
        let label = match (is_bad, part / 2 % 2) {
            (false, _) => "ok",
            (true, 0) => "spot",
            (true, _) => "streak",
        };
        let (x, y) = (rng.random_range(8..64_u32), rng.random_range(8..40_u32));
        let inside = |px: u32, py: u32| match label {
            "spot" => (x..x + 16).contains(&px) && (y..y + 16).contains(&py),
            "streak" => (x..x + 24).contains(&px) && (y..y + 8).contains(&py),
            _ => false,
        };
        let mut grain = ChaCha8Rng::seed_from_u64(u64::from(number));
        let picture = GrayImage::from_fn(96, 64, |px, py| {
            let level = grain.random_range(110..140_u8);
            Luma([if !inside(px, py) {
                level
            } else if label == "spot" {
                20
            } else {
                245
            }])
        });
        picture.save(dir.path().join(format!("{number}.png"))).unwrap();
        let (mut mask, mut boxes) = (String::new(), String::new());
        if is_bad && says == Says::Mask {
            mask = format!("m{number}.png");
            let marked = |px, py| Luma([if inside(px, py) { 255 } else { 0 }]);
            GrayImage::from_fn(96, 64, marked).save(dir.path().join(&mask)).unwrap();
        }
        if is_bad && says == Says::Box {
            let (w, h) = if label == "spot" { (16, 16) } else { (24, 8) };
            boxes = format!("{x} {y} {} {} {label}", x + w, y + h);
        }
        let split = if part >= 20 { "val" } else { "train" };
        writeln!(csv, "{number}.png,{label},{split},{mask},{boxes},part{part}").unwrap();
    }
    let file = dir.path().join("index.csv");
    std::fs::write(&file, csv).unwrap();
    let index = Index::read(&file).unwrap();
    (dir, index)
}

fn settings() -> Settings {
    Settings { size: Some(SIZE), test_split: Some("val".into()), ..Settings::default() }
}

fn naming() -> Naming {
    Naming { name: "plates".into(), licence: "MIT".into() }
}

fn fitted(says: Says) -> (tempfile::TempDir, Index, Fitted) {
    let (dir, index) = parts(says);
    let fitted = fit(&Runtime::open().unwrap(), &index, &settings(), |_| {}).unwrap();
    (dir, index, fitted)
}

#[test]
fn masks_make_a_segmenter_that_finds_what_was_marked() {
    let (dir, index) = parts(Says::Mask);
    let runtime = Runtime::open().unwrap();
    let mut steps = Vec::new();
    let fitted = fit(&runtime, &index, &settings(), |step| steps.push(step)).unwrap();
    assert_eq!((fitted.kind, fitted.images, fitted.groups), (Kind::Segmenter, 40, 20));
    assert_eq!(fitted.labels, ["ok", "spot", "streak"]);
    let (figures, test) = (&fitted.figures, &fitted.test.as_ref().unwrap().figures);
    assert!(figures.auroc.unwrap() > 0.95 && figures.accuracy > 0.9, "{figures:?}");
    assert!(figures.pixel_ap.unwrap() > 0.55, "{figures:?}");
    assert!(test.auroc.unwrap() > 0.95 && test.images == 8, "{test:?}");
    assert!(steps.contains(&Step::Looked { done: 48, of: 48 }));
    assert!(steps.contains(&Step::Trained { done: 10, of: 10 }), "{steps:?}");
    assert_eq!(steps.last(), Some(&Step::Finishing));

    // The bundle says the same of a picture that was kept out, and marks the right place.
    let bundle = dir.path().join("bundle");
    let mut model = fitted.write(&bundle, &naming(), &runtime).unwrap();
    let row = index.rows.iter().rfind(|row| row.labels == ["spot"]).unwrap();
    let pixels = pixels_from_file(&index.path(&row.file)).unwrap();
    let mut tensor = model.input().tensor();
    Shaper::new(model.input().clone()).prepare(&pixels, SIZE.rect(), &mut tensor).unwrap();
    let finding = model.run(&tensor, 0, SIZE.rect()).unwrap();
    let mut looker = Looker::open(&runtime, SIZE).unwrap();
    let at = index.rows.iter().position(|other| other == row).unwrap();
    let checked = Checked::new(&index, at, &fitted.labels).unwrap();
    let seen = look_at(&mut looker, &checked, 0, Kind::Segmenter, SIZE).unwrap();
    let answer = answer(&seen, said(&fitted.head, &seen));
    let scores = answer.scores(fitted.limits.cells());
    let best =
        finding.defects.iter().max_by(|a, b| a.score.get().total_cmp(&b.score.get())).unwrap();
    assert_eq!(&*best.kind, "spot");
    assert!((best.score.get() - scores[1]).abs() < 0.01, "{} {scores:?}", best.score.get());
    let marked = checked.region().unwrap().unwrap();
    let cover = marked.cells(&tensor.placement, grid::cells(SIZE));
    let (x, y) = (best.box_in_frame.x / 8, best.box_in_frame.y / 8);
    let near = |at: &u32| (x..x + 4).contains(&(at % 12)) && (y..y + 4).contains(&(at / 12));
    assert!((0..96).filter(near).any(|at| cover[at as usize].bad > 0), "{:?}", best.box_in_frame);
    for name in ["CARD.md", "recipe.toml", "model.toml", "model.onnx"] {
        assert!(bundle.join(name).exists(), "{name}");
    }
    let card = std::fs::read_to_string(bundle.join("CARD.md")).unwrap();
    for part in ["streak: rejected as streak", "split `val`", "Clopper", "pixel AP"] {
        assert!(card.contains(part), "{part} is missing in {card}");
    }
}

#[test]
fn boxes_do_for_masks_and_labels_alone_make_a_classifier() {
    let (dir, _, boxed) = fitted(Says::Box);
    assert_eq!(boxed.kind, Kind::Segmenter);
    assert!(boxed.figures.auroc.unwrap() > 0.95, "{:?}", boxed.figures);
    assert!(boxed.warnings.iter().any(|warning| warning.contains("boxes and no mask")));
    drop(dir);
    let (dir, _, labelled) = fitted(Says::LabelOnly);
    assert_eq!(labelled.kind, Kind::Classifier);
    assert_eq!(labelled.limits.cells(), None);
    assert!(labelled.figures.auroc.unwrap() > 0.9, "{:?}", labelled.figures);
    let runtime = Runtime::open().unwrap();
    labelled.write(&dir.path().join("bundle"), &naming(), &runtime).unwrap();
    let again = labelled.write(&dir.path().join("bundle"), &naming(), &runtime);
    assert!(matches!(again, Err(FitError::Write(WriteError::Taken(_)))));
}

#[test]
fn the_same_seed_gives_the_same_head_on_any_number_of_threads() {
    let (_dir, index) = parts(Says::Box);
    let runtime = Runtime::open().unwrap();
    let with = |seed, threads| {
        let settings = Settings { seed, threads, ..settings() };
        fit(&runtime, &index, &settings, |_| {}).unwrap()
    };
    let (first, again, other) = (with(3, 1), with(3, 2), with(4, 2));
    assert_eq!(
        (&first.head, first.limits, &first.figures),
        (&again.head, again.limits, &again.figures)
    );
    assert_ne!(first.head, other.head);
}

fn refusal(change: impl Fn(&mut Index), settings: &Settings) -> String {
    let (_dir, mut index) = parts(Says::Mask);
    change(&mut index);
    fit(&Runtime::open().unwrap(), &index, settings, |_| {}).unwrap_err().to_string()
}

#[test]
fn what_can_not_be_learnt_from_is_named() {
    let good_only = refusal(|index| index.rows.retain(|row| !row.is_bad()), &settings());
    assert!(good_only.contains("`ok`") && good_only.contains("defects"), "{good_only}");
    let bad_only = refusal(|index| index.rows.retain(Row::is_bad), &settings());
    assert!(bad_only.contains("spot") && bad_only.contains("`ok`"), "{bad_only}");
    let one_part = |index: &mut Index| {
        index.rows.iter_mut().filter(|row| row.is_bad()).for_each(|row| row.group = "x".into());
    };
    let one_part = refusal(one_part, &Settings { test_split: None, ..settings() });
    assert!(one_part.contains("1 bad"), "{one_part}");
    let both = refusal(|index| index.rows[47].group = "part0".into(), &settings());
    assert!(both.contains("part0") && both.contains("line 49"), "{both}");
    let gone = refusal(|index| index.rows[2].mask = Some("gone.png".into()), &settings());
    assert!(gone.contains("gone.png") && gone.contains("line 4"), "{gone}");
    let many = |index: &mut Index| {
        index.rows.iter_mut().for_each(|row| row.file = "gone.png".into());
    };
    let many = refusal(many, &settings());
    assert!(many.contains("48 rows") && many.contains("and 38 more"), "{many}");
    let split = refusal(|_| {}, &Settings { test_split: Some("exam".into()), ..settings() });
    assert!(split.contains("exam") && split.contains("val"), "{split}");
    let size = Settings { size: Some(SizePx::new(100, 64)), ..settings() };
    assert!(refusal(|_| {}, &size).contains("multiples of 16"));
}

#[test]
fn another_label_can_be_the_good_one() {
    let (_dir, mut index) = parts(Says::LabelOnly);
    index.rows.iter_mut().filter(|row| !row.is_bad()).for_each(|row| {
        row.labels = vec!["fine".into()];
    });
    let runtime = Runtime::open().unwrap();
    let error = fit(&runtime, &index, &settings(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("fine"), "{error}");
    let settings = Settings { good: "fine".into(), ..settings() };
    let fitted = fit(&runtime, &index, &settings, |_| {}).unwrap();
    assert_eq!(fitted.labels, ["fine", "spot", "streak"]);
}

#[test]
fn few_parts_and_missing_groups_are_warned_of() {
    let (_dir, mut index) = parts(Says::Box);
    let streaks: Vec<_> = (0..40).filter(|at| index.rows[*at].labels == ["streak"]).collect();
    let dropped = |at: usize| streaks[4..].contains(&at);
    let mut at = 0;
    index.rows.retain(|_| {
        at += 1;
        !dropped(at - 1)
    });
    index.rows.iter_mut().for_each(|row| row.group = row.file.to_string_lossy().into_owned());
    let fitted = fit(&Runtime::open().unwrap(), &index, &settings(), |_| {}).unwrap();
    let warned = |of: &str| fitted.warnings.iter().any(|warning| warning.contains(of));
    assert!(warned("`streak`") && warned("no row names a group"), "{:?}", fitted.warnings);
}
