//! Takes a report and the set it is of, gives `eval.html`: one file that needs nothing else.

use models::eval::{Confusion, Exam, Examiner, Outcome, Said, Verdicts};
use models::rate::Rate;

use super::table::{numbers, rate_in_words};
use super::{Answer, Report, is_bad, label_of, shots};
use crate::report::html::text::Escaped;
use crate::report::html::{chart, shell};
use crate::report::words::{interval, of_count, value};

/// How many pictures a section shows at most.
const SHOWN: usize = 12;

/// The plots of a set.
pub struct Plots {
    /// Escape against overkill; `None` where good or bad pictures are missing.
    pub curve: Option<String>,
    /// Scores of good and bad pictures.
    pub scores: String,
}

/// The page.
pub fn page(
    report: &Report,
    plots: &Plots,
    examiner: &mut Examiner,
    exam: &Exam,
    outcome: &Outcome,
) -> String {
    let answers: Vec<Answer<'_>> = exam.pictures().iter().zip(&outcome.judged).collect();
    let body = [
        shots::STYLE.to_owned(),
        head("Model evaluation", &subject(report)),
        cards(report),
        figures(report),
        drawings(report, plots),
        verdicts(report),
        confusion(&report.figures.confusion),
        worst(examiner, &answers, true),
        worst(examiner, &answers, false),
        definitions(report),
    ];
    shell(&format!("Model evaluation: {}", report.model), &body.concat())
}

/// The top of a page; `subject` is text.
pub fn head(title: &str, subject: &str) -> String {
    format!(
        "<header><p class=\"brand\">Sightline</p><h1>{title}</h1><p class=\"subject\">{}</p>\
         </header>\n",
        Escaped(subject)
    )
}

fn subject(report: &Report) -> String {
    let split = report.split.as_ref().map_or_else(String::new, |split| format!(", split {split}"));
    format!(
        "{} {} · {}{split} · {} pictures: {} good, {} bad",
        report.model,
        report.hash.short(),
        report.index,
        report.figures.images,
        report.good,
        report.bad
    )
}

/// A rate as a card.
pub fn card(name: &str, about: &str, rate: &Rate) -> String {
    if rate.of == 0 {
        return String::new();
    }
    format!(
        "<div class=\"card\"><h3>{name}</h3><p class=\"figure\">{}</p><p>{}</p>{}\
         <p class=\"small\">95 %: {}</p><p class=\"small\">{about}</p></div>",
        value(rate),
        of_count(rate),
        chart::strip(rate),
        interval(rate)
    )
}

fn cards(report: &Report) -> String {
    let figures = &report.figures;
    let mut cards = String::new();
    if let Some(at) = &figures.at_limit {
        let limit = at.rejecting.limit;
        let about = |what: &str| format!("{what} at the limit {limit}");
        cards += &card("Escapes", &about("bad pictures not rejected"), &at.rejecting.escape);
        cards += &card("Overkill", &about("good pictures rejected"), &at.rejecting.overkill);
    }
    let limit = |limit: Option<f32>| {
        limit.map_or("no score is high enough".to_owned(), |limit| format!("limit {limit:.4}"))
    };
    if let Some(point) = &figures.escape_at_overkill_1pct {
        cards += &card("Escapes at 1 % overkill", &limit(point.limit), &point.rate);
    }
    if let Some(point) = &figures.overkill_at_zero_escape {
        cards += &card("Overkill at no escape", &limit(point.limit), &point.rate);
    }
    format!("<section class=\"cards\">{cards}</section>\n")
}

fn figures(report: &Report) -> String {
    let rows: String = numbers(report)
        .iter()
        .map(|(name, value)| format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"))
        .collect();
    format!("<section><h2>Figures</h2><table class=\"numbers\">{rows}</table></section>\n")
}

fn drawings(report: &Report, plots: &Plots) -> String {
    let curve = plots.curve.as_ref().map_or_else(String::new, |curve| {
        format!(
            "<div><h2>Escape against overkill</h2>{curve}<p class=\"small\">Every limit is a \
             point; both axes are by the root, so that small rates have room.</p></div>"
        )
    });
    let from = report
        .limit_from
        .as_ref()
        .map_or_else(String::new, |from| format!(" The limits are those of {}.", Escaped(from)));
    format!(
        "<section class=\"two\">{curve}<div><h2>Scores</h2>{}<p class=\"small\">\
         <span class=\"key good\"></span> good, <span class=\"key bad\"></span> bad pictures; \
         counts are on a logarithmic scale.{from}</p></div></section>\n",
        plots.scores
    )
}

fn verdicts(report: &Report) -> String {
    let Some(at) = &report.figures.at_limit else { return String::new() };
    let line = |name: &str, [pass, reject]: [&str; 2], verdicts: &Verdicts| {
        format!(
            "<tr><th scope=\"row\">{name}</th><td class=\"{pass}\">{}</td><td>{}</td>\
             <td class=\"{reject}\">{}</td><td>{}</td></tr>",
            verdicts.pass,
            verdicts.undecided,
            verdicts.reject,
            verdicts.sum()
        )
    };
    let both = at.rejecting_and_undecided.map_or_else(String::new, |both| {
        format!(
            "<p class=\"small\">With undecided pictures thrown out too (score ≥ {}): escapes {}, \
             overkill {}.</p>",
            both.limit,
            rate_in_words(&both.escape),
            rate_in_words(&both.overkill)
        )
    });
    let caught: String = at
        .caught
        .iter()
        .map(|(label, rate)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"text\">{}; 95 %: {}</td></tr>",
                Escaped(label),
                value(rate),
                of_count(rate),
                interval(rate)
            )
        })
        .collect();
    format!(
        "<section><h2>Verdicts against the truth</h2><table class=\"numbers\"><thead><tr>\
         <th>truth</th><th scope=\"col\">● pass</th><th scope=\"col\">◆ undecided</th>\
         <th scope=\"col\">✕ reject</th><th scope=\"col\">all</th></tr></thead><tbody>{}{}</tbody>\
         </table>{both}<h3>Caught, by kind of defect</h3><table class=\"numbers\">{caught}</table>\
         </section>\n",
        line("good", ["right", "wrong"], &at.good),
        line("bad", ["wrong", "right"], &at.bad),
    )
}

