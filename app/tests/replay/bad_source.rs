//! Sources, places and numbers that make no sense: each is refused by name, and what could be
//! inspected was.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::footage::{self, PARTS, SCENE, paint};
use crate::program::run;
use crate::results::Results;
use crate::station::{Station, TRIGGERED, belt};

#[test]
fn a_source_that_is_not_there() {
    Station::new(&belt())
        .refuses("no/such.mkv", &["no/such.mkv", "does not exist", "give a video"]);
}

#[test]
fn a_text_under_a_videos_name() {
    let station = Station::new(&belt());
    let file = station.path("x.mp4");
    fs::write(&file, "part,label\n1,ok\n").unwrap();
    station.refuses(&file, &["x.mp4", "a text file, not a video", "part,label"]);
}

#[test]
fn noise_under_a_videos_name() {
    let station = Station::new(&belt());
    let file = station.path("x.mkv");
    let noise: Vec<u8> = (0..9_999_u32).map(|at| (at * at % 251) as u8).collect();
    fs::write(&file, noise).unwrap();
    station.refuses(&file, &["x.mkv", "not a video in any known format"]);
}

#[test]
fn an_empty_file() {
    let station = Station::new(&belt());
    File::create(station.path("x.mkv")).unwrap();
    station.refuses(station.path("x.mkv"), &["x.mkv", "empty (0 bytes)"]);
}

#[test]
fn a_folder_without_images() {
    let station = Station::new(&belt());
    fs::write(station.path("notes.txt"), "x").unwrap();
    station.refuses(station.path("."), &["holds no images", "png, jpg"]);
}

#[test]
fn a_scene_that_cannot_be_made() {
    let station = Station::new(&belt());
    station.refuses("synthetic:prats=3", &["prats", "`parts`", "write synthetic:"]);
    station.refuses("synthetic:defect_rate=2", &["defect_rate", "0..=1"]);
}

/// Promise 3: what was there before the cut is inspected and written, and the cut is told.
#[test]
fn a_video_that_was_cut_off() {
    let station = Station::new(&belt());
    let video = footage::video().join("footage.mkv");
    let whole = station.results(&video, &[]);
    let bytes = fs::read(&video).unwrap();
    let cut = station.path("cut.mkv");
    fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let ran = run(station.replay(&cut).arg("--json"));
    ran.complained(&["cut.mkv", "is cut off", "copy it again"]);
    let results = Results::read(&station.path("out"));
    let reported: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(reported, results.report, "there is a report all the same");
    assert!(results.count("frames") < whole.count("frames"));
    assert_eq!(results.count("parts"), results.rows.len() as u64);
    // The last ones were still on their way through the picture when it ended.
    let frames = results.count("frames");
    let is_through = |row: &&Value| row["views"][0]["frame"].as_u64().unwrap() + 2 < frames;
    let through: Vec<_> = whole.rows.iter().filter(is_through).collect();
    assert!(through.len() >= 4, "{}", results.report);
    assert!(results.rows.len() > through.len(), "those in view at the cut are answered too");
    assert_eq!(through, results.rows.iter().take(through.len()).collect::<Vec<_>>());
}

/// Half a picture, a text and a file of no bytes among good pictures: the good ones are inspected,
/// the bad one is told, and truth that lists it counts it as lost.
#[test]
fn broken_pictures_among_good_ones() {
    let parts = [("1.png", "ok"), ("2.png", "ok"), ("3.png", "scratch"), ("4.png", "scratch")];
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(paint(folder.path(), &parts).join("3.png")).unwrap();
    for (how, bytes) in [("half", &good[..good.len() / 2]), ("text", b"no picture"), ("no", b"")] {
        let station = Station::with_fixture(TRIGGERED, "segmenter");
        let images = paint(&station.path("."), &parts);
        fs::write(images.join("3.png"), bytes).unwrap();
        let index = station.path("index.csv");
        let ran = run(station.replay(&images).arg("--truth").arg(index));
        ran.complained(&["3.png"]);
        let results = Results::read(&station.path("out"));
        assert_eq!(results.verdicts(), ["pass", "pass", "reject"], "{how}");
        assert_eq!(results.count("lost"), 1, "{how}: {}", results.report);
        assert_eq!(results.report["escape"]["count"], 1, "what is lost got through");
    }
}

