//! Which part of the picture the views reach: takes points; gives cells without any.

use domain::SizePx;
use serde::{Deserialize, Serialize};

use crate::target::Px;

/// How many points lie in each ninth of the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// `[row][column]`, from the top left.
    pub points: [[u32; 3]; 3],
}

const NAMES: [[&str; 3]; 3] = [
    ["upper left", "top", "upper right"],
    ["left side", "middle", "right side"],
    ["lower left", "bottom", "lower right"],
];

impl Coverage {
    /// Of pictures of `size`, by `points` of targets in them.
    #[must_use]
    pub fn new(size: SizePx, points: impl IntoIterator<Item = Px>) -> Self {
        let mut cells = [[0; 3]; 3];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let third = |at: f64, pixels: u32| (((at + 0.5) * 3.0 / f64::from(pixels)) as usize).min(2);
        for at in points {
            cells[third(at.y, size.height)][third(at.x, size.width)] += 1;
        }
        Self { points: cells }
    }

    /// What to do about cells without points, one sentence each.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let empty = |(row, column): &(usize, usize)| self.points[*row][*column] == 0;
        let cells = (0..3).flat_map(|row| (0..3).map(move |column| (row, column)));
        let say = |(row, column): (usize, usize)| {
            format!("no view covers the {}; hold the target there", NAMES[row][column])
        };
        cells.filter(empty).map(say).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_points_are_named() {
        let size = SizePx::new(300, 150);
        let mut points = Vec::new();
        for i in 0..9 {
            points.push(Px::new(f64::from(i % 3) * 100.0 + 50.0, f64::from(i / 3) * 50.0 + 25.0));
        }
        assert!(Coverage::new(size, points.clone()).advice().is_empty());
        points.remove(5);
        points.remove(0);
        let advice = Coverage::new(size, points).advice();
        assert_eq!(advice.len(), 2);
        assert!(advice[0].contains("covers the upper left"), "{advice:?}");
        assert!(advice[1].contains("covers the right side"), "{advice:?}");
    }

    #[test]
    fn the_picture_s_edge_belongs_to_it() {
        let corners = [Px::new(-0.5, -0.5), Px::new(299.5, 149.5)];
        let coverage = Coverage::new(SizePx::new(300, 150), corners);
        assert_eq!((coverage.points[0][0], coverage.points[2][2]), (1, 1));
    }
}
