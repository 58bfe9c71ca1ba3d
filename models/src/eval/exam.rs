//! Shows pictures to models: takes pictures with or without labels, several threads, gives what is
//! said of each, in order.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use domain::{FindingFault, OwnedPixels, Pixels, SizePx};
use thiserror::Error;

use super::boxes::{KnownBox, PictureBoxes};
use super::figures::Outcome;
use super::judge::{Examiner, Judged, Labels};
use super::pixels::{PixelTally, Truth};
use crate::bundle::BundleError;
use crate::index::{Index, IndexError, Row};
use crate::kinds::Kind;
use crate::picture::{PictureError, mask_from_file, pixels_from_file};

/// Why a model could not be held against pictures.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum EvalError {
    /// The index makes no sense.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A row of the index does not fit what it names, or the model.
    #[error("{} line {line}: `{column}`: {problem}; right would be: {right}", .file.display())]
    WrongRow { file: PathBuf, line: u64, column: &'static str, problem: String, right: String },
    /// A folder has no picture in it.
    #[error(
        "{}: {message}; right would be: a folder of PNG, JPEG, BMP or TIFF pictures",
        .folder.display()
    )]
    NoPicture { folder: PathBuf, message: String },
    /// A picture of a folder is none.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The model gave no answer.
    #[error("{}: {fault}", .file.display())]
    Fault { file: PathBuf, fault: FindingFault },
    /// The model can't be made ready once more.
    #[error(transparent)]
    Model(#[from] BundleError),
    /// The system gave no thread.
    #[error("no thread to work on: {0}")]
    NoThread(String),
}

/// A picture to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name, as the index or the folder has it.
    pub name: String,
    /// What is known of it.
    pub known: Option<Known>,
}

/// What an index says of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The row.
    pub row: Row,
    /// Where its mask lies.
    pub mask: Option<PathBuf>,
    /// The index, for errors.
    index: PathBuf,
}

impl Known {
    fn wrong(&self, column: &'static str, problem: String, right: impl Into<String>) -> EvalError {
        let (file, line) = (self.index.clone(), self.row.line);
        EvalError::WrongRow { file, line, column, problem, right: right.into() }
    }
}

impl Picture {
    /// Its pixels.
    ///
    /// # Errors
    /// When it is no picture, naming its row if there is one.
    pub fn pixels(&self) -> Result<OwnedPixels, EvalError> {
        pixels_from_file(&self.path).map_err(|error| match &self.known {
            Some(known) => known.wrong(
                "file",
                format!("{}: {}", self.path.display(), error.message),
                "a PNG, JPEG, BMP or TIFF of 8 bits a channel",
            ),
            None => error.into(),
        })
    }

    /// Which pixels of a picture of `size` are defective; `None` where that is not known.
    ///
    /// # Errors
    /// When the mask is no picture or of another size.
    pub fn truth(&self, size: SizePx) -> Result<Option<Truth>, EvalError> {
        let Some(known) = &self.known else { return Ok(None) };
        let Some(mask) = &known.mask else {
            return Ok((!known.row.is_bad()).then(|| Truth::good(size)));
        };
        let right =
            format!("an 8-bit picture of {} x {} px, 255 = defect", size.width, size.height);
        let (bits, of) = mask_from_file(mask).map_err(|error| {
            known.wrong("mask", format!("{}: {}", mask.display(), error.message), &*right)
        })?;
        if of != size {
            let problem = format!("{} is {} x {} px", mask.display(), of.width, of.height);
            return Err(known.wrong("mask", problem, right));
        }
        Ok(Some(Truth::from_mask(bits, size.width as usize)))
    }
}

/// The pictures of an index, or of one split of it; each of them and each mask is there.
///
/// # Errors
/// When there is no such split, or a file is missing: the first is named with its row.
pub fn pictures_from_index(index: &Index, split: Option<&str>) -> Result<Vec<Picture>, EvalError> {
    let rows = match split {
        Some(split) => index.of_split(split)?,
        None => index.rows.iter().collect(),
    };
    let picture = |row: &Row| {
        let mask = row.mask.as_deref().map(|mask| index.path(mask));
        let known = Known { row: row.clone(), mask, index: index.file.clone() };
        let (path, name) = (index.path(&row.file), row.file.to_string_lossy().into_owned());
        Picture { path, name, known: Some(known) }
    };
    let pictures: Vec<_> = rows.into_iter().map(picture).collect();
    let mut missing = pictures.iter().filter_map(missing);
    let Some((known, column, path)) = missing.next() else {
        return match pictures.is_empty() {
            true => Err(no_picture(&index.file, "it has no row")),
            false => Ok(pictures),
        };
    };
    let more = match missing.count() {
        0 => String::new(),
        more => format!(", nor are those of {more} more rows"),
    };
    let problem = format!("{} is not there{more}", path.display());
    Err(known.wrong(column, problem, "a file in the index's folder"))
}

