//! What is proposed for an ONNX file: graphs as the usual exporters write them, graphs that we
//! can't run, and bytes that are no graphs at all.

#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::{OwnedPixels, PixelFormat, SizePx};
use proptest::prelude::*;
use sightline_models::import::{Import, ImportError, Item, Proposal, Sure, Wishes};
use sightline_models::onnx::{bytes_from_model, element, model_from_bytes, proto};
use sightline_models::write::{Draft, bundle_from_draft};
use sightline_models::{Activation, BoxLayout, Bundle, Kind, Precision, Runtime};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// A graph of inputs and outputs only: most of what is proposed is seen from there.
#[derive(Default)]
struct Made {
    model: proto::ModelProto,
}

/// -1 is an open side.
fn port(name: &str, elem_type: i32, sides: &[i64]) -> proto::ValueInfoProto {
    let mut port = proto::ValueInfoProto::tensor(name, elem_type, sides);
    if let Some(proto::TypeValue::Tensor(tensor)) = &mut port.r#type.as_mut().unwrap().value {
        for (index, dim) in tensor.shape.as_mut().unwrap().dim.iter_mut().enumerate() {
            if dim.value == Some(proto::Side::Value(-1)) {
                dim.value = Some(proto::Side::Param(["batch", "c", "h", "w"][index].to_owned()));
            }
        }
    }
    port
}

impl Made {
    fn new(input: &[i64], outputs: &[(&str, &[i64])]) -> Self {
        let output = outputs.iter().map(|(name, sides)| port(name, element::FLOAT, sides));
        let graph = proto::GraphProto {
            input: vec![port("images", element::FLOAT, input)],
            output: output.collect(),
            ..Default::default()
        };
        let model = proto::ModelProto {
            producer_name: "pytorch".into(),
            graph: Some(graph),
            ..Default::default()
        };
        Self { model }
    }

    fn says(mut self, words: &[(&str, &str)]) -> Self {
        self.model.metadata_props.extend(words.iter().map(|(key, value)| {
            proto::StringStringEntryProto { key: (*key).into(), value: (*value).into() }
        }));
        self
    }

    fn weights(mut self, names: &[&str]) -> Self {
        let constant = |name: &&str| proto::TensorProto::of_floats(name, &[1], &[0.5]);
        self.graph().initializer.extend(names.iter().map(constant));
        self
    }

    fn node(mut self, op: &str, input: &[&str], output: &str) -> Self {
        self.graph().node.push(proto::NodeProto {
            op_type: op.into(),
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.into()],
            ..Default::default()
        });
        self
    }

    fn graph(&mut self) -> &mut proto::GraphProto {
        self.model.graph.as_mut().unwrap()
    }

    fn propose(&self, told: &[(&str, &str)]) -> Result<Proposal, ImportError> {
        proposed(&bytes_from_model(&self.model), told)
    }
}

fn proposed(bytes: &[u8], told: &[(&str, &str)]) -> Result<Proposal, ImportError> {
    let mut wishes = Wishes::default();
    told.iter().try_for_each(|(flag, text)| wishes.tell(flag, text))?;
    Import::of(bytes, "brackets.onnx")?.propose(&wishes)
}

fn item<'a>(proposal: &'a Proposal, flag: &str) -> &'a Item {
    proposal.items().iter().find(|item| item.flag == flag).unwrap_or_else(|| panic!("{flag}"))
}

#[track_caller]
fn assert_items(proposal: &Proposal, wanted: &[(&str, &str, Sure)]) {
    for (flag, value, sure) in wanted {
        let item = item(proposal, flag);
        assert_eq!((item.value.as_deref(), item.sure), (Some(*value), *sure), "{item:?}");
        assert!(!item.why.is_empty() && !item.right.is_empty());
    }
}

/// Flags that a person still has to answer.
fn open(proposal: &Proposal) -> Vec<&str> {
    proposal.open().map(|item| item.flag).collect()
}

use Sure::{Likely, Read, Told, Unsure};

