//! Takes a line of `inspections.jsonl`, gives what the report needs of it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use domain::{
    ActedInspection, CaptureTime, Defect, GateSignal, PartCondition, PartId, PlcAnswer, Verdict,
    ViewRecord,
};
use serde::Deserialize;
use thiserror::Error;

/// One part as it was answered: a line of `inspections.jsonl` without what the report ignores.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row {
    /// Which part.
    pub part: PartId,
    /// When it was triggered.
    pub triggered_at: CaptureTime,
    /// What was said of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The highest score of any defect the recipe looks at.
    pub score: f32,
    /// Whether it is one whole part.
    pub condition: PartCondition,
    /// Everything found.
    pub defects: Vec<Defect>,
    /// Which pictures; none when the fail-safe answered for a part that was never looked at.
    pub views: Vec<ViewRecord>,
    /// What the gate was told.
    pub gate: GateSignal,
    /// What the PLC answered.
    #[serde(flatten)]
    pub plc: PlcAnswer,
}

/// Inspections that cannot be read.
#[derive(Debug, Error)]
pub enum RowError {
    /// The file does not open or breaks off.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is no inspection.
    #[error("{} line {line}: {source}; each line is one inspection as JSON", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Row {
    /// Reads one line.
    ///
    /// # Errors
    /// When it is not an inspection with its answer.
    pub fn from_json(line: &str) -> serde_json::Result<Self> {
        serde_json::from_str(line)
    }

    /// Reads `inspections.jsonl`, one inspection a line; empty lines are let be.
    ///
    /// # Errors
    /// The first line that is not an inspection, by its number.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, RowError> {
        let in_file = |source| RowError::File { path: path.to_owned(), source };
        let mut rows = Vec::new();
        for (index, line) in BufReader::new(File::open(path).map_err(in_file)?).lines().enumerate()
        {
            let line = line.map_err(in_file)?;
            if line.trim().is_empty() {
                continue;
            }
            rows.push(Self::from_json(&line).map_err(|source| RowError::Line {
                path: path.to_owned(),
                line: index + 1,
                source,
            })?);
        }
        Ok(rows)
    }
}

impl From<&ActedInspection> for Row {
    fn from(acted: &ActedInspection) -> Self {
        let inspection = &acted.inspection;
        Self {
            part: inspection.part,
            triggered_at: inspection.triggered_at,
            verdict: inspection.verdict.clone(),
            score: inspection.score,
            condition: inspection.condition.clone(),
            defects: inspection.defects.clone(),
            views: inspection.views.clone(),
            gate: acted.gate,
            plc: acted.plc.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use domain::{FindingFault, Why};
    use std::io::Write;

    #[test]
    fn what_the_line_writes_is_read_back() {
        let whys = [
            Why::Deadline,
            Why::PartCut,
            Why::PartsMerged { parts_estimated: 3 },
            Why::NoFinding { cause: FindingFault::NotFinite { output: "map".to_owned() } },
            Why::NoFinding { cause: FindingFault::Runtime { message: "oom".to_owned() } },
        ];
        let verdicts = [Verdict::Pass, fake::reject("scratch", 0.9)]
            .into_iter()
            .chain(whys.map(|why| Verdict::Undecided { why }));
        for verdict in verdicts {
            for condition in [
                PartCondition::Whole,
                PartCondition::Cut,
                PartCondition::Merged { parts_estimated: 3 },
            ] {
                let mut acted = fake::acted(7, verdict.clone());
                acted.inspection.condition = condition;
                acted.plc = PlcAnswer::Failed { message: "no route".to_owned() };
                let line = serde_json::to_string(&acted).unwrap();
                assert_eq!(Row::from_json(&line).unwrap(), Row::from(&acted), "{line}");
            }
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let good = serde_json::to_string(&fake::acted(1, Verdict::Pass)).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{good}\n\n{good}").unwrap();
        assert_eq!(Row::read_all(file.path()).unwrap().len(), 2);
        writeln!(file, "{{\"part\":3}}").unwrap();
        let error = Row::read_all(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 4") && error.contains("missing field"), "{error}");
    }
}