fn missing(picture: &Picture) -> Option<(&Known, &'static str, &Path)> {
    let known = picture.known.as_ref()?;
    if !picture.path.is_file() {
        return Some((known, "file", &picture.path));
    }
    let mask = known.mask.as_deref().filter(|mask| !mask.is_file())?;
    Some((known, "mask", mask))
}

fn no_picture(folder: &Path, message: impl ToString) -> EvalError {
    EvalError::NoPicture { folder: folder.to_owned(), message: message.to_string() }
}

/// The pictures in a folder, by name; other files and folders in it are left out.
///
/// # Errors
/// When the folder can't be read or has none.
pub fn pictures_from_folder(folder: &Path) -> Result<Vec<Picture>, EvalError> {
    let is_picture = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        ["png", "jpg", "jpeg", "bmp", "tif", "tiff"].contains(&&*ending) && path.is_file()
    };
    let entries = std::fs::read_dir(folder).map_err(|error| no_picture(folder, error))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|error| no_picture(folder, error)))
        .collect::<Result<_, _>>()?;
    paths.retain(is_picture);
    paths.sort();
    if paths.is_empty() {
        return Err(no_picture(folder, "it has no picture in it"));
    }
    let picture = |path: PathBuf| Picture {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        path,
        known: None,
    };
    Ok(paths.into_iter().map(picture).collect())
}