const ULTRALYTICS: [(&str, &str); 6] = [
    ("task", "detect"),
    ("stride", "32"),
    ("names", "{0: 'scratch', 1: 'dent'}"),
    ("imgsz", "[480, 640]"),
    ("license", "AGPL-3.0 License (https://ultralytics.com/license)"),
    ("description", "Ultralytics YOLO11n model"),
];

#[test]
fn an_ultralytics_detector_needs_nothing_more() {
    let v8 = Made::new(&[1, 3, 480, 640], &[("output0", &[1, 6, 6300])]).says(&ULTRALYTICS);
    let proposal = v8.propose(&[]).unwrap();
    assert_items(
        &proposal,
        &[
            ("--kind", "detector", Read),
            ("--layout", "yolo_v8", Read),
            ("--size", "640x480", Read),
            ("--colour", "rgb", Read),
            ("--normalise", "0..1", Read),
            ("--resize", "letterbox", Likely),
            ("--pad", "0.447", Likely),
            ("--labels", "ok,scratch,dent", Read),
            ("--good", "ok", Likely),
            ("--activation", "none", Likely),
            ("--name", "brackets", Likely),
        ],
    );
    let manifest = proposal.settled().unwrap();
    assert_eq!((manifest.kind, manifest.input.width), (Kind::Detector, 640));
    assert!(manifest.licence.starts_with("AGPL-3.0"));
    let boxes = manifest.output.boxes.unwrap();
    assert_eq!((boxes.layout, boxes.name), (BoxLayout::YoloV8, None));
    assert_eq!(manifest.provenance["imported_from"], "brackets.onnx");

    // The same with open sides: the note has the size, and the graph gets it.
    let open = Made::new(&[-1, 3, -1, -1], &[("output0", &[-1, 6, -1])]).says(&ULTRALYTICS);
    let manifest = open.propose(&[]).unwrap().settled().unwrap();
    assert_eq!(manifest.input.shape(), [1, 3, 480, 640]);
    let import = Import::of(&bytes_from_model(&open.model), "open.onnx").unwrap();
    let onnx = import.network(&manifest);
    let graph = model_from_bytes(&onnx).unwrap().graph.unwrap();
    assert_eq!(graph.input[0].sides().unwrap(), [1, 3, 480, 640].map(Some));
    assert_eq!(graph.output[0].sides().unwrap()[0], Some(1), "the batch by its name");

    let nms = Made::new(&[1, 3, 480, 640], &[("output0", &[1, 300, 6])]).says(&ULTRALYTICS);
    assert_items(&nms.propose(&[]).unwrap(), &[("--layout", "end_to_end", Read)]);
    let classify: Vec<_> = ULTRALYTICS
        .map(|(key, value)| if key == "task" { (key, "classify") } else { (key, value) })
        .into();
    let classes = Made::new(&[1, 3, 64, 64], &[("output0", &[1, 2])]).says(&classify);
    let classes = classes.node("Softmax", &["x"], "output0").propose(&[]).unwrap();
    let wanted = [("--kind", "classifier", Read), ("--activation", "none", Read)];
    assert_items(&classes, &wanted);
    assert_eq!(self::open(&classes), ["--good"], "neither scratch nor dent is good");
}

#[test]
fn detectors_are_known_by_their_shapes() {
    let told = [("--labels", "scratch"), ("--licence", "MIT")];
    for (outputs, layout, sure) in [
        (vec![("output", vec![1, 25200, 6])], "yolo_v5", Likely),
        (vec![("output", vec![1, 5, 8400])], "yolo_v8", Likely),
        (vec![("output", vec![1, 300, 6])], "end_to_end", Likely),
        (vec![("logits", vec![1, 300, 1]), ("pred_boxes", vec![1, 300, 4])], "detr", Read),
        (vec![("dets", vec![1, 300, 4]), ("labels", vec![1, 300, 2])], "detr", Read),
        (vec![("output", vec![1, 8400, 6])], "yolo_v5", Unsure),
    ] {
        let outputs: Vec<_> = outputs.iter().map(|(name, sides)| (*name, &sides[..])).collect();
        let proposal = Made::new(&[1, 3, 640, 640], &outputs).propose(&told).unwrap();
        assert_items(&proposal, &[("--kind", "detector", sure), ("--layout", layout, sure)]);
        assert_items(&proposal, &[("--labels", "ok,scratch", Told)]);
        let boxes = proposal.draft().unwrap().output.boxes.clone().unwrap();
        assert_eq!(boxes.name.is_some(), layout == "detr");
    }
    let dets = [("dets", &[1_i64, 300, 4][..]), ("labels", &[1, 300, 2])];
    let rf = Made::new(&[1, 3, 560, 560], &dets).propose(&told).unwrap();
    assert_items(&rf, &[("--normalise", "imagenet", Likely), ("--activation", "sigmoid", Likely)]);
    assert_items(&rf, &[("--output", "labels", Read), ("--resize", "stretch", Likely)]);
}

