//! One fault at a time, caused on purpose: every part is answered exactly once, the PLC and the
//! operator see what docs/faults.md says, and the line recovers.

mod calibration;
mod process;
mod table;

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use domain::LineState::{Degraded, Running};
use domain::{OwnedPixels, PixelFormat, Verdict};

use super::setup::{
    Bench, PATIENCE, Setup, Shot, Trap, WINDOW, grey, model_that_divides, recipe,
    recipe_by_trigger, scratched, start,
};
use table::{Row, Seen};

/// No part of these tests is late on a loaded machine, unless it is meant to be.
const AMPLE_MS: u32 = 50_000;

/// How a calibration that was lost comes back.
const CALIBRATION_HOLDS: &str = "when the cause is gone: one frame a second is looked at, 15 are \
                                 judged together; the PLC reads reason 405 meanwhile";

/// Every fault with what causes it.
const FAULTS: [(Row, fn() -> Seen); 17] = [
    (
        Row {
            fault: "camera lost (unplugged, switched off)",
            states: &[Running, Degraded, Running],
            parts: "undecided (no picture: the camera gives no frames)",
            alarm: "top is gone: top: camera: unplugged",
            recovery: "the first frame; a lost camera is tried again every 0.1 s, later every 5 s",
        },
        camera_lost,
    ),
    (
        Row {
            fault: "frames lost between camera and program",
            states: &[Running],
            parts: "undecided (no picture: its frame was lost between the camera and this program)",
            alarm: "top: 2 frames never arrived",
            recovery: "the next frame",
        },
        frames_lost,
    ),
    (
        Row {
            fault: "camera slow",
            states: &[Running],
            parts: "pass",
            alarm: " fps instead of 100.000",
            recovery: "when it gives 95 % of its frames again; it is told below 90 %, after 3 s",
        },
        camera_slow,
    ),
    (
        Row {
            fault: "lamp weaker or brighter than when the camera was calibrated",
            states: &[Running],
            parts: "undecided (the calibration does not hold: brightness changed by … is allowed; \
                    check the lamp, the aperture and the exposure)",
            alarm: "top: the calibration does not hold any more: brightness changed by ",
            recovery: CALIBRATION_HOLDS,
        },
        calibration::lamp_fails,
    ),
    (
        Row {
            fault: "camera out of focus, or a film on its lens",
            states: &[Running],
            parts: "undecided (the calibration does not hold: out of focus: … is allowed; check \
                    the lens's focus and distance, and clean it)",
            alarm: "top: the calibration does not hold any more: out of focus",
            recovery: CALIBRATION_HOLDS,
        },
        calibration::lens_loosens,
    ),
    (
        Row {
            fault: "camera pushed aside",
            states: &[Running],
            parts: "undecided (the calibration does not hold: the landmark moved by … is allowed; \
                    fasten the camera and calibrate anew)",
            alarm: "top: the calibration does not hold any more: the landmark moved by ",
            recovery: CALIBRATION_HOLDS,
        },
        calibration::camera_moves,
    ),
    (
        Row {
            fault: "model error: NaN, infinity, or an error of the runtime",
            states: &[Running],
            parts: "undecided (the model's output `scores` holds a value that is not finite)",
            alarm: "",
            recovery: "the next part",
        },
        model_nan,
    ),
    (
        Row {
            fault: "model slow (one part)",
            states: &[Running],
            parts: "undecided (no inspection before the deadline)",
            alarm: "P000001: no inspection in time",
            recovery: "the next part; the late finding is recorded as late and changes nothing",
        },
        model_slow,
    ),
    (
        Row {
            fault: "inspecting thread stands still",
            states: &[Running],
            parts: "undecided (no inspection before the deadline)",
            alarm: "infer failed: an inspecting thread has stood still at P000001",
            recovery: "2 s, then the thread is replaced; the other inspecting threads go on \
                       meanwhile",
        },
        inspecting_stands_still,
    ),
    (
        Row {
            fault: "inspecting thread panics",
            states: &[Running],
            parts: "undecided (infer failed on it)",
            alarm: "infer failed: P000001 made an inspecting thread panic",
            recovery: "at once; the lost session is replaced within 0.1 s and the time to load a \
                       model",
        },
        inspecting_panics,
    ),
    (
        Row {
            fault: "locate panics",
            states: &[Running],
            parts: "pass",
            alarm: "locate failed",
            recovery: "the next frame; with `motion`, when the belt has been learnt again",
        },
        locate_panics,
    ),
    (
        Row {
            fault: "telling the gate panics",
            states: &[Running],
            parts: "pass",
            alarm: "act failed",
            recovery: "at once; the ledger is kept, and it is recorded that the part's telling \
                       failed",
        },
        act_panics,
    ),
    (
        Row {
            fault: "PLC dead",
            states: &[Running],
            parts: "pass",
            alarm: "the PLC is gone: ",
            recovery: "when it answers again; verdicts meanwhile are recorded as not taken, the \
                       line waits for nothing, and the last 16 are written again when it is back",
        },
        plc_dead,
    ),
    (
        Row {
            fault: "disk full, gone or slow",
            states: &[Running],
            parts: "reject",
            alarm: "nothing is written down: ",
            recovery: "1 s after the disk takes data again; up to 4096 parts and 256 MiB of \
                       pictures wait for it, and nothing of those is lost",
        },
        disk_refuses,
    ),
    (
        Row {
            fault: "wall clock jumps",
            states: &[Running],
            parts: "pass",
            alarm: "the wall clock jumped by ",
            recovery: "nothing to recover: deadlines run on a clock that never jumps",
        },
        clock_jumps,
    ),
    (
        Row {
            fault: "something else takes all processors",
            states: &[Running],
            parts: "pass",
            alarm: "",
            recovery: "when it ends; parts that are late meanwhile are undecided (no inspection \
                       before the deadline)",
        },
        processors_taken,
    ),
    (
        Row {
            fault: "process killed",
            states: &[Running],
            parts: "pass",
            alarm: "",
            recovery: "the restart; parts that were in the line got no answer, and the PLC saw the \
                       heartbeat stop. What was flushed (every 0.2 s) is kept whole",
        },
        process::killed,
    ),
];

