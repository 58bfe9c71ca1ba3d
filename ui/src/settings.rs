//! How the screen is set up: language, light, size. Kept by the station between starts.

use serde::{Deserialize, Serialize};

/// A language of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// All.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// What it calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }
}

/// How the screen is set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The language of every word.
    pub language: Language,
    /// Light letters on dark ground, or the other way round.
    pub is_dark: bool,
    /// How large everything is, 1 being 48 px for what is touched. 12 mm are 48 px on a screen of
    /// 102 px an inch.
    pub scale: f32,
    /// Pictures a second of the camera on the Live page, at most.
    pub preview_fps: f32,
    /// Whether a keyboard comes up on the screen to type with; not needed where there is one.
    pub has_keyboard: bool,
    /// The screen locks when nobody touched it for so many seconds.
    pub lock_after_s: u32,
    /// Share of labelled parts that a second person is asked about blind, 0..=1.
    pub second_opinion: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::English,
            is_dark: true,
            scale: 1.0,
            preview_fps: 5.0,
            has_keyboard: true,
            lock_after_s: 300,
            second_opinion: 0.05,
        }
    }
}
