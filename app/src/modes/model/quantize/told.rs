//! What is told of a quantisation: to people as text, to scripts as JSON, and on the card.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use domain::{CheckedRecipe, Sha256};
use models::quantize::{
    Allowed, Comparison, Kept, Labelled, Layout, Made, Method, Side, Target, int8_instructions,
};
use models::rate::Rate;
use models::{Bundle, Model};
use serde::Serialize;

use super::{Args, compared};

/// Runs of each network on the golden samples, for the clock's sake.
const RUNS: usize = 30;

/// What came of it.
#[derive(Serialize)]
pub struct Told {
    name: String,
    bundle: PathBuf,
    quantized_from: Sha256,
    out: PathBuf,
    target: Target,
    /// Whether the new bundle is there.
    pub written: bool,
    /// Its hash, when it is there.
    pub hash: Option<Sha256>,
    /// Why it should not be used, a sentence each.
    pub refused: Vec<String>,
    calibration_pictures: usize,
    nodes_put: usize,
    nodes_kept: Vec<Kept>,
    size_bytes: Sizes,
    /// Fast 8-bit instructions of this machine.
    int8_instructions: Option<&'static str>,
    /// Median time of a run of the quantised network, of the float one's; on this machine.
    time_ratio: Option<f64>,
    /// On the golden samples.
    golden: Option<Comparison>,
    golden_tolerance: f32,
    /// On the labelled pictures.
    check: Option<Comparison>,
    check_index: Option<PathBuf>,
    check_split: Option<String>,
    reject_at: Option<f32>,
    allowed: Allowed,
}

#[derive(Serialize)]
struct Sizes {
    float: usize,
    quantized: usize,
}

impl Told {
    pub fn new(bundle: &Bundle, args: &Args, target: Target, made: &Made, shown: usize) -> Self {
        let onnx = args.bundle.join(&bundle.manifest().file.onnx);
        let float = std::fs::metadata(onnx).map_or(0, |file| file.len());
        Self {
            name: bundle.manifest().name.clone(),
            bundle: args.bundle.clone(),
            quantized_from: bundle.hash(),
            out: args.out.clone(),
            target,
            written: false,
            hash: None,
            refused: Vec::new(),
            calibration_pictures: shown,
            nodes_put: made.put,
            nodes_kept: made.kept.clone(),
            size_bytes: Sizes {
                float: usize::try_from(float).unwrap_or(usize::MAX),
                quantized: made.onnx.len(),
            },
            int8_instructions: int8_instructions(),
            time_ratio: None,
            golden: None,
            golden_tolerance: args.tolerance(),
            check: None,
            check_index: args.check.clone(),
            check_split: args.split.clone(),
            reject_at: None,
            allowed: args.allowed(),
        }
    }

    /// Takes times and differences on the golden samples.
    pub fn measured(
        &mut self,
        float: &mut Model,
        quantized: &mut Model,
        golden: &[Labelled],
        recipe: &CheckedRecipe,
    ) -> Result<()> {
        let repeats = RUNS.div_ceil(golden.len().max(1));
        let made = compared([float, quantized], golden, recipe, repeats)?;
        self.time_ratio = ratio(&made);
        self.golden = Some(made);
        Ok(())
    }

