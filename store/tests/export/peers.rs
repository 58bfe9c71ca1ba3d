//! The field's own readers on our exports. Needs a Python with pycocotools, supervision, datumaro
//! or anomalib, each of which may be missing; `EXPORT_PEER_PYTHON` names it. Says so and skips
//! without.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use domain::RectPx;
use serde_json::{Value, json};
use store::export::{Format, Manifest, PictureFacts};

use crate::station::{CROP, exported, mixed, options};

#[test]
fn the_fields_own_readers_see_the_same() {
    let Some(python) = std::env::var_os("EXPORT_PEER_PYTHON") else {
        println!("skipped: EXPORT_PEER_PYTHON names no Python with pycocotools and its like");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    let mut manifests = BTreeMap::new();
    for format in Format::ALL {
        let out = dir.path().join(format.name());
        manifests.insert(format, exported(&dir.path().join("s"), &options(format, &out)));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export/peers.py");
    let told = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success(), "{stderr}");
    let seen = stdout.lines().find_map(|line| line.strip_prefix("SEEN ")).unwrap();
    let all: Value = serde_json::from_str(seen).unwrap();
    println!("not installed: {}", all["missing"]);
    let seen = &all["seen"];
    let when = |name: &str, check: &dyn Fn(&Value)| {
        if let Some(seen) = seen.get(name) {
            check(seen);
        }
    };
    when("models/train", &|seen| same_rows(&manifests[&Format::Csv], seen));
    when("pycocotools", &|seen| same_masks(&manifests[&Format::Coco], seen));
    when("supervision yolo", &|seen| same_boxes(&manifests[&Format::Yolo], seen));
    when("supervision voc", &|seen| same_boxes(&manifests[&Format::Voc], seen));
    for (name, format) in [("coco", Format::Coco), ("yolo", Format::Yolo), ("voc", Format::Voc)] {
        when(&format!("datumaro {name}"), &|seen| same_counts(&manifests[&format], seen));
    }
    when("yaml", &|seen| {
        let classes = &manifests[&Format::Yolo].classes;
        let names: Vec<_> = classes.iter().map(|class| &class.written).collect();
        assert_eq!(*seen, json!(names));
    });
    when("anomalib", &|seen| {
        let rows = seen.as_array().unwrap();
        let count = |label: &str, has_mask: bool| {
            let of = |row: &&Value| (row[1] != "good") == (label == "bad") && row[2] == has_mask;
            rows.iter().filter(of).count()
        };
        assert_eq!((rows.len(), count("good", false), count("bad", true)), (52, 24, 28));
    });
}

/// Of the training recipes: splits, groups, labels, and whose each pixel is.
fn same_rows(manifest: &Manifest, seen: &Value) {
    assert_eq!(seen.as_object().unwrap().len(), manifest.pictures.len());
    for facts in &manifest.pictures {
        let seen = &seen[&facts.name];
        let written = |class: &str| {
            &manifest.classes.iter().find(|known| *known.name == *class).unwrap().written
        };
        let names: BTreeSet<_> = facts.marks.iter().map(|mark| &**written(&mark.class)).collect();
        let names: Vec<_> = if names.is_empty() { vec!["ok"] } else { names.into_iter().collect() };
        assert_eq!(seen["label"], names.join("|"));
        assert_eq!((&seen["split"], &seen["group"]), (&json!(facts.split), &json!(facts.group)));
        let pixels = |name: &str| seen["pixels"][name].as_u64().unwrap_or(0);
        if facts.marks.iter().any(|mark| mark.area.area() == facts.size.rect().area()) {
            assert_eq!(pixels("?"), facts.size.area(), "nobody said where: {seen}");
            continue;
        }
        for mark in &facts.marks {
            let is_box = &*mark.class != "scratch";
            let found = pixels(written(&mark.class));
            assert!(found > 0 && found <= mark.area.area(), "{seen}");
            assert!(!is_box || found == mark.area.area(), "{seen}");
        }
        assert_eq!(pixels("?"), 0);
    }
}

fn picture<'a>(manifest: &'a Manifest, name: &str) -> &'a PictureFacts {
    manifest.pictures.iter().find(|picture| picture.name == name).unwrap()
}

/// Of pycocotools: every picture, its classes, boxes and the pixels of its masks.
fn same_masks(manifest: &Manifest, seen: &Value) {
    let seen = seen.as_object().unwrap();
    assert_eq!(seen.len(), manifest.pictures.len());
    let mut masks = 0;
    for (name, marks) in seen {
        let wanted = &picture(manifest, name).marks;
        let marks = marks.as_array().unwrap();
        assert_eq!(marks.len(), wanted.len());
        for (mark, wanted) in marks.iter().zip(wanted) {
            let RectPx { x, y, width, height } = wanted.area;
            assert_eq!(mark["class"], *wanted.class);
            assert_eq!(mark["box"], json!([x, y, width, height]));
            assert_eq!(mark["size"], json!([CROP.width, CROP.height]));
            let pixels = mark["pixels"].as_array().unwrap();
            if mark["shape"] == "box" {
                assert_eq!(pixels.len() as u64, wanted.area.area());
            }
            if mark["shape"] == "mask" {
                masks += 1;
                let shown = [(0, 0), (2, 0), (0, 1), (1, 1), (2, 1), (1, 2)];
                let shown: Vec<_> = shown.iter().map(|(dx, dy)| json!([x + dx, y + dy])).collect();
                assert_eq!(*pixels, shown);
                assert_eq!((x, y), (20 - CROP.x, 10 - CROP.y));
            }
        }
    }
    assert_eq!(masks, 1);
}

/// Of supervision: classes and boxes.
fn same_boxes(manifest: &Manifest, seen: &Value) {
    let seen = seen.as_object().unwrap();
    assert_eq!(seen.len(), manifest.pictures.len());
    for (name, marks) in seen {
        let found: Vec<(String, [f64; 4])> = serde_json::from_value(marks.clone()).unwrap();
        let written = |class: &str| {
            let mut classes = manifest.classes.iter();
            classes.find(|known| *known.name == *class).unwrap().written.clone()
        };
        let mut wanted: Vec<_> = picture(manifest, name)
            .marks
            .iter()
            .map(|mark| {
                let RectPx { x, y, .. } = mark.area;
                let (right, bottom) = (f64::from(mark.area.right()), f64::from(mark.area.bottom()));
                (written(&mark.class), [f64::from(x), f64::from(y), right, bottom])
            })
            .collect();
        wanted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert_eq!(found.len(), wanted.len(), "{name}");
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!(found.0, wanted.0);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 0.01;
            assert!(found.1.iter().zip(&wanted.1).all(near), "{name}: {found:?} {wanted:?}");
        }
    }
}

/// Of datumaro: every picture and how many marks it has.
fn same_counts(manifest: &Manifest, seen: &Value) {
    let seen = seen.as_object().unwrap();
    assert_eq!(seen.len(), manifest.pictures.len());
    for (name, count) in seen {
        assert_eq!(*count, json!(picture(manifest, name).marks.len()), "{name}");
    }
}
