//! What every kind of network must do, whatever it looks for: one suite, a line a kind. And every
//! bundle that ships is loaded and armed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test that stops has failed; made-up pixels wrap"
)]

mod bundles;

use std::fs;
use std::path::Path;
use std::thread;

use bundles::{Copy, data, runtime};
use domain::{Finding, FindingFault, OwnedPixels, PixelFormat, Pixels, RectPx, SizePx};
use sightline_models::{Bundle, BundleError, Model, Shaper};

/// A picture of 200 x 150 in which `rgb(x, y)` is at each place.
fn camera(rgb: impl Fn(u32, u32) -> [u8; 3]) -> OwnedPixels {
    let size = SizePx::new(200, 150);
    let bytes = (0..size.height)
        .flat_map(|y| (0..size.width).map(move |x| (x, y)))
        .flat_map(|(x, y)| rgb(x, y))
        .collect();
    OwnedPixels::new(PixelFormat::Rgb8, size, vec![bytes]).unwrap()
}

fn armed(dir: &Path) -> Model {
    let bundle = Bundle::load(dir).unwrap_or_else(|error| panic!("{error}"));
    bundle.arm(&runtime()).unwrap_or_else(|error| panic!("{error}"))
}

fn look(model: &mut Model, pixels: &dyn Pixels, crop: RectPx) -> Result<Finding, FindingFault> {
    let mut tensor = model.input().tensor();
    Shaper::new(model.input().clone()).prepare(pixels, crop, &mut tensor)?;
    model.run(&tensor, 2, crop)
}

/// A place that is neither at the border nor of the input's shape.
const CROP: RectPx = RectPx::new(31, 17, 128, 96);

/// What holds of every kind of network.
fn conforms(fixture: &str) {
    let mut model = armed(&data().join(fixture));
    let noise = camera(|x, y| [(x * 7 + y * 13) as u8, (x * y) as u8, (x ^ (3 * y)) as u8]);
    let finding = look(&mut model, &noise, CROP).unwrap();

    // It is tied to the model and the view, and says something of every label.
    assert_eq!(finding.model, model.hash());
    assert_eq!(finding.view, 2);
    let labels: Vec<_> = finding.classes.iter().map(|class| class.label.clone()).collect();
    assert_eq!(labels, model.labels());

    // Defects are of labels that are not good, inside the crop, of this view.
    let good = &model.bundle().manifest().output.good;
    for defect in &finding.defects {
        assert!(model.labels().contains(&defect.kind) && *defect.kind != **good);
        assert!(CROP.contains(&defect.box_in_frame), "{}", defect.box_in_frame);
        assert!((1..=defect.box_in_frame.area()).contains(&defect.area_px));
        assert_eq!(defect.view, 2);
        if let Some(mask) = &defect.mask {
            let heatmap = finding.heatmap.as_ref().expect("a mask lies on a heatmap");
            assert!(SizePx::new(heatmap.width, heatmap.height).rect().contains(&mask.area));
            assert_eq!(mask.bits().count() as u64, mask.area.area());
            assert!(mask.count() > 0);
        }
    }
    if let Some(heatmap) = &finding.heatmap {
        assert_eq!(heatmap.values.len() as u64, SizePx::new(heatmap.width, heatmap.height).area());
        assert_eq!(heatmap.covers, CROP);
    }

    // The same picture gives the same finding, also after another one, and from another thread.
    let dark = camera(|_, _| [5; 3]);
    look(&mut model, &dark, CROP).unwrap();
    assert_eq!(look(&mut model, &noise, CROP).unwrap(), finding);
    let mut others = [model.another().unwrap(), model.another().unwrap()];
    thread::scope(|scope| {
        for other in &mut others {
            let (noise, finding) = (&noise, &finding);
            let run = move || {
                for _ in 0..20 {
                    assert_eq!(&look(other, noise, CROP).unwrap(), finding);
                }
            };
            thread::Builder::new().name("look".into()).spawn_scoped(scope, run).unwrap();
        }
    });

    // Another network's tensor is refused.
    let mut tensor = model.input().tensor();
    tensor.shape[3] -= 1;
    let fault = model.run(&tensor, 0, CROP).unwrap_err();
    assert!(matches!(fault, FindingFault::NotPrepared { .. }), "{fault}");
}

#[test]
fn segmenters_conform() {
    conforms("segmenter");
}

#[test]
fn classifiers_conform() {
    conforms("classifier");
}

