//! How fast may be sent: what the service allows, with something to spare as the network bunches
//! what was sent evenly. Takes what was sent and when; gives the instant before which no more is.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// The pace of one stream, whichever connection it is sent on.
pub struct Pace {
    /// Nothing is sent before.
    pub next: Instant,
    /// No fragment begins before.
    fragment: Instant,
}

impl Pace {
    /// Nothing was sent before `now`.
    pub fn new(now: Instant) -> Self {
        Self { next: now, fragment: now }
    }

    /// A fragment is to begin: puts off what is sent next until it may.
    pub fn fragment(&mut self) {
        self.next = self.next.max(self.fragment);
    }

    /// Bytes were sent `now`; the first of a fragment where `is_first`.
    pub fn sent(&mut self, now: Instant, bytes: usize, is_first: bool) {
        if is_first {
            self.fragment = now + limits::FRAGMENT_EVERY;
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let took = Duration::from_secs(1) * bytes / limits::UPLOAD_BYTES_PER_S;
        self.next = self.next.max(now) + took;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends fragments of `bytes` in pieces as fast as it may, for ten seconds; gives when each
    /// began and how much was sent.
    fn ten_seconds(bytes: usize) -> (Vec<Duration>, usize) {
        let start = Instant::now();
        let (mut pace, mut begun, mut sent) = (Pace::new(start), Vec::new(), 0);
        loop {
            pace.fragment();
            let mut left = bytes;
            while left > 0 {
                let at = pace.next.max(start);
                if at - start >= Duration::from_secs(10) {
                    return (begun, sent);
                }
                let piece = left.min(65_536);
                if left == bytes {
                    begun.push(at - start);
                }
                pace.sent(at, piece, left == bytes);
                (left, sent) = (left - piece, sent + piece);
            }
        }
    }

    #[test]
    fn fewer_than_five_fragments_begin_in_any_second() {
        let (begun, _) = ten_seconds(1000);
        assert_eq!(begun.len(), 40);
        assert!(begun.windows(5).all(|five| five[4] - five[0] >= Duration::from_secs(1)));
    }

    #[test]
    fn large_fragments_go_at_the_pace_of_their_bytes() {
        let (_, sent) = ten_seconds(20_000_000);
        assert!((95_000_000..=101_000_000).contains(&sent), "{sent}");
    }
}
