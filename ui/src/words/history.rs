//! Words of the History page.

/// The words.
pub struct Words {
    /// Names of the tabs: parts, charts, agreement.
    pub tabs: [&'static str; 3],
    /// How far back.
    pub period: &'static str,
    /// The verdict.
    pub verdict: &'static str,
    /// The class of a defect.
    pub class: &'static str,
    /// The recipe.
    pub recipe: &'static str,
    /// The part.
    pub part: &'static str,
    /// The part's number, where it is typed.
    pub part_number: &'static str,
    /// Not filtered by.
    pub any: &'static str,
    /// The choice that filters nothing.
    pub all: &'static str,
    /// Filters nothing any more.
    pub clear: &'static str,
    /// All, an hour, a shift, a day, a week.
    pub spans: [&'static str; 5],
    /// How many parts were found.
    pub found: &'static str,
    /// They are being looked up.
    pub looking: &'static str,
    /// There are no parts at all.
    pub no_parts: &'static str,
    /// None fits the filter.
    pub none_fits: &'static str,
    /// No picture of this part was kept.
    pub no_picture: &'static str,
    /// Back to the list.
    pub back: &'static str,
    /// Leads to the Review page.
    pub review: &'static str,
    /// Leads to the Label page.
    pub label: &'static str,
    /// The part is not in the store.
    pub gone: &'static str,
    /// Shows the boxes.
    pub boxes: &'static str,
    /// Shows the heatmap.
    pub heatmap: &'static str,
    /// Title of the scores.
    pub scores: &'static str,
    /// Nothing was found on the part.
    pub no_defects: &'static str,
    /// Counts from this length on.
    pub counts_from: &'static str,
    /// How the part lay: turned by so many degrees, shifted by so much.
    pub lay: &'static str,
    /// The recipe ignores it, or it is too small.
    pub not_counted: &'static str,
    /// The limit.
    pub limit: &'static str,
    /// Title of the times.
    pub times: &'static str,
    /// From exposure to the gate.
    pub decision: &'static str,
    /// Title of what decided.
    pub provenance: &'static str,
    /// The model.
    pub model: &'static str,
    /// The calibration.
    pub calibration: &'static str,
    /// The software.
    pub software: &'static str,
    /// Replayed or simulated.
    pub simulated: &'static str,
    /// What the gate heard: pass, reject.
    pub gate: [&'static str; 2],
    /// The fail-safe answered.
    pub fail_safe: &'static str,
    /// Title of the labels.
    pub labels: &'static str,
    /// Nobody said anything.
    pub no_labels: &'static str,
    /// What people say, in the order of `Judgement::ALL`.
    pub judgements: [&'static str; 4],
    /// Said without seeing the verdict.
    pub blind: &'static str,
    /// No longer holds.
    pub replaced: &'static str,
    /// Title of the clips.
    pub clips: &'static str,
    /// There are none.
    pub no_clips: &'static str,
    /// Clip `{}`.
    pub clip: &'static str,
    /// Yield, title of a figure.
    pub yields: &'static str,
    /// Parts, title of a figure.
    pub parts: &'static str,
    /// Rejected, title of a figure.
    pub rejected: &'static str,
    /// Undecided, title of a figure.
    pub undecided: &'static str,
    /// From `{a}` to `{b}`.
    pub from_to: &'static str,
    /// Title of the yield chart.
    pub yield_chart: &'static str,
    /// What is drawn in it; `{s}` is a subgroup's length.
    pub yield_note: &'static str,
    /// Title of the p-chart.
    pub p_chart: &'static str,
    /// What is drawn in it: `{k}` subgroups of `{s}`, `{n}` parts, centre line `{p}`.
    pub p_note: &'static str,
    /// So many points are out.
    pub out_of_control: &'static str,
    /// One is.
    pub one_out_of_control: &'static str,
    /// None is.
    pub in_control: &'static str,
    /// Title of the Pareto chart.
    pub pareto: &'static str,
    /// What is drawn in it; `{n}` parts.
    pub pareto_note: &'static str,
    /// All other classes.
    pub others: &'static str,
    /// Nothing was thrown out.
    pub no_rejects: &'static str,
    /// Title of the heat map of positions.
    pub places: &'static str,
    /// What is drawn in it; `{n}` defects.
    pub places_note: &'static str,
    /// No defect has a place.
    pub no_places: &'static str,
    /// Words for the times of subgroups: seconds, minutes, hours, days.
    pub lengths: [&'static str; 4],
    /// Agreement is not there yet: what would fill it.
    pub no_agreement: &'static str,
    /// Only blind labels count.
    pub blind_only: &'static str,
    /// Title: people among themselves.
    pub all_people: &'static str,
    /// Title: labels in force against the model.
    pub people_model: &'static str,
    /// Title: each person.
    pub each_person: &'static str,
    /// Title: each two people.
    pub pairs: &'static str,
    /// Good against bad.
    pub good_bad: &'static str,
    /// Good and the classes.
    pub by_class: &'static str,
    /// With the other people.
    pub with_others: &'static str,
    /// With the model.
    pub with_model: &'static str,
    /// No kappa: everybody said the same one thing, or nothing was compared.
    pub no_kappa: &'static str,
    /// How good a kappa is: not enough, marginal, very good.
    pub grades: [&'static str; 3],
    /// What the grades and intervals are.
    pub kappa_note: &'static str,
    /// Called good, called bad.
    pub called: [&'static str; 2],
}

pub const ENGLISH: Words = Words {
    tabs: ["Parts", "Charts", "Agreement"],
    period: "Period",
    verdict: "Verdict",
    class: "Class",
    recipe: "Recipe",
    part: "Part",
    part_number: "Part number",
    any: "all",
    all: "All",
    clear: "Clear",
    spans: ["All", "Last hour", "Last 8 h", "Last 24 h", "Last 7 days"],
    found: "n = {}",
    looking: "Looking up …",
    no_parts: "No parts yet. Each part the line inspects is kept here, newest first.",
    none_fits: "No part fits. Choose a longer period, or clear the filter.",
    no_picture: "picture not kept",
    back: "Back",
    review: "Review this part",
    label: "Mark defects",
    gone: "This part is not in the store any more.",
    boxes: "Boxes",
    heatmap: "Heatmap",
    scores: "Scores against limits",
    no_defects: "Nothing found on this part.",
    counts_from: "counts from {} mm",
    lay: "Turned {}°, shifted {}",
    not_counted: "not counted",
    limit: "limit",
    times: "Time per stage, ms",
    decision: "trigger to gate",
    provenance: "What decided",
    model: "model",
    calibration: "calibration",
    software: "software",
    simulated: "replayed or simulated",
    gate: ["Gate: let through", "Gate: thrown out"],
    fail_safe: "answered by the fail-safe",
    labels: "What people say",
    no_labels: "Nobody has said anything of this part.",
    judgements: ["good", "bad", "in doubt", "skipped"],
    blind: "blind",
    replaced: "no longer holds",
    clips: "Clips",
    no_clips: "No clip shows this part.",
    clip: "Clip {}",
    yields: "Yield",
    parts: "Parts",
    rejected: "Rejected",
    undecided: "Undecided",
    from_to: "{a} to {b}",
    yield_chart: "Yield over time",
    yield_note: "n = {n} · share of parts that passed, per {s} · bars: parts",
    p_chart: "p-chart: share that did not pass",
    p_note: "n = {n} in {k} subgroups of {s} · centre line {p} · limits ±3σ",
    out_of_control: "{} points out of control",
    one_out_of_control: "1 point out of control",
    in_control: "in control",
    pareto: "Pareto: why parts were rejected",
    pareto_note: "n = {n} · rejected parts by strongest class · line: cumulative share",
    others: "others",
    no_rejects: "No part was rejected: there is nothing to rank.",
    places: "Where defects are",
    places_note: "n = {n} defects · middles of what parts were rejected for",
    no_places: "No part was rejected for a defect, so there is no place to show.",
    lengths: ["{} s", "{} min", "{} h", "{} d"],
    no_agreement: "No agreement yet. It needs parts that two people have labelled, or that a \
                   person has labelled blind: the Review page asks for second opinions.",
    blind_only: "Blind labels only",
    all_people: "People among themselves",
    people_model: "People and the model",
    each_person: "Each person",
    pairs: "Each two people",
    good_bad: "good or bad",
    by_class: "by class",
    with_others: "with others",
    with_model: "with the model",
    no_kappa: "no kappa: nothing to compare, or all said the same",
    grades: ["not enough", "marginal", "very good"],
    kappa_note: "Cohen's kappa (Fleiss' for more than two), 95 % interval: 1 is perfect, 0 is \
                 chance. From 0.9 very good, below 0.7 not enough; judge by the interval's \
                 lower end.",
    called: ["called good", "called bad"],
};

pub const GERMAN: Words = Words {
    tabs: ["Teile", "Diagramme", "Übereinstimmung"],
    period: "Zeitraum",
    verdict: "Urteil",
    class: "Klasse",
    recipe: "Rezept",
    part: "Teil",
    part_number: "Teilenummer",
    any: "alle",
    all: "Alle",
    clear: "Leeren",
    spans: ["Alle", "Letzte Stunde", "Letzte 8 h", "Letzte 24 h", "Letzte 7 Tage"],
    found: "n = {}",
    looking: "Wird gesucht …",
    no_parts: "Noch keine Teile. Jedes geprüfte Teil steht hier, das neueste zuerst.",
    none_fits: "Kein Teil passt. Einen längeren Zeitraum wählen oder den Filter leeren.",
    no_picture: "Bild nicht behalten",
    back: "Zurück",
    review: "Dieses Teil prüfen",
    label: "Fehler markieren",
    gone: "Dieses Teil ist nicht mehr im Speicher.",
    boxes: "Rahmen",
    heatmap: "Wärmebild",
    scores: "Werte gegen Grenzen",
    no_defects: "Auf diesem Teil wurde nichts gefunden.",
    counts_from: "zählt ab {} mm",
    lay: "Gedreht {}°, verschoben {}",
    not_counted: "zählt nicht",
    limit: "Grenze",
    times: "Zeit je Stufe, ms",
    decision: "Auslöser bis Weiche",
    provenance: "Was entschied",
    model: "Modell",
    calibration: "Kalibrierung",
    software: "Software",
    simulated: "nachgespielt oder simuliert",
    gate: ["Weiche: durchgelassen", "Weiche: aussortiert"],
    fail_safe: "die Rückfallebene antwortete",
    labels: "Was Menschen sagen",
    no_labels: "Zu diesem Teil hat niemand etwas gesagt.",
    judgements: ["gut", "schlecht", "zweifelhaft", "übersprungen"],
    blind: "blind",
    replaced: "gilt nicht mehr",
    clips: "Clips",
    no_clips: "Kein Clip zeigt dieses Teil.",
    clip: "Clip {}",
    yields: "Ausbeute",
    parts: "Teile",
    rejected: "Ausschuss",
    undecided: "Unklar",
    from_to: "{a} bis {b}",
    yield_chart: "Ausbeute über der Zeit",
    yield_note: "n = {n} · Anteil guter Teile, je {s} · Balken: Teile",
    p_chart: "p-Karte: Anteil nicht guter Teile",
    p_note: "n = {n} in {k} Stichproben zu {s} · Mittellinie {p} · Grenzen ±3σ",
    out_of_control: "{} Punkte außer Kontrolle",
    one_out_of_control: "1 Punkt außer Kontrolle",
    in_control: "unter Kontrolle",
    pareto: "Pareto: warum Teile Ausschuss waren",
    pareto_note: "n = {n} · Ausschuss nach stärkster Klasse · Linie: kumulierter Anteil",
    others: "andere",
    no_rejects: "Kein Teil war Ausschuss: es gibt nichts zu ordnen.",
    places: "Wo Fehler sind",
    places_note: "n = {n} Fehler · Mitten dessen, was zu Ausschuss führte",
    no_places: "Kein Teil wurde wegen eines Fehlers Ausschuss, also gibt es keinen Ort zu zeigen.",
    lengths: ["{} s", "{} min", "{} h", "{} T"],
    no_agreement: "Noch keine Übereinstimmung. Dazu braucht es Teile, die zwei Menschen beurteilt \
                   haben oder einer blind: die Seite Prüfen fragt nach Zweitmeinungen.",
    blind_only: "Nur blinde Urteile",
    all_people: "Menschen untereinander",
    people_model: "Menschen und Modell",
    each_person: "Jeder Mensch",
    pairs: "Je zwei Menschen",
    good_bad: "gut oder schlecht",
    by_class: "nach Klasse",
    with_others: "mit anderen",
    with_model: "mit dem Modell",
    no_kappa: "kein Kappa: nichts zu vergleichen, oder alle sagten dasselbe",
    grades: ["reicht nicht", "grenzwertig", "sehr gut"],
    kappa_note: "Cohens Kappa (bei mehr als zweien das von Fleiss), 95-%-Intervall: 1 ist völlige \
                 Übereinstimmung, 0 ist Zufall. Ab 0,9 sehr gut, unter 0,7 reicht es nicht; es \
                 zählt das untere Ende des Intervalls.",
    called: ["gut genannt", "schlecht genannt"],
};
