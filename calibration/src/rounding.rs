//! From numbers to whole numbers, saturating: the casts that calibration needs, in one place.

/// The nearest grey.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
pub fn grey(value: f32) -> u8 {
    (value + 0.5) as u8
}

/// The nearest number with 16 bits after the point.
#[expect(clippy::cast_possible_truncation, reason = "saturating is meant")]
pub fn fixed16(value: f64) -> i64 {
    (value * 65536.0).round() as i64
}

/// The nearest 16-bit number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
pub fn u16_from(value: f64) -> u16 {
    value.round() as u16
}

/// The nearest 32-bit number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant")]
pub fn u32_from(value: f64) -> u32 {
    value.round() as u32
}

/// The whole number below `value`.
#[expect(clippy::cast_possible_truncation, reason = "saturating is meant")]
pub fn floor(value: f32) -> i32 {
    value.floor() as i32
}

/// A length that came from a 32-bit number, back.
#[expect(clippy::cast_possible_truncation, reason = "never longer than a picture's edge")]
pub const fn edge(length: usize) -> u32 {
    length as u32
}

/// In single precision, which is enough for places in a picture.
#[expect(clippy::cast_possible_truncation, reason = "meant")]
pub const fn single(value: f64) -> f32 {
    value as f32
}
