//! What a trained head says of itself: takes what came of a fit, gives the card and words for
//! the manifest.

use std::fmt::Write;

use super::figures::Figures;
use super::{Fitted, Naming};
use crate::fit::features::ORIGIN;
use crate::index::OK;
use crate::kinds::Kind;
use crate::rate::Rate;

/// The command that trains such a head again.
pub(super) fn command(fitted: &Fitted) -> String {
    let index = fitted.index.file_name().unwrap_or_default().to_string_lossy();
    let Fitted { size, seed, .. } = fitted;
    let mut command = format!("sightline model fit --labels {index} --size {size} --seed {seed}");
    if fitted.labels[0] != OK {
        let _ = write!(command, " --good-label {}", fitted.labels[0]);
    }
    if let Some(test) = &fitted.test {
        let _ = write!(command, " --test-split {}", test.split);
    }
    command
}

/// What it was trained on, in a sentence.
pub(super) fn trained_on(fitted: &Fitted) -> String {
    let Fitted { images, groups, labels, .. } = fitted;
    format!("{images} labelled pictures of {groups} groups; labels: {}", labels.join(", "))
}

/// How it was judged, in a sentence.
pub(super) fn split(fitted: &Fitted) -> String {
    format!("cross-validated over {} folds by group, never by picture", fitted.folds)
}

/// The card.
pub(super) fn card(fitted: &Fitted, naming: &Naming) -> String {
    let name = &naming.name;
    let mut card = format!(
        "# {name}\n\nFinds {}, as people labelled them on the station.\n\n\
         **For:** the product, camera and light of the pictures it was trained on. **Not for** \
         others, nor for defects that nobody labelled.\n\n\
         **Data:** {}. `{}` means: labelled so.\n\n{}\n\n**Licence:** {}; the extractor's weights \
         stay under Apache-2.0.\n\n**Split:** {}. Networks were asked about groups that they had \
         not seen; limits were judged on folds that they were not chosen on. The network here was \
         then trained on all of them.\n",
        fitted.labels[1..].join(", "),
        trained_on(fitted),
        fitted.labels[0],
        network(fitted),
        naming.licence,
        split(fitted),
    );
    for warning in &fitted.warnings {
        let _ = write!(card, "\n**Mind:** {warning}.\n");
    }
    card += &limits(fitted);
    let _ = write!(card, "\n## Cross-validated figures\n\n{}", table(&fitted.figures, fitted));
    if let Some(test) = &fitted.test {
        let (split, table) = (&test.split, table(&test.figures, fitted));
        let _ = write!(card, "\n## The split `{split}`, kept out of everything\n\n{table}");
    }
    card += "\nIntervals of rates are Clopper–Pearson and take pictures as independent; pictures \
             of one group are not, so the true uncertainty is larger. That of the AUROC is a \
             bootstrap over groups. Pixels are judged by their cell of 8 × 8 pixels of the \
             input.\n";
    card
}

fn network(fitted: &Fitted) -> String {
    let (kind, head) = match fitted.kind {
        Kind::Segmenter => (
            "Segmenter",
            "a hidden layer of 64 on each cell (strides 4, 8 and 16 at stride 8), trained on cells \
             of defects, good ones at random and then good ones that were mistaken, every class \
             counting the same; probabilities scaled to be as often right as they say",
        ),
        _ => (
            "Classifier",
            "mean and highest of each feature, and multinomial logistic regression, every class \
             counting the same",
        ),
    };
    let mut text = format!(
        "**Network:** {kind}, because {}. {ORIGIN}; shown at {}; on it {head}.",
        fitted.why, fitted.size
    );
    if let Some(((_, alone), others)) = fitted.blends.split_first() {
        let others: Vec<_> =
            others.iter().map(|(blend, auroc)| format!("{auroc:.4} at {blend}")).collect();
        let taken = match fitted.blend {
            0.0 => "cells alone".to_owned(),
            blend => format!("with {blend}"),
        };
        let _ = write!(
            text,
            " What the whole picture looks like can be added to every cell: image AUROC {alone:.4} \
             without it, {}. Taken: {taken}; it counts only where it is clearly better.",
            others.join(", ")
        );
    }
    let _ = write!(text, " Again: `{}`.", command(fitted));
    text
}

fn limits(fitted: &Fitted) -> String {
    let limits = &fitted.limits;
    let mut lines = String::new();
    if let Some((threshold, cells)) = limits.cells() {
        let _ = writeln!(lines, "pixel_threshold = {threshold}\nmin_cells = {cells}");
    }
    format!(
        "\n## Limits\n\nChosen on what was said of groups that were not trained on: where escape \
         plus overkill is least; from `undecided_from` at most 5 % more good pictures are \
         undecided.\n\n```\n{lines}reject_at = {}\nundecided_from = {}\n```\n",
        limits.reject_at, limits.undecided_from
    )
}

fn table(figures: &Figures, fitted: &Fitted) -> String {
    let limits = &fitted.limits;
    let mut rows = vec![
        ("pictures / groups".to_owned(), format!("{} / {}", figures.images, figures.groups)),
        ("image AUROC".to_owned(), apart(figures)),
        ("accuracy over labels".to_owned(), format!("{:.3}", figures.accuracy)),
        ("macro F1 over labels".to_owned(), format!("{:.3}", figures.macro_f1)),
        (format!("escape, rejecting (score ≥ {})", limits.reject_at), rate(figures.escape)),
        ("overkill, rejecting".to_owned(), rate(figures.overkill)),
        (
            format!("escape, rejecting and undecided (score ≥ {})", limits.undecided_from),
            rate(figures.escape_unseen),
        ),
        ("overkill, rejecting and undecided".to_owned(), rate(figures.overkill_stopped)),
    ];
    for class in &figures.classes {
        let label = &class.label;
        let of = format!("{label} ({} pictures, {} groups): rejected", class.images, class.groups);
        rows.push((of, rate(class.caught)));
        rows.push((format!("{label}: rejected as {label}"), rate(class.named)));
    }
    if let (Some(ap), Some(iou)) = (figures.pixel_ap, figures.pixel_iou) {
        rows.push(("pixel AP, any defect".to_owned(), format!("{ap:.3}")));
        rows.push(("pixel IoU at the threshold".to_owned(), format!("{iou:.3}")));
    }
    let rows = rows.iter().map(|(figure, value)| format!("| {figure} | {value} |\n"));
    format!("| figure | value |\n|---|---|\n{}", rows.collect::<String>())
}

fn apart(figures: &Figures) -> String {
    match (figures.auroc, figures.auroc_low95, figures.auroc_high95) {
        (Some(auroc), Some(low), Some(high)) => format!("{auroc:.4} (95 %: {low:.4}–{high:.4})"),
        _ => "not measured".to_owned(),
    }
}

fn rate(rate: Rate) -> String {
    let (Some(share), Some(low), Some(high)) = (rate.rate, rate.low95, rate.high95) else {
        return "not measured".to_owned();
    };
    let [share, low, high] = [share, low, high].map(|share| 100.0 * share);
    format!("{share:.1} % ({} of {}; 95 %: {low:.1}–{high:.1} %)", rate.count, rate.of)
}