#[test]
fn detectors_like_yolo_v5_conform() {
    conforms("detector-yolo-v5");
}

#[test]
fn detectors_like_yolo_v8_conform() {
    conforms("detector-yolo-v8");
}

#[test]
fn detectors_with_nms_inside_conform() {
    conforms("detector-end-to-end");
}

#[test]
fn detectors_like_rt_detr_conform() {
    conforms("detector-detr");
}

#[test]
fn detectors_like_detr_conform() {
    conforms("detector-detr-softmax");
}

#[test]
fn anomaly_maps_conform() {
    conforms("anomaly-map");
}

#[test]
fn anomaly_maps_with_a_score_conform() {
    conforms("anomaly-map-scored");
}

#[test]
fn segmenters_in_tiles_conform() {
    conforms("segmenter-tiled");
}

#[test]
fn classifiers_in_tiles_conform() {
    conforms("classifier-tiled");
}

#[test]
fn detectors_in_tiles_conform() {
    conforms("detector-yolo-v8-tiled");
}

#[test]
fn anomaly_maps_in_tiles_conform() {
    conforms("anomaly-map-scored-tiled");
}

#[test]
fn a_segmenter_says_where() {
    let mut model = armed(&data().join("segmenter"));
    // Cells are 16 x 16 pixels of a crop of 128 x 64; the red block covers two by one of them.
    let crop = RectPx::new(40, 30, 128, 64);
    let red = RectPx::new(72, 46, 32, 16);
    let pixels =
        camera(|x, y| if red.contains(&RectPx::new(x, y, 1, 1)) { [250, 10, 10] } else { [40; 3] });
    let finding = look(&mut model, &pixels, crop).unwrap();
    let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
    assert_eq!(&*defect.kind, "scratch");
    assert_eq!((defect.box_in_frame, defect.area_px), (red, red.area()));
    assert!(defect.score.get() > 0.99);
    let heatmap = finding.heatmap.unwrap();
    assert_eq!((heatmap.width, heatmap.height), (8, 4));
    let hot: Vec<_> = (0..32).filter(|i| heatmap.values[*i] > 200).collect();
    assert_eq!(hot, [10, 11]);
}

#[test]
fn a_letterboxed_crop_says_where_too() {
    let mut model = armed(&data().join("segmenter"));
    // 64 x 64 becomes 32 x 32 in the middle of 64 x 32: four cells of border on either side.
    let crop = RectPx::new(100, 60, 64, 64);
    let blue = RectPx::new(148, 60, 16, 32);
    let pixels =
        camera(
            |x, y| {
                if blue.contains(&RectPx::new(x, y, 1, 1)) { [10, 10, 250] } else { [40; 3] }
            },
        );
    let finding = look(&mut model, &pixels, crop).unwrap();
    let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
    assert_eq!((&*defect.kind, defect.box_in_frame), ("stain", blue));
    let heatmap = finding.heatmap.unwrap();
    assert_eq!((heatmap.width, heatmap.height, heatmap.covers), (4, 4, crop));
}

#[test]
fn a_classifier_says_what() {
    let mut model = armed(&data().join("classifier"));
    for (level, least, most) in [(10, 0.0, 0.05), (128, 0.4, 0.6), (250, 0.95, 1.0)] {
        let finding = look(&mut model, &camera(|_, _| [level; 3]), CROP).unwrap();
        let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
        assert_eq!((&*defect.kind, defect.box_in_frame), ("overexposed", CROP));
        assert!((least..=most).contains(&defect.score.get()), "{level}: {:?}", defect.score);
    }
}

/// Dark, with a red block over two cells of 16 x 16 of the crop and a blue one over two.
const BLOCKS_CROP: RectPx = RectPx::new(40, 30, 128, 64);

fn blocks() -> OwnedPixels {
    let (red, blue) = (RectPx::new(72, 46, 32, 16), RectPx::new(136, 62, 16, 32));
    camera(|x, y| match RectPx::new(x, y, 1, 1) {
        place if red.contains(&place) => [250, 10, 10],
        place if blue.contains(&place) => [10, 10, 250],
        _ => [40; 3],
    })
}

