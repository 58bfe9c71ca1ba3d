//! Each format against any marks: what is written is read back as what the format says it holds.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use domain::{Mark, MarkedBy, Mask, PartId, PartKey, Pixels, PointPx, RectPx, Shape, SizePx};
use proptest::prelude::*;

use super::folder::Folder;
use super::names::Classes;
use super::plan::{Item, name_of};
use super::shape::{area, box_of, in_frame, in_picture, mask_of, pixels, polygons_of, tight};
use super::{Format, Options, Split, SplitRule, writer};
use crate::import::{self, Dataset};

fn options(format: Format) -> Options<'static> {
    Options {
        format,
        out: Path::new("not used"),
        split: SplitRule::default(),
        only_classes: vec![],
        unmarked_is_good: false,
        link: false,
        uri: None,
        at: domain::WallTime { unix_ns: 0 },
        software: "test",
        rgb: &|_: &dyn Pixels| None,
    }
}

/// Writes the items and reads them back: the dataset, and each class's written name.
fn there_and_back(format: Format, items: &[Item]) -> (Dataset, Arc<Classes>, super::Recount) {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = Folder::start(&dir.path().join("out")).unwrap();
    let names: BTreeSet<Arc<str>> =
        items.iter().flat_map(|item| &item.marks).map(|mark| mark.class.clone()).collect();
    let classes = Arc::new(Classes::new(names, format.name_rule()));
    let mut writer = writer(&options(format), &classes);
    for item in items {
        // A picture of the right size, as far as its head goes.
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        head.extend(item.size.width.to_be_bytes());
        head.extend(item.size.height.to_be_bytes());
        folder.write(&writer.place(item), &head).unwrap();
        writer.add(&mut folder, item).unwrap();
    }
    writer.finish(&mut folder).unwrap();
    let counted = writer.recount(folder.path()).unwrap();
    let read = import::read(folder.path(), format, &|_| None).unwrap_or_default();
    (read, classes, counted)
}

fn held(format: Format, item: &Item) -> Vec<Mark> {
    let kept = |mark: &Mark| {
        let shapes = format.holds().kept(&mark.shape, item.size);
        shapes.into_iter().map(|shape| Mark { shape, ..mark.clone() }).collect::<Vec<_>>()
    };
    item.marks.iter().flat_map(kept).collect()
}

fn shape(size: SizePx) -> impl Strategy<Value = Shape> {
    let (wide, high) = (size.width, size.height);
    let area = (0..wide, 0..high, 1..=wide, 1..=high).prop_map(move |(x, y, w, h)| {
        RectPx::from_corners(x, y, (x + w).min(wide), (y + h).min(high))
    });
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let corner = (0.0..=wide as f32, 0.0..=high as f32).prop_map(|(x, y)| PointPx { x, y });
    let polygon =
        prop::collection::vec(corner, 3..9).prop_map(|corners| Shape::Polygon { corners });
    let bits = prop::collection::vec(any::<bool>(), 1..400);
    let mask = (area.clone(), bits).prop_map(|(area, bits)| {
        let pixels = usize::try_from(area.area()).unwrap();
        let bits = bits.into_iter().cycle().take(pixels).collect::<Vec<_>>();
        let mut mask = Mask::from_bits(area, bits);
        if mask.count() == 0 {
            mask = Mask { area, counts: vec![0, u32::try_from(pixels).unwrap()] };
        }
        Shape::Mask { mask }
    });
    prop_oneof![Just(Shape::Whole), area.prop_map(|area| Shape::Box { area }), polygon, mask]
}

