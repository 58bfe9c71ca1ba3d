//! Networks that bear being quantised, and those that do not: what the gate says of them.

use super::*;

/// Reads the blue channel. With an outlier red and green cancel out, in floats: they are
/// equal in all pictures.
fn blue_reader(outlier: f32) -> Vec<u8> {
    let mut b = Build::new("scores", &[1, 2]);
    b.floats("w", &[1, 3, 1, 1], &[outlier, -outlier, 1.0]).floats("v", &[2, 1], &[-3.0, 3.0]);
    b.node("Conv", &["image", "w"], "blue");
    b.node("GlobalAveragePool", &["blue"], "mean");
    b.node("Flatten", &["mean"], "flat");
    b.node("Gemm", &["flat", "v"], "scores").attribute = vec![int_setting("transB", 1)];
    b.onnx(17)
}

/// A picture of red and green 90, and a blue.
fn blue(level: u8) -> OwnedPixels {
    let bytes = [90, 90, level].repeat((SIDE * SIDE) as usize);
    OwnedPixels::new(PixelFormat::Rgb8, SizePx::new(SIDE, SIDE), vec![bytes]).unwrap()
}

fn manifest(precision: Precision) -> Manifest {
    Manifest {
        schema: 1,
        name: "blue".into(),
        kind: Kind::Classifier,
        licence: "MIT".into(),
        description: String::new(),
        file: FileSpec {
            onnx: "model.onnx".into(),
            sha256: domain::Sha256::of(b""),
            precision,
            quantized_from: None,
        },
        input: input(),
        output: OutputSpec {
            name: "scores".into(),
            activation: Activation::Softmax,
            labels: vec!["ok".into(), "blue".into()],
            good: "ok".into(),
            pixel_threshold: None,
            min_cells: None,
            boxes: None,
            anomaly: None,
        },
        provenance: BTreeMap::new(),
        golden: Vec::new(),
    }
}

/// Pictures good and bad in `dir`: the bad are bluer.
fn labelled(dir: &Path) -> Vec<Labelled> {
    let levels: Vec<u8> = (0..10).map(|i| 60 + i * 15).collect();
    let save = |level: &u8| {
        let file = dir.join(format!("{level}.png"));
        image::RgbImage::from_pixel(SIDE, SIDE, image::Rgb([90, 90, *level])).save(&file).unwrap();
        Labelled { file, bad: Some(*level > 127) }
    };
    levels.iter().map(save).collect()
}

fn recipe() -> domain::CheckedRecipe {
    let text = "name = 'x'\nmodel = '.'\nlocate = { kind = 'every-frame' }\n\
                limits = { reject_at = 0.5 }";
    toml::from_str::<Recipe>(text).unwrap().check().unwrap()
}

/// Writes both bundles, and the second by what the first expects if `proven`; then compares.
fn quantized(outlier: f32, target: &Target, proven: bool) -> Result<Comparison, WriteError> {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let shown = labelled(dir.path());
    let golden = [blue(60), blue(200)];
    let write = |name: &str, onnx: &[u8], precision, expected: &[(Vec<f32>, f32)]| {
        let manifest = manifest(precision);
        let draft = Draft { manifest, onnx, golden: &golden, card: "", beside: &[] };
        let path = dir.path().join(name);
        let made = bundle_with_expected(&path, draft, expected, &runtime);
        assert_eq!(made.is_ok(), path.exists(), "half a bundle is there");
        made
    };
    let mut float = write("float", &blue_reader(outlier), Precision::Fp32, &[]).unwrap();
    let files: Vec<_> = shown.iter().map(|picture| picture.file.clone()).collect();
    let made = onnx_from_bundle(float.bundle(), target, &[], &files, &runtime).unwrap();
    let samples = &float.bundle().manifest().golden;
    let expected: Vec<_> = samples.iter().map(|g| (g.expected.clone(), 0.05)).collect();
    let expected = if proven { &expected[..] } else { &[] };
    let mut model = write("small", &made.onnx, target.precision(), expected)?;
    if proven {
        assert_eq!(model.bundle().manifest().golden[0].expected, samples[0].expected);
        assert_eq!(model.bundle().manifest().golden[0].tolerance, 0.05);
    }
    let clock = std::cell::Cell::new(0);
    let now = || {
        clock.set(clock.get() + 1);
        Duration::from_millis(clock.get())
    };
    Ok(compare(&mut float, &mut model, &shown, &recipe(), 1, &now).unwrap())
}

