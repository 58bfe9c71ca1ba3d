//! Looking up parts: takes a filter, gives the parts that fit, newest first, and what charts are
//! made of. Runs on a thread of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::{GateSignal, Rate, Sha256, Verdict, WallTime, Why};
use egui::{Rect, pos2};
use store::{ImageKind, ImageRow, PartDetail, PartFilter, PartRow, Reader, StoreError, VerdictWord};

use crate::charts::{Places, Subgroup};

/// Rows asked of the store at a time.
const PAGE: u32 = 1_000;
/// Rows looked at for one answer; it says so when there were more.
const LOOKED_AT: usize = 200_000;
/// Parts of which it is looked up where their defects are.
const PLACED: usize = 2_000;
/// Subgroups of a chart, about.
const SUBGROUPS: i64 = 32;

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

/// Classes that decided: the reasons of a reject, or what was near its limit.
fn classes(verdict: &Verdict) -> impl Iterator<Item = &Arc<str>> {
    let (reasons, nearest) = match verdict {
        Verdict::Reject { reasons } => (&reasons[..], None),
        Verdict::Undecided { why: Why::NearLimit { nearest } } => (&[][..], Some(nearest)),
        _ => (&[][..], None),
    };
    reasons.iter().chain(nearest).map(|reason| &reason.kind)
}

/// The class that decided most.
pub fn class(verdict: &Verdict) -> Option<&Arc<str>> {
    classes(verdict).next()
}

/// Calls `take` for the parts that fit, newest first, until it gives `false`; whether all were
/// looked at.
fn each(
    reader: &Reader,
    which: &Which,
    mut take: impl FnMut(PartRow) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let mut recipes: HashMap<Sha256, Option<String>> = HashMap::new();
    let (mut after, mut looked_at) = (None, 0);
    loop {
        let filter = PartFilter { verdict: which.verdict, after, limit: PAGE, run: None };
        let rows = reader.parts(&filter)?;
        let (count, mut is_older) = (rows.len(), true);
        after = rows.last().map(|row| (row.run, row.part));
        for row in rows {
            let is_old = which.since.is_some_and(|since| row.triggered_at.wall < since);
            is_older &= is_old;
            let fits = !is_old
                && which.number.is_none_or(|number| row.part.0 == number)
                && which.class.as_ref().is_none_or(|class| classes(&row.verdict).any(|it| it == class));
            if !fits || !is_of_recipe(reader, which, &row, &mut recipes)? {
                continue;
            }
            if !take(row)? {
                return Ok(true);
            }
        }
        looked_at += count;
        // A clock that jumped back mixes times, but hardly over a whole page.
        if count < PAGE as usize || is_older {
            return Ok(true);
        }
        if looked_at >= LOOKED_AT {
            return Ok(false);
        }
    }
}

fn is_of_recipe(
    reader: &Reader,
    which: &Which,
    row: &PartRow,
    names: &mut HashMap<Sha256, Option<String>>,
) -> Result<bool, StoreError> {
    let Some(wanted) = &which.recipe else { return Ok(true) };
    let Some(detail) = reader.part(row.run, row.part)? else { return Ok(false) };
    let hash = detail.provenance.recipe;
    if !names.contains_key(&hash) {
        names.insert(hash, reader.recipe(hash)?.map(|recipe| recipe.name));
    }
    Ok(names.get(&hash).is_some_and(|name| name.as_ref() == Some(wanted)))
}

/// A page of parts.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuestion {
    /// Which.
    pub which: Which,
    /// At most so many.
    pub limit: usize,
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
    let mut list = List::default();
    each(reader, &question.which, |row| {
        if list.rows.len() == question.limit {
            list.has_more = true;
            return Ok(false);
        }
        list.rows.push(row);
        Ok(true)
    })?;
    Ok(list)
}

/// What charts are made of.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Parts with each verdict, in the order of [`domain::VerdictKind`].
    pub verdicts: [u64; 3],
    /// Parts thrown out, of all.
    pub out: Rate,
    /// From the first part to the last.
    pub period: Option<(WallTime, WallTime)>,
    /// Oldest first.
    pub subgroups: Vec<Subgroup>,
    /// How long one lasts, seconds.
    pub subgroup_s: f64,
    /// Parts that did not pass, by the class that decided; without one when there was none.
    pub classes: Vec<(Option<Arc<str>>, u64)>,
    /// Where their defects are.
    pub places: Places,
    /// A picture of the part.
    pub picture: Option<ImageRow>,
    /// Whether all parts were looked at.
    pub is_all: bool,
}

impl Book {
    /// All parts.
    pub fn of(&self) -> u64 {
        self.verdicts.iter().sum()
    }
}

