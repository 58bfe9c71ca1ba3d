//! `sightline model diff`: takes two bundles and pictures, gives how far they agree, and the
//! pictures on which they don't.

mod page;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use domain::{Score, Sha256};
use models::eval::{
    Confusion, Examiner, Judged, McNemar, Picture, Said, in_order, pictures_from_folder,
    pictures_from_index,
};
use models::index::Index;
use models::rate::Rate;
use pipeline::clock::{Clock, RealClock};
use serde::Serialize;

use super::eval;
use super::eval::table::rate_in_words;
use super::eval::{is_bad, label_of, plots};
use crate::Ended;
use crate::modes::{progress, say, say_json};

/// Where two bundles disagree, as pictures: before a new model takes over from the old one.
///
/// Both look at the same pictures, each by its own recipe.toml, or by --limit. Exit codes: 0 done;
/// 1 they disagree on more than --fail-on allows; 2 bad input or environment.
#[derive(clap::Args)]
pub struct Args {
    /// The one bundle's folder, for example that of the model in use.
    a: PathBuf,
    /// The other bundle's folder.
    b: PathBuf,
    /// A folder of pictures, or an index.csv of labelled ones.
    #[arg(long, value_name = "DIR|INDEX.csv")]
    on: PathBuf,
    /// Only rows of this split of an index.csv.
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Pictures of this score and more are rejected, by both; else as in each recipe.toml.
    #[arg(long, value_name = "SCORE", value_parser = eval::parse_score)]
    limit: Option<Score>,
    /// Folder for diff.json, diff.html, diff.csv and scatter.svg.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The most that makes the exit code 0: `disagree=0.01`.
    #[arg(long, value_name = "LIMIT", value_parser = parse_disagree)]
    fail_on: Option<f64>,
    /// Threads that look at pictures. All cores when not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// One JSON object on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

fn parse_disagree(text: &str) -> Result<f64, String> {
    let right = "right would be: `disagree=` and a rate from 0 to 1";
    let rate = text.strip_prefix("disagree=").ok_or(right)?;
    let rate = rate.parse::<f64>().map_err(|_| right)?;
    if (0.0..=1.0).contains(&rate) { Ok(rate) } else { Err(right.to_owned()) }
}

/// One of the two.
#[derive(Serialize)]
struct Side {
    model: String,
    hash: Sha256,
    /// Absent when there is none: then what the model calls defective is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_from: Option<String>,
    /// Absent when nothing is known of the pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    escape: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overkill: Option<Rate>,
}

/// A picture on which the two give other verdicts.
#[derive(Serialize)]
struct Apart {
    file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    score_a: f32,
    verdict_a: &'static str,
    score_b: f32,
    verdict_b: &'static str,
}

/// What `diff.json` holds.
#[derive(Serialize)]
struct Report {
    on: String,
    images: u64,
    a: Side,
    b: Side,
    /// Pictures with another verdict, of all.
    disagree: Rate,
    /// Of the verdicts; absent where both say the same of everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    kappa: Option<f64>,
    /// Verdicts of a down, of b across.
    verdicts: Confusion,
    /// Absent when nothing is known of the pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    mcnemar: Option<McNemar>,
    /// Pictures with another verdict, farthest apart first.
    disagreements: Vec<Apart>,
    wall_s: f64,
}

/// A picture and what each says of it.
struct Pair {
    picture: Picture,
    a: Judged,
    b: Judged,
}

impl Pair {
    fn differs(&self) -> bool {
        self.a.said != self.b.said
    }

