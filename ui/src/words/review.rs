//! Words of the Review page.

use domain::Judgement;
use store::WhyAsked;

/// The words.
pub struct Words {
    /// All parts of the queue.
    pub all: &'static str,
    /// Only undecided parts.
    pub undecided: &'static str,
    /// Only rejected parts.
    pub rejected: &'static str,
    /// Only passed parts that were chosen.
    pub samples: &'static str,
    /// Title of the queue.
    pub queue: &'static str,
    /// How many were done; `{}` is the number.
    pub done_count: &'static str,
    /// The part is a second opinion.
    pub second: &'static str,
    /// Why nothing is shown of a second opinion.
    pub second_hint: &'static str,
    /// A person chose the part.
    pub by_hand: &'static str,
    /// Why it is asked about.
    pub asked_undecided: &'static str,
    /// Why it is asked about.
    pub asked_differ: &'static str,
    /// Why it is asked about.
    pub asked_label: &'static str,
    /// What model and label say; `{model}` and `{label}` are classes, or what is good.
    pub label_differs: &'static str,
    /// Why it is asked about.
    pub asked_near: &'static str,
    /// Why it is asked about.
    pub asked_control: &'static str,
    /// Why it is asked about.
    pub asked_rare: &'static str,
    /// Why it is asked about.
    pub asked_rejected: &'static str,
    /// Nothing is to be looked at.
    pub empty: &'static str,
    /// What comes here.
    pub empty_hint: &'static str,
    /// There is no store.
    pub no_store: &'static str,
    /// The part is no longer in the store.
    pub gone: &'static str,
    /// The store can't be read; `{}` is why, in English.
    pub trouble: &'static str,
    /// Asks once more.
    pub again: &'static str,
    /// No picture of the view was kept.
    pub no_picture: &'static str,
    /// The picture can't be read; `{}` is why, in English.
    pub picture_failed: &'static str,
    /// What the picture is of; `{}` is the part's number.
    pub picture: &'static str,
    /// A good part beside it.
    pub golden: &'static str,
    /// Which good part it is; `{}` is its number.
    pub golden_of: &'static str,
    /// There is no good part.
    pub no_golden: &'static str,
    /// All of the picture.
    pub fit: &'static str,
    /// A pixel a pixel.
    pub one_to_one: &'static str,
    /// Larger.
    pub closer: &'static str,
    /// Smaller.
    pub farther: &'static str,
    /// Whether the heatmap is shown.
    pub heat: &'static str,
    /// How strong the heatmap is.
    pub heat_strength: &'static str,
    /// The clip of the part.
    pub clip: &'static str,
    /// There is no clip of the part.
    pub no_clip: &'static str,
    /// The clip can't be read; `{}` is why, in English.
    pub clip_failed: &'static str,
    /// The picture that the part was judged by.
    pub judged_here: &'static str,
    /// Plays the clip.
    pub play: &'static str,
    /// Stops playing.
    pub pause: &'static str,
    /// One picture back.
    pub step_back: &'static str,
    /// One picture on.
    pub step_on: &'static str,
    /// Where in the clip.
    pub scrub: &'static str,
    /// Leaves the clip.
    pub close: &'static str,
    /// Asks what the part is.
    pub what: &'static str,
    /// Asks which defect it is.
    pub which: &'static str,
    /// It is good.
    pub good: &'static str,
    /// It is bad.
    pub bad: &'static str,
    /// It is bad; `{}` is the class.
    pub bad_with: &'static str,
    /// It can't be said.
    pub doubt: &'static str,
    /// Not now.
    pub skip: &'static str,
    /// The part before.
    pub previous: &'static str,
    /// The part after.
    pub next: &'static str,
    /// Takes back.
    pub undo: &'static str,
    /// The keys that do, as they are written on them.
    pub undo_key: &'static str,
    /// Goes to the page where defects are drawn.
    pub mark: &'static str,
    /// The limit; `{}` is the number.
    pub limit: &'static str,
    /// It is on its way.
    pub saving: &'static str,
    /// It is on disk; `{}` is what was said.
    pub saved: &'static str,
    /// Nothing was said yet.
    pub unsaid: &'static str,
    /// Somebody has to log in.
    pub log_in_to_save: &'static str,
    /// Nobody answered yet.
    pub late: &'static str,
    /// It is not on disk; `{}` is why.
    pub not_saved: &'static str,
    /// Something of another part is not on disk; `{}` is its number.
    pub other_not_saved: &'static str,
    /// Sends it again.
    pub retry: &'static str,
    /// One of several pictures; `{}` is its name.
    pub view: &'static str,
}

