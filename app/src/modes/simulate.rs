//! `sightline simulate`: films a simulated line. Gives footage, `truth.csv` and `truth.json`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use domain::{CameraId, CaptureTime, Frame, OwnedPixels, PixelFormat, Pixels, SizePx};
use pipeline::capture::{self, Next, SourceConfig};
use pipeline::record::encode::{Encoding, VideoWriter};
use serde_json::json;
use testdata::{Scene, SceneConfig, Spacing, Truth};

use super::{progress, say, say_json};
use crate::Ended;
use crate::picture::rgb_from_pixels;

/// Film a simulated line: a belt, machined parts, defects whose place is known.
///
/// Everything follows from the seed: the same arguments make the same footage.
#[derive(clap::Args)]
pub struct Args {
    /// Folder to write; made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many parts pass.
    #[arg(long, default_value_t = 200)]
    parts: u32,
    /// Width of the picture, pixels.
    #[arg(long, default_value_t = 1920)]
    width: u32,
    /// Height of the picture, pixels; everything in it scales with this.
    #[arg(long, default_value_t = 1080)]
    height: u32,
    /// Frames a second.
    #[arg(long, default_value_t = 60.0)]
    fps: f64,
    /// How pixels lie: gray8, nv12, rgb8, bayer_rggb8.
    #[arg(long, default_value = "gray8", value_parser = super::parse_format)]
    format: PixelFormat,
    /// Same seed, same footage.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Share of parts with a defect, 0..=1.
    #[arg(long, default_value_t = 0.2)]
    defect_rate: f32,
    /// What is written.
    #[arg(long = "as", value_enum, default_value_t = As::Video)]
    output: As,
    /// Codec of the video: lossless is FFV1 in Matroska, h264 is lossy and small.
    #[arg(long, value_enum, default_value_t = Codec::Lossless)]
    codec: Codec,
    /// Parts follow each other at irregular distances.
    #[arg(long)]
    irregular: bool,
    /// Rows of parts side by side.
    #[arg(long, default_value_t = 2)]
    lanes: u8,
    /// Share of parts that hang over the picture's border.
    #[arg(long, default_value_t = 0.0)]
    edge_rate: f32,
    /// Share of parts that touch the one before them.
    #[arg(long, default_value_t = 0.0)]
    touching_rate: f32,
    /// How often the belt halts.
    #[arg(long, default_value_t = 0)]
    stops: u32,
    /// Belt speed, pixels a frame; 0.04 of the height when not given.
    #[arg(long)]
    speed: Option<f32>,
    /// One JSON object on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum As {
    /// One video, `footage.mkv`.
    Video,
    /// Every frame as a PNG, `images/F000001.png`; nv12 and i420 as colour.
    Images,
    /// One frame a part, as a triggered camera would take it, `images/P000001.png`.
    Parts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Codec {
    Lossless,
    H264,
}

impl Args {
    fn scene(&self) -> SceneConfig {
        SceneConfig {
            seed: self.seed,
            parts: self.parts,
            size: SizePx::new(self.width, self.height),
            fps: self.fps,
            format: self.format,
            defect_rate: self.defect_rate,
            speed_px_per_frame: self.speed,
            spacing: if self.irregular { Spacing::Irregular } else { Spacing::Regular },
            lanes: self.lanes,
            edge_rate: self.edge_rate,
            touching_rate: self.touching_rate,
            stops: self.stops,
            ..SceneConfig::default()
        }
    }
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let config = args.scene();
    let scene = Scene::new(&config)?;
    fs::create_dir_all(&args.out)
        .with_context(|| format!("{}: the folder can't be made", args.out.display()))?;
    let footage = match args.output {
        As::Video => film(args, &config, scene.frames())?,
        As::Images => every_frame(args, &config, scene.frames())?,
        As::Parts => every_part(args, &scene)?,
    };
    let truth = scene.truth();
    let mut csv = args.out.join("truth.csv");
    truth.write_csv(create(&csv)?).with_context(|| csv.display().to_string())?;
    if args.output == As::Parts {
        // Numbers of frames mean nothing among these pictures; their names do.
        csv = args.out.join("index.csv");
        write_index(&csv, truth).with_context(|| csv.display().to_string())?;
    }
    let json_path = args.out.join("truth.json");
    truth.write_json(create(&json_path)?).with_context(|| json_path.display().to_string())?;
    let defective = truth.parts.iter().filter(|part| part.label != "ok").count();
    if args.json {
        say_json(&json!({
            "footage": footage, "truth": csv, "frames": scene.frames(),
            "parts": truth.parts.len(), "defective": defective,
        }))?;
    } else {
        say(&format!(
            "{}: {} frames, {} parts, {defective} of them defective; truth in {}",
            footage.display(),
            scene.frames(),
            truth.parts.len(),
            csv.display()
        ))?;
    }
    Ok(Ended::Done)
}

/// What is true of each picture, as an index of labelled images.
fn write_index(path: &Path, truth: &Truth) -> Result<()> {
    let mut index = csv::Writer::from_writer(create(path)?);
    index.write_record(["file", "label"])?;
    for part in &truth.parts {
        index.write_record([&format!("images/P{:06}.png", part.part), &part.label])?;
    }
    Ok(index.flush()?)
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("{}: can't be written", path.display()))
}

