//! Words of the Settings page.

/// The words.
pub struct Words {
    /// How the screen is.
    pub screen: &'static str,
    /// Its language.
    pub language: &'static str,
    /// Dark or light.
    pub light: &'static str,
    /// Dark ground.
    pub dark: &'static str,
    /// Light ground.
    pub bright: &'static str,
    /// How large everything is.
    pub scale: &'static str,
    /// Whether there is a keyboard on the screen.
    pub keyboard: &'static str,
    /// There is: no, yes.
    pub no_yes: [&'static str; 2],
    /// Pictures of the camera a second.
    pub preview: &'static str,
    /// When it locks; its choices are in minutes.
    pub lock: &'static str,
    /// So many minutes; `{}` is the number.
    pub minutes: &'static str,
    /// Share of parts that a second person is asked about.
    pub second: &'static str,
    /// Nobody is asked.
    pub never: &'static str,
    /// Who may change these; `{}` is the role.
    pub only: &'static str,
    /// Everyone who may use the station.
    pub people: &'static str,
    /// Takes somebody off.
    pub remove: &'static str,
    /// Asks again before.
    pub really_remove: &'static str,
    /// Lets somebody use the station.
    pub add: &'static str,
    /// What people call them.
    pub name: &'static str,
    /// What they may do.
    pub role: &'static str,
    /// What they will type, and what that must be.
    pub pin: &'static str,
    /// Who may what.
    pub rights: &'static str,
    /// Things to do, in the order of [`crate::pages`]' table.
    pub tasks: [&'static str; 6],
}

pub const ENGLISH: Words = Words {
    screen: "Screen",
    language: "Language",
    light: "Light",
    dark: "Dark",
    bright: "Light",
    scale: "Size",
    keyboard: "Touch keyboard",
    no_yes: ["Off", "On"],
    preview: "Pictures a second",
    lock: "Locks after",
    minutes: "{} min",
    second: "Asked twice",
    never: "none",
    only: "Changed by: {}",
    people: "People",
    remove: "Remove",
    really_remove: "Really remove?",
    add: "Add somebody",
    name: "Name",
    role: "Role",
    pin: "PIN, 4 or more",
    rights: "Who may what",
    tasks: [
        "Acknowledge alarms",
        "Label parts",
        "Select a recipe",
        "Change limits",
        "Export labels",
        "Start, stop, settings, people",
    ],
};

pub const GERMAN: Words = Words {
    screen: "Bildschirm",
    language: "Sprache",
    light: "Helligkeit",
    dark: "Dunkel",
    bright: "Hell",
    scale: "Größe",
    keyboard: "Touch-Tastatur",
    no_yes: ["Aus", "Ein"],
    preview: "Bilder je Sekunde",
    lock: "Sperrt nach",
    minutes: "{} Min.",
    second: "Doppelt gefragt",
    never: "keine",
    only: "Ändern darf: {}",
    people: "Personen",
    remove: "Entfernen",
    really_remove: "Wirklich entfernen?",
    add: "Jemanden aufnehmen",
    name: "Rufname",
    role: "Aufgabe",
    pin: "PIN, ab 4 Ziffern",
    rights: "Wer darf was",
    tasks: [
        "Meldungen quittieren",
        "Teile beurteilen",
        "Rezept wählen",
        "Grenzen ändern",
        "Urteile ausgeben",
        "Start, Halt, Einstellungen, Personen",
    ],
};
