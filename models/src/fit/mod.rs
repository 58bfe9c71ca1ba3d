//! Models fitted on the station.

pub mod features;
