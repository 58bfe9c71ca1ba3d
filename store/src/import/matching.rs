//! Which part a picture of a dataset shows: takes pictures with marks, gives labels of the store's
//! parts, and why a picture gave none.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::Path;

use domain::{Judgement, Label, LabelError, Mark, MarkedBy, PartKey, RectPx, Sha256, SizePx};
use serde::Serialize;

use super::{ImportOptions, LabelledPicture};
use crate::export::shape::{box_of, in_frame};
use crate::export::{Manifest, PictureFacts, key_of, original_of, shown_of};
use crate::rows::read::{image, rect};
use crate::{ImageRow, Reader, StoreError};

/// A picture that gave no label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// Its name in the dataset.
    pub picture: String,
    /// Why.
    pub why: Why,
}

/// Why a picture gives no label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No picture of the store has its hash, and its name is none that an export gave.
    Unknown,
    /// Its name is that of a part's picture, but it is another picture.
    OtherPicture,
    /// It has no marks, and nothing says that it is good.
    Empty,
    /// What it says is no label.
    NoLabel(String),
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match &self.why {
            Why::Unknown => "the store has no such picture",
            Why::OtherPicture => {
                "the store's picture of this name is another; --trust-names takes the name's word"
            }
            Why::Empty => {
                "no mark, and no manifest says it is good; --empty-is-good takes it as good"
            }
            Why::NoLabel(why) => why,
        };
        write!(f, "{}: {why}", self.picture)
    }
}

/// Labels of parts, and what gave none.
pub(super) struct Found {
    pub labels: Vec<(PartKey, Label)>,
    pub unmatched: Vec<Unmatched>,
}

/// What is known to match by.
pub(super) struct Matcher<'a> {
    options: &'a ImportOptions<'a>,
    manifest: HashMap<String, PictureFacts>,
    /// Classes as people call them, by how they are written.
    classes: HashMap<String, std::sync::Arc<str>>,
    /// Each with what its picture shows in an export.
    by_view: HashMap<(PartKey, usize), (ImageRow, RectPx)>,
    by_hash: HashMap<Sha256, (PartKey, usize)>,
}

impl<'a> Matcher<'a> {
    /// Reads which pictures the store has.
    pub fn new(
        reader: &Reader,
        manifest: Option<Manifest>,
        options: &'a ImportOptions<'a>,
    ) -> Result<Self, StoreError> {
        let sql = "SELECT image.*, crop_x_px, crop_y_px, crop_width_px, crop_height_px FROM image \
                   JOIN view USING (run_id, part_number) \
                   WHERE kind = 'picture' AND view.position = image.view \
                   ORDER BY run_id, part_number, image.view";
        let rows = reader.list(sql, [], |row| {
            let part = domain::PartId(crate::rows::read::count(row, "part_number")?);
            let image = image(row)?;
            let shown = shown_of(&image, rect(row, "crop")?);
            Ok((PartKey { run: row.get("run_id")?, part }, image, shown))
        })?;
        let (mut by_view, mut by_hash) = (HashMap::new(), HashMap::new());
        for (key, row, shown) in rows {
            by_hash.insert(row.sha256, (key, row.view));
            by_view.insert((key, row.view), (row, shown));
        }
        let (pictures, classes) =
            manifest.map(|manifest| (manifest.pictures, manifest.classes)).unwrap_or_default();
        let manifest = pictures.into_iter().map(|facts| (facts.name.clone(), facts)).collect();
        let classes = classes.into_iter().map(|class| (class.written, class.name)).collect();
        Ok(Self { options, manifest, classes, by_view, by_hash })
    }

    /// The size of the picture of that name.
    pub fn size(&self, name: &str) -> Option<SizePx> {
        let (_, shown) = self.by_view.get(&key_of(name)?)?;
        let covers = self.manifest.get(name).map_or(*shown, |facts| facts.covers);
        Some(SizePx::new(covers.width, covers.height))
    }

