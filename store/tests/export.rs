//! What every export holds to, whatever its format: every labelled picture is there exactly once,
//! bit by bit as the camera gave it, good ones too; what is left out is told; what is read back
//! says the same; and half an export is none. The field's own readers are asked where they are.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

extern crate sightline_store as store;

#[path = "export/again.rs"]
mod again;
#[path = "export/names.rs"]
mod names;
#[path = "export/peers.rs"]
mod peers;
#[path = "export/station.rs"]
mod station;
#[path = "export/whole.rs"]
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::{Judgement, PixelFormat, Sha256};
use serde_json::Value;
use station::{HOSTILE, Station, area, bad, exported, good, mixed, options};
use store::export::{Format, MANIFEST, Manifest, Split, SplitBy, SplitRule};
use store::{ImageKind, Reader, RunId};

/// Every file under a folder, by its path in it.
pub fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path);
            }
        }
    }
    found
}

#[test]
fn every_labelled_picture_is_there_once_as_the_camera_gave_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("station ü/'%20 #");
    let run = mixed(&folder);
    let reader = Reader::open(&folder).unwrap();
    for format in Format::ALL {
        let out = dir.path().join(format.name());
        let manifest = exported(&folder, &options(format, &out));
        // 12 good parts and 13 bad ones of two views; one marked in one view; one with a view
        // whose only mark lies outside of what was kept.
        assert_eq!((manifest.counts.good, manifest.counts.bad), (24, 28), "{}", format.name());
        let keys: BTreeSet<_> =
            manifest.pictures.iter().map(|picture| (picture.part, picture.view)).collect();
        assert_eq!(keys.len(), 52);
        for picture in &manifest.pictures {
            let part = reader.part(RunId(run), picture.part.part).unwrap().unwrap();
            let of_view = |image: &&store::ImageRow| {
                image.view == picture.view && image.kind == ImageKind::Picture
            };
            let image = part.images.iter().find(of_view).unwrap();
            let kept = fs::read(reader.image_file(image).unwrap()).unwrap();
            assert!(fs::read(out.join(&picture.file)).unwrap() == kept, "{}", picture.file);
            assert_eq!(picture.original_sha256, Sha256::of(&kept));
            assert_eq!(picture.covers, image.covers);
            assert_eq!(picture.by.as_str(), "p-07");
            assert_eq!(picture.is_blind, picture.judgement == Judgement::Good);
        }
        let pictures: Vec<_> = files(&out)
            .into_keys()
            .filter(|name| name.ends_with("v0.png") || name.ends_with("v1.png"))
            .collect();
        let masks = pictures.iter().filter(|name| name.starts_with("masks/")).count();
        assert_eq!(pictures.len() - masks, 52, "{}", format.name());
    }
}

#[test]
fn what_the_station_measured_stands_beside_the_label() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("store"));
    let out = dir.path().join("csv");
    exported(&dir.path().join("store"), &options(Format::Csv, &out));
    let lines = fs::read_to_string(out.join("labels.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 52);
    for line in &lines {
        let measured = line["measured"].as_array().unwrap();
        // Only what was found in the first view was measured.
        assert_eq!(measured.len(), usize::from(line["view"] == 0), "{line}");
        for it in measured {
            assert_eq!(it["kind"], "dent");
            assert_eq!(it["mm"]["length_mm"].as_f64(), line["part"]["part"].as_f64(), "{line}");
            assert_eq!(it["mm"]["uncertainty_mm"], 0.25);
        }
    }
}

#[test]
fn the_manifest_has_the_hash_of_every_file_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    for format in Format::ALL {
        let out = dir.path().join(format.name());
        let told = exported(&dir.path().join("s"), &options(format, &out));
        assert_eq!(Manifest::read(&out).unwrap().unwrap(), told);
        let mut there = files(&out);
        assert!(there.remove(MANIFEST).is_some());
        assert!(there.keys().eq(told.files.keys()), "{}", format.name());
        for (name, path) in there {
            let bytes = fs::read(path).unwrap();
            let facts = &told.files[&name];
            assert_eq!((facts.sha256, facts.bytes), (Sha256::of(&bytes), bytes.len() as u64));
        }
        assert_eq!(told.made_at, "2023-11-14T22:13:21Z");
    }
}

#[test]
fn counts_agree_and_what_is_left_out_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = mixed(&dir.path().join("s"));
    for format in Format::ALL {
        let manifest =
            exported(&dir.path().join("s"), &options(format, &dir.path().join(format.name())));
        let (counts, told) = (&manifest.counts, &manifest.told);
        assert_eq!((told.doubt, told.skipped, told.unmarked_views), (1, 1, 1));
        assert_eq!(told.without_picture, [station_key(run, 13)]);
        assert_eq!((told.marks_clipped, told.marks_lost, told.outside.len()), (1, 1, 1));
        assert_eq!(counts.pictures, manifest.pictures.len() as u64);
        assert_eq!(counts.classes["scratch"].pictures, 6);
        assert_eq!(counts.classes["dent"].pictures, 5);
        for name in HOSTILE {
            assert_eq!(counts.classes[name].pictures, 2, "{name}");
        }
        let splits = counts.splits.values();
        assert_eq!(splits.map(|split| split.good + split.bad).sum::<u64>(), 52);
        let is_held = format.holds().whole == store::export::Becomes::Itself;
        assert_eq!(told.marks_reshaped.is_empty(), is_held, "{}", format.name());
        assert!(told.lines().iter().any(|line| line.contains("run 1 part 13")));
    }
}

fn station_key(run: i64, part: u64) -> domain::PartKey {
    domain::PartKey { run, part: domain::PartId(part) }
}

