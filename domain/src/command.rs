//! What people ask of the station, on its screen. Asked at the head of the line only; nothing flows
//! back but whether it was done.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::recipe::Limits;
use crate::{CalibrationStep, CameraId, Label, PartKey, PersonId, Role};

/// A PIN on its way to be checked. Never shown, not even by `Debug`; it is written only on its way
/// from the screen's process to the station's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    /// What was typed.
    #[must_use]
    pub const fn new(digits: String) -> Self {
        Self(digits)
    }

    /// What was typed, for whoever checks it.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// A request to the station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Open the cameras and begin.
    Start,
    /// Take no more frames; answer every part that was located; write everything; end.
    Stop,
    /// Inspect by another recipe from the next part on.
    SelectRecipe {
        /// As the station file counts.
        number: u16,
    },
    /// Write other limits into the recipe's file, and inspect by them from the next part on.
    ChangeLimits {
        /// As the station file counts.
        number: u16,
        /// What holds from then on.
        limits: Limits,
        /// Why, in the person's words.
        why: String,
    },
    /// Somebody has seen this alarm.
    Acknowledge {
        /// The event's name.
        alarm: String,
    },
    /// Somebody stands at the screen.
    LogIn {
        /// Who.
        person: PersonId,
        /// Shows that it is they.
        pin: Pin,
    },
    /// Nobody does any more.
    LogOut,
    /// Says of a part what it is. What the same person said of it before holds no longer.
    Label {
        /// The part.
        part: PartKey,
        /// What it is.
        label: Label,
        /// Whether it was asked for to compare it with another person's, which it does not
        /// replace.
        is_second: bool,
    },
    /// Takes back what the person at the screen said of a part last; what they had said before
    /// holds again.
    Unlabel {
        /// The part.
        part: PartKey,
    },
    /// Writes labelled parts out for training.
    Export {
        /// The format's name, as on the command line.
        format: String,
        /// The folder to make.
        out: PathBuf,
    },
    /// Takes a step in the calibration of a camera.
    Calibrate {
        /// The camera.
        camera: CameraId,
        /// The step.
        step: CalibrationStep,
    },
    /// Lets somebody use the station.
    AddPerson {
        /// As people call them; stays on the station.
        name: String,
        /// What they may do.
        role: Role,
        /// What they will type.
        pin: Pin,
    },
    /// Lets somebody use the station no longer. What they did stays under their pseudonym.
    RemovePerson {
        /// Who.
        person: PersonId,
    },
}

impl Command {
    /// The least that somebody must be to ask for it; `None` when nobody needs to be logged in.
    #[must_use]
    pub const fn needs(&self) -> Option<Role> {
        match self {
            Self::LogIn { .. } | Self::LogOut => None,
            Self::SelectRecipe { .. }
            | Self::Acknowledge { .. }
            | Self::Label { .. }
            | Self::Unlabel { .. } => Some(Role::Operator),
            Self::ChangeLimits { .. } | Self::Export { .. } => Some(Role::Quality),
            Self::Start
            | Self::Stop
            | Self::Calibrate { .. }
            | Self::AddPerson { .. }
            | Self::RemovePerson { .. } => Some(Role::Engineer),
        }
    }

    /// As the audit log calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::SelectRecipe { .. } => "select_recipe",
            Self::ChangeLimits { .. } => "change_limits",
            Self::Acknowledge { .. } => "acknowledge",
            Self::LogIn { .. } => "log_in",
            Self::LogOut => "log_out",
            Self::Label { .. } => "label",
            Self::Unlabel { .. } => "unlabel",
            Self::Export { .. } => "export",
            Self::Calibrate { .. } => "calibrate",
            Self::AddPerson { .. } => "add_person",
            Self::RemovePerson { .. } => "remove_person",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_not_told() {
        let command =
            Command::LogIn { person: PersonId::new("p-1"), pin: Pin::new("4711".to_owned()) };
        assert!(!format!("{command:?}").contains("4711"));
    }
}
