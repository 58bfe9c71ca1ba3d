//! The values of a study: takes CSV text with a row a measurement, gives them by part, operator and
//! trial.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::Settings;

/// Measurements of every part by every operator, the same number of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    pub(super) parts: Vec<String>,
    pub(super) operators: Vec<String>,
    pub(super) trials: usize,
    /// By part, then operator, then trial.
    pub(super) values: Vec<f64>,
}

/// Why text is not a study.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum StudyRefused {
    /// No heading.
    #[error("line {line}: the heading is {got:?}, it must be part,operator,trial,value")]
    Heading {
        /// From 1.
        line: usize,
        /// As written.
        got: String,
    },
    /// A row with another number of cells.
    #[error("line {line}: {got} cells, it must be 4: part,operator,trial,value")]
    Cells {
        /// From 1.
        line: usize,
        /// Cells.
        got: usize,
    },
    /// An empty name.
    #[error("line {line}: {column} is empty")]
    Empty {
        /// From 1.
        line: usize,
        /// Which.
        column: &'static str,
    },
    /// Not a number.
    #[error(
        "line {line}: the value is {got:?}, it must be a number such as 12.34 (a point, no comma)"
    )]
    Number {
        /// From 1.
        line: usize,
        /// As written.
        got: String,
    },
    /// Measured twice under the same name.
    #[error(
        "line {line}: part {part}, operator {operator}, trial {trial} was already on line {before}"
    )]
    Twice {
        /// From 1.
        line: usize,
        /// From 1.
        before: usize,
        /// Its name.
        part: String,
        /// Their name.
        operator: String,
        /// Its name.
        trial: String,
    },
    /// Not everybody measured everything equally often.
    #[error(
        "unbalanced: part {part} by operator {operator} has {got} trials, others have {needed}: \
         measure what is missing"
    )]
    Unbalanced {
        /// Its name.
        part: String,
        /// Their name.
        operator: String,
        /// Trials.
        got: usize,
        /// Trials.
        needed: usize,
    },
    /// Too small a study.
    #[error(
        "{parts} parts, {operators} operators and {trials} trials: at least {least} {what} are \
         needed"
    )]
    TooSmall {
        /// Parts.
        parts: usize,
        /// Operators.
        operators: usize,
        /// Trials each.
        trials: usize,
        /// How many are needed.
        least: usize,
        /// Of what.
        what: &'static str,
    },
    /// The table of constants ends.
    #[error(
        "{what} is {got}; the average and range method has constants for {from} to {to}: use ANOVA"
    )]
    NoConstant {
        /// Which number.
        what: &'static str,
        /// As in the study.
        got: usize,
        /// At least.
        from: usize,
        /// At most.
        to: usize,
    },
    /// A tolerance that is none.
    #[error("the tolerance is {got}, it must be above 0")]
    Tolerance {
        /// As given.
        got: f64,
    },
}

const HEADING: [&str; 4] = ["part", "operator", "trial", "value"];

/// A row as written.
struct Row<'a> {
    line: usize,
    names: [&'a str; 3],
    value: f64,
}

impl Study {
    /// A study from CSV text with the heading `part,operator,trial,value`. Empty lines and lines
    /// that begin with `#` are skipped; names may be anything without a comma.
    ///
    /// # Errors
    /// Where a row is wrong, or not everybody measured everything equally often.
    pub fn from_csv(text: &str) -> Result<Self, StudyRefused> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (line, heading) = lines.next().unwrap_or((1, ""));
        if !heading.split(',').map(str::trim).eq(HEADING) {
            return Err(StudyRefused::Heading { line, got: heading.to_owned() });
        }
        let rows = lines.map(|(line, text)| row(line, text)).collect::<Result<Vec<_>, _>>()?;
        Self::of(&rows)
    }

    fn of(rows: &[Row<'_>]) -> Result<Self, StudyRefused> {
        let mut lines = BTreeMap::new();
        for row in rows {
            if let Some(before) = lines.insert(row.names, row.line) {
                let [part, operator, trial] = row.names.map(str::to_owned);
                return Err(StudyRefused::Twice { line: row.line, before, part, operator, trial });
            }
        }
        let (parts, operators) = (names(rows, 0), names(rows, 1));
        let mut cells: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for row in rows {
            cells.entry((row.names[0], row.names[1])).or_default().push(row.value);
        }
        let trials = cells.values().map(Vec::len).max().unwrap_or(0);
        let mut values = Vec::with_capacity(rows.len());
        for (part, operator) in parts.iter().flat_map(|p| operators.iter().map(move |o| (p, o))) {
            let cell = cells.get(&(part.as_str(), operator.as_str()));
            let got = cell.map_or(0, Vec::len);
            if got < trials {
                let (part, operator, needed) = (part.clone(), operator.clone(), trials);
                return Err(StudyRefused::Unbalanced { part, operator, got, needed });
            }
            values.extend(cell.into_iter().flatten());
        }
        Ok(Self { parts, operators, trials, values })
    }

    /// The parts' names, in the order of the text.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// The operators' names, in the order of the text.
    #[must_use]
    pub fn operators(&self) -> &[String] {
        &self.operators
    }

    /// How often everybody measured every part.
    #[must_use]
    pub const fn trials(&self) -> usize {
        self.trials
    }

    /// Whether there is enough of everything to reckon with.
    pub(super) fn check(
        &self,
        settings: &Settings,
        least_operators: usize,
    ) -> Result<(), StudyRefused> {
        let (parts, operators, trials) = (self.parts.len(), self.operators.len(), self.trials);
        let needs =
            [("parts", parts, 2), ("operators", operators, least_operators), ("trials", trials, 2)];
        if let Some((what, _, least)) = needs.into_iter().find(|(_, got, least)| got < least) {
            return Err(StudyRefused::TooSmall { parts, operators, trials, least, what });
        }
        match settings.tolerance {
            Some(got) if !(got.is_finite() && got > 0.0) => Err(StudyRefused::Tolerance { got }),
            _ => Ok(()),
        }
    }
}

fn row(line: usize, text: &str) -> Result<Row<'_>, StudyRefused> {
    let cells: Vec<&str> = text.split(',').map(str::trim).collect();
    let &[part, operator, trial, value] = cells.as_slice() else {
        return Err(StudyRefused::Cells { line, got: cells.len() });
    };
    let names = [part, operator, trial];
    if let Some(empty) = names.iter().position(|name| name.is_empty()) {
        return Err(StudyRefused::Empty { line, column: HEADING[empty] });
    }
    let number = value.parse::<f64>().ok().filter(|value| value.is_finite());
    let value = number.ok_or_else(|| StudyRefused::Number { line, got: value.to_owned() })?;
    Ok(Row { line, names, value })
}

/// The names in a column, each once, in the order in which they come.
fn names(rows: &[Row<'_>], column: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = rows.iter().map(|row| row.names[column]);
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}
