//! What is exported: takes a store's labels in force and the pictures that were kept, gives every
//! picture with its marks as the format holds them, and tells all that is left out.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use domain::{Defect, Judgement, Mark, PartKey, RectPx, Shape, SizePx};

use super::pictures::shown_of;
use super::shape::in_picture;
use super::{Becomes, ExportError, Holds, Options, Split, Told};
use crate::{ImageKind, ImageRow, LabelRow, PartDetail, Reader, RunId};

/// Labels read at once.
const PAGE: u32 = 500;

/// A picture of a labelled part.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The part.
    pub key: PartKey,
    /// Which of its views.
    pub view: usize,
    /// Its name in the dataset, without folder and ending; no other picture has it.
    pub name: String,
    /// Its size.
    pub size: SizePx,
    /// What it shows of the camera's frame.
    pub covers: RectPx,
    /// Its split.
    pub split: Split,
    /// What it is never torn apart from.
    pub group: String,
    /// What is wrong with it, in pixels of the picture; none when the part is good.
    pub marks: Vec<Mark>,
    /// Where it is from; absent in tests of formats.
    pub source: Option<Source>,
}

/// Where a picture and its label are from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub file: PathBuf,
    pub image: ImageRow,
    pub label: LabelRow,
    pub recipe: domain::Sha256,
    pub model: Option<domain::Sha256>,
    /// What the station found in this view, as far as it was measured.
    pub measured: Vec<Defect>,
}

/// All that is exported.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub items: Vec<Item>,
    pub classes: BTreeSet<Arc<str>>,
    pub told: Told,
}

/// The name of a part's picture.
pub(crate) fn name_of(key: PartKey, view: usize) -> String {
    format!("r{:06}-p{:06}-v{view}", key.run, key.part.0)
}

/// The part and view of a picture of that name.
pub(crate) fn key_of(name: &str) -> Option<(PartKey, usize)> {
    let mut pieces = name.split('-');
    let run = pieces.next()?.strip_prefix('r')?.parse().ok()?;
    let part = pieces.next()?.strip_prefix('p')?.parse().ok()?;
    let view = pieces.next()?.strip_prefix('v')?.parse().ok()?;
    let key = PartKey { run, part: domain::PartId(part) };
    (pieces.next().is_none() && name_of(key, view) == name).then_some((key, view))
}

