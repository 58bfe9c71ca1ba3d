//! Labelled pictures on disk: takes an `index.csv`, gives its rows, checked.
//!
//! One row a picture. Columns: `file` (path inside the index's folder), `label` (`ok`, a defect
//! class, or several joined by `|`), `split`, `mask` (8-bit PNG, 255 = defect; empty when none),
//! `boxes` (`x1 y1 x2 y2 class` joined by `;`, pixels, x2 and y2 exclusive), `group` (pictures of
//! one physical part share it; never split between training and testing). Other columns are
//! carried by the file and not read.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// The label of pictures without a defect.
pub const OK: &str = "ok";

/// Why an index is not taken.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum IndexError {
    /// The file can't be read, or is no CSV with the columns.
    #[error(
        "{}: {message}; right would be: a CSV with the columns file, label, split, mask, boxes, \
         group", .file.display()
    )]
    Unreadable { file: PathBuf, message: String },
    /// A value of a row makes no sense.
    #[error("{} line {line}: `{column}`: {problem}; right would be: {right}", .file.display())]
    WrongValue { file: PathBuf, line: u64, column: &'static str, problem: String, right: String },
    /// No row is of the split.
    #[error("{}: no row of the split `{split}`; there are {there:?}", .file.display())]
    NoSuchSplit { file: PathBuf, split: String, there: Vec<String> },
}

/// The rows of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The file.
    pub file: PathBuf,
    /// Its rows, in its order.
    pub rows: Vec<Row>,
}

/// A labelled picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    /// The picture, inside the index's folder.
    pub file: PathBuf,
    /// `ok`, or the defect classes that are in it.
    pub labels: Vec<String>,
    /// Which part of the data it belongs to.
    pub split: String,
    /// Which pixels are defective.
    pub mask: Option<PathBuf>,
    /// Where the defects are.
    pub boxes: Vec<LabelledBox>,
    /// Pictures of one physical part share it; the file's name where the index says none.
    pub group: String,
}

/// A defect's box, in pixels; right and bottom exclusive.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledBox {
    /// Left, top, right, bottom.
    pub corners: [f32; 4],
    /// The defect class.
    pub label: String,
}

/// A row as it is written.
#[derive(Deserialize)]
struct Written {
    file: String,
    label: String,
    #[serde(default)]
    split: String,
    #[serde(default)]
    mask: String,
    #[serde(default)]
    boxes: String,
    #[serde(default)]
    group: String,
}

impl Row {
    /// Whether it shows a defect.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.labels.iter().any(|label| label != OK)
    }
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// When the file can't be read, a column is missing, or a value makes no sense.
    pub fn read(file: &Path) -> Result<Self, IndexError> {
        let unreadable = |error: csv::Error| IndexError::Unreadable {
            file: file.to_owned(),
            message: error.to_string(),
        };
        let mut reader = csv::Reader::from_path(file).map_err(unreadable)?;
        let mut rows = Vec::new();
        for written in reader.deserialize() {
            let written: Written = written.map_err(unreadable)?;
            // The header is line 1.
            let line = rows.len() as u64 + 2;
            let row = row_from_written(&written, line).map_err(|(column, problem, right)| {
                IndexError::WrongValue { file: file.to_owned(), line, column, problem, right }
            })?;
            rows.push(row);
        }
        Ok(Self { file: file.to_owned(), rows })
    }

    /// As a model reads it that calls good parts `good`: rows of that label are good ones.
    #[must_use]
    pub fn with_good(mut self, good: &str) -> Self {
        let labels = self.rows.iter_mut().flat_map(|row| &mut row.labels);
        labels.filter(|label| **label == good).for_each(|label| OK.clone_into(label));
        self
    }

    /// The rows of a split.
    ///
    /// # Errors
    /// When there are none.
    pub fn of_split(&self, split: &str) -> Result<Vec<&Row>, IndexError> {
        let rows: Vec<_> = self.rows.iter().filter(|row| row.split == split).collect();
        if !rows.is_empty() {
            return Ok(rows);
        }
        let mut there: Vec<_> = self.rows.iter().map(|row| row.split.clone()).collect();
        there.sort();
        there.dedup();
        Err(IndexError::NoSuchSplit { file: self.file.clone(), split: split.to_owned(), there })
    }

    /// Where a file that a row names lies.
    #[must_use]
    pub fn path(&self, named: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(named)
    }
}

