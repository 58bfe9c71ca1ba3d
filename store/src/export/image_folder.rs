//! A folder a class, as the MVTec sets have it and anomalib reads it: `train/good/`, `test/good/`,
//! `test/CLASS/` and `ground_truth/CLASS/NAME_mask.png`, 255 on the defect.
//!
//! What is trained on is good here, so that every bad picture is in `test`, whatever its split;
//! good pictures of the splits val and test are in `test/good`. A picture of several classes is in
//! a folder that names all of them, joined by `+`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::folder::Folder;
use super::names::{Classes, NameRule};
use super::pictures::mask_png;
use super::plan::Item;
use super::shape::mask_of;
use super::{ExportError, Recount, Split, Writes, classes_of};

pub(super) struct ImageFolder {
    classes: Arc<Classes>,
    /// The folder of each set of classes, as written.
    folders: std::cell::RefCell<Folders>,
}

#[derive(Default)]
struct Folders {
    taken: BTreeSet<String>,
    of: BTreeMap<Vec<String>, String>,
}

impl ImageFolder {
    pub fn new(classes: Arc<Classes>) -> Self {
        Self { classes, folders: Default::default() }
    }

    fn folder(&self, item: &Item) -> String {
        let classes = classes_of(&item.marks);
        let classes: Vec<String> =
            classes.iter().map(|class| self.classes.written(class).to_owned()).collect();
        let mut folders = self.folders.borrow_mut();
        if let Some(folder) = folders.of.get(&classes) {
            return folder.clone();
        }
        let folder = match &*classes {
            [] => "good".to_owned(),
            [class] => class.clone(),
            several => {
                let joined = several.join(" and ");
                NameRule::Folder.unlike(&joined, &mut folders.taken).replace(" and ", "+")
            }
        };
        folders.of.insert(classes, folder.clone());
        folder
    }
}

impl Writes for ImageFolder {
    fn place(&self, item: &Item) -> String {
        let is_trained_on = item.split == Split::Train && item.marks.is_empty();
        let part = if is_trained_on { "train" } else { "test" };
        format!("{part}/{}/{}.png", self.folder(item), item.name)
    }

    fn add(&mut self, folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        if item.marks.is_empty() {
            return Ok(());
        }
        let masks: Vec<_> = item.marks.iter().map(|mark| mask_of(&mark.shape, item.size)).collect();
        let file = format!("ground_truth/{}/{}_mask.png", self.folder(item), item.name);
        folder.write(&file, &mask_png(&masks, item.size)?)
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        ["train/good", "test/good", "ground_truth"].into_iter().try_for_each(|it| folder.make(it))
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        let mut counted = Recount::default();
        let folders = self.folders.borrow();
        let good = &(Vec::new(), "good".to_owned());
        let each = folders.of.iter().chain([(&good.0, &good.1)]).collect::<BTreeMap<_, _>>();
        for (classes, name) in each {
            for part in ["train", "test"] {
                let pictures = files_in(&folder.join(part).join(name))?;
                for picture in &pictures {
                    counted.add(classes.iter().map(String::as_str));
                    let mask = picture.replace(".png", "_mask.png");
                    let mask = folder.join("ground_truth").join(name).join(mask);
                    if !classes.is_empty() && !mask.is_file() {
                        return Err(format!("{}: is not there", mask.display()));
                    }
                }
            }
        }
        Ok(counted)
    }
}

fn files_in(folder: &Path) -> Result<Vec<String>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(told(error)),
        Ok(entries) => entries
            .map(|entry| Ok(entry.map_err(told)?.file_name().to_string_lossy().into_owned()))
            .collect(),
    }
}
