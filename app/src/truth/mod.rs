//! Takes a file that says what is true of some footage, gives what is true of each inspection.
//!
//! Three kinds are known, told apart by their header:
//!
//! | file | its header has | it knows |
//! |---|---|---|
//! | `truth.csv` or `.json` of the simulator | `part`, `entry_frame`, `track` | every part |
//! | `index.csv` of a folder of pictures | `file`, `label` | every picture |
//! | counts of videos | `video`, `count` | how many parts pass in a video |
//!
//! How an inspection and a true part are brought together is said in [`footage`] and [`files`].

mod counts;
mod files;
mod footage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::{ActedInspection, Sha256};
use thiserror::Error;

use crate::report::Row;
use counts::Counts;
use files::Files;
use footage::Footage;

const KNOWN: &str = "part,type,entry_frame,exit_frame,centre_frame,x,y,width,height,label,whole,\
                     track (the simulator's truth.csv); file,label,split,… (index.csv of a folder \
                     of pictures); video,event,…,count,note (parts counted in videos)";

/// What is true of some footage.
#[derive(Debug)]
pub struct Truth {
    /// The file it was read from.
    pub path: PathBuf,
    /// Hash of that file.
    pub hash: Sha256,
    known: Known,
}

#[derive(Debug)]
enum Known {
    Footage(Footage),
    Files(Files),
    Counts(Counts),
}

/// Truth that cannot be read or does not fit what was replayed.
#[derive(Debug, Error)]
pub enum TruthError {
    /// The file does not open.
    #[error("truth {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// None of the known headers.
    #[error("truth {} line 1: unknown header `{header}`; known are {KNOWN}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What it begins with.
        header: String,
    },
    /// The simulator's truth is broken.
    #[error("truth {}: {source}", path.display())]
    Footage {
        /// The file.
        path: PathBuf,
        /// Which line and column, and what would be right.
        source: testdata::TruthError,
    },
    /// Not a table.
    #[error("truth {}: {source}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Which line, and what is wrong.
        source: csv::Error,
    },
    /// A cell that cannot be read.
    #[error("truth {} line {line}, column `{column}`: `{value}` is not {right}", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// Which line, from 1; the header is line 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What is there.
        value: String,
        /// What would be right.
        right: String,
    },
    /// A split was asked for that is not there.
    #[error("truth {}: there is no split `{split}`; there is {known}", path.display())]
    Split {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        split: String,
        /// What is there.
        known: String,
    },
    /// The name of a replayed picture fits two lines of the truth.
    #[error(
        "truth: the picture `{origin}` may be `{one}` or `{other}`; replay their common folder"
    )]
    Ambiguous {
        /// The picture.
        origin: String,
        /// One line.
        one: String,
        /// Another.
        other: String,
    },
    /// The replayed video is not counted.
    #[error("truth {}: no count for the video `{video}`, but for {known}", path.display())]
    Video {
        /// The file.
        path: PathBuf,
        /// The replayed video's name.
        video: String,
        /// Which are counted.
        known: String,
    },
}

/// What was there to be found: what the truth knows beyond it is not lost.
#[derive(Clone, Copy, Debug)]
pub struct Offered<'a> {
    /// How many frames were offered, from frame 0.
    pub frames: u64,
    /// Which files; `None` when not known, so that all that the truth knows was offered.
    pub files: Option<&'a [String]>,
}

/// What became of a part that the truth knows. Rows by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This row is its inspection.
    Inspected(usize),
    /// This row is of several parts that touch, this one among them; its answer went for all.
    MergedInto(usize),
    /// Nothing was found where it was: nobody answered for it.
    Lost,
}

impl Fate {
    /// The row that answered for the part.
    #[must_use]
    pub const fn row(self) -> Option<usize> {
        match self {
            Self::Inspected(row) | Self::MergedInto(row) => Some(row),
            Self::Lost => None,
        }
    }
}