/// Does `work` on each of `items`, a thread a worker, and hands what comes out to `each` in the
/// items' order. A thread is at most two items ahead, so memory does not grow with their number.
///
/// # Errors
/// The first that `work` gives, in the items' order; what is under way is given up.
pub fn in_order<W: Send, T: Sync, R: Send>(
    workers: Vec<W>,
    items: &[T],
    work: impl Fn(&mut W, &T) -> Result<R, EvalError> + Sync,
    mut each: impl FnMut(&T, R),
) -> Result<(), EvalError> {
    let (of, work) = (workers.len(), &work);
    thread::scope(|scope| {
        let mut results = Vec::with_capacity(of);
        for (first, mut worker) in workers.into_iter().enumerate() {
            let (sender, receiver) = sync_channel(1);
            let run = move || {
                for item in items.iter().skip(first).step_by(of) {
                    let result = work(&mut worker, item);
                    let is_last = result.is_err();
                    if sender.send(result).is_err() || is_last {
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().name(format!("look-{first}"));
            thread
                .spawn_scoped(scope, run)
                .map_err(|error| EvalError::NoThread(error.to_string()))?;
            results.push(receiver);
        }
        for (index, item) in items.iter().enumerate() {
            match results[index % of].recv() {
                Ok(result) => each(item, result?),
                // That thread has panicked, which the scope passes on.
                Err(_) => break,
            }
        }
        Ok(())
    })
}

/// Labelled pictures that a model is held against.
#[derive(Clone, Debug)]
pub struct Exam {
    pictures: Vec<Picture>,
    /// Whether there is a mask to hold the model's map against.
    with_pixels: bool,
    /// Whether there is a box to hold the model's against.
    with_boxes: bool,
}

/// What came of one picture.
struct Looked {
    judged: Judged,
    pixels: Option<(Vec<f32>, Truth)>,
}

impl Exam {
    /// The rows of `index`, or of one split of it, for a model with `labels` and of `kind`.
    ///
    /// # Errors
    /// When there is no such split, a file is missing, or the model does not know a label.
    pub fn new(
        index: &Index,
        split: Option<&str>,
        (labels, kind): (&Labels, Kind),
    ) -> Result<Self, EvalError> {
        let pictures = pictures_from_index(index, split)?;
        for known in pictures.iter().filter_map(|picture| picture.known.as_ref()) {
            check_labels(known, labels)?;
        }
        let any = |has: fn(&Known) -> bool| {
            pictures.iter().filter_map(|picture| picture.known.as_ref()).any(has)
        };
        let maps = matches!(kind, Kind::Segmenter | Kind::AnomalyMap);
        let with_pixels = maps && any(|known| known.mask.is_some());
        let with_boxes = kind != Kind::Classifier && any(|known| !known.row.boxes.is_empty());
        Ok(Self { pictures, with_pixels, with_boxes })
    }

    /// The pictures.
    #[must_use]
    pub fn pictures(&self) -> &[Picture] {
        &self.pictures
    }

    /// Shows every picture to the examiners, a thread each; `each` is told of every one that is
    /// done, in order. The outcome does not depend on how many there are.
    ///
    /// # Errors
    /// When a picture can't be read, a mask is of another size, or the model gives no answer.
    pub fn run(
        &self,
        examiners: Vec<Examiner>,
        mut each: impl FnMut(&Picture, &Judged),
    ) -> Result<Outcome, EvalError> {
        let Some(first) = examiners.first() else {
            return Err(EvalError::NoThread("there is no examiner".to_owned()));
        };
        let (labels, rule) = (first.labels().clone(), first.rule().clone());
        let threshold = first.model().bundle().manifest().output.pixel_threshold;
        let mut tally = self.with_pixels.then(|| PixelTally::new(threshold));
        let mut all = Vec::with_capacity(self.pictures.len());
        let look = |examiner: &mut Examiner, picture: &Picture| self.look(examiner, picture);
        in_order(examiners, &self.pictures, look, |picture, looked| {
            if let (Some(tally), Some((pixels, truth))) = (&mut tally, &looked.pixels) {
                tally.add(pixels, truth);
            }
            each(picture, &looked.judged);
            all.push(looked.judged);
        })?;
        let boxes = self.with_boxes.then(|| self.boxes(&all, &labels));
        let rows: Vec<&Row> = self.rows().collect();
        Ok(Outcome::new(&rows, all, &labels, &rule, tally.as_ref(), boxes.as_deref()))
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.pictures.iter().filter_map(|picture| Some(&picture.known.as_ref()?.row))
    }

    fn look(&self, examiner: &mut Examiner, picture: &Picture) -> Result<Looked, EvalError> {
        let pixels = picture.pixels()?;
        let (finding, map) = examiner.see(picture, &pixels)?;
        let judged = examiner.judge(&finding);
        let truth = match map.filter(|_| self.with_pixels) {
            Some(map) => picture.truth(pixels.size())?.map(|truth| (map, truth)),
            None => None,
        };
        let pixels = truth.map(|(map, truth)| (map.pixels(pixels.size()), truth));
        Ok(Looked { judged, pixels })
    }

    fn boxes(&self, judged: &[Judged], labels: &Labels) -> Vec<PictureBoxes> {
        let of_picture = |(row, judged): (&Row, &Judged)| PictureBoxes {
            found: judged.boxes.clone(),
            known: known_boxes(row, labels),
        };
        self.rows().zip(judged).map(of_picture).collect()
    }
}

fn known_boxes(row: &Row, labels: &Labels) -> Vec<KnownBox> {
    row.boxes
        .iter()
        .filter_map(|known| {
            let label = labels.place(&known.label)?;
            Some(KnownBox { label, corners: known.corners.map(f64::from) })
        })
        .collect()
}

fn check_labels(known: &Known, labels: &Labels) -> Result<(), EvalError> {
    let row = &known.row;
    let named = row.labels.iter().map(|label| ("label", label));
    let boxed = row.boxes.iter().map(|known| ("boxes", &known.label));
    let stranger = named.chain(boxed).find(|(_, label)| labels.place(label).is_none());
    let Some((column, label)) = stranger else { return Ok(()) };
    let bad = labels.names().iter().enumerate().filter(|(place, _)| *place != labels.good());
    let bad: Vec<_> = bad.map(|(_, name)| name.as_str()).collect();
    let right = format!("`ok`, or of what the model knows: {}", bad.join(", "));
    Err(known.wrong(column, format!("the model does not know `{label}`"), right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(threads: usize, fails_from: u32) -> (Vec<u32>, Result<(), EvalError>) {
        let (items, mut seen): (Vec<u32>, _) = ((0..50).collect(), Vec::new());
        let work = |_: &mut (), item: &u32| match *item >= fails_from {
            true => Err(EvalError::NoThread(item.to_string())),
            false => Ok(item * 2),
        };
        let ended = in_order(vec![(); threads], &items, work, |item, twice| {
            assert_eq!(twice, item * 2);
            seen.push(*item);
        });
        (seen, ended)
    }

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 3, 7, 60] {
            let (seen, ended) = ran(threads, 50);
            assert!(ended.is_ok());
            assert_eq!(seen, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_failure_ends_it() {
        for threads in [1, 2, 7] {
            let (seen, ended) = ran(threads, 30);
            assert!(ended.unwrap_err().to_string().ends_with(": 30"));
            assert_eq!(seen, (0..30).collect::<Vec<_>>());
        }
    }
}
