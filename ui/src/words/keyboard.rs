//! Words of the keyboard on the screen, and how its letters lie.

/// The words.
pub struct Words {
    /// What its four rows of keys write, from the top; the others are named.
    pub rows: [&'static str; 4],
    /// The next letter is a capital.
    pub shift: &'static str,
    /// Removes the letter before.
    pub backspace: &'static str,
    /// Between words.
    pub space: &'static str,
    /// All is written.
    pub enter: &'static str,
    /// The keyboard goes away.
    pub close: &'static str,
}

pub const ENGLISH: Words = Words {
    rows: ["1234567890ß", "qwertyuiopü'", "asdfghjklöä#", "zxcvbnm,.-/"],
    shift: "Shift",
    backspace: "Delete letter",
    space: "Space",
    enter: "Enter",
    close: "Close keyboard",
};

pub const GERMAN: Words = Words {
    rows: ["1234567890ß", "qwertzuiopü'", "asdfghjklöä#", "yxcvbnm,.-/"],
    shift: "Umschalten",
    backspace: "Zeichen löschen",
    space: "Leertaste",
    enter: "Eingabe",
    close: "Tastatur zu",
};
