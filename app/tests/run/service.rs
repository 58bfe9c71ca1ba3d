//! What a service manager hears, and whether the unit that comes with the clone is one.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::started::{PATIENCE, Started};
use crate::station::{STATION, Station, repository};

fn hear(manager: &UnixDatagram, words: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let mut message = [0; 4096];
        let length =
            manager.recv(&mut message).unwrap_or_else(|e| panic!("{words}: {e} {heard:?}"));
        heard.push(String::from_utf8(message[..length].to_vec()).unwrap());
        if heard.last().is_some_and(|last| last.lines().any(|line| line.starts_with(words))) {
            return heard;
        }
    }
}

/// Ready only when the line runs; then again and again that it lives; and that it stops.
#[test]
fn a_service_manager_is_told() {
    let station = Station::new(STATION);
    let socket = station.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut run = station.run(&[]);
    run.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "400000");
    let started = Started::new(&mut run);
    let before = hear(&manager, "READY=1");
    assert!(before[0].contains("STATUS=arming"), "{before:?}");
    assert!(store::Reader::open(&station.path("store")).unwrap().runs().unwrap().len() == 1);
    for _ in 0..3 {
        hear(&manager, "WATCHDOG=1");
    }
    started.signal(Signal::SIGTERM);
    let until = hear(&manager, "STOPPING=1");
    assert!(!until.iter().any(|message| message.contains("READY=1")), "{until:?}");
    started.end().well();
}

/// The unit says what this program does, and systemd understands it.
#[test]
fn the_unit_of_the_clone() {
    let unit = fs::read_to_string(repository("deploy/sightline.service")).unwrap();
    for line in ["Type=notify", "Restart=always", "ExecStart=/usr/bin/sightline run "] {
        assert!(unit.lines().any(|it| it.starts_with(line)), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sightline.service");
    let binary = env!("CARGO_BIN_EXE_sightline");
    fs::write(&file, unit.replace("/usr/bin/sightline", binary)).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&file).output() else {
        println!("skipped: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours = said.lines().filter(|line| line.contains("sightline.service"));
    assert_eq!(ours.collect::<Vec<_>>(), [""; 0], "{said}");
}