    /// The labels of all parts that `pictures` show.
    pub fn labels(&self, pictures: &[LabelledPicture]) -> Result<Found, StoreError> {
        let mut parts = BTreeMap::<PartKey, Label>::new();
        let mut unmatched = Vec::new();
        for picture in pictures {
            let mut told = |why| unmatched.push(Unmatched { picture: picture.name.clone(), why });
            let (key, view) = match self.part_of(picture)? {
                Ok(found) => found,
                Err(why) => {
                    told(why);
                    continue;
                }
            };
            let Some((row, shown)) = self.by_view.get(&(key, view)) else { continue };
            let facts = self.manifest.get(&picture.name);
            let its_own = facts.filter(|facts| (facts.part, facts.view) == (key, view));
            let covers = its_own.map_or(*shown, |facts| facts.covers);
            if picture.marks.is_empty() && facts.is_none() && !self.options.empty_is_good {
                told(Why::Empty);
                continue;
            }
            let (marks, is_unchanged) = self.marks(picture, row.view, covers, facts);
            let is_blind = is_unchanged && facts.is_some_and(|facts| facts.is_blind);
            let label = parts.entry(key).or_insert(Label {
                judgement: Judgement::Good,
                marks: Vec::new(),
                is_blind,
            });
            label.is_blind &= is_blind;
            label.marks.extend(marks);
            if !label.marks.is_empty() {
                label.judgement = Judgement::Bad;
            }
        }
        let checked = |(key, label): (PartKey, Label)| match label.check() {
            Ok(()) => Some((key, label)),
            Err(problem) => {
                let picture = format!("run {} part {}", key.run, key.part.0);
                unmatched.push(Unmatched { picture, why: no_label(&problem) });
                None
            }
        };
        let labels = parts.into_iter().filter_map(checked).collect();
        Ok(Found { labels, unmatched })
    }

    fn part_of(
        &self,
        picture: &LabelledPicture,
    ) -> Result<Result<(PartKey, usize), Why>, StoreError> {
        let by_name = key_of(&picture.name).filter(|key| self.by_view.contains_key(key));
        let hash = picture.file.as_deref().map(original_hash).transpose()?;
        let by_hash = hash.and_then(|hash| self.by_hash.get(&hash).copied());
        // Two parts may have given the very same picture: then the name tells them apart.
        let is_named = by_name.and_then(|key| self.by_view.get(&key));
        if is_named.is_some_and(|(row, _)| Some(row.sha256) == hash) {
            return Ok(by_name.ok_or(Why::Unknown));
        }
        let found = match (by_hash, by_name) {
            (Some(found), _) => Ok(found),
            (None, None) => Err(Why::Unknown),
            (None, Some(_)) if hash.is_some() && !self.options.trust_names => {
                Err(Why::OtherPicture)
            }
            (None, Some(found)) => Ok(found),
        };
        Ok(found)
    }

    /// The marks in pixels of the frame, and whether they are those that the manifest has.
    fn marks(
        &self,
        picture: &LabelledPicture,
        view: usize,
        covers: RectPx,
        facts: Option<&PictureFacts>,
    ) -> (Vec<Mark>, bool) {
        let size = SizePx::new(covers.width, covers.height);
        let mut known = facts.map(|facts| facts.marks.clone()).unwrap_or_default();
        let mark = |mark: &Mark| {
            let class = self.classes.get(&*mark.class).unwrap_or(&mark.class).clone();
            let area = box_of(&mark.shape, size);
            let same = known.iter().position(|known| known.class == class && known.area == area);
            let by = same.map_or(MarkedBy::Import, |at| known.swap_remove(at).by);
            (Mark { class, view, shape: in_frame(&mark.shape, covers), by }, same)
        };
        let marks: Vec<_> = picture.marks.iter().map(mark).collect();
        let is_unchanged =
            facts.is_some() && known.is_empty() && marks.iter().all(|(_, same)| same.is_some());
        (marks.into_iter().map(|(mark, _)| mark).collect(), is_unchanged)
    }
}

fn no_label(problem: &LabelError) -> Why {
    Why::NoLabel(problem.to_string())
}

/// The hash of the store's picture that this file is, or was made from.
fn original_hash(file: &Path) -> Result<Sha256, StoreError> {
    let bytes = fs::read(file).map_err(|error| StoreError::io(file, "read the picture", error))?;
    Ok(original_of(&bytes).unwrap_or_else(|| Sha256::of(&bytes)))
}
