//! A flat picture of polygons and discs: takes them in millimetres; gives the reflectance at a
//! place.

/// One thing on a sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Its outline.
    pub outline: Outline,
    /// 0 (black) to 1 (white).
    pub reflectance: f64,
}

/// The outline of a piece, millimetres.
#[derive(Clone, Debug, PartialEq)]
pub enum Outline {
    /// Corners in order; a place is inside by the even-odd rule.
    Polygon(Vec<[f64; 2]>),
    /// A disc.
    Disc {
        /// Its middle.
        centre: [f64; 2],
        /// Millimetres.
        radius: f64,
    },
}

/// Pieces on a ground, the later on top of the earlier; found quickly by a grid of bins.
#[derive(Clone, Debug)]
pub struct Sheet {
    ground: f64,
    pieces: Vec<Piece>,
    origin: [f64; 2],
    bin: [f64; 2],
    /// Row-major: numbers of the pieces that may be in each bin.
    bins: Vec<Vec<usize>>,
}

/// Bins along each side.
const BINS: usize = 64;

impl Sheet {
    /// A sheet of reflectance `ground`, without end, with `pieces` on it.
    #[must_use]
    pub fn new(ground: f64, pieces: Vec<Piece>) -> Self {
        let all = pieces.iter().map(|piece| piece.outline.bounds());
        let around = all.reduce(|a, b| {
            let low = |i: usize| a[0][i].min(b[0][i]);
            let high = |i: usize| a[1][i].max(b[1][i]);
            [[low(0), low(1)], [high(0), high(1)]]
        });
        let [low, high] = around.unwrap_or([[0.0; 2], [1.0; 2]]);
        #[expect(clippy::cast_precision_loss, reason = "64")]
        let bin = [0, 1].map(|i| ((high[i] - low[i]) / BINS as f64).max(f64::MIN_POSITIVE));
        let bins = vec![Vec::new(); BINS * BINS];
        let mut sheet = Self { ground, pieces, origin: low, bin, bins };
        for number in 0..sheet.pieces.len() {
            let [low, high] = sheet.pieces[number].outline.bounds();
            let (first, last) = (sheet.near(low), sheet.near(high));
            for row in first[1]..=last[1] {
                for column in first[0]..=last[0] {
                    sheet.bins[row * BINS + column].push(number);
                }
            }
        }
        sheet
    }

    /// The reflectance at a place.
    #[must_use]
    pub fn reflectance(&self, at: [f64; 2]) -> f64 {
        let [column, row] = self.near(at);
        let mut here = self.bins[row * BINS + column].iter().rev().map(|&n| &self.pieces[n]);
        here.find(|piece| piece.outline.contains(at)).map_or(self.ground, |piece| piece.reflectance)
    }

    /// The bin of a place, or the nearest.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn near(&self, at: [f64; 2]) -> [usize; 2] {
        [0, 1].map(|i| (((at[i] - self.origin[i]) / self.bin[i]) as usize).min(BINS - 1))
    }
}

impl Outline {
    /// Lowest and highest coordinates.
    fn bounds(&self) -> [[f64; 2]; 2] {
        match self {
            Self::Disc { centre, radius } => {
                [centre.map(|v| v - radius), centre.map(|v| v + radius)]
            }
            Self::Polygon(corners) => {
                let fold = |from: f64, pick: fn(f64, f64) -> f64| {
                    [0, 1].map(|i| corners.iter().fold(from, |best, c| pick(best, c[i])))
                };
                [fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max)]
            }
        }
    }

    fn contains(&self, [x, y]: [f64; 2]) -> bool {
        match self {
            Self::Disc { centre, radius } => {
                (x - centre[0]).powi(2) + (y - centre[1]).powi(2) <= radius * radius
            }
            Self::Polygon(corners) => {
                let before = corners.iter().cycle().skip(corners.len().saturating_sub(1));
                let crosses = |(a, b): &(&[f64; 2], &[f64; 2])| {
                    (a[1] > y) != (b[1] > y)
                        && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
                };
                corners.iter().zip(before).filter(crosses).count() % 2 == 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_pieces_lie_on_earlier_ones() {
        let square = |low: f64, high: f64| {
            Outline::Polygon(vec![[low, low], [high, low], [high, high], [low, high]])
        };
        let disc = Outline::Disc { centre: [5.0, 5.0], radius: 1.0 };
        let sheet = Sheet::new(
            1.0,
            vec![
                Piece { outline: square(0.0, 10.0), reflectance: 0.0 },
                Piece { outline: square(2.0, 8.0), reflectance: 0.5 },
                Piece { outline: disc, reflectance: 0.75 },
            ],
        );
        let seen = [[-1.0, 5.0], [1.0, 5.0], [3.0, 5.0], [5.0, 5.5], [5.9, 5.9], [11.0, 99.0]];
        assert_eq!(seen.map(|at| sheet.reflectance(at)), [1.0, 0.0, 0.5, 0.75, 0.5, 1.0]);
        assert_eq!(Sheet::new(0.3, Vec::new()).reflectance([7.0, -7.0]), 0.3);
    }
}
