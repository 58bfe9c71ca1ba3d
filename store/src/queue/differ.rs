//! What is worth a second look though it has a label: takes the database, gives the newest parts of
//! which the label in force says another thing than the model did. One of the two is wrong.
//!
//! Nobody is asked twice: a part that somebody has said a second thing of, whatever it was, was
//! looked at again.

use std::sync::Arc;

use domain::{Judgement, Label, PartId, PartKey, Reason};
use rusqlite::{Connection, Result, Row, named_params};

use super::WhyAsked;
use crate::rows::read::{count, json, word};
use crate::{RunId, VerdictWord};

/// At most so many of the newest labels are weighed.
const WEIGHED_MAX: u32 = 1_000;

pub(super) const SQL: &str = "SELECT said.run_id, said.part_number, said.label_json, part.verdict,
        part.reasons_json
    FROM (SELECT * FROM label WHERE holds = 1 AND is_second = 0
            AND (:run IS NULL OR run_id = :run)
        ORDER BY run_id DESC, part_number DESC, id DESC LIMIT :limit) AS said
    CROSS JOIN part ON part.run_id = said.run_id AND part.number = said.part_number
    WHERE said.judgement IN ('good', 'bad') AND part.verdict <> 'undecided'
        AND EXISTS (SELECT 1 FROM image WHERE image.run_id = said.run_id
            AND image.part_number = said.part_number AND kind = 'picture')
        AND NOT EXISTS (SELECT 1 FROM label AS other WHERE other.run_id = said.run_id
            AND other.part_number = said.part_number AND other.id <> said.id
            AND other.judgement <> 'skip')";

/// The parts, with their verdicts and how model and label differ.
pub(super) fn differing(
    db: &Connection,
    run: Option<RunId>,
) -> Result<Vec<(PartKey, VerdictWord, WhyAsked)>> {
    let mut statement = db.prepare_cached(SQL)?;
    let of = named_params! { ":run": run.map(|run| run.0), ":limit": WEIGHED_MAX };
    let found = statement.query_map(of, read)?;
    found.filter_map(Result::transpose).collect()
}

fn read(row: &Row<'_>) -> Result<Option<(PartKey, VerdictWord, WhyAsked)>> {
    let key = PartKey { run: row.get("run_id")?, part: PartId(count(row, "part_number")?) };
    let verdict: VerdictWord = word(row, "verdict")?;
    let reasons: Vec<Reason> = match verdict {
        VerdictWord::Reject => json(row, "reasons_json")?,
        _ => vec![],
    };
    let label: Label = json(row, "label_json")?;
    Ok(difference(&reasons, &label).map(|why| (key, verdict, why)))
}

/// How they differ. When something was found for several reasons, one that the label names as well
/// is enough to agree.
fn difference(reasons: &[Reason], label: &Label) -> Option<WhyAsked> {
    let is_bad = label.judgement == Judgement::Bad;
    let marked: &[_] = if is_bad { &label.marks } else { &[] };
    let named = |reason: &Reason| marked.iter().any(|mark| mark.class == reason.kind);
    let agree = reasons.is_empty() != is_bad && (!is_bad || reasons.iter().any(named));
    let name = |class: &Arc<str>| class.to_string();
    (!agree).then(|| WhyAsked::LabelDiffers {
        model: reasons.first().map(|reason| name(&reason.kind)),
        label: marked.first().map(|mark| name(&mark.class)),
    })
}