/// A part that the truth knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPart {
    /// What the truth calls it: `part 12`, `images/0012.png`.
    pub name: String,
    /// What is wrong with it; empty when it is good.
    pub labels: BTreeSet<String>,
    /// What became of it.
    pub fate: Fate,
}

impl KnownPart {
    /// Whether something is wrong with it.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !self.labels.is_empty()
    }
}

/// Inspections held against the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Every part that was there to be found, in the truth's order.
    pub parts: Vec<KnownPart>,
    /// Rows of places where the truth knows of no part that is not answered for already.
    pub extra: Vec<usize>,
    /// Rows of which the truth says nothing: pictures that it does not list or that belong to
    /// another split, and fail-safe answers for parts that were never looked at.
    pub unjudged: Vec<usize>,
    /// Parts that the truth knows but that were not there to be found.
    pub not_offered: u64,
}

impl Truth {
    /// Reads truth of any known kind; `split` keeps only the pictures of that split.
    ///
    /// # Errors
    /// When the file is none of the known kinds, is broken (which line, which column, what would
    /// be right), or has no such split.
    pub fn load(path: &Path, split: Option<&str>) -> Result<Self, TruthError> {
        let bytes = std::fs::read(path)
            .map_err(|source| TruthError::File { path: path.to_owned(), source })?;
        let known = known_from(path, &bytes, split)?;
        Ok(Self { path: path.to_owned(), hash: Sha256::of(&bytes), known })
    }

    /// Holds `rows` against what is known; `None` when only the number of parts is known.
    ///
    /// # Errors
    /// When a picture's name fits two lines of the truth.
    pub fn judge(&self, rows: &[Row], offered: Offered<'_>) -> Result<Option<Judged>, TruthError> {
        match &self.known {
            Known::Footage(footage) => Ok(Some(footage.judge(rows, offered))),
            Known::Files(files) => files.judge(rows, offered).map(Some),
            Known::Counts(_) => Ok(None),
        }
    }

    /// How many parts pass in the video `source`; `None` when this truth is not of counts.
    ///
    /// # Errors
    /// When this truth is of counts but not of that video.
    pub fn count_in(&self, source: &str) -> Result<Option<u64>, TruthError> {
        match &self.known {
            Known::Counts(counts) => counts.of(source, &self.path).map(Some),
            Known::Footage(_) | Known::Files(_) => Ok(None),
        }
    }

    /// Whether what the gate was told of this part contradicts the truth: a bad part passed, a
    /// good part rejected, or a part where none is. Looks at this inspection alone, so that
    /// pictures can be kept while the line runs; [`Truth::judge`] has the last word.
    #[must_use]
    pub fn disagrees(&self, acted: &ActedInspection) -> bool {
        let (views, gate) = (&acted.inspection.views, acted.gate);
        match &self.known {
            Known::Footage(footage) => footage.disagrees(views, &acted.inspection.condition, gate),
            Known::Files(files) => files.disagrees(views, gate),
            Known::Counts(_) => false,
        }
    }
}

fn known_from(path: &Path, bytes: &[u8], split: Option<&str>) -> Result<Known, TruthError> {
    let unsplit = |known: Known| match split {
        None => Ok(known),
        Some(split) => Err(TruthError::Split {
            path: path.to_owned(),
            split: split.to_owned(),
            known: "no column `split` in this kind of truth, so leave the split out".to_owned(),
        }),
    };
    if path.extension().is_some_and(|extension| extension == "json") {
        return unsplit(Known::Footage(Footage::from_json(path, bytes)?));
    }
    let table = Table::open(path, bytes)?;
    if table.has(&["part", "entry_frame", "track"]) {
        unsplit(Known::Footage(Footage::from_csv(path, bytes)?))
    } else if table.has(&["file", "label"]) {
        Ok(Known::Files(Files::from_table(table, split)?))
    } else if table.has(&["video", "count"]) {
        unsplit(Known::Counts(Counts::from_table(table)?))
    } else {
        let header = table.header.iter().collect::<Vec<_>>().join(",");
        let header = header.chars().take(200).collect();
        Err(TruthError::Header { path: path.to_owned(), header })
    }
}

