//! `sightline model quantize`: takes a float bundle and pictures, leaves a bundle of a smaller
//! network that was seen to decide no worse, or says why it was refused.

mod pictures;
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use domain::{CheckedRecipe, Recipe};
use models::quantize::{self, Allowed, Comparison, Int8, Labelled, Layout, Made, Method, Target};
use models::write::{self, Draft, WriteError};
use models::{Bundle, BundleError, Manifest, Model, Runtime};
use pipeline::clock::{Clock, RealClock};

use crate::Ended;
use crate::config;
use crate::modes::{say, say_json};
use told::Told;

/// Make a smaller, faster bundle, and prove what it costs.
///
/// The golden samples keep the float bundle's scores: a network that misses them is refused. With
/// --check both bundles also decide on labelled pictures, and the new one is refused when it lets
/// more bad parts through, or throws more good ones out, than is allowed: by default not one.
#[derive(clap::Args)]
pub struct Args {
    /// The float bundle's folder.
    bundle: PathBuf,
    /// What to compute in.
    #[arg(long)]
    to: To,
    /// Folder of the new bundle; must not be there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Pictures of usual parts, cropped as the line crops them: a folder or an index.csv. int8
    /// needs them; pictures that --check judges by are left out.
    #[arg(long, value_name = "DIR|INDEX.csv")]
    calibrate: Option<PathBuf>,
    /// Of the index to calibrate with, only this split.
    #[arg(long, value_name = "SPLIT")]
    calibrate_split: Option<String>,
    /// The most pictures to calibrate with, taken evenly over the list.
    #[arg(long, value_name = "N", default_value_t = 100)]
    calibrate_limit: usize,
    /// Take ranges that hold so many of 100 values, 99.99 for example, instead of all.
    #[arg(long, value_name = "P", value_parser = percentile)]
    percentile: Option<f64>,
    /// Where an int8 network is to run.
    #[arg(long, default_value = "cpu")]
    layout: LayoutArg,
    /// Bits of an int8 network's weights: 7 scores the same on every processor; 8 is finer, but
    /// overflows on processors with AVX2 or AVX-512 and without VNNI.
    #[arg(long, value_name = "7|8", default_value_t = 7,
          value_parser = clap::value_parser!(u8).range(7..=8))]
    weight_bits: u8,
    /// Put layers that see the picture itself into 8 bits too; they lose the most.
    #[arg(long)]
    first_too: bool,
    /// A node that stays in 32-bit floats, by its name or its output's; may be given again.
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Labelled pictures to hold both bundles against.
    #[arg(long, value_name = "INDEX.csv")]
    check: Option<PathBuf>,
    /// Of the index to check with, only this split.
    #[arg(long, requires = "check")]
    split: Option<String>,
    /// The limit from which a defect's score rejects; else as in the bundle's recipe.toml.
    #[arg(long, value_parser = share)]
    limit: Option<f64>,
    /// By how much the escape rate may grow, 0 to 1.
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    max_escape_growth: f64,
    /// By how much the overkill rate may grow, 0 to 1.
    #[arg(long, value_name = "Y", default_value_t = 0.0, value_parser = share)]
    max_overkill_growth: f64,
    /// How far a golden sample's scores may be from the float bundle's; else 0.1 for int8 and
    /// 0.01 for fp16.
    #[arg(long, value_name = "T", value_parser = tolerance)]
    golden_tolerance: Option<f32>,
    /// Leave the bundle even when --check refuses it; its card says so. What misses its golden
    /// samples is never left.
    #[arg(long)]
    force: bool,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// 8-bit integers.
    Int8,
    /// 16-bit floats.
    Fp16,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutArg {
    /// ONNX Runtime on a processor.
    Cpu,
    /// TensorRT.
    Tensorrt,
}

fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("write 0 to 1".to_owned()) }
}

fn percentile(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    let fits = number > 50.0 && number <= 100.0;
    if fits { Ok(number) } else { Err("write a number above 50, at most 100".to_owned()) }
}

