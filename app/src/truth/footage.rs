//! Takes what the simulator knows of its footage, gives what is true of each inspection.
//!
//! The rules by which inspections and true parts are brought together:
//!
//! - An inspection is where its first view says: a frame, and a box in it. A true part is where
//!   its track says at that frame.
//! - They may be the same when the part is in the picture then and the boxes share more than 0.3
//!   of what both cover (intersection over union). Of all that may be the same, the pair that
//!   shares most is taken first; each inspection and each part is taken once.
//! - An inspection of several parts that touch answers for all of them: parts left over of which
//!   its box covers at least half are merged into it.
//! - Parts then left over are lost, unless the footage ended while they were still in it.
//! - Inspections then left over are extra: something was found where nothing was. Fail-safe
//!   answers without a view are not judged; their parts count as lost.

use std::path::Path;

use domain::{GateSignal, PartCondition, RectPx, SizePx, ViewRecord};
use testdata::TruthPart;

use super::{Fate, Judged, KnownPart, Offered, TruthError};
use crate::report::Row;

/// Boxes that share no more than this are not the same part.
const SAME_FROM_IOU: f64 = 0.3;
/// A part of which a merged box covers this much is merged into it.
const MERGED_FROM_SHARE: f64 = 0.5;

/// Every part of the footage.
#[derive(Debug)]
pub(super) struct Footage {
    /// In the order in which they come into the picture.
    parts: Vec<TruthPart>,
    /// How many frames the slowest of them is in the picture.
    longest: u64,
    /// Size of the picture; the CSV does not say.
    size: Option<SizePx>,
}

impl Footage {
    pub(super) fn from_json(path: &Path, bytes: &[u8]) -> Result<Self, TruthError> {
        let truth = testdata::Truth::read_json(bytes)
            .map_err(|source| TruthError::Footage { path: path.to_owned(), source })?;
        let size = truth.size();
        Ok(Self::new(truth.parts, Some(size)))
    }

    pub(super) fn from_csv(path: &Path, bytes: &[u8]) -> Result<Self, TruthError> {
        let parts = testdata::Truth::read_csv(bytes)
            .map_err(|source| TruthError::Footage { path: path.to_owned(), source })?;
        Ok(Self::new(parts, None))
    }

    fn new(mut parts: Vec<TruthPart>, size: Option<SizePx>) -> Self {
        parts.sort_by_key(|part| (part.entry_frame, part.part));
        let longest = parts.iter().map(|part| part.exit_frame - part.entry_frame).max();
        Self { parts, longest: longest.unwrap_or(0), size }
    }

    pub(super) fn judge(&self, rows: &[Row], offered: Offered<'_>) -> Judged {
        let mut fates = vec![Fate::Lost; self.parts.len()];
        let mut is_taken = vec![false; rows.len()];
        for Pair { row, part, .. } in self.pairs(rows) {
            if !is_taken[row] && fates[part] == Fate::Lost {
                (is_taken[row], fates[part]) = (true, Fate::Inspected(row));
            }
        }
        for (index, row) in rows.iter().enumerate().filter(|(_, row)| is_merged(&row.condition)) {
            for part in self.covered_by(&row.views) {
                if fates[part] == Fate::Lost {
                    (is_taken[index], fates[part]) = (true, Fate::MergedInto(index));
                }
            }
        }
        let left_over = (0..rows.len()).filter(|&row| !is_taken[row]);
        let (unjudged, extra) = left_over.partition(|&row| rows[row].views.is_empty());
        let mut judged = Judged { extra, unjudged, ..Judged::default() };
        for (part, fate) in self.parts.iter().zip(fates) {
            if fate == Fate::Lost && part.exit_frame >= offered.frames {
                judged.not_offered += 1;
            } else {
                judged.parts.push(known_part(part, fate));
            }
        }
        judged
    }

    pub(super) fn disagrees(
        &self,
        views: &[ViewRecord],
        condition: &PartCondition,
        gate: GateSignal,
    ) -> bool {
        let Some(view) = views.first() else { return false };
        let mut parts: Vec<_> = if is_merged(condition) { self.covered_by(views) } else { vec![] };
        let best = self.alike(view).max_by(|a, b| a.1.total_cmp(&b.1));
        parts.extend(best.map(|(part, _)| part));
        let any_bad = parts.iter().any(|&part| !self.parts[part].is_ok());
        parts.is_empty() || any_bad == (gate == GateSignal::Pass)
    }

