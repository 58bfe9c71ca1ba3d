//! A dataset as it was read: pictures with marks, by the names and classes that stand in it.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use domain::{Mark, MarkedBy, RectPx, Shape, SizePx};

/// Largest annotation file that is read, in bytes.
const FILE_MAX_BYTES: u64 = 1 << 30;

/// A dataset as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Its pictures.
    pub pictures: Vec<LabelledPicture>,
    /// What was read otherwise than it stands there, a sentence each.
    pub told: Vec<String>,
}

/// A picture of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledPicture {
    /// Its name without folder and ending.
    pub name: String,
    /// The file, when it is there.
    pub file: Option<PathBuf>,
    /// Its marks, in pixels of the picture, by the classes that stand in the dataset.
    pub marks: Vec<Mark>,
}

impl LabelledPicture {
    pub(super) fn new(written: &str, file: Option<PathBuf>) -> Self {
        let name = written.rsplit(['/', '\\']).next().unwrap_or(written);
        let name = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Self { name: name.to_owned(), file, marks: Vec::new() }
    }
}

impl Dataset {
    /// Pictures by class, for an export that counts itself again.
    pub(crate) fn recount(&self) -> crate::export::Recount {
        let mut counted = crate::export::Recount::default();
        for picture in &self.pictures {
            counted.add(picture.marks.iter().map(|mark| &*mark.class));
        }
        counted
    }
}

/// A mark that came from outside.
pub(super) fn mark(class: &str, shape: Shape) -> Mark {
    Mark { class: class.into(), view: 0, shape, by: MarkedBy::Import }
}

/// The box with these edges, to whole pixels, inside of what a picture may be; `None` when nothing
/// is left of it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub(super) fn box_from_edges(edges: [f64; 4]) -> Option<RectPx> {
    if !edges.iter().all(|edge| edge.is_finite()) {
        return None;
    }
    let [left, top, right, bottom] =
        edges.map(|edge| edge.round().clamp(0.0, f64::from(1 << 24)) as u32);
    let area = RectPx::from_corners(left, top, right, bottom);
    (!area.is_empty()).then_some(area)
}

/// Text of a file of the dataset.
pub(super) fn text(file: &Path) -> Result<String, String> {
    let told = |problem: String| format!("{}: {problem}", file.display());
    let mut text = String::new();
    let opened = fs::File::open(file).map_err(|error| told(error.to_string()))?;
    let read = opened.take(FILE_MAX_BYTES + 1).read_to_string(&mut text);
    let bytes = read.map_err(|error| told(error.to_string()))? as u64;
    if bytes > FILE_MAX_BYTES {
        return Err(told(format!("is larger than {FILE_MAX_BYTES} bytes")));
    }
    Ok(text)
}

/// The files of that ending in a folder and the folders in it, sorted; none when it is not there.
pub(super) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let told = |error: std::io::Error| format!("{}: {error}", folder.display());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(told)?,
        };
        for entry in entries {
            let entry = entry.map_err(told)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(told)?);
            if kind.is_dir() && depth < 3 {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The file `named` in the first of `folders` that has it; a name that leads out of them is none.
pub(super) fn in_one_of(folders: &[PathBuf], named: &str) -> Option<PathBuf> {
    let named = Path::new(named);
    if !named.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    folders.iter().map(|folder| folder.join(named)).find(|file| file.is_file())
}

/// The size of a PNG, by its first bytes.
pub(super) fn png_size(file: &Path) -> Option<SizePx> {
    let mut head = [0; 24];
    fs::File::open(file).ok()?.read_exact(&mut head).ok()?;
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    if !head.starts_with(b"\x89PNG\r\n\x1a\n") || head.get(12..16)? != b"IHDR" {
        return None;
    }
    let size = SizePx::new(number(16)?, number(20)?);
    (size.area() > 0).then_some(size)
}
