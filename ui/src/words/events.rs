//! What happens on a line, in a sentence for whoever stands there: by the event's name, what it is
//! and what to look after.

/// A sentence an event.
pub struct Words([(&'static str, &'static str); 40]);

impl Words {
    /// What an event of that name is, `None` for a name that this screen does not know.
    #[must_use]
    pub fn sentence(&self, name: &str) -> Option<&'static str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, sentence)| *sentence)
    }
}

impl super::Words {
    /// What an event of that name is; the name itself when this screen does not know it.
    #[must_use]
    pub fn event<'a>(&self, name: &'a str) -> &'a str {
        self.events.sentence(name).unwrap_or(name)
    }
}

pub const ENGLISH: Words = Words([
    ("background_relearnt", "The picture changed all over and is learnt again"),
    ("blob_ignored", "Something too small for a part was ignored"),
    ("part_cut", "A part was never seen whole"),
    ("parts_merged", "Parts touch each other: space them out"),
    ("frame_dropped", "The line is too busy: pictures were dropped"),
    ("deadline_missed", "No result in time: the fail-safe answered"),
    ("late_inspection", "A result came too late"),
    ("stage_failed", "A step of the inspection failed"),
    ("stage_restarted", "A step of the inspection works again"),
    ("camera_lost", "A camera gives no pictures: check cable and power"),
    ("camera_back", "The camera gives pictures again"),
    ("frames_missing", "Pictures are lost on the way from the camera"),
    ("camera_slow", "A camera is slower than it should be"),
    ("trigger_without_frame", "A part was triggered and there is no picture of it"),
    ("triggers_missing", "Triggers never arrived: check the sensor"),
    ("plc_lost", "The PLC cannot be reached"),
    ("plc_back", "The PLC is there again"),
    ("verdict_not_taken", "The PLC did not take a verdict"),
    ("reject_not_confirmed", "A bad part was not seen to fall: check the gate"),
    ("reject_too_late", "A bad part passed the gate before it opened"),
    ("passed_part_ejected", "A good part was thrown out with a bad one"),
    ("confirm_unexpected", "Something fell at the gate that was not thrown out"),
    ("encoder_implausible", "The encoder says what a belt cannot do: check it"),
    ("pictures_given_up", "The disk is too slow: pictures were given up"),
    ("record_stuck", "Nothing can be written to disk: verdicts go on"),
    ("not_recorded", "A part could not be written down"),
    ("recording_again", "The disk takes records again"),
    ("clock_jumped", "The clock of this computer jumped"),
    ("recipe_changed", "Another recipe is in force"),
    ("model_on_cpu", "The model runs on the CPU, slower than planned"),
    ("clip_cleared", "A clip that the cloud keeps made room here"),
    ("clip_evicted", "A clip was removed before the cloud kept it"),
    ("clip_lost", "A clip could not be made"),
    ("clips_nearly_full", "Clips wait for the cloud and their room is nearly full"),
    ("upload_trouble", "Clips cannot be sent: they wait on this disk"),
    ("upload_works", "Clips are sent again"),
    ("clip_quarantined", "The cloud will never take a clip: look at it"),
    ("clips_held", "Clips are not sent for now"),
    ("calibration_lost", "A camera's calibration does not hold: check lens and light"),
    ("calibration_holds", "The camera's calibration holds again"),
]);

pub const GERMAN: Words = Words([
    ("background_relearnt", "Das ganze Bild hat sich verändert und wird neu gelernt"),
    ("blob_ignored", "Etwas, das zu klein für ein Teil ist, wurde übergangen"),
    ("part_cut", "Ein Teil war nie ganz im Bild"),
    ("parts_merged", "Teile berühren sich: Abstand vergrößern"),
    ("frame_dropped", "Die Linie ist überlastet: Bilder wurden verworfen"),
    ("deadline_missed", "Kein Ergebnis zur rechten Zeit: Notentscheid"),
    ("late_inspection", "Ein Ergebnis kam zu spät"),
    ("stage_failed", "Ein Schritt der Prüfung ist ausgefallen"),
    ("stage_restarted", "Ein Schritt der Prüfung arbeitet wieder"),
    ("camera_lost", "Eine Kamera liefert keine Bilder: Kabel und Strom prüfen"),
    ("camera_back", "Die Kamera liefert wieder Bilder"),
    ("frames_missing", "Bilder gehen auf dem Weg von der Kamera verloren"),
    ("camera_slow", "Eine Kamera ist langsamer als vorgesehen"),
    ("trigger_without_frame", "Ein Teil wurde ausgelöst, aber es gibt kein Bild davon"),
    ("triggers_missing", "Auslöser kamen nicht an: Sensor prüfen"),
    ("plc_lost", "Die SPS ist nicht erreichbar"),
    ("plc_back", "Die SPS ist wieder da"),
    ("verdict_not_taken", "Die SPS hat ein Urteil nicht angenommen"),
    ("reject_not_confirmed", "Ein schlechtes Teil fiel nicht: Ausschleuser prüfen"),
    ("reject_too_late", "Ein schlechtes Teil war schon vorbei, als ausgeschleust wurde"),
    ("passed_part_ejected", "Ein gutes Teil wurde mit ausgeschleust"),
    ("confirm_unexpected", "Etwas fiel, das nicht ausgeschleust wurde"),
    ("encoder_implausible", "Der Drehgeber meldet Unmögliches: prüfen"),
    ("pictures_given_up", "Die Platte ist zu langsam: Bilder wurden aufgegeben"),
    ("record_stuck", "Nichts lässt sich speichern: Urteile gehen weiter"),
    ("not_recorded", "Ein Teil ließ sich nicht speichern"),
    ("recording_again", "Es wird wieder gespeichert"),
    ("clock_jumped", "Die Uhr dieses Rechners ist gesprungen"),
    ("recipe_changed", "Ein anderes Rezept gilt"),
    ("model_on_cpu", "Das Modell rechnet auf der CPU, langsamer als geplant"),
    ("clip_cleared", "Ein Clip, den die Cloud hat, machte hier Platz"),
    ("clip_evicted", "Ein Clip wurde entfernt, bevor die Cloud ihn hatte"),
    ("clip_lost", "Ein Clip ließ sich nicht erstellen"),
    ("clips_nearly_full", "Clips warten auf die Cloud, ihr Platz ist fast voll"),
    ("upload_trouble", "Clips lassen sich nicht senden: sie warten auf der Platte"),
    ("upload_works", "Clips werden wieder gesendet"),
    ("clip_quarantined", "Die Cloud nimmt einen Clip nie an: bitte ansehen"),
    ("clips_held", "Clips werden zurzeit nicht gesendet"),
    ("calibration_lost", "Die Kalibrierung einer Kamera gilt nicht: Optik und Licht prüfen"),
    ("calibration_holds", "Die Kalibrierung der Kamera gilt wieder"),
]);

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of all events, from where they are written.
    fn names() -> Vec<&'static str> {
        let source = include_str!("../../../domain/src/event.rs");
        let from = source.find("pub const fn name(&self)").unwrap();
        let body = &source[from..from + source[from..].find("\n    }\n").unwrap()];
        body.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_event_has_a_sentence_in_every_language() {
        let names = names();
        assert!(names.len() > 30, "{names:?}");
        for words in [&ENGLISH, &GERMAN] {
            for name in &names {
                assert!(words.sentence(name).is_some(), "no sentence for {name}");
            }
            assert_eq!(words.0.len(), names.len(), "a sentence for an event that is gone");
        }
        for name in names {
            assert_ne!(ENGLISH.sentence(name), GERMAN.sentence(name), "{name}");
        }
    }
}
