//! `sightline export`: takes a store, gives its labelled pictures as a dataset for training, whole
//! or not at all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::{PersonId, Pixels, Role, Sha256};
use indicatif::ProgressBar;
use pipeline::clock::{Clock, RealClock};
use serde_json::{Value, json};
use store::export::{
    ExportStep, Format, MANIFEST, Manifest, Options, Split, SplitBy, SplitRule, export,
};
use store::{Action, NewEntry, Reader, Store, StoreError};

use super::model::aligned;
use super::{progress, say, say_json, software};
use crate::Ended;
use crate::picture::rgb_from_pixels;

/// Export labelled pictures for training.
///
/// Each part goes by the label in force. Pictures are byte by byte what the store keeps; those of
/// cameras whose samples no training tool shows (NV12, I420, Bayer) are exported in colour, with
/// what the camera gave under originals/. Good parts are never left out; parts in doubt, put off or
/// without a kept picture are, and are counted. manifest.json says of every picture where it is
/// from and who labelled it, and has the hash of every file.
///
/// The dataset appears under its name when all of it is on the disk; until then it is called
/// DIR.partial. A part's split depends on the part and the seed alone: data that comes later moves
/// nothing. Works while the station runs.
///
/// Exit code 0: exported; 1: exported, but pictures of the store are gone or damaged; 2: there is
/// no export. What each format holds is said in docs/export.md.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// coco, yolo, yolo-segment, voc, image-folder (as MVTec sets and anomalib have it),
    /// ground-truth (Amazon SageMaker), csv (index.csv for `sightline model fit --labels`).
    #[arg(long, value_parser = parse_format)]
    format: Format,
    /// Folder to make; must not be there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Shares of train, val and test.
    #[arg(
        long, value_name = "SHARES", default_value = "0.7,0.15,0.15", value_parser = parse_shares
    )]
    split: [f64; 3],
    /// What is never torn apart: part, run or lot.
    #[arg(long, value_name = "WHAT", default_value = "part", value_parser = parse_split_by)]
    split_by: SplitBy,
    /// With --split-by lot: the lot of a run, like 12=L0815; once for each run. A run without one
    /// is a lot of its own.
    #[arg(long, value_name = "RUN=LOT", value_parser = parse_lot)]
    lot: Vec<(i64, String)>,
    /// Another seed deals anew.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only marks of this class, and good pictures; may be given several times.
    #[arg(long, value_name = "CLASS")]
    only_class: Vec<String>,
    /// Take views of a bad part that show no mark as good. Else they are left out: the defect may
    /// be visible there, too.
    #[arg(long)]
    unmarked_views_good: bool,
    /// Give pictures a second name instead of copying them, where the disk is the same. Whoever
    /// changes them then changes the store's.
    #[arg(long)]
    link: bool,
    /// With ground-truth: where the folder will be, like s3://bucket/folder.
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// Who exports, by pseudonym: for the audit log.
    #[arg(long, value_name = "PSEUDONYM")]
    by: Option<String>,
    /// One JSON object on stdout: counts, what is left out; no progress bar.
    #[arg(long)]
    json: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let clock = RealClock::start();
    let reader = Reader::open(&args.store)?;
    let software = software();
    let options = Options {
        format: args.format,
        out: &args.out,
        split: split(args)?,
        only_classes: args.only_class.iter().map(|class| (**class).into()).collect(),
        unmarked_is_good: args.unmarked_views_good,
        link: args.link,
        uri: args.uri.as_deref(),
        at: clock.wall(),
        software: &software,
        rgb: &rgb,
    };
    let bar = progress::bar_of("pictures", Some(0), args.json);
    let manifest = export(&reader, &options, &mut |step| show(&bar, step));
    bar.finish_and_clear();
    let manifest = manifest?;
    let took = clock.now().since(domain::MonoTime::default());
    let noted = note(args, &manifest, clock.wall())?;
    if args.json {
        say_json(&as_json(args, &manifest, took, noted))?;
    } else {
        say(&text(args, &manifest, took, noted))?;
    }
    Ok(if manifest.told.is_worrying() { Ended::LimitsNotMet } else { Ended::Done })
}

/// Writes an export as people ask for it at the screen: everything, split as usual. Says how much.
pub fn by_hand(folder: &Path, format: &str, out: &Path) -> Result<String> {
    let clock = RealClock::start();
    let software = software();
    let options = Options {
        format: parse_format(format).map_err(anyhow::Error::msg)?,
        out,
        split: SplitRule::default(),
        only_classes: Vec::new(),
        unmarked_is_good: false,
        link: false,
        uri: None,
        at: clock.wall(),
        software: &software,
        rgb: &rgb,
    };
    let manifest = export(&Reader::open(folder)?, &options, &mut |_| {})?;
    let mut said = format!("{}: {} pictures", out.display(), manifest.counts.pictures);
    for line in manifest.told.lines() {
        said = format!("{said}; {line}");
    }
    Ok(said)
}

fn split(args: &Args) -> Result<SplitRule> {
    let mut rule = SplitRule::default().with_shares(args.split)?;
    rule.by = args.split_by;
    rule.seed = args.seed;
    rule.lots = args.lot.iter().cloned().collect();
    Ok(rule)
}

fn rgb(pixels: &dyn Pixels) -> Option<Vec<u8>> {
    rgb_from_pixels(pixels, u32::MAX).map(image::RgbImage::into_raw)
}

fn show(bar: &ProgressBar, step: ExportStep) {
    match step {
        ExportStep::Read(labels) => bar.set_message(format!("{labels} labels read")),
        ExportStep::Written { done, of } => {
            bar.set_length(of);
            bar.set_position(done);
            bar.set_message("written");
        }
        ExportStep::Finishing => bar.set_message("counting again, bringing to the disk"),
    }
}

