//! How a picture must be made for a network: takes its input's shape, what the graph does first
//! and where it comes from, proposes size, colour, normalisation and fit. And fixes open sides.

use std::collections::HashMap;

use domain::SizePx;

use super::ImportError;
use super::choice::Choice;
use super::facts::{Facts, PortFacts};
use super::normalise::{IMAGENET, Normalise, ZERO_255, ZERO_ONE};
use super::outputs::{Family, Found};
use super::walk::Head;
use super::wishes::{Wishes, numbers};
use crate::kinds::Kind;
use crate::manifest::{Colour, Resize};
use crate::onnx::proto::{Dimension, ModelProto, Side, TypeValue, ValueInfoProto};

fn unfit<T>(problem: String, right: &str) -> Result<T, ImportError> {
    Err(ImportError::Unfit { problem, right: right.to_owned() })
}

/// The one input, when it is a picture as we feed it.
pub(super) fn picture_input<'a>(
    facts: &'a Facts,
    head: &Head,
) -> Result<&'a PortFacts, ImportError> {
    let [port] = facts.inputs.as_slice() else {
        let names: Vec<_> = facts.inputs.iter().map(|port| &port.name).collect();
        return unfit(format!("it takes {names:?}"), "one input, a picture");
    };
    let (name, shape) = (&port.name, port.shape());
    let right = match port.element {
        "float" => None,
        "uint8" => Some(
            "a float input: export the network without the step that turns bytes to \
                         floats; `--normalise 0..255` feeds the same numbers",
        ),
        "float16" => Some(
            "a float input: export with 32-bit floats (Ultralytics: half=False); \
                           `sightline model quantize` makes them 16-bit inside",
        ),
        _ => Some("a float input"),
    };
    if let Some(right) = right {
        return unfit(format!("its input `{name}` is of {}", port.element), right);
    }
    let few = |side: Option<i64>| matches!(side, Some(1 | 3 | 4));
    let channels_last = *head == Head::ChannelsLast
        || matches!(port.sides[..], [_, first, .., last] if few(last) && !few(first));
    if channels_last && port.sides.len() == 4 {
        let problem = format!("its input `{name}` {shape} has the channels last");
        let right = format!(
            "[1, channels, rows, columns]: tf2onnx does it with `--inputs-as-nchw \
                             {name}`, PyTorch by itself"
        );
        return unfit(problem, &right);
    }
    if let Head::Cropped(kept) = head {
        let problem = format!("it cuts the picture by itself and looks at {kept} only");
        let right = "an export that looks at the whole picture: no CenterCrop among its \
                     transforms (anomalib: pre_processor=PreProcessor(transform=Compose([\
                     Resize(…), Normalize(…)])))";
        return unfit(problem, right);
    }
    match port.sides[..] {
        [Some(1) | None, Some(1 | 3) | None, _, _] => Ok(port),
        [Some(batch), Some(1 | 3) | None, _, _] => {
            let problem = format!("its input `{name}` {shape} takes {batch} pictures at once");
            unfit(problem, "an export for one picture, or with an open batch")
        }
        [_, Some(channels), _, _] => {
            unfit(format!("its input `{name}` {shape} has {channels} channels"), "1 or 3")
        }
        _ => unfit(format!("its input `{name}` is {shape}"), "[1, channels, rows, columns]"),
    }
}

/// Columns and rows: the graph's, else the exporter's note.
pub(super) fn size(
    port: &PortFacts,
    facts: &Facts,
    wishes: &Wishes,
) -> Result<Choice<SizePx>, ImportError> {
    let side = |index: usize| -> Option<u32> {
        let side = u32::try_from(port.sides.get(index).copied()??).ok()?;
        (1..=8192).contains(&side).then_some(side)
    };
    let (height, width) = (side(2), side(3));
    let disagrees = |told: &SizePx| {
        height.is_some_and(|h| h != told.height) || width.is_some_and(|w| w != told.width)
    };
    if let Some(told) = wishes.size.filter(disagrees) {
        let fixed = format!("--size {}x{}", told.width, told.height);
        return unfit(
            format!("`{}` is fixed at {}, which is not {fixed}", port.name, port.shape()),
            "no --size, or an export with open sides",
        );
    }
    Ok(Choice::of(wishes.size, || match (width, height) {
        (Some(width), Some(height)) => {
            Choice::read(SizePx::new(width, height), "the graph's input")
        }
        _ => match facts.metadata.get("imgsz").and_then(|text| rows_and_columns(text)) {
            Some(size) => Choice::read(size, "the file's `imgsz`"),
            None => Choice::missing("the graph leaves rows or columns open"),
        },
    }))
}

/// `[rows, columns]`, as Ultralytics writes it.
fn rows_and_columns(text: &str) -> Option<SizePx> {
    let [height, width] = numbers(text.trim().strip_prefix('[')?.strip_suffix(']')?)?[..] else {
        return None;
    };
    let side = |side: f32| format!("{side}").parse().ok().filter(|side| (1..=8192).contains(side));
    Some(SizePx::new(side(width)?, side(height)?))
}

