//! Which pictures to fit to: takes folders or an index, gives good and bad pictures with the group
//! that each belongs to, and deals the groups into folds.
//!
//! Pictures of one group (a part, a lot, a day) resemble each other more than the next lot will. A
//! limit that was tried on the group it was fitted to promises too much, so no group is ever in
//! two folds.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use domain::{Sha256, SizePx};
use thiserror::Error;

use super::features::STEP;
use crate::index::{Index, IndexError};

/// How the files end that are taken for pictures.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff"];

/// Why there are no pictures to fit to.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum PicturesError {
    /// A folder or file can't be read.
    #[error("{}: {message}", .file.display())]
    Unreadable { file: PathBuf, message: String },
    /// The index is not as it should be.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Nothing good, or too little of it.
    #[error(
        "{}: {count} good pictures; right would be: at least {GOOD_LEAST}, better {GOOD_WISE} \
         or more from several lots, each lot in a folder of its own", .place.display()
    )]
    TooFewGood { place: PathBuf, count: usize },
    /// The same bytes are among the good and the bad.
    #[error(
        "{} and {} are the same picture, one good and one bad", .good.display(), .bad.display()
    )]
    GoodAndBad { good: PathBuf, bad: PathBuf },
}

/// With fewer good pictures nothing is fitted.
pub const GOOD_LEAST: usize = 5;
/// With fewer good pictures there is a warning.
pub const GOOD_WISE: usize = 20;

/// A picture to fit to or to try on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Where it lies.
    pub file: PathBuf,
    /// Shared by pictures that resemble each other for another reason than being good; empty when
    /// nobody said.
    pub group: String,
}

/// Good pictures, and perhaps bad ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// Where they are from: a folder or an index.
    pub place: PathBuf,
    /// In the order of their names.
    pub good: Vec<Picture>,
    /// Only looked at to choose the limits and to say how often they are wrong.
    pub bad: Vec<Picture>,
    /// What the user should know of them.
    pub warnings: Vec<String>,
}

impl Pictures {
    /// All pictures in the folder `good` and below, and those in `bad`; the folder just below is
    /// a picture's group.
    ///
    /// # Errors
    /// When a folder or file can't be read, too few pictures are good, or one is good and bad.
    pub fn from_folders(good: &Path, bad: Option<&Path>) -> Result<Self, PicturesError> {
        let bad = bad.map(pictures_below).transpose()?.unwrap_or_default();
        Self::new(good, pictures_below(good)?, bad)
    }

    /// The pictures of an index, or of one of its splits.
    ///
    /// # Errors
    /// When the index has no such split, a file can't be read, too few pictures are good, or one
    /// is good and bad.
    pub fn from_index(index: &Index, split: Option<&str>) -> Result<Self, PicturesError> {
        let rows = match split {
            Some(split) => index.of_split(split)?,
            None => index.rows.iter().collect(),
        };
        let of = |bad| {
            let chosen = rows.iter().filter(move |row| row.is_bad() == bad);
            chosen
                .map(|row| Picture {
                    file: index.path(&row.file),
                    // An index that names no group gives the file's name, which groups nothing.
                    group: if Path::new(&row.group) == row.file {
                        String::new()
                    } else {
                        row.group.clone()
                    },
                })
                .collect()
        };
        Self::new(&index.file, of(false), of(true))
    }

    fn new(place: &Path, good: Vec<Picture>, bad: Vec<Picture>) -> Result<Self, PicturesError> {
        let mut all = Self { place: place.to_owned(), good, bad, warnings: Vec::new() };
        for pictures in [&mut all.good, &mut all.bad] {
            pictures.sort_by(|a, b| a.file.cmp(&b.file));
        }
        all.drop_copies()?;
        all.check_count()?;
        if all.good.len() < GOOD_WISE {
            all.warnings.push(format!(
                "{} good pictures are few; {GOOD_WISE} or more tell better what is usual",
                all.good.len()
            ));
        }
        if !all.is_grouped() {
            all.warnings.push(
                "no lots, days or parts are named: limits are tried on neighbours of the pictures \
                 they were chosen on, and may promise too much; put each lot in a folder of its \
                 own, or name it in the index's `group`"
                    .to_owned(),
            );
        }
        Ok(all)
    }