pub const ENGLISH: Words = Words {
    all: "All",
    undecided: "Undecided",
    rejected: "Rejected",
    samples: "Samples",
    queue: "To look at",
    done_count: "{} done",
    second: "Second opinion",
    second_hint: "Verdict, score and other labels are hidden until you have decided.",
    by_hand: "Chosen by hand",
    asked_undecided: "Undecided",
    asked_differ: "Models differ",
    asked_label: "Label differs",
    label_differs: "The model says {model}, the label says {label}",
    asked_near: "Near the limit",
    asked_control: "Control sample",
    asked_rare: "Unusual",
    asked_rejected: "Rejected",
    empty: "Nothing to look at",
    empty_hint: "Undecided and rejected parts, and samples of good ones, come here by themselves.",
    no_store: "There are no records yet",
    gone: "This part is no longer stored",
    trouble: "The records cannot be read: {}",
    again: "Look again",
    no_picture: "No picture of this part was kept",
    picture_failed: "The picture cannot be read: {}",
    picture: "Picture of part {}",
    golden: "Good part for comparison",
    golden_of: "Good part {}",
    no_golden: "No good part of this recipe yet",
    fit: "Fit",
    one_to_one: "1:1",
    closer: "Zoom in",
    farther: "Zoom out",
    heat: "Heatmap",
    heat_strength: "Heatmap strength",
    clip: "Clip",
    no_clip: "No clip shows this part",
    clip_failed: "The clip cannot be read: {}",
    judged_here: "The part was judged by this picture",
    play: "Play",
    pause: "Pause",
    step_back: "Previous picture",
    step_on: "Next picture",
    scrub: "Position in the clip",
    close: "Close",
    what: "What is it?",
    which: "Which defect?",
    good: "Good",
    bad: "Bad",
    bad_with: "Bad: {}",
    doubt: "Doubt",
    skip: "Skip",
    previous: "Previous part",
    next: "Next part",
    undo: "Undo",
    undo_key: "Ctrl Z",
    mark: "Mark defects",
    limit: "limit {}",
    saving: "Saving …",
    saved: "Saved: {}",
    unsaid: "Nothing said yet",
    log_in_to_save: "Log in to save",
    late: "No answer yet",
    not_saved: "Not saved: {}",
    other_not_saved: "{} is not saved",
    retry: "Retry",
    view: "View {}",
};

pub const GERMAN: Words = Words {
    all: "Alle",
    undecided: "Unklar",
    rejected: "Ausschuss",
    samples: "Stichprobe",
    queue: "Zu prüfen",
    done_count: "{} erledigt",
    second: "Zweite Meinung",
    second_hint: "Urteil, Wert und andere Angaben bleiben verborgen, bis Sie entschieden haben.",
    by_hand: "Von Hand gewählt",
    asked_undecided: "Unklar",
    asked_differ: "Modelle uneins",
    asked_label: "Urteil anders",
    label_differs: "Das Modell sagt {model}, das Urteil sagt {label}",
    asked_near: "Nahe der Grenze",
    asked_control: "Kontrollprobe",
    asked_rare: "Ungewöhnlich",
    asked_rejected: "Ausschuss",
    empty: "Nichts zu prüfen",
    empty_hint: "Unklare Teile, Ausschuss und Stichproben guter Teile erscheinen hier von selbst.",
    no_store: "Es gibt noch keine Aufzeichnungen",
    gone: "Dieses Teil ist nicht mehr gespeichert",
    trouble: "Die Aufzeichnungen sind nicht lesbar: {}",
    again: "Neu laden",
    no_picture: "Von diesem Teil ist kein Bild gespeichert",
    picture_failed: "Das Bild ist nicht lesbar: {}",
    picture: "Bild von Teil {}",
    golden: "Gutteil zum Vergleich",
    golden_of: "Gutteil {}",
    no_golden: "Noch kein Gutteil dieses Rezepts",
    fit: "Ganzes Bild",
    one_to_one: "1:1",
    closer: "Vergrößern",
    farther: "Verkleinern",
    heat: "Wärmebild",
    heat_strength: "Stärke des Wärmebilds",
    clip: "Film",
    no_clip: "Kein Film zeigt dieses Teil",
    clip_failed: "Der Film ist nicht lesbar: {}",
    judged_here: "Nach diesem Bild wurde geurteilt",
    play: "Abspielen",
    pause: "Anhalten",
    step_back: "Bild zurück",
    step_on: "Bild weiter",
    scrub: "Stelle im Film",
    close: "Schließen",
    what: "Was ist es?",
    which: "Welcher Fehler?",
    good: "Gut",
    bad: "Schlecht",
    bad_with: "Schlecht: {}",
    doubt: "Zweifel",
    skip: "Später",
    previous: "Voriges Teil",
    next: "Nächstes Teil",
    undo: "Zurücknehmen",
    undo_key: "Strg Z",
    mark: "Fehler markieren",
    limit: "Grenze {}",
    saving: "Wird gespeichert …",
    saved: "Gespeichert: {}",
    unsaid: "Noch nichts gesagt",
    log_in_to_save: "Zum Speichern anmelden",
    late: "Noch keine Antwort",
    not_saved: "Nicht gespeichert: {}",
    other_not_saved: "{} ist nicht gespeichert",
    retry: "Nochmal",
    view: "Ansicht {}",
};

impl Words {
    /// Why a part is asked about, in two or three words.
    #[must_use]
    pub const fn asked(&self, why: &WhyAsked) -> &'static str {
        match why {
            WhyAsked::Undecided { .. } => self.asked_undecided,
            WhyAsked::ModelsDiffer { .. } => self.asked_differ,
            WhyAsked::LabelDiffers { .. } => self.asked_label,
            WhyAsked::NearLimit { .. } => self.asked_near,
            WhyAsked::Control { .. } => self.asked_control,
            WhyAsked::Rare { .. } => self.asked_rare,
            WhyAsked::Rejected { .. } => self.asked_rejected,
        }
    }

    /// How label and model differ, when that is why a part is asked about.
    #[must_use]
    pub fn difference(&self, why: &WhyAsked) -> Option<String> {
        let WhyAsked::LabelDiffers { model, label } = why else { return None };
        let name = |class: &Option<String>| class.clone().unwrap_or_else(|| self.good.to_owned());
        let said = self.label_differs.replace("{model}", &name(model));
        Some(said.replace("{label}", &name(label)))
    }

    /// What somebody said.
    #[must_use]
    pub const fn judgement(&self, judgement: Judgement) -> &'static str {
        match judgement {
            Judgement::Good => self.good,
            Judgement::Bad => self.bad,
            Judgement::Doubt => self.doubt,
            Judgement::Skip => self.skip,
        }
    }
}
