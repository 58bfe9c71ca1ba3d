//! Words of the Review page.

/// The words.
pub struct Words {}

pub const ENGLISH: Words = Words {};

pub const GERMAN: Words = Words {};
