//! Words of the Recipe page.

/// The words.
pub struct Words {
    /// All recipes.
    pub recipes: &'static str,
    /// This one is at work.
    pub in_force: &'static str,
    /// Inspects by it from the next part on.
    pub select: &'static str,
    /// The same, asked once more.
    pub select_again: &'static str,
    /// Nothing can be selected: there is only a store.
    pub no_line: &'static str,
    /// There are no recipes at all.
    pub no_recipes: &'static str,
    /// The model; `{}` begins its hash.
    pub model: &'static str,
    /// Its model is not armed.
    pub not_armed: &'static str,
    /// Over the limits of the recipe `{}`.
    pub limits_of: &'static str,
    /// How many parts to look at.
    pub last_parts: &'static str,
    /// The classes without limits of their own.
    pub all_classes: &'static str,
    /// The class shown has limits of its own.
    pub own_limits: &'static str,
    /// Removes them.
    pub as_all: &'static str,
    /// The lower limit.
    pub undecided_from: &'static str,
    /// The upper limit.
    pub reject_at: &'static str,
    /// A little less of `{}`.
    pub less: &'static str,
    /// A little more of `{}`.
    pub more: &'static str,
    /// Title of the histogram.
    pub histogram: &'static str,
    /// Of how many parts it is: `{n}` of the last `{all}`.
    pub histogram_note: &'static str,
    /// A part without a label, with a good one, with a bad one.
    pub masses: [&'static str; 3],
    /// There are no parts of this recipe.
    pub no_parts: &'static str,
    /// They are being looked up.
    pub looking: &'static str,
    /// Title of what would have changed.
    pub would_have: &'static str,
    /// From pass to reject.
    pub pass_to_reject: &'static str,
    /// From reject to pass.
    pub reject_to_pass: &'static str,
    /// To undecided.
    pub to_undecided: &'static str,
    /// From undecided.
    pub from_undecided: &'static str,
    /// Bad parts that get through.
    pub escapes: &'static str,
    /// Good parts that are thrown out.
    pub overkill: &'static str,
    /// By the limits that hold.
    pub now: &'static str,
    /// By the others.
    pub then: &'static str,
    /// There are no labels to say it by.
    pub no_labels: &'static str,
    /// Which interval it is.
    pub interval: &'static str,
    /// Title of the parts that would have changed.
    pub changed_parts: &'static str,
    /// Nothing would have changed.
    pub nothing_changes: &'static str,
    /// And `{}` more.
    pub and_more: &'static str,
    /// Asks for a reason.
    pub why: &'static str,
    /// Reasons to choose from.
    pub reasons: [&'static str; 3],
    /// Another reason.
    pub other: &'static str,
    /// Where another reason is typed.
    pub reason: &'static str,
    /// Makes it so.
    pub apply: &'static str,
    /// Leaves it as it was.
    pub discard: &'static str,
    /// `{}` does it.
    pub by: &'static str,
    /// Nobody is logged in; it will be asked for.
    pub by_nobody: &'static str,
    /// A reason is missing.
    pub reason_first: &'static str,
    /// The limits contradict each other.
    pub contradiction: &'static str,
    /// It is done.
    pub applied: &'static str,
}

pub const ENGLISH: Words = Words {
    recipes: "Recipes",
    in_force: "In force",
    select: "Select",
    select_again: "Tap again to select",
    no_line: "No line here: nothing to select or change",
    no_recipes: "No recipes. The station file names them; a store keeps those it was written with.",
    model: "model {}",
    not_armed: "model not armed",
    limits_of: "Limits of {}",
    last_parts: "Last parts",
    all_classes: "All classes",
    own_limits: "has limits of its own",
    as_all: "As all classes",
    undecided_from: "Undecided",
    reject_at: "Reject",
    less: "{} less",
    more: "{} more",
    histogram: "Scores (probability of a defect)",
    histogram_note: "n = {n} of the last {all} parts, each by its highest score · parts, \
                     logarithmic",
    masses: ["no label", "labelled good", "labelled bad"],
    no_parts: "No part of this recipe and its model among the last ones. Run the line, or look at \
               more parts.",
    looking: "Looking up parts …",
    would_have: "What would have changed",
    pass_to_reject: "Pass → reject",
    reject_to_pass: "Reject → pass",
    to_undecided: "→ undecided",
    from_undecided: "Undecided → decided",
    escapes: "Escapes: bad parts that pass",
    overkill: "Overkill: good parts thrown out",
    now: "now",
    then: "then",
    no_labels: "no such label yet",
    interval: "Against people's labels; 95 % intervals by Clopper and Pearson",
    changed_parts: "Parts that would have changed",
    nothing_changes: "Nothing. Move a limit to see what it would have done.",
    and_more: "and {} more",
    why: "Why?",
    reasons: ["Too many good parts rejected", "Bad part escaped", "New supplier or material"],
    other: "Other",
    reason: "Reason",
    apply: "Apply",
    discard: "Discard",
    by: "By {}",
    by_nobody: "Nobody is logged in: it will be asked for",
    reason_first: "Choose or type a reason",
    contradiction: "These limits contradict each other",
    applied: "Applied from the next part on",
};

pub const GERMAN: Words = Words {
    recipes: "Rezepte",
    in_force: "In Kraft",
    select: "Auswählen",
    select_again: "Nochmals tippen",
    no_line: "Keine Linie hier: nichts auszuwählen oder zu ändern",
    no_recipes: "Keine Rezepte. Die Stationsdatei nennt sie; ein Speicher behält die seinen.",
    model: "Modell {}",
    not_armed: "Modell nicht scharf",
    limits_of: "Grenzen von {}",
    last_parts: "Letzte Teile",
    all_classes: "Alle Klassen",
    own_limits: "hat eigene Grenzen",
    as_all: "Wie alle Klassen",
    undecided_from: "Unklar",
    reject_at: "Ausschuss",
    less: "{} weniger",
    more: "{} mehr",
    histogram: "Fehlerwahrscheinlichkeit",
    histogram_note: "n = {n} der letzten {all} Teile, je mit dem höchsten Wert · Teile, \
                     logarithmisch",
    masses: ["ohne Urteil", "laut Urteil gut", "laut Urteil schlecht"],
    no_parts: "Unter den letzten Teilen ist keines dieses Rezepts und seines Modells. Linie laufen \
               lassen oder mehr Teile ansehen.",
    looking: "Teile werden gesucht …",
    would_have: "Was anders gewesen wäre",
    pass_to_reject: "Gut → Ausschuss",
    reject_to_pass: "Ausschuss → gut",
    to_undecided: "→ unklar",
    from_undecided: "Unklar → entschieden",
    escapes: "Schlupf: schlechte Teile durchgelassen",
    overkill: "Pseudofehler: gute Teile aussortiert",
    now: "jetzt",
    then: "dann",
    no_labels: "noch kein solches Urteil",
    interval: "Gegen die Urteile von Menschen; 95-%-Intervalle nach Clopper und Pearson",
    changed_parts: "Teile, bei denen es anders wäre",
    nothing_changes: "Nichts. Eine Grenze verschieben, um zu sehen, was sie bewirkt hätte.",
    and_more: "und {} weitere",
    why: "Warum?",
    reasons: [
        "Zu viele gute Teile aussortiert",
        "Schlechtes Teil kam durch",
        "Neuer Lieferant, neues Material",
    ],
    other: "Anderes",
    reason: "Grund",
    apply: "Übernehmen",
    discard: "Verwerfen",
    by: "Durch {}",
    by_nobody: "Niemand ist angemeldet: danach wird gefragt",
    reason_first: "Einen Grund wählen oder eingeben",
    contradiction: "Diese Grenzen widersprechen sich",
    applied: "Gilt ab dem nächsten Teil",
};
