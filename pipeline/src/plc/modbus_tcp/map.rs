//! The published register map: takes nothing; gives every word's place, form and meaning. What the
//! code reads and writes, and `docs/plc.md` and `docs/plc.csv`, come from here.

/// Number of this map; grows when a word moves or changes its meaning.
pub const VERSION: u16 = 1;

/// How many trigger inputs the PLC may count.
pub const TRIGGERS: usize = 4;

/// How many verdicts the ring holds.
pub const RING: usize = 16;

/// Words of one verdict in the ring.
pub const SLOT_WORDS: usize = 6;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One word, unsigned.
    U16,
    /// Two words, unsigned; wraps.
    U32,
    /// Two words; wraps. Signed or not makes no difference to how it is unwrapped.
    I32,
}

impl Form {
    /// How many words it takes.
    #[must_use]
    pub const fn words(self) -> usize {
        match self {
            Self::U16 => 1,
            Self::U32 | Self::I32 => 2,
        }
    }

    /// As the documents call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::I32 => "i32",
        }
    }
}

/// One value of the map.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Its name.
    pub name: &'static str,
    /// Words from the start of its block.
    pub at: usize,
    /// Its form.
    pub form: Form,
    /// Its unit; empty for a bare number.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

const fn row(
    name: &'static str,
    at: usize,
    form: Form,
    unit: &'static str,
    meaning: &'static str,
) -> Register {
    Register { name, at, form, unit, meaning }
}

/// Places in the block that the station writes.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod station {
    pub const MAP_VERSION: usize = 0;
    pub const RUN: usize = 1;
    pub const HEARTBEAT: usize = 2;
    pub const STATE: usize = 3;
    pub const RING_LENGTH: usize = 4;
    pub const RECIPE: usize = 5;
    pub const COMMAND_ANSWERED: usize = 6;
    pub const COMMAND_ANSWER: usize = 7;
    pub const TRIGGERED: usize = 8;
    pub const PASSED: usize = 10;
    pub const REJECTED: usize = 12;
    pub const UNDECIDED: usize = 14;
    pub const IN_LINE: usize = 16;
    pub const TOLD_REJECT: usize = 18;
    pub const DEADLINE_MISSES: usize = 20;
    pub const CAMERA_FAULTS: usize = 22;
    pub const REJECTS_UNCONFIRMED: usize = 24;
    pub const TOOK_MIN: usize = 26;
    pub const TOOK_MEAN: usize = 28;
    pub const TOOK_MAX: usize = 30;
    pub const LAST_PART: usize = 32;
    pub const LAST_TOOK: usize = 34;
    pub const LAST_VERDICT: usize = 36;
    pub const LAST_SIGNAL: usize = 37;
    pub const LAST_REASON_CLASS: usize = 38;
    pub const LAST_REASON: usize = 39;
    pub const FLAGS: usize = 40;
    pub const SEQUENCE: usize = 41;
    pub const RING: usize = 42;
    /// Words in all.
    pub const WORDS: usize = RING + super::RING * super::SLOT_WORDS;
}

/// Places in one verdict of the ring.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod slot {
    pub const SEQUENCE: usize = 0;
    pub const VERDICT: usize = 1;
    pub const PART: usize = 2;
    pub const SIGNAL: usize = 4;
    pub const REASON: usize = 5;
}

/// Places in the block that the PLC writes.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod plc {
    pub const TRIGGER_COUNT: usize = 0;
    pub const ENCODER: usize = 8;
    pub const CONFIRM_COUNT: usize = 10;
    pub const COMMAND: usize = 12;
    pub const COMMAND_ARGUMENT: usize = 13;
    pub const COMMAND_REQUEST: usize = 14;
    pub const ALIVE: usize = 15;
    /// Words in all.
    pub const WORDS: usize = 16;
}

/// Bits of the word `flags`; also readable as bits (discrete inputs and coils) of these addresses.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod flag {
    pub const READY: usize = 0;
    pub const GATE: usize = 1;
    pub const LAST_REJECT: usize = 2;
    pub const BEAT: usize = 3;
    /// Bits in all.
    pub const BITS: usize = 4;
}

