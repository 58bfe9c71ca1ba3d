//! A line with a screen, seen from outside: what becomes of the line when the screen is killed,
//! when the display goes, when there never was one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::started::Started;
use crate::station::{STATION, Station};

/// The command line that runs the station with a screen on `display`.
fn kiosk(station: &Station, display: Option<&str>, args: &[&str]) -> Command {
    let mut command = station.mode("kiosk", args);
    command.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET").env_remove("DISPLAY");
    command.envs(display.map(|display| ("DISPLAY", display)));
    command
}

/// An X server without a screen; `None` where none is installed.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn open() -> Option<Self> {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "+extension", "GLX"]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take()?).read_line(&mut number).ok()?;
        Some(Self { server, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It is over in one test.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The screen's process of the kiosk `id`.
fn screen_of(id: u32) -> Pid {
    let children = format!("/proc/{id}/task");
    let lists = fs::read_dir(children).unwrap().flatten().map(|task| task.path().join("children"));
    let all = lists.filter_map(|list| fs::read_to_string(list).ok()).collect::<String>();
    Pid::from_raw(all.split_whitespace().next().unwrap().parse().unwrap())
}

/// Without a display the line runs all the same, and says what would be right.
#[test]
fn a_kiosk_without_a_display() {
    let station = Station::new(STATION);
    let mut started = Started::ready(&mut kiosk(&station, None, &["--for", "5s"]));
    let told = started.has_said("no screen can be shown");
    assert!(told.contains("DISPLAY") && !told.contains(".rs"), "{told}");
    started.has_said("the line goes on; another screen is started in 1 s");
    started.has_said("the line goes on; another screen is started in 2 s");
    started.end().well();
    station.store_holds(&station.latency());
}

/// A screen that dies, and a display that goes, cost the line nothing; a screen comes back.
#[test]
fn a_screen_that_is_killed_and_a_display_that_goes() {
    let Some(mut display) = Display::open() else {
        println!("skipped: no Xvfb here");
        return;
    };
    let station = Station::new(STATION);
    let mut started = Started::ready(&mut kiosk(&station, Some(&display.name), &[]));
    started.has_said("the screen is on the display");
    kill(screen_of(started.id()), Signal::SIGKILL).unwrap();
    started.wait_for("the screen ended with an error");
    started.wait_for("the screen is on the display");
    display.server.kill().unwrap();
    started.wait_for("the screen ended with an error");
    started.wait_for_parts(&station, 20);
    started.signal(Signal::SIGTERM);
    let ended = started.end_with_its_screen().well();
    let panicked = |line: &&String| line.contains("panicked") && !line.contains("/winit-");
    assert!(!ended.stderr.iter().any(|line| panicked(&line)), "{ended:#?}");
    station.store_holds(&station.latency());
}
