//! What can be wrong with a GenICam camera. Takes nothing; gives one variant for each thing that
//! someone would do something else about.

use thiserror::Error;

/// A camera that can't be opened, or that stopped giving frames.
#[derive(Debug, Error)]
pub enum GenicamError {
    /// No such camera answers.
    #[error(
        "{wanted} is not found ({found}): check power and cable, that camera and this machine are \
         in the same subnet, and that no firewall is between them"
    )]
    NotFound {
        /// What was looked for.
        wanted: String,
        /// What was found instead.
        found: String,
    },
    /// It is there and does not let itself be opened.
    #[error("camera {camera} can't be opened: {reason}")]
    Open {
        /// The camera.
        camera: String,
        /// What Aravis says.
        reason: String,
    },
    /// Another program controls it.
    #[error("camera {camera} is controlled by another program: close that first")]
    Busy {
        /// The camera.
        camera: String,
    },
    /// A configuration that no camera could follow.
    #[error("{what}")]
    Config {
        /// What, and what would be right.
        what: String,
    },
    /// A setting that this camera does not take.
    #[error("camera {camera} does not take {feature} = {value}: {offers}")]
    Refused {
        /// The camera.
        camera: String,
        /// The feature, as the camera names it.
        feature: String,
        /// What it was to be.
        value: String,
        /// What would be taken.
        offers: String,
    },
    /// It does not do something that every camera can.
    #[error("camera {camera} does not {doing}: {reason}")]
    Device {
        /// The camera.
        camera: String,
        /// What it was asked for.
        doing: &'static str,
        /// What Aravis says.
        reason: String,
    },
    /// Frames of another kind than it was set to.
    #[error("camera {camera}: frame {frame} is {got}, it is set to {wanted}: was it set anew?")]
    Changed {
        /// The camera.
        camera: String,
        /// The first frame that differs.
        frame: u64,
        /// What came.
        got: String,
        /// What should have come.
        wanted: String,
    },
    /// Frames that hold less than they should.
    #[error("camera {camera}: a frame has too few bytes for {wanted}")]
    Short {
        /// The camera.
        camera: String,
        /// What should have come.
        wanted: String,
    },
    /// It does not answer any more.
    #[error(
        "camera {camera} is lost: it does not answer any more (power, cable, switch), or another \
         program took it over"
    )]
    Lost {
        /// The camera.
        camera: String,
    },
    /// A trigger of a camera that was closed.
    #[error("camera {camera} is closed")]
    Closed {
        /// The camera.
        camera: String,
    },
}