impl Plan {
    /// Reads every label in force and what was kept of its part.
    pub fn read(
        reader: &Reader,
        options: &Options<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, ExportError> {
        let mut plan = Self::default();
        let (mut after, mut done) = (None, 0);
        loop {
            let page = reader.labelled(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            for row in page {
                plan.add(reader, options, row)?;
                done += 1;
                progress(done);
            }
        }
        let marks = plan.items.iter().flat_map(|item| &item.marks);
        plan.classes = marks.map(|mark| Arc::clone(&mark.class)).collect();
        if plan.items.is_empty() {
            return Err(ExportError::Nothing(Box::new(plan.told)));
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        reader: &Reader,
        options: &Options<'_>,
        row: LabelRow,
    ) -> Result<(), ExportError> {
        match row.label.judgement {
            Judgement::Doubt => self.told.doubt += 1,
            Judgement::Skip => self.told.skipped += 1,
            Judgement::Good | Judgement::Bad => {
                let detail = reader.part(RunId(row.key.run), row.key.part)?;
                let kept = |image: &&ImageRow| image.kind == ImageKind::Picture;
                let images: Vec<ImageRow> =
                    detail.iter().flat_map(|part| &part.images).filter(kept).cloned().collect();
                match detail {
                    Some(part) if !images.is_empty() => {
                        self.add_part(reader, options, &row, &part, images);
                    }
                    _ => self.told.without_picture.push(row.key),
                }
            }
        }
        Ok(())
    }

    fn add_part(
        &mut self,
        reader: &Reader,
        options: &Options<'_>,
        row: &LabelRow,
        part: &PartDetail,
        images: Vec<ImageRow>,
    ) {
        let is_kept = |mark: &&Mark| images.iter().any(|image| image.view == mark.view);
        let marks = &row.label.marks;
        self.told.marks_lost += (marks.len() - marks.iter().filter(is_kept).count()) as u64;
        for image in images {
            let crop = part.views.get(image.view).map(|view| view.crop_in_frame);
            let covers = crop.map_or(image.covers, |crop| shown_of(&image, crop));
            let Some(marks) = self.marks(options, row, &image, covers) else { continue };
            // A path that leaves the store is one that its rows do not allow.
            let Some(file) = reader.image_file(&image) else {
                self.told.gone.push(image.path);
                continue;
            };
            if !file.is_file() {
                self.told.gone.push(image.path);
                continue;
            }
            let (recipe, model) = (part.provenance.recipe, part.provenance.model);
            let is_measured = |it: &&Defect| it.view == image.view && it.mm.is_some();
            let measured = part.defects.iter().filter(is_measured).cloned().collect();
            self.items.push(Item {
                key: row.key,
                view: image.view,
                name: name_of(row.key, image.view),
                size: SizePx::new(covers.width, covers.height),
                covers,
                split: options.split.split(row.key),
                group: options.split.group(row.key),
                marks,
                source: Some(Source { file, image, label: row.clone(), recipe, model, measured }),
            });
        }
    }

    /// The marks of a picture as the format holds them; `None` when the picture is left out.
    fn marks(
        &mut self,
        options: &Options<'_>,
        row: &LabelRow,
        image: &ImageRow,
        covers: RectPx,
    ) -> Option<Vec<Mark>> {
        if row.label.judgement == Judgement::Good {
            return Some(Vec::new());
        }
        let of_view: Vec<&Mark> =
            row.label.marks.iter().filter(|mark| mark.view == image.view).collect();
        if of_view.is_empty() {
            if !options.unmarked_is_good {
                self.told.unmarked_views += 1;
            }
            return options.unmarked_is_good.then(Vec::new);
        }
        let is_asked_for = |mark: &&Mark| {
            options.only_classes.is_empty()
                || options.only_classes.iter().any(|class| **class == *mark.class)
        };
        let asked: Vec<&Mark> = of_view.into_iter().filter(is_asked_for).collect();
        if asked.is_empty() {
            self.told.other_classes += 1;
            return None;
        }
        let size = SizePx::new(covers.width, covers.height);
        let holds = options.format.holds();
        let mut kept = Vec::new();
        for mark in asked {
            let Some((shape, is_clipped)) = in_picture(&mark.shape, covers) else {
                self.told.marks_lost += 1;
                continue;
            };
            self.told.marks_clipped += u64::from(is_clipped);
            self.reshape(holds, &shape);
            let shapes = holds.kept(&shape, size).into_iter();
            kept.extend(shapes.map(|shape| Mark { shape, ..mark.clone() }));
        }
        if kept.is_empty() {
            self.told.outside.push(image.path.clone());
            return None;
        }
        Some(kept)
    }

    fn reshape(&mut self, holds: Holds, shape: &Shape) {
        let becomes = match holds.of(shape) {
            Becomes::Itself => return,
            Becomes::Box => "box",
            Becomes::Polygon => "polygon",
            Becomes::Mask => "mask",
        };
        let was = match shape {
            Shape::Whole => "defect without a place",
            Shape::Box { .. } => "box",
            Shape::Polygon { .. } => "polygon",
            Shape::Mask { .. } => "mask",
        };
        *self.told.marks_reshaped.entry(format!("{was} as {becomes}")).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PartId;

    #[test]
    fn names_say_which_part_and_view() {
        let key = PartKey { run: 3, part: PartId(42) };
        assert_eq!(name_of(key, 1), "r000003-p000042-v1");
        for (run, part, view) in [(1, 1, 0), (12_345_678, u64::MAX, 12)] {
            let key = PartKey { run, part: PartId(part) };
            assert_eq!(key_of(&name_of(key, view)), Some((key, view)));
        }
        for other in ["", "r1-p1-v0", "r000001-p000001", "r000001-p000001-v0-x", "image_7"] {
            assert_eq!(key_of(other), None, "{other}");
        }
    }
}
