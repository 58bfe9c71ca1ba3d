//! Whether people agree, with each other and with the model: takes the labels of a store, gives
//! which parts another person should look at, and how far those who looked agree.
//!
//! Only `good` and `bad` count. The parts that people label are not a random choice of all parts,
//! so the counts against the model are no rates of escape or overkill; a control share of passed
//! parts in the queue is what those can be estimated from.

mod kappa;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::{Judgement, Label, PartId, PartKey, PersonId, WallTime};
use rusqlite::Row;
use serde::Serialize;

pub use kappa::{Kappa, cohen, fleiss};

use crate::keep::{Choice, is_chosen};
use crate::rows::read::{count, json};
use crate::{Reader, RunId, StoreError};

/// Whose labels to compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgreementFilter {
    /// Of parts of this run only.
    pub run: Option<RunId>,
    /// Said then or later only.
    pub from: Option<WallTime>,
    /// Said before then only.
    pub to: Option<WallTime>,
    /// Only what was said without having seen the verdict or another's label.
    pub blind_only: bool,
}

/// How far people agree with each other and with the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Parts that two or more people called good or bad.
    pub parts: u64,
    /// Fleiss' kappa over all of them, good against bad.
    pub good_bad: Option<Kappa>,
    /// The same over `good` and the classes of the marks.
    pub classes: Option<Kappa>,
    /// Cohen's kappa of each two people who labelled the same parts.
    pub pairs: Vec<PairAgreement>,
    /// Each person, against all others and against the model.
    pub people: Vec<PersonAgreement>,
    /// The labels in force against the model.
    pub model: ModelAgreement,
}

/// How far two people agree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairAgreement {
    /// One.
    pub one: PersonId,
    /// The other.
    pub other: PersonId,
    /// Good against bad.
    pub good_bad: Option<Kappa>,
    /// Good and the classes.
    pub classes: Option<Kappa>,
}

/// How far a person agrees with the others and with the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonAgreement {
    /// Who.
    pub person: PersonId,
    /// Parts that they called good or bad.
    pub labels: u64,
    /// Against each other person's label of the same part, all taken together: Cohen's kappa, good
    /// against bad. Absent when nobody else labelled one of these parts.
    pub with_others: Option<Kappa>,
    /// Against the verdicts.
    pub with_model: ModelAgreement,
}

/// Verdicts against what a person said of the same parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ModelAgreement {
    /// Passed and called good.
    pub passed_good: u64,
    /// Passed and called bad: these escaped.
    pub passed_bad: u64,
    /// Rejected and called good: overkill.
    pub rejected_good: u64,
    /// Rejected and called bad.
    pub rejected_bad: u64,
    /// Undecided and called good; not in kappa.
    pub undecided_good: u64,
    /// Undecided and called bad; not in kappa.
    pub undecided_bad: u64,
    /// Cohen's kappa of pass and reject against good and bad.
    pub kappa: Option<Kappa>,
}

impl ModelAgreement {
    fn count(&mut self, verdict: &str, is_bad: bool) {
        let count = match (verdict, is_bad) {
            ("pass", false) => &mut self.passed_good,
            ("pass", true) => &mut self.passed_bad,
            ("reject", false) => &mut self.rejected_good,
            ("reject", true) => &mut self.rejected_bad,
            (_, false) => &mut self.undecided_good,
            (_, true) => &mut self.undecided_bad,
        };
        *count += 1;
    }

    fn close(&mut self) {
        let of_passed = vec![self.passed_good, self.passed_bad];
        self.kappa = cohen(&[of_passed, vec![self.rejected_good, self.rejected_bad]]);
    }
}

/// One label that counts.
struct Said {
    key: PartKey,
    by: PersonId,
    is_bad: bool,
    /// `good`, or the classes of the marks in alphabetical order.
    class: String,
    is_second: bool,
    verdict: String,
}

impl Reader {
    /// Parts that `by` should look at for a second opinion, without being shown the first: the
    /// newest that another person called good or bad, that are among the `share` chosen for it, of
    /// which a picture is kept, and of which neither `by` nor a second person said anything yet.
    ///
    /// The choice is by the part's key alone, so it is the same for ever; a larger share holds a
    /// smaller one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn second_opinions_due(
        &self,
        share: f64,
        by: &PersonId,
        limit: usize,
    ) -> Result<Vec<PartKey>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(DUE)?;
            let rows = statement.query_map([by.as_str()], key)?;
            rows.filter(|key| {
                key.as_ref().map_or(true, |key| is_chosen(*key, share, Choice::SecondOpinion))
            })
            .take(limit)
            .collect()
        })
    }

    /// How far people agree with each other and with the model, over the labels that hold.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn agreement(&self, filter: &AgreementFilter) -> Result<Agreement, StoreError> {
        let sql = "SELECT label.run_id, part_number, person, judgement = 'bad', label_json,
                is_second, verdict
            FROM label JOIN part ON part.run_id = label.run_id AND number = part_number
            WHERE holds = 1 AND judgement IN ('good', 'bad')
            AND (?1 IS NULL OR label.run_id = ?1)
            AND (?2 IS NULL OR said_wall_ns >= ?2) AND (?3 IS NULL OR said_wall_ns < ?3)
            AND (NOT ?4 OR json_extract(label_json, '$.is_blind'))
            ORDER BY label.run_id, part_number, id";
        let asked = (
            filter.run.map(|run| run.0),
            filter.from.map(|from| from.unix_ns),
            filter.to.map(|to| to.unix_ns),
            filter.blind_only,
        );
        Ok(agreement_of(&self.list(sql, asked, said)?))
    }
}