/// What the station writes and the PLC reads, but for the ring.
pub const STATION: [Register; 29] = {
    use Form::{U16, U32};
    use station as at;
    [
        row("map_version", at::MAP_VERSION, U16, "", "Version of this map: 1."),
        row(
            "run",
            at::RUN,
            U16,
            "",
            "Another number, never 0, each time the station starts. When it changes, the station \
             has forgotten everything: write `command_request` 0 and your counts again, and take \
             `sequence` as it is for the last one you know.",
        ),
        row(
            "heartbeat",
            at::HEARTBEAT,
            U16,
            "0.1 s",
            "Counts up ten times a second while the line is alive; wraps. If it stands still for \
             half a second, treat the station as dead, whatever the other words say.",
        ),
        row(
            "state",
            at::STATE,
            U16,
            "",
            "0 off, 1 starting, 2 running, 3 degraded (something is missing; parts are answered, \
             some fail-safe), 4 stopping.",
        ),
        row("ring_length", at::RING_LENGTH, U16, "", "Verdicts in the ring: 16."),
        row("recipe", at::RECIPE, U16, "", "Number of the recipe in force, from 1; 0 none."),
        row(
            "command_answered",
            at::COMMAND_ANSWERED,
            U16,
            "",
            "The last `command_request` that was answered.",
        ),
        row(
            "command_answer",
            at::COMMAND_ANSWER,
            U16,
            "",
            "0 none, 1 done, 2 refused, 3 busy: the request is being carried out, wait for \
             `command_answered`.",
        ),
        row("triggered", at::TRIGGERED, U32, "parts", "Parts located or triggered."),
        row("passed", at::PASSED, U32, "parts", "Of these, verdict pass."),
        row("rejected", at::REJECTED, U32, "parts", "Of these, verdict reject."),
        row("undecided", at::UNDECIDED, U32, "parts", "Of these, verdict undecided."),
        row(
            "in_line",
            at::IN_LINE,
            U32,
            "parts",
            "Not answered yet; triggered = passed + rejected + undecided + in_line.",
        ),
        row(
            "told_reject",
            at::TOLD_REJECT,
            U32,
            "parts",
            "Parts that the gate was told to reject.",
        ),
        row(
            "deadline_misses",
            at::DEADLINE_MISSES,
            U32,
            "parts",
            "Parts that the fail-safe answered because no inspection came in time.",
        ),
        row("camera_faults", at::CAMERA_FAULTS, U32, "", "How often a camera was lost."),
        row(
            "rejects_unconfirmed",
            at::REJECTS_UNCONFIRMED,
            U32,
            "parts",
            "Rejected parts that the confirm sensor did not see fall.",
        ),
        row("took_min", at::TOOK_MIN, U32, "µs", "Shortest time from trigger to signal."),
        row("took_mean", at::TOOK_MEAN, U32, "µs", "Mean time from trigger to signal."),
        row("took_max", at::TOOK_MAX, U32, "µs", "Longest time from trigger to signal."),
        row("last_part", at::LAST_PART, U32, "", "Number of the part answered last, from 1."),
        row("last_took", at::LAST_TOOK, U32, "µs", "Its time from trigger to signal."),
        row(
            "last_verdict",
            at::LAST_VERDICT,
            U16,
            "",
            "0 none yet, 1 pass, 2 reject, 3 undecided. What to do with the part is `last_signal`.",
        ),
        row("last_signal", at::LAST_SIGNAL, U16, "", "0 none yet, 1 let it pass, 2 reject it."),
        row("last_reason_class", at::LAST_REASON_CLASS, U16, "", "See the table of reasons."),
        row("last_reason", at::LAST_REASON, U16, "", "See the table of reasons."),
        row("flags", at::FLAGS, U16, "", "Bits; see the table of bits."),
        row(
            "sequence",
            at::SEQUENCE,
            U16,
            "",
            "Counts up with every verdict, from 0; wraps. Written after the words it speaks of: \
             when you see it move, they are whole.",
        ),
        row(
            "ring",
            at::RING,
            U16,
            "",
            "The ring of the last 16 verdicts; see its table. The verdict of sequence n lies in \
             slot n mod 16.",
        ),
    ]
};

/// One verdict of the ring.
pub const SLOT: [Register; 5] = {
    use Form::{U16, U32};
    [
        row("sequence", slot::SEQUENCE, U16, "", "Its `sequence`; another one: the slot is older."),
        row("verdict", slot::VERDICT, U16, "", "As `last_verdict`; 0: never written."),
        row("part", slot::PART, U32, "", "As `last_part`."),
        row("signal", slot::SIGNAL, U16, "", "As `last_signal`."),
        row("reason", slot::REASON, U16, "", "As `last_reason`."),
    ]
};

