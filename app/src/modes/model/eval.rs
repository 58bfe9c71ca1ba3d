//! `sightline model eval`: takes a bundle and an index of labelled pictures, gives the figures that
//! models are compared by, escape and overkill, and pictures of what went wrong.

pub mod page;
pub mod plots;
pub mod shots;
pub mod table;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use domain::Score;
use models::eval::{Exam, Examiner, Figures, Judged, Outcome, Picture, Rule};
use models::index::Index;
use models::{Bundle, Model, Runtime};
use pipeline::clock::{Clock, RealClock};
use serde::Serialize;

use crate::Ended;
use crate::config;
use crate::modes::{progress, say, say_json};
use crate::report::html::STYLE;

/// Hold a bundle against labelled pictures: AUROC, accuracy, pixels, boxes, escape and overkill.
///
/// Each picture is looked at as a part that fills it. Escape and overkill are those of --limit, or
/// of the recipe.toml in the bundle's folder.
#[derive(clap::Args)]
pub struct Args {
    /// The bundle's folder, the one that holds model.toml.
    bundle: PathBuf,
    /// The labelled pictures: a CSV with file, label, split, mask, boxes, group.
    index: PathBuf,
    /// Only rows of this split.
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Pictures of this score and more are rejected; else as in the recipe.toml beside the bundle.
    #[arg(long, value_name = "SCORE", value_parser = parse_score)]
    limit: Option<Score>,
    /// Folder for eval.json, eval.html, predictions.csv, roc.svg and scores.svg.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads that look at pictures; figures do not depend on it. All cores when not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One JSON object on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

/// Reads a score.
pub fn parse_score(text: &str) -> Result<Score, String> {
    let score = text.parse::<f32>().map_err(|_| "right would be: a number from 0 to 1")?;
    Score::new(score).map_err(|error| error.to_string())
}

/// What `eval.json` holds.
#[derive(Serialize)]
pub struct Report {
    /// The bundle's name.
    pub model: String,
    /// Its hash.
    pub hash: domain::Sha256,
    /// The index, as the user named it.
    pub index: String,
    /// The split, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Pictures with a defect.
    pub bad: u64,
    /// Pictures without.
    pub good: u64,
    /// Physical parts, as far as the index tells.
    pub groups: u64,
    /// Where the limit comes from; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_from: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// How long it took, in seconds.
    pub wall_s: f64,
    /// Threads that looked.
    pub threads: usize,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let model = armed(&args.bundle)?;
    let index = Index::read(&args.index)?.with_good(&model.bundle().manifest().output.good);
    let (rule, limit_from) = rule_for(&args.bundle, args.limit)?;
    let mut examiner = Examiner::new(model, rule);
    let kind = examiner.model().bundle().manifest().kind;
    let exam = Exam::new(&index, args.split.as_deref(), (examiner.labels(), kind))?;
    if let Some(out) = &args.out {
        make_folder(out)?;
    }
    let threads = threads(args.threads);
    let clock = RealClock::start();
    let bar = progress::bar(Some(exam.pictures().len() as u64), args.json);
    let outcome = exam.run(several(&examiner, threads)?, |_, _| bar.inc(1))?;
    bar.finish_and_clear();
    let said = (limit_from, clock.now().as_secs(), threads);
    let report = report_from(args, &examiner, &exam, &outcome, said);
    if let Some(out) = &args.out {
        write_results(out, &report, &mut examiner, &exam, &outcome)?;
    }
    if args.json {
        say_json(&report)?;
    } else {
        say(&table::table(&report))?;
    }
    Ok(Ended::Done)
}

/// The bundle in the folder `bundle`, armed.
pub fn armed(bundle: &Path) -> Result<Model> {
    Ok(Bundle::load(bundle)?.arm(&Runtime::open()?)?)
}

/// As many threads as were asked for, or one a core.
pub fn threads(asked: Option<NonZeroUsize>) -> usize {
    asked.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// One examiner a thread.
pub fn several(examiner: &Examiner, threads: usize) -> Result<Vec<Examiner>> {
    Ok((0..threads).map(|_| examiner.another()).collect::<Result<_, _>>()?)
}

/// The limit that was given, or the recipe beside the bundle; and which of them.
pub fn rule_for(bundle: &Path, limit: Option<Score>) -> Result<(Rule, Option<String>)> {
    if let Some(limit) = limit {
        return Ok((Rule::Limit(limit), Some("--limit".to_owned())));
    }
    let file = bundle.join("recipe.toml");
    if !file.is_file() {
        return Ok((Rule::Unlimited, None));
    }
    let recipe = config::recipe_from_file(&file)?;
    Ok((Rule::Recipe(Arc::new(recipe)), Some(file.display().to_string())))
}

/// Makes the folder for the results.
pub fn make_folder(out: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("{}: the folder can't be made", out.display()))
}

/// Writes `text` into the file `name` of `out`.
pub fn write(out: &Path, name: &str, text: impl AsRef<[u8]>) -> Result<()> {
    let file = out.join(name);
    fs::write(&file, text).with_context(|| format!("{}: can't be written", file.display()))
}

/// An SVG that stood in a page, with the page's style, as a file of its own.
pub fn standing_alone(svg: &str) -> String {
    let svg = svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    svg.replacen('>', &format!("><style>{STYLE} svg{{background:#fff}}</style>"), 1)
}

fn report_from(
    args: &Args,
    examiner: &Examiner,
    exam: &Exam,
    outcome: &Outcome,
    (limit_from, wall_s, threads): (Option<String>, f64, usize),
) -> Report {
    let rows = || exam.pictures().iter().filter_map(|picture| Some(&picture.known.as_ref()?.row));
    let bad = rows().filter(|row| row.is_bad()).count() as u64;
    let groups: std::collections::HashSet<_> = rows().map(|row| &row.group).collect();
    let bundle = examiner.model().bundle();
    Report {
        model: bundle.manifest().name.clone(),
        hash: bundle.hash(),
        index: args.index.display().to_string(),
        split: args.split.clone(),
        bad,
        good: outcome.figures.images - bad,
        groups: groups.len() as u64,
        limit_from,
        figures: outcome.figures.clone(),
        wall_s,
        threads,
    }
}

fn write_results(
    out: &Path,
    report: &Report,
    examiner: &mut Examiner,
    exam: &Exam,
    outcome: &Outcome,
) -> Result<()> {
    write(out, "eval.json", serde_json::to_string_pretty(report)? + "\n")?;
    write(out, "predictions.csv", predictions(examiner, exam, outcome)?)?;
    let curve = outcome.ranking.as_ref().map(|ranking| plots::curve(ranking, &report.figures));
    let scores = plots::scores(exam.pictures().iter().zip(&outcome.judged), examiner.rule());
    for (name, svg) in [("roc.svg", curve.as_ref()), ("scores.svg", Some(&scores))] {
        if let Some(svg) = svg {
            write(out, name, standing_alone(svg))?;
        }
    }
    let plots = page::Plots { curve, scores };
    write(out, "eval.html", page::page(report, &plots, examiner, exam, outcome))
}

fn predictions(examiner: &Examiner, exam: &Exam, outcome: &Outcome) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["file", "label", "score", "predicted"])?;
    let names = examiner.labels().names();
    for (picture, judged) in exam.pictures().iter().zip(&outcome.judged) {
        let (score, predicted) = (judged.score.to_string(), &names[judged.predicted]);
        csv.write_record([&picture.name, &label_of(picture), &score, predicted])?;
    }
    Ok(csv.into_inner()?)
}

/// The label that an index gives a picture; empty when nothing is known of it.
pub fn label_of(picture: &Picture) -> String {
    picture.known.as_ref().map_or_else(String::new, |known| known.row.labels.join("|"))
}

/// A picture and what was said of it.
pub type Answer<'a> = (&'a Picture, &'a Judged);

/// Whether a picture is bad; `None` when nothing is known of it.
pub fn is_bad(picture: &Picture) -> Option<bool> {
    picture.known.as_ref().map(|known| known.row.is_bad())
}
