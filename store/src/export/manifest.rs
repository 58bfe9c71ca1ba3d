//! What an export says of itself: which pictures, from where, labelled by whom, and the hash of
//! every file. It is written last: a folder without it is no export.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use domain::{Judgement, MarkedBy, PartKey, PersonId, PixelFormat, RectPx, Role, Sha256, SizePx};
use serde::{Deserialize, Serialize};

use super::{Format, Split, SplitRule};

/// Its name in the export.
pub const MANIFEST: &str = "manifest.json";

/// The version of its form.
pub const VERSION: u32 = 1;

/// What an export says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// How the rest is laid out.
    pub format: Format,
    /// What wrote it.
    pub software: String,
    /// When, in UTC: `2023-11-14T22:13:20Z`.
    pub made_at: String,
    /// How it is split.
    pub split: SplitRule,
    /// The classes, by their numbers.
    pub classes: Vec<ClassName>,
    /// How much there is.
    pub counts: Counts,
    /// What is not in it, or not as it was.
    pub told: Told,
    /// Every picture.
    pub pictures: Vec<PictureFacts>,
    /// Every file but this one.
    pub files: BTreeMap<String, FileFacts>,
}

/// A class, as people call it and as the format writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassName {
    /// As people call it.
    pub name: Arc<str>,
    /// As it is written here; the same, unless the format has no place for that name.
    pub written: String,
}

/// A file's hash and size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Its hash.
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u64,
}

/// How many pictures and marks there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Pictures.
    pub pictures: u64,
    /// Of good parts.
    pub good: u64,
    /// With defects.
    pub bad: u64,
    /// By class, as people call it.
    pub classes: BTreeMap<Arc<str>, ClassCount>,
    /// Pictures by split.
    pub splits: BTreeMap<Split, SplitCount>,
}

/// How often a class is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Pictures that show it.
    pub pictures: u64,
    /// Marks of it, as written.
    pub marks: u64,
}

/// The pictures of a split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCount {
    /// Of good parts.
    pub good: u64,
    /// With defects.
    pub bad: u64,
}

/// What is left out or changed. Nothing is, without being told here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Parts of which a person could not say whether they are good.
    pub doubt: u64,
    /// Parts that a person put off.
    pub skipped: u64,
    /// Pictures without a defect of the classes that were asked for.
    pub other_classes: u64,
    /// Parts of which no picture was kept.
    pub without_picture: Vec<PartKey>,
    /// Pictures of the store that are not there any more.
    pub gone: Vec<String>,
    /// Pictures of the store that are not what was written.
    pub damaged: Vec<String>,
    /// Pictures of bad parts that show no mark: another view does.
    pub unmarked_views: u64,
    /// Pictures of bad parts all of whose marks lie outside of what was kept.
    pub outside: Vec<String>,
    /// Marks in views of which no picture was kept, or outside of what was kept.
    pub marks_lost: u64,
    /// Marks of which a piece lies outside of what was kept.
    pub marks_clipped: u64,
    /// Marks that the format holds in another form only, by `polygon as box` and so on.
    pub marks_reshaped: BTreeMap<String, u64>,
    /// Pictures that no training tool shows and that were therefore exported in colour, with what
    /// the camera gave under `originals/`.
    pub shown_in_colour: u64,
}

/// A picture of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PictureFacts {
    /// The picture.
    pub file: String,
    /// Its name without folder and ending; no other has it.
    pub name: String,
    /// What the camera gave, bit by bit, when `file` is not that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// Hash of the file that the store keeps.
    pub original_sha256: Sha256,
    /// How the camera gave the pixels.
    pub pixel_format: PixelFormat,
    /// The picture's size.
    pub size: SizePx,
    /// What it shows of the camera's frame.
    pub covers: RectPx,
    /// The part.
    pub part: PartKey,
    /// Which of its views.
    pub view: usize,
    /// Its split.
    pub split: Split,
    /// What it is never torn apart from.
    pub group: String,
    /// Good or bad.
    pub judgement: Judgement,
    /// Its marks, as written.
    pub marks: Vec<MarkFacts>,
    /// Who said so, by pseudonym.
    pub by: PersonId,
    /// What they were then.
    pub role: Role,
    /// When, in nanoseconds since 1970.
    pub at_unix_ns: i64,
    /// Whether they saw neither the verdict nor another label.
    pub is_blind: bool,
    /// The recipe that the part was inspected with.
    pub recipe: Sha256,
    /// The model that it was inspected with.
    pub model: Option<Sha256>,
}

/// A mark of a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkFacts {
    /// Its class, as people call it.
    pub class: Arc<str>,
    /// How it came to be.
    pub by: MarkedBy,
    /// The box around it, in pixels of the picture.
    pub area: RectPx,
}

impl Manifest {
    /// The manifest of the export in `folder`; `None` when there is none.
    ///
    /// # Errors
    /// When there is one and it can't be read: what is wrong with it.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(MANIFEST);
        let told = |problem: String| format!("{}: {problem}", path.display());
        let text = match std::fs::read(&path) {
            // A dataset may be one file: nothing lies beside that belongs to it.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            text => text.map_err(|error| told(error.to_string()))?,
        };
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| told(error.to_string()))?;
        match manifest.version {
            VERSION => Ok(Some(manifest)),
            other => Err(told(format!("version {other}; this software knows {VERSION}"))),
        }
    }
}

impl Told {
    /// Whether something of the store is not as it should be.
    #[must_use]
    pub const fn is_worrying(&self) -> bool {
        !(self.damaged.is_empty() && self.gone.is_empty())
    }

    /// What is to be told, a sentence each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let list = |items: &[String]| items.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let parts: Vec<_> = self.without_picture.iter().map(part_in_words).collect();
        let mut told = vec![
            (self.doubt, "parts in doubt are left out".to_owned()),
            (self.skipped, "parts that were put off are left out".to_owned()),
            (self.other_classes, "pictures show other classes only and are left out".to_owned()),
            (parts.len() as u64, format!("parts have no picture kept: {}", list(&parts))),
            (self.gone.len() as u64, format!("pictures are gone: {}", list(&self.gone))),
            (
                self.damaged.len() as u64,
                format!("pictures are damaged and left out: {}", list(&self.damaged)),
            ),
            (
                self.unmarked_views,
                "views of bad parts show no mark and are left out (--unmarked-views good)".into(),
            ),
            (
                self.outside.len() as u64,
                format!("pictures have marks outside of them only: {}", list(&self.outside)),
            ),
            (self.marks_lost, "marks lie where no picture was kept and are left out".to_owned()),
            (self.marks_clipped, "marks reach out of their picture and are cut".to_owned()),
            (
                self.shown_in_colour,
                "pictures are shown in colour, what the camera gave is in originals/".to_owned(),
            ),
        ];
        let reshaped = self.marks_reshaped.iter();
        told.extend(reshaped.map(|(how, count)| (*count, format!("marks are written: {how}"))));
        let told = told.into_iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        if lines.is_empty() {
            f.write_str("no part is labelled")
        } else {
            f.write_str(&lines.join("; "))
        }
    }
}

fn part_in_words(key: &PartKey) -> String {
    format!("run {} part {}", key.run, key.part.0)
}
