//! GigE cameras from outside: a camera that is played by Aravis on the loopback interface, with
//! pictures of ours in it, and the source that takes them.
//!
//! Looking for cameras is a broadcast, and must not leave this machine: the cases run in a process
//! of their own on a network of its own.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod cases;
mod faults;
mod player;
mod taken;

use std::env;
use std::process::Command;

pub(crate) use taken::{config, frame, frames_within, open};

/// Set where there is nothing but the loopback interface.
const ALONE: &str = "SIGHTLINE_TEST_ALONE_ON_NETWORK";

/// Brings up the only interface there is, and runs what it is given.
const WITH_LOOPBACK: &str = "ip link set lo up && exec \"$0\" \"$@\"";

/// The cases, which share one loopback interface and so come one after the other.
const CASES: [(&str, fn()); 12] = [
    ("frames_arrive_as_the_camera_made_them", cases::frames_arrive_as_the_camera_made_them),
    ("a_camera_that_is_left_as_it_is", cases::a_camera_that_is_left_as_it_is),
    (
        "cameras_are_found_by_id_and_by_serial_number",
        cases::cameras_are_found_by_id_and_by_serial_number,
    ),
    ("each_trigger_gives_one_frame", cases::each_trigger_gives_one_frame),
    ("a_camera_on_a_wire_waits_for_it", cases::a_camera_on_a_wire_waits_for_it),
    ("frames_outlive_their_source", cases::frames_outlive_their_source),
    ("settings_that_a_camera_does_not_take", faults::settings_that_a_camera_does_not_take),
    ("a_camera_that_another_program_has", faults::a_camera_that_another_program_has),
    ("a_camera_that_goes_and_comes_back", faults::a_camera_that_goes_and_comes_back),
    (
        "opening_and_closing_leaves_nothing_behind",
        faults::opening_and_closing_leaves_nothing_behind,
    ),
    ("a_line_that_holds_every_buffer", faults::a_line_that_holds_every_buffer),
    ("a_network_that_loses_packets", faults::a_network_that_loses_packets),
];

/// Starts itself again where there is only a loopback interface, and there runs the cases.
#[test]
fn on_a_network_of_its_own() {
    if env::var_os(ALONE).is_some() {
        for (name, case) in CASES {
            println!("{name}");
            case();
        }
        return;
    }
    let alone = |command: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-rn", "sh", "-c", WITH_LOOPBACK]).args(command);
        unshare
    };
    if !alone(&["true"]).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no network of its own can be had here (unshare -rn, ip)");
        return;
    }
    let program = env::current_exe().unwrap();
    let mut cases = alone(&[program.to_str().unwrap(), "--nocapture"]);
    let output = cases.env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    assert!(said.contains(CASES[CASES.len() - 1].0), "all were run");
}
