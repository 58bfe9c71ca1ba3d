//! The condition of a query: takes what to look for, gives SQL and its values. Only what is asked
//! for stands in it, so that SQLite picks the index for it.

use rusqlite::ToSql;

use super::PartSearch;
use crate::rows::int;

/// A condition on rows of `part`.
pub(super) struct Where {
    conditions: Vec<&'static str>,
    values: Vec<(&'static str, Box<dyn ToSql>)>,
}

const CLASS: &str = "CASE verdict
    WHEN 'reject' THEN EXISTS (SELECT 1 FROM json_each(reasons_json)
        WHERE json_extract(value, '$.kind') = :class)
    WHEN 'undecided' THEN json_extract(why_json, '$.nearest.kind') IS :class
    ELSE 0 END";
const IS_LABELLED: &str = "EXISTS (SELECT 1 FROM label WHERE label.run_id = part.run_id
    AND label.part_number = part.number AND holds = 1 AND is_second = 0)";
const IS_NOT_LABELLED: &str = "NOT EXISTS (SELECT 1 FROM label WHERE label.run_id = part.run_id
    AND label.part_number = part.number AND holds = 1 AND is_second = 0)";

impl Where {
    pub(super) fn new(search: &PartSearch) -> Self {
        let mut which = Self { conditions: vec![], values: vec![] };
        let PartSearch { run, from, to, verdict, class, number, .. } = search;
        which.given("part.run_id = :run", ":run", run.map(|run| run.0));
        which.given("triggered_wall_ns >= :from", ":from", from.map(|from| from.unix_ns));
        which.given("triggered_wall_ns < :to", ":to", to.map(|to| to.unix_ns));
        which.given("verdict = :verdict", ":verdict", verdict.map(|verdict| verdict.name()));
        which.given(CLASS, ":class", class.clone());
        if class.is_some() {
            // Nothing passes for a reason; said, so that the index by verdict is of use.
            which.and("verdict IN ('reject', 'undecided')");
        }
        which.given("number = :number", ":number", number.map(|number| int(number.0)));
        let recipe = search.recipe.map(|recipe| recipe.to_string());
        which.given(
            "provenance_id IN (SELECT id FROM provenance WHERE recipe_sha256 = :recipe)",
            ":recipe",
            recipe,
        );
        which.given(
            "provenance_id IN (SELECT provenance.id FROM provenance
                JOIN recipe ON sha256 = recipe_sha256 WHERE name = :recipe_name)",
            ":recipe_name",
            search.recipe_name.clone(),
        );
        match search.labelled {
            Some(true) => which.and(IS_LABELLED),
            Some(false) => which.and(IS_NOT_LABELLED),
            None => {}
        }
        which
    }

    fn given<T: ToSql + 'static>(
        &mut self,
        condition: &'static str,
        name: &'static str,
        value: Option<T>,
    ) {
        if let Some(value) = value {
            self.and(condition);
            self.value(name, value);
        }
    }

    pub(super) fn and(&mut self, condition: &'static str) {
        self.conditions.push(condition);
    }

    pub(super) fn value(&mut self, name: &'static str, value: impl ToSql + 'static) {
        self.values.push((name, Box::new(value)));
    }

    /// `WHERE …`, or nothing.
    pub(super) fn sql(&self) -> String {
        match self.conditions.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", self.conditions.join(" AND ")),
        }
    }

    pub(super) fn params(&self) -> Vec<(&'static str, &dyn ToSql)> {
        self.values.iter().map(|(name, value)| (*name, &**value)).collect()
    }
}
