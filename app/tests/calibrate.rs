//! `sightline calibrate` as its user runs it: the built binary on rendered pictures of a target, a
//! sheet and a belt; and a replay that measures by what it made.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of this is a test")]

mod board;
#[path = "replay/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use board::{FOCAL_PX, SIZE};
use image::GrayImage;
use program::{Ran, run, run_well, sightline};
use serde_json::Value;
use tempfile::TempDir;

fn save(path: &Path, luma: Vec<u8>) {
    GrayImage::from_raw(SIZE.width, SIZE.height, luma).unwrap().save(path).unwrap();
}

/// Twelve views of the board, all over the picture, and one in which it is not.
fn views(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let board = board::board();
    for at in 0..12 {
        let luma = board::seen(&board, &board::view(at), at.into());
        save(&folder.join(format!("view{at:02}.png")), luma);
    }
    save(&folder.join("view99.png"), vec![90; 640 * 480]);
    folder.to_owned()
}

fn calibrate(args: &[&str]) -> Ran {
    run(&mut sightline(["calibrate"].iter().chain(args)))
}

fn told(args: &[&str]) -> Value {
    let ran = calibrate(&[args, &["--json"]].concat());
    assert_eq!(ran.code, Some(0), "{args:?} {ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_camera_is_calibrated_from_pictures_and_accepted() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (profile, views) = (at("top"), views(&dir.path().join("views")));

    let residuals = at("residuals.svg");
    let views = views.to_string_lossy().into_owned();
    let lens =
        told(&["lens", &profile, "--views", &views, "--serial", "S1", "--residuals", &residuals]);
    let focal = lens["lens"]["focal_px"][0].as_f64().unwrap();
    assert!((focal / FOCAL_PX - 1.0).abs() < 0.005, "{focal}");
    assert!(lens["rms_px"].as_f64().unwrap() < 0.2, "{lens}");
    assert_eq!(lens["not_found"].as_array().unwrap().len(), 1, "the view without a board");
    assert!(fs::read_to_string(residuals).unwrap().contains("px rms"));

    // Nothing to measure on yet.
    let early = calibrate(&["accept", &profile, "--by", "QE"]);
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stdout.contains("calibrate plane"), "{early:?}");

    let seen = at("belt.png");
    save(Path::new(&seen), board::seen(&board::board(), &board::over_the_belt(), 0));
    let plane = told(&["plane", &profile, "--view", &seen]);
    let scale = plane["mm_per_px"].as_f64().unwrap();
    assert!((scale / (430.0 / FOCAL_PX) - 1.0).abs() < 0.02, "{scale}");
    assert!(plane["residual_rms_px"].as_f64().unwrap() < 0.2, "{plane}");

    fs::create_dir_all(dir.path().join("sheet")).unwrap();
    for n in 0..24 {
        save(&dir.path().join(format!("sheet/{n}.png")), board::plain_sheet(n));
    }
    let flat = told(&["flat", &profile, "--bright", &at("sheet"), "--exposure-us", "400"]);
    let after = flat["evenness"]["after_percent"].as_f64().unwrap();
    assert!(after < 1.0 && flat["evenness"]["before_percent"].as_f64().unwrap() > 5.0, "{flat}");

    assert_eq!(calibrate(&["check", &profile]).code, Some(1), "not accepted yet");
    told(&["accept", &profile, "--by", "QE"]);
    told(&["check", &profile, "--serial", "S1"]);
    let other = calibrate(&["check", &profile, "--serial", "S2"]);
    assert_eq!(other.code, Some(1));
    assert!(other.stdout.contains("S1") && other.stdout.contains("S2"), "{other:?}");
    let shown = run_well(&mut sightline(["calibrate", "show", &profile])).stdout;
    assert!(shown.contains("by QE at"), "{shown}");

    fs::write(dir.path().join("top/flat_field.bin"), "torn").unwrap();
    calibrate(&["check", &profile]).refused(&["flat_field.bin", "sha256"]);
}

