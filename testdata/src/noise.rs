//! Randomness that needs no state: the same place always gives the same number.

/// A well mixed 32-bit hash (Wellons' `lowbias32`).
pub(crate) const fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// A hash of several numbers, in order.
pub(crate) fn mix_all(numbers: &[u64]) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are hashed")]
    numbers.iter().fold(0x9e37_79b9, |hash, &n| mix(mix(hash ^ n as u32) ^ (n >> 32) as u32))
}

/// Smooth noise over the plane with features of size 1, between -1 and 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field(pub(crate) u32);

impl Field {
    pub(crate) fn at(self, x: f32, y: f32) -> f32 {
        self.sample(x, y, |column| column)
    }

    /// The same with `period` whole features along x, then again from the start.
    pub(crate) fn repeating(self, x: f32, y: f32, period: i32) -> f32 {
        self.sample(x, y, |column| column.rem_euclid(period))
    }

    fn sample(self, x: f32, y: f32, wrap: impl Fn(i32) -> i32) -> f32 {
        let (column, fx) = split(x);
        let (row, fy) = split(y);
        let (left, right) = (wrap(column), wrap(column.wrapping_add(1)));
        let (sx, sy) = (smooth(fx), smooth(fy));
        let line = |row: i32| blend(self.corner(left, row), self.corner(right, row), sx);
        blend(line(row), line(row.wrapping_add(1)), sy)
    }

    #[expect(clippy::cast_precision_loss, reason = "noise")]
    const fn corner(self, column: i32, row: i32) -> f32 {
        let seeded = mix(self.0 ^ row.cast_unsigned());
        let hash = mix(seeded.wrapping_add(column.cast_unsigned().wrapping_mul(0x9e37_79b9)));
        hash.cast_signed() as f32 * (1.0 / 2_147_483_648.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, far outside any picture")]
fn split(x: f32) -> (i32, f32) {
    let whole = x.floor();
    (whole as i32, x - whole)
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn blend(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 at `from`, 1 at `to`, smooth between; `from` may be above `to`.
pub(crate) fn step(from: f32, to: f32, x: f32) -> f32 {
    smooth(((x - from) / (to - from)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stay_in_bounds_are_smooth_and_differ_by_seed() {
        let (a, b) = (Field(1), Field(2));
        let mut apart = 0.0_f32;
        for i in 0..1000_u16 {
            let (x, y) = (f32::from(i) * 0.37 - 100.0, f32::from(i) * 0.11);
            assert!((-1.0..=1.0).contains(&a.at(x, y)));
            assert!((a.at(x, y) - a.at(x + 0.01, y)).abs() < 0.05);
            apart = apart.max((a.at(x, y) - b.at(x, y)).abs());
        }
        assert!(apart > 0.5);
    }

    #[test]
    fn repeating_fields_repeat() {
        let field = Field(7);
        for i in 0..100_u8 {
            let x = f32::from(i) * 0.125;
            assert_eq!(field.repeating(x, 3.3, 5), field.repeating(x + 5.0, 3.3, 5));
        }
    }
}
