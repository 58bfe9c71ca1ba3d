//! Labels out for training: takes a store, gives a dataset in one of the field's formats, whole or
//! not at all, with a manifest that says where each picture and label is from.
//!
//! Good parts are never left out. What is left out or changed is told, each kind by its count.

mod coco;
mod csv;
mod error;
mod folder;
mod format;
mod ground_truth;
mod image_folder;
mod manifest;
mod moment;
mod names;
mod outline;
mod pictures;
mod plan;
mod rle;
pub(crate) mod shape;
mod split;
#[cfg(test)]
mod tests;
mod voc;
mod yolo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use domain::{Judgement, Mark, Pixels, WallTime};

pub use error::ExportError;
pub use format::{Becomes, Format, Holds};
pub use manifest::{
    ClassCount, ClassName, Counts, FileFacts, MANIFEST, Manifest, MarkFacts, PictureFacts,
    SplitCount, Told,
};
pub use split::{ShareError, Split, SplitBy, SplitRule};

pub(crate) use pictures::{original_of, shown_of};
pub(crate) use plan::key_of;
pub(crate) use rle::Runs;

use crate::Reader;
use folder::Folder;
use names::Classes;
use plan::{Item, Plan};

/// What to export, and how.
pub struct Options<'a> {
    /// The layout.
    pub format: Format,
    /// The folder to make; it must not be there.
    pub out: &'a Path,
    /// How it is split.
    pub split: SplitRule,
    /// Only pictures with a mark of one of these, and those marks; all when empty. Good pictures
    /// are exported all the same.
    pub only_classes: Vec<Arc<str>>,
    /// Whether a view of a bad part that shows no mark is exported as good; else it is left out,
    /// since the defect may be visible there, too.
    pub unmarked_is_good: bool,
    /// Give pictures a second name instead of copying them, where the disk is the same. Whoever
    /// then changes a picture of the dataset changes the store's.
    pub link: bool,
    /// What stands before paths of pictures in a Ground Truth manifest, like `s3://bucket/folder`.
    pub uri: Option<&'a str>,
    /// When this is.
    pub at: WallTime,
    /// Name and version of the software.
    pub software: &'a str,
    /// Makes colour of samples that no training tool shows: rows of red, green, blue, packed.
    /// `None` when the samples do not fit their format.
    pub rgb: &'a dyn Fn(&dyn Pixels) -> Option<Vec<u8>>,
}

/// How far an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportStep {
    /// So many labels were read.
    Read(u64),
    /// So many pictures were written.
    Written {
        /// So far.
        done: u64,
        /// In all.
        of: u64,
    },
    /// What was written is counted again and brought to the disk.
    Finishing,
}

/// What a format does with pictures that come one by one.
trait Writes {
    /// Where the picture goes.
    fn place(&self, item: &Item) -> String;
    /// Writes what stands beside the picture, or keeps it in mind.
    fn add(&mut self, folder: &mut Folder, item: &Item) -> Result<(), ExportError>;
    /// Writes what stands once a dataset.
    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError>;
    /// Counts again, from the files in `folder` alone.
    fn recount(&self, folder: &Path) -> Result<Recount, String>;
}

/// Pictures as counted from files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Recount {
    good: u64,
    bad: u64,
    /// Pictures by class, as the format writes it.
    classes: BTreeMap<String, u64>,
}

impl Recount {
    /// A picture that shows these classes; a good one when there are none.
    pub(crate) fn add<'a>(&mut self, classes: impl IntoIterator<Item = &'a str>) {
        let classes: BTreeSet<_> = classes.into_iter().collect();
        let total = if classes.is_empty() { &mut self.good } else { &mut self.bad };
        *total += 1;
        for class in classes {
            *self.classes.entry(class.to_owned()).or_default() += 1;
        }
    }
}

fn writer(options: &Options<'_>, classes: &Arc<Classes>) -> Box<dyn Writes> {
    let classes = Arc::clone(classes);
    match options.format {
        Format::Coco => Box::new(coco::Coco::new(classes)),
        Format::Yolo | Format::YoloSegment => Box::new(yolo::Yolo::new(classes)),
        Format::Voc => Box::new(voc::Voc::new(classes)),
        Format::ImageFolder => Box::new(image_folder::ImageFolder::new(classes)),
        Format::GroundTruth => {
            let made_at = moment::iso_from_wall(options.at);
            Box::new(ground_truth::GroundTruth::new(classes, options.uri, made_at))
        }
        Format::Csv => Box::new(csv::Csv::new(classes)),
    }
}

