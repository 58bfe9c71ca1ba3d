//! What a fitted bundle says of itself: takes the plan and what came of it, gives the card, the
//! recipe and words for the manifest.

use std::fmt::Write;

use super::features::ORIGIN;
use super::{Fitted, Grid, Method, Plan};
use crate::rate::Rate;

/// The command that fits such a model again.
pub(super) fn command(plan: &Plan) -> String {
    let (method, grid) = (method(plan.method), grid(plan.grid));
    let mut command =
        format!("sightline model fit --method {method} --size {} --grid {grid}", plan.size);
    if plan.method == Method::Patchcore {
        let _ = write!(command, " --patches {}", plan.patches);
    }
    let _ = write!(command, " --seed {}", plan.seed);
    command
}

const fn method(method: Method) -> &'static str {
    match method {
        Method::Patchcore => "patchcore",
        Method::Padim => "padim",
    }
}

const fn grid(grid: Grid) -> &'static str {
    match grid {
        Grid::Coarse => "coarse",
        Grid::Fine => "fine",
    }
}

/// What it was fitted to, in a sentence.
pub(super) fn trained_on(fitted: &Fitted) -> String {
    let groups = match fitted.groups {
        0 => String::new(),
        groups => format!(" of {groups} groups"),
    };
    format!("{} good pictures{groups}; no bad one", fitted.good)
}

/// How its limits were tried, in a sentence.
pub(super) fn split(fitted: &Fitted) -> String {
    let by = if fitted.groups == 0 { "runs of neighbouring pictures" } else { "group" };
    format!("limits cross-validated over {} folds by {by}", fitted.folds)
}

/// A recipe to begin with, for a bundle of this name and these limits.
pub(super) fn recipe(name: &str, reject_at: f32, undecided_from: f32) -> String {
    let name = toml::Value::String(name.to_owned());
    format!(
        "# One picture is one part; say under [locate] how parts are found on your line.\n\
         name = {name}\nmodel = \".\"\n\n[locate]\nkind = \"every-frame\"\n\n[limits]\n\
         reject_at = {reject_at}\nundecided_from = {undecided_from}\n\n\
         [record]\nkeep_passed = 0.02\n"
    )
}

/// The card.
pub(super) fn card(plan: &Plan, fitted: &Fitted) -> String {
    let mut card = format!(
        "# {}\n\nFinds what good parts do not have, and marks where. It was never shown what a \
         defect is.\n\n\
         **For:** the product, camera and light of the pictures it was fitted to. **Not for** \
         others: anything new counts as a defect, a new light too.\n\n\
         **Data:** {}.{}\n\n{}\n\n**Split:** {}. {}\n\n## Expected figures\n\n",
        plan.name,
        trained_on(fitted),
        if fitted.bad > 0 {
            format!(" {} bad pictures helped to choose the limits.", fitted.bad)
        } else {
            String::new()
        },
        network(plan, fitted),
        split(fitted),
        "Every figure below is of pictures whose fold neither the memory nor the limits had seen; \
         the model here then was fitted to all folds.",
    );
    card += &figures(fitted);
    card += &histogram(fitted);
    card += &limits_rule(plan, fitted);
    for warning in &fitted.warnings {
        let _ = writeln!(card, "\n**Mind:** {warning}.");
    }
    card
}

fn network(plan: &Plan, fitted: &Fitted) -> String {
    let [rows, columns] = plan.grid.places(plan.size);
    let how = match plan.method {
        Method::Patchcore => format!(
            "the nearest of {} patches of good parts (PatchCore: Roth et al., *Towards Total \
             Recall in Industrial Anomaly Detection*, CVPR 2022, arXiv:2106.08265; chosen by \
             greedy k-centre: Sener and Savarese, ICLR 2018, arXiv:1708.00489; without the paper's \
             re-weighting of scores)",
            fitted.patches.unwrap_or_default()
        ),
        Method::Padim => {
            "good parts at the same place, by Mahalanobis' distance (PaDiM: Defard et \
                          al., *PaDiM: a Patch Distribution Modeling Framework for Anomaly \
                          Detection and Localization*, ICPR 2021, arXiv:2011.08785; covariances \
                          shrunk after Ledoit and Wolf, 2004)"
                .to_owned()
        }
    };
    format!(
        "**Network:** {ORIGIN}; shown at {}, {rows} x {columns} places, each averaged with its \
         neighbours and held against {how}. A picture's score is its highest place{}. Again: \
         `{}`.\n\n**Licence:** {}; the extractor's weights stay under Apache-2.0.",
        plan.size,
        if plan.method == Method::Padim { ", 3 x 3 averaged" } else { "" },
        command(plan),
        plan.licence
    )
}

