//! Half an export is none: whatever goes wrong, nothing is there that looks whole.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use store::Reader;
use store::export::{ExportError, ExportStep, Format, MANIFEST, export};

use crate::names::names;
use crate::station::{Station, exported, good, mixed, options};

/// Tells the process that is to be killed where to export.
const KILL_ME: &str = "SIGHTLINE_TEST_EXPORT";

#[test]
fn a_killed_export_is_none_and_the_next_one_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    for format in Format::ALL {
        let out = dir.path().join("out");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "whole::exports_until_it_is_killed", "--nocapture"])
            .env(KILL_ME, dir.path())
            .env("SIGHTLINE_TEST_FORMAT", format.name())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reached = lines.map_while(Result::ok).any(|line| line.contains("half way"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(reached);
        assert_eq!(names(dir.path()), ["out.partial", "s"], "{}", format.name());
        assert!(!dir.path().join("out.partial").join(MANIFEST).exists());
        exported(&dir.path().join("s"), &options(format, &out));
        assert_eq!(names(dir.path()), ["out", "s"]);
        fs::remove_dir_all(out).unwrap();
    }
}

/// Only does something in the process that the test above starts.
#[test]
fn exports_until_it_is_killed() {
    let Some(dir) = std::env::var_os(KILL_ME) else { return };
    let (dir, name) = (Path::new(&dir), std::env::var("SIGHTLINE_TEST_FORMAT").unwrap());
    let out = dir.join("out");
    let reader = Reader::open(&dir.join("s")).unwrap();
    let options = options(Format::from_name(&name).unwrap(), &out);
    let _ = export(&reader, &options, &mut |step| {
        if matches!(step, ExportStep::Written { done: 20, .. }) {
            println!("half way");
            // Until the kill comes: nothing is ever sent.
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv();
        }
    });
}

#[test]
fn what_is_there_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    let reader = Reader::open(&dir.path().join("s")).unwrap();
    let refused = export(&reader, &options(Format::Coco, &out), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, ExportError::Exists { .. }), "{refused}");
    fs::remove_dir(&out).unwrap();
    fs::write(&out, "a file").unwrap();
    assert!(export(&reader, &options(Format::Coco, &out), &mut |_| {}).is_err());
    assert_eq!(names(dir.path()), ["out", "s"]);
    assert_eq!(fs::read(&out).unwrap(), b"a file");
}

#[test]
fn a_folder_that_cannot_be_finished_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    mixed(&dir.path().join("s"));
    let reader = Reader::open(&dir.path().join("s")).unwrap();
    for format in Format::ALL {
        let out = dir.path().join("out");
        // The disk is full from here on: whatever is written to this name fails.
        let probe = exported(&dir.path().join("s"), &options(format, &dir.path().join("probe")));
        let mut texts = probe.files.keys().rev().filter(|name| !name.ends_with(".png"));
        let last = texts.next().unwrap_or(&probe.pictures[51].file);
        fs::remove_dir_all(dir.path().join("probe")).unwrap();
        let failed = export(&reader, &options(format, &out), &mut |step| {
            if matches!(step, ExportStep::Written { done: 1, .. }) {
                let path = dir.path().join("out.partial").join(last);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let _ = fs::remove_file(&path);
                std::os::unix::fs::symlink("/dev/full", path).unwrap();
            }
        });
        let error = failed.map(|_| ()).unwrap_err().to_string();
        assert!(!error.is_empty());
        assert_eq!(names(dir.path()), ["s"], "{}: {error}", format.name());
    }
}

#[test]
fn damaged_and_missing_pictures_are_told_and_the_rest_is_exported() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("s");
    let mut station = Station::open(&folder);
    let run = station.run(4, &[domain::PixelFormat::Gray8]);
    (1..=4).for_each(|part| station.say(run, part, &good()));
    let images = folder.join("images/000001");
    let files = names(&images);
    let mut bytes = fs::read(images.join(&files[0])).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(images.join(&files[0]), bytes).unwrap();
    fs::remove_file(images.join(&files[1])).unwrap();
    for format in Format::ALL {
        let manifest = exported(&folder, &options(format, &dir.path().join(format.name())));
        assert_eq!(manifest.counts.good, 2);
        assert_eq!(manifest.told.damaged, [format!("images/000001/{}", files[0])]);
        assert_eq!(manifest.told.gone, [format!("images/000001/{}", files[1])]);
        assert!(manifest.told.is_worrying());
    }
}

#[test]
fn nothing_to_export_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("s");
    let mut station = Station::open(&folder);
    let run = station.run(14, &[domain::PixelFormat::Gray8]);
    station.say(run, 13, &good());
    let reader = Reader::open(&folder).unwrap();
    let out = dir.path().join("out");
    let error = export(&reader, &options(Format::Csv, &out), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("run 1 part 13"), "{error}");
    assert_eq!(names(dir.path()), ["s"]);
}
