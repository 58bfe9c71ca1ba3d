//! Labels that went out and came back: what an export says is what its import says, part by part.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::{
    Judgement, Label, MarkedBy, PartId, PartKey, PersonId, PixelFormat, RectPx, Role, SizePx,
    WallTime,
};
use store::export::{Format, MANIFEST};
use store::import::{ImportOptions, Imported, Why, import};
use store::{NewLabel, Reader};

use crate::station::{Station, exported, mixed, options, unlabelled};

pub const READ_BACK: [Format; 4] = [Format::Coco, Format::Yolo, Format::YoloSegment, Format::Voc];

fn imported(
    station: &mut Station,
    dataset: &Path,
    change: impl FnOnce(&mut ImportOptions<'_>),
    format: Format,
) -> Imported {
    let by = PersonId::new("p-09");
    let at = WallTime { unix_ns: 1_700_000_002_000_000_000 };
    let (empty_is_good, trust_names) = (false, false);
    let mut options =
        ImportOptions { format, by: &by, role: Role::Quality, at, empty_is_good, trust_names };
    change(&mut options);
    let reader = Reader::open(station.store.folder()).unwrap();
    import(&reader, station.labels(), dataset, &options, &mut |_, _| {}).unwrap()
}

#[test]
fn what_went_out_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("a"));
    for format in READ_BACK {
        let (out, again) = (dir.path().join(format.name()), dir.path().join("again"));
        let first = exported(&dir.path().join("a"), &options(format, &out));
        let folder = dir.path().join(format!("b {}", format.name()));
        let mut station = unlabelled(&folder);
        let done = imported(&mut station, &out, |_| {}, format);
        assert_eq!(done.unmatched, [], "{}", format.name());
        assert_eq!((done.pictures, done.good, done.bad, done.unchanged), (52, 12, 15, 0));
        // The same files, byte by byte, and the same marks, made by the same hands.
        let second = exported(&folder, &options(format, &again));
        assert_eq!(second.files, first.files, "{}", format.name());
        assert_eq!(second.counts, first.counts);
        for (one, two) in first.pictures.iter().zip(&second.pictures) {
            assert_eq!((&one.marks, one.is_blind), (&two.marks, two.is_blind));
            assert_eq!(two.by.as_str(), "p-09");
        }
        let done = imported(&mut station, &out, |_| {}, format);
        assert_eq!((done.written, done.unchanged), (0, 27), "{}", format.name());
        fs::remove_dir_all(again).unwrap();
    }
}

#[test]
fn without_a_manifest_nothing_is_guessed() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("a"));
    for format in READ_BACK {
        let out = dir.path().join(format.name());
        exported(&dir.path().join("a"), &options(format, &out));
        fs::remove_file(out.join(MANIFEST)).unwrap();
        let folder = dir.path().join(format!("b {}", format.name()));
        let mut station = unlabelled(&folder);
        let done = imported(&mut station, &out, |_| {}, format);
        assert_eq!((done.good, done.bad), (0, 15));
        let whys: BTreeSet<_> = done.unmatched.iter().map(|one| format!("{:?}", one.why)).collect();
        assert_eq!((done.unmatched.len(), whys), (24, ["Empty".to_owned()].into()));
        let rows = Reader::open(&folder).unwrap().labelled(None, 100).unwrap();
        assert!(
            rows.iter().flat_map(|row| &row.label.marks).all(|mark| mark.by == MarkedBy::Import)
        );
        assert!(rows.iter().all(|row| !row.label.is_blind));
        let done = imported(&mut station, &out, |options| options.empty_is_good = true, format);
        assert_eq!((done.good, done.unchanged), (12, 15));
    }
}

#[test]
fn one_file_without_pictures_goes_by_names() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("a"));
    let out = dir.path().join("out");
    exported(&dir.path().join("a"), &options(Format::Coco, &out));
    let alone = dir.path().join("labels.json");
    fs::copy(out.join("annotations/instances_train.json"), &alone).unwrap();
    let mut station = unlabelled(&dir.path().join("b"));
    let done = imported(&mut station, &alone, |options| options.empty_is_good = true, Format::Coco);
    assert!(done.unmatched.is_empty() && done.good > 0 && done.bad > 0, "{done:?}");
}

