//! The files beside the database: takes names from outside and bytes, gives safe names and whole
//! files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use domain::{CameraId, PartId, WallTime};

use crate::{RunId, StoreError};

/// The database's name in the store's folder.
pub(crate) const DATABASE: &str = "station.db";
/// The lock file's name.
pub(crate) const LOCK: &str = "station.lock";
/// The file that says how far the audit log goes.
pub(crate) const AUDIT_HEAD: &str = "audit.head";
/// The folder of images.
pub(crate) const IMAGES: &str = "images";
/// The folder of people.
pub(crate) const PEOPLE: &str = "people";
/// The folder of clips.
pub(crate) const CLIPS: &str = "clips";

/// Longest piece of a view's name in a file name.
const NAME_CHARS_MAX: usize = 40;

/// What an image file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ImageKind {
    /// The camera's exact samples.
    Picture,
    /// Where the view looked defective.
    Heatmap,
}

impl ImageKind {
    /// The name used in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Heatmap => "heatmap",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Picture, Self::Heatmap].into_iter().find(|kind| kind.name() == name)
    }
}

/// The folder of a run's images, relative to the store.
pub(crate) fn run_folder(run: RunId) -> String {
    format!("{IMAGES}/{:06}", run.0)
}

/// The file of an image, relative to the store: `images/000003/000042_0_top.png`.
///
/// The view's name is for people only and may be anything, so all but plain letters, digits and
/// dashes become `_`; its place in the part keeps the file names apart.
pub(crate) fn image_path(
    run: RunId,
    part: PartId,
    view: usize,
    view_name: &str,
    kind: ImageKind,
) -> String {
    let name = plain(view_name);
    let suffix = match kind {
        ImageKind::Picture => "",
        ImageKind::Heatmap => "_heatmap",
    };
    format!("{}/{:06}_{view}_{name}{suffix}.png", run_folder(run), part.0)
}

/// A name from outside as a piece of a file name.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    name.chars().take(NAME_CHARS_MAX).map(plain).collect()
}

/// The folder of a run's clips, relative to the store.
pub(crate) fn clip_folder(run: RunId) -> String {
    format!("{CLIPS}/{:06}", run.0)
}

/// The file of a clip, relative to the store: `clips/000003/top-1700000000000.mkv`, the number
/// being the milliseconds since 1970 at which it starts. `copy` keeps clips apart that would have
/// one name.
pub(crate) fn clip_path(run: RunId, camera: &CameraId, started: WallTime, copy: u32) -> String {
    let (folder, name) = (clip_folder(run), plain(camera.as_str()));
    let start_ms = started.unix_ns.div_euclid(1_000_000);
    match copy {
        0 => format!("{folder}/{name}-{start_ms}.mkv"),
        copy => format!("{folder}/{name}-{start_ms}_{copy}.mkv"),
    }
}

/// Where a path of the database lies. `None` when it would leave the folder `under` of the store.
pub(crate) fn inside(store: &Path, under: &str, relative: &str) -> Option<PathBuf> {
    let relative = Path::new(relative);
    let stays = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && relative.starts_with(under)).then(|| store.join(relative))
}

/// Every file in the folder `under` of the store and in the folders in it, sorted; none when it
/// is not there.
pub(crate) fn files_under(store: &Path, under: &str) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    for entry in entries(&store.join(under))? {
        if entry.is_dir() {
            files.extend(entries(&entry)?);
        } else {
            files.push(entry);
        }
    }
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
        listed => listed.map_err(|error| StoreError::io(folder, "list the folder", error)),
    }
}

/// Writes a file so that its name only ever stands for the whole of it, also after a power cut
/// once [`sync_folder`] was called on its folder.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    let written = File::create(&unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // The first failure is the one to tell; check() finds what could not be removed.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// The name of a file while it is being written.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("png.part")
}

/// Puts `bytes` where the file at `path` is or is to be, with these permissions; it is the old one
/// or the new one at any moment, and the new one for good when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // One that a kill left may have other permissions.
    let _ = fs::remove_file(&partial);
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&partial)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| sync_folder(path.parent().unwrap_or(Path::new("."))));
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Makes the names in a folder outlast a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Number of the highest run that has a folder, 0 when there is none.
pub(crate) fn highest_run_folder(store: &Path) -> io::Result<i64> {
    let mut highest = 0;
    for entry in fs::read_dir(store.join(IMAGES))? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn file_names_are_readable_and_sorted() {
        let name = |view, kind| image_path(RunId(3), PartId(42), view, "top", kind);
        assert_eq!(name(0, ImageKind::Picture), "images/000003/000042_0_top.png");
        assert_eq!(name(1, ImageKind::Heatmap), "images/000003/000042_1_top_heatmap.png");
    }

    #[test]
    fn paths_that_leave_the_store_are_refused() {
        let store = Path::new("/store");
        for bad in
            ["../x.png", "images/../../x.png", "/etc/passwd", "station.db", "", "images/./.."]
        {
            assert_eq!(inside(store, IMAGES, bad), None, "{bad}");
        }
        assert_eq!(inside(store, IMAGES, "images/1/a.png"), Some("/store/images/1/a.png".into()));
    }

    #[test]
    fn a_file_that_cannot_be_finished_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        std::os::unix::fs::symlink("/dev/full", unfinished(&path)).unwrap();
        let error = write_whole(&path, b"bytes").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn no_view_name_leaves_its_folder(name in any::<String>(), view in 0_usize..9) {
            for kind in [ImageKind::Picture, ImageKind::Heatmap] {
                let path = image_path(RunId(1), PartId(7), view, &name, kind);
                prop_assert!(inside(Path::new("/s"), IMAGES, &path).is_some());
                prop_assert_eq!(Path::new(&path).components().count(), 3);
                prop_assert!(path.len() < 100 && path.is_ascii());
            }
        }

        #[test]
        fn names_of_different_images_differ(a in ".{0,50}", b in ".{0,50}") {
            let kinds = [ImageKind::Picture, ImageKind::Heatmap];
            let names: std::collections::BTreeSet<String> = [(0, &a), (1, &b)]
                .into_iter()
                .flat_map(|(view, name)| {
                    kinds.map(|kind| image_path(RunId(1), PartId(7), view, name, kind))
                })
                .collect();
            prop_assert_eq!(names.len(), 4);
        }
    }
}
