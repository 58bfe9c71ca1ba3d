//! The pages: which there are, and what each is given.

use crate::desk::{Desk, Ticket};
use crate::film::Film;
use crate::theme::Theme;
use crate::words::Words;
use crate::{News, Settings, Shelf};

/// A page of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Page {
    /// The line now.
    #[default]
    Live,
    /// Parts that a person should look at.
    Review,
    /// Where defects are, drawn by a person.
    Label,
    /// What was.
    History,
    /// What is good and what is bad.
    Recipe,
    /// How the line is.
    Health,
    /// How the screen is set up, and who may use it.
    Settings,
}

impl Page {
    /// All, as they stand in the bar.
    pub const ALL: [Self; 7] = [
        Self::Live,
        Self::Review,
        Self::Label,
        Self::History,
        Self::Recipe,
        Self::Health,
        Self::Settings,
    ];

    /// Whether cameras' pictures are shown on it.
    #[must_use]
    pub const fn shows_cameras(self) -> bool {
        matches!(self, Self::Live)
    }
}

/// What a page is given on each pass.
pub struct Cx<'a> {
    /// The latest of everything.
    pub news: &'a News,
    /// How the screen is set up; a page may change it.
    pub settings: &'a mut Settings,
    /// The store.
    pub shelf: &'a mut Shelf,
    /// Where commands go.
    pub desk: &'a mut Desk,
    /// Colours and sizes.
    pub theme: &'a Theme,
    /// Every visible word.
    pub words: &'static Words,
    /// Where the station stands, for times of day.
    pub zone: &'a jiff::tz::TimeZone,
    /// Which page is shown next.
    pub go: &'a mut Page,
    /// The part that a page asks another to show.
    pub part: &'a mut Option<domain::PartKey>,
    /// The clip that is looked at.
    pub film: &'a mut Film,
}

impl Cx<'_> {
    /// Asks for `command`, as the person at the screen.
    pub fn ask(&mut self, command: domain::Command) {
        self.desk.ask(self.news.who.as_ref(), command);
    }

    /// As [`Self::ask`], with a ticket to ask for its fate.
    pub fn order(&mut self, command: domain::Command) -> Ticket {
        self.desk.order(self.news.who.as_ref(), command)
    }
}
