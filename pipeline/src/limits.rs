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

/// Inspecting threads.
pub const INSPECTORS_MAX: usize = 32;

/// Objects followed at the same time in one picture.
pub const TRACKS_MAX: usize = 128;

/// Cells of the thin plane that motion is looked for in; what keeps a 4K frame at a millisecond.
pub const THIN_CELLS_MAX: u64 = 60_000;

/// Most views of one part.
pub const VIEWS_MAX: u8 = 8;

/// Parts that the fail-safe answered and whose inspection may still come; older ones are forgotten.
pub const LATE_AWAITED: usize = 1024;

/// How often the PLC is shown the line's state, by the thread that owns the ledger.
pub const STATUS_EVERY: Duration = Duration::from_millis(100);

/// Inputs from the field that act takes in before it looks at its deadlines again.
pub const FIELD_INPUTS_AT_ONCE: usize = 64;

/// Turns of act that may fail one after the other before it answers every part and ends.
pub const FAILED_TURNS: u32 = 16;

/// How long act goes on, when the line has stopped, to throw out what is on its way to the gate.
pub const GATE_FINISH: Duration = Duration::from_secs(10);

/// Parts between camera and gate.
pub const PARTS_ON_BELT: usize = 4096;

/// Readings of the encoder that are remembered, to tell where the belt was at a trigger.
pub const ENCODER_READINGS: usize = 4096;

/// Over how long the belt's speed is measured, to tell where it is between two readings.
pub const SPEED_OVER: Duration = Duration::from_millis(20);

/// Signals of the confirm sensor that wait for a part they may belong to, and parts that wait for
/// a signal.
pub const CONFIRMS_WAITING: usize = 1024;

/// The longest a stage waits before it looks whether it was asked to stop.
pub const STOP_LOOK: Duration = Duration::from_millis(100);

// A part is announced to act before it is handed on, so act must be able to take a notice for
// every part that can be under way, or locate and act would wait for each other.
const _: () = assert!(NOTICES_WAITING > PARTS_WAITING + INSPECTORS_MAX);
// While act waits for one part in replay it takes in all others that are under way.
const _: () = assert!(OUTCOMES_WAITING >= NOTICES_WAITING);
// Only parts in an inspecting thread or before it can still come late.
const _: () = assert!(LATE_AWAITED > 4 * (PARTS_WAITING + INSPECTORS_MAX + INSPECTIONS_WAITING));
