//! One part drawn once: what it lets through of the belt below (holes, shadow) and what it adds.

use crate::belt::PER_LEVEL;
use crate::layout::Placed;
use crate::noise::{Field, mix, step};
use crate::part::Part;
use crate::shape::{HUB_RADIUS, PartKind, Point, dot, turned};

/// From the part towards the lamp, in the picture.
const LAMP: Point = [-0.55, -0.835];

/// One of `keep`.
const ONE: f32 = 4096.0;

/// A part's pixels, in whole pixels of the belt.
pub(crate) struct Sprite {
    /// Left edge on the belt.
    pub(crate) x: i64,
    /// Top edge in the picture.
    pub(crate) y: i64,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// How much of the belt shows, of [`ONE`].
    pub(crate) keep: Vec<u16>,
    /// What is added, in sixteenths of a grey level; one for grey, three for red, green, blue.
    pub(crate) add: Vec<Vec<u16>>,
}

impl Sprite {
    pub(crate) fn new(placed: &Placed, channels: usize) -> Self {
        let (x, y, width, height) = placed.box_on_belt();
        let margin = margin_px(placed.part.length);
        let (x, y) = (x - i64::from(margin), y - i64::from(margin));
        let (width, height) = (width + 2 * margin, height + 2 * margin);
        let area = width as usize * height as usize;
        let mut keep = Vec::with_capacity(area);
        let mut add = vec![Vec::with_capacity(area); channels];
        for row in 0..height {
            for column in 0..width {
                let off = off_centre(placed, x + i64::from(column), y + i64::from(row));
                let (kept, colour) = pixel(&placed.part, off);
                keep.push(fixed(kept * ONE));
                match add.as_mut_slice() {
                    [grey] => grey.push(fixed(luma(colour) * 255.0 * PER_LEVEL)),
                    planes => planes
                        .iter_mut()
                        .zip(colour)
                        .for_each(|(plane, c)| plane.push(fixed(c * 255.0 * PER_LEVEL))),
                }
            }
        }
        Self { x, y, width: width as usize, height: height as usize, keep, add }
    }
}

/// From the part's centre to the centre of a pixel, in pixels.
#[expect(clippy::cast_possible_truncation, reason = "lengths within a part")]
#[expect(clippy::cast_precision_loss, reason = "positions on a belt are far below 2^52")]
pub(crate) fn off_centre(placed: &Placed, x: i64, y: i64) -> Point {
    [(x as f64 + 0.5 - placed.x) as f32, (y as f64 + 0.5 - placed.y) as f32]
}