/// With more, a bundle's manifest would be refused: a broken network would do.
fn tolerance(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| "it is no number".to_owned())?;
    let fits = number > 0.0 && number <= 0.1;
    if fits { Ok(number) } else { Err("write a number above 0, at most 0.1".to_owned()) }
}

/// A folder that goes when it is not renamed.
struct Making(PathBuf);

impl Drop for Making {
    fn drop(&mut self) {
        // When it was renamed there is nothing; else what is left is of no use to anybody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    if args.out.exists() {
        bail!("{}: is there already; right would be: a new folder", args.out.display());
    }
    let bundle = Bundle::load(&args.bundle)?;
    let recipe = recipe(args)?;
    let (split, good) = (args.split.as_deref(), &*bundle.manifest().output.good);
    let check = args.check.as_deref().map(|file| pictures::to_check(file, split, good));
    let check = check.transpose()?;
    let calibrate = pictures::to_calibrate(args, check.as_ref())?;
    let runtime = Runtime::open()?;
    let mut float = bundle.arm(&runtime)?;
    let target = args.target();
    let made = quantize::onnx_from_bundle(&bundle, &target, &args.keep, &calibrate, &runtime)?;
    let name = args.out.file_name().context("--out names no folder")?.to_string_lossy();
    let hidden = format!(".{name}.{}.quantizing", std::process::id());
    let making = Making(args.out.with_file_name(hidden));
    let manifest = manifest(&bundle, args, &target, calibrate.len());
    let mut told = Told::new(&bundle, args, target, &made, calibrate.len());
    let mut quantized = match write(args, &bundle, manifest, &made, &making.0, &runtime) {
        Ok(model) => model,
        Err(WriteError::Bundle(
            error @ (BundleError::GoldenMissed { .. } | BundleError::GoldenFault { .. }),
        )) => {
            told.refused.push(error.to_string());
            return end(args, &told);
        }
        Err(error) => return Err(error.into()),
    };
    told.measured(&mut float, &mut quantized, &golden(&bundle, &args.bundle), &recipe)?;
    if let Some(check) = &check {
        told.checked(&mut float, &mut quantized, &check.pictures, &recipe, &args.allowed())?;
    }
    if told.refused.is_empty() || args.force {
        told.written = true;
        told.hash = Some(quantized.hash());
        let card = fs::read_to_string(args.bundle.join("CARD.md")).unwrap_or_default();
        let file = making.0.join("CARD.md");
        let card = format!("{}\n\n{}", card.trim_end(), told.card());
        fs::write(&file, card.trim_start()).with_context(|| file.display().to_string())?;
        fs::rename(&making.0, &args.out).with_context(|| args.out.display().to_string())?;
    }
    end(args, &told)
}

fn end(args: &Args, told: &Told) -> Result<Ended> {
    if args.json {
        say_json(told)?
    } else {
        say(&told.text())?
    }
    Ok(if told.refused.is_empty() { Ended::Done } else { Ended::LimitsNotMet })
}

impl Args {
    fn target(&self) -> Target {
        let layout = match self.layout {
            LayoutArg::Cpu => Layout::Cpu,
            LayoutArg::Tensorrt => Layout::Tensorrt,
        };
        let method = self.percentile.map_or(Method::Minmax, Method::Percentile);
        match self.to {
            To::Int8 => {
                let (weight_bits, first_too) = (self.weight_bits, self.first_too);
                Target::Int8(Int8 { layout, method, weight_bits, first_too })
            }
            To::Fp16 => Target::Fp16,
        }
    }

    const fn allowed(&self) -> Allowed {
        Allowed { escape_growth: self.max_escape_growth, overkill_growth: self.max_overkill_growth }
    }

    fn tolerance(&self) -> f32 {
        self.golden_tolerance.unwrap_or(match self.to {
            To::Int8 => 0.1,
            To::Fp16 => write::TOLERANCE,
        })
    }
}