#[test]
fn another_picture_of_the_same_name_is_not_taken_for_the_part() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("a"));
    let out = dir.path().join("out");
    let manifest = exported(&dir.path().join("a"), &options(Format::Voc, &out));
    let first = &manifest.pictures[0];
    fs::write(out.join(&first.file), b"written anew by a tool").unwrap();
    // A picture that no part has, and one that another name was given.
    let second = &manifest.pictures[30];
    let xml = |name: &str| out.join(format!("Annotations/{name}.xml"));
    let text = fs::read_to_string(xml(&second.name)).unwrap();
    fs::write(xml("other"), text.replace(&second.name, "other")).unwrap();
    fs::write(xml("IMG_7"), text.replace(&second.name, "IMG_7")).unwrap();
    fs::rename(out.join(&second.file), out.join("JPEGImages/other.png")).unwrap();
    fs::remove_file(xml(&second.name)).unwrap();
    let mut station = unlabelled(&dir.path().join("b"));
    let done = imported(&mut station, &out, |_| {}, Format::Voc);
    let told: BTreeSet<_> =
        done.unmatched.iter().map(|one| (&*one.picture, format!("{:?}", one.why))).collect();
    let wanted = [("IMG_7", "Unknown".to_owned()), (&first.name, "OtherPicture".to_owned())];
    assert_eq!(told, wanted.into());
    assert!(done.unmatched.iter().any(|one| one.why == Why::OtherPicture));
    let reader = Reader::open(&dir.path().join("b")).unwrap();
    let marks = &reader.labels(second.part).unwrap()[0].label.marks;
    assert!(marks.iter().any(|mark| mark.view == second.view));
    let done = imported(&mut station, &out, |options| options.trust_names = true, Format::Voc);
    assert_eq!(done.unmatched.len(), 1);
}

#[test]
fn pictures_in_colour_are_known_by_what_they_were_made_from() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let station = Station::open(&dir.path().join(name));
        (station.run(1, &[PixelFormat::Nv12]), station)
    };
    let (run, mut one) = make("a");
    one.say(run, 1, &crate::bad(&[("dent", 0, crate::area(10, 8, 3, 3))]));
    let out = dir.path().join("out");
    exported(&dir.path().join("a"), &options(Format::Coco, &out));
    fs::remove_file(out.join(MANIFEST)).unwrap();
    let (_, mut two) = make("b");
    let done = imported(&mut two, &out, |_| {}, Format::Coco);
    assert_eq!((done.bad, done.unmatched.len()), (1, 0));
    let key = PartKey { run, part: PartId(1) };
    let label = &Reader::open(&dir.path().join("b")).unwrap().labels(key).unwrap()[0].label;
    assert_eq!(label.marks[0].shape, crate::area(10, 8, 3, 3));
}

#[test]
fn pictures_in_colour_show_what_the_model_looked_at_and_no_more() {
    // Kept from an even corner to another, because samples come in pairs.
    let crop = RectPx::new(9, 7, 31, 23);
    for format in [PixelFormat::Nv12, PixelFormat::BayerRggb8] {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let station = Station::open(&dir.path().join(name));
            (station.run_looking_at(crop, 1, &[format]), station)
        };
        let (run, mut one) = make("a");
        let marked = crate::area(10, 9, 3, 4);
        one.say(run, 1, &crate::bad(&[("dent", 0, marked.clone())]));
        let out = dir.path().join("out");
        let places = |pixels: &dyn domain::Pixels| {
            let (width, height) = (pixels.size().width, pixels.size().height);
            let byte = |at: u32| u8::try_from(at).unwrap();
            let row = |y| (0..width).flat_map(move |x| [byte(x), byte(y), 0]);
            Some((0..height).flat_map(row).collect())
        };
        let options = store::export::Options { rgb: &places, ..options(Format::Yolo, &out) };
        let picture = exported(&dir.path().join("a"), &options).pictures.remove(0);
        assert_eq!((picture.covers, picture.size), (crop, SizePx::new(31, 23)));
        assert_eq!(picture.marks[0].area, RectPx::new(1, 2, 3, 4));
        let file = fs::File::open(out.join(&picture.file)).unwrap();
        let mut png = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
        let mut samples = vec![0; png.output_buffer_size().unwrap()];
        png.next_frame(&mut samples).unwrap();
        let at = |x: usize, y: usize| &samples[3 * (y * 31 + x)..][..3];
        assert_eq!(
            (samples.len(), at(0, 0), at(30, 22)),
            (31 * 23 * 3, &[1, 1, 0][..], &[31, 23, 0][..])
        );
        // Known by the hash of what the camera gave, with the manifest and without.
        for (name, has_manifest) in [("b", true), ("c", false)] {
            if !has_manifest {
                fs::remove_file(out.join(MANIFEST)).unwrap();
            }
            let (_, mut two) = make(name);
            let done = imported(&mut two, &out, |_| {}, Format::Yolo);
            assert_eq!((done.bad, done.unmatched.len()), (1, 0));
            let key = PartKey { run, part: PartId(1) };
            let label =
                &Reader::open(&dir.path().join(name)).unwrap().labels(key).unwrap()[0].label;
            assert_eq!(label.marks[0].shape, marked, "{format}");
        }
    }
}