    fn distance(&self) -> f32 {
        (self.a.score - self.b.score).abs()
    }
}

/// Whether a verdict on a picture of known truth is right; an undecided one never is.
fn is_right(said: Said, is_bad: bool) -> bool {
    said == if is_bad { Said::Reject } else { Said::Pass }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let [(mut a, from_a), (mut b, from_b)] = [examiner(&args.a, args)?, examiner(&args.b, args)?];
    let pictures = pictures(args, &a.model().bundle().manifest().output.good)?;
    if let Some(out) = &args.out {
        eval::make_folder(out)?;
    }
    let threads = eval::threads(args.threads);
    let both = eval::several(&a, threads)?.into_iter().zip(eval::several(&b, threads)?);
    let clock = RealClock::start();
    let bar = progress::bar(Some(pictures.len() as u64), args.json);
    let mut pairs = Vec::with_capacity(pictures.len());
    in_order(
        both.collect(),
        &pictures,
        |(a, b), picture| Ok((a.look_at(picture)?, b.look_at(picture)?)),
        |picture, (a, b)| {
            bar.inc(1);
            pairs.push(Pair { picture: picture.clone(), a, b });
        },
    )?;
    bar.finish_and_clear();
    // Equal distances stay in the order of the pictures.
    pairs.sort_by(|x, y| y.distance().total_cmp(&x.distance()));
    let sides =
        [side(&a, from_a, &pairs, |pair| &pair.a), side(&b, from_b, &pairs, |pair| &pair.b)];
    let report = report_from(&args.on, sides, &pairs, clock.now().as_secs());
    if let Some(out) = &args.out {
        write_results(out, &report, (&mut a, &mut b), &pairs)?;
    }
    if args.json {
        say_json(&report)?
    } else {
        say(&table(&report))?
    }
    let is_kept = args.fail_on.is_none_or(|limit| report.disagree.rate.is_some_and(|r| r <= limit));
    Ok(if is_kept { Ended::Done } else { Ended::LimitsNotMet })
}

/// `good` is what the first model calls good ones.
fn pictures(args: &Args, good: &str) -> Result<Vec<Picture>> {
    if args.on.is_dir() {
        if args.split.is_some() {
            bail!("--split is for an index.csv; {} is a folder", args.on.display());
        }
        return Ok(pictures_from_folder(&args.on)?);
    }
    Ok(pictures_from_index(&Index::read(&args.on)?.with_good(good), args.split.as_deref())?)
}

fn examiner(bundle: &Path, args: &Args) -> Result<(Examiner, Option<String>)> {
    let (rule, from) = eval::rule_for(bundle, args.limit)?;
    Ok((Examiner::new(eval::armed(bundle)?, rule), from))
}

fn side(
    examiner: &Examiner,
    limit_from: Option<String>,
    pairs: &[Pair],
    judged: impl Fn(&Pair) -> &Judged,
) -> Side {
    let bundle = examiner.model().bundle();
    let missed = |bad: bool| {
        let of = || pairs.iter().filter(move |pair| is_bad(&pair.picture) == Some(bad));
        let wrong = of().filter(|pair| (judged(pair).said == Said::Reject) != bad).count();
        Rate::new(wrong as u64, of().count() as u64)
    };
    let is_known = pairs.iter().any(|pair| pair.picture.known.is_some());
    Side {
        model: bundle.manifest().name.clone(),
        hash: bundle.hash(),
        limit: examiner.rule().limits().map(|limits| limits.reject_at.get()),
        limit_from,
        escape: is_known.then(|| missed(true)),
        overkill: is_known.then(|| missed(false)),
    }
}

fn report_from(on: &Path, [a, b]: [Side; 2], pairs: &[Pair], wall_s: f64) -> Report {
    let words = [Said::Pass, Said::Undecided, Said::Reject];
    let place = |said| words.iter().position(|word| *word == said).unwrap_or(0);
    let verdicts = Confusion::new(
        words.map(|said| said.word().to_owned()).to_vec(),
        pairs.iter().map(|pair| (place(pair.a.said), place(pair.b.said))),
    );
    let differ = || pairs.iter().filter(|pair| pair.differs());
    let apart = |pair: &Pair| Apart {
        file: pair.picture.name.clone(),
        label: label_of(&pair.picture),
        score_a: pair.a.score,
        verdict_a: pair.a.said.word(),
        score_b: pair.b.score,
        verdict_b: pair.b.said.word(),
    };
    Report {
        on: on.display().to_string(),
        images: pairs.len() as u64,
        a,
        b,
        disagree: Rate::new(differ().count() as u64, pairs.len() as u64),
        kappa: verdicts.kappa(),
        verdicts,
        mcnemar: mcnemar(pairs),
        disagreements: differ().map(apart).collect(),
        wall_s,
    }
}

fn mcnemar(pairs: &[Pair]) -> Option<McNemar> {
    let right: Vec<_> = pairs
        .iter()
        .filter_map(|pair| {
            let is_bad = is_bad(&pair.picture)?;
            Some((is_right(pair.a.said, is_bad), is_right(pair.b.said, is_bad)))
        })
        .collect();
    let only = |wanted| right.iter().filter(|right| **right == wanted).count() as u64;
    (!right.is_empty()).then(|| McNemar::new(only((true, false)), only((false, true))))
}

fn write_results(
    out: &Path,
    report: &Report,
    examiners: (&mut Examiner, &mut Examiner),
    pairs: &[Pair],
) -> Result<()> {
    eval::write(out, "diff.json", serde_json::to_string_pretty(report)? + "\n")?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["file", "label", "score_a", "verdict_a", "score_b", "verdict_b"])?;
    for pair in pairs {
        let (a, b) = (&pair.a, &pair.b);
        let label = label_of(&pair.picture);
        let scores = [a, b].map(|judged| judged.score.to_string());
        csv.write_record([
            &*pair.picture.name,
            &*label,
            &*scores[0],
            a.said.word(),
            &*scores[1],
            b.said.word(),
        ])?;
    }
    eval::write(out, "diff.csv", csv.into_inner()?)?;
    let scatter = scatter(report, pairs);
    eval::write(out, "scatter.svg", eval::standing_alone(&scatter))?;
    eval::write(out, "diff.html", page::page(report, &scatter, examiners, pairs))
}

