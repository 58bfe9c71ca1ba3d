//! Tables of a station file that belong to a part of the live line: how a camera is kept alive,
//! the PLC, the reject gate, threads. Gives them as written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a camera is kept alive.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRule {}

/// Who hears the verdicts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlcConfig {
    /// Nobody; verdicts are logged and written down.
    None {},
}

impl Default for PlcConfig {
    fn default() -> Self {
        Self::None {}
    }
}

impl PlcConfig {
    /// Whether there is no PLC.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None {})
    }
}

/// How parts are followed to the reject gate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectConfig {}

/// Which cores threads run on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThreadPlan {
    /// Cores by stage.
    pub pin: BTreeMap<String, Vec<usize>>,
    /// Whether the line's threads go before all others on the machine.
    pub realtime: bool,
}