/// How far beyond the part its shadow is drawn.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen pixels")]
fn margin_px(length: f32) -> u32 {
    (0.09 * length).ceil() as u32 + 2
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn fixed(value: f32) -> u16 {
    value.round() as u16
}

fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// How much of the belt shows, and the metal's light on top, 0..=1 each.
fn pixel(part: &Part, off_px: Point) -> (f32, [f32; 3]) {
    let place = part.place(off_px);
    let distance = part.metal.distance(place);
    let metal = (0.5 - distance * part.length).clamp(0.0, 1.0);
    let belt = if metal < 1.0 { (1.0 - metal) * shade(part, off_px, distance) } else { 0.0 };
    let colour = if metal > 0.0 { surface(part, place, distance) } else { [0.0; 3] };
    (belt, colour.map(|c| c * metal))
}

/// How much light reaches the belt beside the metal or in a hole.
fn shade(part: &Part, off_px: Point, distance: f32) -> f32 {
    let cast = |height: f32| {
        let towards = LAMP.map(|c| c * height * part.length);
        part.metal.distance(part.place([off_px[0] + towards[0], off_px[1] + towards[1]]))
    };
    let shadow = 0.35 * step(0.016, -0.012, cast(0.022)) + 0.25 * step(0.03, -0.02, cast(0.045));
    let contact = 0.35 * (-distance.max(0.0) / 0.018).exp();
    (1.0 - shadow) * (1.0 - contact)
}

fn surface(part: &Part, place: Point, distance: f32) -> [f32; 3] {
    let lamp = turned(LAMP, -part.angle);
    let finish = &part.finish;
    let mut level = finish.gain
        * match part.metal.kind {
            PartKind::Bracket => brushed(part, place),
            PartKind::Flange => turned_on_lathe(part, place, lamp),
        };
    level *= 1.0 + 0.07 * dot(place, lamp) * 2.0;
    level *= 1.0 + 0.05 * Field(mix(finish.seed ^ 11)).at(place[0] * 2.5, place[1] * 2.5);
    level = chamfer(part, place, distance, lamp, level);
    level *= dust(part, place);
    let mut colour = [1.0 + finish.warmth, 1.0, 1.0 - finish.warmth].map(|tint| tint * level);
    sheen(part, place, &mut colour);
    for flaw in &part.flaws {
        if let Some(touch) = flaw.touch(place, lamp) {
            colour.iter_mut().zip(touch.factor).for_each(|(c, factor)| *c *= factor);
        }
    }
    colour.map(|c| c.clamp(0.0, 1.0))
}

/// Milled plate, brushed along its length.
fn brushed(part: &Part, [x, y]: Point) -> f32 {
    let fine = (part.length * 0.45).min(300.0);
    let field = |salt| Field(mix(part.finish.seed ^ salt));
    let lines = 0.045 * field(1).at(x * 3.0, y * fine)
        + 0.045 * field(2).at(x * 9.0, y * fine * 0.5)
        + 0.030 * field(3).at(x * 2.0, y * 24.0)
        + 0.020 * field(4).at(x * part.length * 0.3, y * part.length * 0.5);
    // Single grains of the belt grinder cut deeper and leave a hairline.
    let hair = (field(5).at(x * 1.5, y * fine * 0.8) - 0.8).max(0.0) * 0.5;
    0.56 * (1.0 + part.finish.brushing * (lines + hair))
}

/// Concentric grooves: bright where they lie across the lamp's direction, as a fan.
fn turned_on_lathe(part: &Part, place: Point, lamp: Point) -> f32 {
    let radius = place[0].hypot(place[1]).max(1e-6);
    let out = place.map(|c| c / radius);
    let fine = (part.length * 0.45).min(260.0);
    let field = |salt| Field(mix(part.finish.seed ^ salt));
    let lines = 0.05 * field(1).at(radius * fine, 0.5)
        + 0.035 * field(2).at(radius * fine * 0.3, 0.5)
        + 0.025 * field(3).at(place[0] * 40.0, place[1] * 40.0);
    let fan = dot(out, lamp).abs().powi(6);
    let hub = step(HUB_RADIUS + 0.003, HUB_RADIUS - 0.003, radius);
    let wall = (-((radius - HUB_RADIUS) / 0.009).powi(2)).exp();
    let fan = 0.22 * fan * (1.0 - 0.35 * hub);
    let lit = 0.50 * wall * dot(out, lamp) - 0.10 * wall;
    0.50 * (1.0 + part.finish.brushing * lines + fan + 0.05 * hub + lit)
}

/// The broken edge: bright towards the lamp, dark away from it.
fn chamfer(part: &Part, place: Point, distance: f32, lamp: Point, level: f32) -> f32 {
    const WIDTH: f32 = 0.0145;
    if distance < -2.0 * WIDTH {
        return level;
    }
    let facing = dot(part.metal.outward(place), lamp);
    let bevel = step(-WIDTH - 0.004, -WIDTH + 0.002, distance);
    // Light that the bevel throws back just inside it.
    let rim = (-((distance + WIDTH + 0.004) / 0.004).powi(2)).exp();
    // Filed by hand: nowhere quite the same.
    let filed = 1.0 + 0.25 * Field(mix(part.finish.seed ^ 12)).at(place[0] * 14.0, place[1] * 14.0);
    let lit = level * (0.86 + 0.30 * facing) + 0.26 * filed * step(0.45, 1.0, facing);
    level + (lit - level) * bevel + 0.07 * rim * facing.abs()
}

fn dust(part: &Part, place: Point) -> f32 {
    part.finish.dust.iter().fold(1.0, |level, &(at, size, brighter)| {
        let off = [place[0] - at[0], place[1] - at[1]];
        level * (1.0 + brighter * (-dot(off, off) / (size * size)).exp())
    })
}

/// Thin oil: a faint soft patch with a hint of colours.
fn sheen(part: &Part, place: Point, colour: &mut [f32; 3]) {
    let Some((at, size, brighter)) = part.finish.sheen else { return };
    let off = [place[0] - at[0], place[1] - at[1]];
    let film = (-dot(off, off) / (size * size)).exp();
    let phase = film * 7.0 + part.finish.warmth * 100.0;
    for (c, shift) in colour.iter_mut().zip([0.0, 2.1, 4.2]) {
        *c *= 1.0 + film * (brighter + 0.012 * (phase + shift).sin());
    }
}
