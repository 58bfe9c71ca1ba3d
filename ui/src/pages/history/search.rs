//! Looking up parts: takes a filter, gives the parts that fit, newest first, and what charts are
//! made of. Runs on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::{PartId, Verdict, WallTime, Why};
use store::{
    Agreement, AgreementFilter, BinBy, ImageKind, ImageRow, PartRow, PartSearch, Reader,
    StoreError, VerdictWord,
};

use crate::charts::{Places, Subgroup};

/// Subgroups of a chart, about.
const SUBGROUPS: i64 = 32;
/// Parts among which a picture is looked for.
const PICTURED: u32 = 20;

/// Which parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Which {
    /// Triggered then or later.
    pub since: Option<WallTime>,
    /// With this verdict.
    pub verdict: Option<VerdictWord>,
    /// With a defect of this class among the reasons.
    pub class: Option<Arc<str>>,
    /// Inspected by a recipe of this name.
    pub recipe: Option<String>,
    /// With this number.
    pub number: Option<u64>,
    /// Grows when there may be new ones.
    pub tide: u64,
}

impl Which {
    fn search(&self) -> PartSearch {
        PartSearch {
            from: self.since,
            verdict: self.verdict,
            class: self.class.as_ref().map(ToString::to_string),
            number: self.number.map(PartId),
            recipe_name: self.recipe.clone(),
            ..PartSearch::default()
        }
    }
}

/// The class that decided most.
pub fn class(verdict: &Verdict) -> Option<&Arc<str>> {
    match verdict {
        Verdict::Reject { reasons } => reasons.first().map(|reason| &reason.kind),
        Verdict::Undecided { why: Why::NearLimit { nearest } } => Some(&nearest.kind),
        Verdict::Undecided { .. } | Verdict::Pass => None,
    }
}

/// A list of parts.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuestion {
    /// Which.
    pub which: Which,
    /// At most so many.
    pub limit: u32,
}

/// The parts found.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Newest first.
    pub rows: Vec<PartRow>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Looks up a list.
pub fn list(reader: &Reader, question: &ListQuestion) -> Result<List, StoreError> {
    let mut rows = reader.search(&question.which.search(), None, question.limit + 1)?;
    let has_more = rows.len() > question.limit as usize;
    rows.truncate(question.limit as usize);
    Ok(List { rows, has_more })
}

/// What charts are made of.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Parts that passed, were rejected, are undecided.
    pub verdicts: [u64; 3],
    /// From the first part to the last.
    pub period: Option<(WallTime, WallTime)>,
    /// Oldest first.
    pub subgroups: Vec<Subgroup>,
    /// How long one lasts, seconds.
    pub subgroup_s: u32,
    /// Rejected parts by the class that decided most.
    pub classes: Vec<(Arc<str>, u64)>,
    /// Where what they were rejected for is.
    pub places: Places,
    /// A picture of a part.
    pub picture: Option<ImageRow>,
}

impl Book {
    /// All parts.
    pub fn of(&self) -> u64 {
        self.verdicts.iter().sum()
    }
}

/// Looks up what charts are made of.
pub fn book(reader: &Reader, which: &Which) -> Result<Book, StoreError> {
    let search = which.search();
    let Some(all) = reader.yield_by(&search, BinBy::All)?.pop() else {
        return Ok(Book::default());
    };
    let subgroup_s = subgroup_s(all.from, all.to);
    let by = BinBy::Period(Duration::from_secs(subgroup_s.into()));
    let subgroup = |bin: store::Bin| Subgroup {
        start: bin.from,
        of: bin.total(),
        out: bin.rejected + bin.undecided,
    };
    let classes = reader.pareto(&search)?;
    let (picture, aspect) = picture(reader, &search)?;
    Ok(Book {
        verdicts: [all.passed, all.rejected, all.undecided],
        period: Some((all.from, all.to)),
        subgroups: joined(reader.yield_by(&search, by)?.into_iter().map(subgroup)),
        subgroup_s,
        classes: classes.into_iter().map(|(class, count)| (class.into(), count)).collect(),
        places: Places { aspect, ..places(reader, &search)? },
        picture,
    })
}

