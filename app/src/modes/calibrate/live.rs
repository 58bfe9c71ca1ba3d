//! todo
use crate::Ended;
use anyhow::Result;
/// x
#[derive(clap::Args)]
pub struct Args {}
pub fn run(_: &Args) -> Result<Ended> {
    Ok(Ended::Done)
}
