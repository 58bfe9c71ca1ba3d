//! What does not change from part to part: takes a station or a store; gives what the screen shows
//! of it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use domain::CameraId;
use models::{Bundle, Trust};
use store::Reader;
use ui::{Facts, RecipeFacts};

use crate::config::{self, RecipeFile, Station};

/// Of a station, of which recipe `in_force` is.
///
/// # Errors
/// When a recipe or its model's bundle can't be read.
pub fn of_station(station: &Station, in_force: u16) -> Result<Facts> {
    let recipe = |file: &RecipeFile| of_recipe(file, &station.trust);
    Ok(Facts {
        station: station.name.clone(),
        software: crate::modes::software().to_string(),
        recipes: station.recipes.iter().map(recipe).collect::<Result<_>>()?,
        in_force: Some(in_force),
        cameras: station.cameras.iter().map(|camera| CameraId::new(&camera.name)).collect(),
    })
}

fn of_recipe(file: &RecipeFile, trust: &Trust) -> Result<RecipeFacts> {
    let recipe = config::recipe_from_file(&file.file)?;
    let bundle = Bundle::load_trusted(&config::bundle_folder(&file.file, &recipe), trust)?;
    let output = &bundle.manifest().output;
    let bad = output.labels.iter().filter(|label| **label != output.good);
    Ok(RecipeFacts {
        number: file.number,
        sha256: recipe.hash(),
        recipe: recipe.as_written().clone(),
        model_sha256: Some(bundle.hash()),
        classes: bad.map(|label| Arc::from(label.as_str())).collect(),
    })
}

/// Of the store in `folder`, without a line: the recipes that its parts were inspected by, and the
/// classes that were found or given.
///
/// # Errors
/// When the store can't be read.
pub fn of_store(folder: &Path) -> Result<Facts> {
    let reader = Reader::open(folder)?;
    let classes: Vec<Arc<str>> = reader.classes()?.into_iter().map(Arc::from).collect();
    let mut recipes = Vec::new();
    for (number, kept) in (1_u16..).zip(reader.recipes()?) {
        recipes.push(RecipeFacts {
            number,
            sha256: kept.sha256,
            recipe: kept.recipe,
            model_sha256: None,
            classes: classes.clone(),
        });
    }
    let name = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    Ok(Facts {
        station: name.display().to_string(),
        software: crate::modes::software().to_string(),
        recipes,
        in_force: None,
        cameras: reader.cameras()?.iter().map(|camera| CameraId::new(camera)).collect(),
    })
}