fn item(part: u64) -> impl Strategy<Value = Item> {
    let size = (1_u32..60, 1_u32..60).prop_map(|(width, height)| SizePx::new(width, height));
    let class = prop::sample::select(vec![
        "scratch",
        "../x",
        "a b",
        "Öl,\"Fett\"",
        "ok",
        "a|b",
        "a;b",
        "good",
        "0: x",
        "<b>&amp;",
        "'",
        "#1",
        "tab\there",
        "\u{2028}",
        "-",
        "null",
        "\\n",
    ]);
    let split = prop::sample::select(Split::ALL.to_vec());
    size.prop_flat_map(move |size| {
        let mark = (class.clone(), shape(size)).prop_map(|(class, shape)| Mark {
            class: class.into(),
            view: 0,
            shape,
            by: MarkedBy::Import,
        });
        (prop::collection::vec(mark, 0..4), split.clone()).prop_map(move |(marks, split)| {
            let key = PartKey { run: 1, part: PartId(part) };
            let (name, covers) = (name_of(key, 0), RectPx::new(7, 9, size.width, size.height));
            let group = String::new();
            Item { key, view: 0, name, size, covers, split, group, marks, source: None }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_a_format_holds_comes_back(items in (item(1), item(2), item(3))) {
        let mut items = [items.0, items.1, items.2];
        for format in Format::ALL {
            let mut written = items.clone();
            for item in &mut written {
                item.marks = held(format, item);
            }
            let (read, classes, counted) = there_and_back(format, &written);
            let good = written.iter().filter(|item| item.marks.is_empty()).count() as u64;
            prop_assert_eq!((counted.good, counted.bad), (good, 3 - good), "{}", format.name());
            if !matches!(format, Format::Coco | Format::Yolo | Format::YoloSegment | Format::Voc) {
                continue;
            }
            prop_assert_eq!(read.pictures.len(), 3);
            for item in &written {
                let found = read.pictures.iter().find(|picture| picture.name == item.name);
                let found = found.unwrap();
                let wanted: Vec<_> = item.marks.iter().map(|mark| Mark {
                    class: classes.written(&mark.class).into(), ..mark.clone()
                }).collect();
                prop_assert_eq!(&found.marks, &wanted, "{}", format.name());
                prop_assert!(found.file.is_some());
            }
        }
        // What a format holds, it holds again.
        for format in Format::ALL {
            for item in &mut items {
                item.marks = held(format, item);
                prop_assert_eq!(&held(format, item), &item.marks);
            }
        }
    }

    #[test]
    fn what_is_cut_lies_in_the_picture_and_what_is_not_comes_back(
        (x, y, w, h) in (0_u32..40, 0_u32..40, 1_u32..60, 1_u32..60),
        shape in shape(SizePx::new(60, 60)),
    ) {
        let covers = RectPx::from_corners(x, y, (x + w).min(60), (y + h).min(60));
        let size = SizePx::new(covers.width, covers.height);
        let inside: BTreeSet<(u32, u32)> = pixels(&mask_of(&shape, SizePx::new(60, 60)))
            .filter(|&(x, y)| covers.contains(&RectPx::new(x, y, 1, 1)))
            .map(|(x, y)| (x - covers.x, y - covers.y))
            .collect();
        let found = in_picture(&shape, covers);
        let Some((cut, is_clipped)) = found else {
            let may_be_thin = matches!(shape, Shape::Polygon { .. });
            prop_assert!(inside.is_empty() || may_be_thin);
            return Ok(());
        };
        prop_assert!(size.rect().contains(&box_of(&cut, size)));
        if matches!(shape, Shape::Box { .. } | Shape::Mask { .. }) {
            let shown: BTreeSet<_> = pixels(&mask_of(&cut, size)).collect();
            prop_assert_eq!(&shown, &inside);
        }
        if !is_clipped {
            let back = in_frame(&cut, covers);
            match (&back, &shape) {
                (Shape::Mask { mask: back }, Shape::Mask { mask }) => {
                    prop_assert_eq!(tight(back), tight(mask));
                }
                _ => prop_assert_eq!(&back, &shape),
            }
        }
    }

    #[test]
    fn outlines_hold_the_pixels_of_a_mask_with_its_holes_filled(
        width in 1_u32..9,
        bits in prop::collection::vec(any::<bool>(), 1..70),
    ) {
        let height = u32::try_from(bits.len()).unwrap().div_ceil(width);
        let mut bits = bits;
        bits.resize((width * height) as usize, false);
        bits[0] = true;
        let mask = Mask::from_bits(RectPx::new(2, 3, width, height), bits);
        let size = SizePx::new(width + 5, height + 7);
        let set: BTreeSet<_> = pixels(&mask).collect();
        let mut shown = BTreeSet::new();
        for corners in polygons_of(&Shape::Mask { mask }, size) {
            prop_assert!(area(&corners) > 0.0);
            shown.extend(pixels(&mask_of(&Shape::Polygon { corners }, size)));
        }
        prop_assert!(set.is_subset(&shown));
        prop_assert_eq!(shown, filled(&set, size));
    }
}

/// `set` with all that can't be reached from outside without crossing it.
fn filled(set: &BTreeSet<(u32, u32)>, size: SizePx) -> BTreeSet<(u32, u32)> {
    let mut outside = BTreeSet::from([(0, 0)]);
    let mut next = vec![(0_u32, 0_u32)];
    while let Some((x, y)) = next.pop() {
        for (x, y) in [(x + 1, y), (x.wrapping_sub(1), y), (x, y + 1), (x, y.wrapping_sub(1))] {
            let is_there = x < size.width && y < size.height && !set.contains(&(x, y));
            if is_there && outside.insert((x, y)) {
                next.push((x, y));
            }
        }
    }
    let all = (0..size.width).flat_map(|x| (0..size.height).map(move |y| (x, y)));
    all.filter(|at| !outside.contains(at)).collect()
}

#[test]
fn two_pixels_that_touch_by_a_corner_are_one_piece() {
    let bits = [true, false, false, true];
    let mask = Mask::from_bits(RectPx::new(0, 0, 2, 2), bits);
    assert_eq!(polygons_of(&Shape::Mask { mask }, SizePx::new(2, 2)).len(), 1);
}

#[test]
fn a_polygon_that_is_too_thin_for_any_pixel_is_not_lost() {
    let corners = [(1.1, 2.0), (1.2, 2.0), (1.2, 6.0)].map(|(x, y)| PointPx { x, y }).to_vec();
    let mask = mask_of(&Shape::Polygon { corners }, SizePx::new(9, 9));
    assert_eq!((mask.area, mask.count()), (RectPx::new(1, 2, 1, 4), 4));
}
