//! Every bound of the line in one place, and how they relate. A bound that is not here is a defect.

use std::time::Duration;

/// Frames between capture and locate: a tenth of a second at 120 frames a second, which a busy
/// kernel may keep a thread waiting. A waiting 4K frame holds 8–12 MB of camera buffer.
pub const FRAMES_WAITING: usize = 12;

/// Places for frames that are held at the same time at no cost of their own, a camera.
pub const FRAME_SLOTS_MAX: usize = 64;

/// Frames that a live source may be ahead of who takes them; older ones are dropped and counted.
pub const CAMERA_FRAMES_WAITING: u32 = 8;

/// How long opening a camera may take before it is given up and tried again.
pub const CAMERA_OPENS_WITHIN: Duration = Duration::from_secs(10);

/// How long an opened camera may take for its first frame: a stream begins at its next key frame.
pub const CAMERA_STARTS_WITHIN: Duration = Duration::from_secs(10);

/// How long the end of a line waits for a camera to close.
pub const CAMERA_CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// What the rendered frames of the simulator as a live camera may take, in MiB.
pub const SYNTHETIC_MIB_MAX: u64 = 4096;

/// Parts between locate and the inspecting threads.
pub const PARTS_WAITING: usize = 8;

/// Notices of parts due between locate and act.
pub const NOTICES_WAITING: usize = 64;

/// Inspections between the inspecting threads and act.
pub const INSPECTIONS_WAITING: usize = 32;

/// Outcomes between act and record. Large: the disk may stall for a while without loss.
pub const OUTCOMES_WAITING: usize = 256;

/// Outcomes on a live line whose pictures are not cut out yet: each holds a camera's buffer.
pub const OUTCOMES_TO_CUT: usize = 64;

/// Outcomes on a live line that wait for the disk, without camera buffers: seven minutes at ten
/// parts a second.
pub const OUTCOMES_WAITING_LIVE: usize = 4096;

/// Bytes of pictures that may wait for the disk on a live line; beyond it pictures are given up,
/// rows are not.
pub const PICTURES_WAITING_BYTES: usize = 256 << 20;

/// Frames between capture and the film of a camera: each holds a camera's buffer.
pub const FILM_FRAMES_WAITING: usize = 2;

/// How much longer than the line's budget a picture of the film waits for its part's verdict to
/// come through. Also how far a camera's time may be ahead of the line's.
pub const FILM_SLACK: Duration = Duration::from_secs(1);

/// The longest the film waits before it looks at the time.
pub const FILM_LOOK: Duration = Duration::from_millis(50);

/// How long the end of a line waits until the film's last clips were taken. Less than the program
/// waits for a line that was stopped, so that a machine too busy for clips still stops in order.
pub const FILM_FINISH: Duration = Duration::from_secs(15);

/// Parts that wait to be told to the film of a camera.
pub const NOTES_WAITING: usize = 256;

/// Parts that the film of a camera looks for at the same time, and the most in one clip.
pub const NOTES_HELD: usize = 512;

/// Defects, and reasons, that are shown of one part.
pub const MARKS_A_NOTE: usize = 32;

/// Cells of a heatmap that is shown on film.
pub const HEAT_CELLS_MAX: u32 = 16_384;

/// Pictures, beginnings and ends of clips between the film and the clip thread of a camera.
pub const REEL_WAITING: usize = 16;

/// Events between two flushes of record; more are counted and not written down one by one.
pub const EVENTS_WAITING: usize = 1024;

/// Inputs from the field (triggers, encoder, confirm sensor) that wait for a stage.
pub const FIELD_INPUTS_WAITING: usize = 1024;

/// Commands of the PLC that wait for the station.
pub const COMMANDS_WAITING: usize = 4;

/// Connections that the PLC and others may hold to the station's Modbus server.
pub const PLC_CONNECTIONS_MAX: usize = 8;

/// Recipes that came into force and wait for the disk.
pub const RECIPES_WAITING: usize = 64;

/// Inspecting threads.
pub const INSPECTORS_MAX: usize = 32;

/// Objects followed at the same time in one picture.
pub const TRACKS_MAX: usize = 128;

