//! What people said of parts: takes labels and who said them, gives them back, newest first, with
//! those that hold.
//!
//! Every label ever given is kept. Of one person only the last on a part holds; what is withdrawn
//! holds no longer, and the one before it does again. The label *in force* of a part is the newest
//! that holds and is not a second opinion.

use domain::{Label, PartKey, PersonId, Role, WallTime};

use crate::{Reader, Store, StoreError};

/// A label as it stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelRow {
    /// Running number, never used twice.
    pub id: i64,
    /// The part.
    pub key: PartKey,
    /// When it was said.
    pub at: WallTime,
    /// Who said it.
    pub by: PersonId,
    /// What they were then.
    pub role: Role,
    /// What they said.
    pub label: Label,
    /// Whether it was asked for to compare it with another person's, who it does not replace.
    pub is_second: bool,
    /// Whether it holds: neither replaced nor withdrawn.
    pub holds: bool,
}

/// A label to be written.
#[derive(Clone, Debug)]
pub struct NewLabel<'a> {
    /// The part; it must be in the store.
    pub key: PartKey,
    /// When it is said.
    pub at: WallTime,
    /// Who says it.
    pub by: &'a PersonId,
    /// What they are.
    pub role: Role,
    /// What they say; checked again here.
    pub label: &'a Label,
    /// See [`LabelRow::is_second`].
    pub is_second: bool,
}

/// The write half for labels and the audit log. What a method returned is on disk: no kill and no
/// power cut takes it back.
#[derive(Debug)]
pub struct Labels {}

impl Store {
    /// The write half for labels.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn labels(&self) -> Result<Labels, StoreError> {
        todo!()
    }
}

impl Labels {
    /// Writes down a label and, in the same transaction, its entry in the audit log.
    ///
    /// # Errors
    /// When the part is not there, the label contradicts itself, or it can't be written.
    pub fn add(&mut self, _new: &NewLabel<'_>) -> Result<LabelRow, StoreError> {
        todo!()
    }

    /// Takes back the last label of `by` on a part that holds; gives the one that holds again, if
    /// any.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn withdraw(
        &mut self,
        _key: PartKey,
        _by: &PersonId,
        _at: WallTime,
    ) -> Result<Option<LabelRow>, StoreError> {
        todo!()
    }
}

impl Reader {
    /// Every label of a part, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn labels(&self, _key: PartKey) -> Result<Vec<LabelRow>, StoreError> {
        todo!()
    }

    /// The labels in force, in order of their parts, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn labelled(
        &self,
        _after: Option<PartKey>,
        _limit: u32,
    ) -> Result<Vec<LabelRow>, StoreError> {
        todo!()
    }
}
