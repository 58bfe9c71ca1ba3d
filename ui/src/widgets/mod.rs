//! What pages are put together from. No page draws a button of its own.

mod action;
mod button;
mod card;
mod glyph;
mod icon;
mod keyboard;
mod lamp;
mod picture;
mod score;
mod sign;
mod strip;
mod table;

pub use action::{Action, Tone, digit_key, pressed};
pub use button::{button, choice, pad_key, rail_button, toggle, wide_button};
pub use card::{card, empty, fact, figure, pill, section, state};
pub use glyph::{Glyph, glyph};
pub use keyboard::{Keyboard, keep_in_view};
pub(crate) use lamp::fitting;
pub use lamp::{Lamp, big_lamp, small_lamp};
pub use picture::{Outline, Picture, Placed, coloured, readable_on};
pub use score::{Marker, TimeGauge, bar};
pub use sign::{Health, alarm_sign, health_sign, left_square, verdict_sign};
pub use strip::{STRIP, StripPart, strip};
pub use table::{Column, table_head, table_row};
