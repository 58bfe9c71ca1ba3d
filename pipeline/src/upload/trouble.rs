//! Why clips can't be brought on, and what is to be done about it. Takes what the network, the
//! service and the disk say; gives one line for people and one remedy for the courier.

use std::path::PathBuf;
use std::time::Duration;

use store::{ClipId, StoreError};
use thiserror::Error;

/// What is to be done about a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing is wrong; a new connection at once.
    Reconnect,
    /// The same again, after a pause that grows.
    Resend,
    /// As `Resend`, and the service is given time to forget the connection before.
    Yield,
    /// As `Resend`, and address and credentials are asked for anew.
    AskAnew,
    /// Nothing can be sent before a person has done something; it is tried again now and then.
    Wait,
    /// The clip is never sent again.
    Quarantine,
    /// The clip is held until the clock is right or a person releases it.
    CheckClock,
    /// As `Resend`, and the clip is quarantined when it happens again and again.
    Unknown,
}

/// Why clips can't be brought on.
#[derive(Debug, Error)]
pub enum Trouble {
    /// Nobody answers there.
    #[error("{endpoint} can't be reached: {cause}")]
    Unreachable {
        /// Whom.
        endpoint: String,
        /// Why, as far as can be told.
        cause: String,
    },
    /// A request was refused.
    #[error("{operation} was refused: {cause}")]
    Refused {
        /// What was asked for.
        operation: &'static str,
        /// Why, the service's words, ours and what would be right.
        cause: String,
        /// What is to be done.
        remedy: Remedy,
    },
    /// The service answered with an error to a fragment.
    #[error("the service says {code} ({id}): {meaning}")]
    Fragment {
        /// The error's number.
        id: u32,
        /// The error's name.
        code: String,
        /// What it means.
        meaning: &'static str,
        /// What is to be done.
        remedy: Remedy,
        /// The clip that it is about, as far as can be told.
        clip: Option<ClipId>,
    },
    /// The connection ended while something was outstanding.
    #[error("the connection ended before everything was kept: {cause}")]
    Broken {
        /// Why, as far as can be told.
        cause: String,
    },
    /// The connection is there and nothing moves on it.
    #[error("nothing moved for {} s: {what}", after.as_secs())]
    Stalled {
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
    /// What came back is not what the protocol says.
    #[error("the answer is not an acknowledgement: {excerpt}")]
    Garbage {
        /// Its beginning.
        excerpt: String,
    },
    /// There is nobody to sign for us.
    #[error("no credentials: {cause}; give a profile, the environment or a role")]
    NoCredentials {
        /// What was tried and how it went.
        cause: String,
    },
    /// The stream does not do.
    #[error("stream `{stream}`: {cause}")]
    Stream {
        /// Its name.
        stream: String,
        /// What is wrong and what would be right.
        cause: String,
    },
    /// The clip can't be sent as it lies on the disk.
    #[error("clip {}: {cause}", clip.0)]
    Clip {
        /// Which.
        clip: ClipId,
        /// What is wrong with it.
        cause: String,
    },
    /// The folder does not take files.
    #[error("{}: {cause}", path.display())]
    Folder {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why not, and what would be right.
        cause: String,
    },
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Trouble {
    /// What is to be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Refused { remedy, .. } | Self::Fragment { remedy, .. } => *remedy,
            Self::Clip { .. } => Remedy::Quarantine,
            Self::Stream { .. } => Remedy::Wait,
            Self::Unreachable { .. } | Self::NoCredentials { .. } => Remedy::AskAnew,
            Self::Broken { .. }
            | Self::Stalled { .. }
            | Self::Garbage { .. }
            | Self::Folder { .. }
            | Self::Store(_) => Remedy::Resend,
        }
    }

    /// The clip that it is about, where it is about one.
    pub fn clip(&self) -> Option<ClipId> {
        match self {
            Self::Fragment { clip, .. } => *clip,
            Self::Clip { clip, .. } => Some(*clip),
            _ => None,
        }
    }
}
