//! The arithmetic of 8 bits: takes ranges and weights, gives steps, zero points and the integers
//! that stand for the weights.

/// What an 8-bit number of an activation means: `(number - zero) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub scale: f32,
    pub zero: i16,
}

/// The values of an activation on the calibration pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub low: f32,
    pub high: f32,
}

impl Range {
    /// Nothing seen yet.
    pub const NONE: Self = Self { low: f32::INFINITY, high: f32::NEG_INFINITY };

    /// The range of `values`.
    pub fn of(values: &[f32]) -> Self {
        values.iter().fold(Self::NONE, |range, value| range.with(*value, *value))
    }

    pub const fn with(self, low: f32, high: f32) -> Self {
        Self { low: self.low.min(low), high: self.high.max(high) }
    }

    /// The largest distance from 0.
    pub const fn reach(self) -> f32 {
        self.low.abs().max(self.high.abs())
    }
}

impl Step {
    /// 0..=255 over `range` and 0, which must be hit exactly: borders are padded with it.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=255")]
    pub fn unsigned(range: Range) -> Self {
        let (low, high) = (range.low.min(0.0), range.high.max(0.0));
        let scale = (high - low) / 255.0;
        if scale < f32::MIN_POSITIVE {
            return Self { scale: 1.0, zero: 0 };
        }
        Self { scale, zero: (-low / scale).round_ties_even().clamp(0.0, 255.0) as i16 }
    }

    /// -127..=127 around 0.
    pub fn signed(range: Range) -> Self {
        let scale = range.reach() / 127.0;
        Self { scale: if scale < f32::MIN_POSITIVE { 1.0 } else { scale }, zero: 0 }
    }

    /// The numbers that stand for `values`, between `bottom` and `top`, as bytes.
    pub fn bytes(self, values: &[f32], (bottom, top): (f32, f32)) -> Vec<u8> {
        let byte = |value: &f32| {
            let number = (value / self.scale).round_ties_even() + f32::from(self.zero);
            byte_from_whole(number.clamp(bottom, top))
        };
        values.iter().map(byte).collect()
    }
}

/// -128..=255 as a byte, two's complement.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers clamp to what a byte holds"
)]
const fn byte_from_whole(number: f32) -> u8 {
    number as i16 as u8
}

/// Weights in whole numbers around 0, with a scale for each channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    /// Two's complement.
    pub bytes: Vec<u8>,
    /// One a channel, or a single one.
    pub scales: Vec<f32>,
}

/// Which channel the weight at `index` belongs to, of weights with the sides `dims`.
fn channel_of(index: usize, dims: &[usize], axis: Option<usize>) -> usize {
    let Some(axis) = axis else { return 0 };
    let inner: usize = dims[axis + 1..].iter().product();
    index / inner.max(1) % dims[axis].max(1)
}

/// Quantises `values`, laid out as `dims`, to `-top..=top` with a scale for each place along
/// `axis`, or with a single one. No scale is below its channel's entry in `floors`, so that the
/// bias of that channel fits into 32 bits.
pub(super) fn weights(
    values: &[f32],
    dims: &[usize],
    axis: Option<usize>,
    top: f32,
    floors: &[f32],
) -> Weights {
    let channels = axis.map_or(1, |axis| dims[axis]);
    let mut reach = vec![0.0_f32; channels];
    for (index, value) in values.iter().enumerate() {
        let channel = channel_of(index, dims, axis);
        reach[channel] = reach[channel].max(value.abs());
    }
    let scale = |(channel, reach): (usize, &f32)| {
        let scale = (reach / top).max(floors.get(channel).copied().unwrap_or(0.0));
        if scale < f32::MIN_POSITIVE { 1.0 } else { scale }
    };
    let scales: Vec<f32> = reach.iter().enumerate().map(scale).collect();
    let bytes = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let number = (value / scales[channel_of(index, dims, axis)]).round_ties_even();
            byte_from_whole(number.clamp(-top, top))
        })
        .collect();
    Weights { bytes, scales }
}