fn figures(fitted: &Fitted) -> String {
    let errors = &fitted.errors;
    let mut rows = vec![
        (format!("overkill, rejecting (score ≥ {})", fitted.reject_at), rate(errors.overkill)),
        (
            format!("overkill, rejecting and undecided (score ≥ {})", fitted.undecided_from),
            rate(errors.overkill_with_undecided),
        ),
    ];
    if fitted.bad > 0 {
        rows.push(("escape, rejecting".to_owned(), rate(errors.escape)));
        let past = rate(errors.escape_past_undecided);
        rows.push(("escape, rejecting and undecided".to_owned(), past));
    }
    if let Some(auroc) = fitted.auroc {
        rows.push(("image AUROC".to_owned(), format!("{auroc:.4}")));
    }
    let rows = rows.iter().map(|(figure, value)| format!("| {figure} | {value} |\n"));
    format!(
        "| figure | value |\n|---|---|\n{}\nIntervals are Clopper–Pearson and take pictures as \
         independent; pictures of one group are not, so the true uncertainty is larger.\n",
        rows.collect::<String>()
    )
}

/// A rate in words.
pub(super) fn rate(rate: Rate) -> String {
    let percent = |share: Option<f64>| 100.0 * share.unwrap_or_default();
    if rate.of == 0 {
        return "not measured".to_owned();
    }
    format!(
        "{:.1} % ({} of {}; 95 %: {:.1}–{:.1} %)",
        percent(rate.rate),
        rate.count,
        rate.of,
        percent(rate.low95),
        percent(rate.high95)
    )
}

/// Scores as two columns of bars, each scaled to its own highest.
fn histogram(fitted: &Fitted) -> String {
    let mut text =
        "\n## Scores\n\n```\n score      good                           bad\n".to_owned();
    let most = |counts: &[usize; 20]| counts.iter().copied().max().unwrap_or(0).max(1);
    let (most_good, most_bad) = (most(&fitted.good_scores), most(&fitted.bad_scores));
    for (index, (good, bad)) in fitted.good_scores.iter().zip(&fitted.bad_scores).enumerate() {
        let bar = |count: usize, most: usize| "#".repeat((count * 20).div_ceil(most));
        let line = format!(
            "{:>5.2} {:>6} {:<22} {bad:>6} {}",
            index as f32 / 20.0,
            good,
            bar(*good, most_good),
            bar(*bad, most_bad)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text + "```\n"
}

fn limits_rule(plan: &Plan, fitted: &Fitted) -> String {
    let rule = &plan.rule;
    let how = if fitted.bad > 0 {
        format!(
            "`reject_at` is where wrong verdicts cost least: {} for an escape, {} for an overkill, \
             {} % of parts bad.",
            rule.costs.escape,
            rule.costs.overkill,
            100.0 * rule.costs.defect_rate
        )
    } else {
        format!(
            "`reject_at` is what {} % of good parts are expected to reach, the tail of their \
             scores taken as exponential. **How many bad parts escape is not known**: fit with bad \
             pictures, or run `sightline model eval`, before it decides anything.",
            100.0 * rule.overkill
        )
    };
    format!(
        "\n## Limits\n\n{how} From `undecided_from` a further {} % of good parts are expected to \
         be undecided. The middle good part scores 0.25.\n",
        100.0 * rule.undecided
    )
}
