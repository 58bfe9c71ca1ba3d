//! The rows of the database: the one place that knows which column holds which of the domain's
//! words. What the columns mean is said in `schema.sql`.

pub(crate) mod read;
pub(crate) mod write;

/// A count or a time as SQLite has them; what is larger does not occur and stops at the end.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A place in a list as SQLite has them.
pub(crate) fn place(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
