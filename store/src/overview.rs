//! What a store is about: takes nothing; gives the recipes, cameras and classes in it.

use domain::{Recipe, Sha256};

use crate::rows::read::{hash, json};
use crate::{Reader, StoreError};

/// A recipe that parts were inspected by.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRecipe {
    /// Over its values.
    pub sha256: Sha256,
    /// Its values.
    pub recipe: Recipe,
}

impl Reader {
    /// Every recipe that was kept, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recipes(&self) -> Result<Vec<KeptRecipe>, StoreError> {
        self.list("SELECT * FROM recipe ORDER BY name, sha256", [], |row| {
            Ok(KeptRecipe { sha256: hash(row, "sha256")?, recipe: json(row, "recipe_json")? })
        })
    }

    /// The cameras of the last run that has pictures, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn cameras(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT camera FROM view
            WHERE run_id = (SELECT max(run_id) FROM view) ORDER BY camera";
        self.list(sql, [], |row| row.get(0))
    }

    /// Every class that a model found or a person gave, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn classes(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT kind FROM defect UNION SELECT json_extract(value, '$.class')
            FROM label, json_each(label_json, '$.marks') WHERE holds = 1 ORDER BY 1";
        self.list(sql, [], |row| row.get(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, example};

    #[test]
    fn a_store_says_what_it_is_about() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writer = store.start_run(&example::START).unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        assert!(reader.cameras().unwrap().is_empty() && reader.recipes().unwrap().is_empty());
        writer.keep_recipe(&example::recipe()).unwrap();
        writer.record(&example::outcome(1, example::reject()), &mut |_| true).unwrap();
        writer.flush().unwrap();
        assert_eq!(reader.cameras().unwrap(), ["top"]);
        assert_eq!(reader.classes().unwrap(), ["scratch"]);
        let recipes = reader.recipes().unwrap();
        assert_eq!(recipes[0].sha256, example::recipe().hash());
        assert_eq!(recipes[0].recipe, *example::recipe().as_written());
    }
}