/// Renders every frame in order and hands it to `take`. The synthetic source renders ahead on
/// all cores.
fn each_frame(
    args: &Args,
    config: &SceneConfig,
    frames: u64,
    mut take: impl FnMut(&Frame) -> Result<()>,
) -> Result<()> {
    let bar = progress::bar(Some(frames), args.json);
    let source = SourceConfig::Synthetic(config.clone());
    let mut source = capture::open(&source, CameraId::new("simulator"), CaptureTime::default())?;
    loop {
        match source.next()? {
            Next::Frame(frame) => {
                take(&frame)?;
                bar.inc(1);
            }
            Next::Waiting | Next::Lost(_) | Next::Back(_) => {}
            Next::End => break,
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn film(args: &Args, config: &SceneConfig, frames: u64) -> Result<PathBuf> {
    let path = args.out.join("footage.mkv");
    let encoding = match args.codec {
        Codec::Lossless => Encoding::Lossless,
        Codec::H264 => Encoding::H264,
    };
    let mut video = VideoWriter::create(&path, encoding, config.format, config.size, config.fps)?;
    each_frame(args, config, frames, |frame| Ok(video.push(&*frame.pixels)?))?;
    video.finish()?;
    Ok(path)
}

fn every_frame(args: &Args, config: &SceneConfig, frames: u64) -> Result<PathBuf> {
    let folder = image_folder(args)?;
    each_frame(args, config, frames, |frame| {
        write_png(&folder.join(format!("F{:06}.png", frame.sequence + 1)), &*frame.pixels)
    })?;
    Ok(folder)
}

fn every_part(args: &Args, scene: &Scene) -> Result<PathBuf> {
    let folder = image_folder(args)?;
    let bar = progress::bar(Some(scene.truth().parts.len() as u64), args.json);
    for part in &scene.truth().parts {
        let pixels: OwnedPixels = scene.render(part.centre_frame);
        write_png(&folder.join(format!("P{:06}.png", part.part)), &pixels)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(folder)
}

fn image_folder(args: &Args) -> Result<PathBuf> {
    let folder = args.out.join("images");
    fs::create_dir_all(&folder)
        .with_context(|| format!("{}: the folder can't be made", folder.display()))?;
    Ok(folder)
}

/// Gray and Bayer sample for sample as a gray PNG, the other formats in colour.
fn write_png(path: &Path, pixels: &dyn Pixels) -> Result<()> {
    let SizePx { width, height } = pixels.size();
    let format = pixels.format();
    let written = if format == PixelFormat::Gray8 || format.is_bayer() {
        let plane = pixels.plane(0);
        let bytes: Vec<u8> = (0..plane.rows).flat_map(|y| plane.row(y)).copied().collect();
        image::save_buffer(path, &bytes, width, height, image::ExtendedColorType::L8)
    } else {
        let rgb = rgb_from_pixels(pixels, width.max(height)).context("pixels without a picture")?;
        rgb.save(path)
    };
    written.with_context(|| format!("{}: can't be written", path.display()))
}