    /// All that may be the same, the most alike first.
    fn pairs(&self, rows: &[Row]) -> Vec<Pair> {
        let mut pairs: Vec<_> = rows
            .iter()
            .enumerate()
            .filter_map(|(row, inspected)| Some((row, inspected.views.first()?)))
            .flat_map(|(row, view)| {
                self.alike(view).map(move |(part, iou)| Pair { row, part, iou })
            })
            .collect();
        pairs.sort_by(|a, b| b.iou.total_cmp(&a.iou).then((a.row, a.part).cmp(&(b.row, b.part))));
        pairs
    }

    /// The parts that may be what the view shows, and how alike their boxes are.
    fn alike<'a>(&'a self, view: &'a ViewRecord) -> impl Iterator<Item = (usize, f64)> + 'a {
        let seen = Area::from(view.box_in_frame);
        self.in_picture_at(view.frame)
            .map(move |(part, area)| (part, area.iou(seen)))
            .filter(|(_, iou)| *iou > SAME_FROM_IOU)
    }

    /// The parts that lie in the first view's box, at least by half.
    fn covered_by(&self, views: &[ViewRecord]) -> Vec<usize> {
        let Some(view) = views.first() else { return vec![] };
        let seen = Area::from(view.box_in_frame);
        self.in_picture_at(view.frame)
            .filter(|(_, area)| area.shared_with(seen) >= MERGED_FROM_SHARE * area.size())
            .map(|(part, _)| part)
            .collect()
    }

    fn in_picture_at(&self, frame: u64) -> impl Iterator<Item = (usize, Area)> + '_ {
        let entered = |by: u64| self.parts.partition_point(move |part| part.entry_frame < by);
        let first = entered(frame.saturating_sub(self.longest));
        let end = entered(frame.saturating_add(1));
        (first..end).filter_map(move |at| Some((at, self.area_at(&self.parts[at], frame)?)))
    }

    /// The part's box at `frame`, as far as it is in the picture.
    fn area_at(&self, part: &TruthPart, frame: u64) -> Option<Area> {
        let (x, y, width, height) = part.box_at(frame)?;
        let limit = |side: fn(SizePx) -> u32| self.size.map_or(f64::MAX, |size| side(size).into());
        let (limit_x, limit_y) = (limit(|size| size.width), limit(|size| size.height));
        let area = Area {
            left: x.clamp(0.0, limit_x),
            top: y.clamp(0.0, limit_y),
            right: (x + f64::from(width)).clamp(0.0, limit_x),
            bottom: (y + f64::from(height)).clamp(0.0, limit_y),
        };
        (area.size() > 0.0).then_some(area)
    }
}

struct Pair {
    row: usize,
    part: usize,
    iou: f64,
}

const fn is_merged(condition: &PartCondition) -> bool {
    matches!(condition, PartCondition::Merged { .. })
}

fn known_part(part: &TruthPart, fate: Fate) -> KnownPart {
    KnownPart {
        name: format!("part {}", part.part),
        labels: part.kinds().map(str::to_owned).collect(),
        fate,
    }
}

/// A box between pixels.
#[derive(Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn size(self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    fn shared_with(self, other: Self) -> f64 {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        both.size()
    }

    fn iou(self, other: Self) -> f64 {
        let both = self.shared_with(other);
        both / (self.size() + other.size() - both).max(f64::MIN_POSITIVE)
    }
}

