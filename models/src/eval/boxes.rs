//! Boxes found and boxes known: takes both of every picture, gives average precision and F1.

use serde::Serialize;

use super::ranking::real;

/// A box that a model found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundBox {
    /// Place of its label among the model's.
    pub label: usize,
    /// How sure the model is.
    pub score: f32,
    /// Left, top, right, bottom; right and bottom exclusive.
    pub corners: [f64; 4],
}

/// A box that is known to be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownBox {
    /// Place of its label among the model's.
    pub label: usize,
    /// Left, top, right, bottom; right and bottom exclusive.
    pub corners: [f64; 4],
}

/// The boxes of one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureBoxes {
    /// What the model found.
    pub found: Vec<FoundBox>,
    /// What is there.
    pub known: Vec<KnownBox>,
}

/// The most boxes of a label that count in a picture, best first; COCO's `maxDets`.
pub const MOST_BOXES: usize = 100;

/// How well boxes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BoxFigures {
    /// Mean average precision at an overlap of 0.33, DeepPCB's (Tang et al., arXiv:1902.06197).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map33: Option<f64>,
    /// Mean average precision at an overlap of 0.50, PASCAL VOC's and COCO's AP50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map50: Option<f64>,
    /// `2 hits / (found + known)` over all labels and pictures, of boxes that reach the limit (at
    /// most 100 a label and picture), at an overlap of 0.33.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
}

impl BoxFigures {
    /// Of all pictures, `labels` labels, and boxes that count for F1 from `limit`.
    #[must_use]
    pub fn new(pictures: &[PictureBoxes], labels: usize, limit: f32) -> Self {
        Self {
            map33: mean_average_precision(pictures, labels, 0.33),
            map50: mean_average_precision(pictures, labels, 0.5),
            f1: f1(pictures, labels, 0.33, limit),
        }
    }
}

/// The mean, over labels of which a box is known, of average precision as COCO's evaluation takes
/// it (`pycocotools`, area `all`, no crowds, at most 100 boxes a label and picture): boxes go by
/// falling score to the free known box of the same label that they overlap most, at least by
/// `overlap` of their union; precision is read at 101 recalls and never falls towards lower ones.
/// `None` when no box is known.
#[must_use]
pub fn mean_average_precision(
    pictures: &[PictureBoxes],
    labels: usize,
    overlap: f64,
) -> Option<f64> {
    let of_label = |label| {
        let known: usize = pictures.iter().map(|picture| picture.known(label).count()).sum();
        let mut hits: Vec<(f32, bool)> =
            pictures.iter().flat_map(|picture| picture.hits(label, overlap, 0.0)).collect();
        // Stable, so that equal scores stay in the order of the pictures.
        hits.sort_by(|a, b| b.0.total_cmp(&a.0));
        (known > 0).then(|| average_precision(&hits, known))
    };
    let each: Vec<f64> = (0..labels).filter_map(of_label).collect();
    (!each.is_empty()).then(|| each.iter().sum::<f64>() / real(each.len()))
}

fn f1(pictures: &[PictureBoxes], labels: usize, overlap: f64, limit: f32) -> Option<f64> {
    let (mut hits, mut found) = (0_usize, 0_usize);
    for (_, is_hit) in pictures
        .iter()
        .flat_map(|picture| (0..labels).flat_map(|label| picture.hits(label, overlap, limit)))
    {
        found += 1;
        hits += usize::from(is_hit);
    }
    let known: usize = pictures.iter().map(|picture| picture.known.len()).sum();
    (known > 0).then(|| 2.0 * real(hits) / real(found + known))
}

impl PictureBoxes {
    fn known(&self, label: usize) -> impl Iterator<Item = &KnownBox> {
        self.known.iter().filter(move |known| known.label == label)
    }

