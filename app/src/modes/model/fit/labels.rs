//! `sightline model fit --labels`: takes labelled pictures, gives a bundle that finds what people
//! found on them.

use std::path::Path;

use anyhow::{Result, bail};
use domain::SizePx;
use indicatif::{ProgressBar, ProgressStyle};
use models::Runtime;
use models::fit::heads::{Figures, Fitted, Naming, Settings, Step, fit};
use models::index::Index;

use super::{Args, Size, rate};
use crate::Ended;
use crate::modes::{progress, say, say_json};

/// The index in an export's folder.
const INDEX: &str = "index.csv";

pub fn run(args: &Args, labels: &Path) -> Result<Ended> {
    if args.out.exists() {
        bail!("{} is there already; right would be: a folder that is not", args.out.display());
    }
    let file = if labels.is_dir() { labels.join(INDEX) } else { labels.to_owned() };
    let index = Index::read(&file)?;
    let settings = Settings {
        good: args.good_label.clone(),
        size: args.size.map(|size| match size {
            Size::Side(side) => SizePx::new(side, side),
            Size::Sides(size) => size,
        }),
        train_split: args.split.clone(),
        test_split: args.test_split.clone(),
        seed: args.seed,
        threads: args.threads(),
    };
    let runtime = Runtime::open()?;
    let bar = bar(args.json);
    let fitted = fit(&runtime, &index, &settings, |step| tell(&bar, step));
    bar.finish_and_clear();
    let fitted = fitted?;
    let naming = Naming { name: args.name(), licence: args.licence.clone() };
    let model = fitted.write(&args.out, &naming, &runtime)?;
    if args.json {
        say_json(&fitted)?;
    } else {
        let bundle = model.hash().short();
        say(&format!("{}: bundle {bundle}\n{}", args.out.display(), summary(&fitted)))?;
    }
    Ok(Ended::Done)
}

fn bar(quiet: bool) -> ProgressBar {
    let bar = progress::bar(Some(1), quiet);
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}") {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    bar
}

fn tell(bar: &ProgressBar, step: Step) {
    let (done, of, what) = match step {
        Step::Checked { done, of } => (done, of, "pictures and labels checked"),
        Step::Looked { done, of } => (done, of, "pictures looked at"),
        Step::Trained { done, of } => (done, of, "networks trained for the folds"),
        Step::Finishing => (1, 1, "the network that is kept"),
    };
    bar.set_length(of as u64);
    bar.set_position(done as u64);
    bar.set_message(what);
}

fn summary(fitted: &Fitted) -> String {
    let mut lines: Vec<_> =
        fitted.warnings.iter().map(|warning| format!("mind: {warning}")).collect();
    lines.push(format!(
        "{:?} of {} labelled pictures ({} groups), shown at {}; {}",
        fitted.kind, fitted.images, fitted.groups, fitted.size, fitted.why
    ));
    lines.push(format!("cross-validated over {} folds by group:", fitted.folds));
    lines.extend(lines_of(&fitted.figures));
    if let Some(test) = &fitted.test {
        lines.push(format!("on the split `{}`, which was kept out:", test.split));
        lines.extend(lines_of(&test.figures));
    }
    lines.join("\n")
}

fn lines_of(figures: &Figures) -> Vec<String> {
    let mut lines = vec![
        format!("  escape {}", rate(figures.escape)),
        format!("  overkill {}", rate(figures.overkill)),
    ];
    if let Some(auroc) = figures.auroc {
        lines.push(format!("  image AUROC {auroc:.4}"));
    }
    if let Some(ap) = figures.pixel_ap {
        lines.push(format!("  pixel AP {ap:.4}"));
    }
    let (accuracy, f1) = (figures.accuracy, figures.macro_f1);
    lines.push(format!("  accuracy {accuracy:.4}, macro F1 {f1:.4}"));
    lines
}
