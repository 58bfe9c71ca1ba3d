//! A good part to hold beside another: takes a recipe's name, gives the newest part that a person
//! called good, or, while nobody did, the one of the newest passed parts with the lowest score.

use domain::{PartId, PartKey};
use rusqlite::{OptionalExtension, Row, named_params};

use crate::rows::int;
use crate::rows::read::count;
use crate::{Reader, StoreError};

/// Called good by the label in force; a picture of it is kept.
const CALLED_GOOD: &str = "SELECT said.run_id AS run_id, part_number AS number FROM label AS said
    JOIN part USING (run_id)
    JOIN provenance ON provenance.id = provenance_id
    JOIN recipe ON recipe.sha256 = recipe_sha256
    WHERE part.number = part_number AND holds = 1 AND is_second = 0 AND judgement = 'good'
    AND name = :recipe AND (said.run_id, part_number) <> (:run, :part)
    AND NOT EXISTS (SELECT 1 FROM label AS later WHERE later.run_id = said.run_id
        AND later.part_number = said.part_number AND later.holds = 1 AND later.is_second = 0
        AND later.id > said.id)
    AND EXISTS (SELECT 1 FROM image WHERE image.run_id = said.run_id
        AND image.part_number = said.part_number AND kind = 'picture')
    ORDER BY said.run_id DESC, said.part_number DESC LIMIT 1";

/// Passed, and nobody called it anything; only among the newest, so that the answer takes the same
/// time however much is stored.
const PASSED: &str = "SELECT run_id, number FROM (
        SELECT run_id, number, score, provenance_id FROM part WHERE verdict = 'pass'
        ORDER BY run_id DESC, number DESC LIMIT 5000) AS passed
    JOIN provenance ON provenance.id = provenance_id
    JOIN recipe ON recipe.sha256 = recipe_sha256
    WHERE name = :recipe AND (run_id, number) <> (:run, :part)
    AND NOT EXISTS (SELECT 1 FROM label WHERE label.run_id = passed.run_id
        AND part_number = number AND holds = 1)
    AND EXISTS (SELECT 1 FROM image WHERE image.run_id = passed.run_id
        AND part_number = number AND kind = 'picture')
    ORDER BY score, run_id DESC, number DESC LIMIT 1";

impl Reader {
    /// A good part of the recipe with that name, other than `besides`, of which a picture is kept;
    /// `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn golden(&self, recipe: &str, besides: PartKey) -> Result<Option<PartKey>, StoreError> {
        let key = |row: &Row<'_>| {
            Ok(PartKey { run: row.get("run_id")?, part: PartId(count(row, "number")?) })
        };
        let (run, part) = (besides.run, int(besides.part.0));
        self.read(|db| {
            for sql in [CALLED_GOOD, PASSED] {
                let values = named_params! { ":recipe": recipe, ":run": run, ":part": part };
                let found = db.prepare_cached(sql)?.query_row(values, key).optional()?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Judgement, Label, PersonId, Role, Verdict};

    use super::*;
    use crate::{NewLabel, Store, example};

    #[test]
    fn a_good_part_is_one_that_a_person_called_good() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(folder.path()).unwrap();
        let (run, name) = {
            let mut writer = store.start_run(&example::START).unwrap();
            writer.keep_recipe(&example::recipe()).unwrap();
            for number in 1..=4 {
                let outcome = example::outcome(number, Verdict::Pass);
                writer.record(&outcome, &mut |_| true).unwrap();
            }
            (writer.run(), example::recipe().as_written().name.clone())
        };
        let key = |part| PartKey { run: run.0, part: PartId(part) };
        let reader = Reader::open(folder.path()).unwrap();
        let golden = |besides| reader.golden(&name, key(besides)).unwrap();
        assert_eq!(golden(4), Some(key(3)), "the newest of those with the lowest score");
        let mut labels = store.labels().unwrap();
        let mut say = |part, judgement, by: &str| {
            let (by, label) = (PersonId::new(by), Label::unmarked(judgement, false));
            let (at, key) = (example::START.started_at, key(part));
            let new = NewLabel {
                key,
                at,
                by: &by,
                role: Role::Operator,
                label: &label,
                is_second: false,
            };
            labels.add(&new).unwrap();
        };
        say(2, Judgement::Good, "p-1");
        assert_eq!(golden(4), Some(key(2)));
        assert_eq!(golden(2), Some(key(4)), "never the part itself");
        say(2, Judgement::Doubt, "p-2");
        assert_eq!(golden(4), Some(key(3)), "somebody else said otherwise since");
        assert_eq!(reader.golden("another", key(4)).unwrap(), None);
    }
}
