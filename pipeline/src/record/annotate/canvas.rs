//! Drawing into an I420 picture, in place: takes shapes and text in pixels; what lies outside is
//! left out.

use std::convert::Infallible;

use domain::{Heatmap, SizePx};
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X10, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};

use super::ink_on;

/// A colour in BT.709, limited range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    pub luma: u8,
    u: u8,
    v: u8,
}

const fn colour(luma: u8, u: u8, v: u8) -> Colour {
    Colour { luma, u, v }
}

pub(super) const WHITE: Colour = colour(235, 128, 128);
pub(super) const BLACK: Colour = colour(16, 128, 128);
/// RGB 225, 40, 35.
pub(super) const RED: Colour = colour(84, 113, 214);
/// RGB 255, 180, 0.
pub(super) const AMBER: Colour = colour(173, 41, 168);
/// RGB 130, 200, 255.
pub(super) const SKY: Colour = colour(178, 159, 95);

/// A rectangle on the film; may reach beyond it. Right and bottom are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Place {
    pub fn grown(self, by: i32) -> Self {
        let Self { left, top, right, bottom } = self;
        Self {
            left: left.saturating_sub(by),
            top: top.saturating_sub(by),
            right: right.saturating_add(by),
            bottom: bottom.saturating_add(by),
        }
    }
}

/// A picture to draw on.
pub(super) struct Canvas<'a> {
    pub width: usize,
    pub height: usize,
    luma: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
}

/// A font, and by how much it is enlarged.
#[derive(Clone, Copy)]
pub(super) struct Type {
    font: &'static MonoFont<'static>,
    scale: usize,
}

impl Type {
    pub const fn line(self) -> usize {
        self.font.character_size.height as usize * self.scale
    }

    pub const fn letter(self) -> usize {
        self.font.character_size.width as usize * self.scale
    }

    pub const fn larger(self) -> Self {
        Self { font: self.font, scale: 2 * self.scale }
    }
}

impl<'a> Canvas<'a> {
    /// `None` when there are not enough bytes, or the sides are not even.
    pub fn of(size: SizePx, bytes: &'a mut [u8]) -> Option<Self> {
        let (width, height) = (size.width as usize, size.height as usize);
        let area = width * height;
        if bytes.len() < area / 2 * 3 || area == 0 || width % 2 + height % 2 > 0 {
            return None;
        }
        let (luma, chroma) = bytes.split_at_mut(area);
        let (u, v) = chroma.split_at_mut(area / 4);
        Some(Self { width, height, luma, u, v })
    }

    /// Twenty pixels high on 720 lines and more the more lines there are; smaller only where the
    /// picture is small itself.
    pub fn text(&self) -> Type {
        let scale = (self.height.min(self.width * 9 / 16) + 240) / 720;
        match scale {
            0 if self.height.min(self.width) < 300 => Type { font: &FONT_6X10, scale: 1 },
            scale => Type { font: &FONT_10X20, scale: scale.max(1) },
        }
    }

    /// How thick a line is.
    pub fn unit(&self) -> i32 {
        i32::try_from(self.height / 480 + 1).unwrap_or(1)
    }

