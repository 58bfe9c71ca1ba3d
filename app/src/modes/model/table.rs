//! Columns for people to read: takes rows of cells, gives lines in which they stand below each
//! other. The last column is not padded.

/// `rows` with two spaces between columns, every line after `indent` spaces.
pub fn aligned<const N: usize>(indent: usize, rows: &[[String; N]]) -> String {
    let wide =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..N).map(wide).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{:indent$}{}", "", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows =
            [["a", "bb", "c"], ["äöü", "", "long last cell"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(2, &rows), "  a    bb  c\n  äöü      long last cell");
        assert_eq!(aligned::<2>(0, &[]), "");
    }
}
