//! Footage to replay: takes the simulator's arguments, gives what it wrote; and painted pictures
//! whose truth is plain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::{Rgb, RgbImage};

use crate::program::{run_well, sightline};

/// How high the pictures of the simulated belt are; everything in them scales with it.
pub const HEIGHT: u32 = 480;
/// What is filmed of it.
pub const PARTS: usize = 12;
const SIZE: [&str; 4] = ["--width", "640", "--height", "480"];

/// The same belt as [`video`] shows, as a source of its own.
pub const SCENE: &str = "synthetic:parts=12,size=640x480,seed=7";

/// Small pictures, a few hundred, for a recipe by which each is a part.
pub const SOME: &str = "synthetic:parts=60,size=64x64";

/// A folder of this process, for footage that several tests share. What runs before this one left
/// behind is cleared away: nobody is told when the last test is over.
fn shared() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in fs::read_dir(base).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix("replay-").map(|id| Path::new("/proc").join(id));
            if process.is_some_and(|process| !process.exists()) {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
        let folder = base.join(format!("replay-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// Films into `out`.
pub fn simulate(out: &Path, args: &[&str]) {
    run_well(sightline(["simulate", "--json", "--out"]).arg(out).args(args));
}

fn simulated(name: &str, args: &[&str]) -> PathBuf {
    let out = shared().join(name);
    let belt = ["--parts", "12", "--seed", "7"];
    simulate(&out, &[&belt, &SIZE[..], args].concat());
    out
}

/// A folder with `footage.mkv` and its truth: a calm belt with twelve parts, lossless gray.
pub fn video() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| simulated("video", &["--as", "video"]))
}

/// The same belt, every frame a picture in `images/`.
pub fn frames() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| simulated("frames", &["--as", "images"]))
}

/// The same belt as a triggered camera sees it, one picture a part in `images/`.
pub fn parts() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| simulated("parts", &["--as", "parts"]))
}

/// A picture for the fixture that calls red cells scratches and blue cells stains. A cell is 16 x
/// 16 pixels of it; what is painted covers two by one of them.
pub fn painted(label: &str) -> RgbImage {
    let colour = match label {
        "scratch" => [250, 10, 10],
        "stain" => [10, 10, 250],
        _ => [40; 3],
    };
    RgbImage::from_fn(128, 64, |x, y| {
        let inside = (32..64).contains(&x) && (16..32).contains(&y);
        Rgb(if inside { colour } else { [40; 3] })
    })
}

/// Writes one painted picture for each of `parts`, and the `index.csv` that says so; gives the
/// pictures' folder.
pub fn paint(folder: &Path, parts: &[(&str, &str)]) -> PathBuf {
    let images = folder.join("images");
    fs::create_dir_all(&images).unwrap();
    let mut index = csv::Writer::from_path(folder.join("index.csv")).unwrap();
    index.write_record(["file", "label", "split"]).unwrap();
    for (name, label) in parts {
        painted(label).save(images.join(name)).unwrap();
        index.write_record([&format!("images/{name}"), *label, "test"]).unwrap();
    }
    index.flush().unwrap();
    images
}
