//! Networks that draw boxes: takes coordinates and a score a label for each box, gives one defect
//! for each box that is good enough and not another one's double, best first.
//!
//! A box is of its best label. What does not touch the crop is left out before the doubles are.
//! A label's own score is its best box's, however low, so that golden samples notice small changes;
//! the good label's is what the worst of the others leaves.

use domain::{Defect, FindingFault, RectPx};

use super::{Look, Reader, Reading, score_from, snapped};
use crate::manifest::{BoxLayout, InputSpec};
use crate::session::Raw;
use crate::tiling::Tile;

/// A box that may be kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Left, top, right, bottom in pixels of the canvas, cut at the crop.
    edges: [f32; 4],
    label: usize,
    score: f32,
    /// Which it was, to settle ties.
    order: usize,
}

impl Candidate {
    fn area(edges: [f32; 4]) -> f32 {
        let [left, top, right, bottom] = edges;
        (right - left).max(0.0) * (bottom - top).max(0.0)
    }

    /// How much of their union two boxes share.
    fn iou(&self, other: &Self) -> f32 {
        let both = Self::area(overlap(self.edges, other.edges));
        both / (Self::area(self.edges) + Self::area(other.edges) - both)
    }
}

/// What two boxes share; its edges cross where they do not touch.
fn overlap(one: [f32; 4], other: [f32; 4]) -> [f32; 4] {
    let [left, top, right, bottom] = one;
    [left.max(other[0]), top.max(other[1]), right.min(other[2]), bottom.min(other[3])]
}

pub(super) fn take(
    reader: &mut Reader,
    raws: &mut [Raw],
    tiles: &[Tile],
    look: &Look,
) -> Result<(), FindingFault> {
    let Some(spec) = &reader.output.boxes else { return Ok(()) };
    let (layout, min_score) = (spec.layout, spec.min_score);
    activate(reader, layout, raws, tiles.len())?;
    for (nth, tile) in tiles.iter().enumerate().filter(|(_, tile)| look.shows(tile)) {
        let boxes = Boxes::new(layout, raws, (nth, tiles.len()), &reader.input);
        for index in 0..boxes.count {
            let edges = boxes.edges(index, tile);
            let cut = overlap(edges, look.shown);
            if Candidate::area(cut) <= 0.0 {
                continue;
            }
            let mut best = (0.0, 0);
            for (channel, label) in reader.bad_labels().enumerate() {
                let score = boxes.score(index, channel);
                reader.said.classes[label] = reader.said.classes[label].max(score);
                if score > best.0 {
                    best = (score, label);
                }
            }
            let (score, label) = best;
            if score >= min_score {
                boxes.check_parts(index)?;
                let order = reader.said.boxes.len();
                reader.said.boxes.push(Candidate { edges: cut, label, score, order });
            }
        }
    }
    Ok(())
}

/// Makes probabilities of the numbers that are scores.
fn activate(
    reader: &Reader,
    layout: BoxLayout,
    raws: &mut [Raw],
    tiles: usize,
) -> Result<(), FindingFault> {
    let [scores, rest @ ..] = raws else { return Ok(()) };
    let channels = scores.shape.get(2).copied().unwrap_or(1).max(1);
    match layout {
        BoxLayout::YoloV5 => {
            let mut rows = scores.values.chunks_exact_mut(channels);
            rows.try_for_each(|row| reader.activate(1, &mut row[4..]))
        }
        BoxLayout::YoloV8 => {
            let tile = scores.values.len() / tiles;
            // Here boxes stand side by side, and labels one below the other.
            let mut tiles = scores.values.chunks_exact_mut(tile.max(1));
            tiles.try_for_each(|tile| reader.activate(1, &mut tile[4 * channels..]))
        }
        BoxLayout::EndToEnd => {
            scores.values.chunks_exact_mut(6).try_for_each(|row| reader.check_row(row))
        }
        BoxLayout::Detr => {
            let mut queries = scores.values.chunks_exact_mut(channels);
            queries.try_for_each(|query| reader.activate(channels, query))?;
            let differs = rest.iter().find(|boxes| boxes.shape[1] != scores.shape[1]);
            differs.map_or(Ok(()), |boxes| {
                let (boxes, scores) = (boxes.shape[1], scores.shape[1]);
                Err(fault(format!("it gives {boxes} boxes and scores of {scores}")))
            })
        }
    }
}

fn fault(message: String) -> FindingFault {
    FindingFault::Runtime { message }
}

impl Reader {
    /// A row of [`BoxLayout::EndToEnd`]: one without a score fills up and says nothing; others
    /// must have a label that there is.
    fn check_row(&self, row: &mut [f32]) -> Result<(), FindingFault> {
        let [.., score, label] = row else { return Ok(()) };
        if *score <= 0.0 {
            *score = 0.0;
            return Ok(());
        }
        self.check_probabilities(std::slice::from_mut(score))?;
        let labels = self.labels.len() - 1;
        let known = usize::try_from(*label as i64).is_ok_and(|number| number < labels);
        if known && label.fract() == 0.0 {
            return Ok(());
        }
        let name = &self.output.name;
        Err(fault(format!("its output `{name}` has a box of label {label}, not of 0 to {labels}")))
    }
}

/// The boxes of one tile, after activation.
struct Boxes<'a> {
    layout: BoxLayout,
    count: usize,
    /// Numbers that a box has in the first output.
    channels: usize,
    /// The first output.
    numbers: &'a [f32],
    /// The output that holds the places, where it is another.
    places: &'a [f32],
    /// Width and height of a tile.
    size: [f32; 2],
}

