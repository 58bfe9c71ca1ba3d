//! What kind of network it is: takes its outputs' names and shapes and what its exporter wrote into
//! the file, gives the readings that fit, the surest first.

use domain::SizePx;

use super::ImportError;
use super::choice::Sure;
use super::facts::{Facts, PortFacts};
use super::wishes::Wishes;
use crate::kinds::Kind;
use crate::manifest::BoxLayout;

/// Where a network comes from, as far as its file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Ultralytics,
    Anomalib,
    RfDetr,
    /// DETR as Hugging Face exports it.
    Detr,
    YoloX,
    /// Other YOLOs, by shape.
    Yolo,
    /// Weights named as torchvision or timm name them.
    Torchvision,
    Other,
}

/// A reading of the outputs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub family: Family,
    pub kind: Kind,
    pub output: String,
    pub layout: Option<BoxLayout>,
    /// The output with the boxes, where they stand apart.
    pub boxes: Option<String>,
    /// The output with the score of the whole picture.
    pub score: Option<String>,
    /// How many labels have a channel; `None` where the shape does not tell.
    pub channels: Option<usize>,
    pub sure: Sure,
    pub why: String,
}

impl Found {
    fn new(family: Family, kind: Kind, output: &PortFacts, sure: Sure, why: String) -> Self {
        let (output, layout) = (output.name.clone(), None);
        let (boxes, score, channels) = (None, None, None);
        Self { family, kind, output, layout, boxes, score, channels, sure, why }
    }
}

/// The reading of the outputs that fits what was told best.
pub(super) fn found_in(
    facts: &Facts,
    names: &[&str],
    size: Option<SizePx>,
    wishes: &Wishes,
) -> Result<Found, ImportError> {
    if wishes.kind.is_none() {
        refuse_what_is_not_read(facts)?;
    }
    let wanted = |name: &str| wishes.output.as_ref().is_none_or(|wish| wish == name);
    let ports: Vec<_> = facts.outputs.iter().filter(|port| port.element == "float").collect();
    let mut all = Vec::new();
    all.extend(anomalib(&ports));
    all.extend(detr(&ports));
    for port in &ports {
        all.extend(boxes(facts, port, size));
        all.extend(grids(facts, port, names));
        all.extend(classes(facts, port, names));
    }
    all.retain(|found| wanted(&found.output));
    all.retain(|found| wishes.kind.is_none_or(|kind| kind == found.kind));
    if let Some(layout) = wishes.layout {
        all.retain(|found| found.layout == Some(layout));
    }
    // The first of the surest: the sort keeps their order.
    all.sort_by_key(|found| found.sure);
    let told = wishes.kind.is_some() && (wishes.layout.is_some() || all.len() == 1);
    let first = all.into_iter().next().ok_or_else(|| nothing_fits(facts, wishes))?;
    if told {
        return Ok(Found { sure: Sure::Told, why: "as you say".into(), ..first });
    }
    Ok(first)
}

fn nothing_fits(facts: &Facts, wishes: &Wishes) -> ImportError {
    let port = |port: &PortFacts| format!("`{}` {} {}", port.name, port.element, port.shape());
    let ports = facts.outputs.iter().map(port).collect::<Vec<_>>().join(", ");
    let asked = match (wishes.kind, &wishes.output) {
        (Some(kind), _) => {
            format!(" as {}: {}", super::wishes::word_of(&kind), kind.output_shape())
        }
        (None, Some(name)) => format!(" of the name `{name}`"),
        _ => String::new(),
    };
    ImportError::Unfit {
        problem: format!("no output can be read{asked}; it gives {ports}"),
        right:
            "scores [1, labels], a grid [1, labels, rows, columns], an anomaly map [1, 1, rows, \
                columns], or boxes of YOLO or DETR, as floats"
                .into(),
    }
}

