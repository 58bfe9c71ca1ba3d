//! Takes what two models say of the same pictures, gives `diff.html`: one file that needs nothing
//! else.

use models::eval::Examiner;

use super::{Pair, Report, Side, mcnemar_in_words};
use crate::modes::model::eval::page::{card, head};
use crate::modes::model::eval::{label_of, shots};
use crate::report::html::shell;
use crate::report::html::text::Escaped;

/// How many pictures are shown at most.
const SHOWN: usize = 24;
/// How many when no two verdicts differ.
const SHOWN_AGREEING: usize = 6;

/// The page; `pairs` farthest apart first.
pub(super) fn page(
    report: &Report,
    scatter: &str,
    examiners: (&mut Examiner, &mut Examiner),
    pairs: &[Pair],
) -> String {
    let names = [&report.a, &report.b].map(|side| format!("{} {}", side.model, side.hash.short()));
    let subject = format!("a: {} · b: {} · {}", names[0], names[1], report.on);
    let body = [
        shots::STYLE.to_owned(),
        head("Two models compared", &subject),
        cards(report),
        format!(
            "<section class=\"two\"><div><h2>Scores</h2>{scatter}<p class=\"small\">One dot a \
             picture; orange where the verdicts differ. Dashed: the limits.</p></div>\
             <div><h2>Verdicts</h2>{}</div></section>\n",
            verdicts(report)
        ),
        gallery(examiners, pairs),
        "<section><h2>How it is counted</h2><dl><dt>Disagree</dt><dd>The verdicts (pass, \
         undecided, reject) differ, each by its own limits.</dd><dt>Kappa</dt><dd>Cohen's: \
         agreement beyond chance, 1 when always the same. Over 0.9 is very good for two \
         inspectors.</dd><dt>McNemar</dt><dd>Whether one of them is right more often, exact and \
         two-sided: p is the chance of such a difference between equally good ones. Undecided is \
         never right.</dd></dl>\
         </section>\n"
            .to_owned(),
    ];
    shell("Two models compared", &body.concat())
}

fn cards(report: &Report) -> String {
    let mut cards = card("Disagree", "pictures with another verdict, of all", &report.disagree);
    let sides: [(&str, &Side); 2] = [("a", &report.a), ("b", &report.b)];
    for (name, side) in sides {
        let rates = [("Escapes", &side.escape), ("Overkill", &side.overkill)];
        for (what, rate) in rates.iter().filter_map(|(what, rate)| Some((what, rate.as_ref()?))) {
            cards += &card(&format!("{what} of {name}"), &Escaped(&side.model).to_string(), rate);
        }
    }
    format!("<section class=\"cards\">{cards}</section>\n")
}

fn verdicts(report: &Report) -> String {
    let labels = &report.verdicts.labels;
    let head: String = labels.iter().map(|label| format!("<th>b: {label}</th>")).collect();
    let row = |(place, (label, counts)): (usize, (&String, &Vec<u64>))| {
        let cell = |(other, count): (usize, &u64)| match (other == place, count) {
            (_, 0) => "<td>·</td>".to_owned(),
            (true, count) => format!("<td class=\"right\">{count}</td>"),
            (false, count) => format!("<td class=\"wrong\">{count}</td>"),
        };
        let cells: String = counts.iter().enumerate().map(cell).collect();
        format!("<tr><th scope=\"row\">a: {label}</th>{cells}</tr>")
    };
    let rows: String = labels.iter().zip(&report.verdicts.counts).enumerate().map(row).collect();
    let kappa = report.kappa.map_or_else(
        || "There is no kappa: both say the same of every picture.".to_owned(),
        |kappa| format!("Kappa {kappa:.4}."),
    );
    let test = report
        .mcnemar
        .map_or_else(String::new, |test| format!("<p>McNemar: {}.</p>", mcnemar_in_words(&test)));
    format!(
        "<table class=\"numbers\"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody>\
         </table><p>{kappa}</p>{test}"
    )
}

fn gallery(examiners: (&mut Examiner, &mut Examiner), pairs: &[Pair]) -> String {
    let (a, b) = examiners;
    let differing: Vec<_> = pairs.iter().filter(|pair| pair.differs()).collect();
    let (about, chosen) = match differing.len() {
        0 => {
            let nearest: Vec<_> = pairs.iter().take(SHOWN_AGREEING).collect();
            ("No verdict differs. The scores that are farthest apart:".to_owned(), nearest)
        }
        count => {
            let shown = differing.iter().take(SHOWN).copied().collect::<Vec<_>>();
            (format!("{} of {count} shown, farthest apart first.", shown.len()), shown)
        }
    };
    let figures: String = chosen.into_iter().map(|pair| figure(a, b, pair)).collect();
    format!(
        "<section class=\"wide\"><h2>Disagreements</h2><p class=\"about\">{about} Left: the \
         picture, what is known of it in blue; middle: what a saw; right: what b saw.</p>\
         <div class=\"gallery\">{figures}</div></section>\n"
    )
}

fn figure(a: &mut Examiner, b: &mut Examiner, pair: &Pair) -> String {
    let picture = &pair.picture;
    let shots = (shots::known(picture), shots::seen(a, picture), shots::seen(b, picture));
    let pictures = match shots {
        (Ok(known), Ok(a), Ok(b)) => format!("<div class=\"pair three\">{known}{a}{b}</div>"),
        _ => "<div class=\"nopicture\">the picture can't be read any more</div>".to_owned(),
    };
    let truth = match label_of(picture) {
        label if label.is_empty() => label,
        label => format!(" truth: {};", Escaped(&label)),
    };
    format!(
        "<figure>{pictures}<figcaption><b>{}</b>{truth} a: {} {:.4}; b: {} {:.4}</figcaption>\
         </figure>",
        Escaped(&picture.name),
        shots::chip(&pair.a),
        pair.a.score,
        shots::chip(&pair.b),
        pair.b.score
    )
}