#[test]
fn every_fault_is_as_docs_faults_says() {
    let only = std::env::var("FAULT").unwrap_or_default();
    for (row, cause) in FAULTS.iter().filter(|(row, _)| row.fault.contains(&only)) {
        eprintln!("{}", row.fault);
        cause().agree_with(row);
    }
    table::check(&FAULTS.map(|(row, _)| row));
}

#[test]
fn good_parts_pass_and_bad_ones_are_rejected() {
    let bench = start(AMPLE_MS);
    bench.shoot(grey(128));
    bench.shoot(scratched());
    let answers = bench.answers(2);
    assert_eq!(answers[0].verdict, Verdict::Pass);
    assert!(matches!(answers[1].verdict, Verdict::Reject { .. }));
    let summary = bench.end().summary;
    assert_eq!((summary.snapshot.recorded, summary.failed), (2, vec![]));
}

/// A line that runs: its camera has given a frame.
fn running() -> Bench {
    let bench = start(AMPLE_MS);
    bench.until_a_part_passes();
    bench.until(Running);
    bench
}

fn camera_lost() -> Seen {
    let bench = Setup::new(recipe_by_trigger(AMPLE_MS)).start();
    let part = |count: u32| {
        bench.trigger(count);
        for _ in 0..4 {
            bench.shoot(grey(128));
        }
    };
    bench.shoot(grey(128));
    bench.until(Running);
    part(1);
    bench.answers(1);
    bench.shots.send(Shot::Lost("unplugged".to_owned())).unwrap();
    bench.until(Degraded);
    // Until no frame from before is near enough to be the part's.
    bench.let_pass(2 * WINDOW);
    bench.trigger(2);
    bench.answers(2);
    bench.shots.send(Shot::Back).unwrap();
    bench.shoot(grey(128));
    bench.until(Running);
    part(3);
    assert_eq!(bench.answers(3)[2].verdict, Verdict::Pass);
    Seen::at_end_of(bench)
}

fn frames_lost() -> Seen {
    let bench = running();
    bench.shots.send(Shot::Skip(2)).unwrap();
    bench.until_a_part_passes();
    Seen::at_end_of(bench)
}

fn camera_slow() -> Seen {
    let bench = Setup { fps: Some(100.0), ..Setup::new(recipe("one", AMPLE_MS)) }.start();
    let mut shots = 0;
    while !bench.line.events().contains_key("camera_slow") {
        shots += 1;
        assert!(shots < 600, "nobody noticed");
        bench.shoot(grey(128));
        bench.answers(shots);
        bench.let_pass(Duration::from_millis(50));
    }
    bench.until(Running);
    Seen::at_end_of(bench)
}

