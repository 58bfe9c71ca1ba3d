//! Takes the `index.csv` of a folder of pictures, gives what is true of each picture's inspection.
//!
//! A line of the table is one picture of one part: `label` is `ok` or what is wrong with it, kinds
//! joined by `|`. The rules by which inspections are judged:
//!
//! - An inspection belongs to the line whose `file` is the file that its first view was read
//!   from. Names are compared from the end, folder by folder, as far as the shorter one goes;
//!   a name that fits two lines equally well is refused.
//! - An inspection of a picture that is not listed, or belongs to another split, is not judged.
//! - Of several inspections of one picture a reject counts before a pass, since a gate that hears
//!   a reject throws the part out; the others are extra.
//! - A listed picture that was offered and has no inspection is lost.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{GateSignal, ViewRecord};

use super::{Fate, Judged, KnownPart, Line, Offered, Table, TruthError};
use crate::report::Row;

/// Every picture that the table lists, of all splits.
#[derive(Debug)]
pub(super) struct Files {
    pictures: Vec<Picture>,
    /// Pictures by the last part of their names.
    by_name: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Picture {
    file: String,
    labels: BTreeSet<String>,
    /// Whether it belongs to the split that was asked for.
    is_asked_for: bool,
}

impl Files {
    pub(super) fn from_table(
        mut table: Table<'_>,
        split: Option<&str>,
    ) -> Result<Self, TruthError> {
        let (mut pictures, mut by_name) = (Vec::new(), HashMap::<String, Vec<usize>>::new());
        let (mut lines, mut splits) = (HashMap::new(), BTreeSet::new());
        while let Some(line) = table.next()? {
            let picture = picture_from(&table, &line, split)?;
            if let Some(first) = lines.insert(picture.file.clone(), line.number()) {
                let right = format!("a file of its own: line {first} has it already");
                return Err(table.wrong(&line, "file", right));
            }
            splits.insert(table.cell(&line, "split").trim().to_owned());
            let name = last_of(&picture.file).to_owned();
            by_name.entry(name).or_default().push(pictures.len());
            pictures.push(picture);
        }
        match split {
            Some(split) if !splits.contains(split) => Err(TruthError::Split {
                path: table.path.to_owned(),
                split: split.to_owned(),
                known: splits.into_iter().collect::<Vec<_>>().join(", "),
            }),
            _ => Ok(Self { pictures, by_name }),
        }
    }

    pub(super) fn judge(&self, rows: &[Row], offered: Offered<'_>) -> Result<Judged, TruthError> {
        let mut judged = Judged::default();
        let mut answers = BTreeMap::<usize, Vec<usize>>::new();
        for (index, row) in rows.iter().enumerate() {
            match self.picture_of(&row.views)? {
                Some(picture) => answers.entry(picture).or_default().push(index),
                None => judged.unjudged.push(index),
            }
        }
        let offered = self.offered(offered)?;
        for (index, picture) in self.pictures.iter().enumerate().filter(|(_, p)| p.is_asked_for) {
            let answers = answers.get(&index).map_or(&[][..], Vec::as_slice);
            let rejects = answers.iter().find(|&&row| rows[row].gate == GateSignal::Reject);
            let fate = match rejects.or(answers.first()) {
                Some(&row) => {
                    judged.extra.extend(answers.iter().filter(|&&other| other != row));
                    Fate::Inspected(row)
                }
                None if offered.as_ref().is_none_or(|files| files.contains(&index)) => Fate::Lost,
                None => {
                    judged.not_offered += 1;
                    continue;
                }
            };
            let (name, labels) = (picture.file.clone(), picture.labels.clone());
            judged.parts.push(KnownPart { name, labels, fate });
        }
        Ok(judged)
    }

    pub(super) fn disagrees(&self, views: &[ViewRecord], gate: GateSignal) -> bool {
        let Ok(Some(picture)) = self.picture_of(views) else { return false };
        self.pictures[picture].labels.is_empty() == (gate == GateSignal::Reject)
    }

    /// The picture that the first view was read from, when it is asked for.
    fn picture_of(&self, views: &[ViewRecord]) -> Result<Option<usize>, TruthError> {
        let Some(origin) = views.first().and_then(|view| view.origin.as_deref()) else {
            return Ok(None);
        };
        Ok(self.find(origin)?.filter(|&picture| self.pictures[picture].is_asked_for))
    }

