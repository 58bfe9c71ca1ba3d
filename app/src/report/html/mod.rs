//! Takes a report and the pictures that were kept, gives `report.html`: one file that needs
//! nothing else, neither a network nor a script, and that prints on paper.

mod chart;
mod gallery;
mod text;

pub use gallery::GalleryPicture;

use domain::Sha256;

use super::fail_on::Violation;
use super::numbers::{Answers, Report};
use super::row::Row;
use super::table::latency_in_line_order;
use super::words::{interval, meaning, of_count, parts, value};
use models::rate::Rate;
use text::Escaped;

const STYLE: &str = include_str!("style.css");
const DEFINITIONS: &str = include_str!("definitions.html");

/// The page for `report`, which was built from `rows`. `violations` when limits were set;
/// `picture` is asked for each row that is shown, a hundred or so at most.
#[must_use]
pub fn page(
    report: &Report,
    rows: &[Row],
    violations: Option<&[Violation]>,
    picture: &dyn Fn(&Row) -> Option<GalleryPicture>,
) -> String {
    let title = format!("Inspection report: {}", report.source);
    let body = [
        head(report),
        violations.map(limits).unwrap_or_default(),
        headline(report),
        meanings(report),
        confusion(report),
        scores(report),
        recalls(report),
        timing(report),
        gallery::sections(report, rows, picture),
        provenance(report),
        DEFINITIONS.to_owned(),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>\n{}</main></body></html>\n",
        Escaped(&title),
        // The sign stays with its number when the line breaks.
        body.concat().replace(" %", "&nbsp;%")
    )
}

fn head(report: &Report) -> String {
    let badge = if report.is_simulated {
        "<span class=\"badge\">replayed or simulated footage</span>"
    } else {
        ""
    };
    format!(
        "<header><p class=\"brand\">Sightline</p><h1>Inspection report</h1>\
         <p class=\"subject\">{} · recipe {} {badge}</p></header>\n",
        Escaped(&report.source),
        Escaped(&report.recipe_name),
    )
}

fn limits(violations: &[Violation]) -> String {
    if violations.is_empty() {
        return "<p class=\"limits met\"><b>✓ Limits met.</b></p>\n".to_owned();
    }
    let items: String = violations
        .iter()
        .map(|violation| format!("<li>{}</li>", Escaped(&violation.to_string())))
        .collect();
    format!("<div class=\"limits broken\"><b>✕ Limits not met</b><ul>{items}</ul></div>\n")
}

fn headline(report: &Report) -> String {
    let card = |name: &str, about: &str, rate: &Rate| {
        let of = if rate.of == 0 { String::new() } else { of_count(rate) };
        let figure = if rate.of == 0 { "figure none" } else { "figure" };
        let interval = match interval(rate) {
            text if text.is_empty() => text,
            text => format!("95 %: {text}"),
        };
        format!(
            "<div class=\"card\"><h3>{name}</h3><p class=\"{figure}\">{}</p><p>{of}</p>{}\
             <p class=\"small\">{interval}</p><p class=\"small\">{about}</p></div>",
            value(rate),
            chart::strip(rate),
        )
    };
    format!(
        "<section class=\"cards\">{}{}{}{}</section>\n",
        card("Escapes", "bad parts that got through, of all bad parts", &report.escape),
        card("Overkill", "good parts thrown out, of all good parts found", &report.overkill),
        card("Undecided", "parts without a decision, of all parts", &report.undecided_rate()),
        card("Lost", "parts that nobody answered for", &report.lost_rate()),
    )
}

fn meanings(report: &Report) -> String {
    let item = |said: &String| format!("<li>{}</li>", Escaped(said));
    let items: String = meaning(report).iter().map(item).collect();
    format!(
        "<section><h2>What it means</h2><p>{}: {} passed, {} rejected, {} undecided.</p>\
         <ul>{items}</ul></section>\n",
        parts(report.parts),
        report.passed,
        report.rejected,
        report.undecided
    )
}

