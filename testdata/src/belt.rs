//! The belt: a woven rubber surface that repeats along its length.

use crate::SceneConfig;
use crate::noise::{Field, mix, mix_all};

/// Grey levels are kept in sixteenths.
pub(crate) const PER_LEVEL: f32 = 16.0;

/// How bright the belt is on the whole, in grey levels.
const MEAN_LEVEL: f32 = 38.0;

/// One repeat of the belt's surface.
pub(crate) struct BeltTile {
    width: usize,
    /// Row-major, in sixteenths of a grey level.
    levels: Vec<u16>,
}

impl BeltTile {
    pub(crate) fn new(config: &SceneConfig) -> Self {
        let (threads, pitch) = weave(config.height_px());
        let width = round_up(pitch * threads);
        let weaver = Weaver {
            field: Field(mix_all(&[config.seed, 0xbe17])),
            height: config.height_px(),
            width: pitch * threads,
            pitch,
        };
        let rows = 0..config.size.height;
        let levels = rows.flat_map(|y| (0..width).map(move |x| weaver.level(x, y))).collect();
        Self { width, levels }
    }

    /// The surface along row `y` from belt position `start`, into `line`.
    pub(crate) fn copy_row(&self, y: usize, start: i64, line: &mut [u32]) {
        let row = &self.levels[y * self.width..(y + 1) * self.width];
        let mut from = offset_in(start, self.width);
        let mut rest = line;
        while !rest.is_empty() {
            let piece = &row[from..row.len().min(from + rest.len())];
            let (now, later) = rest.split_at_mut(piece.len());
            now.iter_mut().zip(piece).for_each(|(to, &level)| *to = u32::from(level));
            (rest, from) = (later, 0);
        }
    }
}

/// How many threads in a repeat, and how many whole pixels one is wide.
fn weave(height: f32) -> (f32, f32) {
    let pitch = (height * 0.0065).round().max(3.0);
    // An even number, so that warp and weft meet where the tile repeats.
    ((height / pitch).ceil() * 2.0, pitch)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a tile's width")]
fn round_up(x: f32) -> usize {
    x.ceil() as usize
}

fn offset_in(start: i64, width: usize) -> usize {
    let width = i64::try_from(width).unwrap_or(i64::MAX);
    usize::try_from(start.rem_euclid(width)).unwrap_or(0)
}

#[derive(Clone, Copy)]
struct Weaver {
    field: Field,
    height: f32,
    width: f32,
    pitch: f32,
}

impl Weaver {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; levels are below 256")]
    #[expect(clippy::cast_precision_loss, reason = "at most 8192 and a few tiles of that")]
    #[expect(clippy::cast_sign_loss, reason = "clamped to 0 and above")]
    fn level(self, x: usize, y: u32) -> u16 {
        let (x, y) = (x as f32, y as f32);
        let shade = self.thread(x, y) + self.grain(x, y) + self.wear(x, y);
        ((MEAN_LEVEL * (1.0 + shade)).max(1.0) * PER_LEVEL) as u16
    }

    /// Plain weave: threads over and under in turn, bright on their backs.
    fn thread(self, x: f32, y: f32) -> f32 {
        let (u, v) = ((x + 0.5) / self.pitch, (y + 0.5) / self.pitch);
        let over = (u.floor() + v.floor()).rem_euclid(2.0) < 0.5;
        let across = if over { v.fract() } else { u.fract() };
        let back = (across * std::f32::consts::PI).sin();
        0.16 * back - if over { 0.10 } else { 0.06 }
    }

    fn grain(self, x: f32, y: f32) -> f32 {
        let period = whole(self.width);
        0.05 * self.field.repeating(x, y, period)
            + 0.06 * Field(self.field.0 ^ 1).repeating(x / 2.0, y / 2.0, period / 2)
    }

    /// Blotches, streaks along the direction of travel, a few scuffs, and lint.
    fn wear(self, x: f32, y: f32) -> f32 {
        let unit = self.width / self.height;
        let at = |salt: u32, columns: f32, rows: f32| {
            let columns = (columns * unit).round();
            let field = Field(mix(self.field.0 ^ salt));
            field.repeating(x / self.width * columns, y / self.height * rows, whole(columns))
        };
        let blotch = 0.10 * at(2, 3.0, 3.0) + 0.06 * at(3, 9.0, 9.0);
        let streak = 0.05 * at(4, 1.0, 60.0) + 0.04 * at(5, 2.0, 200.0);
        let lint =
            (self.field.repeating(x * 0.2, y * 0.2, whole(self.width * 0.2)) - 0.86).max(0.0);
        let scuff = (at(6, 2.0, 45.0) - 0.72).max(0.0) * (at(7, 6.0, 6.0) + 0.4).max(0.0);
        blotch + streak + scuff + 2.0 * lint
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a count of features in a tile")]
fn whole(x: f32) -> i32 {
    (x.round() as i32).max(1)
}