#[test]
fn anomalib_is_known_by_its_names() {
    let outputs: [(&str, &[i64]); 2] =
        [("anomaly_map", &[1, 1, 256, 256]), ("pred_score", &[1, 1])];
    let mut made = Made::new(&[-1, 3, -1, -1], &outputs).says(&[("license", "Apache-2.0")]);
    let told = [("--size", "256x256")];
    assert_eq!(open(&made.propose(&told).unwrap()), ["--range"]);
    // With its postprocessing and its own normalisation in the graph.
    made.graph().output.push(port("pred_label", element::BOOL, &[1]));
    made = made.weights(&["mean"]).node("Sub", &["images", "mean"], "a");
    assert_eq!(open(&made.propose(&told).unwrap()), ["--range"], "nothing brings it to 0..1");
    made = made.node("Clip", &["a", "zero", "one"], "anomaly_map");
    let proposal = made.propose(&told).unwrap();
    assert_items(
        &proposal,
        &[
            ("--kind", "anomaly_map", Read),
            ("--normalise", "0..1", Read),
            ("--range", "0,1", Likely),
            ("--labels", "ok,anomaly", Likely),
            ("--size", "256x256", Told),
        ],
    );
    let anomaly = proposal.settled().unwrap().output.anomaly.unwrap();
    assert_eq!(anomaly.score.as_deref(), Some("pred_score"));
}

#[test]
fn classifiers_and_segmenters_ask_for_what_the_file_does_not_say() {
    let classifier = Made::new(&[1, 3, 224, 224], &[("logits", &[1, 3])]);
    let proposal = classifier.propose(&[]).unwrap();
    assert_eq!(open(&proposal), ["--normalise", "--labels", "--good", "--licence"]);
    assert!(proposal.draft().is_none());
    let error = proposal.settled().unwrap_err().to_string();
    for word in ["--labels", "--good", "--licence", "--normalise imagenet if that is right"] {
        assert!(error.contains(word), "`{word}` is missing in: {error}");
    }

    let timm = classifier.weights(&["conv_stem.weight"]);
    let told = [("--labels", "ok,scratch,dent"), ("--licence", "MIT")];
    let proposal = timm.propose(&told).unwrap();
    assert_items(&proposal, &[("--normalise", "imagenet", Likely), ("--good", "ok", Likely)]);
    let manifest = proposal.settled().unwrap();
    assert_eq!(manifest.input.mean, [0.485, 0.456, 0.406]);
    assert_eq!(manifest.output.activation, Activation::Softmax);

    let wrong = timm.propose(&[("--labels", "ok,scratch")]).unwrap();
    assert!(item(&wrong, "--labels").why.contains("2 labels, and 3 channels"));

    let outputs: [(&str, &[i64]); 2] = [("aux", &[1, 2, 28, 28]), ("out", &[1, 2, 28, 28])];
    let segmenter = Made::new(&[1, 1, 28, 28], &outputs);
    let told = [("--labels", "background,scratch"), ("--licence", "MIT"), ("--normalise", "0..1")];
    let manifest = segmenter.propose(&told).unwrap().settled().unwrap();
    assert_eq!((manifest.kind, &*manifest.output.name), (Kind::Segmenter, "out"));
    assert_eq!(
        (&*manifest.output.good, manifest.output.pixel_threshold),
        ("background", Some(0.5))
    );
    assert_eq!(manifest.input.std, [1.0]);

    // One map may be a mask or distances: who knows says so.
    let map = Made::new(&[1, 3, 64, 64], &[("y", &[1, 1, 64, 64])]);
    assert_items(&map.propose(&[]).unwrap(), &[("--kind", "anomaly_map", Unsure)]);
    let told = map.propose(&[("--kind", "anomaly_map"), ("--range", "0,9")]).unwrap();
    assert_items(&told, &[("--kind", "anomaly_map", Told), ("--range", "0,9", Told)]);
}

