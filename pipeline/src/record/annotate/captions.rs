//! The bands above and below a picture: where and when above, what was said of its parts below.

use std::fmt::Write;
use std::sync::Arc;

use domain::{CameraId, MonoTime, WallTime};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::VerdictWord;

use super::canvas::{Canvas, Place, Type, WHITE, clean};
use super::{Imprint, Note, colour_of, nearest};

/// Parts below the first that have a line of their own.
const OTHERS_MOST: usize = 2;

fn px(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

/// When it was, in UTC and as the clock on the wall had it.
pub(super) fn time(wall: WallTime) -> String {
    let Ok(time) = Timestamp::from_nanosecond(wall.unix_ns.into()) else {
        return "time unknown".to_owned();
    };
    let (utc, local) = (time.to_zoned(TimeZone::UTC), time.to_zoned(TimeZone::system()));
    let mut text = String::with_capacity(64);
    // A string takes whatever it is given.
    let _ = write!(text, "{} UTC", utc.strftime("%Y-%m-%d %H:%M:%S%.3f"));
    let _ = write!(text, " ({})", local.strftime("%H:%M:%S %:z"));
    text
}

pub(super) fn top(canvas: &mut Canvas<'_>, imprint: &Imprint, camera: &CameraId, at: WallTime) {
    let font = canvas.text();
    let pad = font.line() / 4;
    let letters = canvas.width.saturating_sub(2 * pad) / font.letter();
    let when = clean(&time(at), letters);
    let mut place = String::with_capacity(128);
    let _ = write!(place, "{} \u{b7} {camera}", imprint.station);
    let one_line = place.chars().count() + when.chars().count() + 2 <= letters;
    let place = clean(&place, letters);
    let lines = if one_line { 1 } else { 2 };
    let (right, bottom) = (px(canvas.width), px(lines * font.line() + pad));
    canvas.dim(Place { left: 0, top: 0, right, bottom });
    let (left, above) = (px(pad), px(pad / 2));
    canvas.write((left, above), &place, font, WHITE);
    if one_line {
        let width = when.chars().count() * font.letter();
        canvas.write((right - px(width + pad), above), &when, font, WHITE);
    } else {
        canvas.write((left, above + px(font.line())), &when, font, WHITE);
    }
}

/// Nothing where there is no part.
pub(super) fn bottom(canvas: &mut Canvas<'_>, notes: &[Arc<Note>], at: MonoTime) {
    let Some(first) = nearest(notes, at) else { return };
    let font = canvas.text();
    // A large line where there is room for it.
    let large = if canvas.height >= 12 * font.line() { font.larger() } else { font };
    let pad = font.line() / 4;
    let others = notes.iter().enumerate().rev().filter(|(index, _)| *index != first);
    let more = (notes.len() - 1).saturating_sub(OTHERS_MOST);
    let lines = 1 + (notes.len() - 1).min(OTHERS_MOST) + usize::from(more > 0);
    let height = large.line() + lines * font.line() + 2 * pad;
    let top = px(canvas.height) - px(height);
    let (right, bottom) = (px(canvas.width), px(canvas.height));
    canvas.dim(Place { left: 0, top, right, bottom });
    let left = px(pad);
    let mut y = top + left;
    let note = &notes[first];
    line(canvas, (left, y), large, note, &headline(note));
    y += px(large.line());
    let letters = canvas.width.saturating_sub(2 * pad) / font.letter();
    canvas.write((left, y), &clean(&why(note), letters), font, WHITE);
    for (_, note) in others.take(OTHERS_MOST) {
        y += px(font.line());
        let mut text = headline(note);
        let _ = write!(text, "  {}", note.reasons.join(", "));
        line(canvas, (left, y), font, note, &text);
    }
    if more > 0 {
        canvas.write((left, y + px(font.line())), &format!("and {more} more"), font, WHITE);
    }
}

fn headline(note: &Note) -> String {
    let mut text = String::with_capacity(96);
    let _ = write!(text, "{} {} {:.2}", note.headline, note.part.part, note.score);
    text
}

fn why(note: &Note) -> String {
    let mut text = String::with_capacity(256);
    let _ = write!(text, "{}: ", note.recipe);
    for (index, reason) in note.reasons.iter().enumerate() {
        let _ = write!(text, "{}{reason}", if index > 0 { ", " } else { "" });
    }
    text
}

/// A line that begins with the sign of its verdict.
fn line(canvas: &mut Canvas<'_>, (left, top): (i32, i32), font: Type, note: &Note, text: &str) {
    let side = px(font.line()) * 4 / 5;
    let sign = (left, top + side / 8);
    match note.part.verdict {
        VerdictWord::Reject => canvas.cross(sign, side),
        VerdictWord::Undecided => canvas.triangle(sign, side),
        VerdictWord::Pass => {}
    }
    let begin = left + side + px(font.letter()) / 2;
    let room = usize::try_from(px(canvas.width) - begin).unwrap_or(0) / font.letter();
    let colour = match note.part.verdict {
        // Red letters on a dark ground are hard to read; the sign is red enough.
        VerdictWord::Reject => WHITE,
        other => colour_of(other),
    };
    canvas.write((begin, top), &clean(text, room), font, colour);
}