fn confusion(confusion: &Confusion) -> String {
    if confusion.labels.len() < 3 || confusion.accuracy().is_none() {
        return String::new();
    }
    let head: String = confusion
        .labels
        .iter()
        .map(|label| format!("<th scope=\"col\">{}</th>", Escaped(label)))
        .collect();
    let row = |(truth, (label, counts)): (usize, (&String, &Vec<u64>))| {
        let cell = |(said, count): (usize, &u64)| match (said == truth, *count) {
            (_, 0) => "<td>·</td>".to_owned(),
            (true, count) => format!("<td class=\"right\">{count}</td>"),
            (false, count) => format!("<td class=\"wrong\">{count}</td>"),
        };
        let cells: String = counts.iter().enumerate().map(cell).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>", Escaped(label))
    };
    let rows: String =
        confusion.labels.iter().zip(&confusion.counts).enumerate().map(row).collect();
    format!(
        "<section><h2>Labels</h2><p class=\"about\">Truth down, predicted across; pictures of one \
         label.</p><table class=\"numbers\"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}\
         </tbody></table></section>\n"
    )
}

/// The bad pictures of the lowest scores, or the good ones of the highest.
fn worst(examiner: &mut Examiner, answers: &[Answer<'_>], bad: bool) -> String {
    let mut chosen: Vec<_> =
        answers.iter().filter(|(picture, _)| is_bad(picture) == Some(bad)).collect();
    chosen.sort_by(|a, b| match bad {
        true => a.1.score.total_cmp(&b.1.score),
        false => b.1.score.total_cmp(&a.1.score),
    });
    // A good picture in which nothing was found has nothing to show.
    chosen.retain(|(_, judged)| bad || judged.score > 0.0);
    if chosen.is_empty() {
        return String::new();
    }
    let is_wrong = |answer: &&&Answer<'_>| (answer.1.said == Said::Reject) != bad;
    let wrong = chosen.iter().filter(is_wrong).count();
    let cards: String = chosen.iter().take(SHOWN).map(|answer| shot(examiner, answer)).collect();
    let (title, about) = if bad {
        (
            "Worst escapes",
            format!("The bad pictures of the lowest scores. {wrong} were not rejected."),
        )
    } else {
        (
            "Worst overkill",
            format!("The good pictures of the highest scores. {wrong} were rejected."),
        )
    };
    format!(
        "<section><h2>{title}</h2><p class=\"about\">{about} Left: the picture, what is known of \
         it in blue; right: what the model saw.</p><div class=\"gallery\">{cards}</div></section>\n"
    )
}

fn shot(examiner: &mut Examiner, (picture, judged): &Answer<'_>) -> String {
    let pair = match (shots::known(picture), shots::seen(examiner, picture)) {
        (Ok(known), Ok(seen)) => format!("<div class=\"pair\">{known}{seen}</div>"),
        _ => "<div class=\"nopicture\">the picture can't be read any more</div>".to_owned(),
    };
    let predicted = &examiner.labels().names()[judged.predicted];
    format!(
        "<figure>{pair}<figcaption><div><b>{}</b> {}</div><div>truth: {}; predicted: {}; score \
         {:.4}</div></figcaption></figure>",
        Escaped(&picture.name),
        shots::chip(judged),
        Escaped(&label_of(picture)),
        Escaped(predicted),
        judged.score
    )
}

fn definitions(report: &Report) -> String {
    let groups = if report.groups < report.figures.images {
        format!(
            " The {} pictures are of {} parts or places, so they are not independent and the true \
             uncertainty is larger.",
            report.figures.images, report.groups
        )
    } else {
        String::new()
    };
    format!(
        "<section><h2>How it is counted</h2><dl>\
         <dt>Score</dt><dd>The highest score of any defect that counts; 0 when none was found. It \
         is what a station compares with its limits.</dd>\
         <dt>Escape, overkill</dt><dd>Bad pictures that are not rejected, of all bad ones; good \
         pictures that are, of all good ones.</dd>\
         <dt>Limits chosen here</dt><dd>Escapes at 1 % overkill and overkill at no escape are at \
         the best limit for these very pictures: a limit fixed beforehand does no better.</dd>\
         <dt>95 % interval</dt><dd>Two-sided, exact (Clopper and Pearson), for independent \
         pictures.{groups}</dd>\
         <dt>Accuracy, macro F1</dt><dd>Of the predicted label, over pictures of one label; F1 is \
         the plain mean over labels.</dd>\
         <dt>Pixel figures</dt><dd>Of every pixel, the map scaled bilinearly to the picture. \
         AUPRO: Bergmann et al., IJCV 129 (2021) 1038–1059, up to 30 % false alarms.</dd>\
         <dt>Boxes</dt><dd>Mean average precision as COCO's evaluation takes it, at overlaps of \
         0.33 and 0.50; F1 of boxes that reach the limit, at 0.33.</dd>\
         </dl><table class=\"hashes\"><tr><th scope=\"row\">model</th>\
         <td class=\"hash\">{}</td></tr></table></section>\n",
        report.hash
    )
}
