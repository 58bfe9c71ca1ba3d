//! What the screen asks of a store of 100,000 parts, and how long it waits: the queues of parts to
//! label, pages of a search, and all that charts are made of. Goal: 50 ms each.
//!
//! `cargo bench --locked -p sightline-benches --bench store [-- --parts 100000 --keep DIR]`. Filling
//! the store takes about a minute; with `--keep` it is made once and asked again.

mod fill;

use std::fs;
use std::time::Instant;
use std::path::PathBuf;
use std::time::Duration;

use domain::{PartId, PersonId};
type Failure = Box<dyn std::error::Error + Send + Sync>;
extern crate sightline_store as store;
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

/// What the pages ask, by name.
fn questions(parts: u64) -> Vec<(&'static str, Question)> {
    let all = PartSearch::default;
    let me = PersonId::new("p-me");
    let since = |parts| PartSearch { from: Some(fill::at(parts).wall), ..all() };
    let class = |class: &str| PartSearch { class: Some(class.to_owned()), ..all() };
    let of = |verdict| PartSearch { verdict: Some(verdict), ..all() };
    let recipe = |name: &str| PartSearch { recipe_name: Some(name.to_owned()), ..all() };
    let labelled = |is| PartSearch { labelled: Some(is), ..all() };
    let by = |size_s| BinBy::Period(Duration::from_secs(size_s));
    let hour = since(parts - parts / 50);
    let (hour_yield, hour_pareto, hour_places) = (hour.clone(), hour.clone(), hour.clone());
    let asked = |run| QueueAsk { run, limit: 200, ..QueueAsk::default() };
    vec![
        ("what to label next", question(move |it| Ok(it.label_queue(&asked(None))?.len()))),
        ("… of one run", question(move |it| Ok(it.label_queue(&asked(Some(RunId(1))))?.len()))),
        ("second opinions, 5 %", {
            let me = me.clone();
            question(move |it| Ok(it.second_opinions_due(0.05, &me, 40)?.len()))
        }),
        ("second opinions, 0.1 %", {
            let me = me.clone();
            question(move |it| Ok(it.second_opinions_due(0.001, &me, 40)?.len()))
        }),
        ("second opinions, of who said all", {
            let all = PersonId::new(fill::WHO);
            question(move |it| Ok(it.second_opinions_due(0.05, &all, 40)?.len()))
        }),
        ("search: all", search(all())),
        ("search: page in the middle", {
            let after = Some((RunId(1), PartId(parts / 2)));
            question(move |it| Ok(it.search(&all(), after, PAGE)?.len()))
        }),
        ("search: last hour", search(hour.clone())),
        ("search: last week", search(since(0))),
        ("search: first hour", {
            let to = Some(fill::at(parts / 50).wall);
            search(PartSearch { to, ..all() })
        }),
        ("search: rejected", search(of(VerdictWord::Reject))),
        ("search: undecided, last hour", {
            search(PartSearch { verdict: Some(VerdictWord::Undecided), ..hour.clone() })
        }),
        ("search: scratch", search(class("scratch"))),
        ("search: a rare class", search(class(fill::RARE))),
        ("search: a class there is none of", search(class("none"))),
        ("search: part number", {
            search(PartSearch { number: Some(PartId(parts / 3)), ..all() })
        }),
        ("search: recipe", search(recipe("bracket"))),
        ("search: a recipe there is none of", search(recipe("none"))),
        ("search: labelled", search(labelled(true))),
        ("search: not labelled", search(labelled(false))),
        ("overview: sums", {
            question(move |it| Ok(it.yield_by(&all(), BinBy::Parts(u32::MAX))?.len()))
        }),
        ("overview: counts by run", question(|it| Ok(it.runs()?.len()))),
        ("overview: classes", question(|it| Ok(it.classes()?.len()))),
        ("overview: cameras", question(|it| Ok(it.cameras()?.len()))),
        ("p-chart: all", question(move |it| Ok(it.yield_by(&all(), by(3_600))?.len()))),
        ("p-chart: last hour", {
            question(move |it| Ok(it.yield_by(&hour_yield, by(300))?.len()))
        }),
        ("p-chart: scratch", {
            let scratch = class("scratch");
            question(move |it| Ok(it.yield_by(&scratch, by(3_600))?.len()))
        }),
        ("Pareto: all", question(move |it| Ok(it.pareto(&all())?.len()))),
        ("Pareto: last hour", question(move |it| Ok(it.pareto(&hour_pareto)?.len()))),
        ("heat map: all", question(move |it| Ok(it.positions(&all(), 24, 16)?.counts.len()))),
        ("heat map: last hour", {
            question(move |it| Ok(it.positions(&hour_places, 24, 16)?.counts.len()))
        }),
        ("agreement", {
            question(|it| Ok(usize::from(it.agreement(&AgreementFilter::default())?.parts > 0)))
        }),
    ]
}


fn cpu_ms() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_ascii_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}
fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let parts = 100_000;
    let t = Instant::now();
    if !folder.join("station.db").exists() { fill::fill(&folder, parts).unwrap(); println!("filled in {:?}", t.elapsed()); }
    for (name, ask) in questions(parts) {
        let reader = Reader::open(&folder).unwrap();
        let mut found = ask(&reader).unwrap();
        let mut wall = vec![]; let c = cpu_ms();
        for _ in 0..TIMES { let s = Instant::now(); found = ask(&reader).unwrap(); wall.push(s.elapsed().as_secs_f64()*1e3); }
        let cpu = (cpu_ms()-c)/TIMES as f64;
        wall.sort_by(f64::total_cmp);
        println!("{name:40} found {found:6} wall p50 {:8.2} max {:8.2} cpu {cpu:8.2} {}", wall[TIMES/2], wall[TIMES-1], if cpu<GOAL_MS {""} else {"NOT MET"});
    }
    println!("{} MB", fs::metadata(folder.join("station.db")).unwrap().len()/1_000_000);
}
