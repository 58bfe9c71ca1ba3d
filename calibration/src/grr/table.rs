//! The values of a study: takes CSV text with a row a measurement, gives them by part, operator and
//! trial.

use thiserror::Error;

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
    #[error("line {line}: the value is {got:?}, it must be a number such as 12.34 (a point, no comma)")]
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
    #[error("{what} is {got}; the average and range method has constants for {from} to {to}: use ANOVA")]
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
