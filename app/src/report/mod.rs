//! Takes the inspections of a run, what is true of them and the run around them; gives the report
//! as numbers (`report.json`), as a table for the terminal and as a page (`report.html`).
//!
//! # What the numbers mean
//!
//! A part is *bad* when the truth names anything wrong with it, and *good* otherwise. What counts
//! is what the **gate was told**, not what the verdict was called: an undecided part counts as
//! rejected or passed, whichever the recipe sends to the gate. How much of each number is owed to
//! undecided parts is printed beside it.
//!
//! | number | is |
//! |---|---|
//! | escape | bad parts that the gate was told to pass, or that were lost, of all bad parts |
//! | overkill | good parts that the gate was told to reject, of all good parts that were found |
//! | lost | parts that the truth knows and that nobody answered for: missed entirely |
//! | merged | parts that were answered for together with another that they touch |
//! | extra | inspections of places where no part is |
//! | recall of a kind | bad parts with that defect that the gate was told to reject, of all such |
//!
//! Each rate has its two-sided 95 % interval after Clopper and Pearson ([`models::rate::Rate`]).
//! With no truth, or no part of that sort in it, `of` is 0 and the rate is `null`: it was not
//! measured.

mod facts;
pub mod fail_on;
pub mod html;
mod numbers;
pub mod row;
pub mod scores;
mod table;
pub mod words;

#[cfg(test)]
pub(crate) mod fake;

pub use facts::{Facts, LatencyMs};
pub use fail_on::{FailOn, Violation};
pub use html::{GalleryPicture, page};
pub use numbers::Report;
pub use row::Row;
