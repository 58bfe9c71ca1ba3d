//! Where ONNX Runtime's shared library is: takes the machine's surroundings, gives the places to
//! look at, in order, and an error that says what was found at each.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// How the library's file begins.
const STEM: &str = "libonnxruntime.so";

/// A place that was looked at, and why it did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The file or folder.
    pub place: PathBuf,
    /// What was wrong there.
    pub found: String,
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  {}: {}", self.place.display(), self.found)
    }
}

/// There is no ONNX Runtime to run networks with.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RuntimeError {
    /// None of the places has a library that can be used.
    #[error(
        "no ONNX Runtime 1.24 or newer; `make deps` fetches it, \
         ORT_DYLIB_PATH names one elsewhere. Looked at:{}",
        .looked.iter().map(Looked::to_string).collect::<String>()
    )]
    NotFound {
        /// Where it was looked for, in order.
        looked: Vec<Looked>,
    },
    /// The library was found and would not start.
    #[error("ONNX Runtime at {} did not start: {message}", .library.display())]
    NotStarted {
        /// The library.
        library: PathBuf,
        /// What it said.
        message: String,
    },
}

/// What decides where to look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// `ORT_DYLIB_PATH`.
    pub named: Option<OsString>,
    /// The program's own file.
    pub executable: Option<PathBuf>,
    /// `XDG_CACHE_HOME`.
    pub cache_home: Option<OsString>,
    /// `HOME`.
    pub home: Option<OsString>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            named: variable("ORT_DYLIB_PATH"),
            executable: std::env::current_exe().ok(),
            cache_home: variable("XDG_CACHE_HOME"),
            home: variable("HOME"),
        }
    }

    /// The folders to look in, in order.
    fn folders(&self) -> Vec<PathBuf> {
        let beside = self.executable.as_deref().and_then(Path::parent);
        let mut folders: Vec<_> = beside
            .into_iter()
            .flat_map(|folder| [folder.to_owned(), folder.join("../lib/sightline")])
            .collect();
        folders.push("/usr/lib/sightline".into());
        let home = self.home.as_ref().map(|home| Path::new(home).join(".cache"));
        if let Some(cache) = self.cache_home.as_ref().map(PathBuf::from).or(home) {
            let versions = cache.join("sightline/onnxruntime");
            // Without any version the folder itself is named, so that the error shows it.
            let found = newest_first(&versions, version_from_digits);
            folders.extend(if found.is_empty() { vec![versions] } else { found });
        }
        folders
    }

    /// Hands `open` one library after the other until it takes one.
    ///
    /// `ORT_DYLIB_PATH` is an order: when it is set nothing else is looked at, so that nobody runs
    /// another build than the one they named.
    pub fn first_that_opens<T>(
        &self,
        mut open: impl FnMut(&Path) -> Result<T, String>,
    ) -> Result<(PathBuf, T), RuntimeError> {
        let mut looked = Vec::new();
        let mut attempt = |library: PathBuf, looked: &mut Vec<Looked>| match open(&library) {
            Ok(opened) => Some((library, opened)),
            Err(found) => {
                looked.push(Looked { place: library, found });
                None
            }
        };
        if let Some(named) = &self.named {
            let opened = attempt(PathBuf::from(named), &mut looked);
            return opened.ok_or(RuntimeError::NotFound { looked });
        }
        for folder in self.folders() {
            let libraries = newest_first(&folder, version_from_library);
            if libraries.is_empty() {
                let found = format!("no {STEM} here");
                looked.push(Looked { place: folder, found });
            }
            for library in libraries {
                if let Some(opened) = attempt(library, &mut looked) {
                    return Ok(opened);
                }
            }
        }
        // No folder: the system's loader looks along its own path.
        attempt(STEM.into(), &mut looked).ok_or(RuntimeError::NotFound { looked })
    }
}

