//! THE LINE. Takes frames from a camera or from footage; gives every part exactly one verdict to
//! the gate, and writes down why. The only door to GStreamer.
//!
//! [`line`] says which stages there are and what links them.

pub mod act;
pub mod capture;
pub mod clock;
pub mod decide;
pub mod infer;
pub mod limits;
pub mod line;
pub mod link;
pub mod locate;
pub mod plc;
pub mod prepare;
pub mod priority;
pub mod record;
pub mod stage;
pub mod upload;
