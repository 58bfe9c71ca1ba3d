//! What the screen asks of a store of 100,000 parts, and how long it waits: the queues of parts to
//! label, pages of a search, and all that charts are made of. Goal: 50 ms each.
//!
//! `cargo bench --locked -p sightline-benches --bench store [-- --parts 100000 --keep DIR]`.
//! Filling the store takes about a minute; with `--keep` it is made once and asked again.

mod fill;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use domain::{PartId, PersonId};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::spread::Spread;
use sightline_benches::{Failure, bench};
use store::{AgreementFilter, BinBy, PartSearch, QueueAsk, Reader, RunId, StoreError, VerdictWord};

/// How often each is asked.
const TIMES: usize = 20;
/// A page of the History page, and one more to know whether that is all.
const PAGE: u32 = 241;
const GOAL_MS: f64 = 50.0;

type Question = Box<dyn Fn(&Reader) -> Result<usize, StoreError>>;

fn question(ask: impl Fn(&Reader) -> Result<usize, StoreError> + 'static) -> Question {
    Box::new(ask)
}

fn search(search: PartSearch) -> Question {
    question(move |reader| Ok(reader.search(&search, None, PAGE)?.len()))
}

/// A question, by its name.
type Named = (&'static str, Question);

/// What the pages ask.
fn questions(parts: u64) -> Vec<Named> {
    let mut all = queues();
    all.extend(searches(parts));
    all.extend(charts(parts));
    all
}

fn queues() -> Vec<Named> {
    let asked = |run| QueueAsk { run, limit: 200, ..QueueAsk::default() };
    let due = |share, who: &str| {
        let who = PersonId::new(who);
        question(move |it| Ok(it.second_opinions_due(share, &who, 40)?.len()))
    };
    vec![
        ("what to label next", question(move |it| Ok(it.label_queue(&asked(None))?.len()))),
        ("… of one run", question(move |it| Ok(it.label_queue(&asked(Some(RunId(1))))?.len()))),
        ("second opinions, 5 %", due(0.05, "p-me")),
        ("second opinions, 0.1 %", due(0.001, "p-me")),
        ("second opinions, of who said all", due(0.05, fill::WHO)),
        ("agreement", {
            question(|it| Ok(usize::from(it.agreement(&AgreementFilter::default())?.parts > 0)))
        }),
    ]
}

fn since(part: u64) -> PartSearch {
    PartSearch { from: Some(fill::at(part).wall), ..PartSearch::default() }
}

fn of_class(class: &str) -> PartSearch {
    PartSearch { class: Some(class.to_owned()), ..PartSearch::default() }
}

fn searches(parts: u64) -> Vec<Named> {
    let all = PartSearch::default;
    let hour = parts - parts / 50;
    let verdict = Some(VerdictWord::Undecided);
    let recipe = |name: &str| PartSearch { recipe_name: Some(name.to_owned()), ..all() };
    let labelled = |is| PartSearch { labelled: Some(is), ..all() };
    vec![
        ("search: all", search(all())),
        ("search: page in the middle", {
            let after = Some((RunId(1), PartId(parts / 2)));
            question(move |it| Ok(it.search(&PartSearch::default(), after, PAGE)?.len()))
        }),
        ("search: last hour", search(since(hour))),
        ("search: last days", search(since(0))),
        ("search: first hour", {
            search(PartSearch { to: Some(fill::at(parts / 50).wall), ..all() })
        }),
        ("search: rejected", {
            search(PartSearch { verdict: Some(VerdictWord::Reject), ..all() })
        }),
        ("search: undecided, last hour", search(PartSearch { verdict, ..since(hour) })),
        ("search: scratch", search(of_class("scratch"))),
        ("search: a rare class", search(of_class(fill::RARE))),
        ("search: a class there is none of", search(of_class("none"))),
        ("search: part number", {
            search(PartSearch { number: Some(PartId(parts / 3)), ..all() })
        }),
        ("search: recipe", search(recipe("bracket"))),
        ("search: a recipe there is none of", search(recipe("none"))),
        ("search: labelled", search(labelled(true))),
        ("search: not labelled", search(labelled(false))),
    ]
}

fn charts(parts: u64) -> Vec<Named> {
    let hour = || since(parts - parts / 50);
    let yields = |search: PartSearch, by| question(move |it| Ok(it.yield_by(&search, by)?.len()));
    let pareto = |search: PartSearch| question(move |it| Ok(it.pareto(&search)?.len()));
    let places =
        |search: PartSearch| question(move |it| Ok(it.positions(&search, 24, 16)?.counts.len()));
    let by = |size_s| BinBy::Period(Duration::from_secs(size_s));
    vec![
        ("overview: sums", yields(PartSearch::default(), BinBy::All)),
        ("overview: counts by run", question(|it| Ok(it.runs()?.len()))),
        ("overview: classes", question(|it| Ok(it.classes()?.len()))),
        ("overview: cameras", question(|it| Ok(it.cameras()?.len()))),
        ("p-chart: all", yields(PartSearch::default(), by(3_600))),
        ("p-chart: last hour", yields(hour(), by(300))),
        ("p-chart: scratch", yields(of_class("scratch"), by(3_600))),
        ("Pareto: all", pareto(PartSearch::default())),
        ("Pareto: last hour", pareto(hour())),
        ("heat map: all", places(PartSearch::default())),
        ("heat map: last hour", places(hour())),
    ]
}

fn measure(report: &mut Report) -> Result<(), Failure> {
    let parts: u64 = wish("--parts").map_or(Ok(100_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let folder = wish("--keep").map_or_else(|| dir.path().to_owned(), PathBuf::from);
    let clock = RealClock::start();
    if !folder.join("station.db").exists() {
        fill::fill(&folder, parts)?;
        report.note(format!("filled in {:.0} s", clock.now().as_secs()));
    }
    for (name, ask) in questions(parts) {
        // As the screen has it: opened once, asked again and again.
        let reader = Reader::open(&folder)?;
        let mut found = ask(&reader)?;
        let (mut wall_ms, cpu_before_ms) = (Vec::with_capacity(TIMES), cpu_ms()?);
        for _ in 0..TIMES {
            let start = clock.now();
            found = ask(&reader)?;
            wall_ms.push(clock.now().since(start).as_secs_f64() * 1e3);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few times")]
        let cpu_ms = (cpu_ms()? - cpu_before_ms) / TIMES as f64;
        let wall_ms = Spread::from(wall_ms);
        report.row(vec![
            ("question", json!(name)),
            ("found", json!(found)),
            ("wall_p50_ms", json!(wall_ms.p50())),
            ("wall_max_ms", json!(wall_ms.at(1.0))),
            ("cpu_ms", json!(cpu_ms)),
            ("goal", json!(if cpu_ms < GOAL_MS { "met" } else { "NOT MET" })),
        ]);
    }
    let bytes = fs::metadata(folder.join("station.db"))?.len();
    report.note(format!("{parts} parts; the database has {} MB", bytes / 1_000_000));
    Ok(())
}

/// What follows `name` on the command line.
fn wish(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

/// CPU time of this thread.
fn cpu_ms() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns = text.split_ascii_whitespace().next().ok_or("schedstat is empty")?;
    Ok(ns.parse::<f64>()? / 1e6)
}

fn main() -> ExitCode {
    bench("store", env!("CARGO_TARGET_TMPDIR"), measure)
}