/// Networks that look like those that are read and are others.
fn refuse_what_is_not_read(facts: &Facts) -> Result<(), ImportError> {
    let unfit =
        |problem: String, right: &str| Err(ImportError::Unfit { problem, right: right.to_owned() });
    let task = facts.metadata.get("task").map(String::as_str);
    if let (Some(task @ ("segment" | "pose" | "obb")), true) = (task, is_ultralytics(facts)) {
        let problem =
            format!("it is an Ultralytics network of the task `{task}`, which is not read");
        return unfit(problem, "the task `detect` or `classify`, or a network that gives a grid");
    }
    let has = |name: &&str| facts.outputs.iter().any(|port| port.name == *name);
    let right = "an export of the network before its postprocessing, YOLO or DETR";
    if ["boxes", "labels", "scores"].iter().all(has) {
        let problem = "its boxes come as `boxes`, `labels` and `scores` of changing number".into();
        return unfit(problem, right);
    }
    if let Some(name) = ["num_dets", "num_detections", "detection_boxes"].iter().find(|n| has(n)) {
        return unfit(format!("its boxes come after its own NMS, counted apart (`{name}`)"), right);
    }
    let names = facts.metadata.get("names").and_then(|text| super::labels::labels_from_text(text));
    if let (Some(names), true, [port]) = (names, is_ultralytics(facts), facts.outputs.as_slice())
        && let [_, Some(1..=1000), Some(last)] = port.sides[..]
        && usize::try_from(last) == Ok(names.len() + 4)
        && last != 6
    {
        let problem =
            format!("`{}` {} is how Ultralytics exports RT-DETR", port.name, port.shape());
        return unfit(problem, "a YOLO, or RT-DETR with the outputs `logits` and `pred_boxes`");
    }
    Ok(())
}

pub(super) fn is_ultralytics(facts: &Facts) -> bool {
    ["task", "names", "stride"].iter().all(|key| facts.metadata.contains_key(*key))
}

fn named<'a>(ports: &[&'a PortFacts], names: &[&str]) -> Option<&'a PortFacts> {
    names.iter().find_map(|name| ports.iter().find(|port| port.name == *name)).copied()
}

fn anomalib(ports: &[&PortFacts]) -> Option<Found> {
    let map = named(ports, &["anomaly_map", "anomaly_maps"])?;
    let why = format!("its output `{}` is named as anomalib's", map.name);
    let score = named(ports, &["pred_score", "pred_scores"]);
    Some(Found {
        score: score.map(|port| port.name.clone()),
        ..Found::new(Family::Anomalib, Kind::AnomalyMap, map, Sure::Read, why)
    })
}

/// Two outputs of as many queries, one of them of four coordinates.
fn detr(ports: &[&PortFacts]) -> Option<Found> {
    let boxes = named(ports, &["pred_boxes", "dets", "boxes"])?;
    let scores = named(ports, &["logits", "pred_logits", "labels", "scores"])?;
    let family = if boxes.name == "dets" { Family::RfDetr } else { Family::Detr };
    let ([_, queries, four], [_, same, labels]) = (&boxes.sides[..], &scores.sides[..]) else {
        return None;
    };
    if four.is_some_and(|four| four != 4) || queries != same {
        return None;
    }
    let of = if family == Family::RfDetr { "RF-DETR" } else { "DETR" };
    let why = format!("its outputs `{}` and `{}` are named as {of}'s", scores.name, boxes.name);
    Some(Found {
        layout: Some(BoxLayout::Detr),
        boxes: Some(boxes.name.clone()),
        channels: labels.and_then(|labels| usize::try_from(labels).ok()),
        ..Found::new(family, Kind::Detector, scores, Sure::Read, why)
    })
}

/// How many cells YOLO's three grids have: steps of 8, 16 and 32 pixels.
fn cells(size: SizePx) -> i64 {
    [8, 16, 32]
        .iter()
        .map(|step| i64::from(size.width / step) * i64::from(size.height / step))
        .sum()
}