/// The scale below which a weight's must not fall so that `bias` fits into 32 bits with room.
pub(super) fn floor_for_bias(bias: f32, input_scale: f32) -> f32 {
    const ROOM: f32 = (1 << 30) as f32;
    bias.abs() / input_scale / ROOM
}

/// A bias in steps of `input_scale * weight_scale`, which is what a sum of products counts in.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and the floors keep it inside")]
pub(super) fn bias(value: f32, input_scale: f32, weight_scale: f32) -> i32 {
    (f64::from(value) / (f64::from(input_scale) * f64::from(weight_scale))).round_ties_even() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_as_numpy_gives_them() {
        let step = Step::unsigned(Range { low: -1.0, high: 3.0 });
        assert_eq!(step, Step { scale: 4.0 / 255.0, zero: 64 });
        assert_eq!(Step::unsigned(Range { low: 2.0, high: 6.0 }).zero, 0, "0 is always inside");
        assert_eq!(Step::signed(Range { low: -2.54, high: 1.0 }), Step { scale: 0.02, zero: 0 });
        assert_eq!(Step::unsigned(Range { low: 0.0, high: 0.0 }), Step { scale: 1.0, zero: 0 });
        let bytes = step.bytes(&[-1.0, 0.0, 3.0, 9.0], (0.0, 255.0));
        assert_eq!(bytes, [0, 64, 255, 255]);
    }

    #[test]
    fn each_channel_has_its_own_scale() {
        // [2 outputs, 1 input, 1, 2]; by hand: round(w / (max |w| / 127)).
        let values = [1.0, -0.5, 0.01, 0.002];
        let got = weights(&values, &[2, 1, 1, 2], Some(0), 127.0, &[]);
        assert_eq!(got.scales, [1.0 / 127.0, 0.01 / 127.0]);
        assert_eq!(got.bytes, [127, (-64_i8).cast_unsigned(), 127, 25]);
        // Along the second axis, as for MatMul: channels are 0 1 0 1.
        let got = weights(&values, &[2, 2], Some(1), 127.0, &[]);
        assert_eq!(got.scales, [1.0 / 127.0, 0.5 / 127.0]);
        let got = weights(&values, &[2, 2], None, 64.0, &[]);
        assert_eq!((got.scales.len(), got.bytes[0]), (1, 64));
    }

    #[test]
    fn a_bias_fits_however_small_the_weights() {
        let floor = floor_for_bias(3.0, 0.02);
        let got = weights(&[0.0, 1e-12], &[2, 1], Some(0), 127.0, &[floor, floor]);
        for scale in got.scales {
            let number = bias(3.0, 0.02, scale);
            assert!(number < i32::MAX, "{number}");
            assert!((f64::from(number) * 0.02 * f64::from(scale) - 3.0).abs() < 1e-6);
        }
        assert_eq!(weights(&[0.0], &[1], Some(0), 127.0, &[0.0]).scales, [1.0]);
    }

    proptest! {
        #[test]
        fn nothing_is_off_by_more_than_half_a_step(
            values in prop::collection::vec(-50.0_f32..50.0, 6),
            axis in prop::option::of(0_usize..2),
        ) {
            let dims = [2, 3];
            let got = weights(&values, &dims, axis, 127.0, &[]);
            for (index, value) in values.iter().enumerate() {
                let scale = got.scales[channel_of(index, &dims, axis)];
                let back = f32::from(got.bytes[index].cast_signed()) * scale;
                prop_assert!((back - value).abs() <= scale * 0.501, "{back} {value} {scale}");
            }
            let range = Range::of(&values);
            let step = Step::unsigned(range);
            for (byte, value) in step.bytes(&values, (0.0, 255.0)).iter().zip(&values) {
                let back = (f32::from(*byte) - f32::from(step.zero)) * step.scale;
                prop_assert!((back - value).abs() <= step.scale * 1.001);
            }
        }
    }
}