#[test]
fn what_can_t_be_run_says_what_to_export_instead() {
    let of = |input: &[i64]| Made::new(input, &[("logits", &[1, 3])]);
    let typed = |elem_type| {
        let mut made = of(&[1, 3, 64, 64]);
        made.graph().input = vec![port("images", elem_type, &[1, 3, 64, 64])];
        made
    };
    let mut two = of(&[1, 3, 64, 64]);
    two.graph().input.push(port("sizes", element::INT64, &[1, 2]));
    let mut split = of(&[1, 3, 64, 64]).weights(&["w"]);
    split.graph().initializer[0].data_location = 1;
    let outputs = |outputs: &[(&str, &[i64])]| Made::new(&[1, 3, 640, 640], outputs);
    let task = |task: &'static str| {
        let words = ULTRALYTICS.map(|(k, v)| if k == "task" { (k, task) } else { (k, v) });
        outputs(&[("output0", &[1, 38, 8400])]).says(&words)
    };
    let cases = [
        (of(&[1, 224, 224, 3]), vec!["channels last", "--inputs-as-nchw images"]),
        (typed(element::UINT8), vec!["uint8", "float input", "--normalise 0..255"]),
        (typed(element::FLOAT16), vec!["float16", "half=False"]),
        (two, vec!["[\"images\", \"sizes\"]", "one input"]),
        (split, vec!["another file", "external_data=False"]),
        (of(&[8, 3, 64, 64]), vec!["8 pictures at once", "open batch"]),
        (of(&[1, 5, 64, 64]), vec!["5 channels", "1 or 3"]),
        (of(&[3, 64, 64]), vec!["[3, 64, 64]", "[1, channels, rows, columns]"]),
        (outputs(&[("y", &[1, 1])]), vec!["`y` float [1, 1]", "right would be"]),
        (outputs(&[]), vec!["no output can be read"]),
        (task("segment"), vec!["task `segment`", "`detect`"]),
        (
            outputs(&[("boxes", &[-1, 4]), ("labels", &[-1]), ("scores", &[-1])]),
            vec!["changing number", "YOLO or DETR"],
        ),
        (
            outputs(&[("num_dets", &[1, 1]), ("det_boxes", &[1, 9, 4]), ("det_scores", &[1, 9])]),
            vec!["`num_dets`", "YOLO or DETR"],
        ),
    ];
    for (made, words) in cases {
        let error = made.propose(&[]).expect_err("a refusal").to_string();
        for word in words {
            assert!(error.contains(word), "`{word}` is missing in: {error}");
        }
    }
    let argmax = of(&[1, 3, 64, 64]).node("ArgMax", &["x"], "logits").propose(&[]).unwrap_err();
    assert!(argmax.to_string().contains("ArgMax"), "{argmax}");
}

#[test]
fn what_contradicts_the_graph_is_refused() {
    let made = Made::new(&[1, 3, 64, 64], &[("logits", &[1, 3])]);
    for (flag, told, words) in [
        ("--size", "32x32", ["[1, 3, 64, 64]", "--size 32x32"]),
        ("--colour", "gray", ["3 channels", "rgb or bgr"]),
        ("--kind", "segmenter", ["no output can be read as segmenter", "[1, 3]"]),
        ("--output", "out", ["of the name `out`", "`logits`"]),
        ("--layout", "detr", ["no output can be read", "`logits`"]),
    ] {
        let error = made.propose(&[(flag, told)]).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "`{word}` is missing in: {error}");
        }
    }
}