    /// Whether there are enough good ones; asked again when some were left out.
    pub(crate) fn check_count(&self) -> Result<(), PicturesError> {
        let (place, count) = (self.place.clone(), self.good.len());
        if count < GOOD_LEAST { Err(PicturesError::TooFewGood { place, count }) } else { Ok(()) }
    }

    /// Drops pictures whose bytes are another's.
    fn drop_copies(&mut self) -> Result<(), PicturesError> {
        let mut seen: HashMap<Sha256, (PathBuf, bool)> = HashMap::new();
        let mut copies = Vec::new();
        for (pictures, bad) in [(&mut self.good, false), (&mut self.bad, true)] {
            let mut once = Vec::with_capacity(pictures.len());
            for picture in pictures.drain(..) {
                let bytes =
                    std::fs::read(&picture.file).map_err(|error| PicturesError::Unreadable {
                        file: picture.file.clone(),
                        message: error.to_string(),
                    })?;
                match seen.get(&Sha256::of(&bytes)) {
                    None => {
                        seen.insert(Sha256::of(&bytes), (picture.file.clone(), bad));
                        once.push(picture);
                    }
                    Some((good, false)) if bad => {
                        let (good, bad) = (good.clone(), picture.file);
                        return Err(PicturesError::GoodAndBad { good, bad });
                    }
                    Some(_) => copies.push(picture.file),
                }
            }
            *pictures = once;
        }
        if let Some(first) = copies.first() {
            self.warnings.push(format!(
                "{} pictures are copies of others and were left out, the first {}",
                copies.len(),
                first.display()
            ));
        }
        Ok(())
    }

    /// Whether good pictures are of at least two named groups.
    pub(crate) fn is_grouped(&self) -> bool {
        let mut named = self.good.iter().map(|p| &p.group).filter(|group| !group.is_empty());
        named.next().is_some_and(|first| named.any(|group| group != first))
    }

    /// Names of the good pictures' groups; none unless there are two.
    #[must_use]
    pub fn groups(&self) -> Vec<&str> {
        if !self.is_grouped() {
            return Vec::new();
        }
        let mut groups: Vec<_> = self.good.iter().map(|picture| &*picture.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The size to show pictures at: about `side` x `side` pixels in all, in the shape of the good
    /// pictures' middle one, sides multiples of [`STEP`].
    #[must_use]
    pub fn size_of_side(&self, side: u32) -> SizePx {
        let shape = |picture: &Picture| {
            let (width, height) = image::image_dimensions(&picture.file).ok()?;
            Some(f64::from(width.max(1)) / f64::from(height.max(1)))
        };
        let mut shapes: Vec<f64> = self.good.iter().filter_map(shape).collect();
        shapes.sort_by(f64::total_cmp);
        let shape = shapes.get(shapes.len() / 2).copied().unwrap_or(1.0).sqrt();
        SizePx::new(to_step(f64::from(side) * shape), to_step(f64::from(side) / shape))
    }

    /// The fold of each good and each bad picture, and how many folds there are: `most`, or as many
    /// as there are groups. Where no groups are named, runs of neighbouring names stay together:
    /// cameras number pictures in the order of time.
    pub(crate) fn folds(&self, most: usize) -> (Vec<usize>, Vec<usize>, usize) {
        if !self.is_grouped() {
            return (runs(self.good.len(), most), runs(self.bad.len(), most), most);
        }
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for picture in &self.good {
            counts.entry(&picture.group).or_default().0 += 1;
        }
        let folds = most.min(counts.len());
        for picture in self.bad.iter().filter(|picture| !picture.group.is_empty()) {
            counts.entry(&picture.group).or_default().1 += 1;
        }
        // Every fold's limits want bad pictures: with fewer groups of them they are dealt singly.
        let groups_of_bad = counts.values().filter(|(_, bad)| *bad > 0).count();
        if groups_of_bad < folds {
            counts.retain(|_, (good, _)| *good > 0);
        }
        let fold_of = dealt(counts, folds);
        let known = |picture: &Picture| fold_of.get(&*picture.group).copied();
        let strangers = self.bad.iter().filter(|picture| known(picture).is_none()).count();
        let mut runs = runs(strangers, folds).into_iter();
        let mut of = |picture: &Picture| known(picture).or_else(|| runs.next()).unwrap_or(0);
        let good = self.good.iter().map(&mut of).collect();
        (good, self.bad.iter().map(&mut of).collect(), folds)
    }
}

/// As many as `count`, in `folds` runs of nearly the same length.
fn runs(count: usize, folds: usize) -> Vec<usize> {
    (0..count).map(|i| i * folds / count).collect()
}

/// The fold of each group, given how many good and bad pictures it has: the largest first, each
/// into the emptiest fold.
fn dealt<'a>(counts: BTreeMap<&'a str, (usize, usize)>, folds: usize) -> HashMap<&'a str, usize> {
    let mut groups: Vec<_> = counts.into_iter().collect();
    groups.sort_by_key(|(_, (good, bad))| std::cmp::Reverse((*good, *bad)));
    let mut filled = vec![(0, 0); folds];
    let into_emptiest = |(group, (good, bad)): (&'a str, (usize, usize))| {
        let fill = |&fold: &usize| {
            let (goods, bads): (usize, usize) = filled[fold];
            if good > 0 { (goods, bads) } else { (bads, goods) }
        };
        let emptiest = (0..folds).min_by_key(fill).unwrap_or(0);
        filled[emptiest].0 += good;
        filled[emptiest].1 += bad;
        (group, emptiest)
    };
    groups.into_iter().map(into_emptiest).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and clamped to sides that the extractor takes"
)]
fn to_step(side: f64) -> u32 {
    let step = f64::from(STEP);
    ((side / step).round() * step).clamp(32.0, 2048.0) as u32
}