#[test]
fn results_that_have_no_place() {
    let station = Station::new(&belt());
    fs::write(station.path("file"), "x").unwrap();
    for out in [station.path("file"), station.path("file/out"), "/proc/sightline".into()] {
        let ran = run(&mut station.replay_into(SCENE, &out));
        ran.refused(&[out.to_str().unwrap(), "can't be made"]);
    }
    assert_eq!(fs::read(station.path("file")).unwrap(), b"x");
}

/// A folder that holds something else under the store's name is left as it is.
#[test]
fn results_where_another_programs_file_lies() {
    let station = Station::new(&belt());
    fs::create_dir_all(station.path("out/store")).unwrap();
    let database = station.path("out/store/station.db");
    fs::write(&database, "somebody's notes, not a database").unwrap();
    station.refuses(SCENE, &["station.db", "not a database"]);
    assert!(fs::read(&database).unwrap().starts_with(b"somebody's notes"));
}

#[test]
fn arguments_that_make_no_sense() {
    let station = Station::new(&belt());
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--fail-on", "escap=0.1"], &["escap", "escape, overkill", "escape=0.01"]),
        (&["--fail-on", "escape=2"], &["`2` is not a rate from 0 to 1"]),
        (&["--fail-on", "escape"], &["there is no `=`"]),
        (&["--threads", "0"], &["--threads", "zero"]),
        (&["--threads", "-1"], &["-1"]),
        (&["--split", "val"], &["--truth"]),
        (&["--pixel-format", "yuyv"], &["yuyv", "gray8"]),
    ];
    for (args, words) in cases {
        let ran = run(station.replay(SCENE).args(args));
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "{args:?}: `{word}` is not in {ran:?}");
        }
    }
    let video = footage::video().join("footage.mkv");
    run(station.replay(&video).args(["--fps", "5"])).refused(&["--fps", "folder of images"]);
    run(station.replay(SCENE).args(["--pixel-format", "nv12"])).refused(&["--pixel-format"]);
    assert!(!station.path("out").exists(), "nothing was written");
}

/// Names that a shell, a URL or a pattern would read something into.
#[test]
fn names_are_names() {
    let names: [&[u8]; 8] = [
        b"with space.png",
        b"quotes'\"`.png",
        b"new\nline.png",
        b"-rf.png",
        b"100%d %s.png",
        "schräubchen-螺丝.png".as_bytes(),
        b"a*?[b].png",
        b"not utf-8 \xff\xfe.png",
    ];
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let images = station.path(OsStr::from_bytes(b"-a 'b' \"c\" %20 \xff\n*"));
    fs::create_dir(&images).unwrap();
    for name in names {
        let path = images.join(OsStr::from_bytes(name));
        footage::painted("scratch").save_with_format(path, image::ImageFormat::Png).unwrap();
    }
    let results = station.results(&images, &[]);
    results.add_up();
    assert_eq!(results.verdicts(), ["reject"; 8]);

    // The same of a video, of the recipe and of the results, from within their folder.
    let station = Station::new(&belt());
    let video = footage::video().join("footage.mkv");
    for name in [&b"-v 'x' %d\n\xff.mkv"[..], "synthetic:ü.mkv".as_bytes()] {
        let name = OsStr::from_bytes(name);
        std::os::unix::fs::symlink(&video, station.path(name)).unwrap();
        fs::rename(station.path("recipe.toml"), station.path("-r %.toml")).unwrap();
        let out = OsStr::from_bytes(b"out \n%s'\xff");
        let mut replay = crate::program::sightline(["replay", "--recipe=-r %.toml"]);
        replay.arg("--out").arg(out).arg("--").arg(std::path::Path::new(".").join(name));
        replay.current_dir(station.path("."));
        crate::program::run_well(&mut replay);
        let results = Results::read(&station.path(out));
        results.add_up();
        assert_eq!(results.rows.len(), PARTS);
        fs::rename(station.path("-r %.toml"), station.path("recipe.toml")).unwrap();
        fs::remove_dir_all(station.path(out)).unwrap();
    }
}
