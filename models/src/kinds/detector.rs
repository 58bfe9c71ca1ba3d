//! Networks that draw boxes: takes coordinates and a score a label for each box, gives one defect
//! for each box that is good enough and not another one's double, best first.
//!
//! A box is of its best label. What does not touch the crop is left out before the doubles are.
//! A label's own score is its best box's, however low, so that golden samples notice small changes;
//! the good label's is what the worst of the others leaves.

use domain::{Defect, FindingFault, RectPx};

use super::{Look, Reader, Reading, score_from, snapped};
use crate::manifest::BoxLayout;
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
        let boxes = Boxes::new(reader, layout, raws, (nth, tiles.len()));
        for index in 0..boxes.count {
            boxes.check_parts(index, min_score)?;
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
        #[expect(clippy::cast_precision_loss, reason = "there are few labels")]
        if label.fract() == 0.0 && (0.0..labels as f32).contains(label) {
            return Ok(());
        }
        let name = &self.output.name;
        Err(fault(format!("its output `{name}` has a box of label {label}, not of 0 to {labels}")))
    }
}

/// The boxes of one tile, after activation.
struct Boxes<'a> {
    layout: BoxLayout,
    /// Those that are a defect's.
    labels: usize,
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
    /// Those of the tile number `nth` of so many that were fed at once.
    fn new(
        reader: &Reader,
        layout: BoxLayout,
        raws: &'a [Raw],
        (nth, tiles): (usize, usize),
    ) -> Self {
        let tile = |raw: &'a Raw| {
            let numbers = raw.values.len() / tiles;
            &raw.values[nth * numbers..][..numbers]
        };
        let (second, third) = (raws[0].shape[1], raws[0].shape[2]);
        let across = layout == BoxLayout::YoloV8;
        let (count, channels) = if across { (third, second) } else { (second, third) };
        let (numbers, places) = (tile(&raws[0]), raws.get(1).map_or(&[] as &[f32], tile));
        let size = [reader.input.width as f32, reader.input.height as f32];
        let labels = reader.labels.len() - 1;
        Self { layout, labels, count, channels, numbers, places, size }
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

    /// Parts of the input lie in 0 to 1, a little more at its border. Where a box that would be
    /// kept lies elsewhere, the outputs were taken for one another.
    fn check_parts(&self, index: usize, min_score: f32) -> Result<(), FindingFault> {
        let parts = self.places.chunks_exact(4).nth(index).unwrap_or_default();
        match parts.iter().find(|part| !(-1.0..=2.0).contains(*part)) {
            Some(part) if (0..self.labels).any(|label| self.score(index, label) >= min_score) => {
                Err(fault(format!(
                    "a box of it lies at {part}, which is no part of the input: perhaps \
                     `output.name` and `output.boxes.name` are swapped"
                )))
            }
            _ => Ok(()),
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
            mm: None,
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

#[cfg(test)]
mod tests {
    use domain::{Finding, Placement};
    use proptest::prelude::*;

    use super::super::{Kind, tests};
    use super::*;
    use crate::manifest::{Activation, BoxesSpec, Tiling};

    const CROP: RectPx = RectPx::new(0, 0, 64, 32);

    /// A reader of the labels `scratch`, `ok` and `stain`.
    fn reader(layout: BoxLayout, activation: Activation, tiling: Option<Tiling>) -> Reader {
        tests::reader_of(Kind::Detector, |input, output| {
            input.tiling = tiling;
            output.activation = activation;
            output.labels = ["scratch", "ok", "stain"].map(str::to_owned).to_vec();
            output.boxes = Some(BoxesSpec {
                layout,
                name: (layout == BoxLayout::Detr).then(|| "boxes".to_owned()),
                min_score: 0.25,
                max_iou: 0.5,
                max_boxes: 3,
            });
        })
    }

    fn raw(shape: &[usize], values: &[f32]) -> Raw {
        Raw { shape: shape.to_vec(), values: values.to_vec() }
    }

    /// Kinds, boxes and scores of what was found.
    fn found(finding: &Finding) -> Vec<(&str, [u32; 4], f32)> {
        let one = |defect: &'_ Defect| {
            let RectPx { x, y, width, height } = defect.box_in_frame;
            [x, y, width, height]
        };
        finding.defects.iter().map(|d| (&*d.kind, one(d), d.score.get())).collect()
    }

    fn classes(finding: &Finding) -> Vec<f32> {
        finding.classes.iter().map(|class| class.score.get()).collect()
    }

    fn see(layout: BoxLayout, activation: Activation, raws: &mut [Raw]) -> Finding {
        let look = tests::look(CROP, tests::AS_IS);
        reader(layout, activation, None).read(raws, look).unwrap()
    }

    #[test]
    fn each_layout_is_read() {
        let scratch = ("scratch", [8, 4, 16, 8], 0.5);
        let stain = ("stain", [40, 16, 8, 12], 0.75);
        let finding = see(
            BoxLayout::YoloV5,
            Activation::None,
            &mut [raw(
                &[1, 2, 7],
                &[
                    16.0, 8.0, 16.0, 8.0, 1.0, 0.5, 0.25, //
                    44.0, 22.0, 8.0, 12.0, 0.75, 0.0, 1.0,
                ],
            )],
        );
        assert_eq!(found(&finding), [stain, scratch], "best first");
        assert_eq!(classes(&finding), [0.5, 0.25, 0.75]);
        let finding = see(
            BoxLayout::YoloV8,
            Activation::None,
            &mut [raw(
                &[1, 6, 2],
                &[16.0, 44.0, 8.0, 22.0, 16.0, 8.0, 8.0, 12.0, 0.5, 0.0, 0.25, 0.75],
            )],
        );
        assert_eq!(found(&finding), [stain, scratch]);
        let finding = see(
            BoxLayout::EndToEnd,
            Activation::None,
            &mut [raw(
                &[1, 4, 6],
                &[
                    8.0, 4.0, 24.0, 12.0, 0.5, 0.0, //
                    40.0, 16.0, 48.0, 28.0, 0.75, 1.0, //
                    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, //
                    0.0, 0.0, 64.0, 32.0, -1.0, -1.0,
                ],
            )],
        );
        assert_eq!(found(&finding), [stain, scratch]);
        assert_eq!(classes(&finding), [0.5, 0.25, 0.75]);
        let boxes = [0.25, 0.25, 0.25, 0.25, 0.6875, 0.6875, 0.125, 0.375];
        let boxes = raw(&[1, 2, 4], &boxes);
        let scores = raw(&[1, 2, 2], &[0.5, 0.25, 0.0, 0.75]);
        let finding = see(BoxLayout::Detr, Activation::None, &mut [scores, boxes.clone()]);
        assert_eq!(found(&finding), [stain, scratch]);
        // A channel more than labels is nothing's.
        let scores = raw(&[1, 2, 3], &[0.5, 0.25, 0.9, 0.0, 0.75, 0.1]);
        let finding = see(BoxLayout::Detr, Activation::None, &mut [scores, boxes]);
        assert_eq!(found(&finding), [stain, scratch]);
    }

    #[test]
    fn an_output_without_a_box_says_that_nothing_is_wrong() {
        for (layout, shape) in [
            (BoxLayout::YoloV5, [1, 0, 7]),
            (BoxLayout::YoloV8, [1, 6, 0]),
            (BoxLayout::EndToEnd, [1, 0, 6]),
        ] {
            let finding = see(layout, Activation::None, &mut [raw(&shape, &[])]);
            assert_eq!((found(&finding), classes(&finding)), (vec![], vec![0.0, 1.0, 0.0]));
        }
    }

    #[test]
    fn scores_are_activated_and_places_are_not() {
        let far = raw(&[1, 6, 1], &[16.0, 8.0, 16.0, 8.0, 0.0, -100.0]);
        let finding = see(BoxLayout::YoloV8, Activation::Sigmoid, &mut [far]);
        assert_eq!(found(&finding), [("scratch", [8, 4, 16, 8], 0.5)]);
        let both = raw(&[1, 1, 7], &[16.0, 8.0, 16.0, 8.0, 0.0, 100.0, -100.0]);
        let finding = see(BoxLayout::YoloV5, Activation::Sigmoid, &mut [both]);
        assert_eq!(found(&finding), [("scratch", [8, 4, 16, 8], 0.5)]);
        // Nothing competes with the labels.
        let scores = raw(&[1, 1, 3], &[2.0, -100.0, 2.0]);
        let boxes = raw(&[1, 1, 4], &[0.25, 0.25, 0.25, 0.25]);
        let finding = see(BoxLayout::Detr, Activation::Softmax, &mut [scores, boxes]);
        assert_eq!(found(&finding), [("scratch", [8, 4, 16, 8], 0.5)]);
    }

    /// Rows of left, top, right, bottom, score and label.
    fn rows(rows: &[[f32; 6]]) -> Raw {
        raw(&[1, rows.len(), 6], &rows.concat())
    }

    fn see_rows(boxes: &[[f32; 6]]) -> Finding {
        see(BoxLayout::EndToEnd, Activation::None, &mut [rows(boxes)])
    }

    #[test]
    fn doubles_go_the_lower_ones_and_only_within_a_label() {
        let finding = see_rows(&[
            [0.0, 0.0, 10.0, 10.0, 0.6, 0.0],
            [0.0, 0.0, 10.0, 9.0, 0.7, 0.0],
            [0.0, 0.0, 10.0, 10.0, 0.5, 1.0],
            [5.0, 0.0, 15.0, 10.0, 0.4, 0.0],
        ]);
        let kept = [
            ("scratch", [0, 0, 10, 9], 0.7),
            ("stain", [0, 0, 10, 10], 0.5),
            ("scratch", [5, 0, 10, 10], 0.4),
        ];
        assert_eq!(found(&finding), kept);
    }

    #[test]
    fn low_ones_go_and_so_do_more_than_are_wanted() {
        let at = |x: f32, score: f32| [x, 0.0, x + 5.0, 5.0, score, 1.0];
        let finding =
            see_rows(&[at(0.0, 0.3), at(10.0, 0.4), at(20.0, 0.5), at(30.0, 0.6), at(40.0, 0.2)]);
        let scores: Vec<_> = found(&finding).iter().map(|(.., score)| *score).collect();
        assert_eq!(scores, [0.6, 0.5, 0.4]);
        // A label scores even where its boxes are too low to be kept.
        let finding = see_rows(&[at(40.0, 0.2)]);
        assert_eq!((found(&finding), classes(&finding)), (vec![], vec![0.0, 0.8, 0.2]));
    }

    #[test]
    fn boxes_are_cut_at_the_crop_and_laid_into_the_frame() {
        // 20 x 32 pixels at (100, 50), magnified twice, in the middle of 64 x 32: rows 50 to 66.
        let crop = RectPx::new(100, 50, 20, 16);
        let placement =
            Placement { offset_x_px: 94.0, offset_y_px: 50.0, scale_x: 2.0, scale_y: 2.0 };
        let mut raws = [rows(&[
            [0.0, 0.0, 20.0, 10.0, 0.9, 0.0],
            [0.0, 0.0, 12.0, 32.0, 0.8, 0.0],
            [21.0, 11.0, 24.0, 13.0, 0.7, 0.0],
            [30.0, 12.0, 30.0, 20.0, 0.6, 0.0],
            [44.0, 20.0, 40.0, 30.0, 0.6, 0.0],
        ])];
        let finding = reader(BoxLayout::EndToEnd, Activation::None, None)
            .read(&mut raws, tests::look(crop, placement))
            .unwrap();
        let kept = [("scratch", [100, 50, 4, 5], 0.9), ("scratch", [104, 55, 2, 2], 0.7)];
        assert_eq!(found(&finding), kept, "what is in the border or has no area is no box");
        assert_eq!(classes(&finding), [0.9, 1.0 - 0.9, 0.0]);
    }

    #[test]
    fn tiles_are_shifted_and_doubles_in_the_overlap_go() {
        let tiling = Tiling { columns: 2, rows: 1, overlap_px: 16 };
        let mut reader = reader(BoxLayout::EndToEnd, Activation::None, Some(tiling));
        let look = Look::new(3, RectPx::new(0, 0, 112, 32), tests::AS_IS, &reader.input);
        // A tile's two boxes after the other's; the first of both is the same thing.
        let mut both = rows(&[
            [50.0, 4.0, 62.0, 12.0, 0.8, 0.0],
            [0.0; 6],
            [2.0, 4.0, 14.0, 12.0, 0.9, 0.0],
            [40.0, 4.0, 50.0, 12.0, 0.5, 1.0],
        ]);
        both.shape = vec![2, 2, 6];
        let finding = reader.read(&mut [both], look).unwrap();
        let kept = [("scratch", [50, 4, 12, 8], 0.9), ("stain", [88, 4, 10, 8], 0.5)];
        assert_eq!(found(&finding), kept);
    }

    #[test]
    fn what_makes_no_sense_is_a_fault() {
        let look = tests::look(CROP, tests::AS_IS);
        let end = BoxLayout::EndToEnd;
        for (layout, raws, words) in [
            (end, vec![rows(&[[0.0, 0.0, f32::NAN, 9.0, 0.0, 0.0]])], "not finite"),
            (end, vec![rows(&[[0.0, 0.0, 9.0, 9.0, 0.5, 2.0]])], "label 2, not of 0 to 2"),
            (end, vec![rows(&[[0.0, 0.0, 9.0, 9.0, 0.5, -1.0]])], "label -1"),
            (end, vec![rows(&[[0.0, 0.0, 9.0, 9.0, 0.5, 0.5]])], "label 0.5"),
            (end, vec![rows(&[[0.0, 0.0, 9.0, 9.0, 17.0, 0.0]])], "17, which is no probability"),
            (end, vec![raw(&[1, 1, 7], &[0.0; 7])], "[1, boxes, 6]"),
            (BoxLayout::YoloV8, vec![raw(&[1, 5, 1], &[0.0; 5])], "[1, 4 + labels, boxes]"),
            (BoxLayout::YoloV5, vec![raw(&[1, 1, 6], &[0.0; 6])], "[1, boxes, 5 + labels]"),
            (
                BoxLayout::Detr,
                vec![raw(&[1, 2, 2], &[0.5; 4]), raw(&[1, 1, 4], &[0.5; 4])],
                "1 boxes and scores of 2",
            ),
            (
                BoxLayout::Detr,
                vec![raw(&[1, 1, 2], &[0.5; 2]), raw(&[1, 1, 4], &[-5.0; 4])],
                "swapped",
            ),
            (
                BoxLayout::Detr,
                vec![raw(&[1, 1, 2], &[0.5; 2]), raw(&[1, 1, 4], &[f32::INFINITY; 4])],
                "`boxes` holds a value that is not finite",
            ),
        ] {
            let mut raws = raws;
            let fault = reader(layout, Activation::None, None).read(&mut raws, look).unwrap_err();
            assert!(fault.to_string().contains(words), "{words}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn whatever_boxes_come_each_kept_one_is_good_enough_in_the_crop_and_no_double(
            boxes in prop::collection::vec(
                (prop::array::uniform4(-40.0_f32..100.0), 0.0_f32..=1.0, 0_u8..2),
                0..40,
            ),
            huge in prop::option::of(0_usize..40),
        ) {
            let mut boxes: Vec<_> = boxes
                .iter()
                .map(|([l, t, r, b], score, label)| [*l, *t, *r, *b, *score, f32::from(*label)])
                .collect();
            if let Some(row) = huge.and_then(|at| boxes.get_mut(at)) {
                row[..4].copy_from_slice(&[f32::MIN, f32::MIN, f32::MAX, f32::MAX]);
            }
            let finding = see_rows(&boxes);
            prop_assert!(finding.defects.len() <= 3);
            let scores: Vec<_> = finding.defects.iter().map(|d| d.score.get()).collect();
            prop_assert!(scores.is_sorted_by(|a, b| a >= b));
            for (i, defect) in finding.defects.iter().enumerate() {
                prop_assert!(CROP.contains(&defect.box_in_frame) && defect.area_px > 0);
                prop_assert!(defect.score.get() >= 0.25);
                for other in finding.defects[..i].iter().filter(|o| o.kind == defect.kind) {
                    // In whole pixels two small boxes can come nearer than they are.
                    let slack = 40.0 / defect.area_px.min(other.area_px) as f64;
                    prop_assert!(defect.box_in_frame.iou(&other.box_in_frame) <= 0.5 + slack);
                }
            }
        }
    }
}