pub(super) fn colour(
    port: &PortFacts,
    found: &Found,
    wishes: &Wishes,
) -> Result<Choice<Colour>, ImportError> {
    let channels = port.sides.get(1).copied().flatten();
    if let (Some(told), Some(channels)) = (wishes.colour, channels)
        && usize::try_from(channels) != Ok(told.channels())
    {
        let problem = format!("`{}` has {channels} channels, --colour says {told:?}", port.name);
        return unfit(problem, "gray for 1 channel, rgb or bgr for 3");
    }
    Ok(Choice::of(wishes.colour, || match (channels, found.family) {
        (Some(1), _) => Choice::read(Colour::Gray, "the graph takes one channel"),
        (_, Family::Ultralytics) => Choice::read(Colour::Rgb, "Ultralytics feeds red first"),
        (_, Family::Anomalib) => Choice::likely(Colour::Rgb, "anomalib feeds red first"),
        (_, Family::RfDetr | Family::Detr | Family::Torchvision | Family::Yolo) => {
            Choice::likely(Colour::Rgb, "its family is trained with red first")
        }
        (_, Family::YoloX) => {
            Choice::unsure(Colour::Bgr, "YOLOX is trained with blue first, YOLOv6 with red")
        }
        (Some(_), Family::Other) => Choice::likely(
            Colour::Rgb,
            "nearly all train with red first; who reads pictures with OpenCV may not",
        ),
        (None, Family::Other) => Choice::unsure(Colour::Rgb, "the graph leaves it open"),
    }))
}

/// What the graph takes by its own first steps, else what its family is trained with.
pub(super) fn normalise(
    head: &Head,
    facts: &Facts,
    found: &Found,
    wishes: &Wishes,
) -> Choice<Normalise> {
    let known = Normalise::of;
    Choice::of(wishes.normalise.clone(), || match (head, found.family) {
        (Head::TakesZeroOne(ops), _) => {
            Choice::read(known(ZERO_ONE), format!("the graph normalises 0..1 itself ({ops})"))
        }
        (Head::Takes255(ops), _) => {
            Choice::read(known(ZERO_255), format!("the graph normalises 0..255 itself ({ops})"))
        }
        (_, Family::Ultralytics) => Choice::read(known(ZERO_ONE), "Ultralytics divides by 255"),
        (_, Family::Yolo) => Choice::likely(known(ZERO_ONE), "YOLOs take 0..1"),
        (_, Family::YoloX) => {
            Choice::unsure(known(ZERO_255), "YOLOX takes 0..255, YOLOv6 takes 0..1")
        }
        (_, Family::RfDetr) => Choice::likely(known(IMAGENET), "RF-DETR is trained with it"),
        (_, Family::Anomalib) => Choice::likely(
            known(IMAGENET),
            "anomalib's default, and the graph does not begin with it",
        ),
        (_, Family::Detr) => Choice::unsure(known(IMAGENET), "DETR takes it; RT-DETR takes 0..1"),
        (Head::Unclear(ops), _) => {
            Choice::unsure(known(ZERO_ONE), format!("the graph begins with {ops}"))
        }
        (_, Family::Torchvision) => Choice::likely(
            known(IMAGENET),
            "its weights are named as torchvision's and timm's, which are trained with it",
        ),
        _ if facts.producer.starts_with("pytorch") => {
            Choice::unsure(known(IMAGENET), "usual in PyTorch, and nothing in the file says so")
        }
        _ => Choice::unsure(known(ZERO_ONE), "nothing in the file says so"),
    })
}

pub(super) fn resize(found: &Found, wishes: &Wishes) -> Choice<Resize> {
    let yolo = matches!(found.family, Family::Ultralytics | Family::Yolo | Family::YoloX);
    Choice::of(wishes.resize, || match found.kind {
        Kind::Detector if yolo => Choice::likely(Resize::Letterbox, "YOLOs are trained so"),
        Kind::Detector => Choice::likely(Resize::Stretch, "DETRs are exported so"),
        Kind::AnomalyMap => Choice::likely(Resize::Stretch, "anomalib's default"),
        _ => Choice::likely(Resize::Stretch, "usual in training; of no matter for square crops"),
    })
}

pub(super) fn pad(found: &Found, resize: &Choice<Resize>, wishes: &Wishes) -> Choice<f32> {
    /// 114 of 255.
    const YOLO_GRAY: f32 = 0.447;
    Choice::of(wishes.pad, || match (resize.value, found.kind) {
        (Some(Resize::Stretch), _) => Choice::read(0.0, "there is no border"),
        (_, Kind::Detector) => Choice::likely(YOLO_GRAY, "YOLO's gray, 114 of 255"),
        _ => Choice::likely(0.0, "black"),
    })
}

/// `model` with one picture a run and no side of its input open. The names that open sides go by
/// are given the same lengths wherever they stand.
pub(super) fn with_fixed_sides(model: &mut ModelProto, name: &str, shape: [usize; 4]) {
    let Some(graph) = &mut model.graph else { return };
    let sides = shape.map(|side| i64::try_from(side).unwrap_or(i64::MAX));
    let mut lengths = HashMap::new();
    if let Some(input) = graph.input.iter_mut().find(|input| input.name == name) {
        for (dim, side) in dims(input).iter_mut().zip(sides) {
            if let Some(Side::Param(name)) = dim.value.replace(Side::Value(side)) {
                lengths.insert(name, side);
            }
        }
    }
    for value in graph.output.iter_mut().chain(&mut graph.value_info) {
        for dim in dims(value) {
            if let Some(Side::Param(name)) = &dim.value
                && let Some(side) = lengths.get(name)
            {
                dim.value = Some(Side::Value(*side));
            }
        }
    }
}

fn dims(value: &mut ValueInfoProto) -> &mut [Dimension] {
    let tensor = value.r#type.as_mut().and_then(|kind| kind.value.as_mut());
    match tensor {
        Some(TypeValue::Tensor(tensor)) => {
            tensor.shape.as_mut().map_or(&mut [], |shape| &mut shape.dim)
        }
        _ => &mut [],
    }
}
