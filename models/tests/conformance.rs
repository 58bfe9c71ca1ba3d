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