impl From<RectPx> for Area {
    fn from(rect: RectPx) -> Self {
        Self {
            left: rect.x.into(),
            top: rect.y.into(),
            right: rect.right().into(),
            bottom: rect.bottom().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use domain::{Verdict, Why};
    use proptest::prelude::*;

    /// A part that crosses a picture of 400 pixels at 10 pixels a frame, 40 by 30, from `entry`.
    fn part(number: u64, entry: u64, y: f64, label: &str) -> TruthPart {
        TruthPart {
            part: number,
            type_name: "bracket".to_owned(),
            entry_frame: entry,
            exit_frame: entry + 43,
            centre_frame: entry + 22,
            x: 180,
            y: 0,
            width: 40,
            height: 30,
            label: label.to_owned(),
            whole: true,
            track: vec![(entry, -40.0, y), (entry + 44, 400.0, y)],
            defects: vec![],
        }
    }

    fn row(part: u64, frame: u64, seen: RectPx, verdict: Verdict) -> Row {
        let mut row = fake::row(part, verdict);
        row.views[0].frame = frame;
        row.views[0].box_in_frame = seen;
        row
    }

    fn merged(mut row: Row) -> Row {
        row.condition = PartCondition::Merged { parts_estimated: 2 };
        row.verdict = Verdict::Undecided { why: Why::PartsMerged { parts_estimated: 2 } };
        row.gate = GateSignal::Reject;
        row
    }

    fn fates(parts: Vec<TruthPart>, rows: &[Row], frames: u64) -> (Vec<Fate>, Judged) {
        let judged = Footage::new(parts, None).judge(rows, Offered { frames, files: None });
        (judged.parts.iter().map(|part| part.fate).collect(), judged)
    }

    #[test]
    fn two_lanes_side_by_side_are_told_apart() {
        let parts = vec![part(1, 0, 20.0, "ok"), part(2, 0, 60.0, "dent|scratch")];
        let rows = [
            row(1, 22, RectPx::new(182, 58, 38, 33), fake::reject("dent", 0.9)),
            row(2, 22, RectPx::new(178, 22, 42, 30), Verdict::Pass),
        ];
        let (fates, judged) = fates(parts, &rows, 100);
        assert_eq!(fates, [Fate::Inspected(1), Fate::Inspected(0)]);
        assert!(!judged.parts[0].is_bad());
        assert_eq!(judged.parts[1].labels.iter().collect::<Vec<_>>(), ["dent", "scratch"]);
        assert!(judged.extra.is_empty());
    }

    #[test]
    fn the_same_place_at_another_time_is_another_part() {
        let parts = vec![part(1, 0, 20.0, "ok"), part(2, 50, 20.0, "dent")];
        let rows = [row(1, 72, RectPx::new(180, 20, 40, 30), Verdict::Pass)];
        let (fates, _) = fates(parts, &rows, 200);
        assert_eq!(fates, [Fate::Lost, Fate::Inspected(0)]);
    }

    #[test]
    fn each_is_taken_once_and_the_rest_is_extra() {
        let at = RectPx::new(180, 20, 40, 30);
        let rows = [
            row(1, 22, at, Verdict::Pass),
            row(2, 22, RectPx::new(181, 20, 40, 30), Verdict::Pass),
            row(3, 22, RectPx::new(0, 300, 40, 30), Verdict::Pass),
        ];
        let (fates, judged) = fates(vec![part(1, 0, 20.0, "ok")], &rows, 100);
        assert_eq!(fates, [Fate::Inspected(0)]);
        assert_eq!(judged.extra, [1, 2]);
    }

    #[test]
    fn boxes_that_hardly_meet_are_not_the_same() {
        // 40 by 30 against itself moved by 21 of 40: 19 / 61 is above 0.3; by 22: 18 / 62 is not.
        for (x, fate) in [(201, Fate::Inspected(0)), (202, Fate::Lost)] {
            let rows = [row(1, 22, RectPx::new(x, 20, 40, 30), Verdict::Pass)];
            assert_eq!(fates(vec![part(1, 0, 20.0, "ok")], &rows, 100).0, [fate]);
        }
    }

    #[test]
    fn parts_that_touch_share_one_answer() {
        let parts = vec![
            part(1, 0, 20.0, "ok"),
            part(2, 0, 50.0, "dent"),
            part(3, 0, 80.0, "ok"),
            part(4, 0, 95.0, "ok"),
        ];
        let seen = RectPx::new(180, 20, 40, 80);
        let rows = [merged(row(1, 22, seen, Verdict::Pass))];
        let (got, judged) = fates(parts.clone(), &rows, 100);
        let into = Fate::MergedInto(0);
        // 40 by 80 shares 30 of 80 with the first two alike: the first is taken.
        assert_eq!(got, [Fate::Inspected(0), into, into, Fate::Lost]);
        assert!(judged.extra.is_empty());
        let unmerged = [row(1, 22, seen, Verdict::Pass)];
        assert_eq!(fates(parts, &unmerged, 100).0[1..], [Fate::Lost; 3]);
    }

    #[test]
    fn many_small_parts_in_one_large_box_are_all_merged_into_it() {
        let parts = (0_u32..5).map(|i| part(i.into(), 0, f64::from(i) * 30.0, "ok")).collect();
        let rows = [merged(row(1, 22, RectPx::new(170, 0, 60, 150), Verdict::Pass))];
        let (got, judged) = fates(parts, &rows, 100);
        assert_eq!(got, [Fate::MergedInto(0); 5]);
        assert!(judged.extra.is_empty());
    }

    #[test]
    fn parts_still_in_the_picture_at_the_end_are_not_lost() {
        let parts = || vec![part(1, 0, 20.0, "dent"), part(2, 10, 20.0, "dent")];
        assert_eq!(fates(parts(), &[], 44).1.not_offered, 1);
        assert_eq!(fates(parts(), &[], 44).0, [Fate::Lost]);
        assert_eq!(fates(parts(), &[], 54).0, [Fate::Lost; 2]);
        // But what was answered for counts, also at the very end.
        let rows = [row(1, 22, RectPx::new(180, 20, 40, 30), Verdict::Pass)];
        assert_eq!(fates(parts(), &rows, 23).0, [Fate::Inspected(0)]);
    }

    #[test]
    fn a_part_over_the_border_is_compared_as_far_as_it_is_seen() {
        let seen = RectPx::new(0, 0, 40, 5);
        let over = |size| Footage::new(vec![part(1, 0, -25.0, "ok")], size);
        let rows = [row(1, 4, seen, Verdict::Pass)];
        let offered = Offered { frames: 100, files: None };
        assert_eq!(over(None).judge(&rows, offered).parts[0].fate, Fate::Inspected(0));
        let rows = [row(1, 43, RectPx::new(390, 0, 10, 5), Verdict::Pass)];
        let size = Some(SizePx::new(400, 300));
        assert_eq!(over(size).judge(&rows, offered).parts[0].fate, Fate::Inspected(0));
        assert_eq!(over(None).judge(&rows, offered).parts[0].fate, Fate::Lost);
    }

    #[test]
    fn answers_without_a_view_are_not_judged() {
        let mut blind = fake::row(1, Verdict::Undecided { why: Why::Deadline });
        blind.views.clear();
        let (got, judged) = fates(vec![part(1, 0, 20.0, "dent")], &[blind], 100);
        assert_eq!((got, judged.unjudged), (vec![Fate::Lost], vec![0]));
    }

    #[test]
    fn disagreement_is_seen_at_once() {
        let parts = vec![part(1, 0, 20.0, "ok"), part(2, 0, 50.0, "dent")];
        let footage = Footage::new(parts, None);
        let whole = PartCondition::Whole;
        let at = |y| row(1, 22, RectPx::new(180, y, 40, 30), Verdict::Pass).views;
        let disagrees = |y, gate| footage.disagrees(&at(y), &whole, gate);
        assert!(!disagrees(20, GateSignal::Pass) && disagrees(20, GateSignal::Reject));
        assert!(disagrees(50, GateSignal::Pass) && !disagrees(50, GateSignal::Reject));
        assert!(disagrees(200, GateSignal::Reject), "nothing is there");
        let both = row(1, 22, RectPx::new(180, 20, 40, 60), Verdict::Pass).views;
        let touching = PartCondition::Merged { parts_estimated: 2 };
        assert!(footage.disagrees(&both, &touching, GateSignal::Pass));
        assert!(!footage.disagrees(&both, &touching, GateSignal::Reject));
    }

    proptest! {
        #[test]
        fn no_row_and_no_part_is_taken_twice_or_forgotten(
            truth in prop::collection::vec((0_u64..60, 0_u32..6, any::<bool>()), 0..12),
            seen in prop::collection::vec(
                (0_u64..120, 0_u32..380, 0_u32..170, any::<bool>()),
                0..15,
            ),
            frames in 0_u64..150,
        ) {
            let parts: Vec<_> = truth
                .iter()
                .zip(1..)
                .map(|(&(entry, lane, ok), number)| {
                    part(number, entry, f64::from(lane) * 25.0, if ok { "ok" } else { "dent" })
                })
                .collect();
            let rows: Vec<_> = seen
                .iter()
                .zip(1..)
                .map(|(&(frame, x, y, is_merged), number)| {
                    let height = if is_merged { 70 } else { 30 };
                    let row = row(number, frame, RectPx::new(x, y, 40, height), Verdict::Pass);
                    if is_merged { merged(row) } else { row }
                })
                .collect();
            let (fates, judged) = fates(parts, &rows, frames);
            prop_assert_eq!(fates.len() as u64 + judged.not_offered, truth.len() as u64);
            let mut inspected: Vec<_> = fates
                .iter()
                .filter_map(|fate| if let Fate::Inspected(row) = fate { Some(*row) } else { None })
                .collect();
            let all = inspected.len();
            inspected.sort_unstable();
            inspected.dedup();
            prop_assert_eq!(inspected.len(), all);
            for row in 0..rows.len() {
                let answers = fates.iter().any(|fate| fate.row() == Some(row));
                prop_assert_ne!(answers, judged.extra.contains(&row));
            }
        }
    }
}
