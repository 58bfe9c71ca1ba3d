//! Invariant 10: nothing listens unless the station says so. Takes a running program's sockets
//! from `/proc`; and asks for its metrics as Prometheus does.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use nix::sys::signal::Signal;

use crate::exposition;
use crate::started::{PATIENCE, Started};
use crate::station::{METRICS, STATION, Station, repository};

/// Local addresses, as the kernel writes them, of the TCP sockets that `process` listens on.
fn listening(process: u32) -> Vec<String> {
    let folder = format!("/proc/{process}");
    let links = fs::read_dir(format!("{folder}/fd")).unwrap().flatten();
    let sockets: BTreeSet<String> = links
        .filter_map(|fd| fs::read_link(fd.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        let table = fs::read_to_string(format!("{folder}/net/{table}")).unwrap_or_default();
        for row in table.lines().skip(1) {
            let fields: Vec<&str> = row.split_whitespace().collect();
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                found.push(fields[1].to_owned());
            }
        }
    }
    found
}

#[test]
fn nothing_listens_unless_it_is_asked_to() {
    let station = Station::new(STATION);
    let started = Started::ready(&mut station.run(&[]));
    assert_eq!(listening(started.id()), [""; 0]);
    started.stop().well();
}

#[test]
fn whoever_listens_beyond_loopback_is_warned() {
    let station = Station::new(&(STATION.to_owned() + &METRICS.replace("127.0.0.1", "0.0.0.0")));
    let mut started = Started::new(&mut station.run(&[]));
    started.wait_for("metrics can be read by anyone who reaches 0.0.0.0:");
    started.wait_for("run: ready");
    assert_eq!(listening(started.id()).len(), 1);
    started.stop().well();
}

/// Asks for the metrics of a station that runs; gives the page and the address.
pub fn metrics(started: &mut Started) -> (String, String) {
    let line = started.wait_for("metrics at http://");
    let (_, rest) = line.split_once("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    assert_eq!(path, "metrics");
    started.wait_for("run: ready");
    (get(address), address.to_owned())
}

fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    page.to_owned()
}

#[test]
fn metrics_are_served_on_loopback_only_and_are_right_to_the_last_line() {
    let station = Station::new(&(STATION.to_owned() + METRICS));
    let mut started = Started::new(&mut station.run(&[]));
    let (_, address) = metrics(&mut started);
    let (_, port) = address.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    // 127.0.0.1, least significant byte first.
    assert_eq!(listening(started.id()), [format!("0100007F:{port:04X}")]);
    let value = |page: &str, name: &str| {
        let samples = exposition::parse(page).unwrap_or_else(|error| panic!("{error}\n{page}"));
        samples.iter().find(|sample| sample.name == name).unwrap().value
    };
    let answered = "sightline_decision_duration_seconds_count";
    let mut pages = (0..10_000).map(|_| get(&address));
    let page = pages.find(|page| value(page, answered) >= 5.0).unwrap();
    // The line goes on between the two.
    started.signal(Signal::SIGUSR1);
    started.wait_for("latency.json written");
    let latency = station.latency();
    let frames = value(&page, "sightline_frames_total");
    assert!(frames >= 5.0 && latency["frames_offered"].as_f64().unwrap() >= frames);
    let samples = exposition::parse(&page).unwrap();
    let thread =
        |name: &str| samples.iter().any(|s| s.labels.get("thread").is_some_and(|t| t == name));
    assert!(thread("act") && thread("capture-top") && thread("metrics"));
    started.stop().well();
}

/// What docs/run.md says there is, is what there is.
#[test]
fn every_metric_is_documented() {
    let station = Station::new(&(STATION.to_owned() + METRICS));
    let mut started = Started::new(&mut station.run(&[]));
    let (page, _) = metrics(&mut started);
    let documented = fs::read_to_string(repository("docs/run.md")).unwrap();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, _) = line.split_once(' ').unwrap();
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/run.md");
    }
}