type Wrong = (&'static str, String, String);

fn row_from_written(written: &Written, line: u64) -> Result<Row, Wrong> {
    let file = inside("file", &written.file)?;
    let labels: Vec<_> = written.label.split('|').map(|label| label.trim().to_owned()).collect();
    if labels.iter().any(String::is_empty) || (labels.len() > 1 && labels.iter().any(|l| l == OK)) {
        let right = format!("`{OK}`, or defect classes joined by `|`");
        return Err(("label", format!("it is `{}`", written.label), right));
    }
    let mask = match &*written.mask {
        "" => None,
        mask => Some(inside("mask", mask)?),
    };
    let boxes = written.boxes.split(';').map(str::trim).filter(|text| !text.is_empty());
    let boxes = boxes.map(box_from_text).collect::<Result<_, _>>()?;
    let group = if written.group.is_empty() { &written.file } else { &written.group };
    let (split, group) = (written.split.clone(), group.clone());
    Ok(Row { line, file, labels, split, mask, boxes, group })
}

fn inside(column: &'static str, text: &str) -> Result<PathBuf, Wrong> {
    let path = PathBuf::from(text);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if inside && !text.is_empty() {
        return Ok(path);
    }
    Err((column, format!("it is `{text}`"), "a path downwards, without `..`".to_owned()))
}

fn box_from_text(text: &str) -> Result<LabelledBox, Wrong> {
    let wrong = || {
        let right = "`x1 y1 x2 y2 class`, with x1 < x2 and y1 < y2".to_owned();
        ("boxes", format!("it holds `{text}`"), right)
    };
    let mut words = text.splitn(5, ' ');
    let mut corners = [0.0_f32; 4];
    for corner in &mut corners {
        let word = words.next().and_then(|word| word.parse::<f32>().ok());
        *corner = word.filter(|corner| corner.is_finite()).ok_or_else(wrong)?;
    }
    let label = words.next().map(str::trim).filter(|label| !label.is_empty()).ok_or_else(wrong)?;
    if corners[0] >= corners[2] || corners[1] >= corners[3] {
        return Err(wrong());
    }
    Ok(LabelledBox { corners, label: label.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Index, IndexError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("index.csv");
        std::fs::write(&file, text).unwrap();
        Index::read(&file)
    }

    #[test]
    fn rows_are_read() {
        let index = read(
            "file,label,split,mask,boxes,width,group\n\
             a.png,ok,train,,,5,p1\n\
             b/c.jpg,dent|crack,val,m.png,1 2 3 4 dent;5 6 7 8 long crack,5,\n",
        )
        .unwrap();
        let [good, bad] = index.rows.as_slice() else { panic!("{index:?}") };
        assert!(!good.is_bad() && bad.is_bad());
        assert_eq!((&*good.group, &*bad.group), ("p1", "b/c.jpg"));
        assert_eq!(bad.boxes[1].corners, [5.0, 6.0, 7.0, 8.0]);
        assert_eq!(bad.boxes[1].label, "long crack");
        assert_eq!(index.of_split("val").unwrap(), [bad]);
        assert!(index.of_split("test").unwrap_err().to_string().contains("\"train\", \"val\""));
    }

    #[test]
    fn good_parts_may_be_called_otherwise() {
        let index = read("file,label\na.png,red\nb.png,dent\nc.png,ok\n").unwrap();
        let bad: Vec<_> = index.with_good("red").rows.iter().map(Row::is_bad).collect();
        assert_eq!(bad, [false, true, false]);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        for (row, named) in [
            ("../a.png,ok,,,", "`file`"),
            ("/a.png,ok,,,", "`file`"),
            ("a.png,,,,", "`label`"),
            ("a.png,ok|dent,,,", "`label`"),
            ("a.png,dent,,../m.png,", "`mask`"),
            ("a.png,dent,,,1 2 3 dent", "`boxes`"),
            ("a.png,dent,,,3 2 1 4 dent", "`boxes`"),
            ("a.png,dent,,,1 2 nan 4 dent", "`boxes`"),
        ] {
            let text = format!("file,label,split,mask,boxes\nb.png,ok,,,\n{row}\n");
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("line 3"), "{error}");
        }
        assert!(read("file,split\na.png,train\n").unwrap_err().to_string().contains("label"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = read(&format!("file,label,split,mask,boxes\n{text}\n"));
        }
    }
}