/// YOLO's layouts, told apart by which side counts the boxes, and how many there are.
fn boxes(facts: &Facts, port: &PortFacts, size: Option<SizePx>) -> Option<Found> {
    let [_, rows, columns] = port.sides[..] else { return None };
    let ultralytics = is_ultralytics(facts);
    let cells = size.map(cells);
    // A side that is open counts boxes; the other one is what is said of each.
    let (many_rows, each) = match (rows, columns) {
        (Some(rows), Some(columns)) => (rows > columns, rows.min(columns)),
        (None, Some(each)) => (true, each),
        (Some(each), None) => (false, each),
        (None, None) => return None,
    };
    let count = if many_rows { rows } else { columns };
    let (layout, channels) = match (many_rows, each) {
        (true, 6) if count.is_none_or(|count| count <= 1000) => (BoxLayout::EndToEnd, None),
        (true, 6..) => (BoxLayout::YoloV5, usize::try_from(each - 5).ok()),
        (false, 5..) => (BoxLayout::YoloV8, usize::try_from(each - 4).ok()),
        _ => return None,
    };
    let v5 = layout == BoxLayout::YoloV5;
    let expected = cells.map(|cells| if v5 { 3 * cells } else { cells });
    let fits = expected.is_some() && expected == count;
    let unanchored = v5 && cells.is_some() && cells == count;
    let family = match (ultralytics, unanchored) {
        (true, _) => Family::Ultralytics,
        (false, true) => Family::YoloX,
        _ => Family::Yolo,
    };
    let shape = port.shape();
    let (sure, why) = match layout {
        _ if ultralytics => (Sure::Read, format!("an Ultralytics detector that gives {shape}")),
        BoxLayout::EndToEnd => (Sure::Likely, format!("{shape} is how boxes after NMS come")),
        _ if unanchored => {
            let why = format!(
                "{shape} has a row for each place: YOLOX or YOLOv6, which must be \
                               exported with its boxes decoded"
            );
            (Sure::Unsure, why)
        }
        _ if fits => {
            (Sure::Likely, format!("{shape} has as many boxes as YOLO's grids of this size"))
        }
        _ => (Sure::Unsure, format!("{shape} could be YOLO's boxes")),
    };
    Some(Found {
        layout: Some(layout),
        channels,
        ..Found::new(family, Kind::Detector, port, sure, why)
    })
}

/// Grids: one channel is an anomaly map, more are a class for each place.
fn grids(facts: &Facts, port: &PortFacts, names: &[&str]) -> Option<Found> {
    let [_, Some(channels), _, _] = port.sides[..] else { return None };
    let (shape, name) = (port.shape(), &port.name);
    if channels == 1 {
        let words = ["anomaly", "heat", "map"];
        let (sure, why) = match words.iter().find(|word| name.to_lowercase().contains(**word)) {
            Some(word) => (Sure::Likely, format!("`{name}` {shape} is one map, named `{word}`")),
            None => {
                let why = format!("`{name}` {shape} is one map: an anomaly map, or a mask");
                (Sure::Unsure, why)
            }
        };
        return Some(Found::new(Family::Other, Kind::AnomalyMap, port, sure, why));
    }
    let channels = usize::try_from(channels).ok().filter(|channels| *channels >= 2)?;
    // A second head only helps in training.
    let (sure, aside) = match (name.as_str(), facts.outputs.len()) {
        ("aux", _) => (Sure::Unsure, " beside the main one"),
        _ => (Sure::Likely, ""),
    };
    let why = format!("`{name}` {shape} is a grid of {channels} channels{aside}");
    let found = Found::new(family_by_weights(names), Kind::Segmenter, port, sure, why);
    Some(Found { channels: Some(channels), ..found })
}

fn classes(facts: &Facts, port: &PortFacts, names: &[&str]) -> Option<Found> {
    let [_, Some(channels)] = port.sides[..] else { return None };
    let channels = usize::try_from(channels).ok().filter(|channels| *channels >= 2)?;
    let why = format!("`{}` {} is a number for each of {channels} labels", port.name, port.shape());
    let classify = facts.metadata.get("task").is_some_and(|task| task == "classify");
    let (family, sure) = match classify && is_ultralytics(facts) {
        true => (Family::Ultralytics, Sure::Read),
        false => (family_by_weights(names), Sure::Likely),
    };
    let found = Found::new(family, Kind::Classifier, port, sure, why);
    Some(Found { channels: Some(channels), ..found })
}

/// Who trained it, by the names of its weights.
fn family_by_weights(names: &[&str]) -> Family {
    let starts = [
        "layer1.",
        "features.",
        "conv_stem.",
        "blocks.",
        "patch_embed.",
        "stages.",
        "stem.",
        "backbone.layer1.",
        "backbone.features.",
        "conv1.weight",
        "fc.weight",
        "classifier.weight",
        "backbone.0.",
    ];
    let known = |name: &&str| starts.iter().any(|start| name.starts_with(start));
    if names.iter().any(known) { Family::Torchvision } else { Family::Other }
}
