//! A folder with a recipe and a model bundle, as somebody would set them up, that a test may spoil.
//! Takes a recipe's text and a fixture's name; gives the command line that replays with them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::Sha256;
use tempfile::TempDir;

use crate::footage::HEIGHT;
use crate::program::{Ran, run, run_well, sightline};
use crate::results::Results;

/// Every frame is one part.
pub const TRIGGERED: &str = "name = \"part\"\nmodel = \"m\"\n\n[locate]\nkind = \"every-frame\"\n\n\
                             [limits]\nreject_at = 0.5\n";

/// A recipe for the simulator's belt, in pictures of [`HEIGHT`]. The fixture `classifier` scores
/// how bright a part is; these limits lie among its scores for simulated parts, so that all three
/// verdicts come up by nothing but the pixels.
pub fn belt() -> String {
    let square = (HEIGHT / 5).pow(2);
    format!(
        "name = \"belt\"\nmodel = \"m\"\n\n[locate]\nkind = \"motion\"\nmin_area_px = {}\n\
         max_area_px = {}\nparts_are = \"brighter\"\n\n\
         [limits]\nreject_at = 0.22\nundecided_from = 0.2\n",
        square / 4,
        square * 95 / 100,
    )
}

/// The fixtures of the crate `models`.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data")
}

pub struct Station {
    folder: TempDir,
}

impl Station {
    /// With the fixture `classifier`: bright parts are bad.
    pub fn new(recipe: &str) -> Self {
        Self::with_fixture(recipe, "classifier")
    }

    pub fn with_fixture(recipe: &str, fixture: &str) -> Self {
        Self::with_bundle(recipe, &fixtures().join(fixture))
    }

    pub fn with_bundle(recipe: &str, bundle: &Path) -> Self {
        let station = Self { folder: tempfile::tempdir().unwrap() };
        copy(bundle, &station.path("m"));
        station.write_recipe(recipe);
        station
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write_recipe(&self, text: &str) {
        fs::write(self.path("recipe.toml"), text).unwrap();
    }

    /// Changes the manifest's text, which must hold `from`.
    pub fn edit_model(&self, from: &str, to: &str) -> &Self {
        let file = self.path("m/model.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(file, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// Puts `bytes` in the place of a file of the bundle, and has the manifest name their hash.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> &Self {
        let file = self.path("m").join(name);
        let before = Sha256::of(&fs::read(&file).unwrap());
        fs::write(&file, bytes).unwrap();
        self.edit_model(&before.to_string(), &Sha256::of(bytes).to_string())
    }

    /// The command line that replays `source`.
    pub fn replay(&self, source: impl AsRef<OsStr>) -> Command {
        self.replay_into(source, &self.path("out"))
    }

    pub fn replay_into(&self, source: impl AsRef<OsStr>, out: &Path) -> Command {
        let mut command = sightline([OsStr::new("replay"), source.as_ref()]);
        command.arg("--recipe").arg(self.path("recipe.toml")).arg("--out").arg(out);
        command
    }

    /// Replays `source` to its end, and reads what that left behind.
    pub fn results(&self, source: impl AsRef<OsStr>, args: &[&str]) -> Results {
        run_well(self.replay(source).args(args));
        Results::read(&self.path("out"))
    }

    /// Replays `source`, which must be refused before anything is written.
    pub fn refuses(&self, source: impl AsRef<OsStr>, words: &[&str]) -> Ran {
        let ran = run(&mut self.replay(source));
        ran.refused(words);
        assert!(!self.path("out/inspections.jsonl").exists(), "{ran:?}");
        ran
    }
}

pub fn copy(from: &Path, to: &Path) {
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
