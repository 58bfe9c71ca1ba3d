//! What a person reads on a clip.

use std::sync::Arc;

use domain::{CameraId, Heatmap, PartId, RectPx, SizePx, WallTime};
use proptest::prelude::*;
use sightline_pipeline::record::annotate::{Told, annotate, facts, tags};
use sightline_pipeline::record::reel::{FilmBytes, FilmPicture, Imprint, Mark, Note};
use store::VerdictWord;

use super::reels::{MS, at, note};

const FRAME: SizePx = SizePx::new(1920, 1080);

fn imprint(station: &str) -> Imprint {
    Imprint { station: station.into(), software: "sightline 0.1.0".into() }
}

/// A grey picture with a lighter part in the middle.
fn picture(size: SizePx, ms: u64) -> FilmPicture {
    let (w, h) = (size.width as usize, size.height as usize);
    let mut bytes = vec![128; w * h * 3 / 2];
    for (i, luma) in bytes[..w * h].iter_mut().enumerate() {
        let (x, y) = (i % w, i / w);
        let part = (w / 3..2 * w / 3).contains(&x) && (h / 3..2 * h / 3).contains(&y);
        *luma = if part { 190 } else { 90 + ((x * 31 + y * 17) % 13) as u8 };
    }
    let mut at = at(ms);
    at.wall = WallTime { unix_ns: 1_795_335_183_123_000_000 + (ms * MS) as i64 };
    FilmPicture { size, bytes: FilmBytes { bytes, back: None }, at, sequence: 1 }
}

fn mark(kind: &str, score: f32, area: RectPx, is_reason: bool) -> Mark {
    Mark { kind: kind.into(), score, box_in_frame: area, is_reason }
}

/// A part in the middle with a scratch that decided, and a stain that did not.
fn rejected() -> Note {
    let values = (0..16 * 16_u32).map(|i| {
        let (x, y) = (f64::from(i % 16) - 10.0, f64::from(i / 16) - 5.0);
        (255.0 * (-(x * x + y * y) / 8.0).exp()) as u8
    });
    let mut note = Arc::unwrap_or_clone(note(3, 5000));
    note.part.part = PartId(1234);
    note.part.verdict = VerdictWord::Reject;
    note.recipe = "Gehäuse 12/B".into();
    note.reasons = vec!["scratch 0.97 ≥ 0.50".into(), "dent 0.61 ≥ 0.50".into()];
    note.score = 0.97;
    note.box_in_frame = RectPx::new(640, 360, 640, 360);
    note.velocity_px_per_s = Some((600.0, 0.0));
    note.marks = vec![
        mark("scratch", 0.97, RectPx::new(980, 420, 160, 60), true),
        mark("stain", 0.31, RectPx::new(700, 600, 80, 80), false),
    ];
    let (width, height) = (16, 16);
    note.heatmap =
        Some(Heatmap { width, height, values: values.collect(), covers: note.box_in_frame });
    note.frame_size = FRAME;
    note
}

fn undecided() -> Note {
    let mut note = rejected();
    (note.part.part, note.part.at) = (PartId(1235), at(5400));
    note.part.verdict = VerdictWord::Undecided;
    note.headline = "UNDECIDED".into();
    note.reasons = vec!["dent 0.44 is near its limit 0.50".into()];
    note.score = 0.44;
    note.heatmap = None;
    note.marks.truncate(1);
    note.marks[0].is_reason = false;
    note.box_in_frame = RectPx::new(100, 380, 420, 300);
    note.marks[0].box_in_frame = RectPx::new(200, 420, 60, 60);
    note
}

fn drawn(size: SizePx, ms: u64, notes: &[Arc<Note>]) -> FilmPicture {
    let mut picture = picture(size, ms);
    annotate(&mut picture, notes, &imprint("Line 3 \u{2013} press"), &CameraId::new("top"));
    picture
}

fn luma(picture: &FilmPicture, x: u32, y: u32) -> u8 {
    picture.bytes.bytes[(y * picture.size.width + x) as usize]
}

/// Columns and rows between which two pictures differ.
fn changed(a: &FilmPicture, b: &FilmPicture, rows: std::ops::Range<u32>) -> Option<(u32, u32)> {
    let differs = |x: &u32| rows.clone().any(|y| luma(a, *x, y) != luma(b, *x, y));
    let mut columns = (0..a.size.width).filter(differs);
    let first = columns.next()?;
    Some((first, columns.next_back().unwrap_or(first)))
}

#[test]
fn boxes_go_with_the_belt_and_only_while_they_are_in_the_picture() {
    let size = SizePx::new(1280, 720);
    let rows = 250..450;
    let plain = picture(size, 5000);
    let notes = [Arc::new(rejected())];
    let (left, _) = changed(&plain, &drawn(size, 5300, &notes), rows.clone()).unwrap();
    // 640 px and 0.3 s at 600 px/s, on a film of two thirds; less the line itself.
    assert!(left.abs_diff((640 + 180) * 2 / 3) <= 6, "{left}");
    let gone = changed(&plain, &drawn(size, 8000, &notes), rows.clone());
    assert_eq!(gone, None, "the part has left the picture");
    let mut still = rejected();
    still.velocity_px_per_s = None;
    let notes = [Arc::new(still)];
    assert!(changed(&plain, &drawn(size, 5100, &notes), rows.clone()).is_some());
    assert_eq!(changed(&plain, &drawn(size, 5300, &notes), rows), None, "nobody knows where");
}

