//! How the screen is set up, kept beside the store between starts. Takes a folder; gives settings,
//! the usual ones when there are none that can be read.

use std::path::Path;

use ui::Settings;

const FILE: &str = "screen.json";

/// The settings kept in `folder`.
pub fn read(folder: &Path) -> Settings {
    let path = folder.join(FILE);
    let Ok(text) = std::fs::read(&path) else { return Settings::default() };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(target: "screen", "{}: {error}; the usual settings hold", path.display());
        Settings::default()
    })
}

/// Keeps `settings` in `folder`.
///
/// # Errors
/// When the file can't be written.
pub fn write(folder: &Path, settings: &Settings) -> anyhow::Result<()> {
    let json = serde_json::to_vec_pretty(settings)?;
    Ok(crate::replace::write(&folder.join(FILE), &json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_and_broken_ones_are_not_fatal() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), Settings::default());
        let settings = Settings { scale: 1.5, is_dark: false, ..Settings::default() };
        write(folder.path(), &settings).unwrap();
        assert_eq!(read(folder.path()), settings);
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert_eq!(read(folder.path()), Settings::default());
    }
}