/// Cells of the thin plane that motion is looked for in; what keeps a 4K frame at a millisecond.
pub const THIN_CELLS_MAX: u64 = 60_000;

/// Frames that are kept in case a trigger asks for one; each holds a camera's buffer.
pub const TRIGGER_FRAMES_HELD: usize = 8;

/// Triggers that wait for their frame.
pub const TRIGGERS_WAITING: usize = 256;

/// Parts that are owed to one gap in what a camera or an encoder tells; a longer one is told of
/// and no more.
pub const PARTS_IN_A_GAP: u64 = 1000;

/// Frames after which a changed recipe is in force, though parts of the old one are in view.
pub const TAKE_OVER_FRAMES: u32 = 120;

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

/// How long an inspecting thread may be at one part before it is replaced. Long: the deadline has
/// answered for its part, and a replacement costs a session.
pub const STALL_AFTER: Duration = Duration::from_secs(2);

/// How long any other thread may be at one thing before the watchdog is told no more.
pub const DEAD_AFTER: Duration = Duration::from_secs(5);

/// Pictures of a clip that wait inside its encoder's pipeline.
pub const CLIP_PICTURES_ENCODING: u64 = 4;

/// How long an encoder may give nothing before its clip is given up.
pub const CLIP_ENCODER_HANGS_AFTER: Duration = Duration::from_secs(10);

/// How long the next clip waits for the encoder of the one before to end.
pub const CLIP_ENCODER_CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// Encoders of one camera that hang for good, each with its threads, before no more are begun.
pub const CLIP_ENCODERS_HANGING: usize = 2;

/// Bytes of a clip that are in memory at once, a connection holding a few times as many.
pub const UPLOAD_PIECE_BYTES: usize = 64 * 1024;

/// Pieces between a clip's file and its connection.
pub const UPLOAD_PIECES_WAITING: usize = 2;

/// What the kernel may hold of a connection's bytes.
pub const SEND_BUFFER_BYTES: u32 = 256 * 1024;

/// Clips of one camera that may be on a connection and not kept yet.
pub const CLIPS_ON_THE_WAY: usize = 16;

/// An acknowledgement, and what is read of a refusal. Real ones take 200 bytes.
pub const ACK_BYTES_MAX: usize = 16 * 1024;

/// A clip's Matroska header, which holds the codec's private data, at most 1 MiB of it.
pub const CLIP_HEADER_BYTES_MAX: u64 = 2 << 20;

/// The service takes no larger fragment.
pub const FRAGMENT_BYTES_MAX: u64 = 50_000_000;

/// The service takes no longer fragment.
pub const FRAGMENT_LASTS_MAX: Duration = Duration::from_secs(20);

/// From one fragment to the next of a stream: the service takes five a second.
pub const FRAGMENT_EVERY: Duration = Duration::from_millis(250);

/// Bytes a second to one stream: the service takes 12.5 million.
pub const UPLOAD_BYTES_PER_S: u32 = 10_000_000;

/// How far ahead of the clock a clip may end and still be only waited for; farther, it is held.
pub const CLIP_AHEAD_MAX: Duration = Duration::from_secs(60);

/// Threads that look up names of hosts for the uploader, besides one a camera for copies.
pub const UPLOAD_LOOKUPS_MAX: usize = 4;

/// How often in a row connections may end on a clip before others go first.
pub const DROPS_MAX: u32 = 5;

/// How often a clip may come to that while others are kept before it is set aside: the network and
/// the service work then, and it is the clip.
pub const DROP_ROUNDS_MAX: u32 = 3;

/// How often the service may answer a clip with an error that we do not know.
pub const UNKNOWN_ERRORS_MAX: u32 = 5;

// A part is announced to act before it is handed on, so act must be able to take a notice for
// every part that can be under way, or locate and act would wait for each other.
const _: () = assert!(NOTICES_WAITING > PARTS_WAITING + INSPECTORS_MAX);
// While act waits for one part in replay it takes in all others that are under way.
const _: () = assert!(OUTCOMES_WAITING >= NOTICES_WAITING);
// Only parts in an inspecting thread or before it can still come late.
const _: () = assert!(LATE_AWAITED > 4 * (PARTS_WAITING + INSPECTORS_MAX + INSPECTIONS_WAITING));