/// By what the two bundles are judged: the limit given, else the recipe beside the bundle.
fn recipe(args: &Args) -> Result<CheckedRecipe> {
    let beside = args.bundle.join("recipe.toml");
    if args.limit.is_none() && beside.exists() {
        return config::recipe_from_file(&beside);
    }
    if args.limit.is_none() && args.check.is_some() {
        bail!(
            "{}: is not there; right would be: --limit, from which score to reject",
            beside.display()
        );
    }
    let limit = args.limit.unwrap_or(0.5);
    let text = format!(
        "name = 'limit'\nmodel = '.'\nlocate = {{ kind = 'every-frame' }}\n\
         limits = {{ reject_at = {limit} }}"
    );
    let recipe: Recipe = toml::from_str(&text)?;
    recipe.check().map_err(|error| anyhow!("--limit: {error}"))
}

/// The golden samples' files.
fn golden(bundle: &Bundle, dir: &Path) -> Vec<Labelled> {
    let files = bundle.manifest().golden.iter().map(|golden| dir.join(&golden.image));
    files.map(|file| Labelled { file, bad: None }).collect()
}

/// The float bundle's manifest with what is another.
fn manifest(bundle: &Bundle, args: &Args, target: &Target, pictures: usize) -> Manifest {
    let mut manifest = bundle.manifest().clone();
    let word = match args.to {
        To::Int8 => "int8",
        To::Fp16 => "fp16",
    };
    manifest.name = format!("{}-{word}", manifest.name);
    manifest.file.precision = target.precision();
    manifest.file.quantized_from = Some(bundle.hash());
    let how = told::how(target, pictures);
    manifest.provenance.insert("quantized".to_owned(), how);
    manifest
}

/// Writes the new bundle to `dir`, beside it what lies beside the float one.
fn write(
    args: &Args,
    bundle: &Bundle,
    manifest: Manifest,
    made: &Made,
    dir: &Path,
    runtime: &Runtime,
) -> Result<Model, WriteError> {
    let samples = &bundle.manifest().golden;
    let pictures: Result<Vec<_>, _> = golden(bundle, &args.bundle)
        .iter()
        .map(|sample| models::picture::pixels_from_file(&sample.file))
        .collect();
    let disk = |file: &Path, message: String| WriteError::Disk { file: file.to_owned(), message };
    let pictures = pictures.map_err(|error| disk(&error.file, error.message.clone()))?;
    let expected: Vec<_> =
        samples.iter().map(|golden| (golden.expected.clone(), args.tolerance())).collect();
    let beside = recipes_in(&args.bundle).map_err(|error| disk(&args.bundle, error.to_string()))?;
    let beside: Vec<_> = beside.iter().map(|(name, bytes)| (&**name, bytes.clone())).collect();
    let draft = Draft { manifest, onnx: &made.onnx, golden: &pictures, card: "", beside: &beside };
    write::bundle_with_expected(dir, draft, &expected, runtime)
}

/// The recipes beside a bundle: their limits were chosen for this model.
fn recipes_in(dir: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("recipe") && name.ends_with(".toml") {
            found.push((name, fs::read(entry.path())?));
        }
    }
    found.sort();
    Ok(found)
}