fn scatter(report: &Report, pairs: &[Pair]) -> String {
    let dots: Vec<_> = pairs
        .iter()
        .map(|pair| plots::Dot {
            x: pair.a.score.into(),
            y: pair.b.score.into(),
            differs: pair.differs(),
            name: &pair.picture.name,
        })
        .collect();
    let names = [("a", &report.a), ("b", &report.b)]
        .map(|(name, side)| format!("score of {name}, {} {}", side.model, side.hash.short()));
    plots::scatter(&dots, (&names[0], &names[1]), (report.a.limit, report.b.limit))
}

fn table(report: &Report) -> String {
    let mut lines = vec![format!("{} pictures of {}", report.images, report.on)];
    for (name, side) in [("a", &report.a), ("b", &report.b)] {
        let limit = match (&side.limit, &side.limit_from) {
            (Some(limit), Some(from)) => format!("rejects from {limit} ({from})"),
            _ => "no limit: what it calls defective is rejected".to_owned(),
        };
        lines.push(format!("{name}  {} {} · {limit}", side.model, side.hash.short()));
        let rates = [("escape", side.escape), ("overkill", side.overkill)];
        lines.extend(rates.iter().filter_map(|(name, rate)| {
            Some(format!("   {name:<9} {}", rate_in_words(rate.as_ref()?)))
        }));
    }
    lines.push(String::new());
    lines.push(format!("{:<12} {}", "disagree", rate_in_words(&report.disagree)));
    let kappa = report.kappa.map_or("none: one verdict for all".to_owned(), |k| format!("{k:.4}"));
    lines.push(format!("{:<12} {kappa}", "kappa"));
    lines.extend(
        report.mcnemar.map(|test| format!("{:<12} {}", "McNemar", mcnemar_in_words(&test))),
    );
    for apart in report.disagreements.iter().take(10) {
        lines.push(format!(
            "  {:.4} {:<9} {:.4} {:<9} {} {}",
            apart.score_a, apart.verdict_a, apart.score_b, apart.verdict_b, apart.file, apart.label
        ));
    }
    let more = report.disagreements.len().saturating_sub(10);
    lines.extend((more > 0).then(|| format!("  and {more} more")));
    lines.push(format!("{:.1} s", report.wall_s));
    lines.join("\n")
}

fn mcnemar_in_words(test: &McNemar) -> String {
    format!(
        "only a right {}, only b right {}; p = {:.4}{}",
        test.only_first_right,
        test.only_second_right,
        test.p,
        if test.p < 0.05 { "" } else { ": no difference shown" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_differ_is_a_rate() {
        assert_eq!(parse_disagree("disagree=0.01"), Ok(0.01));
        for text in ["", "disagree", "disagree=", "disagree=2", "disagree=NaN", "agree=0.5"] {
            assert!(parse_disagree(text).unwrap_err().contains("disagree="), "{text}");
        }
    }

    #[test]
    fn undecided_is_never_right() {
        assert!(is_right(Said::Reject, true) && is_right(Said::Pass, false));
        assert!(!is_right(Said::Undecided, true) && !is_right(Said::Undecided, false));
    }
}