/// The labels that another person has not looked at yet, the newest first.
const DUE: &str = "SELECT run_id, part_number FROM label AS said WHERE holds = 1 AND is_second = 0
    AND judgement IN ('good', 'bad') AND person <> ?1
    AND NOT EXISTS (SELECT 1 FROM label AS other WHERE other.run_id = said.run_id
        AND other.part_number = said.part_number AND other.holds = 1
        AND (other.person = ?1 OR other.is_second = 1
            OR (other.id > said.id AND other.is_second = 0)))
    AND EXISTS (SELECT 1 FROM image WHERE image.run_id = said.run_id
        AND image.part_number = said.part_number AND kind = 'picture')
    ORDER BY run_id DESC, part_number DESC";

/// A part, by the first two columns.
fn key(row: &Row<'_>) -> rusqlite::Result<PartKey> {
    Ok(PartKey { run: row.get(0)?, part: PartId(count(row, 1)?) })
}

fn said(row: &Row<'_>) -> rusqlite::Result<Said> {
    let (key, by, is_bad) = (key(row)?, PersonId::new(&row.get::<_, String>(2)?), row.get(3)?);
    // What is good has no marks, and to read what was said takes most of the time.
    let class = if is_bad {
        class_of(&json::<Label>(row, "label_json")?)
    } else {
        Judgement::Good.name().to_owned()
    };
    Ok(Said { key, by, is_bad, class, is_second: row.get(5)?, verdict: row.get(6)? })
}

fn class_of(label: &Label) -> String {
    let mut classes: Vec<&str> = label.marks.iter().map(|mark| &*mark.class).collect();
    classes.sort_unstable();
    classes.dedup();
    classes.join(" + ")
}

/// What two people said of a part each, for Cohen's kappa.
#[derive(Default)]
struct Pair {
    good_bad: Table,
    classes: Table,
}

impl Pair {
    fn count(&mut self, one: &Said, other: &Said) {
        let word = |said: &Said| if said.is_bad { "bad" } else { "good" };
        self.good_bad.count(word(one), word(other));
        self.classes.count(&one.class, &other.class);
    }
}

/// Counts by what one said and what the other said.
#[derive(Default)]
struct Table(BTreeMap<(String, String), u64>);

impl Table {
    fn count(&mut self, one: &str, other: &str) {
        *self.0.entry((one.to_owned(), other.to_owned())).or_default() += 1;
    }

    fn kappa(&self) -> Option<Kappa> {
        let words = places(self.0.keys().flat_map(|(one, other)| [&**one, other]));
        let mut table = vec![vec![0; words.len()]; words.len()];
        for ((one, other), count) in &self.0 {
            table[words[&**one]][words[&**other]] = *count;
        }
        cohen(&table)
    }
}

/// A number for each word.
fn places<'a>(words: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut places: BTreeMap<&str, usize> = words.map(|word| (word, 0)).collect();
    places.values_mut().enumerate().for_each(|(place, of)| *of = place);
    places
}

/// Fleiss' kappa of parts, each said of in a word by several.
fn fleiss_of(parts: &[&[Said]], word: impl Fn(&Said) -> &str) -> Option<Kappa> {
    let words = places(parts.iter().flat_map(|part| part.iter()).map(&word));
    let counts = parts.iter().map(|part| {
        let mut counts = vec![0; words.len()];
        part.iter().for_each(|said| counts[words[word(said)]] += 1);
        counts
    });
    fleiss(&counts.collect::<Vec<_>>())
}

/// `all` is in order of its parts, and of one part in that of its labels.
fn agreement_of(all: &[Said]) -> Agreement {
    let parts: Vec<&[Said]> = all.chunk_by(|a, b| a.key == b.key).collect();
    let seconded: Vec<&[Said]> = parts.iter().copied().filter(|part| part.len() >= 2).collect();
    let mut pairs = BTreeMap::<(PersonId, PersonId), Pair>::new();
    let mut people = BTreeMap::<PersonId, (Table, PersonAgreement)>::new();
    let mut model = ModelAgreement::default();
    for part in &parts {
        if let Some(in_force) = part.iter().rfind(|said| !said.is_second) {
            model.count(&in_force.verdict, in_force.is_bad);
        }
        for one in *part {
            let new = || (Table::default(), PersonAgreement::new(&one.by));
            let (with_others, person) = people.entry(one.by.clone()).or_insert_with(new);
            person.labels += 1;
            person.with_model.count(&one.verdict, one.is_bad);
            for other in part.iter().filter(|other| other.by != one.by) {
                let word = |said: &Said| if said.is_bad { "bad" } else { "good" };
                with_others.count(word(one), word(other));
                if one.by < other.by {
                    pairs.entry((one.by.clone(), other.by.clone())).or_default().count(one, other);
                }
            }
        }
    }
    model.close();
    let pair = |((one, other), pair): ((PersonId, PersonId), Pair)| PairAgreement {
        one,
        other,
        good_bad: pair.good_bad.kappa(),
        classes: pair.classes.kappa(),
    };
    let person = |(table, mut person): (Table, PersonAgreement)| {
        person.with_others = table.kappa();
        person.with_model.close();
        person
    };
    Agreement {
        parts: seconded.len() as u64,
        good_bad: fleiss_of(&seconded, |said| if said.is_bad { "bad" } else { "good" }),
        classes: fleiss_of(&seconded, |said| &said.class),
        pairs: pairs.into_iter().map(pair).collect(),
        people: people.into_values().map(person).collect(),
        model,
    }
}

impl PersonAgreement {
    fn new(person: &PersonId) -> Self {
        let with_model = ModelAgreement::default();
        Self { person: person.clone(), labels: 0, with_others: None, with_model }
    }
}
