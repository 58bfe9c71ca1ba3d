//! `model eval` and `model diff` as their user runs them: the built binary on a bundle that finds
//! red and blue cells, and a folder of labelled pictures, good and bad.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "replay/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{GrayImage, Luma, Rgb, RgbImage};
use program::{run, run_well, sightline};
use serde_json::Value;
use tempfile::TempDir;

/// A bundle that calls red cells of 8 x 8 pixels scratches and blue ones stains; two at least.
fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/segmenter")
}

const RED: (Rgb<u8>, [u32; 4]) = (Rgb([250, 10, 10]), [8, 0, 24, 8]);
const BLUE: (Rgb<u8>, [u32; 4]) = (Rgb([10, 10, 250]), [48, 16, 56, 32]);

fn inside([left, top, right, bottom]: [u32; 4], x: u32, y: u32) -> bool {
    (left..right).contains(&x) && (top..bottom).contains(&y)
}

const INDEX: &str = "file,label,split,mask,boxes,group\n\
    good.png,ok,val,,,one\n\
    again.png,ok,val,,,one\n\
    red.png,scratch,val,red_mask.png,8 0 24 8 scratch,two\n\
    blue.png,stain,val,blue_mask.png,48 16 56 32 stain,three\n\
    both.png,scratch|stain,val,,8 0 24 8 scratch;48 16 56 32 stain,four\n\
    missed.png,scratch,val,red_mask.png,,five\n\
    other.png,ok,train,,,six\n";

/// Six pictures to be judged, one of another split. One bad one shows nothing.
fn set() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let picture = |name: &str, gray: u8, blocks: &[(Rgb<u8>, [u32; 4])]| {
        let at = |x, y| blocks.iter().find(|(_, place)| inside(*place, x, y));
        let picture = RgbImage::from_fn(64, 32, |x, y| at(x, y).map_or(Rgb([gray; 3]), |b| b.0));
        picture.save(dir.path().join(name)).unwrap();
    };
    picture("good.png", 40, &[]);
    picture("again.png", 60, &[]);
    picture("red.png", 40, &[RED]);
    picture("blue.png", 40, &[BLUE]);
    picture("both.png", 40, &[RED, BLUE]);
    picture("missed.png", 50, &[]);
    picture("other.png", 40, &[]);
    for (name, (_, place)) in [("red_mask.png", RED), ("blue_mask.png", BLUE)] {
        let mask =
            GrayImage::from_fn(64, 32, |x, y| Luma([if inside(place, x, y) { 255 } else { 0 }]));
        mask.save(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("index.csv"), INDEX).unwrap();
    dir
}

fn eval(set: &Path) -> Command {
    let mut command = sightline(["model", "eval"]);
    command.arg(bundle()).arg(set.join("index.csv")).args(["--split", "val"]);
    command
}

fn json(command: &mut Command) -> Value {
    serde_json::from_str(&run_well(command.arg("--json")).stdout).unwrap()
}

#[test]
fn figures_are_given_and_those_that_do_not_apply_are_absent() {
    let set = set();
    let report = json(eval(set.path()).args(["--limit", "0.5"]));
    let figure = |pointer: &str| report.pointer(pointer).cloned();
    assert_eq!(figure("/images"), Some(6.into()));
    assert_eq!((figure("/good"), figure("/bad")), (Some(2.into()), Some(4.into())));
    // Three of four bad ones score above both good ones; the fourth scores as they do.
    assert_eq!(figure("/image/auroc"), Some(0.875.into()));
    // Of the five pictures of one label, four.
    assert_eq!(figure("/image/accuracy"), Some(0.8.into()));
    assert_eq!(figure("/boxes/map50"), Some(1.0.into()));
    assert_eq!(figure("/at_limit/rejecting/escape/count"), Some(1.into()));
    assert_eq!(figure("/at_limit/rejecting/escape/of"), Some(4.into()));
    assert_eq!(figure("/at_limit/rejecting/overkill/count"), Some(0.into()));
    assert_eq!(figure("/overkill_at_zero_escape/count"), Some(2.into()));
    assert_eq!(figure("/escape_at_overkill_1pct/count"), Some(1.into()));
    let auroc = figure("/pixel/auroc").unwrap().as_f64().unwrap();
    assert!((0.6..1.0).contains(&auroc), "{report}");
    assert!(figure("/pixel/iou").is_some() && figure("/pixel/aupro").is_some());

    // Good pictures alone tell nothing of a model.
    let mut command = sightline(["model", "eval"]);
    let report =
        json(command.arg(bundle()).arg(set.path().join("index.csv")).args(["--split", "train"]));
    assert_eq!(report["images"], 1);
    for absent in ["pixel", "boxes", "at_limit", "escape_at_overkill_1pct"] {
        assert!(report.get(absent).is_none(), "{absent} in {report}");
    }
    assert!(report["image"].get("auroc").is_none(), "{report}");
}

#[test]
fn figures_do_not_depend_on_threads() {
    let set = set();
    let [one, many] = ["1", "4"].map(|threads| {
        let mut report = json(eval(set.path()).args(["--threads", threads]));
        for own in ["wall_s", "threads"] {
            assert!(report.as_object_mut().unwrap().remove(own).is_some());
        }
        report
    });
    assert_eq!(one, many);
}