/// Exports the labels in force of `reader`'s store, with the pictures of their parts.
///
/// # Errors
/// When there is nothing to export, the store can't be read, or the dataset can't be written. There
/// is then no folder at `options.out`.
pub fn export(
    reader: &Reader,
    options: &Options<'_>,
    progress: &mut dyn FnMut(ExportStep),
) -> Result<Manifest, ExportError> {
    let mut folder = Folder::start(options.out)?;
    let mut plan = Plan::read(reader, options, &mut |done| progress(ExportStep::Read(done)))?;
    let rule = options.format.name_rule();
    let classes = Arc::new(Classes::new(std::mem::take(&mut plan.classes), rule));
    let mut writer = writer(options, &classes);
    let of = plan.items.len() as u64;
    let (mut pictures, mut counts) = (Vec::new(), Counts::default());
    for (item, done) in plan.items.iter().zip(1..) {
        let place = writer.place(item);
        if let Some(facts) = pictures::put(&mut folder, options, item, place, &mut plan.told)? {
            writer.add(&mut folder, item)?;
            counts.add(item);
            pictures.push(facts);
        }
        progress(ExportStep::Written { done, of });
    }
    if pictures.is_empty() {
        return Err(ExportError::Nothing(Box::new(plan.told)));
    }
    progress(ExportStep::Finishing);
    writer.finish(&mut folder)?;
    check(&*writer, &folder, &classes, &counts)?;
    let class = |(name, written): (&Arc<str>, &str)| ClassName {
        name: Arc::clone(name),
        written: written.to_owned(),
    };
    let manifest = Manifest {
        version: manifest::VERSION,
        format: options.format,
        software: options.software.to_owned(),
        made_at: moment::iso_from_wall(options.at),
        split: options.split.clone(),
        classes: classes.each().map(class).collect(),
        counts,
        told: plan.told,
        pictures,
        files: folder.files().clone(),
    };
    // Only maps with keys that are not text have no JSON, and there is none.
    folder.finish(&serde_json::to_vec_pretty(&manifest).unwrap_or_default())?;
    Ok(manifest)
}

/// Counts what was written from the files alone and holds it against what was to be written.
fn check(
    writer: &dyn Writes,
    folder: &Folder,
    classes: &Classes,
    counts: &Counts,
) -> Result<(), ExportError> {
    let path = || folder.path().to_owned();
    let found = writer
        .recount(folder.path())
        .map_err(|problem| ExportError::NotReadBack { path: path(), problem })?;
    let hold = |what: &str, wanted: u64, found: u64| match wanted == found {
        true => Ok(()),
        false => {
            Err(ExportError::Miscounted { path: path(), what: what.to_owned(), wanted, found })
        }
    };
    hold("good pictures", counts.good, found.good)?;
    hold("bad pictures", counts.bad, found.bad)?;
    for (name, written) in classes.each() {
        let wanted = counts.classes.get(name).map_or(0, |count| count.pictures);
        let found = found.classes.get(written).copied().unwrap_or(0);
        hold(&format!("pictures of `{name}`"), wanted, found)?;
    }
    Ok(())
}

impl Counts {
    fn add(&mut self, item: &Item) {
        let split = self.splits.entry(item.split).or_default();
        self.pictures += 1;
        if item.marks.is_empty() {
            (self.good, split.good) = (self.good + 1, split.good + 1);
        } else {
            (self.bad, split.bad) = (self.bad + 1, split.bad + 1);
        }
        for class in classes_of(&item.marks) {
            self.classes.entry(class).or_default().pictures += 1;
        }
        for mark in &item.marks {
            self.classes.entry(Arc::clone(&mark.class)).or_default().marks += 1;
        }
    }
}

/// The classes of `marks`, each once, in order.
fn classes_of(marks: &[Mark]) -> BTreeSet<Arc<str>> {
    marks.iter().map(|mark| Arc::clone(&mark.class)).collect()
}

/// Whether a picture is of a good part.
fn judgement_of(item: &Item) -> Judgement {
    if item.marks.is_empty() { Judgement::Good } else { Judgement::Bad }
}