#[test]
fn a_network_that_bears_it_is_let_through() {
    for target in [Target::Int8(CPU), Target::Fp16] {
        let made = quantized(0.5, &target, true).unwrap();
        assert!(made.refused(&Allowed::default()).is_empty(), "{made:?}");
        assert_eq!((made.float.auroc, made.quantized.auroc), (Some(1.0), Some(1.0)));
        assert_eq!((made.pictures, made.float.escape.of, made.float.overkill.of), (10, 5, 5));
        assert_eq!((made.float.median_ms, made.verdicts_changed.count), (Some(1.0), 0));
        let off = made.score_difference_max;
        // 16 bits hold these weights as they are, and a processor computes in 32.
        assert!(off < 0.05 && (off > 0.0 || target == Target::Fp16), "{target:?}: {off}");
    }
}

#[test]
fn a_network_that_does_not_is_refused_by_its_golden_samples() {
    let error = quantized(400.0, &Target::Int8(CPU), true).unwrap_err();
    let WriteError::Bundle(BundleError::GoldenMissed { tolerance, .. }) = error else {
        panic!("expected a missed sample, got {error}")
    };
    assert_eq!(tolerance, 0.05);
}

#[test]
fn a_network_that_does_not_is_refused_by_labelled_pictures() {
    let made = quantized(400.0, &Target::Int8(CPU), false).unwrap();
    assert_eq!(made.float.auroc, Some(1.0));
    let refused = made.refused(&Allowed::default());
    assert!(!refused.is_empty(), "{made:?}");
    let lost = made.newly_escaped.len() + made.newly_rejected.len();
    assert!(lost as u64 == made.verdicts_changed.count && lost > 0);
    let all = Allowed { escape_growth: 1.0, overkill_growth: 1.0 };
    assert!(made.refused(&all).is_empty());
}

#[test]
fn a_bundle_that_is_no_float_one_is_refused() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let manifest = manifest(Precision::Fp16);
    let onnx = blue_reader(0.5);
    let draft = Draft { manifest, onnx: &onnx, golden: &[blue(9)], card: "", beside: &[] };
    let model = bundle_from_draft(&dir.path().join("b"), draft, &runtime).unwrap();
    let error = onnx_from_bundle(model.bundle(), &Target::Fp16, &[], &[], &runtime).unwrap_err();
    assert_eq!(error, QuantizeError::NotFloat { precision: Precision::Fp16 });
}

#[test]
fn int8_without_pictures_is_refused() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
    let onnx = blue_reader(0.5);
    let manifest = manifest(Precision::Fp32);
    let draft = Draft { manifest, onnx: &onnx, golden: &[blue(9)], card: "", beside: &[] };
    let model = bundle_from_draft(&dir.path().join("b"), draft, &runtime).unwrap();
    let target = Target::Int8(CPU);
    let error = onnx_from_bundle(model.bundle(), &target, &[], &[], &runtime).unwrap_err();
    assert_eq!(error, QuantizeError::NoPictures);
}

#[test]
fn shipped_networks_bear_it() {
    let runtime = runtime();
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/simulated-parts");
    let bundle = Bundle::load(&zoo).unwrap();
    let golden = &bundle.manifest().golden;
    let files: Vec<_> = golden.iter().map(|sample| zoo.join(&sample.image)).collect();
    let pictures: Vec<_> =
        files.iter().map(|file| crate::picture::pixels_from_file(file).unwrap()).collect();
    for (target, tolerance) in [(Target::Int8(CPU), 0.1), (Target::Fp16, 0.01)] {
        let made = onnx_from_bundle(&bundle, &target, &[], &files, &runtime).unwrap();
        let share = made.onnx.len() as f64 / bundle.parts.onnx.len() as f64;
        let most = if target == Target::Fp16 { 0.55 } else { 0.35 };
        assert!(share < most, "{target:?}: {share} of the size");
        let mut manifest = bundle.manifest().clone();
        manifest.file.precision = target.precision();
        manifest.file.quantized_from = Some(bundle.hash());
        let expected: Vec<_> = golden.iter().map(|g| (g.expected.clone(), tolerance)).collect();
        let dir = tempfile::tempdir().unwrap();
        let draft = Draft { manifest, onnx: &made.onnx, golden: &pictures, card: "", beside: &[] };
        bundle_with_expected(&dir.path().join("b"), draft, &expected, &runtime).unwrap();
    }
}