    /// The boxes of a label that reach `limit`, by falling score, and whether each hits.
    fn hits(&self, label: usize, overlap: f64, limit: f32) -> Vec<(f32, bool)> {
        let counts = |found: &&FoundBox| found.label == label && found.score >= limit;
        let mut found: Vec<_> = self.found.iter().filter(counts).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(MOST_BOXES);
        let mut free: Vec<_> = self.known(label).map(|known| Some(known.corners)).collect();
        let hit = |found: &FoundBox| {
            // Of known boxes that overlap alike the last is taken, as COCO's evaluation does.
            let best = free
                .iter_mut()
                .filter_map(|known| Some((shared(found.corners, (*known)?), known)))
                .filter(|(shared, _)| *shared >= overlap)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            best.map(|(_, known)| *known = None).is_some()
        };
        let mut hit = hit;
        found.into_iter().map(|found| (found.score, hit(found))).collect()
    }
}

/// What two boxes share, of their union.
fn shared(a: [f64; 4], b: [f64; 4]) -> f64 {
    let across = a[2].min(b[2]) - a[0].max(b[0]);
    let down = a[3].min(b[3]) - a[1].max(b[1]);
    if across <= 0.0 || down <= 0.0 {
        return 0.0;
    }
    let area = |c: [f64; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let both = across * down;
    both / (area(a) + area(b) - both)
}

/// `hits` by falling score, of `known` boxes.
fn average_precision(hits: &[(f32, bool)], known: usize) -> f64 {
    let mut right = 0_usize;
    let mut curve: Vec<(f64, f64)> = Vec::with_capacity(hits.len());
    for (index, (_, is_hit)) in hits.iter().enumerate() {
        right += usize::from(*is_hit);
        curve.push((real(right) / real(known), real(right) / real(index + 1)));
    }
    for at in (1..curve.len()).rev() {
        curve[at - 1].1 = curve[at - 1].1.max(curve[at].1);
    }
    let precision = |recall: f64| {
        let at = curve.partition_point(|(reached, _)| *reached < recall);
        curve.get(at).map_or(0.0, |(_, precision)| *precision)
    };
    // The very floats of numpy's linspace: some recalls are met or missed by their last bit.
    (0..=100_u8).map(|i| precision(f64::from(i) * 0.01)).sum::<f64>() / 101.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: [f64; 4] = [10.0, 10.0, 20.0, 20.0];

    fn found(score: f32, corners: [f64; 4]) -> FoundBox {
        FoundBox { label: 0, score, corners }
    }

    fn known(corners: [f64; 4]) -> KnownBox {
        KnownBox { label: 0, corners }
    }

    #[test]
    fn a_box_is_hit_once() {
        let picture = PictureBoxes {
            found: vec![found(0.5, HERE), found(0.9, HERE)],
            known: vec![known(HERE)],
        };
        assert_eq!(picture.hits(0, 0.5, 0.0), [(0.9, true), (0.5, false)]);
        let figures = BoxFigures::new(std::slice::from_ref(&picture), 1, 0.0);
        assert_eq!((figures.map50, figures.f1), (Some(1.0), Some(2.0 / 3.0)));
        assert_eq!(BoxFigures::new(&[picture], 1, 0.6).f1, Some(1.0));
    }

    #[test]
    fn labels_without_a_known_box_do_not_count() {
        let mut picture = PictureBoxes { found: vec![found(0.9, HERE)], known: vec![known(HERE)] };
        picture.found.push(FoundBox { label: 1, score: 1.0, corners: HERE });
        assert_eq!(mean_average_precision(&[picture], 2, 0.5), Some(1.0));
        let none = PictureBoxes { found: vec![found(0.9, HERE)], known: vec![] };
        assert_eq!(BoxFigures::new(&[none], 1, 0.0), BoxFigures::default());
    }

    #[test]
    fn boxes_side_by_side_share_nothing() {
        assert_eq!(shared(HERE, [20.0, 10.0, 30.0, 20.0]), 0.0);
        assert_eq!(shared(HERE, HERE), 1.0);
        assert!((shared(HERE, [10.0, 10.0, 20.0, 15.0]) - 0.5).abs() < 1e-12);
    }
}