#[test]
fn a_large_dataset_comes_in_by_batches_and_the_audit_log_has_each_label() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let station = Station::open(&dir.path().join(name));
        (station.run(620, &[PixelFormat::Gray8]), station)
    };
    let (run, mut one) = make("a");
    let (by, label) = (PersonId::new("p-07"), Label::unmarked(Judgement::Good, false));
    let (at, role) = (WallTime { unix_ns: 1_700_000_000_000_000_000 }, Role::Quality);
    let key = |part| PartKey { run, part: PartId(part) };
    let said =
        |part| NewLabel { key: key(part), at, by: &by, role, label: &label, is_second: false };
    one.labels().add_all(&(1..=620).map(said).collect::<Vec<_>>()).unwrap();
    let out = dir.path().join("out");
    exported(&dir.path().join("a"), &options(Format::Coco, &out));
    let (_, mut two) = make("b");
    let reader = Reader::open(&dir.path().join("b")).unwrap();
    let (format, empty_is_good, trust_names) = (Format::Coco, false, false);
    let options = ImportOptions { format, by: &by, role, at, empty_is_good, trust_names };
    let mut heard = vec![];
    let told = &mut |done, of| heard.push((done, of));
    let done = import(&reader, two.labels(), &out, &options, told).unwrap();
    // Of one part no picture was kept.
    assert_eq!((done.written, heard), (619, vec![(500, 619), (619, 619)]));
    let report = store::verify_audit(&dir.path().join("b")).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.labels), (619, 619));
}

#[test]
fn what_is_no_dataset_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut station = unlabelled(&dir.path().join("a"));
    let (out, by) = (dir.path().join("out"), PersonId::new("p"));
    fs::create_dir_all(out.join("labels")).unwrap();
    let reader = Reader::open(&dir.path().join("a")).unwrap();
    for (format, file, text, named) in [
        (Format::Coco, "a.json", "{", "a.json"),
        (
            Format::Coco,
            "a.json",
            r#"{"images": [], "categories": [],
                "annotations": [{"image_id": 1, "category_id": 1}]}"#,
            "annotation 1: there is no image 1",
        ),
        (Format::Yolo, "data.yaml", "names: [a]", "no label files"),
        (Format::Yolo, "labels/r000001-p000001-v0.txt", "7 0.5 0.5 0.1 0.1", "class 7"),
        (Format::Yolo, "labels/r000001-p000001-v0.txt", "0 0.5 0.5 x", "line 1"),
        (Format::Voc, "Annotations/a.xml", "<annotation><object>", "a.xml"),
        (Format::Csv, "index.csv", "", "can't be imported"),
        (Format::Coco, "manifest.json", "{}", "manifest.json"),
    ] {
        fs::create_dir_all(out.join(file).parent().unwrap()).unwrap();
        fs::write(out.join(file), text).unwrap();
        let (role, at, empty_is_good, trust_names) =
            (Role::Quality, WallTime { unix_ns: 1 }, true, true);
        let options = ImportOptions { format, by: &by, role, at, empty_is_good, trust_names };
        let error = import(&reader, station.labels(), &out, &options, &mut |_, _| {}).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    }
    assert_eq!(reader.labelled(None, 9).unwrap(), []);
}
