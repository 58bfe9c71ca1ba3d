//! WHAT THE OPERATOR SEES. The only door to egui: takes what a [`Station`] tells (a
//! [`domain::Snapshot`] and more, as [`News`]) and the store's read half; gives a picture and
//! [`domain::Command`]s. It never touches the line, which neither waits for it nor notices it.
//!
//! [`Screen`] is all of it, without a window, so that tests press its buttons; [`window`] puts it
//! on a display. A page is a file in `pages/`, its words are a file in `words/`, and no page holds
//! a colour: those are in [`theme`].

pub mod calibrating;
mod canvas;
pub mod charts;
mod clerk;
pub mod desk;
pub mod film;
pub mod page;
mod pages;
pub mod screen;
pub mod settings;
pub mod shelf;
pub mod station;
pub mod theme;
pub mod widgets;
pub mod window;
pub mod words;

pub use desk::{Answer, Ask, Fate, Refusal, Ticket};
pub use page::Page;
pub use screen::Screen;
pub use settings::{Language, Settings};
pub use shelf::Shelf;
pub use station::{
    Alarm, ClipFrame, ClipView, Facts, LineNews, News, Person, Preview, RecipeFacts, RgbPicture,
    Station,
};