impl<'a> Boxes<'a> {
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
    fn new(
        layout: BoxLayout,
        raws: &'a [Raw],
        (nth, tiles): (usize, usize),
        input: &InputSpec,
    ) -> Self {
        let tile = |raw: &'a Raw| {
            let numbers = raw.values.len() / tiles;
            &raw.values[nth * numbers..][..numbers]
        };
        let (second, third) = (raws[0].shape[1], raws[0].shape[2]);
        let across = layout == BoxLayout::YoloV8;
        let (count, channels) = if across { (third, second) } else { (second, third) };
        let (numbers, places) = (tile(&raws[0]), raws.get(1).map_or(&[] as &[f32], tile));
        let size = [input.width as f32, input.height as f32];
        Self { layout, count, channels, numbers, places, size }
    }

    /// Where a box lies, in pixels of the canvas of which it saw `tile`.
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
    fn edges(&self, index: usize, tile: &Tile) -> [f32; 4] {
        let row = |numbers: &[f32], channels: usize| {
            std::array::from_fn(|number| numbers[index * channels + number])
        };
        let [width, height] = self.size;
        let [left, top, right, bottom] = match self.layout {
            BoxLayout::YoloV5 => around(row(self.numbers, self.channels)),
            BoxLayout::YoloV8 => {
                around(std::array::from_fn(|number| self.numbers[number * self.count + index]))
            }
            BoxLayout::EndToEnd => row(self.numbers, self.channels),
            BoxLayout::Detr => {
                let [x, y, w, h] = row(self.places, 4);
                around([x * width, y * height, w * width, h * height])
            }
        };
        let (x, y) = (tile.x as f32, tile.y as f32);
        [left + x, top + y, right + x, bottom + y]
    }

    /// The probability that it is of the defect label number `channel`.
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    #[expect(clippy::cast_precision_loss, reason = "there are few labels")]
    fn score(&self, index: usize, channel: usize) -> f32 {
        let row = || &self.numbers[index * self.channels..][..self.channels];
        match self.layout {
            BoxLayout::YoloV5 => row()[4] * row()[5 + channel],
            BoxLayout::YoloV8 => self.numbers[(4 + channel) * self.count + index],
            BoxLayout::EndToEnd if row()[5] == channel as f32 => row()[4],
            BoxLayout::EndToEnd => 0.0,
            BoxLayout::Detr => row()[channel],
        }
    }

    /// Parts of the input lie in 0 to 1, a little more at its border; with outputs taken for one
    /// another they do not.
    fn check_parts(&self, index: usize) -> Result<(), FindingFault> {
        let parts = self.places.chunks_exact(4).nth(index).unwrap_or_default();
        match parts.iter().find(|part| !(-1.0..=2.0).contains(*part)) {
            None => Ok(()),
            Some(part) => Err(fault(format!(
                "a box of it lies at {part}, which is no part of the input: perhaps \
                 `output.name` and `output.boxes.name` are swapped"
            ))),
        }
    }
}

/// The edges of a box, of its middle and size.
fn around([x, y, width, height]: [f32; 4]) -> [f32; 4] {
    [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0]
}

pub(super) fn read(reader: &mut Reader, look: &Look) -> Result<Reading, FindingFault> {
    let (most, max_iou) =
        reader.output.boxes.as_ref().map_or((0, 1.0), |b| (b.max_boxes as usize, b.max_iou));
    let kept = keep_best(&mut reader.said.boxes, most, max_iou);
    let defects = kept.iter().filter_map(|kept| {
        let (box_in_frame, kind) = (look.in_frame(kept.edges)?, reader.labels[kept.label].clone());
        Some(score_from(kept.score).map(|score| Defect {
            kind,
            view: look.view,
            box_in_frame,
            area_px: box_in_frame.area(),
            score,
            mask: None,
        }))
    });
    let defects = defects.collect::<Result<_, _>>()?;
    let mut classes = reader.said.classes.clone();
    let worst = reader.bad_labels().map(|label| classes[label]).fold(0.0, f32::max);
    classes[reader.good] = 1.0 - worst;
    Ok(Reading { classes, defects, heatmap: None })
}

/// The best boxes, best first, at most so many: one goes when it shares more than `max_iou` of its
/// union with a better one of its label.
fn keep_best(boxes: &mut [Candidate], most: usize, max_iou: f32) -> &[Candidate] {
    boxes.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.order.cmp(&b.order)));
    let mut kept = 0;
    for next in 0..boxes.len() {
        if kept == most {
            break;
        }
        let doubles = |better: &Candidate| {
            better.label == boxes[next].label && better.iou(&boxes[next]) > max_iou
        };
        if !boxes[..kept].iter().any(doubles) {
            boxes.swap(kept, next);
            kept += 1;
        }
    }
    &boxes[..kept]
}

impl Look {
    /// The whole pixels of the frame that a box on the canvas touches; `None` when they are none.
    fn in_frame(&self, [left, top, right, bottom]: [f32; 4]) -> Option<RectPx> {
        let (crop, laid) = (self.crop, self.placement);
        let place = |edge: f32, offset: f32, scale: f32| {
            snapped(f64::from(offset) + f64::from(edge) / f64::from(scale))
        };
        let x = |edge| place(edge, laid.offset_x_px, laid.scale_x);
        let y = |edge| place(edge, laid.offset_y_px, laid.scale_y);
        // A cast cuts at 0 and at the largest number there is.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "meant so")]
        let whole = RectPx::from_corners(
            x(left).floor() as u32,
            y(top).floor() as u32,
            x(right).ceil() as u32,
            y(bottom).ceil() as u32,
        );
        crop.intersection(&whole)
    }
}