    /// Has both decide on labelled pictures, and refuses what is worse than `allowed`.
    pub fn checked(
        &mut self,
        float: &mut Model,
        quantized: &mut Model,
        pictures: &[Labelled],
        recipe: &CheckedRecipe,
        allowed: &Allowed,
    ) -> Result<()> {
        let made = compared([float, quantized], pictures, recipe, 1)?;
        self.refused.extend(made.refused(allowed));
        self.reject_at = Some(recipe.default_limits().reject_at.get());
        // More pictures, more times.
        self.time_ratio = ratio(&made).or(self.time_ratio);
        self.check = Some(made);
        Ok(())
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.name, self.heading());
        for kept in &self.nodes_kept {
            let _ = writeln!(text, "  in 32-bit floats: {} ({}): {}", kept.node, kept.op, kept.why);
        }
        if self.golden.is_some() {
            let _ = write!(text, "\n{}\n{}\n", self.table(), self.sentences());
        }
        for refused in &self.refused {
            let _ = writeln!(text, "REFUSED: {refused}");
        }
        let hash = self.hash.map(|hash| hash.short().to_string()).unwrap_or_default();
        let _ = match (self.written, self.refused.is_empty()) {
            (true, true) => write!(text, "{}: bundle {hash}", self.out.display()),
            (true, false) => {
                write!(text, "{}: bundle {hash}, left because of --force", self.out.display())
            }
            (false, _) => write!(text, "{}: not written", self.out.display()),
        };
        text
    }

    /// A section of the card, in Markdown.
    pub fn card(&self) -> String {
        let mut card = format!(
            "## Quantised\n\nMade from the bundle `{}`: {}.\n\n{}\n{}",
            self.quantized_from.short(),
            self.heading(),
            self.table(),
            self.sentences()
        );
        for refused in &self.refused {
            let _ = writeln!(card, "\n**Refused, and left by force:** {refused}.");
        }
        card
    }

    fn heading(&self) -> String {
        format!(
            "{}; {} nodes put, {} with weights left in 32-bit floats",
            how(&self.target, self.calibration_pictures),
            self.nodes_put,
            self.nodes_kept.len()
        )
    }

    fn table(&self) -> String {
        let mut rows = vec![["figure", "float", "quantised"].map(str::to_owned)];
        rows.push(["---"; 3].map(str::to_owned));
        let Sizes { float, quantized } = self.size_bytes;
        let share = quantized as f64 / float.max(1) as f64;
        rows.push([
            "network".into(),
            format!("{} bytes", float),
            format!("{quantized} bytes (× {share:.2})"),
        ]);
        let best = self.check.as_ref().or(self.golden.as_ref());
        if let Some(made) = best {
            let ms =
                |side: &Side| side.median_ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
            let ratio = self.time_ratio.map_or_else(String::new, |r| format!(" (× {r:.2})"));
            let after = format!("{}{ratio}", ms(&made.quantized));
            rows.push(["one run, median".into(), ms(&made.float), after]);
        }
        if let Some(made) = &self.check {
            let row = |name: &str, of: &dyn Fn(&Side) -> String| {
                [name.to_owned(), of(&made.float), of(&made.quantized)]
            };
            rows.push(row("escape", &|side| in_words(&side.escape)));
            rows.push(row("overkill", &|side| in_words(&side.overkill)));
            rows.push(row("undecided", &|side| side.undecided.to_string()));
            rows.push(row("image AUROC", &|side| {
                side.auroc.map_or_else(|| "not measured".to_owned(), |auroc| format!("{auroc:.4}"))
            }));
        }
        rows.iter().fold(String::new(), |text, [name, float, quantized]| {
            text + &format!("| {name} | {float} | {quantized} |\n")
        })
    }

    fn sentences(&self) -> String {
        let mut said = String::new();
        if let Some(golden) = &self.golden {
            let _ = writeln!(
                said,
                "Golden samples: scores differ by at most {:.4} ({} is tolerated).",
                golden.score_difference_max, self.golden_tolerance
            );
        }
        if let (Some(made), Some(limit)) = (&self.check, self.reject_at) {
            let of = self.check_split.as_ref().map_or(String::new(), |s| format!(" of `{s}`"));
            let _ = writeln!(
                said,
                "{} labelled pictures{of}, rejected from {limit}: scores differ by at most {:.4}, \
                 {:.4} on average; {} of {} gate signals changed.",
                made.pictures,
                made.score_difference_max,
                made.score_difference_mean,
                made.verdicts_changed.count,
                made.verdicts_changed.of
            );
            for (files, word) in
                [(&made.newly_escaped, "newly escaped"), (&made.newly_rejected, "newly rejected")]
            {
                for file in files {
                    let file = file.file_name().unwrap_or_default().to_string_lossy();
                    let _ = writeln!(said, "{word}: `{file}`");
                }
            }
        } else {
            said.push_str(
                "NOT CHECKED on labelled pictures: what it costs in escape and overkill is not \
                 known (--check).\n",
            );
        }
        let _ = writeln!(said, "{}", self.about_time());
        said
    }

    /// What the times mean, which depends on the machine more than on the network.
    fn about_time(&self) -> String {
        let measured = "Times are of this machine, one thread";
        match (&self.target, self.int8_instructions) {
            (Target::Fp16, _) => format!(
                "{measured}. Processors compute 16-bit floats in 32 bits and gain nothing; scores \
                 here show the rounding of the weights. Verify the bundle where it is to run."
            ),
            (Target::Int8(_), Some(name)) => format!(
                "{measured}, which has {name}; without such instructions int8 is as a rule slower \
                 than float."
            ),
            (Target::Int8(_), None) => format!(
                "{measured}, which has no VNNI or dot product: int8 is as a rule SLOWER than float \
                 here. Measure where it is to run."
            ),
        }
    }
}

fn ratio(made: &Comparison) -> Option<f64> {
    Some(made.quantized.median_ms? / made.float.median_ms?)
}

/// How a network was made smaller, in words.
pub fn how(target: &Target, pictures: usize) -> String {
    match target {
        Target::Fp16 => "fp16; 32-bit floats in and out".to_owned(),
        Target::Int8(how) => {
            let layout = match how.layout {
                Layout::Cpu => "cpu",
                Layout::Tensorrt => "TensorRT",
            };
            let ranges = match how.method {
                Method::Minmax => "all values".to_owned(),
                Method::Percentile(percentile) => format!("{percentile} % of the values"),
            };
            let bits = how.weight_bits;
            format!(
                "int8 for {layout}, {bits}-bit weights by channel, ranges of {ranges} on \
                 {pictures} pictures"
            )
        }
    }
}

/// `3 of 48, 6.25 % (1.3 to 17.2 %)`.
fn in_words(rate: &Rate) -> String {
    let (Some(value), Some(low), Some(high)) = (rate.rate, rate.low95, rate.high95) else {
        return "not measured".to_owned();
    };
    let [value, low, high] = [value, low, high].map(|share| share * 100.0);
    format!("{} of {}, {value:.1} % (95 %: {low:.1} to {high:.1} %)", rate.count, rate.of)
}