#[test]
fn hostile_class_names_stay_in_the_folder_and_apart() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    for format in Format::ALL {
        let out = dir.path().join(format.name());
        let manifest = exported(&dir.path().join("s"), &options(format, &out));
        let written: BTreeSet<_> = manifest.classes.iter().map(|class| &class.written).collect();
        assert_eq!(written.len(), HOSTILE.len() + 2);
        assert!(manifest.files.keys().all(|name| !name.contains("..")), "{}", format.name());
    }
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), Format::ALL.len() + 1, "{names:?}");
}

#[test]
fn the_split_stays_when_data_is_added_and_views_stay_together() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("s");
    mixed(&folder);
    let splits = |manifest: &Manifest| -> BTreeMap<_, BTreeSet<Split>> {
        let mut splits = BTreeMap::<_, BTreeSet<Split>>::new();
        for picture in &manifest.pictures {
            splits.entry(picture.part).or_default().insert(picture.split);
        }
        splits
    };
    let before = splits(&exported(&folder, &options(Format::Csv, &dir.path().join("before"))));
    let mut station = Station::open(&folder);
    let run = station.run(20, &[PixelFormat::Gray8]);
    for part in (1..=20).filter(|part| *part != 13) {
        station.say(run, part, &good());
    }
    station.say(1, 31, &bad(&[("a new class", 0, area(9, 9, 2, 2))]));
    let after = splits(&exported(&folder, &options(Format::Csv, &dir.path().join("after"))));
    assert!(after.len() == before.len() + 20);
    assert!(after.values().all(|splits| splits.len() == 1));
    assert!(before.iter().all(|(part, splits)| after[part] == *splits));
    let all: BTreeSet<_> = after.values().flatten().collect();
    assert_eq!(all.len(), 3);
    // By run nothing of a run is apart.
    let mut split = SplitRule::default();
    split.by = SplitBy::Run;
    let out = dir.path().join("by run");
    let by_run = exported(&folder, &store::export::Options { split, ..options(Format::Csv, &out) });
    for run in [1, run] {
        let of_run = by_run.pictures.iter().filter(|picture| picture.part.run == run);
        assert_eq!(of_run.map(|picture| picture.split).collect::<BTreeSet<_>>().len(), 1);
    }
}

#[test]
fn only_some_classes_leave_no_good_picture_out() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    let out = dir.path().join("out");
    let only_classes = vec!["dent".into()];
    let options = store::export::Options { only_classes, ..options(Format::Coco, &out) };
    let manifest = exported(&dir.path().join("s"), &options);
    assert_eq!((manifest.counts.good, manifest.counts.bad), (24, 5));
    assert_eq!(manifest.counts.classes.len(), 1);
    assert!(manifest.told.other_classes > 0);
}

#[test]
fn samples_that_no_tool_shows_are_there_in_colour_and_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("s");
    let mut station = Station::open(&folder);
    let raw =
        [PixelFormat::Nv12, PixelFormat::BayerRggb8, PixelFormat::I420, PixelFormat::Gray16Le];
    let run = station.run(2, &raw);
    station.say(run, 1, &good());
    station.say(run, 2, &bad(&[("dent", 0, area(10, 8, 3, 3)), ("dent", 1, area(11, 9, 2, 2))]));
    for format in Format::ALL {
        let out = dir.path().join(format.name());
        let manifest = exported(&folder, &options(format, &out));
        assert_eq!(manifest.told.shown_in_colour, 5);
        for picture in &manifest.pictures {
            let is_shown = picture.pixel_format == PixelFormat::Gray16Le;
            assert_eq!(picture.original.is_none(), is_shown);
            let original = picture.original.as_ref().unwrap_or(&picture.file);
            let original = fs::read(out.join(original)).unwrap();
            assert_eq!(Sha256::of(&original), picture.original_sha256);
            let shown = fs::File::open(out.join(&picture.file)).unwrap();
            let png = png::Decoder::new(std::io::BufReader::new(shown)).read_info().unwrap();
            assert_eq!(png.info().size(), (picture.size.width, picture.size.height));
            let is_rgb = png.info().color_type == png::ColorType::Rgb;
            assert_eq!(is_rgb, !is_shown);
        }
    }
}

#[test]
fn a_linked_picture_is_the_stores_own() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    let out = dir.path().join("out");
    let linked = store::export::Options { link: true, ..options(Format::Yolo, &out) };
    let manifest = exported(&dir.path().join("s"), &linked);
    for picture in &manifest.pictures {
        assert_eq!(fs::metadata(out.join(&picture.file)).unwrap().nlink(), 2);
    }
}

/// The table between its two remarks in the documentation.
#[test]
fn the_documentation_says_what_each_format_holds() {
    use store::export::Becomes;
    let word = |becomes| match becomes {
        Becomes::Itself => "same",
        Becomes::Box => "box",
        Becomes::Polygon => "polygon",
        Becomes::Mask => "mask",
    };
    let row = |format: Format| {
        let holds = format.holds();
        let kept = [holds.whole, holds.boxes, holds.polygons, holds.masks].map(word).join(" | ");
        let is_read = again::READ_BACK.contains(&format);
        format!("| `{}` | {kept} | {} |\n", format.name(), if is_read { "yes" } else { "no" })
    };
    let rows: String = Format::ALL.map(row).concat();
    let head =
        "| format | no place | box | polygon | mask | read back |\n|---|---|---|---|---|---|\n";
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/export.md");
    let docs = fs::read_to_string(docs).unwrap();
    let (_, from) = docs.split_once("a test holds the two equal -->\n").unwrap();
    let (table, _) = from.split_once("<!-- end -->").unwrap();
    assert_eq!(table, format!("{head}{rows}"));
}