/// Imports a graph of the fixtures and looks at a picture with what comes of it.
#[test]
fn an_imported_network_is_a_bundle_that_reproduces_itself() {
    let graph = fs::read(data().join("graphs/open_sides.onnx")).unwrap();
    let told = [
        ("--size", "24x16"),
        ("--labels", "ok,overexposed"),
        ("--licence", "MIT"),
        ("--normalise", "0..1"),
        ("--kind", "classifier"),
    ];
    let manifest = proposed(&graph, &told).unwrap().settled().unwrap();
    let onnx = Import::of(&graph, "a.onnx").unwrap().network(&manifest);
    let picture = OwnedPixels::new(PixelFormat::Gray8, SizePx::new(30, 20), vec![vec![230; 600]]);
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("b");
    let golden = [picture.unwrap()];
    let draft = Draft { manifest, onnx: &onnx, golden: &golden, card: "", beside: &[] };
    let runtime = Runtime::open().unwrap_or_else(|error| panic!("{error}"));
    bundle_from_draft(&to, draft, &runtime).unwrap_or_else(|error| panic!("{error}"));
    let bundle = Bundle::load(&to).unwrap();
    let model = bundle.arm(&runtime).unwrap();
    assert_eq!(model.input().shape(), [1, 1, 16, 24]);
    let samples = bundle.samples(&runtime).unwrap();
    assert!(samples[0].reproduced() && samples[0].scores[1].got > 0.8, "{samples:?}");
    assert_eq!(bundle.manifest().file.precision, Precision::Fp32);
}

static GRAPHS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/simulated-parts/model.onnx");
    let fixtures = ["segmenter/model.onnx", "classifier/model.onnx", "graphs/divides.onnx"];
    let graphs = fixtures.map(|file| data().join(file));
    graphs.into_iter().chain([zoo]).map(|file| fs::read(file).unwrap()).collect()
});

/// A proposal, or a reason in words; and never a panic.
fn comes_to_something(bytes: &[u8]) -> Result<(), TestCaseError> {
    match proposed(bytes, &[("--size", "64x64"), ("--labels", "ok,bad"), ("--licence", "MIT")]) {
        Ok(proposal) => {
            prop_assert!(proposal.items().iter().all(|item| !item.why.is_empty()));
            if let Ok(manifest) = proposal.settled() {
                let network = Import::of(bytes, "a.onnx").unwrap().network(&manifest);
                prop_assert!(model_from_bytes(&network).is_ok());
            }
        }
        Err(error) => prop_assert!(error.to_string().len() > 10, "{error}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_come_to_something(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        comes_to_something(&bytes)?;
    }

    #[test]
    fn damaged_graphs_come_to_something(
        which in 0..4_usize,
        cut in any::<prop::sample::Index>(),
        cut_it in any::<bool>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = GRAPHS[which].clone();
        // Names, shapes and operators stand at both ends; weights between them.
        let edge = bytes.len().min(3000);
        for (at, with) in flips {
            let at = at.index(2 * edge);
            let at = if at < edge { at } else { bytes.len() - 1 - (at - edge) };
            bytes[at] ^= with;
        }
        if cut_it {
            bytes.truncate(cut.index(bytes.len()));
        }
        comes_to_something(&bytes)?;
    }

    #[test]
    fn any_shapes_come_to_something(
        input in proptest::collection::vec(-2_i64..70, 0..6),
        outputs in proptest::collection::vec(
            ("[a-z_]{0,9}", proptest::collection::vec(prop_oneof![-2_i64..9, any::<i64>()], 0..6)),
            0..4,
        ),
        names in "\\PC{0,30}",
        detect in any::<bool>(),
    ) {
        let side = |sides: &[i64]| sides.iter().take(4).copied().collect::<Vec<_>>();
        let input = side(&input);
        let outputs: Vec<_> =
            outputs.iter().map(|(name, sides)| (&**name, side(sides))).collect();
        let outputs: Vec<_> = outputs.iter().map(|(name, sides)| (*name, &sides[..])).collect();
        let mut made = Made::new(&input, &outputs).says(&[("names", &names), ("imgsz", &names)]);
        if detect {
            made = made.says(&[("task", "detect"), ("stride", "32")]);
        }
        comes_to_something(&bytes_from_model(&made.model))?;
    }
}