#[test]
fn heat_is_shown_on_the_deciding_picture() {
    let size = SizePx::new(1280, 720);
    let notes = [Arc::new(rejected())];
    let red = |ms: u64| {
        let picture = drawn(size, ms, &notes);
        let v = &picture.bytes.bytes[(1280 * 720 * 5 / 4)..];
        // Within the heat and outside of the boxes; the belt moves it.
        v[(305 / 2) * 640 + (690 + (ms as usize - 5000) * 2 / 5) / 2]
    };
    assert!(red(5000) > 150, "{}", red(5000));
    assert_eq!(red(5400), 128);
}

#[test]
fn captions_are_drawn_and_pictures_without_parts_have_no_lower_band() {
    for size in [SizePx::new(1280, 720), SizePx::new(640, 480), SizePx::new(320, 240)] {
        let plain = picture(size, 5000);
        let none = drawn(size, 5000, &[]);
        assert!(changed(&plain, &none, 0..12).is_some(), "{size}");
        assert_eq!(changed(&plain, &none, size.height / 2..size.height), None, "{size}");
        let part = drawn(size, 5000, &[Arc::new(rejected())]);
        assert!(changed(&plain, &part, size.height - 8..size.height).is_some(), "{size}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "\\PC{0,400}", "[\u{0}-\u{1f}\u{202e}a]{0,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_that_is_said_breaks_a_picture(
        (station, camera, name) in (hostile(), hostile(), hostile()),
        (w, h) in (1_u32..200, 1_u32..200),
        area in (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()),
        speed in prop::option::of((any::<f32>(), any::<f32>())),
        (frame_w, frame_h) in (0_u32..5000, 0_u32..5000),
        ms in 0_u64..20_000,
        wall in any::<i64>(),
    ) {
        let mut note = rejected();
        (note.recipe, note.headline) = (name.as_str().into(), name.clone());
        note.reasons = vec![name.clone(); 4];
        // What a frame can hold: edges do not overflow.
        let area = RectPx::new(area.0 / 4, area.1 / 4, area.2 / 4, area.3 / 4);
        (note.box_in_frame, note.velocity_px_per_s) = (area, speed);
        note.marks = vec![mark(&name, f32::NAN, area, true); 9];
        note.heatmap.as_mut().unwrap().covers = area;
        note.frame_size = SizePx::new(frame_w, frame_h);
        let note = Arc::new(note);
        let notes: Vec<_> = (0..5).map(|_| Arc::clone(&note)).collect();
        let size = SizePx::new(2 * w, 2 * h);
        let mut picture = picture(size, ms);
        picture.at.wall.unix_ns = wall;
        let (imprint, camera) = (imprint(&station), CameraId::new(&camera));
        annotate(&mut picture, &notes, &imprint, &camera);

        let tags = tags(&imprint, &camera, &notes);
        prop_assert!(tags.len() <= 10);
        for (name, value) in &tags {
            prop_assert!(name.len() <= 128 && !name.to_uppercase().starts_with("AWS"));
            prop_assert!((1..=256).contains(&value.len()));
            prop_assert!(!value.chars().any(char::is_control));
        }
    }
}

#[test]
fn the_facts_are_what_a_machine_needs() {
    let mut note = rejected();
    note.part.picture = Some(30);
    let (imprint, camera) = (imprint("s"), CameraId::new("top"));
    let picture = picture(SizePx::new(4, 4), 0);
    let told = Told {
        imprint: &imprint,
        camera: &camera,
        started: picture.at,
        ended: picture.at,
        clock_is_synced: true,
        pictures: 60,
        pictures_missing: 2,
    };
    let facts = facts(&told, &[Arc::new(note)]);
    assert_eq!(facts["started"], "2026-11-22T08:13:03.123000Z");
    let part = &facts["parts"][0];
    assert_eq!((&part["part"], &part["verdict"]), (&1234.into(), &"reject".into()));
    assert_eq!(part["deciding_picture"], 30);
    assert_eq!(part["defects"][0]["box_px"]["width"], 160);
    assert_eq!((&facts["pictures"], &facts["pictures_missing"]), (&60.into(), &2.into()));
}

/// Renders what the eye must judge, where a folder for it is named.
#[test]
fn pictures_for_people() {
    let Some(folder) = std::env::var_os("SIGHTLINE_PICTURES") else { return };
    let folder = std::path::Path::new(&folder);
    let (bad, unsure) = (Arc::new(rejected()), Arc::new(undecided()));
    let many: Vec<_> = [&bad, &unsure, &unsure, &bad, &unsure].into_iter().cloned().collect();
    for (w, h) in [(1280, 720), (640, 480), (320, 240), (1920, 1080)] {
        let size = SizePx::new(w, h);
        let one = vec![Arc::clone(&bad)];
        let two = vec![Arc::clone(&bad), Arc::clone(&unsure)];
        for (name, ms, notes) in
            [("one", 5000, one), ("two", 5390, two), ("many", 5300, many.clone())]
        {
            let picture = drawn(size, ms, &notes);
            let area = (w * h) as usize;
            let (luma, chroma) = picture.bytes.bytes.split_at(area);
            let rgb = |x: u32, y: u32| {
                let at = (y / 2 * (w / 2) + x / 2) as usize;
                let l = f32::from(luma[(y * w + x) as usize]) - 16.0;
                let (u, v) =
                    (f32::from(chroma[at]) - 128.0, f32::from(chroma[area / 4 + at]) - 128.0);
                let l = l * 1.164;
                [l + 1.793 * v, l - 0.213 * u - 0.533 * v, l + 2.112 * u].map(|c| c as u8)
            };
            let image = image::RgbImage::from_fn(w, h, |x, y| image::Rgb(rgb(x, y)));
            image.save(folder.join(format!("{name}_{w}x{h}.png"))).unwrap();
        }
    }
}