    fn cut(&self, place: Place) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let cut = |from: i32, to: i32, most: usize| {
            let within = |at: i32| usize::try_from(at).unwrap_or(0).min(most);
            within(from)..within(to)
        };
        let Place { left, top, right, bottom } = place;
        (cut(left, right, self.width), cut(top, bottom, self.height))
    }

    pub fn fill(&mut self, place: Place, colour: Colour) {
        let (columns, rows) = self.cut(place);
        for y in rows {
            if columns.is_empty() {
                return;
            }
            self.luma[y * self.width..][columns.clone()].fill(colour.luma);
            let half = columns.start / 2..columns.end.div_ceil(2);
            self.u[y / 2 * (self.width / 2)..][half.clone()].fill(colour.u);
            self.v[y / 2 * (self.width / 2)..][half].fill(colour.v);
        }
    }

    /// Darkens, so that white can be read and what is below still be seen.
    #[expect(clippy::cast_possible_truncation, reason = "darker than it was")]
    pub fn dim(&mut self, place: Place) {
        let (columns, rows) = self.cut(place);
        for y in rows {
            let luma = &mut self.luma[y * self.width..][columns.clone()];
            luma.iter_mut().for_each(|l| *l = (16 + u16::from(l.saturating_sub(16)) / 5) as u8);
            if y % 2 == 0 {
                let half = columns.start / 2..columns.end.div_ceil(2);
                self.u[y / 2 * (self.width / 2)..][half.clone()].fill(128);
                self.v[y / 2 * (self.width / 2)..][half].fill(128);
            }
        }
    }

    /// A frame of `thick` pixels inside the border of `place`.
    pub fn outline(&mut self, place: Place, thick: i32, colour: Colour) {
        let Place { left, top, right, bottom } = place;
        let inner = place.grown(-thick);
        self.fill(Place { bottom: inner.top, ..place }, colour);
        self.fill(Place { top: inner.bottom, ..place }, colour);
        self.fill(Place { left, top, right: inner.left, bottom }, colour);
        self.fill(Place { left: inner.right, top, right, bottom }, colour);
    }

    /// A name above `place`, or below it.
    pub fn label(&mut self, place: Place, text: &str, colour: Colour, above: bool) {
        let font = self.text();
        let text = clean(text, 24);
        let size = |of: usize| i32::try_from(of).unwrap_or(0);
        let (width, height) = (size(text.chars().count() * font.letter() + 4), size(font.line()));
        let (most_left, most_top) = (size(self.width) - width, size(self.height) - height);
        let left = place.left.min(most_left).max(0);
        let top = if above && place.top >= height { place.top - height } else { place.bottom };
        let top = top.min(most_top).max(0);
        let ground = Place { left, top, right: left + width, bottom: top + height };
        self.fill(ground, colour);
        self.write((left + 2, top), &text, font, ink_on(colour));
    }

    /// Writes what [`clean`] left, from the upper left corner.
    pub fn write(&mut self, (left, top): (i32, i32), text: &str, font: Type, ink: Colour) {
        let style = MonoTextStyle::new(font.font, BinaryColor::On);
        let scale = i32::try_from(font.scale).unwrap_or(1);
        let mut pen = Pen { canvas: self, left, top, scale, ink };
        // It can't fail: what lies outside is left out.
        let _ = Text::with_baseline(text, Point::zero(), style, Baseline::Top).draw(&mut pen);
    }

    /// A filled square with a cross: rejected.
    pub fn cross(&mut self, (left, top): (i32, i32), side: i32) {
        self.fill(Place { left, top, right: left + side, bottom: top + side }, RED);
        let (edge, thick) = (side / 5, (side / 6).max(2));
        for step in edge..side - edge - thick + 1 {
            let square = |x: i32| Place {
                left: left + x,
                top: top + step,
                right: left + x + thick,
                bottom: top + step + thick,
            };
            self.fill(square(step), WHITE);
            self.fill(square(side - thick - step), WHITE);
        }
    }

    /// A triangle that stands on its side: undecided.
    pub fn triangle(&mut self, (left, top): (i32, i32), side: i32) {
        for row in 0..side {
            let half = (row + 1) / 2;
            let (middle, y) = (left + side / 2, top + row);
            let line = Place { left: middle - half, top: y, right: middle + half, bottom: y + 1 };
            self.fill(line, AMBER);
        }
    }

    /// Reddens what looks defective.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "blends of bytes are bytes"
    )]
    pub fn heat(&mut self, place: Place, map: &Heatmap) {
        let (columns, rows) = self.cut(place);
        let wide = place.right.saturating_sub(place.left);
        let high = place.bottom.saturating_sub(place.top);
        if wide <= 0 || high <= 0 {
            return;
        }
        let cell = |at: usize, from: i32, of: i32, cells: u32| {
            let at = (at as i64 - i64::from(from)).max(0) as u64;
            (at * u64::from(cells) / of as u64).min(u64::from(cells) - 1) as usize
        };
        let towards = |value: u8, to: i32, much: i32| {
            (i32::from(value) + (to - i32::from(value)) * much / 512) as u8
        };
        for y in rows {
            let row = cell(y, place.top, high, map.height) * map.width as usize;
            for x in columns.clone() {
                let heat = map.values[row + cell(x, place.left, wide, map.width)];
                if heat < HEAT_SHOWN_FROM {
                    continue;
                }
                let much = i32::from(heat);
                let luma = &mut self.luma[y * self.width + x];
                *luma = towards(*luma, 110, much / 2);
                if x % 2 + y % 2 == 0 {
                    let at = y / 2 * (self.width / 2) + x / 2;
                    self.u[at] = towards(self.u[at], 96, much);
                    self.v[at] = towards(self.v[at], 235, much);
                }
            }
        }
    }
}

/// Fainter heat is noise.
const HEAT_SHOWN_FROM: u8 = 48;

/// Draws letters, enlarged.
struct Pen<'a, 'b> {
    canvas: &'a mut Canvas<'b>,
    left: i32,
    top: i32,
    scale: i32,
    ink: Colour,
}

impl OriginDimensions for Pen<'_, '_> {
    fn size(&self) -> Size {
        Size::new(u32::MAX, u32::MAX)
    }
}

impl DrawTarget for Pen<'_, '_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, colour) in pixels {
            if colour.is_on() {
                let (left, top) = (self.left + at.x * self.scale, self.top + at.y * self.scale);
                let (right, bottom) = (left + self.scale, top + self.scale);
                self.canvas.fill(Place { left, top, right, bottom }, self.ink);
            }
        }
        Ok(())
    }
}

/// What of `text` can be drawn, at most `most` letters: ISO-8859-1 without control characters.
pub(super) fn clean(text: &str, most: usize) -> String {
    let mut cleaned = String::with_capacity((2 * text.len()).min(2 * most) + 2);
    let mut left = most;
    for letter in text.chars() {
        let drawn = match letter {
            '≥' => ">=",
            '≤' => "<=",
            '…' => "..",
            '\u{2010}'..='\u{2015}' => "-",
            '\u{2018}' | '\u{2019}' => "'",
            '\u{201c}'..='\u{201e}' => "\"",
            ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}' => "",
            _ => "?",
        };
        let letters = drawn.chars().count().max(1);
        if letters > left {
            cut_end(&mut cleaned, most);
            return cleaned;
        }
        left -= letters;
        if drawn.is_empty() { cleaned.push(letter) } else { cleaned += drawn }
    }
    cleaned
}

/// Shows that something is missing.
fn cut_end(text: &mut String, most: usize) {
    while text.chars().count() + 2 > most.max(2) {
        text.pop();
    }
    if most >= 2 {
        *text += "..";
    }
}
