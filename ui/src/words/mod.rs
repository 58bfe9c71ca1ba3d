//! Every visible word, in every language: a struct a page, a constant a language, so that a word
//! that is missing does not compile. Numbers and times are written here too.

pub(crate) mod calibrate;
mod events;
mod health;
mod history;
pub(crate) mod keyboard;
mod label;
pub(crate) mod live;
mod numbers;
mod recipe;
mod review;
mod settings;
mod shell;
mod verdict;

pub use numbers::Numbers;

use crate::Language;

/// All words of one language.
pub struct Words {
    /// How numbers and times are written.
    pub numbers: Numbers,
    /// What happens on a line, by the event's name.
    pub events: &'static events::Words,
    /// Why a part is not good.
    pub verdict: verdict::Words,
    /// Around every page.
    pub shell: shell::Words,
    /// Of the keyboard on the screen.
    pub keyboard: keyboard::Words,
    /// Of the Live page.
    pub live: live::Words,
    /// Of the Review page.
    pub review: review::Words,
    /// Of the Label page.
    pub label: label::Words,
    /// Of the History page.
    pub history: history::Words,
    /// Of the Recipe page.
    pub recipe: recipe::Words,
    /// Of the Calibrate page.
    pub calibrate: calibrate::Words,
    /// Of the Health page.
    pub health: health::Words,
    /// Of the Settings page.
    pub settings: settings::Words,
}

static ENGLISH: Words = Words {
    numbers: Numbers::ENGLISH,
    events: &events::ENGLISH,
    verdict: verdict::ENGLISH,
    shell: shell::ENGLISH,
    keyboard: keyboard::ENGLISH,
    live: live::ENGLISH,
    review: review::ENGLISH,
    label: label::ENGLISH,
    history: history::ENGLISH,
    recipe: recipe::ENGLISH,
    calibrate: calibrate::ENGLISH,
    health: health::ENGLISH,
    settings: settings::ENGLISH,
};

static GERMAN: Words = Words {
    numbers: Numbers::GERMAN,
    events: &events::GERMAN,
    verdict: verdict::GERMAN,
    shell: shell::GERMAN,
    keyboard: keyboard::GERMAN,
    live: live::GERMAN,
    review: review::GERMAN,
    label: label::GERMAN,
    history: history::GERMAN,
    recipe: recipe::GERMAN,
    calibrate: calibrate::GERMAN,
    health: health::GERMAN,
    settings: settings::GERMAN,
};

/// `template` with its `{}` replaced by `value`.
#[must_use]
pub fn filled(template: &str, value: &str) -> String {
    template.replacen("{}", value, 1)
}

impl Words {
    /// The words of `language`.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }
}