#[test]
fn every_layout_of_boxes_says_the_same() {
    // Boxes are twice as large as cells, so that neighbours share a third of their union, which is
    // more than is allowed. Of the red ones, which are equally good, the first stays; of the blue
    // ones the lower, which nothing dark lies below. It is cut at the crop.
    let red = RectPx::new(64, 38, 32, 32);
    let blue = RectPx::new(128, 70, 32, 24);
    for layout in ["yolo-v5", "yolo-v8", "end-to-end", "detr", "detr-softmax"] {
        let mut model = armed(&data().join(format!("detector-{layout}")));
        let finding = look(&mut model, &blocks(), BLOCKS_CROP).unwrap();
        let defects = finding.defects.iter();
        let mut found: Vec<_> =
            defects.map(|defect| (&*defect.kind, defect.box_in_frame)).collect();
        found.sort_by_key(|(kind, _)| *kind);
        assert_eq!(found, [("scratch", red), ("stain", blue)], "{layout}");
        for defect in &finding.defects {
            assert!((0.85..0.95).contains(&defect.score.get()), "{layout}: {:?}", defect.score);
            assert_eq!((defect.area_px, &defect.mask), (defect.box_in_frame.area(), &None));
        }
        assert_eq!(finding.heatmap, None);
    }
}

#[test]
fn a_detectors_boxes_are_cut_at_the_crop_also_in_a_letterbox() {
    let mut model = armed(&data().join("detector-yolo-v8"));
    // 64 x 64 lies in the middle of the input, four cells of border on either side.
    let crop = RectPx::new(100, 60, 64, 64);
    let red = RectPx::new(100, 60, 16, 16);
    let pixels =
        camera(|x, y| if red.contains(&RectPx::new(x, y, 1, 1)) { [250, 10, 10] } else { [40; 3] });
    let finding = look(&mut model, &pixels, crop).unwrap();
    let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
    assert_eq!(defect.box_in_frame, RectPx::new(100, 60, 24, 24));
}

#[test]
fn an_anomaly_map_says_where_and_how_much() {
    for (fixture, score, defects) in [("anomaly-map", 0.77, 2), ("anomaly-map-scored", 0.87, 3)] {
        let mut model = armed(&data().join(fixture));
        let finding = look(&mut model, &blocks(), BLOCKS_CROP).unwrap();
        let boxes: Vec<_> = finding.defects.iter().map(|defect| defect.box_in_frame).collect();
        let wanted = [RectPx::new(72, 46, 32, 16), RectPx::new(136, 62, 16, 32), BLOCKS_CROP];
        assert_eq!(boxes, wanted[..defects], "{fixture}");
        let said = finding.classes[1].score.get();
        assert!((said - score).abs() < 0.02, "{fixture}: {said}");
        assert!((finding.classes[0].score.get() + said - 1.0).abs() < 1e-6);
        let heatmap = finding.heatmap.unwrap();
        assert_eq!((heatmap.width, heatmap.height, heatmap.covers), (8, 4, BLOCKS_CROP));
    }
}

/// Noise, blocks and a crop that is letterboxed on the tiles' canvas of 112 x 48.
fn pictures_for_tiles() -> [(OwnedPixels, RectPx); 3] {
    let noise = camera(|x, y| [(x * 7 + y * 13) as u8, (x * y) as u8, (x ^ (3 * y)) as u8]);
    [(noise, CROP), (blocks(), BLOCKS_CROP), (blocks(), RectPx::new(60, 36, 40, 80))]
}

/// The findings are equal, to the last bit, but for the model's hash.
fn same_findings(one: &mut Model, other: &mut Model) {
    for (pixels, crop) in pictures_for_tiles() {
        let finding = look(one, &pixels, crop).unwrap();
        let expected = Finding { model: one.hash(), ..look(other, &pixels, crop).unwrap() };
        assert_eq!(finding, expected);
    }
}

#[test]
fn a_segmenter_in_tiles_says_what_it_says_of_the_whole() {
    let whole = Copy::of("segmenter");
    whole.with_graph("segmenter_any_size.onnx");
    whole.edit("width = 64", "width = 112").edit("height = 32", "height = 48");
    let mut tiled = armed(&data().join("segmenter-tiled"));
    assert_eq!(tiled.input().canvas(), SizePx::new(112, 48));
    same_findings(&mut tiled, &mut armed(whole.path()));
}

#[test]
fn an_anomaly_map_in_tiles_says_what_it_says_of_the_whole() {
    let tiling = "[input.tiling]\ncolumns = 2\nrows = 2\noverlap_px = 16\n\n[output]";
    let (tiled, whole) = (Copy::of("anomaly-map"), Copy::of("anomaly-map"));
    tiled.edit("[output]", tiling);
    whole.with_graph("map_any_size.onnx");
    whole.edit("width = 64", "width = 112").edit("height = 32", "height = 48");
    same_findings(&mut armed(tiled.path()), &mut armed(whole.path()));
}

