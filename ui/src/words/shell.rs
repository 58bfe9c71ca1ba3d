//! Words around every page: the bar, states, verdicts, people, answers.

/// The words.
pub struct Words {
    /// Names of the pages, in the order of `Page::ALL`.
    pub pages: [&'static str; 8],
    /// States of the line, in the order of `LineState`.
    pub states: [&'static str; 5],
    /// There is only a store.
    pub no_line: &'static str,
    /// A part that is good.
    pub pass: &'static str,
    /// A part that is thrown out.
    pub reject: &'static str,
    /// A part of which it is not known.
    pub undecided: &'static str,
    /// Nobody is logged in.
    pub log_in: &'static str,
    /// Whoever is logged in goes.
    pub log_out: &'static str,
    /// Asks who it is.
    pub who_are_you: &'static str,
    /// Asks for the PIN.
    pub pin: &'static str,
    /// Leaves without.
    pub cancel: &'static str,
    /// Removes the last digit.
    pub delete: &'static str,
    /// Agrees.
    pub ok: &'static str,
    /// Nobody may use the station yet.
    pub no_people: &'static str,
    /// Roles, in the order of `Role::ALL`.
    pub roles: [&'static str; 3],
    /// Refused: who is logged in may not; `{}` is the role.
    pub needs_role: &'static str,
    /// Refused: wrong PIN.
    pub wrong_pin: &'static str,
    /// Refused: wait `{}` seconds.
    pub wait: &'static str,
    /// Refused: the PLC holds the line.
    pub plc_holds: &'static str,
    /// Refused: nobody is logged in.
    pub log_in_first: &'static str,
    /// Done.
    pub done: &'static str,
    /// In the bar, while nobody is logged in and somebody wants something that needs it.
    pub to_go_on: &'static str,
    /// Somebody has seen it.
    pub acknowledge: &'static str,
    /// How many more alarms there are; `{}` is the number.
    pub more_alarms: &'static str,
    /// How often it happened; `{}` is the number.
    pub times: &'static str,
    /// When it happened last; `{}` is the time.
    pub last_at: &'static str,
    /// The lamp while no part has come.
    pub waiting: &'static str,
    /// The fail-safe answered.
    pub fail_safe: &'static str,
    /// Milliseconds; `{}` is the number.
    pub ms: &'static str,
    /// Stages, in the order of `Stage::ALL`.
    pub stages: [&'static str; 8],
    /// The picture is being read.
    pub reading: &'static str,
    /// The recipe in force; `{}` is its name.
    pub recipe: &'static str,
    /// Asked for and not done; `{}` is why, in English.
    pub failed: &'static str,
}

pub const ENGLISH: Words = Words {
    pages: ["Live", "Review", "Label", "History", "Recipe", "Calibrate", "Health", "Settings"],
    states: ["Off", "Starting", "Running", "Degraded", "Stopping"],
    no_line: "Review",
    pass: "PASS",
    reject: "REJECT",
    undecided: "UNDECIDED",
    log_in: "Log in",
    log_out: "Log out",
    who_are_you: "Who are you?",
    pin: "PIN",
    cancel: "Cancel",
    delete: "Delete",
    ok: "OK",
    no_people: "Nobody may use this station yet. An administrator adds people: \
                sightline people add",
    roles: ["Operator", "Quality", "Engineer"],
    needs_role: "Needs the role {}",
    wrong_pin: "That is not the PIN",
    wait: "Too many wrong PINs: wait {} s",
    plc_holds: "The PLC holds the line: not now",
    log_in_first: "Log in first",
    done: "Done",
    to_go_on: "Log in to go on",
    acknowledge: "Acknowledge",
    more_alarms: "{} more",
    times: "{}×",
    last_at: "last at {}",
    waiting: "WAITING",
    fail_safe: "fail-safe",
    ms: "{} ms",
    stages: ["Capture", "Locate", "Prepare", "Infer", "Decide", "Act", "Record", "Upload"],
    reading: "Loading …",
    recipe: "Recipe {}",
    failed: "Not done: {}",
};

pub const GERMAN: Words = Words {
    pages: [
        "Live",
        "Prüfen",
        "Markieren",
        "Verlauf",
        "Rezept",
        "Kalibrieren",
        "Zustand",
        "Einstellungen",
    ],
    states: ["Aus", "Startet", "Läuft", "Gestört", "Hält an"],
    no_line: "Nachprüfung",
    pass: "GUT",
    reject: "AUSSCHUSS",
    undecided: "UNKLAR",
    log_in: "Anmelden",
    log_out: "Abmelden",
    who_are_you: "Wer sind Sie?",
    pin: "PIN",
    cancel: "Abbrechen",
    delete: "Löschen",
    ok: "OK",
    no_people: "Noch darf niemand diese Station benutzen. So kommt jemand dazu: \
                sightline people add",
    roles: ["Werker", "Qualität", "Einrichter"],
    needs_role: "Nur mit der Rolle {}",
    wrong_pin: "Das ist nicht die PIN",
    wait: "Zu oft falsch: {} s warten",
    plc_holds: "Die SPS hält die Linie: jetzt nicht",
    log_in_first: "Bitte erst anmelden",
    done: "Erledigt",
    to_go_on: "Zum Fortfahren anmelden",
    acknowledge: "Quittieren",
    more_alarms: "{} weitere",
    times: "{}×",
    last_at: "zuletzt {}",
    waiting: "WARTET",
    fail_safe: "Notentscheid",
    ms: "{} ms",
    stages: [
        "Aufnehmen",
        "Finden",
        "Vorbereiten",
        "Erkennen",
        "Entscheiden",
        "Ausgeben",
        "Speichern",
        "Hochladen",
    ],
    reading: "Lädt …",
    recipe: "Rezept {}",
    failed: "Nicht erledigt: {}",
};