    fn offered(&self, offered: Offered<'_>) -> Result<Option<HashSet<usize>>, TruthError> {
        let Some(files) = offered.files else { return Ok(None) };
        let found = files.iter().filter_map(|file| self.find(file).transpose());
        found.collect::<Result<_, _>>().map(Some)
    }

    fn find(&self, origin: &str) -> Result<Option<usize>, TruthError> {
        let origin = normal(origin);
        let same_name = self.by_name.get(last_of(&origin)).map_or(&[][..], Vec::as_slice);
        let fits = |&&at: &&usize| fit(&self.pictures[at].file, &origin);
        let mut fitting = same_name.iter().filter(fits);
        let first = fitting.next();
        // A name in full is never in doubt.
        let exact = same_name.iter().find(|&&at| self.pictures[at].file == origin);
        match (exact, first, fitting.next()) {
            (Some(&exact), ..) => Ok(Some(exact)),
            (None, Some(&one), Some(&other)) => Err(TruthError::Ambiguous {
                origin,
                one: self.pictures[one].file.clone(),
                other: self.pictures[other].file.clone(),
            }),
            (None, first, _) => Ok(first.copied()),
        }
    }
}

fn picture_from(
    table: &Table<'_>,
    line: &Line,
    split: Option<&str>,
) -> Result<Picture, TruthError> {
    let file = normal(table.cell(line, "file"));
    if file.is_empty() {
        return Err(table.wrong(line, "file", "the path of a picture"));
    }
    let label = table.cell(line, "label").trim();
    let labels: BTreeSet<_> = match label {
        "ok" => BTreeSet::new(),
        _ => label.split('|').map(|kind| kind.trim().to_owned()).collect(),
    };
    if labels.contains("") || labels.contains("ok") {
        return Err(table.wrong(line, "label", "`ok`, or kinds of defect joined by `|`"));
    }
    let is_asked_for = split.is_none_or(|split| table.cell(line, "split").trim() == split);
    Ok(Picture { file, labels, is_asked_for })
}

/// Whether one name is the end of the other, whole folders at a time.
fn fit(one: &str, other: &str) -> bool {
    one.rsplit('/').zip(other.rsplit('/')).all(|(a, b)| a == b)
}

/// The name with `/` between folders and without steps that lead nowhere.
fn normal(file: &str) -> String {
    let parts = file.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

fn last_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use domain::Verdict;
    use proptest::prelude::*;
    use std::path::Path;

    fn read(text: &str, split: Option<&str>) -> Result<Files, TruthError> {
        Files::from_table(Table::open(Path::new("index.csv"), text.as_bytes())?, split)
    }

    const INDEX: &str = "file,label,split,mask\n\
                         a/1.png,ok,train,\n\
                         a/2.png,pit|scratch,val,m.png\n\
                         b/2.png,ok,val,\n\
                         b/3.png,pit,val,\n";

    fn row(part: u64, origin: &str, verdict: Verdict) -> Row {
        let mut row = fake::row(part, verdict);
        row.views[0].origin = Some(origin.into());
        row
    }

    fn judge(split: Option<&str>, rows: &[Row], files: Option<&[String]>) -> Judged {
        read(INDEX, split).unwrap().judge(rows, Offered { frames: 9, files }).unwrap()
    }

    #[test]
    fn names_are_compared_from_the_end() {
        let rows = [
            row(1, "/data/set/a/2.png", Verdict::Pass),
            row(2, "./b\\2.png", Verdict::Pass),
            row(3, "3.png", Verdict::Pass),
            row(4, "/data/set/a/1.png", Verdict::Pass),
            row(5, "xa/1.png", Verdict::Pass),
        ];
        let judged = judge(Some("val"), &rows, None);
        let fates: Vec<_> = judged.parts.iter().map(|p| (p.name.as_str(), p.fate)).collect();
        let inspected = Fate::Inspected;
        let right =
            [("a/2.png", inspected(0)), ("b/2.png", inspected(1)), ("b/3.png", inspected(2))];
        assert_eq!(fates, right);
        assert_eq!(judged.parts[0].labels.iter().collect::<Vec<_>>(), ["pit", "scratch"]);
        assert_eq!(judged.unjudged, [3, 4]);
    }

    #[test]
    fn a_name_that_fits_two_lines_is_refused() {
        let files = read(INDEX, None).unwrap();
        let error = files.find("2.png").unwrap_err().to_string();
        assert!(error.contains("`a/2.png`") && error.contains("`b/2.png`"), "{error}");
        let same = read("file,label\n2.png,ok\na/2.png,pit\n", None).unwrap();
        assert_eq!(same.find("2.png").unwrap(), Some(0));
        assert_eq!(same.find("a/2.png").unwrap(), Some(1));
    }

    #[test]
    fn what_was_offered_and_has_no_inspection_is_lost() {
        let offered = ["x/a/2.png".to_owned(), "x/b/2.png".to_owned()];
        let judged = judge(Some("val"), &[row(1, "x/b/2.png", Verdict::Pass)], Some(&offered));
        assert_eq!(judged.parts.len(), 2);
        assert_eq!((judged.parts[0].fate, judged.not_offered), (Fate::Lost, 1));
        assert_eq!(judge(Some("val"), &[], None).parts.len(), 3);
    }

    #[test]
    fn a_reject_counts_before_a_pass_of_the_same_picture() {
        let rows = [row(1, "b/3.png", Verdict::Pass), row(2, "b/3.png", fake::reject("pit", 0.9))];
        let judged = judge(Some("val"), &rows, None);
        assert_eq!(judged.parts[2].fate, Fate::Inspected(1));
        assert_eq!(judged.extra, [0]);
    }

    #[test]
    fn disagreement_is_seen_at_once() {
        let files = read(INDEX, Some("val")).unwrap();
        let disagrees = |origin, gate| files.disagrees(&row(1, origin, Verdict::Pass).views, gate);
        assert!(disagrees("a/2.png", GateSignal::Pass));
        assert!(!disagrees("a/2.png", GateSignal::Reject));
        assert!(disagrees("b/2.png", GateSignal::Reject));
        assert!(!disagrees("a/1.png", GateSignal::Reject), "of another split");
        assert!(!disagrees("2.png", GateSignal::Pass), "in doubt");
    }

    #[test]
    fn errors_name_line_and_column() {
        for (line, column) in [
            (",ok,val,", "`file`"),
            ("c.png,,val,", "`label`"),
            ("c.png,ok|pit,val,", "`label`"),
            ("./a//1.png,ok,val,", "line 2 has it already"),
        ] {
            let error = read(&format!("{INDEX}{line}\n"), None).unwrap_err().to_string();
            assert!(error.contains("line 6") && error.contains(column), "{error}");
        }
        let short = read(&format!("{INDEX}c.png,ok\n"), None).unwrap_err().to_string();
        assert!(short.contains("line: 6"), "{short}");
        let split = read(INDEX, Some("test")).unwrap_err().to_string();
        assert!(split.contains("`test`") && split.contains("train, val"), "{split}");
    }

    proptest! {
        #[test]
        fn any_index_is_read_as_written(
            table in prop::collection::btree_map(
                "\\PC{1,8}/[^/\\\\\\pC]{1,8}[.]png",
                prop::collection::btree_set("[a-z,\" ]{0,5}[a-jl-z]", 0..3),
                0..20,
            ),
        ) {
            let mut text = csv::Writer::from_writer(vec![]);
            text.write_record(["label", "note", "file"]).unwrap();
            let table: BTreeMap<_, _> = table.iter().map(|(f, l)| (normal(f), l)).collect();
            for (file, labels) in &table {
                let label = labels.iter().cloned().collect::<Vec<_>>().join("|");
                let label = if label.is_empty() { "ok" } else { &label };
                text.write_record([label, "", file]).unwrap();
            }
            let text = String::from_utf8(text.into_inner().unwrap()).unwrap();
            let files = read(&text, None).unwrap();
            prop_assert_eq!(files.pictures.len(), table.len());
            for (file, labels) in &table {
                let found = &files.pictures[files.find(file).unwrap().unwrap()];
                let trimmed: BTreeSet<_> = labels.iter().map(|l| l.trim().to_owned()).collect();
                prop_assert_eq!(&found.labels, &trimmed);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(file|label|split|ok|pit|[,\n\"|/.]){0,40}") {
            let _ = read(&text, None);
        }
    }
}
