//! What the screen's pages ask of a store. Takes how many parts it has; gives each question by its
//! name.

use std::time::Duration;

use domain::{PartId, PersonId};
use store::{AgreementFilter, BinBy, PartSearch, QueueAsk, Reader, RunId, StoreError, VerdictWord};

use crate::fill;

/// A page of the History page, and one more to know whether that is all.
const PAGE: u32 = 241;

pub type Question = Box<dyn Fn(&Reader) -> Result<usize, StoreError>>;

fn question(ask: impl Fn(&Reader) -> Result<usize, StoreError> + 'static) -> Question {
    Box::new(ask)
}

fn search(search: PartSearch) -> Question {
    question(move |reader| Ok(reader.search(&search, None, PAGE)?.len()))
}

/// A question, by its name.
pub type Named = (&'static str, Question);

/// What the pages ask.
pub fn questions(parts: u64) -> Vec<Named> {
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