fn confusion(report: &Report) -> String {
    let Some(confusion) = &report.confusion else { return String::new() };
    let line = |name: &str, [pass, reject]: [&str; 2], answers: &Answers| {
        format!(
            "<tr><th scope=\"row\">{name}</th><td class=\"{pass}\">{}</td>\
             <td class=\"{reject}\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            answers.pass,
            answers.reject,
            answers.undecided,
            answers.lost,
            answers.sum()
        )
    };
    format!(
        "<section><h2>Verdicts against the truth</h2><table class=\"numbers\"><thead><tr>\
         <th>truth</th><th scope=\"col\">● pass</th><th scope=\"col\">✕ reject</th>\
         <th scope=\"col\">◆ undecided</th><th scope=\"col\">lost</th><th scope=\"col\">all</th>\
         </tr></thead><tbody>{}{}</tbody></table>{}</section>\n",
        line("good", ["right", "wrong"], &confusion.good),
        line("bad", ["wrong", "right"], &confusion.bad),
        by_verdict_alone(report),
    )
}

fn by_verdict_alone(report: &Report) -> String {
    let Some(by_verdict) = report.by_verdict.filter(|_| report.undecided > 0) else {
        return String::new();
    };
    format!(
        "<p class=\"small\">Counting only what the verdict itself says, with undecided parts as \
         neither: escapes {} ({}), overkill {} ({}); undecided are {} of the bad parts and {} of \
         the good parts found.</p>",
        value(&by_verdict.escape),
        of_count(&by_verdict.escape),
        value(&by_verdict.overkill),
        of_count(&by_verdict.overkill),
        of_count(&by_verdict.undecided_bad),
        of_count(&by_verdict.undecided_good),
    )
}

fn scores(report: &Report) -> String {
    if report.score_histogram.is_empty() {
        return String::new();
    }
    let key = if report.confusion.is_some() {
        "<span class=\"key good\"></span> good parts, <span class=\"key bad\"></span> bad parts. "
    } else {
        ""
    };
    format!(
        "<section><h2>Scores</h2>{}<p class=\"small\">{key}Counts are on a logarithmic scale. \
         Parts whose verdict does not come from a score (cut, merged, late) are left out. The \
         limits drawn are those of labels without a limit of their own.</p></section>\n",
        chart::histogram(&report.score_histogram)
    )
}

fn recalls(report: &Report) -> String {
    if report.per_class.is_empty() {
        return String::new();
    }
    let rows: String = report
        .per_class
        .iter()
        .map(|(label, recall)| {
            let undecided = match recall.undecided {
                0 => String::new(),
                undecided => format!(", {undecided} of them undecided"),
            };
            format!(
                "<tr><th scope=\"row\">{}</th><td class=\"wide\">{}</td><td>{}</td>\
                 <td class=\"text\">{}{undecided}; 95 %: {}</td></tr>",
                Escaped(label),
                chart::bar(&recall.caught),
                value(&recall.caught),
                of_count(&recall.caught),
                interval(&recall.caught),
            )
        })
        .collect();
    format!(
        "<section><h2>Caught, by kind of defect</h2><table class=\"numbers\">{rows}</table>\
         <p class=\"small\">Bad parts with this defect that the gate was told to reject. A part \
         with several defects stands in several lines. Whiskers: 95 % interval.</p></section>\n"
    )
}

fn timing(report: &Report) -> String {
    let rows: String = latency_in_line_order(report)
        .iter()
        .map(|(name, ms)| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{:.2}</td><td>{:.2}</td><td>{:.2}</td>\
                 <td>{:.2}</td></tr>",
                Escaped(name),
                ms.p50,
                ms.p99,
                ms.p999,
                ms.max
            )
        })
        .collect();
    let table = if rows.is_empty() {
        String::new()
    } else {
        format!(
            "<table class=\"numbers\"><thead><tr><th>ms</th><th scope=\"col\">p50</th>\
             <th scope=\"col\">p99</th><th scope=\"col\">p99.9</th><th scope=\"col\">max</th></tr>\
             </thead><tbody>{rows}</tbody></table>"
        )
    };
    let speed = report
        .realtime_factor
        .map_or_else(String::new, |factor| format!(", {factor:.2} times real time"));
    format!(
        "<section><h2>Time</h2>{table}<p class=\"small\">{} frames, {} dropped, in {:.2} s{speed}. \
         <i>decision</i> is a part's time in locate, prepare, infer and decide.</p></section>\n",
        report.frames, report.frames_dropped, report.wall_s
    )
}