/// Writes the export into the audit log; not while a station holds the store.
fn note(args: &Args, manifest: &Manifest, at: domain::WallTime) -> Result<bool> {
    let store = match Store::create_or_open(&args.store) {
        Err(StoreError::Locked { .. } | StoreError::NotWritable { .. }) => return Ok(false),
        store => store?,
    };
    let by = args.by.as_deref().map(PersonId::new);
    let hash = std::fs::read(args.out.join(MANIFEST)).map(|bytes| Sha256::of(&bytes))?;
    let detail = json!({
        "format": manifest.format, "pictures": manifest.counts.pictures, "manifest": hash,
    });
    let by = by.as_ref().map(|by| (by, Role::Quality));
    store.labels()?.note(&NewEntry { at, by, action: Action::Export, detail: &detail })?;
    Ok(true)
}

fn as_json(args: &Args, manifest: &Manifest, took: Duration, noted: bool) -> Value {
    json!({
        "out": args.out, "format": manifest.format, "counts": manifest.counts,
        "told": manifest.told, "files": manifest.files.len(), "wall_s": took.as_secs_f64(),
        "pictures_per_s": rate(manifest, took), "in_audit_log": noted,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(manifest: &Manifest, took: Duration) -> f64 {
    manifest.counts.pictures as f64 / took.as_secs_f64().max(1e-9)
}

fn text(args: &Args, manifest: &Manifest, took: Duration, noted: bool) -> String {
    let counts = &manifest.counts;
    let mut rows = vec![["", "pictures", "marks"].map(str::to_owned)];
    rows.push(["ok".to_owned(), counts.good.to_string(), String::new()]);
    let classes = counts.classes.iter();
    rows.extend(classes.map(|(class, count)| {
        [class.to_string(), count.pictures.to_string(), count.marks.to_string()]
    }));
    let mut lines = vec![
        format!("{}: {} pictures, {}", args.out.display(), counts.pictures, manifest.format.name()),
        aligned(2, &rows),
        splits(manifest),
    ];
    lines.extend(manifest.told.lines().iter().map(|line| format!("mind: {line}")));
    lines.extend(far_off(args, manifest));
    if !noted {
        lines.push("mind: not in the audit log, which the running station holds".to_owned());
    }
    lines.push(format!(
        "counted again from the files: all agree; {} files, {:.1} s, {:.0} pictures a second",
        manifest.files.len(),
        took.as_secs_f64(),
        rate(manifest, took),
    ));
    lines.join("\n")
}

fn splits(manifest: &Manifest) -> String {
    let each = manifest.counts.splits.iter();
    let each: Vec<_> = each
        .map(|(split, count)| format!("{} {} ok + {} bad", split.name(), count.good, count.bad))
        .collect();
    format!("by {}: {}", manifest.split.by.name(), each.join(", "))
}

/// Splits that are empty or far from the share that was asked for.
#[expect(clippy::cast_precision_loss, reason = "shares for people")]
fn far_off(args: &Args, manifest: &Manifest) -> impl Iterator<Item = String> {
    let (counts, by) = (&manifest.counts, manifest.split.by.name());
    let all = counts.pictures.max(1) as f64;
    args.split.into_iter().zip(Split::ALL).filter_map(move |(share, split)| {
        let got = counts.splits.get(&split).map_or(0, |count| count.good + count.bad) as f64 / all;
        let is_off = (got - share).abs() > 0.15 || (share > 0.0 && got == 0.0);
        is_off.then(|| {
            format!(
                "mind: `{}` has {:.0} % of the pictures, not {:.0} %: few to deal out by {by}; \
                 another --seed deals anew",
                split.name(),
                100.0 * got,
                100.0 * share
            )
        })
    })
}

/// Reads the name of a format.
pub fn parse_format(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        format!("there is no such format; there are {known}")
    })
}

fn parse_split_by(name: &str) -> Result<SplitBy, String> {
    let known = || SplitBy::ALL.map(SplitBy::name).join(", ");
    let found = SplitBy::ALL.into_iter().find(|by| by.name() == name);
    found.ok_or_else(|| format!("right would be one of {}", known()))
}

fn parse_shares(text: &str) -> Result<[f64; 3]> {
    let wrong = || anyhow!("right would be three shares that add up to 1, like 0.7,0.15,0.15");
    let shares: Vec<f64> = text
        .split(',')
        .map(|share| share.trim().parse().ok())
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let shares: [f64; 3] = shares.try_into().map_err(|_| wrong())?;
    SplitRule::default().with_shares(shares)?;
    Ok(shares)
}

fn parse_lot(text: &str) -> Result<(i64, String), String> {
    let wrong = || "right would be the number of a run and its lot, like 12=L0815".to_owned();
    let (run, lot) = text.split_once('=').filter(|(_, lot)| !lot.is_empty()).ok_or_else(wrong)?;
    Ok((run.parse().map_err(|_| wrong())?, lot.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_lots_are_read_or_refused_with_what_would_be_right() {
        assert_eq!(parse_shares("0.8, 0.2,0").unwrap(), [0.8, 0.2, 0.0]);
        for wrong in ["0.8,0.2", "1,1,1", "a,b,c", ""] {
            assert!(parse_shares(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_lot("12=L=0").unwrap(), (12, "L=0".to_owned()));
        assert!(parse_lot("12").unwrap_err().contains("12=L0815"));
        assert!(parse_format("pickle").unwrap_err().contains("coco, yolo"));
    }
}