#[test]
fn what_can_not_be_a_calibration_is_refused_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let blank = at("blank.png");
    save(Path::new(&blank), vec![90; 640 * 480]);
    let profile = at("p");
    calibrate(&["lens", &profile, "--views", &blank]).refused(&["0 views", "8"]);
    calibrate(&["plane", &profile, "--view", &blank]).refused(&["blank.png", "no "]);
    calibrate(&["plane", &profile, "--view", &blank, "--ruler", "1,1,1,1,5"]).refused(&[]);
    calibrate(&["check", &profile]).refused(&["profile.toml"]);
    calibrate(&["flat", &profile, "--bright", &blank, "--exposure-us", "1"]).refused(&["16"]);
    let text = at("grr.csv");
    fs::write(&text, "part,operator,trial,value\na,b,1,x\n").unwrap();
    calibrate(&["grr", &text]).refused(&["grr.csv", "2"]);
    assert!(!Path::new(&profile).join("profile.toml").exists(), "nothing was half written");
}

#[test]
fn who_has_no_camera_tries_it_with_the_simulator() {
    let dir = TempDir::new().unwrap();
    for (kind, more) in
        [("charuco", &[][..]), ("chessboard", &[]), ("circles", &["--columns", "4"])]
    {
        let profile = dir.path().join(kind).to_string_lossy().into_owned();
        let args = [&["lens", &profile, "--views", "simulator", "--kind", kind, "--json"], more];
        let ran = calibrate(&args.concat());
        assert_eq!(ran.code, Some(0), "{kind} {ran:?}");
        assert!(ran.stderr.contains("focal length 1500 px"), "the truth is told: {ran:?}");
        let lens: Value = serde_json::from_str(&ran.stdout).unwrap();
        let focal = lens["lens"]["focal_px"][0].as_f64().unwrap();
        let k1 = lens["lens"]["distortion"][0].as_f64().unwrap();
        assert!((focal / 1500.0 - 1.0).abs() < 0.005 && (k1 + 0.22).abs() < 0.01, "{lens}");
    }
}

