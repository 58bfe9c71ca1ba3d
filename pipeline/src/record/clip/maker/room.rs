//! Room on the disk for a clip that is being written. Takes how large it may become; gives what all
//! clips that are being written may take together, for which the store makes room before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Room is asked for in pieces: each is a write to the database.
const STEP: u64 = 1 << 20;

/// The most that Matroska takes for a clip's header, without the avcC.
const HEADER: u64 = 4 << 10;
/// The same for a fragment: its tags, at most ten of 128 and 256 bytes, and their names.
const FRAGMENT: u64 = 8 << 10;
/// The same for a picture.
const PICTURE: u64 = 32;

/// The most that Matroska adds to the pictures.
pub(super) const fn around(pictures: u64, fragments: u64) -> u64 {
    HEADER + fragments * FRAGMENT + pictures * PICTURE
}

/// What one clip may take; given back when it is dropped.
pub(super) struct Room {
    all: Arc<AtomicU64>,
    bytes: u64,
}

impl Room {
    /// None yet, beside what `all` clips take that are being written.
    pub fn of(all: &Arc<AtomicU64>) -> Self {
        Self { all: Arc::clone(all), bytes: 0 }
    }

    /// Makes it `bytes` or more. What all take then, when that is more than before.
    pub fn widen(&mut self, bytes: u64) -> Option<u64> {
        if bytes <= self.bytes {
            return None;
        }
        self.is(bytes.div_ceil(STEP).saturating_mul(STEP));
        Some(self.all.load(Ordering::Acquire))
    }

    /// Makes it exactly `bytes`.
    pub fn is(&mut self, bytes: u64) {
        self.all.fetch_add(bytes, Ordering::AcqRel);
        self.all.fetch_sub(std::mem::replace(&mut self.bytes, bytes), Ordering::AcqRel);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.is(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_at_the_same_time_adds_up_and_is_given_back() {
        let all = Arc::default();
        let (mut one, mut other) = (Room::of(&all), Room::of(&all));
        assert_eq!(one.widen(1), Some(STEP));
        assert_eq!(one.widen(STEP), None);
        assert_eq!(other.widen(STEP + 1), Some(3 * STEP));
        other.is(5);
        assert_eq!(all.load(Ordering::Acquire), STEP + 5);
        drop((one, other));
        assert_eq!(all.load(Ordering::Acquire), 0);
    }
}