/// Looks up what charts are made of.
pub fn book(reader: &Reader, which: &Which) -> Result<Book, StoreError> {
    let mut book = Book::default();
    let mut times: Vec<(i64, bool)> = Vec::new();
    let mut classes: BTreeMap<Option<Arc<str>>, u64> = BTreeMap::new();
    let mut spoilt = Vec::new();
    book.is_all = each(reader, which, |row| {
        let is_out = row.gate == GateSignal::Reject;
        times.push((row.triggered_at.wall.unix_ns, is_out));
        book.verdicts[row.verdict.kind() as usize] += 1;
        if row.verdict != Verdict::Pass {
            *classes.entry(class(&row.verdict).cloned()).or_default() += 1;
            if spoilt.len() < PLACED {
                spoilt.push((row.run, row.part));
            }
        }
        Ok(true)
    })?;
    book.classes = classes.into_iter().collect();
    let out = times.iter().filter(|(_, is_out)| *is_out).count() as u64;
    book.out = Rate::new(out, times.len() as u64);
    (book.subgroups, book.subgroup_s) = subgroups(&times);
    let wall = |unix_ns| WallTime { unix_ns };
    let (first, last) = (times.iter().min(), times.iter().max());
    book.period = first.zip(last).map(|(first, last)| (wall(first.0), wall(last.0)));
    for (run, part) in spoilt {
        if let Some(detail) = reader.part(run, part)? {
            place(&mut book, &detail, which.class.as_ref());
        }
    }
    Ok(book)
}

/// Parts by stretches of time of a round length.
fn subgroups(times: &[(i64, bool)]) -> (Vec<Subgroup>, f64) {
    const STEPS_S: [i64; 15] = [
        1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 604_800, 2_592_000,
        31_536_000,
    ];
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return (vec![], 1.0);
    };
    let span_s = (last.0 - first.0) / 1_000_000_000;
    let step_s = STEPS_S.into_iter().find(|step| step * SUBGROUPS >= span_s).unwrap_or(31_536_000);
    let step_ns = step_s * 1_000_000_000;
    let mut groups: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
    for (at, is_out) in times {
        let (of, out) = groups.entry(at.div_euclid(step_ns)).or_default();
        *of += 1;
        *out += u64::from(*is_out);
    }
    let group = |(index, (of, out)): (i64, (u64, u64))| {
        let start = WallTime { unix_ns: index * step_ns };
        Subgroup { start, of, out }
    };
    #[expect(clippy::cast_precision_loss, reason = "at most a year")]
    let step_s = step_s as f64;
    (groups.into_iter().map(group).collect(), step_s)
}

/// Counts where the defects that decided are, as shares of the picture of the first view.
#[expect(clippy::cast_precision_loss, reason = "places in a picture")]
fn place(book: &mut Book, detail: &PartDetail, class: Option<&Arc<str>>) {
    let Some(view) = detail.views.first() else { return };
    let crop = view.crop_in_frame;
    if crop.is_empty() {
        return;
    }
    if book.picture.is_none() {
        let mut pictures = detail.images.iter().filter(|image| image.kind == ImageKind::Picture);
        book.picture = pictures.find(|image| image.view == 0 && image.covers == crop).cloned();
        book.places.aspect = crop.width as f32 / crop.height as f32;
    }
    let (width, height) = (crop.width as f32, crop.height as f32);
    let share = |x: u32, y: u32| {
        pos2((x as f32 - crop.x as f32) / width, (y as f32 - crop.y as f32) / height)
    };
    let reasons = match &detail.row.verdict {
        Verdict::Reject { reasons } => reasons.as_slice(),
        Verdict::Undecided { why: Why::NearLimit { nearest } } => std::slice::from_ref(nearest),
        _ => &[],
    };
    for reason in reasons {
        if reason.view == 0 && class.is_none_or(|class| reason.kind == *class) {
            let area = reason.box_in_frame;
            let (from, to) = (share(area.x, area.y), share(area.right(), area.bottom()));
            book.places.add(Rect::from_min_max(from, to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgroups_are_of_a_round_length_and_hold_all_parts() {
        let times: Vec<_> = (0..10_000).map(|i| (i * 1_000_000_000, i % 10 == 0)).collect();
        let (groups, step_s) = subgroups(&times);
        assert_eq!((groups.len(), step_s), (12, 900.0));
        assert_eq!(groups.iter().map(|group| group.of).sum::<u64>(), 10_000);
        assert_eq!(groups.iter().map(|group| group.out).sum::<u64>(), 1_000);
        assert_eq!(groups[1].start, WallTime { unix_ns: 900_000_000_000 });
        assert_eq!(subgroups(&[]), (vec![], 1.0));
        assert_eq!(subgroups(&[(5, true)]).0.len(), 1);
    }
}
