//! Which part of the picture the views reach: takes points; gives cells without any.

use serde::{Deserialize, Serialize};

/// How many points lie in each ninth of the picture, rows from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Points in each cell: `[row][column]`.
    pub points: [[u32; 3]; 3],
}

impl Coverage {
    /// What to do about cells without points, one sentence each: "no view covers the upper left".
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        todo!()
    }
}
