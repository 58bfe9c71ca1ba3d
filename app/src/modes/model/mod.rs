//! `sightline model`: model bundles, from an ONNX file to a proven one. A file a command.

mod bench;
mod compile;
mod diff;
mod eval;
mod fit;
mod import;
mod quantize;
mod show;
mod table;
mod verify;

pub use table::aligned;

use anyhow::Result;
use clap::Subcommand;
use domain::Provider;

use crate::Ended;

/// Model bundles: import, fit, prove, compare.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Bench(bench::Args),
    Compile(compile::Args),
    Diff(diff::Args),
    Eval(eval::Args),
    Fit(fit::Args),
    Import(import::Args),
    Quantize(quantize::Args),
    Show(show::Args),
    Verify(verify::Args),
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    match &args.what {
        What::Bench(args) => bench::run(args),
        What::Compile(args) => compile::run(args),
        What::Diff(args) => diff::run(args),
        What::Eval(args) => eval::run(args),
        What::Fit(args) => fit::run(args),
        What::Import(args) => import::run(args),
        What::Quantize(args) => quantize::run(args),
        What::Show(args) => show::run(args),
        What::Verify(args) => verify::run(args),
    }
}

/// Reads the name of an execution provider.
fn parse_provider(name: &str) -> Result<Provider, String> {
    Provider::from_name(name).ok_or_else(|| {
        let known = Provider::ALL.map(Provider::name).join(", ");
        format!("there is no such provider; there are {known}")
    })
}
