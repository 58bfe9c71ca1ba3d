//! What elements of a pipeline complain of. Takes what they post; gives it with what is needed to
//! explain it, and never with a password.

use std::fmt;
use std::path::PathBuf;

use super::secrets::without_credentials;

/// What a pipeline reads, for its errors.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A recorded file, or a camera's device.
    File(PathBuf),
    /// A configured pipeline.
    Pipeline(String),
    /// A camera on the network, as it may be shown.
    Address(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{path:?}"),
            Self::Pipeline(text) => write!(f, "pipeline {:?}", without_credentials(text)),
            Self::Address(shown) => f.write_str(shown),
        }
    }
}

/// An error as an element posted it.
pub(super) struct Complaint {
    /// GStreamer's error.
    pub error: gst::glib::Error,
    /// What it adds for developers: where, and often the better reason.
    pub debug: String,
    /// The element that posted it.
    pub element: String,
    /// What nothing installed can decode: its caps, and what GStreamer calls it.
    pub missing: Option<(String, String)>,
}

impl Complaint {
    /// What the element says, with the detail that it adds on a line of its own.
    pub(super) fn reason(&self) -> String {
        let reason = match self.debug.split_once('\n') {
            Some((_, detail)) => format!("{} {}", self.error.message(), detail.trim()),
            None => self.error.message().to_owned(),
        };
        without_credentials(&reason)
    }
}

/// What a `missing-plugin` message names: the caps or element, and what people call it.
pub(super) fn missing_from(posted: &gst::StructureRef) -> Option<(String, String)> {
    if posted.name() != "missing-plugin" {
        return None;
    }
    let name = posted.get::<String>("name").ok()?;
    let detail = match posted.get::<gst::Caps>("detail") {
        Ok(caps) => caps.structure(0)?.name().to_string(),
        Err(_) => posted.get::<String>("detail").ok()?,
    };
    Some((detail, name))
}
