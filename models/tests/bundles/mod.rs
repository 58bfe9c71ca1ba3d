//! Bundles to try things on: takes a fixture's name, gives a copy that a test may spoil.

use std::fs;
use std::path::{Path, PathBuf};

use domain::Sha256;
use sightline_models::Runtime;
use tempfile::TempDir;

/// The folder of the committed fixtures.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// ONNX Runtime; these tests are about nothing without it.
pub fn runtime() -> Runtime {
    Runtime::open().unwrap_or_else(|error| panic!("{error}"))
}

/// A bundle of a test's own.
pub struct Copy {
    pub dir: TempDir,
}

impl Copy {
    pub fn of(fixture: &str) -> Self {
        Self::from(&data().join(fixture))
    }

    pub fn from(bundle: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(bundle, dir.path());
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Changes the manifest's text, which must hold `from`.
    pub fn edit(&self, from: &str, to: &str) -> &Self {
        let file = self.path().join("model.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// Puts `bytes` in the place of a file that the manifest names, and has it name their hash.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> &Self {
        let file = self.path().join(name);
        let before = Sha256::of(&fs::read(&file).unwrap());
        fs::write(&file, bytes).unwrap();
        self.edit(&before.to_string(), &Sha256::of(bytes).to_string())
    }

    /// Puts one of the fixture graphs in the place of the network.
    pub fn with_graph(&self, name: &str) -> &Self {
        self.replace("model.onnx", &fs::read(data().join("graphs").join(name)).unwrap())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
