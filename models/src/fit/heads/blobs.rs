//! Cells that touch: takes which cells of a grid are marked, gives the groups they form, corners
//! included; the rule by which the station makes defects of a segmenter's answer.

/// Marked cells that touch each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blob {
    /// In no order.
    pub cells: Vec<usize>,
    width: usize,
}

impl Blob {
    /// The side of a square as large as the box around it, in cells.
    pub fn side(&self) -> f64 {
        let (columns, rows) = (|cell: &usize| cell % self.width, |cell: &usize| cell / self.width);
        let span = |of: &dyn Fn(&usize) -> usize| {
            let (low, high) = (self.cells.iter().map(of).min(), self.cells.iter().map(of).max());
            #[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
            let span = (high.unwrap_or(0) + 1 - low.unwrap_or(0)) as f64;
            span
        };
        (span(&columns) * span(&rows)).sqrt()
    }
}

/// The groups in `marked`, rows of `width`, in the order of their first cells.
pub(super) fn blobs(mut marked: Vec<bool>, width: usize) -> Vec<Blob> {
    let height = marked.len() / width.max(1);
    let mut blobs = Vec::new();
    for start in 0..marked.len() {
        if !std::mem::take(&mut marked[start]) {
            continue;
        }
        let mut cells = vec![start];
        let mut next = 0;
        while let Some(&cell) = cells.get(next) {
            next += 1;
            let (x, y) = (cell % width, cell / width);
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::take(&mut marked[y * width + x]) {
                        cells.push(y * width + x);
                    }
                }
            }
        }
        blobs.push(Blob { cells, width });
    }
    blobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_touch_and_borders_do_not_wrap() {
        let marked = "#..# .#.. ...#".replace(' ', "").chars().map(|c| c == '#').collect();
        let found = blobs(marked, 4);
        assert_eq!(
            found.iter().map(|b| b.cells.clone()).collect::<Vec<_>>(),
            [vec![0, 5], vec![3], vec![11]]
        );
        assert_eq!(found[0].side(), 2.0);
        assert!(blobs(vec![false; 6], 3).is_empty());
    }
}
