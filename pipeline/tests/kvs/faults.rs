//! What goes wrong on purpose: a script for each connection to the data endpoint, and one answer
//! for each call of the control plane.

/// What an ack says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Said {
    Buffering,
    Received,
    Persisted,
}

impl Said {
    pub fn word(self) -> &'static str {
        match self {
            Self::Buffering => "BUFFERING",
            Self::Received => "RECEIVED",
            Self::Persisted => "PERSISTED",
        }
    }
}

/// What goes wrong on a connection to the data endpoint. Fragments are counted from 0 on each
/// connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Accepted and closed at once.
    ClosesAtOnce,
    /// Accepted and reset at once.
    ResetsAtOnce,
    /// Accepted, never read.
    NeverAnswers,
    /// This answer in place of 200.
    Answers { status: u16, kind: &'static str },
    /// 200, everything read and kept, never an ack and never an end.
    NeverAcks,
    /// 200, and from this fragment's begin on nothing is read and nothing said.
    StopsAt { fragment: usize },
    /// Reset once so many frames of this fragment came.
    ResetsIn { fragment: usize, frames: usize },
    /// Closed in place of this ack; what it would have said is true.
    ClosesBefore { fragment: usize, ack: Said },
    /// Closed after this ack.
    ClosesAfter { fragment: usize, ack: Said },
    /// An ERROR ack when this fragment begins; then the end.
    Error { fragment: usize, id: u32 },
    /// An ERROR ack in place of this fragment's PERSISTED, which is true of no more; the
    /// connection goes on.
    NotPersisted { fragment: usize, id: u32 },
    /// Reads no faster.
    Reads { bytes_per_s: u64 },
    /// Acks cut into chunks of so many bytes.
    SplitAcks { bytes: usize },
    /// Several acks in one chunk, lines ending with CRLF: all of a fragment's when it ends.
    JoinsAcks,
    /// Each ack twice.
    RepeatsAcks,
    /// One ack is never said.
    Omits { fragment: usize, ack: Said },
    /// A fragment's acks the wrong way round, PERSISTED first.
    ReversesAcks,
    /// A line that is no JSON before this fragment's acks.
    Garbage { fragment: usize },
    /// After the connection has ended, however it did, the stream counts as in use for so long.
    Lingers { ms: u64 },
}

/// What goes wrong with a call of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlFault {
    /// This answer.
    Answers { status: u16, kind: &'static str },
    /// Accepted, never answered.
    NeverAnswers,
    /// Closed in place of an answer.
    Closes,
    /// Answered with something that is no JSON.
    Garbage,
}

/// What the service calls an error.
pub fn error_code(id: u32) -> &'static str {
    match id {
        4000 => "STREAM_READ_ERROR",
        4001 => "MAX_FRAGMENT_SIZE_REACHED",
        4002 => "MAX_FRAGMENT_DURATION_REACHED",
        4003 => "MAX_CONNECTION_DURATION_REACHED",
        4004 => "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS",
        4005 | 4012 => "MORE_THAN_ALLOWED_TRACKS_FOUND",
        4006 => "INVALID_MKV_DATA",
        4007 => "INVALID_PRODUCER_TIMESTAMP",
        4008 => "STREAM_NOT_ACTIVE",
        4009 => "FRAGMENT_METADATA_LIMIT_REACHED",
        4010 => "TRACK_NUMBER_MISMATCH",
        4011 => "FRAMES_MISSING_FOR_TRACK",
        super::MIN_DURATION => "MIN_FRAGMENT_DURATION_REACHED",
        4500 => "KMS_KEY_ACCESS_DENIED",
        4501 => "KMS_KEY_DISABLED",
        4502 => "KMS_KEY_VALIDATION_ERROR",
        4503 => "KMS_KEY_UNAVAILABLE",
        4504 => "KMS_KEY_INVALID_USAGE",
        4505 => "KMS_KEY_INVALID_STATE",
        4506 => "KMS_KEY_NOT_FOUND",
        4507 => "STREAM_DELETED",
        5001 => "ARCHIVAL_ERROR",
        _ => "INTERNAL_ERROR",
    }
}