/// Ones of every picture, and NaN of a black one.
fn model_nan() -> Seen {
    let (_folder, model) = model_that_divides();
    let bench = Setup { model, ..Setup::new(recipe("one", AMPLE_MS)) }.start();
    bench.shoot(grey(0));
    bench.shoot(grey(128));
    assert!(matches!(bench.answers(2)[1].verdict, Verdict::Reject { .. }));
    bench.until(Running);
    Seen::at_end_of(bench)
}

/// A PLC that takes the connection and never says a word.
fn plc_dead() -> Seen {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = dead.local_addr().unwrap();
    let config = format!("kind='modbus_tcp'\nrole='client'\naddress='{address}'\ntimeout_ms=20");
    let plc = Some(toml::from_str(&config).unwrap());
    let bench = Setup { plc, ..Setup::new(recipe("one", AMPLE_MS)) }.start();
    bench.until_a_part_passes();
    bench.until_event("plc_lost");
    assert_eq!(bench.until_a_part_passes(), 1);
    bench.until(Running);
    Seen::at_end_of(bench)
}

/// Pixels that keep whoever looks at them until the other end is dropped.
fn kept_waiting() -> (Trap<impl Fn() + Send + Sync>, crossbeam_channel::Sender<()>) {
    let (let_go, waits): (_, Receiver<()>) = bounded(0);
    let waits = Mutex::new(waits);
    let wait = move || {
        let _ = waits.lock().unwrap().recv_timeout(PATIENCE);
    };
    (Trap(grey(128), wait), let_go)
}

fn model_slow() -> Seen {
    let bench = start(500);
    let (slow, let_go) = kept_waiting();
    bench.shoot(slow);
    bench.answers(1);
    drop(let_go);
    bench.until_event("late_inspection");
    bench.until(Running);
    Seen::at_end_of(bench)
}

fn inspecting_stands_still() -> Seen {
    let bench = start(500);
    let (stuck, let_go) = kept_waiting();
    bench.shoot(stuck);
    bench.answers(1);
    bench.until_event("stage_restarted");
    bench.until(Running);
    drop(let_go);
    Seen::at_end_of(bench)
}

fn inspecting_panics() -> Seen {
    let bench = start(AMPLE_MS);
    bench.shoot(Trap(grey(128), || panic!("a trap in a picture")));
    bench.answers(1);
    bench.until_event("stage_restarted");
    bench.until_a_part_passes();
    bench.until(Running);
    Seen::at_end_of(bench)
}

fn locate_panics() -> Seen {
    let bench = running();
    bench.shoot(TrapForLocate(grey(128)));
    bench.until_event("stage_restarted");
    bench.until_a_part_passes();
    Seen::at_end_of(bench)
}

fn act_panics() -> Seen {
    let bench = running();
    bench.spring_trap_in_gate();
    bench.shoot(grey(128));
    bench.until_event("stage_failed");
    bench.until_a_part_passes();
    Seen::at_end_of(bench)
}

fn disk_refuses() -> Seen {
    let bench = running();
    bench.until_recorded(1);
    let images = bench.folder.join("store/images");
    let away = bench.folder.join("away");
    std::fs::rename(&images, &away).unwrap();
    bench.shoot(scratched());
    bench.until_event("record_stuck");
    bench.until_a_part_passes();
    std::fs::rename(&away, &images).unwrap();
    bench.until_event("recording_again");
    Seen::at_end_of(bench)
}

fn clock_jumps() -> Seen {
    let bench = running();
    bench.clock.set_wall_by(3_600_000);
    bench.until_event("clock_jumped");
    assert_eq!(bench.until_a_part_passes(), 1);
    Seen::at_end_of(bench)
}

fn processors_taken() -> Seen {
    let bench = running();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let busy = || {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        for index in 0..8 {
            let name = format!("hog-{index}");
            std::thread::Builder::new().name(name).spawn_scoped(scope, busy).unwrap();
        }
        for part in 2..20 {
            bench.shoot(grey(128));
            bench.answers(part);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    Seen::at_end_of(bench)
}

/// Pixels whose size makes whoever asks for it panic: locate asks first.
struct TrapForLocate(OwnedPixels);

impl domain::Pixels for TrapForLocate {
    fn format(&self) -> PixelFormat {
        self.0.format()
    }

    fn size(&self) -> domain::SizePx {
        panic!("a trap for locate")
    }

    fn plane(&self, index: usize) -> domain::Plane<'_> {
        self.0.plane(index)
    }
}
