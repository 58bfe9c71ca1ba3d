//! Stations that can't run: each mistake is told in one line, with its place, before any camera is
//! opened.

use std::net::TcpListener;

use crate::started::Started;
use crate::station::{METRICS, STATION, Station, recipe};

#[test]
fn mistakes_are_told_with_their_place() {
    let synthetic = "kind = \"synthetic_live\", scene = { fps = 20, parts = 9, \
                     size = { width=64, height=64 } }";
    for (from, to, told) in [
        ("[[camera]]", "[[camra]]", "station.toml:5: unknown field `camra`, expected one of"),
        ("\"top\"", "\"t p\"", "station.toml:6: `camera.0.name`: \"t p\" is no name for a camera"),
        ("fps = 20", "fps = \"x\"", "station.toml:"),
        (
            "fps = 20",
            "fps = 0",
            "station.toml:7: `camera.0.source`: synthetic scene: fps = 0: it must be",
        ),
        (
            synthetic,
            "kind = \"file\", path = \"a.mkv\"",
            "station.toml:7: `camera.0.source`: a source of kind file is footage, not a camera",
        ),
        (
            synthetic,
            "kind = \"custom\", live = true, pipeline = \"no-such-element ! fakesink\"",
            "station.toml:7: `camera.0.source`: ",
        ),
        ("number = 2", "number = 1", "station.toml:14: `recipe.1.number`: there is another"),
        ("\"two.toml\"", "\"three.toml\"", "station.toml:15: `recipe.1.file`: "),
    ] {
        let station = Station::new(&STATION.replacen(from, to, 1));
        Started::new(&mut station.run(&[])).end().complained(&[told]);
        assert!(!station.path("store/latency.json.part").exists());
    }
}

#[test]
fn a_recipe_that_is_not_in_force_is_tried_at_the_start_too() {
    let station = Station::new(STATION);
    station.write("two.toml", &recipe("two").replace("0.5", "1.5"));
    let ended = Started::new(&mut station.run(&[])).end();
    ended.complained(&["station.toml:15: `recipe.1.file`: ", "two.toml:8: `limits.reject_at`"]);
    assert!(!station.path("store").exists(), "nothing was begun");
}

#[test]
fn a_station_that_is_not_there() {
    let station = Station::new(STATION);
    std::fs::remove_file(station.path("station.toml")).unwrap();
    let ended = Started::new(&mut station.run(&[])).end();
    ended.complained(&["station.toml: the station can't be read"]);
    assert_eq!(ended.stderr.len(), 1, "{ended:?}");
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let station = Station::new(&(STATION.to_owned() + &METRICS.replace("127.0.0.1:0", &address)));
    let ended = Started::new(&mut station.run(&["--for", "1s"])).end();
    ended.complained(&["station.toml:18: `metrics.listen`", &address, "metrics can't be served"]);
}

#[test]
fn arguments_that_make_no_sense() {
    let station = Station::new(STATION);
    for args in [["--for", "soon"], ["--fail-on", "mises=0"], ["--latency-every", "0s"]] {
        let ended = station.run(&args).output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        assert!(String::from_utf8(ended.stderr).unwrap().contains(args[1]));
    }
}
