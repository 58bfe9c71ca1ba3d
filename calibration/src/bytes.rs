//! Numbers in binary maps, little-endian: written to a vector, read back with what is missing.

/// What is left to read.
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.left.split_at_checked(count);
        let (bytes, left) = taken.ok_or_else(|| {
            format!("{count} more bytes are needed, {} are left", self.left.len())
        })?;
        self.left = left;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, String> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    /// A finite number.
    pub fn f64(&mut self) -> Result<f64, String> {
        let value = self.array().map(f64::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err("a number is not finite".to_owned()) }
    }

    /// The eight bytes that say what follows.
    pub fn magic(&mut self, magic: &[u8; 8]) -> Result<(), String> {
        let got = self.bytes(8)?;
        if got == magic {
            return Ok(());
        }
        let (got, wanted) = (String::from_utf8_lossy(got), String::from_utf8_lossy(magic));
        Err(format!("it begins with {got:?}, not with {wanted:?}"))
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<(), String> {
        match self.left.len() {
            0 => Ok(()),
            more => Err(format!("{more} bytes too many")),
        }
    }
}

/// Appends `value`.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends `value`.
pub fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_le_bytes());
}