/// A station with a camera that shows `pictures`, each for a while, over and over, as a live one.
fn station(folder: &Path, camera: &str, pictures: &[Vec<u8>]) -> PathBuf {
    let seen = folder.join(camera);
    fs::create_dir_all(&seen).unwrap();
    for (at, luma) in pictures.iter().enumerate() {
        save(&seen.join(format!("{at:03}.png")), luma.clone());
    }
    let pipeline = format!(
        "multifilesrc location={}/%03d.png loop=true caps=image/png,framerate=3/1 ! pngdec \
         ! videoconvert ! videorate ! video/x-raw,format=GRAY8,framerate=10/1 \
         ! identity sync=true",
        seen.display()
    );
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/simulated-parts");
    let recipe = zoo.join("recipe.toml").canonicalize().unwrap();
    let text = format!(
        "name = \"n\"\nstore = \"store\"\n[plc]\nkind = \"none\"\n[[recipe]]\nnumber = 1\n\
         file = {recipe:?}\n[[camera]]\nname = \"{camera}\"\n[camera.source]\n\
         kind = \"custom\"\nlive = true\npipeline = {pipeline:?}\n"
    );
    let path = folder.join(format!("{camera}.toml"));
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_live_camera_is_calibrated_without_a_screen() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (profile, board) = (at("p"), board::board());
    let views: Vec<_> = (0..12).map(|n| board::seen(&board, &board::view(n), n.into())).collect();
    let source = |camera: &str, pictures: &[Vec<u8>]| {
        format!("{}#{camera}", station(dir.path(), camera, pictures).display())
    };

    let ran = calibrate(&["lens", &profile, "--views", &source("hands", &views), "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lens: Value = serde_json::from_str(&ran.stdout).unwrap();
    let focal = lens["lens"]["focal_px"][0].as_f64().unwrap();
    assert!((focal / FOCAL_PX - 1.0).abs() < 0.005, "{focal}");
    assert_eq!(lens["views"].as_array().unwrap().len(), 12, "each view once");
    assert!(ran.stderr.contains("view 12:") && ran.stderr.contains("ninths"), "{ran:?}");

    let belt = source("belt", &[board::seen(&board, &board::over_the_belt(), 0)]);
    let plane = told(&["plane", &profile, "--view", &belt]);
    assert!(plane["residual_rms_px"].as_f64().unwrap() < 0.2, "{plane}");

    let sheet = source("sheet", &[board::plain_sheet(1), board::plain_sheet(2)]);
    let flat = told(&["flat", &profile, "--bright", &sheet, "--exposure-us", "400"]);
    assert!(flat["evenness"]["after_percent"].as_f64().unwrap() < 1.0, "{flat}");

    let file = station(dir.path(), "hands", &[]);
    let other = format!("{}#nobody", file.display());
    calibrate(&["plane", &profile, "--view", &other]).refused(&["nobody", "hands"]);
}

/// The recipe of the simulated parts, that counts defects from `min_length_mm` on.
fn recipe(folder: &Path, min_length_mm: f64) -> PathBuf {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/simulated-parts");
    let written = fs::read_to_string(zoo.join("recipe.toml")).unwrap();
    let model = format!("model = {:?}", zoo.canonicalize().unwrap());
    let limits = format!("[limits]\nmin_length_mm = {min_length_mm:?}");
    let text = written.replace("model = \".\"", &model).replace("[limits]", &limits);
    let path = folder.join(format!("recipe{min_length_mm}.toml"));
    fs::write(&path, text).unwrap();
    path
}

fn replay(dir: &Path, recipe: &Path, profile: Option<&str>) -> (Ran, Vec<Value>) {
    let out = dir.join("out");
    let _ = fs::remove_dir_all(&out);
    let mut command =
        sightline(["replay", "synthetic:parts=8,size=1920x1080,seed=5,defect_rate=0.8"]);
    command.arg("--recipe").arg(recipe).arg("--out").arg(&out);
    if let Some(profile) = profile {
        command.args(["--calibration", profile]);
    }
    let ran = run(&mut command);
    let log = fs::read_to_string(out.join("inspections.jsonl")).unwrap_or_default();
    (ran, log.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn rejected(parts: &[Value]) -> usize {
    parts.iter().filter(|part| part["verdict"] == "reject").count()
}

#[test]
fn a_replay_measures_in_millimetres_and_only_by_an_accepted_profile() {
    let dir = TempDir::new().unwrap();
    let (short, long) = (recipe(dir.path(), 0.5), recipe(dir.path(), 400.0));
    let (ran, _) = replay(dir.path(), &short, None);
    ran.refused(&["millimetres", "camera1", "calibration"]);

    let still = dir.path().join("still.png");
    GrayImage::new(1920, 1080).save(&still).unwrap();
    let still = still.to_string_lossy().into_owned();
    let profile = dir.path().join("top").to_string_lossy().into_owned();
    // A quarter of a millimetre a pixel.
    let ruler = "0,500,1600,500,400";
    told(&["plane", &profile, "--view", &still, "--ruler", ruler]);
    let (ran, _) = replay(dir.path(), &short, Some(&profile));
    ran.refused(&["calibrate accept", "camera1"]);
    told(&["accept", &profile, "--by", "QE"]);

    let (ran, parts) = replay(dir.path(), &short, Some(&profile));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(rejected(&parts) > 0, "{parts:?}");
    let defects: Vec<_> =
        parts.iter().flat_map(|part| part["defects"].as_array().unwrap()).collect();
    for defect in &defects {
        let mm = &defect["mm"];
        let (width, height) = (
            defect["box_in_frame"]["width"].as_f64().unwrap(),
            defect["box_in_frame"]["height"].as_f64().unwrap(),
        );
        let diagonal = width.hypot(height) / 4.0;
        let length = mm["length_mm"].as_f64().unwrap();
        assert!(length > 0.0 && length <= diagonal + 2.0, "{defect}");
        assert!(mm["uncertainty_mm"].as_f64().unwrap() > 0.0, "{defect}");
    }
    assert!(parts[0]["provenance"]["calibration"].is_string(), "{}", parts[0]);

    // Twice the same, byte for byte.
    let first = fs::read(dir.path().join("out/inspections.jsonl")).unwrap();
    replay(dir.path(), &short, Some(&profile));
    assert_eq!(fs::read(dir.path().join("out/inspections.jsonl")).unwrap(), first);

    // No defect is 400 mm long.
    let (_, parts) = replay(dir.path(), &long, Some(&profile));
    assert_eq!(rejected(&parts), 0);
}