/// Subgroups of which none is so small beside the largest that its share says nothing: such a one,
/// as the last when it has just begun, is counted with the one before it.
fn joined(subgroups: impl Iterator<Item = Subgroup>) -> Vec<Subgroup> {
    let subgroups: Vec<_> = subgroups.collect();
    let most = subgroups.iter().map(|group| group.of).max().unwrap_or(0);
    let mut joined: Vec<Subgroup> = Vec::with_capacity(subgroups.len());
    for group in subgroups {
        match joined.last_mut().filter(|last| 10 * group.of.min(last.of) < most) {
            Some(last) => (last.of, last.out) = (last.of + group.of, last.out + group.out),
            None => joined.push(group),
        }
    }
    joined
}

fn places(reader: &Reader, search: &PartSearch) -> Result<Places, StoreError> {
    let (cols, rows) = (Places::COLS, Places::ROWS);
    Ok(Places { counts: reader.positions(search, cols, rows)?.counts, ..Places::default() })
}

/// How long a subgroup is: a round time.
fn subgroup_s(from: WallTime, to: WallTime) -> u32 {
    const STEPS_S: [u32; 15] = [
        1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 604_800, 2_592_000,
        31_536_000,
    ];
    let span_s = to.unix_ns.saturating_sub(from.unix_ns) / 1_000_000_000;
    STEPS_S.into_iter().find(|step| i64::from(*step) * SUBGROUPS >= span_s).unwrap_or(31_536_000)
}

/// The newest picture of what the model looked at, and its width by its height.
#[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
fn picture(reader: &Reader, search: &PartSearch) -> Result<(Option<ImageRow>, f32), StoreError> {
    let rejected = PartSearch { verdict: Some(VerdictWord::Reject), ..search.clone() };
    for row in reader.search(&rejected, None, PICTURED)? {
        let Some(detail) = reader.part(row.run, row.part)? else { continue };
        let Some(crop) = detail.views.first().map(|view| view.crop_in_frame) else { continue };
        let mut images = detail.images.into_iter();
        let is_whole =
            |it: &ImageRow| it.kind == ImageKind::Picture && it.view == 0 && it.covers == crop;
        if !crop.is_empty()
            && let Some(image) = images.find(is_whole)
        {
            return Ok((Some(image), crop.width as f32 / crop.height as f32));
        }
    }
    Ok((None, Places::default().aspect))
}

/// Whose labels to compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgreementQuestion {
    /// Only what was said without having seen the verdict.
    pub blind_only: bool,
    /// Grows when there may be new labels.
    pub tide: u64,
}

/// Looks up how far people agree.
pub fn agreement(reader: &Reader, question: &AgreementQuestion) -> Result<Agreement, StoreError> {
    let filter = AgreementFilter { blind_only: question.blind_only, ..AgreementFilter::default() };
    reader.agreement(&filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgroups_are_of_a_round_length() {
        let wall = |seconds: i64| WallTime { unix_ns: seconds * 1_000_000_000 };
        assert_eq!(subgroup_s(wall(0), wall(0)), 1);
        assert_eq!(subgroup_s(wall(0), wall(10_000)), 900);
        assert_eq!(subgroup_s(wall(0), wall(28_800)), 900);
        assert_eq!(subgroup_s(wall(0), wall(7 * 86_400)), 28_800);
    }

    #[test]
    fn what_has_just_begun_counts_with_what_was_before() {
        let group = |of, out| Subgroup { start: WallTime { unix_ns: 0 }, of, out };
        let joined = joined([group(2, 1), group(100, 5), group(90, 3), group(1, 1)].into_iter());
        assert_eq!(joined, [group(102, 6), group(91, 4)]);
    }
}
