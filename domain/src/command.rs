//! What people ask of the line. Asked at the head of the line only; nothing flows back.

/// A request to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take no more frames; answer every part that was located; write everything; end.
    Stop,
}
