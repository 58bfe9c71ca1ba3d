//! `sightline model fit`: takes pictures of good parts, gives a bundle that finds what they do not
//! have; or labelled pictures, and gives one that finds what people found.

mod labels;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use clap::ValueEnum;
use domain::SizePx;
use indicatif::{ProgressBar, ProgressStyle};
use models::Runtime;
use models::fit::pictures::Pictures;
use models::fit::{Costs, Fitted, Grid, Method, Plan, Rule, Step, bundle_from_pictures};
use models::index::Index;
use models::rate::Rate;

use crate::Ended;
use crate::modes::{progress, say, say_json};

/// What holds when nothing else is said.
const USUAL: Rule = Rule::USUAL;

/// Fit a model to pictures of good parts, on this machine.
///
/// The bundle finds what good parts do not have, and marks where. Its limits are tried on good
/// parts of other groups (lots, days; folders below --good, or `group` in the index) than those
/// they were chosen on. A recipe.toml and a CARD.md lie in the bundle.
///
/// Bad pictures are never fitted to: they choose the limit, by cost, and say how many escape.
///
/// With --labels it learns from people's labels instead: masks or boxes make a bundle that marks
/// each kind of defect, labels alone one that names it.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of good parts' pictures; a folder in it is a lot, a day, a part.
    #[arg(long, value_name = "DIR", conflicts_with = "data")]
    #[arg(required_unless_present_any = ["data", "labels"])]
    good: Option<PathBuf>,
    /// Folder of bad parts' pictures.
    #[arg(long, value_name = "DIR", requires = "good")]
    bad: Option<PathBuf>,
    /// Instead of folders: an index of labelled pictures; `ok` is good.
    #[arg(long, value_name = "INDEX.csv")]
    data: Option<PathBuf>,
    /// Labelled pictures to learn from: an index, or an export's folder that holds one.
    #[arg(long, value_name = "INDEX.csv", conflicts_with_all = ["good", "data"])]
    labels: Option<PathBuf>,
    /// With --labels: the label that is no defect.
    #[arg(long, value_name = "LABEL", default_value = models::index::OK, requires = "labels")]
    good_label: String,
    /// With --labels: a split that is kept out of everything and only reported on.
    #[arg(long, value_name = "NAME", requires = "labels")]
    test_split: Option<String>,
    /// Only this split of the index; with --labels `train` where there is one.
    #[arg(long, value_name = "NAME", conflicts_with = "good")]
    split: Option<String>,
    /// Only the good pictures of the index.
    #[arg(long, requires = "data")]
    good_only: bool,
    /// Folder for the bundle; must not be there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the model is called; the name of --out when not given.
    #[arg(long)]
    name: Option<String>,
    /// Under which licence the model may be used.
    #[arg(long, default_value = "proprietary")]
    licence: String,
    /// patchcore for parts that lie anyhow, padim for parts that always lie the same way.
    #[arg(long, value_enum, default_value = "patchcore")]
    method: MethodName,
    /// Size that pictures are shown at: 512x208, or one side of a square, whose area is then given
    /// the shape of the pictures. Multiples of 16. Otherwise 192, and with --labels as large as the
    /// defects need.
    #[arg(long, value_name = "PIXELS")]
    size: Option<Size>,
    /// A place to look at every 16 pixels (coarse) or every 8 (fine: smaller defects, slower). Fine
    /// for patchcore and coarse for padim when not given.
    #[arg(long, value_enum)]
    grid: Option<GridName>,
    /// Patches of good parts that patchcore keeps.
    #[arg(long, value_name = "N", default_value = "1000")]
    patches: NonZeroUsize,
    /// The same seed gives the same bundle.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Share of good parts that may be rejected, when there are no bad pictures.
    #[arg(long, value_name = "SHARE", default_value_t = USUAL.overkill, value_parser = share)]
    overkill: f64,
    /// Share of good parts that may be undecided, besides.
    #[arg(long, value_name = "SHARE", default_value_t = USUAL.undecided, value_parser = share)]
    undecided: f64,
    /// With bad pictures: what a bad part that is passed costs.
    #[arg(long, value_name = "COST", default_value_t = USUAL.costs.escape, value_parser = cost)]
    cost_escape: f64,
    /// With bad pictures: what a good part that is rejected costs.
    #[arg(long, value_name = "COST", default_value_t = USUAL.costs.overkill, value_parser = cost)]
    cost_overkill: f64,
    /// With bad pictures: share of parts on the line that are bad.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    #[arg(default_value_t = USUAL.costs.defect_rate)]
    defect_rate: f64,
    /// Leave out pictures that can't be read instead of refusing.
    #[arg(long)]
    skip_unreadable: bool,
    /// Pictures looked at at once; the bundle does not depend on it. All cores when not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn name(&self) -> String {
        let of_folder = || self.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(of_folder)
    }

    fn threads(&self) -> usize {
        self.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodName {
    Patchcore,
    Padim,
}

#[derive(Clone, Copy, ValueEnum)]
enum GridName {
    Coarse,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    /// The area of such a square, in the pictures' shape.
    Side(u32),
    Sides(SizePx),
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| {
            let side: Option<u32> = text.parse().ok();
            side.filter(|side| (32..=2048).contains(side) && side.is_multiple_of(16)).ok_or_else(
                || "right would be: 192 or 512x208, multiples of 16 from 32 to 2048".to_owned(),
            )
        };
        match text.split_once('x') {
            None => Ok(Self::Side(side(text)?)),
            Some((width, height)) => Ok(Self::Sides(SizePx::new(side(width)?, side(height)?))),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.parse().ok();
    share
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "right would be: a share above 0 and below 1, like 0.01".to_owned())
}

fn cost(text: &str) -> Result<f64, String> {
    let cost: Option<f64> = text.parse().ok();
    cost.filter(|cost| *cost > 0.0 && cost.is_finite())
        .ok_or_else(|| "right would be: a number above 0".to_owned())
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    if let Some(labels) = &args.labels {
        return labels::run(args, labels);
    }
    let pictures = pictures(args)?;
    let plan = plan(args, &pictures);
    let runtime = Runtime::open()?;
    let bar = bar(&pictures, args.json);
    let told = |step| match step {
        Step::Looked => bar.inc(1),
        Step::Remembering(pictures) => bar.set_message(format!("remembering {pictures}")),
        Step::Writing => bar.set_message("writing"),
    };
    let fitted = bundle_from_pictures(&args.out, pictures, &plan, &runtime, &told);
    bar.finish_and_clear();
    let fitted = fitted?;
    if args.json {
        say_json(&fitted)?;
    } else {
        say(&summary(&args.out, &fitted))?;
    }
    Ok(Ended::Done)
}

fn pictures(args: &Args) -> Result<Pictures> {
    let Some(data) = &args.data else {
        // Clap asks for one of the two.
        let good = args.good.as_deref().context("--good or --data is needed")?;
        return Ok(Pictures::from_folders(good, args.bad.as_deref())?);
    };
    let mut index = Index::read(data)?;
    if args.good_only {
        index.rows.retain(|row| !row.is_bad());
    }
    Ok(Pictures::from_index(&index, args.split.as_deref())?)
}

fn plan(args: &Args, pictures: &Pictures) -> Plan {
    Plan {
        name: args.name(),
        licence: args.licence.clone(),
        method: match args.method {
            MethodName::Patchcore => Method::Patchcore,
            MethodName::Padim => Method::Padim,
        },
        size: match args.size.unwrap_or(Size::Side(192)) {
            Size::Side(side) => pictures.size_of_side(side),
            Size::Sides(size) => size,
        },
        grid: grid(args.grid, args.method),
        patches: args.patches.get(),
        seed: args.seed,
        rule: Rule {
            overkill: args.overkill,
            undecided: args.undecided,
            costs: Costs {
                escape: args.cost_escape,
                overkill: args.cost_overkill,
                defect_rate: args.defect_rate,
            },
        },
        threads: args.threads(),
        skip_unreadable: args.skip_unreadable,
    }
}

/// Padim keeps a matrix a place, so that a fine grid makes its bundle four times as large.
const fn grid(given: Option<GridName>, method: MethodName) -> Grid {
    match (given, method) {
        (Some(GridName::Fine), _) | (None, MethodName::Patchcore) => Grid::Fine,
        (Some(GridName::Coarse), _) | (None, MethodName::Padim) => Grid::Coarse,
    }
}

fn bar(pictures: &Pictures, quiet: bool) -> ProgressBar {
    let total = pictures.good.len() + pictures.bad.len();
    let bar = progress::bar(Some(total as u64), quiet);
    let template = "{bar:32} {percent:>3} %  {pos}/{len} pictures  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    bar
}

fn summary(out: &Path, fitted: &Fitted) -> String {
    let mut lines: Vec<_> =
        fitted.warnings.iter().map(|warning| format!("mind: {warning}")).collect();
    let groups =
        if fitted.groups == 0 { "no groups" } else { &format!("{} groups", fitted.groups) };
    lines.push(format!(
        "{}: fitted to {} good pictures ({groups}), shown at {}; bundle {}",
        out.display(),
        fitted.good,
        fitted.size,
        fitted.model.short()
    ));
    let (at, errors) = (fitted.reject_at, &fitted.errors);
    lines.push(format!("expected overkill at {at}: {}", rate(errors.overkill)));
    let from = fitted.undecided_from;
    lines.push(format!(
        "expected overkill at {from}, with undecided: {}",
        rate(errors.overkill_with_undecided)
    ));
    if let Some(auroc) = fitted.auroc {
        lines.push(format!("expected escape at {at}: {}", rate(errors.escape)));
        let past = rate(errors.escape_past_undecided);
        lines.push(format!("expected escape at {from}, with undecided: {past}"));
        lines.push(format!("image AUROC {auroc:.4}"));
    } else {
        lines.push("escape: not known without bad pictures (--bad)".to_owned());
    }
    lines.push(format!("cross-validated over {} folds; more in CARD.md", fitted.folds));
    lines.join("\n")
}

fn rate(rate: Rate) -> String {
    let percent = |share: Option<f64>| 100.0 * share.unwrap_or_default();
    format!(
        "{:.1} % ({} of {}; 95 %: {:.1} to {:.1} %)",
        percent(rate.rate),
        rate.count,
        rate.of,
        percent(rate.low95),
        percent(rate.high95)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_squares_or_two_sides() {
        assert_eq!("192".parse(), Ok(Size::Side(192)));
        assert_eq!("512x208".parse(), Ok(Size::Sides(SizePx::new(512, 208))));
        for wrong in ["", "x", "100", "512x", "512x200", "16", "4096", "-64", "64x64x64"] {
            let error = wrong.parse::<Size>().unwrap_err();
            assert!(error.contains("multiples of 16"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_grid_is_the_methods_unless_it_is_given() {
        assert_eq!(grid(None, MethodName::Patchcore), Grid::Fine);
        assert_eq!(grid(None, MethodName::Padim), Grid::Coarse);
        assert_eq!(grid(Some(GridName::Coarse), MethodName::Patchcore), Grid::Coarse);
        assert_eq!(grid(Some(GridName::Fine), MethodName::Padim), Grid::Fine);
    }

    #[test]
    fn shares_and_costs_are_what_they_say() {
        assert_eq!((share("0.01"), cost("100")), (Ok(0.01), Ok(100.0)));
        for wrong in ["0", "1", "1 %", "nan", "-1"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        for wrong in ["0", "inf", "nan", "-1", "a lot"] {
            assert!(cost(wrong).is_err(), "{wrong}");
        }
    }
}
