//! What is measured: simulated footage in two sizes, and the zoo's recipes and models for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{CheckedRecipe, PixelFormat, Pixels, Recipe, SizePx};
use models::{Bundle, Model, Runtime};
use testdata::{Scene, SceneConfig};

use crate::Failure;

/// Frames in which the belt moves on by exactly one part: shown in a circle they are a belt
/// without end. So it is at the simulator's usual speed and distance.
const PERIOD: u64 = 8;
/// Parts enough that the belt is full while the circle is filmed.
const PARTS: u32 = 24;

/// A camera's size.
#[derive(Clone, Copy)]
pub struct Camera {
    /// What it is called.
    pub name: &'static str,
    /// Its picture.
    pub size: SizePx,
    /// The side of the square that the model is shown.
    pub crop_px: u32,
    recipe: &'static str,
}

/// Both cameras, the smaller first.
pub const CAMERAS: [Camera; 2] = [
    Camera {
        name: "1080p",
        size: SizePx::new(1920, 1080),
        crop_px: 288,
        recipe: "simulated-parts/recipe.toml",
    },
    Camera {
        name: "4K",
        size: SizePx::new(3840, 2160),
        crop_px: 576,
        recipe: "simulated-parts/recipe-2160p.toml",
    },
];

impl Camera {
    /// The recipe for its footage.
    ///
    /// # Errors
    /// When the zoo has none.
    pub fn recipe(&self) -> Result<Arc<CheckedRecipe>, Failure> {
        let path = zoo().join(self.recipe);
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let recipe: Recipe = toml::from_str(&text)?;
        Ok(Arc::new(recipe.check()?))
    }

    /// What it films.
    #[must_use]
    pub fn scene(&self, format: PixelFormat, parts: u32) -> SceneConfig {
        SceneConfig { parts, size: self.size, format, ..SceneConfig::default() }
    }

    /// A few frames of a full belt which follow on each other in a circle.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub fn frames(&self, format: PixelFormat) -> Result<Vec<Arc<dyn Pixels>>, Failure> {
        let scene = Scene::new(&self.scene(format, PARTS))?;
        let from = scene.frames() / 2;
        Ok((from..from + PERIOD).map(|at| Arc::new(scene.render(at)) as Arc<dyn Pixels>).collect())
    }
}

/// The folder of the bundles.
#[must_use]
pub fn zoo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo")
}

/// The armed model of the zoo's bundle `name`.
///
/// # Errors
/// When there is no ONNX Runtime, or the bundle is not as it should be.
pub fn model(name: &str) -> Result<Model, Failure> {
    Ok(Bundle::load(&zoo().join(name))?.arm(&Runtime::open()?)?)
}
