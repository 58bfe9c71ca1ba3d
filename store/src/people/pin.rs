//! PINs: takes what somebody typed, gives whether it may be one, its hash, and whether it is the
//! one of a hash.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::Pin;
use thiserror::Error;

/// Fewest digits.
const DIGITS_MIN: usize = 4;
/// Most digits.
const DIGITS_MAX: usize = 12;

/// Why a PIN may not be one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PinError {
    /// Something else than digits.
    #[error("a PIN is made of digits only")]
    NotDigits,
    /// Too few or too many.
    #[error("a PIN has 4 to 12 digits; this one has {0}")]
    Length(usize),
    /// One of those that everybody tries first.
    #[error("a PIN must not be one digit again and again, nor digits in a row like 1234 or 4321")]
    Obvious,
    /// The hash could not be made.
    #[error("the PIN cannot be hashed: the parameters or the memory do not allow it")]
    NotHashed,
}

/// How much work it is to try a PIN: argon2id, version 0x13, one lane. Stated in the hash, so PINs
/// of another cost stay good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for PinCost {
    /// 64 MiB and three passes, as RFC 9106 (section 4) recommends where memory is scarce, on one
    /// lane: 100 to 300 ms on an industrial PC.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3 }
    }
}

impl PinCost {
    /// As little as possible: for tests.
    pub const CHEAP: Self = Self { memory_kib: 8, passes: 1 };

    /// Hash of a PIN, with what it was made by, in the form of the PHC.
    pub(super) fn hash(self, pin: &Pin, salt: [u8; 16]) -> Result<String, PinError> {
        let not = |_| PinError::NotHashed;
        let params = Params::new(self.memory_kib, self.passes, 1, None);
        let params = params.map_err(|_| PinError::NotHashed)?;
        let salt = SaltString::encode_b64(&salt).map_err(not)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(argon2.hash_password(pin.digits().as_bytes(), &salt).map_err(not)?.to_string())
    }
}

/// Whether `pin` is the one that `hash` was made of; a hash that is none is nobody's.
pub(super) fn is_of(pin: &Pin, hash: &str) -> bool {
    // The parameters are those of the hash.
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(pin.digits().as_bytes(), &hash).is_ok())
}

/// Whether a PIN may be one.
pub(super) fn check(pin: &Pin) -> Result<(), PinError> {
    let digits = pin.digits().as_bytes();
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(PinError::NotDigits);
    }
    if !(DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
        return Err(PinError::Length(digits.len()));
    }
    let step = |pair: &[u8]| (10 + pair[1] - pair[0]) % 10;
    let first = step(&digits[..2]);
    let is_even = digits.windows(2).all(|pair| step(pair) == first);
    if is_even && matches!(first, 0 | 1 | 9) { Err(PinError::Obvious) } else { Ok(()) }
}
