//! `sightline import`: takes a dataset and a store, gives the dataset's labels to the store's
//! parts.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use domain::{PersonId, Role};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use store::export::Format;
use store::import::{ImportOptions, Imported, import};
use store::{Action, NewEntry, Reader, Store, StoreError};

use super::{progress, say, say_json};
use crate::Ended;

/// Import labels of pictures that the store has.
///
/// A picture is known by its hash, else by the name that `sightline export` gave it, so that a
/// dataset may go through another tool and come back. What does not match is told and nothing is
/// guessed: a picture without marks is good only where the export's manifest says so, or with
/// --empty-is-good. Each label is written as said by the person that --by names, and replaces what
/// that person said of the part before; nothing is lost, the store keeps all labels. Marks that are
/// still those of the export's manifest keep how they were made, others are marked as imported.
///
/// The store must not be in use by a station. Exit code 0: every picture gave a label; 1: some gave
/// none, each is named; 2: nothing could be imported.
#[derive(clap::Args)]
pub struct Args {
    /// The dataset: a folder, or a COCO file.
    dataset: PathBuf,
    /// coco, yolo, yolo-segment or voc.
    #[arg(long, value_parser = super::export::parse_format)]
    format: Format,
    /// The station's store: the folder that holds station.db.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Who says it, by pseudonym.
    #[arg(long, value_name = "PSEUDONYM")]
    by: String,
    /// What they are: operator, quality or engineer.
    #[arg(long, default_value = "quality", value_parser = parse_role)]
    role: Role,
    /// A picture without marks is good.
    #[arg(long)]
    empty_is_good: bool,
    /// A name is enough where the picture itself is another: a tool has written it anew.
    #[arg(long)]
    trust_names: bool,
    /// One JSON object on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    if args.by.trim().is_empty() {
        return Err(anyhow!("--by is empty; right would be the pseudonym of who says it"));
    }
    let clock = RealClock::start();
    let reader = Reader::open(&args.store)?;
    let mut labels = match Store::create_or_open(&args.store) {
        Err(StoreError::Locked { holder, .. }) => {
            let store = args.store.display();
            return Err(anyhow!("{store}: {holder} writes this store; stop the station first"));
        }
        store => store?.labels()?,
    };
    let by = PersonId::new(args.by.trim());
    let options = ImportOptions {
        format: args.format,
        by: &by,
        role: args.role,
        at: clock.wall(),
        empty_is_good: args.empty_is_good,
        trust_names: args.trust_names,
    };
    let bar = progress::bar_of("parts", Some(0), args.json);
    let done = import(&reader, &mut labels, &args.dataset, &options, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let done = done?;
    let detail = json!({
        "format": args.format, "pictures": done.pictures, "labels": done.written,
        "unmatched": done.unmatched.len(),
    });
    let (at, by) = (clock.wall(), Some((&by, args.role)));
    labels.note(&NewEntry { at, by, action: Action::Import, detail: &detail })?;
    if args.json {
        say_json(&done)?;
    } else {
        say(&text(&done))?;
    }
    let is_all = done.unmatched.is_empty() && done.told.is_empty();
    Ok(if is_all { Ended::Done } else { Ended::LimitsNotMet })
}

fn text(done: &Imported) -> String {
    let mut lines: Vec<_> = done.told.clone();
    lines.extend(done.unmatched.iter().map(ToString::to_string));
    lines.push(format!(
        "{} pictures: {} labels written, {} good and {} bad; {} parts were labelled so already; \
         {} pictures gave none",
        done.pictures,
        done.written,
        done.good,
        done.bad,
        done.unchanged,
        done.unmatched.len(),
    ));
    lines.join("\n")
}

fn parse_role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| {
        format!("there is no such role; there are {}", Role::ALL.map(Role::name).join(", "))
    })
}