/// What the PLC writes and the station reads.
pub const PLC: [Register; 10] = {
    use Form::{I32, U16, U32};
    const TRIGGER: &str = "Counts up with every part at this trigger; wraps. Write both words in \
                           one request.";
    [
        row("trigger_count_0", plc::TRIGGER_COUNT, U32, "parts", TRIGGER),
        row("trigger_count_1", plc::TRIGGER_COUNT + 2, U32, "parts", TRIGGER),
        row("trigger_count_2", plc::TRIGGER_COUNT + 4, U32, "parts", TRIGGER),
        row("trigger_count_3", plc::TRIGGER_COUNT + 6, U32, "parts", TRIGGER),
        row(
            "encoder",
            plc::ENCODER,
            I32,
            "counts",
            "Where the belt is; wraps, backwards falls. Write both words in one request.",
        ),
        row(
            "confirm_count",
            plc::CONFIRM_COUNT,
            U32,
            "parts",
            "Counts up with every part seen to fall at the reject gate; wraps. Write both words \
             in one request.",
        ),
        row(
            "command",
            plc::COMMAND,
            U16,
            "",
            "0 none, 1 start, 2 stop, 3 change to the recipe `command_argument`, 4 reset alarms \
             and the shift's counters, 5 hold: nobody changes or selects a recipe at the station's \
             screen, nor stops the line there, until 6 release (or the PLC is lost).",
        ),
        row(
            "command_argument",
            plc::COMMAND_ARGUMENT,
            U16,
            "",
            "For command 3: the recipe's number, from 1.",
        ),
        row(
            "command_request",
            plc::COMMAND_REQUEST,
            U16,
            "",
            "Another number than before, not 0: carry out `command`. 0: nothing asked.",
        ),
        row(
            "alive",
            plc::ALIVE,
            U16,
            "",
            "Anything. A place to write to when there is nothing else to say.",
        ),
    ]
};

/// The bits of `flags`.
pub const FLAGS: [(usize, &str, &str); flag::BITS] = [
    (flag::READY, "ready", "The line runs and inspects every part. Off: do not feed parts."),
    (flag::GATE, "gate", "Reject gate open; only where the station tracks parts to the gate."),
    (flag::LAST_REJECT, "last_reject", "The part answered last is to be rejected."),
    (flag::BEAT, "beat", "The heartbeat's lowest bit: changes every 0.1 s."),
];

/// The commands, as the PLC writes them.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod command {
    pub const NONE: u16 = 0;
    pub const START: u16 = 1;
    pub const STOP: u16 = 2;
    pub const SELECT_RECIPE: u16 = 3;
    pub const RESET: u16 = 4;
    pub const HOLD: u16 = 5;
    pub const RELEASE: u16 = 6;
}

/// The answers to a command.
#[expect(missing_docs, reason = "the table says what each is")]
pub mod answer {
    pub const NONE: u16 = 0;
    pub const DONE: u16 = 1;
    pub const REFUSED: u16 = 2;
    pub const BUSY: u16 = 3;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_no_gap(rows: &[Register], words: usize) {
        let mut next = 0;
        for row in rows {
            assert_eq!(row.at, next, "{} leaves a gap or overlaps", row.name);
            assert!(row.form == Form::U16 || row.at % 2 == 0, "{} is at an odd place", row.name);
            next += row.form.words();
        }
        assert_eq!(next, words);
    }

    #[test]
    fn every_word_belongs_to_one_value() {
        let (ring, single) = (&STATION[28], &STATION[..28]);
        has_no_gap(single, ring.at);
        has_no_gap(&SLOT, SLOT_WORDS);
        has_no_gap(&PLC, plc::WORDS);
        assert_eq!(station::WORDS, station::RING + RING * SLOT_WORDS);
    }

    #[test]
    fn a_verdicts_place_follows_from_its_sequence_even_when_that_wraps() {
        assert_eq!((usize::from(u16::MAX) + 1) % RING, 0);
    }

    #[test]
    fn the_ring_and_the_rest_are_read_in_one_request_each() {
        const { assert!(RING * SLOT_WORDS < 123 && station::SEQUENCE < 123) };
    }
}