#[test]
fn results_are_left_in_the_folder() {
    let set = set();
    let out = set.path().join("out/eval");
    let said = run_well(eval(set.path()).args(["--limit", "0.5", "--out"]).arg(&out)).stdout;
    assert!(said.contains("image AUROC") && said.contains("0.8750"), "{said}");
    assert!(said.contains("25.0 % (1 of 4;"), "{said}");
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    let predictions = read("predictions.csv");
    let lines: Vec<_> = predictions.lines().collect();
    assert_eq!((lines[0], lines[1]), ("file,label,score,predicted", "good.png,ok,0,ok"));
    assert!(lines[5].starts_with("both.png,scratch|stain,1,"), "{predictions}");
    assert_eq!(lines[6], "missed.png,scratch,0,ok");
    assert!(serde_json::from_str::<Value>(&read("eval.json")).unwrap()["at_limit"].is_object());
    let page = read("eval.html");
    for outside in ["http:", "https:", "src=", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Four bad pictures, each twice; nothing was found in the good ones.
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 8);
    assert!(page.find("missed.png") < page.find("red.png"), "the worst escape comes first");
    for plot in ["roc.svg", "scores.svg"] {
        assert!(read(plot).starts_with("<svg xmlns=") && read(plot).ends_with("</svg>"), "{plot}");
    }
}

#[test]
fn what_is_wrong_with_a_row_is_told_with_its_line() {
    let set = set();
    let index = set.path().join("index.csv");
    GrayImage::new(5, 6).save(set.path().join("small.png")).unwrap();
    fs::write(set.path().join("broken.png"), b"no picture").unwrap();
    for (from, to, words) in [
        ("red.png,scratch", "gone.png,scratch", ["line 4", "`file`", "gone.png is not there"]),
        ("red_mask.png,8", "gone.png,8", ["line 4", "`mask`", "gone.png is not there"]),
        ("red.png,scratch", "broken.png,scratch", ["line 4", "`file`", "broken.png"]),
        ("red_mask.png,8", "small.png,8", ["line 4", "`mask`", "is 5 x 6 px"]),
        ("red.png,scratch", "red.png,crack", ["line 4", "`label`", "does not know `crack`"]),
        ("8 0 24 8 scratch,", "8 0 24 8 crack,", ["line 4", "`boxes`", "does not know `crack`"]),
    ] {
        assert!(INDEX.contains(from));
        fs::write(&index, INDEX.replacen(from, to, 1)).unwrap();
        run(&mut eval(set.path())).refused(&words);
    }
    fs::write(&index, INDEX).unwrap();
    let mut command = sightline(["model", "eval"]);
    run(command.arg(bundle()).arg(&index).args(["--split", "test"])).refused(&["`test`", "train"]);
    let nothing = run(eval(set.path()).args(["--limit", "1.5"]));
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
}

/// The bundle, but it wants three cells that touch.
fn pickier() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("golden")).unwrap();
    for name in ["model.onnx", "golden/01.png", "golden/02.png"] {
        fs::copy(bundle().join(name), dir.path().join(name)).unwrap();
    }
    let manifest = fs::read_to_string(bundle().join("model.toml")).unwrap();
    let manifest = manifest.replace("min_cells = 2", "min_cells = 3");
    fs::write(dir.path().join("model.toml"), manifest).unwrap();
    dir
}

fn diff(other: &Path, on: &Path) -> Command {
    let mut command = sightline(["model", "diff"]);
    command.arg(bundle()).arg(other).arg("--on").arg(on).args(["--limit", "0.5"]);
    command
}

#[test]
fn models_are_compared_on_labelled_pictures() {
    let (set, other) = (set(), pickier());
    let (index, out) = (set.path().join("index.csv"), set.path().join("out"));
    let report = json(diff(other.path(), &index).args(["--split", "val", "--out"]).arg(&out));
    assert_eq!((&report["images"], &report["disagree"]["count"]), (&6.into(), &3.into()));
    assert_eq!(report["mcnemar"]["only_first_right"], 3);
    assert!((report["mcnemar"]["p"].as_f64().unwrap() - 0.25).abs() < 1e-9, "{report}");
    assert_eq!(report["kappa"], 0.0, "the other passes everything");
    assert_eq!(report["b"]["escape"]["count"], 4);
    let apart = report["disagreements"].as_array().unwrap();
    assert!(apart.iter().all(|one| one["verdict_a"] == "reject" && one["verdict_b"] == "pass"));
    let page = fs::read_to_string(out.join("diff.html")).unwrap();
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 9);
    let rows = fs::read_to_string(out.join("diff.csv")).unwrap();
    assert_eq!(rows.lines().count(), 7);
    assert!(fs::read_to_string(out.join("scatter.svg")).unwrap().starts_with("<svg xmlns="));
}

#[test]
fn models_are_compared_on_a_folder_and_too_much_difference_is_an_exit_code() {
    let (set, other) = (set(), pickier());
    let report = json(&mut diff(&bundle(), set.path()));
    // The masks are pictures too.
    assert_eq!((&report["images"], &report["disagree"]["count"]), (&9.into(), &0.into()));
    assert!(report.get("mcnemar").is_none() && report["a"].get("escape").is_none());
    for (allowed, code) in [("disagree=0.34", 0), ("disagree=0.33", 1)] {
        let ran = run(diff(other.path(), set.path()).args(["--fail-on", allowed]));
        assert_eq!(ran.code, Some(code), "{ran:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    run(&mut diff(other.path(), empty.path())).refused(&["no picture"]);
    run(diff(other.path(), set.path()).args(["--split", "val"])).refused(&["--split"]);
}
