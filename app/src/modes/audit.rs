//! `sightline audit`: takes a store, gives what was done at the station and by whom, and whether
//! that log is the one that was written.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use domain::{PersonId, Sha256};
use store::{
    Action, AuditFilter, AuditReport, AuditRow, Reader, verify_audit, verify_audit_against,
};

use crate::Ended;
use crate::modes::clips::moment;
use crate::modes::model::aligned;
use crate::modes::{say, say_json};

/// What was done at the station, by whom, and whether the log of it was tampered with.
///
/// Reading works while the station runs. People are told by their pseudonyms; `sightline people`
/// says who they are.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Verify(Verify),
    List(List),
}

/// Compute the chain of the log anew, and hold every label against it.
///
/// Finds entries and labels that were changed, removed, added or exchanged by other means than this
/// software, and an end that was cut off. Who can write the whole folder could make a whole new
/// chain: note the head that is told here elsewhere from time to time, and give it with --noted.
/// Exit code 0: all is as it was written; 1: something is not; 2: there is no store that can be
/// read.
#[derive(clap::Args)]
struct Verify {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// A head that was noted before; some entry must have it.
    #[arg(long, value_name = "SHA256", value_parser = parse_hash)]
    noted: Option<Sha256>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// The entries of the log, the newest last. Times are UTC.
///
/// Exit code 0, also when there are none; 2: there is no store that can be read.
#[derive(clap::Args)]
struct List {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// Only the newest so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
    /// Only entries of this kind: label, `change_limits`, `log_in`, …
    #[arg(long, value_parser = parse_action)]
    action: Option<Action>,
    /// Only what this person did, by their pseudonym.
    #[arg(long, value_name = "PSEUDONYM")]
    person: Option<String>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    match &args.what {
        What::Verify(args) => verify(args),
        What::List(args) => list(args),
    }
}

fn verify(args: &Verify) -> Result<Ended> {
    let report = match args.noted {
        Some(noted) => verify_audit_against(&args.store, noted)?,
        None => verify_audit(&args.store)?,
    };
    if args.json {
        say_json(&report)?;
    } else {
        say(&verified(&report))?;
    }
    Ok(if report.is_sound() { Ended::Done } else { Ended::LimitsNotMet })
}

fn verified(report: &AuditReport) -> String {
    let AuditReport { entries, labels, head, faults } = report;
    let mut lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let sum = format!("{entries} entries, {labels} labels");
    lines.push(match (faults.is_empty(), head) {
        (true, Some(head)) => format!("{sum}: as they were written; head {head}"),
        (true, None) => format!("{sum}: nothing was done yet"),
        (false, Some(head)) => format!("{sum}: NOT as they were written; sound up to {head}"),
        (false, None) => format!("{sum}: NOT as they were written"),
    });
    lines.join("\n")
}

fn list(args: &List) -> Result<Ended> {
    let mut rows = Reader::open(&args.store)?.audit(&AuditFilter {
        action: args.action,
        by: args.person.as_deref().map(PersonId::new),
        limit: args.limit,
        ..AuditFilter::default()
    })?;
    rows.reverse();
    if args.json {
        say_json(&serde_json::json!({ "entries": rows }))?;
    } else if rows.is_empty() {
        say("no entries")?;
    } else {
        say(&table(&rows))?;
    }
    Ok(Ended::Done)
}

fn table(rows: &[AuditRow]) -> String {
    let head = ["SEQ", "TIME (UTC)", "WHO", "ROLE", "ACTION", "DETAIL"].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        [
            row.seq.to_string(),
            moment(row.at),
            row.by.as_ref().map_or("-".to_owned(), ToString::to_string),
            row.role.map_or("-", domain::Role::name).to_owned(),
            row.action.clone(),
            row.detail.to_string(),
        ]
    });
    aligned(0, &std::iter::once(head).chain(lines).collect::<Vec<_>>())
}

fn parse_hash(text: &str) -> Result<Sha256> {
    Sha256::from_hex(text).ok_or_else(|| anyhow!("a hash is 64 hex digits"))
}

fn parse_action(name: &str) -> Result<Action, String> {
    Action::from_name(name).ok_or_else(|| {
        let known = Action::ALL.map(Action::name).join(", ");
        format!("there is no such action; there are {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::AuditFault;

    #[test]
    fn what_is_broken_is_told_before_the_sum() {
        let head = Some("ab".to_owned());
        let sound = AuditReport { entries: 3, labels: 2, head, faults: vec![] };
        assert_eq!(verified(&sound), "3 entries, 2 labels: as they were written; head ab");
        let broken = AuditReport { faults: vec![AuditFault::Changed { seq: 2 }], ..sound };
        let told = verified(&broken);
        assert!(told.starts_with("entry 2 was changed"), "{told}");
        assert!(told.ends_with("NOT as they were written; sound up to ab"), "{told}");
    }
}
