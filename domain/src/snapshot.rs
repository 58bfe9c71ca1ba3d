//! What the line shows of itself: the latest values only, taken without stopping anything.

use serde::Serialize;

/// The sum that must always hold: triggered = passed + rejected + undecided + in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Conservation {
    /// Parts located.
    pub triggered: u64,
    /// Parts passed.
    pub passed: u64,
    /// Parts rejected.
    pub rejected: u64,
    /// Parts undecided.
    pub undecided: u64,
    /// Parts located and not yet answered.
    pub in_line: u64,
}

impl Conservation {
    /// Whether the sum holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.triggered == self.passed + self.rejected + self.undecided + self.in_line
    }
}

/// The latest values of the whole line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Snapshot {
    /// Frames taken from the source.
    pub frames: u64,
    /// Frames dropped because the line was busy; always 0 in replay.
    pub frames_dropped: u64,
    /// Total number of frames, when the source knows.
    pub frames_total: Option<u64>,
    /// Position on the footage's clock, seconds.
    pub footage_s: f64,
    /// The sum of parts.
    pub parts: Conservation,
    /// Parts written down.
    pub recorded: u64,
}