/// The pictures in a folder and below; the folder just below is the group.
fn pictures_below(folder: &Path) -> Result<Vec<Picture>, PicturesError> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            let group = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut below = vec![path];
            while let Some(folder) = below.pop() {
                for path in entries(&folder)? {
                    if path.is_dir() {
                        below.push(path);
                    } else if is_picture(&path) {
                        found.push(Picture { file: path, group: group.clone() });
                    }
                }
            }
        } else if is_picture(&path) {
            found.push(Picture { file: path, group: String::new() });
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, PicturesError> {
    let unreadable = |error: std::io::Error| PicturesError::Unreadable {
        file: folder.to_owned(),
        message: error.to_string(),
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect()
}

/// By its ending; hidden files are none.
fn is_picture(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    !hidden && ending.is_some_and(|ending| ENDINGS.contains(&&*ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, file).unwrap();
        }
        dir
    }

    fn pictures(good: &[&str], bad: &[&str]) -> Pictures {
        let of = |groups: &[&str]| {
            let picture = |(i, group): (usize, &&str)| Picture {
                file: format!("{i:03}.png").into(),
                group: (*group).to_owned(),
            };
            groups.iter().enumerate().map(picture).collect()
        };
        Pictures { place: "p".into(), good: of(good), bad: of(bad), warnings: Vec::new() }
    }

    #[test]
    fn folders_are_groups() {
        let dir = folder(&[
            "g/a/1.png",
            "g/a/deep/2.JPG",
            "g/b/3.bmp",
            "g/4.tiff",
            "g/b/5.png",
            "g/b/notes.txt",
            "g/b/.6.png",
            "x/7.png",
        ]);
        let (good, bad) = (dir.path().join("g"), dir.path().join("x"));
        let found = Pictures::from_folders(&good, Some(&bad)).unwrap();
        let groups: Vec<_> = found.good.iter().map(|picture| &*picture.group).collect();
        assert_eq!(groups, ["", "a", "a", "b", "b"]);
        assert_eq!((found.bad.len(), found.groups()), (1, vec!["", "a", "b"]));
        assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    }

    #[test]
    fn too_few_and_missing_are_told() {
        let dir = folder(&["1.png", "2.png", "3.png", "4.png"]);
        let error = Pictures::from_folders(dir.path(), None).unwrap_err().to_string();
        assert!(error.contains("4 good pictures") && error.contains("at least 5"), "{error}");
        let gone = dir.path().join("gone");
        let error = Pictures::from_folders(&gone, None).unwrap_err().to_string();
        assert!(error.contains("gone"), "{error}");
    }

    #[test]
    fn copies_are_left_out_and_contradictions_refused() {
        let dir = folder(&["g/1.png", "g/2.png", "g/3.png", "g/4.png", "g/5.png", "b/9.png"]);
        let (good, bad) = (dir.path().join("g"), dir.path().join("b"));
        std::fs::write(good.join("6.png"), "g/1.png").unwrap();
        let found = Pictures::from_folders(&good, Some(&bad)).unwrap();
        assert_eq!(found.good.len(), 5);
        assert!(found.warnings[0].contains("6.png"), "{:?}", found.warnings);
        std::fs::write(bad.join("9.png"), "g/1.png").unwrap();
        let error = Pictures::from_folders(&good, Some(&bad)).unwrap_err().to_string();
        assert!(error.contains("1.png") && error.contains("9.png"), "{error}");
    }

    #[test]
    fn an_index_gives_groups_only_when_it_names_them() {
        let names: Vec<_> = (0..6).map(|i| format!("{i}.png")).collect();
        let names: Vec<_> = names.iter().map(|name| &**name).collect();
        let dir = folder(&names);
        let file = dir.path().join("index.csv");
        let write = |group: &dyn Fn(usize) -> String| {
            let mut text = "file,label,split,group\n".to_owned();
            for i in 0..6 {
                text += &format!("{i}.png,{},train,{}\n", ["ok", "dent"][i / 5], group(i));
            }
            std::fs::write(&file, text).unwrap();
            Pictures::from_index(&Index::read(&file).unwrap(), Some("train")).unwrap()
        };
        let grouped = write(&|i| format!("lot{}", i % 2));
        assert_eq!((grouped.good.len(), grouped.bad.len()), (5, 1));
        assert_eq!(grouped.groups(), ["lot0", "lot1"]);
        assert!(!write(&|_| String::new()).is_grouped());
        assert!(!write(&|_| "one".to_owned()).is_grouped());
    }

    #[test]
    fn no_group_is_in_two_folds() {
        let good = ["a", "a", "a", "a", "b", "b", "c", "d", "d"];
        let bad = ["a", "e", "f", "g", "d"];
        let all = pictures(&good, &bad);
        let (goods, bads, folds) = all.folds(3);
        assert_eq!(folds, 3);
        let mut fold_of = HashMap::new();
        for (group, fold) in good.iter().zip(&goods).chain(bad.iter().zip(&bads)) {
            assert_eq!(fold_of.entry(group).or_insert(fold), &fold, "{group}");
        }
        let sizes: Vec<_> = (0..3).map(|f| goods.iter().filter(|g| **g == f).count()).collect();
        assert_eq!(sizes.iter().max(), Some(&4), "{sizes:?}");
        assert!(sizes.iter().all(|size| *size > 0), "{sizes:?}");
        assert_eq!(pictures(&["a", "b", "b"], &[]).folds(3).2, 2);
    }

    #[test]
    fn every_fold_has_bad_pictures_however_they_are_grouped() {
        for bad in
            [["", "", "", ""], ["x", "x", "x", "x"], ["x", "x", "y", "y"], ["x", "", "", "a"]]
        {
            let (_, bads, folds) = pictures(&["a", "a", "b", "c"], &bad).folds(3);
            assert!((0..folds).all(|fold| bads.contains(&fold)), "{bad:?}: {bads:?}");
        }
    }

    #[test]
    fn without_groups_neighbours_stay_together() {
        let (goods, bads, folds) = pictures(&[""; 7], &[""; 2]).folds(3);
        assert_eq!((goods, bads, folds), (vec![0, 0, 0, 1, 1, 2, 2], vec![0, 1], 3));
    }

    #[test]
    fn the_size_has_the_pictures_shape() {
        let dir = tempfile::tempdir().unwrap();
        let mut all = pictures(&[""; 3], &[]);
        for (picture, (w, h)) in all.good.iter_mut().zip([(400, 100), (200, 100), (90, 90)]) {
            picture.file = dir.path().join(&picture.file);
            image::GrayImage::new(w, h).save(&picture.file).unwrap();
        }
        assert_eq!(all.size_of_side(192), SizePx::new(272, 128));
        assert_eq!(pictures(&[""], &[]).size_of_side(192), SizePx::new(192, 192));
    }
}
