//! Every bound of the line in one place, and how they relate. A bound that is not here is a defect.

use std::time::Duration;

/// Frames between capture and locate. Small: a waiting 4K frame holds 8–12 MB of camera buffer.
pub const FRAMES_WAITING: usize = 4;

/// Parts between locate and the inspecting threads.
pub const PARTS_WAITING: usize = 8;

/// Notices of parts due between locate and act.
pub const NOTICES_WAITING: usize = 64;

/// Inspections between the inspecting threads and act.
pub const INSPECTIONS_WAITING: usize = 32;

/// Outcomes between act and record. Large: the disk may stall for a while without loss.
pub const OUTCOMES_WAITING: usize = 256;

/// Events between two flushes of record; more are counted and not written down one by one.
pub const EVENTS_WAITING: usize = 1024;

/// Inputs from the field (triggers, encoder, confirm sensor) that wait for a stage.
pub const FIELD_INPUTS_WAITING: usize = 1024;

/// Commands of the PLC that wait for the station.
pub const COMMANDS_WAITING: usize = 4;

/// Connections that the PLC and others may hold to the station's Modbus server.
pub const PLC_CONNECTIONS_MAX: usize = 8;

/// Inspecting threads.
pub const INSPECTORS_MAX: usize = 32;

/// Objects followed at the same time in one picture.
pub const TRACKS_MAX: usize = 128;

/// Cells of the thin plane that motion is looked for in; what keeps a 4K frame at a millisecond.
pub const THIN_CELLS_MAX: u64 = 60_000;

/// Most views of one part.
pub const VIEWS_MAX: u8 = 8;

/// The longest a stage waits before it looks whether it was asked to stop.
pub const STOP_LOOK: Duration = Duration::from_millis(100);

// A part is announced to act before it is handed on, so act must be able to take a notice for
// every part that can be under way, or locate and act would wait for each other.
const _: () = assert!(NOTICES_WAITING > PARTS_WAITING + INSPECTORS_MAX);
// While act waits for one part in replay it takes in all others that are under way.
const _: () = assert!(OUTCOMES_WAITING >= NOTICES_WAITING);
