//! Other limits in a recipe's file: takes the file and the limits, changes those values and nothing
//! else, comments included. The file is replaced whole or not at all.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::Recipe;
use domain::recipe::{KindLimits, Limits};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::recipe_from_file;
use crate::replace;

/// Writes `limits` into the recipe at `path`.
///
/// # Errors
/// When the file is no recipe, would be none with these limits, or can't be written; it is as it
/// was then.
pub fn write_limits(path: &Path, limits: &Limits) -> Result<()> {
    let told = |what: &str| format!("{}: {what}", path.display());
    let before = recipe_from_file(path)?.as_written().limits.clone();
    let text = fs::read_to_string(path).with_context(|| told("the recipe can't be read"))?;
    let changed = with_limits(&text, &before, limits).with_context(|| told("`limits`"))?;
    let recipe: Recipe = toml::from_str(&changed).with_context(|| told("`limits`"))?;
    if recipe.limits != *limits {
        return Err(anyhow!(told("a defect in this software: the limits read otherwise")));
    }
    recipe.check().map_err(|error| anyhow!(told(&error.to_string())))?;
    replace::write(path, changed.as_bytes()).with_context(|| told("the recipe can't be written"))
}

fn with_limits(text: &str, before: &Limits, after: &Limits) -> Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let table = document
        .get_mut("limits")
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| anyhow!("is no table; write [limits] with reject_at"))?;
    if before.reject_at.to_bits() != after.reject_at.to_bits() {
        set(table, "reject_at", Some(real(after.reject_at)));
    }
    if before.undecided_from != after.undecided_from {
        set(table, "undecided_from", after.undecided_from.map(real));
    }
    if before.min_area_px != after.min_area_px {
        set(table, "min_area_px", Some(whole(after.min_area_px)?));
    }
    if before.min_length_mm != after.min_length_mm {
        set(table, "min_length_mm", after.min_length_mm.map(real));
    }
    if before.ignore != after.ignore {
        let labels: Array = after.ignore.iter().map(String::as_str).collect();
        set(table, "ignore", Some(labels.into()));
    }
    if before.kind != after.kind {
        set_kinds(table, before, after)?;
    }
    Ok(document.to_string())
}

fn set_kinds(table: &mut dyn TableLike, before: &Limits, after: &Limits) -> Result<()> {
    if after.kind.is_empty() {
        table.remove("kind");
        return Ok(());
    }
    if table.get("kind").and_then(Item::as_table_like).is_none() {
        let mut kinds = Table::new();
        kinds.set_implicit(true);
        // A table within braces can only hold such.
        let fits = if table.get("reject_at").is_some() && table.get_values().is_empty() {
            Item::Value(InlineTable::new().into())
        } else {
            Item::Table(kinds)
        };
        table.insert("kind", fits);
    }
    let kinds = table.get_mut("kind").and_then(Item::as_table_like_mut);
    let kinds = kinds.ok_or_else(|| anyhow!("`kind` is no table"))?;
    for gone in before.kind.keys().filter(|kind| !after.kind.contains_key(*kind)) {
        kinds.remove(gone);
    }
    for (kind, limits) in &after.kind {
        if before.kind.get(kind) != Some(limits) {
            kinds.insert(kind, Item::Value(of_kind(limits)?.into()));
        }
    }
    Ok(())
}

fn of_kind(limits: &KindLimits) -> Result<InlineTable> {
    let mut table = InlineTable::new();
    for (key, limit) in [("reject_at", limits.reject_at), ("undecided_from", limits.undecided_from)]
    {
        if let Some(limit) = limit {
            table.insert(key, real(limit));
        }
    }
    if let Some(area) = limits.min_area_px {
        table.insert("min_area_px", whole(area)?);
    }
    if let Some(length) = limits.min_length_mm {
        table.insert("min_length_mm", real(length));
    }
    Ok(table)
}

/// Sets or removes a value; what stands around it stays.
fn set(table: &mut dyn TableLike, key: &str, new: Option<Value>) {
    let Some(new) = new else {
        table.remove(key);
        return;
    };
    if let Some(Item::Value(old)) = table.get_mut(key) {
        let decor = old.decor().clone();
        *old = new;
        *old.decor_mut() = decor;
    } else {
        table.insert(key, value(new));
    }
}

/// As short as it can be written, not as the nearest of twice the digits.
fn real(limit: f32) -> Value {
    limit.to_string().parse::<f64>().unwrap_or_else(|_| f64::from(limit)).into()
}

fn whole(number: u64) -> Result<Value> {
    Ok(i64::try_from(number).context("an area that no picture has")?.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECIPE: &str = "# Made by hand.\nname = \"a\"\nmodel = \"m\"\nlocate = { kind = \
        \"every-frame\" }\n\n[limits]          # agreed with quality\nreject_at = 0.6   # high\n\
        undecided_from = 0.35\nignore = [\"dust\"]\n\n[limits.kind.dent]  # dents are dear\n\
        reject_at = 0.4\n\n[gate]\nbudget_ms = 50\n";

    fn written(text: &str, limits: &Limits) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        fs::write(&path, text).unwrap();
        let done = write_limits(&path, limits);
        let after = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        match done {
            Ok(()) => Ok(after),
            Err(error) => {
                assert_eq!(after, text, "refused: {error:#}");
                Err(error)
            }
        }
    }

    fn limits(text: &str) -> Limits {
        toml::from_str::<Recipe>(text).unwrap().limits
    }

    #[test]
    fn only_what_changed_is_another() {
        assert_eq!(written(RECIPE, &limits(RECIPE)).unwrap(), RECIPE);
        let higher = Limits { reject_at: 0.7, undecided_from: None, ..limits(RECIPE) };
        let after = written(RECIPE, &higher).unwrap();
        let by_hand = RECIPE.replace("0.6   # high", "0.7   # high");
        assert_eq!(after, by_hand.replace("undecided_from = 0.35\n", ""));
    }

    #[test]
    fn kinds_come_and_go_in_every_spelling() {
        let one_line = "name = \"a\"\nmodel = \"m\"\nlocate = { kind = \"every-frame\" }\n\
                        limits = { reject_at = 0.5 } # short\n";
        for text in [RECIPE, one_line] {
            let mut changed = limits(text);
            changed.kind.clear();
            let area = KindLimits { min_area_px: Some(7), ..KindLimits::default() };
            changed.kind.insert("missing hole".to_owned(), area);
            let after = written(text, &changed).unwrap();
            assert_eq!(limits(&after), changed, "{after}");
            assert!(text.contains("dent") || after.contains("# short"), "{after}");
            changed.kind.clear();
            assert_eq!(limits(&written(&after, &changed).unwrap()), changed);
        }
    }

    #[test]
    fn limits_that_contradict_themselves_change_nothing() {
        let wrong = Limits { reject_at: 0.2, ..limits(RECIPE) };
        let error = format!("{:#}", written(RECIPE, &wrong).unwrap_err());
        assert!(error.contains("recipe.toml") && error.contains("undecided_from"), "{error}");
        assert!(written("name = 1", &limits(RECIPE)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(reject in 0.0_f32..=1.0, share in 0.0_f32..=1.0, area: u32) {
            let undecided_from = Some(reject * share);
            let min_area_px = u64::from(area);
            let mut wanted = limits(RECIPE);
            wanted.reject_at = reject;
            wanted.undecided_from = undecided_from;
            wanted.min_area_px = min_area_px;
            wanted.kind.clear();
            prop_assert_eq!(limits(&written(RECIPE, &wanted).unwrap()), wanted);
        }
    }
}
