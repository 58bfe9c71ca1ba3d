//! Parts that lie turned and aside: what the model sees of them lies right, and one that is beyond
//! the recipe's limits is rejected as misaligned, with its angle and offset in the record.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Rgb, RgbImage, imageops};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{run_well, sightline};
use crate::results::{Results, text};
use crate::station::Station;

const FRAME: (u32, u32) = (960, 720);
const CROP: (u32, u32) = (320, 160);
const MM_PER_PX: f64 = 0.25;

/// How a part lies: turned clockwise by so many degrees, and shifted by pixels.
struct Lies(f64, f64, f64);

const RIGHT: Lies = Lies(0.0, 0.0, 0.0);

/// A part with corners and a hole on a darker belt. A red flag is fixed to it that lies beyond the
/// crop when the part lies right, and within it when it is turned; a scratch lies beside the part.
fn picture(Lies(angle_deg, dx, dy): Lies, is_scratched: bool) -> RgbImage {
    let (sin, cos) = angle_deg.to_radians().sin_cos();
    let middle = |length: u32| (f64::from(length) - 1.0) / 2.0;
    RgbImage::from_fn(FRAME.0, FRAME.1, |x, y| {
        let (x, y) = (f64::from(x) - middle(FRAME.0) - dx, f64::from(y) - middle(FRAME.1) - dy);
        let (u, v) = (cos * x + sin * y, cos * y - sin * x);
        let bar = u.abs() < 100.0 && v.abs() < 28.0;
        let foot = (40.0..88.0).contains(&u) && (0.0..66.0).contains(&v);
        let hole = (u + 60.0).hypot(v) < 14.0;
        let flag = (-140.0..20.0).contains(&u) && (84.0..170.0).contains(&v);
        let scratch = is_scratched && u.abs() < 90.0 && (-78.0..-32.0).contains(&v);
        if flag || scratch {
            Rgb([250, 10, 10])
        } else if (bar || foot) && !hole {
            Rgb([190; 3])
        } else {
            Rgb([60; 3])
        }
    })
}

fn recipe(align: &str) -> String {
    let (width, height) = CROP;
    format!(
        "name = \"bracket\"\nmodel = \"m\"\n\n[locate]\nkind = \"every-frame\"\n\n[view]\n\
         crop_px = {{ width = {width}, height = {height} }}\n\n[limits]\nreject_at = 0.5\n{align}"
    )
}

const ALIGN: &str = "\n[align]\ngolden = \"golden.png\"\nmax_angle_deg = 45\nmax_offset_mm = 2.0\n\
                     search_deg = 90\n";

/// A station with a golden sample and a calibrated camera, and five parts before it.
fn station(recipe: &str) -> (Station, PathBuf, PathBuf) {
    let station = Station::with_fixture(recipe, "segmenter");
    let golden = picture(RIGHT, false);
    let (x, y) = ((FRAME.0 - CROP.0) / 2, (FRAME.1 - CROP.1) / 2);
    imageops::crop_imm(&golden, x, y, CROP.0, CROP.1)
        .to_image()
        .save(station.path("golden.png"))
        .unwrap();
    let parts = station.path("parts");
    fs::create_dir(&parts).unwrap();
    for (name, lies, is_scratched) in [
        ("1", RIGHT, false),
        ("2", Lies(40.0, 3.0, -2.0), false),
        ("3", Lies(60.0, 4.0, -3.0), false),
        ("4", Lies(10.0, 24.0, -7.0), false),
        ("5", Lies(40.0, 3.0, -2.0), true),
    ] {
        picture(lies, is_scratched).save(parts.join(format!("{name}.png"))).unwrap();
    }
    let profile = calibrated(&station.path("camera1"));
    (station, parts, profile)
}

/// The profile of a camera that looks straight down.
fn calibrated(profile: &Path) -> PathBuf {
    let dir = TempDir::new().unwrap();
    let still = dir.path().join("still.png");
    GrayImage::new(FRAME.0, FRAME.1).save(&still).unwrap();
    let told = |args: &[&OsStr]| {
        let args = [&[OsStr::new("calibrate")], args].concat();
        run_well(&mut sightline(args));
    };
    let profile = profile.to_owned();
    let ruler = "0,300,800,300,200";
    let at = profile.as_os_str();
    told(&[
        "plane".as_ref(),
        at,
        "--view".as_ref(),
        still.as_ref(),
        "--ruler".as_ref(),
        ruler.as_ref(),
    ]);
    told(&["accept".as_ref(), at, "--by".as_ref(), "QE".as_ref()]);
    profile
}

fn replayed(recipe: &str) -> Results {
    let (station, parts, profile) = station(recipe);
    station.results(&parts, &["--calibration", profile.to_str().unwrap()])
}

fn kinds(part: &Value) -> Vec<&str> {
    part["defects"].as_array().unwrap().iter().map(|defect| text(defect, "kind")).collect()
}

/// Whether the record says that `part` lies so.
fn lies(part: &Value, Lies(angle_deg, dx, dy): Lies) {
    let pose = &part["views"][0]["pose"];
    let near = |key: &str, is: f64, by: f64| {
        let said = pose[key].as_f64().unwrap_or_else(|| panic!("no `{key}` in {part}"));
        assert!((said - is).abs() < by, "{key} is {is}: {part}");
    };
    near("angle_deg", angle_deg, 0.2);
    near("dx_px", dx, 0.3);
    near("dy_px", dy, 0.3);
    near("offset_mm", dx.hypot(dy) * MM_PER_PX, 0.1);
}

#[test]
fn parts_are_seen_as_they_should_lie_and_rejected_when_they_lie_otherwise() {
    let results = replayed(&recipe(ALIGN));
    assert_eq!(results.verdicts(), ["pass", "pass", "reject", "reject", "reject"]);
    let kinds: Vec<_> = results.rows.iter().map(kinds).collect();
    // The flag of turned parts is not among what the model saw.
    let expected = [&[][..], &[], &["misaligned"], &["misaligned"], &["scratch"]];
    assert_eq!(kinds, expected, "{:?}", results.rows);
    lies(&results.rows[0], RIGHT);
    lies(&results.rows[1], Lies(40.0, 3.0, -2.0));
    lies(&results.rows[2], Lies(60.0, 4.0, -3.0));
    lies(&results.rows[3], Lies(10.0, 24.0, -7.0));
    // What was seen upright is told where the camera has it: above and to the right of the part.
    let found = &results.rows[4]["defects"][0]["box_in_frame"];
    let middle = |start: &str, length: &str| {
        found[start].as_f64().unwrap() + found[length].as_f64().unwrap() / 2.0
    };
    let (x, y) = (middle("x", "width"), middle("y", "height"));
    let (sin, cos) = 40.0_f64.to_radians().sin_cos();
    let (is_x, is_y) = (480.0 + 3.0 + 55.0 * sin, 360.0 - 2.0 - 55.0 * cos);
    assert!((x - is_x).hypot(y - is_y) < 25.0, "{x}, {y}, not {is_x}, {is_y}");
}

#[test]
fn without_aligning_the_model_sees_what_the_crop_happens_to_hold() {
    let results = replayed(&recipe(""));
    assert_eq!(kinds(&results.rows[0]), [""; 0]);
    assert_eq!(kinds(&results.rows[1]), ["scratch"], "the flag: {}", results.rows[1]);
    assert!(results.rows.iter().all(|row| row["views"][0]["pose"].is_null()));
}
