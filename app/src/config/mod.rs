//! Files as written → values as checked. Every error names the file, the line, the key, and what
//! would be right.

mod belt;
mod calibration;
mod clips;
mod limits;
mod place;
mod station;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
pub use belt::belt;
#[cfg(test)]
pub use belt::tests::accepted_profile;
pub use calibration::{Calibrated, calibrations};
pub use clips::Filming;
use domain::recipe::Align;
use domain::{CheckedRecipe, Event, Execution, Recipe};
pub use limits::write_limits;
use models::{Bundle, BundleError, Model, Runtime, Trust};
pub use station::{Camera, RecipeFile, Station};

/// A recipe and the model it names, ready to inspect.
pub struct Armed {
    /// The checked recipe.
    pub recipe: Arc<CheckedRecipe>,
    /// The model; its golden samples were reproduced.
    pub model: Model,
}

impl Armed {
    /// What somebody has to look after: the model runs on the CPU though the recipe names another
    /// provider.
    pub fn alarm(&self) -> Option<Event> {
        let runs_on = self.model.runs_on();
        Some(Event::ModelOnCpu {
            recipe: self.recipe.as_written().name.clone(),
            wanted: runs_on.wanted,
            cause: runs_on.shortfall.clone()?,
        })
    }
}

/// Reads and checks the recipe in the file `path`.
pub fn recipe_from_file(path: &Path) -> Result<CheckedRecipe> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("{}: the recipe can't be read", path.display()))?;
    let recipe: Recipe = toml::from_str(&text).map_err(|error| {
        let line = place::line_of_error(&text, &error);
        anyhow!("{}:{line}: {}", path.display(), place::one_line(error.message()))
    })?;
    recipe.check().map_err(|error| {
        let line = place::line_of_key(&text, &error.key);
        anyhow!("{}:{line}: {error}", path.display())
    })
}

/// Reads the recipe in `path`, loads the model it names if `trust` allows it, and arms it.
pub fn arm(path: &Path, trust: &Trust) -> Result<Armed> {
    let recipe = recipe_from_file(path)?;
    let folder = bundle_folder(path, &recipe);
    let bundle = Bundle::load_trusted(&folder, trust)
        .with_context(|| format!("{}: `model`", path.display()))?;
    let labels: Vec<&str> = bundle.manifest().output.labels.iter().map(AsRef::as_ref).collect();
    if let Some(stranger) =
        recipe.kinds_named().find(|kind| !labels.contains(kind) && *kind != Align::MISALIGNED)
    {
        bail!(
            "{}: `limits` names `{stranger}`, which the model does not know; it knows {}",
            path.display(),
            labels.join(", ")
        );
    }
    let model = bundle.arm_on(&Runtime::open()?, &execution(path, &recipe)).map_err(|error| {
        let key = match error {
            BundleError::Execution(_) | BundleError::Compiled(_) => "execution",
            _ => "model",
        };
        anyhow::Error::from(error).context(format!("{}: `{key}`", path.display()))
    })?;
    Ok(Armed { recipe: Arc::new(recipe), model })
}

/// On what the model runs, with a folder relative to the recipe's file.
fn execution(path: &Path, recipe: &CheckedRecipe) -> Execution {
    let written = &recipe.as_written().execution;
    let base = path.parent().unwrap_or(Path::new("."));
    let beside = |folder: &String| base.join(folder).to_string_lossy().into_owned();
    Execution { compiled: written.compiled.as_ref().map(beside), ..written.clone() }
}

/// The bundle's folder, relative to the recipe's file.
pub fn bundle_folder(path: &Path, recipe: &CheckedRecipe) -> PathBuf {
    let base = path.parent().unwrap_or(Path::new("."));
    base.join(&recipe.as_written().model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn error_of(text: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let error = recipe_from_file(file.path()).unwrap_err();
        let name = file.path().display().to_string();
        format!("{error:#}").replace(&name, "recipe.toml")
    }

    const GOOD: &str = "name = \"a\"\nmodel = \"m\"\n\n[locate]\nkind = \"every-frame\"\n\n\
                        [limits]\nreject_at = 0.5\n";

    #[test]
    fn errors_name_file_line_and_key() {
        let unknown = error_of(&GOOD.replace("reject_at", "reject_form"));
        assert!(unknown.starts_with("recipe.toml:8: unknown field `reject_form`"), "{unknown}");
        assert!(unknown.contains("reject_at"), "says what would be right: {unknown}");

        let wrong = error_of(&GOOD.replace("0.5", "1.5"));
        assert!(wrong.starts_with("recipe.toml:8: `limits.reject_at`"), "{wrong}");

        let contradiction = error_of(&format!("{GOOD}undecided_from = 0.9\n"));
        assert!(contradiction.starts_with("recipe.toml:9: `limits.undecided_from`"));

        let motion = "kind = \"motion\"\nmin_area_px = 1\nmax_area_px = 2\nviws = 3";
        let unknown = error_of(&GOOD.replace("kind = \"every-frame\"", motion));
        assert!(unknown.starts_with("recipe.toml:8: unknown field `viws`"), "{unknown}");

        let no_toml = error_of("name = ");
        assert!(no_toml.starts_with("recipe.toml:1: "), "{no_toml}");
    }

    #[test]
    fn the_readme_shows_a_recipe_that_works() {
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (shown, _) = rest.split_once("```").unwrap();
        // The keys that are commented out must be known ones too.
        let all: String = shown
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        toml::from_str::<Recipe>(&all).unwrap();
        toml::from_str::<Recipe>(shown).unwrap().check().unwrap();
    }

    #[test]
    fn a_missing_recipe_is_named() {
        let error = format!("{:#}", recipe_from_file(Path::new("no/such.toml")).unwrap_err());
        assert!(error.starts_with("no/such.toml: the recipe can't be read"), "{error}");
    }
}
