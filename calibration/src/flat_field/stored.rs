//! A flat field as bytes, versioned; whoever stores it keeps its hash.

use domain::SizePx;
use thiserror::Error;

use super::{BadPixel, Exposure, Fault, FlatField};
use crate::bytes::{Reader, put_f64, put_u32};
use crate::rounding::edge;

const MAGIC: &[u8; 8] = b"SLFLAT01";
/// Above this a size is nonsense and no memory is taken for it.
const MOST_PIXELS: u64 = 1 << 28;

/// Bytes that are not a flat field.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not a flat field of this version: {why}; make it anew")]
pub struct FlatFieldBytes {
    /// Why.
    pub why: String,
}

impl FlatField {
    /// As bytes, little-endian: a header, gains, offsets, bad pixels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.gain.len() * 3 + self.bad.len() * 9);
        out.extend_from_slice(MAGIC);
        for number in [self.size.width, self.size.height, self.frames, self.darks] {
            put_u32(&mut out, number);
        }
        for number in [self.exposure.exposure_us, self.exposure.gain_db, self.level] {
            put_f64(&mut out, number);
        }
        put_u32(&mut out, edge(self.bad.len()));
        for gain in &self.gain {
            out.extend_from_slice(&gain.to_le_bytes());
        }
        out.extend_from_slice(&self.offset);
        for bad in &self.bad {
            put_u32(&mut out, bad.x);
            put_u32(&mut out, bad.y);
            out.push(u8::from(bad.fault == Fault::Dead));
        }
        out
    }

    /// From what [`FlatField::to_bytes`] gave.
    ///
    /// # Errors
    /// Where the bytes are not a flat field of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FlatFieldBytes> {
        read(bytes).map_err(|why| FlatFieldBytes { why })
    }
}

fn read(bytes: &[u8]) -> Result<FlatField, String> {
    let mut reader = Reader::new(bytes);
    reader.magic(MAGIC)?;
    let size = SizePx::new(reader.u32()?, reader.u32()?);
    if size.area() == 0 || size.area() > MOST_PIXELS {
        return Err(format!("its size is {size}"));
    }
    let (frames, darks) = (reader.u32()?, reader.u32()?);
    let exposure = Exposure { exposure_us: reader.f64()?, gain_db: reader.f64()? };
    let level = reader.f64()?;
    let bad_count = reader.u32()? as usize;
    let pixels = size.width as usize * size.height as usize;
    let gain = reader.bytes(pixels * 2)?.chunks_exact(2);
    let gain = gain.map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let offset = reader.bytes(pixels)?.to_vec();
    let bad = reader.bytes(bad_count.saturating_mul(9))?;
    reader.end()?;
    let bad =
        bad.chunks_exact(9).map(|nine| bad_pixel(nine, size)).collect::<Result<Vec<_>, _>>()?;
    if !bad.is_sorted_by_key(|bad| (bad.y, bad.x)) {
        return Err("its bad pixels are out of order".to_owned());
    }
    Ok(FlatField { size, exposure, level, frames, darks, gain, offset, bad })
}

fn bad_pixel(bytes: &[u8], size: SizePx) -> Result<BadPixel, String> {
    let mut reader = Reader::new(bytes);
    let (x, y) = (reader.u32()?, reader.u32()?);
    let fault = if reader.u8()? == 0 { Fault::Hot } else { Fault::Dead };
    if x >= size.width || y >= size.height {
        return Err(format!("a bad pixel at {x},{y} is outside {size}"));
    }
    Ok(BadPixel { x, y, fault })
}
