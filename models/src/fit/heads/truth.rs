//! What people said of pictures: takes an index's rows, gives each picture's classes and where in
//! it they are, or every row that contradicts itself, its picture or its mask.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use domain::{Placement, SizePx};

use super::grid::STRIDE;
use crate::index::{Index, Row};

/// A place that is not a defect's.
pub(super) const GOOD: u8 = 0;

/// A place of which nobody said what it is.
pub(super) const UNKNOWN: u8 = u8::MAX;

/// The most labels, the good one among them.
pub(super) const LABELS_MAX: usize = 64;

/// A cell counts as a defect's when this share of its pixels is; with less it is left out.
const SHARE: f64 = 0.25;

/// A row that can't be learnt from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// Where it stands in the index; the header is line 1.
    pub line: usize,
    /// The picture it is about.
    pub picture: PathBuf,
    /// Which column is wrong.
    pub column: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub right: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, picture, column, problem, right } = self;
        let picture = picture.display();
        write!(f, "line {line} ({picture}): `{column}`: {problem}; right would be: {right}")
    }
}

/// A row that was held against its files.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checked {
    /// The picture's path.
    pub file: PathBuf,
    /// Numbers of its labels: `[0]` for a good one.
    pub kinds: Vec<usize>,
    /// The part it shows.
    pub group: String,
    pub size: SizePx,
    /// Whether it says where its defects are.
    pub is_located: bool,
    /// Side of each defect, as of a square, in the picture's pixels.
    pub extents: Vec<f64>,
    mask: Option<PathBuf>,
    boxes: Vec<([f32; 4], u8)>,
}

/// What each of a picture's own pixels shows: [`GOOD`], a label's number, or [`UNKNOWN`].
pub(super) struct Region {
    size: SizePx,
    pixels: Vec<u8>,
}

/// What a cell of the grid shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cover {
    /// What it counts as when trained on.
    pub kind: u8,
    /// Pixels of the picture in it, of which it is known whether they are a defect's; and all.
    pub bad: u32,
    pub good: u32,
    pub all: u32,
}

