//! `sightline calibrate grr`: takes measured values, gives gauge R&R, a type-1 study, or a process'
//! capability.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use calibration::grr::{
    Component, Fitness, LEAST_CAPABLE, Settings, Study, Type1Convention, capability, type1,
};
use serde_json::json;

use crate::Ended;
use crate::modes::{say, say_json};

/// Whether what is measured can be relied on.
///
/// A crossed study (parts x operators x trials): a CSV of `part,operator,trial,value`; %GRR by
/// ANOVA and by averages and ranges (AIAG MSA, 4th edition). With --reference a type-1 study of one
/// part presented again and again (a value a line): Cg and Cgk (Bosch booklet 10). With --process
/// the capability of values in the order in which parts were made: Cp and Cpk (AIAG SPC).
/// Exit codes: 0 fit; 1 not (%GRR above 30, or Cg, Cgk, Cpk below 1.33).
#[derive(clap::Args)]
pub struct Args {
    /// The values.
    values: PathBuf,
    /// Upper less lower limit of what is measured.
    #[arg(long)]
    tolerance: Option<f64>,
    /// Type-1 study: the part's true value. Needs --tolerance.
    #[arg(long, requires = "tolerance", conflicts_with = "process")]
    reference: Option<f64>,
    /// Capability of a process: `LOWER,UPPER`; either may be left empty.
    #[arg(long, value_name = "LOWER,UPPER", allow_hyphen_values = true)]
    process: Option<String>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Ended> {
    match (args.reference, &args.process) {
        (Some(reference), _) => repeat(args, reference),
        (None, Some(limits)) => process(args, limits),
        (None, None) => crossed(args),
    }
}

fn crossed(args: &Args) -> Result<Ended> {
    let path = args.values.display();
    let text = fs::read_to_string(&args.values).with_context(|| path.to_string())?;
    let study = Study::from_csv(&text).with_context(|| path.to_string())?;
    let settings = Settings { tolerance: args.tolerance, ..Settings::default() };
    let anova = study.anova(&settings).with_context(|| path.to_string())?;
    // There are no constants for every size of study.
    let ranges = study.average_and_range(&settings).ok();
    let fitness = anova.shares.fitness();
    if args.json {
        let method = |shares| json!({"shares": shares});
        say_json(&json!({"fitness": fitness, "anova": anova,
            "average_and_range": ranges.map(|of| method(of.shares))}))?;
    } else {
        let shares = &anova.shares;
        let row = |name: &str, of: &Component| {
            let tolerance = of.tolerance_percent.map_or(String::new(), |it| format!("{it:9.1}"));
            format!("{name:<17} {:12.5} {:9.1}{tolerance}", of.std, of.study_percent)
        };
        let mut lines = vec![
            format!(
                "{:<17} {:>12} {:>9}{}",
                "",
                "std",
                "% study",
                match args.tolerance {
                    Some(_) => "    % tol",
                    None => "",
                }
            ),
            row("repeatability EV", &shares.repeatability),
            row("reproducib. AV", &shares.reproducibility),
            row("GRR", &shares.grr),
            row("parts PV", &shares.parts),
            row("total TV", &shares.total),
            format!("ndc               {:12}", shares.ndc),
        ];
        if let Some(of) = &ranges {
            let grr = of.shares.grr.study_percent;
            lines.push(format!("by averages and ranges: {grr:.1} % of the study"));
        }
        lines.push(match fitness {
            Fitness::Good => "below 10 %: good".to_owned(),
            Fitness::Marginal => "10 to 30 %: may do, with a reason".to_owned(),
            Fitness::Unfit => "above 30 %: not fit".to_owned(),
        });
        say(&lines.join("\n"))?;
    }
    Ok(if fitness == Fitness::Unfit { Ended::LimitsNotMet } else { Ended::Done })
}

fn repeat(args: &Args, reference: f64) -> Result<Ended> {
    let tolerance = args.tolerance.unwrap_or(f64::NAN);
    let study = type1(&numbers(&args.values)?, reference, tolerance, Type1Convention::default())?;
    if args.json {
        say_json(&study)?;
    } else {
        say(&format!(
            "mean  {:.5} ({:+.5} from the reference, p {:.3})\nstd   {:.5} over {}\nCg    {:.2}\n\
             Cgk   {:.2}",
            study.mean, study.bias, study.bias_p, study.std, study.count, study.cg, study.cgk
        ))?;
    }
    Ok(ended(study.cg.min(study.cgk)))
}

fn process(args: &Args, limits: &str) -> Result<Ended> {
    let Some((lower, upper)) = limits.split_once(',') else { bail!("--process: LOWER,UPPER") };
    let limit = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| anyhow!("--process: `{text}` is no number")),
    };
    let of = capability(&numbers(&args.values)?, limit(lower)?, limit(upper)?)?;
    if args.json {
        say_json(&of)?;
    } else {
        let optional = |value: Option<f64>| value.map_or("–".to_owned(), |it| format!("{it:.2}"));
        say(&format!(
            "mean  {:.5} over {}\nstd   {:.5} from one to the next, {:.5} of all\nCp    {}\nCpk   \
             {:.2}\nPp    {}\nPpk   {:.2}",
            of.mean,
            of.count,
            of.std_within,
            of.std_overall,
            optional(of.cp),
            of.cpk,
            optional(of.pp),
            of.ppk
        ))?;
    }
    Ok(ended(of.cpk))
}

fn ended(least: f64) -> Ended {
    if least >= LEAST_CAPABLE { Ended::Done } else { Ended::LimitsNotMet }
}

fn numbers(path: &Path) -> Result<Vec<f64>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let number = |(at, line): (usize, &str)| {
        let value = line.trim().parse();
        value.map_err(|_| anyhow!("{}:{}: `{line}` is no number", path.display(), at + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(number).collect()
}