/// A table whose columns are asked for by name, in any order; other columns are let be.
struct Table<'a> {
    path: &'a Path,
    header: csv::StringRecord,
    rows: csv::Reader<&'a [u8]>,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, TruthError> {
        let mut rows = csv::Reader::from_reader(bytes);
        match rows.headers() {
            Ok(header) => Ok(Self { path, header: header.clone(), rows }),
            Err(source) => Err(TruthError::Csv { path: path.to_owned(), source }),
        }
    }

    fn has(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.column(column).is_some())
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column.trim() == name)
    }

    fn next(&mut self) -> Result<Option<Line>, TruthError> {
        let mut record = csv::StringRecord::new();
        match self.rows.read_record(&mut record) {
            Ok(more) => Ok(more.then_some(Line(record))),
            Err(source) => Err(TruthError::Csv { path: self.path.to_owned(), source }),
        }
    }

    /// What stands in `column`; empty when there is no such column.
    fn cell<'l>(&self, line: &'l Line, column: &str) -> &'l str {
        self.column(column).and_then(|at| line.0.get(at)).unwrap_or_default()
    }

    fn wrong(&self, line: &Line, column: &'static str, right: impl Into<String>) -> TruthError {
        TruthError::Cell {
            path: self.path.to_owned(),
            line: line.number(),
            column,
            value: self.cell(line, column).to_owned(),
            right: right.into(),
        }
    }
}

/// A line of a [`Table`].
struct Line(csv::StringRecord);

impl Line {
    fn number(&self) -> u64 {
        self.0.position().map_or(0, csv::Position::line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn load(name: &str, text: &str, split: Option<&str>) -> Result<Truth, TruthError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        Truth::load(&path, split)
    }

    const FOOTAGE: &str = "part,type,entry_frame,exit_frame,centre_frame,x,y,width,height,label,\
                           whole,track\n1,flange,0,9,5,0,4,20,10,dent,true,0:-20:4;9:30:4\n";

    #[test]
    fn the_header_tells_the_kind() {
        let offered = Offered { frames: 10, files: None };
        let judged = |truth: Truth| truth.judge(&[], offered).unwrap().map(|j| j.parts.len());
        assert_eq!(judged(load("t.csv", FOOTAGE, None).unwrap()), Some(1));
        assert_eq!(judged(load("i.csv", "\u{feff}label,file\nok,a\n", None).unwrap()), Some(1));
        let counts = load("c.csv", "video,event,count\na.mp4,1,2\n", None).unwrap();
        assert_eq!(counts.count_in("x/a.mp4").unwrap(), Some(2));
        assert_eq!(judged(counts), None);
        let json = r#"{"schema":1,"seed":1,"width":9,"height":9,"fps":5,"frames":9,"parts":[]}"#;
        assert_eq!(judged(load("t.json", json, None).unwrap()), Some(0));
    }

    #[test]
    fn an_unknown_header_is_told_what_is_known() {
        for text in ["", "a,b\n1,2\n", "{}"] {
            let error = load("x.csv", text, None).unwrap_err().to_string();
            for known in ["entry_frame", "index.csv", "video,event"] {
                assert!(error.contains(known), "{error}");
            }
        }
    }

    #[test]
    fn a_broken_table_is_named_by_file_line_and_column() {
        let error = load("t.csv", &FOOTAGE.replace(",true,", ",yes,"), None).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("t.csv: truth.csv line 2") && said.contains("whole"), "{said}");
        let error = load("t.csv", FOOTAGE, Some("val")).unwrap_err().to_string();
        assert!(error.contains("leave the split out"), "{error}");
        let error = Truth::load(Path::new("/nowhere/t.csv"), None).unwrap_err().to_string();
        assert!(error.contains("/nowhere/t.csv"), "{error}");
    }
}