type Wrong = (&'static str, String, String);

impl Checked {
    /// Holds `row`, which is number `at` of the index, against its files.
    pub fn new(index: &Index, at: usize, labels: &[String]) -> Result<Self, RowProblem> {
        let row = &index.rows[at];
        checked(index, row, labels).map_err(|(column, problem, right)| RowProblem {
            line: at + 2,
            picture: row.file.clone(),
            column,
            problem,
            right,
        })
    }

    pub fn is_bad(&self) -> bool {
        self.kinds != [0]
    }

    /// Whether nothing but boxes says where its defects are.
    pub fn is_boxed_only(&self) -> bool {
        self.mask.is_none() && !self.boxes.is_empty()
    }

    /// What each of its pixels shows; `None` when nobody said where its defects are.
    ///
    /// # Errors
    /// When the mask can't be read any more.
    pub fn region(&self) -> Result<Option<Region>, RowProblem> {
        if self.is_bad() && !self.is_located {
            return Ok(None);
        }
        let mask = self.mask.as_deref().map(|mask| mask_from_file(mask, self.size)).transpose();
        let mask = mask.map_err(|(column, problem, right)| RowProblem {
            line: 0,
            picture: self.file.clone(),
            column,
            problem,
            right,
        })?;
        Ok(Some(self.region_with(mask.as_deref())))
    }

    fn region_with(&self, mask: Option<&[bool]>) -> Region {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        // Of a label without a box nobody knows where it is, unless the mask has nothing but it.
        let boxed = |kind: &usize| self.boxes.iter().any(|(_, boxed)| usize::from(*boxed) == *kind);
        let all_boxed = !self.is_bad() || self.kinds.iter().all(boxed);
        let is_all_in_mask = mask.is_some() && (self.kinds.len() == 1 || self.boxes.is_empty());
        let outside = if is_all_in_mask || all_boxed { GOOD } else { UNKNOWN };
        let mut pixels = vec![outside; width * height];
        if let Some(mask) = mask {
            let kind = match self.kinds[..] {
                [kind] => u8::try_from(kind).unwrap_or(UNKNOWN),
                _ => UNKNOWN,
            };
            pixels
                .iter_mut()
                .zip(mask)
                .for_each(|(pixel, is)| *pixel = if *is { kind } else { outside });
        }
        for (corners, kind) in self.largest_first() {
            let [left, top, right, bottom] = corners.map(whole);
            for y in top..bottom.min(height) {
                let columns = left.min(width)..right.min(width);
                let is_marked = |x: usize| mask.is_none_or(|mask| mask[y * width + x]);
                for x in columns.filter(|x| is_marked(*x)) {
                    pixels[y * width + x] = *kind;
                }
            }
        }
        Region { size: self.size, pixels }
    }

    /// Boxes in the order in which they are painted: where two overlap, the smaller one is on top.
    fn largest_first(&self) -> Vec<&([f32; 4], u8)> {
        let extent =
            |([left, top, right, bottom], _): &&([f32; 4], u8)| (right - left) * (bottom - top);
        let mut boxes: Vec<_> = self.boxes.iter().collect();
        boxes.sort_by(|a, b| extent(b).total_cmp(&extent(a)));
        boxes
    }
}

fn checked(index: &Index, row: &Row, labels: &[String]) -> Result<Checked, Wrong> {
    let number = |label: &String| labels.iter().position(|known| known == label);
    let mut kinds: Vec<usize> = row.labels.iter().filter_map(number).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let is_bad = kinds != [0];
    if is_bad && kinds.contains(&0) {
        let right = format!("`{}`, or defect classes joined by `|`", labels[0]);
        return Err(("label", format!("it is `{}`", row.labels.join("|")), right));
    }
    let file = index.path(&row.file);
    let size = image::image_dimensions(&file)
        .map(|(width, height)| SizePx::new(width, height))
        .map_err(|error| ("file", error.to_string(), "a picture that can be read".to_owned()))?;
    let boxes = checked_boxes(row, &kinds, labels, size)?;
    let mask = row.mask.as_ref().map(|mask| index.path(mask));
    let mut sides = boxes.iter().map(|([x1, y1, x2, y2], _)| side(x2 - x1, y2 - y1)).collect();
    if let Some(mask) = &mask {
        let bits = mask_from_file(mask, size)?;
        let is_empty = !bits.contains(&true);
        if is_bad == is_empty {
            let (problem, right) = if is_bad {
                (
                    "it marks no pixel",
                    format!("the defect's pixels at 255, or the label `{}`", labels[0]),
                )
            } else {
                ("it marks pixels of a good picture", "no mask, or a defect's label".to_owned())
            };
            return Err(("mask", format!("{}: {problem}", mask.display()), right));
        }
        if boxes.is_empty() {
            sides =
                super::blobs::blobs(bits, size.width as usize).iter().map(|b| b.side()).collect();
        }
    }
    Ok(Checked {
        file,
        kinds,
        group: row.group.clone(),
        size,
        is_located: is_bad && (mask.is_some() || !boxes.is_empty()),
        extents: sides,
        mask,
        boxes,
    })
}

fn checked_boxes(
    row: &Row,
    kinds: &[usize],
    labels: &[String],
    size: SizePx,
) -> Result<Vec<([f32; 4], u8)>, Wrong> {
    let mut boxes = Vec::new();
    for labelled in &row.boxes {
        let known = labels.iter().position(|label| *label == labelled.label);
        let Some(kind) = known.filter(|kind| *kind > 0 && kinds.contains(kind)) else {
            let problem = format!(
                "a box is of `{}`, the picture of `{}`",
                labelled.label,
                row.labels.join("|")
            );
            return Err(("boxes", problem, "boxes of the defects that the label names".to_owned()));
        };
        let [left, top, right, bottom] = labelled.corners;
        // A box may stick out by what rounding and hasty hands make it; not lie elsewhere.
        let (width, height) = (real(size.width), real(size.height));
        if left >= width || top >= height || right <= 0.0 || bottom <= 0.0 {
            let problem = format!("the box {left} {top} {right} {bottom} lies outside of it");
            return Err(("boxes", problem, format!("corners inside {size}")));
        }
        let corners = [left.max(0.0), top.max(0.0), right.min(width), bottom.min(height)];
        boxes.push((corners, u8::try_from(kind).unwrap_or(UNKNOWN)));
    }
    Ok(boxes)
}

/// Which pixels a mask marks.
fn mask_from_file(file: &Path, size: SizePx) -> Result<Vec<bool>, Wrong> {
    let right = || format!("an 8-bit PNG of {size}, 255 where the defect is");
    let failed = |problem: String| ("mask", format!("{}: {problem}", file.display()), right());
    let mask = image::open(file).map_err(|error| failed(error.to_string()))?;
    let got = SizePx::new(mask.width(), mask.height());
    if got != size {
        return Err(failed(format!("it is {got}, the picture {size}")));
    }
    Ok(mask.into_luma8().into_raw().into_iter().map(|value| value >= 128).collect())
}

/// The side of a square as large as a box.
fn side(width: f32, height: f32) -> f64 {
    (f64::from(width) * f64::from(height)).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
const fn real(side: u32) -> f32 {
    side as f32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut at the picture")]
fn whole(corner: f32) -> usize {
    corner.round() as usize
}

impl Region {
    /// What the cells of a grid of `columns` by `rows` show, when the picture is laid as
    /// `placement` says.
    pub fn cells(&self, placement: &Placement, [rows, columns]: [usize; 2]) -> Vec<Cover> {
        let across = cell_of(self.size.width, placement.offset_x_px, placement.scale_x, columns);
        let down = cell_of(self.size.height, placement.offset_y_px, placement.scale_y, rows);
        let classes = self.pixels.iter().filter(|kind| **kind != UNKNOWN).max().map_or(0, |k| *k);
        let classes = usize::from(classes) + 1;
        let mut covers = vec![Cover::default(); rows * columns];
        // How much of each class a cell has; the last column is of what nobody knows.
        let mut counts = vec![0_u32; covers.len() * (classes + 1)];
        for (row, y) in self.pixels.chunks_exact(self.size.width as usize).zip(&down) {
            for (kind, x) in row.iter().zip(&across) {
                let kind = usize::from(*kind).min(classes);
                counts[(y * columns + x) * (classes + 1) + kind] += 1;
            }
        }
        for (cover, counts) in covers.iter_mut().zip(counts.chunks_exact(classes + 1)) {
            *cover = Cover::of(counts);
        }
        settle(&mut covers);
        covers
    }
}

impl Cover {
    /// A cell with `counts` pixels of each class, the last of them unknown. Its kind is that of
    /// most of its defective pixels, whatever their share.
    fn of(counts: &[u32]) -> Self {
        let (unknown, known) = counts.split_last().unwrap_or((&0, &[]));
        let (good, bad) = known.split_first().unwrap_or((&0, &[]));
        let most = bad.iter().enumerate().rev().max_by_key(|(_, count)| **count);
        let kind = match most {
            _ if *unknown > 0 => UNKNOWN,
            Some((kind, count)) if *count > 0 => u8::try_from(kind + 1).unwrap_or(UNKNOWN),
            _ => GOOD,
        };
        let bad = bad.iter().sum();
        Self { kind, bad, good: *good, all: good + bad + unknown }
    }

    fn share(&self) -> f64 {
        if self.all == 0 { 0.0 } else { f64::from(self.bad) / f64::from(self.all) }
    }
}

/// Leaves cells that a defect merely touches out; where all defects are smaller than that, those
/// that have most of them count.
fn settle(covers: &mut [Cover]) {
    let most = covers.iter().map(Cover::share).fold(0.0, f64::max);
    let enough = SHARE.min(most / 2.0);
    for cover in covers.iter_mut().filter(|cover| cover.kind != GOOD && cover.share() < enough) {
        cover.kind = UNKNOWN;
    }
    covers.iter_mut().filter(|cover| cover.all == 0).for_each(|cover| cover.kind = UNKNOWN);
}

/// The rows and columns of a grid that show a picture of `size`, when it is laid as `placement`
/// says.
pub(super) fn shown(
    size: SizePx,
    placement: &Placement,
    [rows, columns]: [usize; 2],
) -> [Range<usize>; 2] {
    let span = |cells: Vec<usize>| {
        let ends = cells.first().copied().zip(cells.last().copied());
        ends.map_or(0..0, |(first, last)| first..last + 1)
    };
    [
        span(cell_of(size.height, placement.offset_y_px, placement.scale_y, rows)),
        span(cell_of(size.width, placement.offset_x_px, placement.scale_x, columns)),
    ]
}

/// In which of `cells` each of `count` pixels lies, by its middle.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounding towards zero is meant; cut at the grid"
)]
fn cell_of(count: u32, offset: f32, scale: f32, cells: usize) -> Vec<usize> {
    let cell = |at: u32| (f64::from(at) + 0.5 - f64::from(offset)) * f64::from(scale);
    (0..count).map(|at| ((cell(at) / f64::from(STRIDE)) as usize).min(cells - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::LabelledBox;

    const AS_IS: Placement =
        Placement { offset_x_px: 0.0, offset_y_px: 0.0, scale_x: 1.0, scale_y: 1.0 };

    fn labels() -> Vec<String> {
        ["ok", "crack", "dent"].map(str::to_owned).to_vec()
    }

    /// A folder with a picture of 32 x 16, a mask of the same size with the given marked
    /// rectangle, and a row about them.
    fn row_with(
        label: &str,
        mask: Option<[u32; 4]>,
        boxes: &[([f32; 4], &str)],
    ) -> (tempfile::TempDir, Index) {
        let dir = tempfile::tempdir().unwrap();
        image::GrayImage::new(32, 16).save(dir.path().join("a.png")).unwrap();
        if let Some([x1, y1, x2, y2]) = mask {
            let inside = |x, y| (x1..x2).contains(&x) && (y1..y2).contains(&y);
            let mask = image::GrayImage::from_fn(32, 16, |x, y| {
                image::Luma([if inside(x, y) { 255 } else { 0 }])
            });
            mask.save(dir.path().join("m.png")).unwrap();
        }
        let labelled = |(corners, label): &([f32; 4], &str)| LabelledBox {
            corners: *corners,
            label: (*label).to_owned(),
        };
        let row = Row {
            line: 2,
            file: "a.png".into(),
            labels: label.split('|').map(str::to_owned).collect(),
            split: String::new(),
            mask: mask.map(|_| "m.png".into()),
            boxes: boxes.iter().map(labelled).collect(),
            group: "p".into(),
        };
        let index = Index { file: dir.path().join("index.csv"), rows: vec![row] };
        (dir, index)
    }

    fn cells(label: &str, mask: Option<[u32; 4]>, boxes: &[([f32; 4], &str)]) -> Vec<u8> {
        let (_dir, index) = row_with(label, mask, boxes);
        let checked = Checked::new(&index, 0, &labels()).unwrap();
        let region = checked.region().unwrap().unwrap();
        region.cells(&AS_IS, [2, 4]).iter().map(|cover| cover.kind).collect()
    }

    #[test]
    fn masks_mark_the_cells_they_cover() {
        // Cells of 8: the first wholly, the second a quarter, the third's edge merely.
        assert_eq!(cells("crack", Some([0, 0, 17, 8]), &[]), [1, 1, UNKNOWN, 0, 0, 0, 0, 0]);
        assert_eq!(
            cells("dent", Some([10, 9, 11, 10]), &[]),
            [0, 0, 0, 0, 0, 2, 0, 0],
            "tiny ones count"
        );
        assert_eq!(cells("ok", None, &[]), [0; 8]);
    }

    #[test]
    fn boxes_say_which_class_a_mask_is_and_stand_in_for_one() {
        let two = [([0.0, 0.0, 8.0, 8.0], "crack"), ([16.0, 8.0, 32.0, 16.0], "dent")];
        assert_eq!(cells("crack|dent", None, &two), [1, 0, 0, 0, 0, 0, 2, 2]);
        assert_eq!(
            cells("crack|dent", Some([0, 0, 32, 8]), &two)[..2],
            [1, UNKNOWN],
            "whose is it?"
        );
        let one = [([0.0, 0.0, 8.0, 8.0], "crack")];
        assert_eq!(cells("crack|dent", None, &one)[..2], [1, UNKNOWN], "the dent is somewhere");
    }

    #[test]
    fn where_boxes_overlap_the_smaller_one_is_on_top() {
        let whole = ([0.0, 0.0, 32.0, 16.0], "crack");
        let inside = ([8.0, 0.0, 16.0, 8.0], "dent");
        for boxes in [[whole, inside], [inside, whole]] {
            for mask in [None, Some([0, 0, 32, 16])] {
                assert_eq!(cells("crack|dent", mask, &boxes), [1, 2, 1, 1, 1, 1, 1, 1]);
            }
        }
    }

    #[test]
    fn a_class_without_a_place_may_be_anywhere_else() {
        let dent = [([0.0, 0.0, 8.0, 8.0], "dent")];
        let found = cells("crack|dent", Some([0, 0, 8, 8]), &dent);
        assert_eq!(found, [[2].as_slice(), &[UNKNOWN; 7]].concat(), "the crack was not drawn");
    }

    #[test]
    fn a_picture_without_a_place_has_no_region() {
        let (_dir, index) = row_with("crack", None, &[]);
        let checked = Checked::new(&index, 0, &labels()).unwrap();
        assert!(!checked.is_located && checked.region().unwrap().is_none());
    }

    #[test]
    fn letterboxed_borders_are_nothing() {
        let (_dir, index) = row_with("crack", Some([0, 0, 4, 16]), &[]);
        let region = Checked::new(&index, 0, &labels()).unwrap().region().unwrap().unwrap();
        // At half the size in the middle rows of 16 x 24: three rows of cells, the middle one
        // shown.
        let placement =
            Placement { offset_x_px: 0.0, offset_y_px: -16.0, scale_x: 0.5, scale_y: 0.5 };
        let covers = region.cells(&placement, [3, 2]);
        let kinds: Vec<u8> = covers.iter().map(|cover| cover.kind).collect();
        assert_eq!(kinds, [UNKNOWN, UNKNOWN, 1, 0, UNKNOWN, UNKNOWN]);
        assert_eq!(covers[2], Cover { kind: 1, bad: 64, good: 192, all: 256 });
        assert_eq!(shown(SizePx::new(32, 16), &placement, [3, 2]), [1..2, 0..2]);
    }

    #[test]
    fn contradictions_are_named() {
        let boxed = |corners: [f32; 4], label: &'static str| vec![(corners, label)];
        for (label, mask, boxes, column, named) in [
            ("crack", Some([0; 4]), vec![], "mask", "marks no pixel"),
            ("ok", Some([0, 0, 4, 4]), vec![], "mask", "good picture"),
            ("ok", None, boxed([0.0, 0.0, 4.0, 4.0], "crack"), "boxes", "`crack`"),
            ("dent", None, boxed([0.0, 0.0, 4.0, 4.0], "crack"), "boxes", "`crack`"),
            ("dent", None, boxed([0.0, 0.0, 4.0, 4.0], "hole"), "boxes", "`hole`"),
            ("dent", None, boxed([40.0, 0.0, 44.0, 4.0], "dent"), "boxes", "outside"),
            ("ok|dent", None, vec![], "label", "`ok|dent`"),
        ] {
            let (_dir, index) = row_with(label, mask, &boxes);
            let problem = Checked::new(&index, 0, &labels()).unwrap_err();
            let text = problem.to_string();
            assert_eq!((problem.column, problem.line), (column, 2), "{text}");
            assert!(text.contains(named) && text.contains("a.png"), "{text}");
        }
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let (dir, index) = row_with("crack", Some([0, 0, 4, 4]), &[]);
        image::GrayImage::new(31, 16).save(dir.path().join("m.png")).unwrap();
        let text = Checked::new(&index, 0, &labels()).unwrap_err().to_string();
        assert!(text.contains("m.png") && text.contains("31x16"), "{text}");
        std::fs::remove_file(dir.path().join("m.png")).unwrap();
        let text = Checked::new(&index, 0, &labels()).unwrap_err().to_string();
        assert!(text.contains("m.png"), "{text}");
        std::fs::write(dir.path().join("a.png"), b"no picture").unwrap();
        assert_eq!(Checked::new(&index, 0, &labels()).unwrap_err().column, "file");
    }

    #[test]
    fn extents_are_those_of_single_defects() {
        let (_dir, index) = row_with("crack", Some([2, 2, 6, 6]), &[]);
        assert_eq!(Checked::new(&index, 0, &labels()).unwrap().extents, [4.0]);
        let (_dir, index) = row_with("dent", None, &[([0.0, 0.0, 9.0, 4.0], "dent")]);
        assert_eq!(Checked::new(&index, 0, &labels()).unwrap().extents, [6.0]);
    }
}