#[test]
fn tiles_fed_at_once_say_what_they_say_one_by_one() {
    let at_once = Copy::of("detector-yolo-v8-tiled");
    at_once.with_graph("yolo_v8_any_batch.onnx");
    let mut one_by_one = armed(&data().join("detector-yolo-v8-tiled"));
    let blue = look(&mut one_by_one, &blocks(), BLOCKS_CROP).unwrap().defects;
    assert!(blue.len() > 1, "{blue:?}");
    same_findings(&mut armed(at_once.path()), &mut one_by_one);
    let (one, all) = (Copy::of("segmenter-tiled"), Copy::of("segmenter-tiled"));
    all.with_graph("segmenter_any_size.onnx");
    same_findings(&mut armed(one.path()), &mut armed(all.path()));
}

#[test]
fn a_classifier_in_tiles_is_as_bad_as_its_worst() {
    let mut model = armed(&data().join("classifier-tiled"));
    for (left, right, bad) in [(10, 10, false), (250, 10, true), (10, 250, true)] {
        let pixels = camera(|x, _| if x < 95 { [left; 3] } else { [right; 3] });
        let finding = look(&mut model, &pixels, CROP).unwrap();
        let [ok, overexposed] = finding.classes.as_slice() else { panic!("{finding:?}") };
        assert_eq!(overexposed.score.get() > 0.95, bad);
        assert_eq!(ok.score.get() > 0.95, !bad);
        assert_eq!(finding.defects[0].score, overexposed.score);
    }
}

#[test]
fn a_network_that_divides_by_nothing_is_a_fault_of_that_part_only() {
    let copy = Copy::of("classifier");
    copy.with_graph("divides.onnx").edit("activation = \"softmax\"", "activation = \"none\"");
    copy.edit("[0.966835, 0.033164]", "[1.0, 1.0]").edit("[0.03858, 0.96142]", "[1.0, 1.0]");
    let mut model = armed(copy.path());
    let fault = look(&mut model, &camera(|_, _| [0; 3]), CROP).unwrap_err();
    assert_eq!(fault, FindingFault::NotFinite { output: "scores".into() });
    assert!(look(&mut model, &camera(|_, _| [9; 3]), CROP).is_ok());
}

#[test]
fn sides_that_a_graph_leaves_open_are_the_manifests() {
    let copy = Copy::of("classifier");
    copy.with_graph("open_sides.onnx");
    assert_eq!(armed(copy.path()).input().size(), SizePx::new(16, 16));
}

#[test]
fn the_hash_follows_the_manifest_and_the_network() {
    let hash = |copy: &Copy| Bundle::load(copy.path()).unwrap().hash();
    let (one, two) = (Copy::of("segmenter"), Copy::of("segmenter"));
    assert_eq!(hash(&one), hash(&two));
    two.edit("pixel_threshold = 0.5", "pixel_threshold = 0.6");
    assert_ne!(hash(&one), hash(&two));
    let (one, two) = (Copy::of("classifier"), Copy::of("classifier"));
    two.with_graph("open_sides.onnx");
    assert_ne!(hash(&one), hash(&two));
}

#[test]
fn what_changes_on_disk_after_loading_changes_nothing() {
    let copy = Copy::of("segmenter");
    let bundle = Bundle::load(copy.path()).unwrap();
    fs::remove_dir_all(copy.path()).unwrap();
    bundle.arm(&runtime()).unwrap();
}

#[test]
fn the_runtime_is_opened_once() {
    let (first, second) = (runtime(), runtime());
    assert_eq!(first.library(), second.library());
    assert!(first.build_info().contains("ORT Build Info"), "{}", first.build_info());
}

#[test]
fn every_bundle_that_ships_is_armed() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo");
    let mut refused: Vec<BundleError> = Vec::new();
    // A zoo without a bundle yet is no mistake; a folder in it that is no bundle is one.
    let folders = fs::read_dir(&zoo).into_iter().flatten().map(|entry| entry.unwrap().path());
    for dir in folders.filter(|path| path.is_dir()) {
        refused.extend(Bundle::load(&dir).and_then(|bundle| bundle.arm(&runtime())).err());
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
