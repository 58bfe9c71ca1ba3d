//! `sightline people`: takes a store, gives who may use its station, and lets people in and out.

mod ask;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use domain::{PersonId, Role};
use serde_json::{Value, json};
use store::{Action, NewEntry, People, Person, Store, StoreError};

use crate::Ended;
use crate::modes::clips::now;
use crate::modes::model::aligned;
use crate::modes::{say, say_json};

/// Who may use the station's screen, and as what.
///
/// Names and PINs stay in the folder people/ of the store, which only its owner may read; the
/// database knows pseudonyms only. Every change is written into the audit log, so it is refused
/// while a station writes the store: use the station's screen then. Exit code 0: done; 2: refused,
/// with why.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db. Made when the first person is added.
    store: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Let somebody use the station. The PIN is asked for, or read from stdin; never an argument.
    Add {
        /// As people call them.
        name: String,
        /// What they may do: operator, quality, engineer; each may do what those before may.
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody use the station no longer. What they did stays, and who they were.
    Remove {
        /// Their pseudonym or name.
        who: String,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Give somebody another PIN. It is asked for, or read from stdin; never an argument.
    Pin {
        /// Their pseudonym or name.
        who: String,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Everybody, also who may no longer use the station.
    List {
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let people = People::of_store(&args.store)?;
    match &args.what {
        What::List { json } => list(&people, *json)?,
        What::Add { name, role, json } => {
            let store = open_to_change(args)?;
            let id = people.add(name, *role, &ask::pin()?)?;
            let detail = json!({ "person": id, "role": role });
            note(&store, Action::AddPerson, detail)?;
            tell(*json, &id, &format!("{} is {id}, {}", name.trim(), role.name()))?;
        }
        What::Remove { who, json } => {
            let store = open_to_change(args)?;
            let person = look_up(&people, who)?;
            people.remove(&person.id)?;
            note(&store, Action::RemovePerson, json!({ "person": person.id }))?;
            tell(*json, &person.id, &format!("{} may not use the station", person.name))?;
        }
        What::Pin { who, json } => {
            let store = open_to_change(args)?;
            let person = look_up(&people, who)?;
            people.set_pin(&person.id, &ask::pin()?)?;
            note(&store, Action::ChangePin, json!({ "person": person.id }))?;
            tell(*json, &person.id, &format!("{} has another PIN", person.name))?;
        }
    }
    Ok(Ended::Done)
}

/// The store, for the audit log; while a line runs it is refused, with what to do.
fn open_to_change(args: &Args) -> Result<Store> {
    Store::create_or_open(&args.store).map_err(|error| match error {
        StoreError::Locked { holder, .. } => anyhow!(
            "{}: {holder} writes this store, so nothing is changed; use the station's screen, or \
             stop the station first",
            args.store.display()
        ),
        error => error.into(),
    })
}

/// Who did it is whoever can use this machine's command line.
fn note(store: &Store, action: Action, mut detail: Value) -> Result<()> {
    detail["from"] = "command line".into();
    let entry = NewEntry { at: now(), by: None, action, detail: &detail };
    Ok(store.labels()?.note(&entry)?)
}

fn tell(as_json: bool, person: &PersonId, text: &str) -> Result<()> {
    if as_json { say_json(&json!({ "person": person })) } else { say(text) }
}

/// Who is meant by a pseudonym or a name.
fn look_up(people: &People, who: &str) -> Result<Person> {
    let known: Vec<Person> = people.list()?.into_iter().filter(|one| one.is_active).collect();
    let names = known.iter().map(|one| format!("{} ({})", one.name, one.id));
    let names = names.collect::<Vec<_>>().join(", ");
    let found = known.into_iter().find(|one| one.id.as_str() == who || one.name == who);
    found.ok_or_else(|| match names.is_empty() {
        true => anyhow!("nobody may use the station yet; add somebody first"),
        false => anyhow!("{who} is nobody who may use the station; there are {names}"),
    })
}

fn list(people: &People, as_json: bool) -> Result<()> {
    let people = people.list()?;
    if as_json {
        return say_json(&json!({ "people": people }));
    }
    if people.is_empty() {
        return say("nobody may use the station yet");
    }
    let head = ["PSEUDONYM", "NAME", "ROLE", ""].map(str::to_owned);
    let rows = people.into_iter().map(|one| {
        let note = if one.is_active { "" } else { "no longer" };
        [one.id.to_string(), one.name, one.role.name().to_owned(), note.to_owned()]
    });
    say(&aligned(0, &std::iter::once(head).chain(rows).collect::<Vec<_>>()))
}

fn parse_role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| {
        let known = Role::ALL.map(Role::name).join(", ");
        format!("there is no such role; there are {known}")
    })
}