/// Holds two models against each other with the machine's clock.
fn compared(
    models: [&mut Model; 2],
    pictures: &[Labelled],
    recipe: &CheckedRecipe,
    repeats: usize,
) -> Result<Comparison> {
    let clock = RealClock::start();
    let now = || Duration::from_nanos(clock.now().ns);
    let [float, quantized] = models;
    Ok(quantize::compare(float, quantized, pictures, recipe, repeats, &now)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use models::Precision;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// The smallest bundle there is: bright pictures are bad.
    fn bright() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/classifier")
    }

    /// A folder with an index of dark pictures, which are good, and bright ones.
    fn labelled() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let mut index = "file,label,split\n".to_owned();
        for level in (0..12_u8).map(|i| 15 + i * 20) {
            image::GrayImage::from_pixel(16, 16, image::Luma([level]))
                .save(dir.path().join(format!("{level}.png")))
                .unwrap();
            let bad = level > 127;
            let split = if level % 40 == 15 { "train" } else { "val" };
            index += &format!("{level}.png,{},{split}\n", if bad { "bright" } else { "ok" });
        }
        fs::write(dir.path().join("index.csv"), index).unwrap();
        dir
    }

    fn quantize(dir: &Path, more: &[&str]) -> Result<Ended> {
        let (bundle, out, index) = (bright(), dir.join("out"), dir.join("index.csv"));
        let paths = [&bundle, &out, &index].map(|path| path.to_str().unwrap().to_owned());
        let [bundle, out, index] = &paths;
        let mut line = vec!["quantize", bundle, "--out", out, "--check", index];
        if !more.contains(&"--split") {
            line.extend(["--split", "val"]);
        }
        line.extend(["--calibrate", index, "--json"]);
        line.extend(more);
        if !more.contains(&"--limit") {
            line.extend(["--limit", "0.5"]);
        }
        run(&Line::try_parse_from(line)?.args)
    }

    fn what_is_in(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).filter(|n| !n.ends_with("png")).collect()
    }

    #[test]
    fn a_bundle_is_left_that_says_where_it_came_from() {
        for (to, precision) in [("int8", Precision::Int8), ("fp16", Precision::Fp16)] {
            let dir = labelled();
            assert_eq!(quantize(dir.path(), &["--to", to]).unwrap(), Ended::Done);
            let made = Bundle::load(&dir.path().join("out")).unwrap();
            made.arm(&Runtime::open().unwrap()).unwrap();
            let float = Bundle::load(&bright()).unwrap();
            let file = &made.manifest().file;
            assert_eq!((file.precision, file.quantized_from), (precision, Some(float.hash())));
            assert_eq!(made.manifest().name, format!("bright-{to}"));
            for (made, float) in made.manifest().golden.iter().zip(&float.manifest().golden) {
                assert_eq!(made.expected, float.expected);
            }
            let card = fs::read_to_string(dir.path().join("out/CARD.md")).unwrap();
            assert!(card.contains("## Quantised") && card.contains("| escape | 0 of "), "{card}");
            assert!(quantize(dir.path(), &["--to", to]).is_err(), "written over");
        }
    }

    #[test]
    fn what_misses_its_golden_samples_is_not_left_even_by_force() {
        let dir = labelled();
        let more = ["--to", "int8", "--golden-tolerance", "0.0000001", "--force"];
        assert_eq!(quantize(dir.path(), &more).unwrap(), Ended::LimitsNotMet);
        assert_eq!(what_is_in(dir.path()), ["index.csv"]);
    }

    #[test]
    fn what_lets_more_through_is_left_by_force_only() {
        // The brightest picture to calibrate with is 215: brighter ones look like it then.
        let brightest = ["--to", "int8", "--limit", "0.955"];
        let dir = labelled();
        assert_eq!(quantize(dir.path(), &brightest).unwrap(), Ended::LimitsNotMet);
        assert_eq!(what_is_in(dir.path()), ["index.csv"]);
        let allowed = [&brightest[..], &["--max-escape-growth", "0.34"]].concat();
        assert_eq!(quantize(dir.path(), &allowed).unwrap(), Ended::Done);
        let dir = labelled();
        let forced = [&brightest[..], &["--force"]].concat();
        assert_eq!(quantize(dir.path(), &forced).unwrap(), Ended::LimitsNotMet);
        let card = fs::read_to_string(dir.path().join("out/CARD.md")).unwrap();
        assert!(card.contains("escape grows from 2 to 3 of 3"), "{card}");
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        let dir = labelled();
        for more in [
            &["--to", "int4"][..],
            &["--to", "int8", "--weight-bits", "6"],
            &["--to", "int8", "--percentile", "101"],
            &["--to", "int8", "--max-escape-growth", "2"],
            &["--to", "int8", "--golden-tolerance", "0.5"],
            &["--to", "int8", "--split", "test"],
            &["--to", "int8", "--keep", "nothing"],
        ] {
            assert!(quantize(dir.path(), more).is_err(), "{more:?}");
        }
        assert_eq!(what_is_in(dir.path()), ["index.csv"]);
    }
}