/// What in `folder` has a name with a version in it, newest first.
fn newest_first(folder: &Path, version: impl Fn(&str) -> Option<Vec<u32>>) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((version(entry.file_name().to_str()?)?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// `libonnxruntime.so.1.31.1` gives `[1, 31, 1]`, `libonnxruntime.so` gives `[]`.
fn version_from_library(name: &str) -> Option<Vec<u32>> {
    match name.strip_prefix(STEM)? {
        "" => Some(Vec::new()),
        rest => version_from_digits(rest.strip_prefix('.')?),
    }
}

/// `1.31.1` gives `[1, 31, 1]`.
fn version_from_digits(name: &str) -> Option<Vec<u32>> {
    name.split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A home with the libraries `names` in it, each an empty file.
    fn home_with(names: &[&str]) -> (tempfile::TempDir, Surroundings) {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let around = Surroundings {
            executable: Some(dir.path().join("bin/sightline")),
            home: Some(dir.path().into()),
            ..Surroundings::default()
        };
        (dir, around)
    }

    /// Every library that is tried when none opens, relative to the home.
    fn tried(dir: &tempfile::TempDir, around: &Surroundings) -> Vec<String> {
        let mut tried = Vec::new();
        around
            .first_that_opens(|path| {
                let path = path.strip_prefix(dir.path()).unwrap_or(path);
                tried.push(path.to_str().unwrap().to_owned());
                Err::<(), _>("no".into())
            })
            .unwrap_err();
        tried
    }

    #[test]
    fn places_are_tried_in_order_and_the_newest_first() {
        let (dir, around) = home_with(&[
            ".cache/sightline/onnxruntime/1.9.0/libonnxruntime.so.1.9.0",
            ".cache/sightline/onnxruntime/1.31.1/libonnxruntime.so.1.31.1",
            ".cache/sightline/onnxruntime/notes/libonnxruntime.so.7",
            "lib/sightline/libonnxruntime.so",
            "lib/sightline/libonnxruntime_providers_shared.so",
            "bin/libonnxruntime.so.1.30.0",
            "bin/libonnxruntime.so.1.4.0",
            "bin/1.31.1",
        ]);
        assert_eq!(
            tried(&dir, &around)
                .into_iter()
                .filter(|path| !path.starts_with("/usr/lib/sightline"))
                .collect::<Vec<_>>(),
            [
                "bin/libonnxruntime.so.1.30.0",
                "bin/libonnxruntime.so.1.4.0",
                "bin/../lib/sightline/libonnxruntime.so",
                ".cache/sightline/onnxruntime/1.31.1/libonnxruntime.so.1.31.1",
                ".cache/sightline/onnxruntime/1.9.0/libonnxruntime.so.1.9.0",
                "libonnxruntime.so",
            ]
        );
    }

    #[test]
    fn the_first_that_opens_is_taken() {
        let (dir, around) = home_with(&["bin/libonnxruntime.so.1.4.0", "bin/libonnxruntime.so"]);
        let (path, ()) = around
            .first_that_opens(|path| if path.ends_with(STEM) { Ok(()) } else { Err("old".into()) })
            .unwrap();
        assert_eq!(path, dir.path().join("bin/libonnxruntime.so"));
    }

    #[test]
    fn a_named_library_is_an_order() {
        let (dir, mut around) = home_with(&["bin/libonnxruntime.so"]);
        around.named = Some("/opt/ort.so".into());
        assert_eq!(tried(&dir, &around), ["/opt/ort.so"]);
    }

    #[test]
    fn the_cache_follows_xdg() {
        let (dir, mut around) = home_with(&["xdg/sightline/onnxruntime/1.31.1/libonnxruntime.so"]);
        around.cache_home = Some(dir.path().join("xdg").into());
        let wanted = "xdg/sightline/onnxruntime/1.31.1/libonnxruntime.so".to_owned();
        assert!(tried(&dir, &around).contains(&wanted));
    }

    #[test]
    fn the_error_says_where_it_looked_and_what_to_do() {
        let (dir, around) = home_with(&["bin/libonnxruntime.so.1.4.0"]);
        let error = around.first_that_opens(|_| Err::<(), _>("too old".into())).unwrap_err();
        let text = error.to_string();
        for part in [
            "make deps",
            "ORT_DYLIB_PATH",
            "bin/libonnxruntime.so.1.4.0: too old",
            "../lib/sightline: no libonnxruntime.so here",
            ".cache/sightline/onnxruntime: no libonnxruntime.so here",
            "\n  libonnxruntime.so: too old",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.contains(dir.path().to_str().unwrap()));
    }

    #[test]
    fn only_versions_are_versions() {
        assert_eq!(version_from_library("libonnxruntime.so.1.31.1"), Some(vec![1, 31, 1]));
        assert_eq!(version_from_library("libonnxruntime.so"), Some(vec![]));
        assert_eq!(version_from_digits("1.9"), Some(vec![1, 9]));
        for other in ["libonnxruntime.so.old", "libonnxruntime.sofa", "1.31.1", "notes", ""] {
            assert_eq!(version_from_library(other), None, "{other}");
        }
        for other in ["notes", "1..2", "libonnxruntime.so.1", ""] {
            assert_eq!(version_from_digits(other), None, "{other}");
        }
    }
}