fn provenance(report: &Report) -> String {
    let line = |name: &str, value: &str| {
        format!("<tr><th scope=\"row\">{name}</th><td class=\"hash\">{}</td></tr>", Escaped(value))
    };
    let hash = |hash: Option<Sha256>| hash.map_or("none".to_owned(), |hash| hash.to_string());
    let truth = report.truth.as_ref().map_or_else(String::new, |truth| {
        line("truth", &truth.file) + &line("truth sha256", &truth.sha256.to_string())
    });
    format!(
        "<section><h2>What decided</h2><table class=\"hashes\">{}{}{}{}{}{truth}</table>\
         <p class=\"small\">Replaying the same footage with the same recipe, model, calibration \
         and software gives the same verdict log, byte for byte.</p></section>\n",
        line("software", &report.software),
        line("recipe", &report.recipe.to_string()),
        line("model", &hash(report.model)),
        line("calibration", &hash(report.calibration)),
        line("verdict log", &report.verdict_log_sha256.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use crate::truth::{Fate, Judged, KnownPart};
    use image::{GrayImage, RgbImage};

    const HOSTILE: &str = "<script>alert('x')</script>\"onload=\"&";

    fn hostile() -> (Report, Vec<Row>) {
        let rows =
            vec![fake::row(1, fake::reject(HOSTILE, 0.9)), fake::row(2, domain::Verdict::Pass)];
        let mut facts = fake::facts(10);
        (facts.source, facts.recipe_name) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        facts.provenance.software = HOSTILE.into();
        facts.latency.insert(HOSTILE.to_owned(), facts.latency["infer"]);
        let mut report = Report::build(&rows, None, facts).unwrap();
        let part = |row| KnownPart {
            name: HOSTILE.to_owned(),
            labels: [HOSTILE.to_owned()].into(),
            fate: row,
        };
        let parts = vec![part(Fate::Inspected(0)), part(Fate::Inspected(1)), part(Fate::Lost)];
        report.add_judged(&rows, Judged { parts, ..Judged::default() });
        (report, rows)
    }

    fn picture(_: &Row) -> Option<GalleryPicture> {
        let heatmap = Some(GrayImage::from_pixel(5, 4, image::Luma([200])));
        Some(GalleryPicture { view: 0, image: RgbImage::new(900, 700), heatmap })
    }

    #[test]
    fn names_from_outside_stay_text() {
        let (report, rows) = hostile();
        let violations = "escape=0".parse::<crate::report::FailOn>().unwrap().check(&report);
        let page = page(&report, &rows, Some(&violations), &picture);
        assert!(!page.contains("<script") && !page.contains("\"onload"), "markup from outside");
        // Title, source, recipe, software, stage, kind of defect, and three parts with labels.
        assert!(page.matches("&lt;script&gt;").count() >= 12);
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let (report, rows) = hostile();
        let page = page(&report, &rows, None, &picture);
        for outside in ["http:", "https:", "src=", "@import", "url(/", "<script", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("data:image/jpeg;base64,").count(), 4);
        assert!(page.contains("1 lost") && page.contains("class=\"defect\""));
    }

    #[test]
    fn every_tag_that_opens_closes() {
        let (report, rows) = hostile();
        for picture in [&picture as &dyn Fn(&Row) -> Option<GalleryPicture>, &|_| None] {
            let page = page(&report, &rows, None, picture);
            for tag in ["section", "table", "tr", "td", "th", "figure", "div", "svg", "p", "span"] {
                let opened = page.matches(&format!("<{tag}>")).count()
                    + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
            }
        }
    }

    #[test]
    fn a_run_without_truth_and_without_parts_has_a_page() {
        let report = Report::build(&[], None, fake::facts(0)).unwrap();
        let page = page(&report, &[], None, &|_| None);
        assert!(page.contains("No truth was given") && page.contains("not measured"));
        assert!(!page.contains("NaN"), "{page}");
    }
}
