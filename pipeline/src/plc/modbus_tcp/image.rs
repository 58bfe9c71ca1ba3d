//! What the PLC reads. Takes verdicts, the line's status, the gate and answers to commands; gives
//! words, laid out as [`map`] says.

use std::ops::Range;
use std::time::Duration;

use domain::{GateSignal, LineState, Verdict};

use super::map::{self, flag, slot, station};
use super::reason;
use super::words::{WordOrder, wrapped};
use crate::plc::{PlcStatus, Telling};

/// The block of words that the station writes.
pub(super) struct Image {
    words: [u16; station::WORDS],
    order: WordOrder,
    defects: Vec<String>,
}

/// The words of the verdict of `sequence` in the ring.
pub(super) fn ring_slot(sequence: u16) -> Range<usize> {
    let at = station::RING + usize::from(sequence) % map::RING * map::SLOT_WORDS;
    at..at + map::SLOT_WORDS
}

const fn state_word(state: LineState) -> u16 {
    match state {
        LineState::Off => 0,
        LineState::Starting => 1,
        LineState::Running => 2,
        LineState::Degraded => 3,
        LineState::Stopping => 4,
    }
}

const fn verdict_word(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Pass => 1,
        Verdict::Reject { .. } => 2,
        Verdict::Undecided { .. } => 3,
    }
}

fn micros(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}

impl Image {
    pub(super) fn new(order: WordOrder, defects: Vec<String>, run: u16) -> Self {
        let mut image = Self { words: [0; station::WORDS], order, defects };
        image.words[station::MAP_VERSION] = map::VERSION;
        image.words[station::RUN] = run;
        image.words[station::RING_LENGTH] = 16;
        image
    }

    pub(super) const fn words(&self) -> &[u16; station::WORDS] {
        &self.words
    }

    pub(super) const fn sequence(&self) -> u16 {
        self.words[station::SEQUENCE]
    }

    pub(super) const fn bit(&self, bit: usize) -> bool {
        self.words[station::FLAGS] >> bit & 1 == 1
    }

    fn set_bit(&mut self, bit: usize, on: bool) {
        let word = &mut self.words[station::FLAGS];
        *word = *word & !(1 << bit) | u16::from(on) << bit;
    }

    fn set_u32(&mut self, at: usize, value: u32) {
        self.words[at..at + 2].copy_from_slice(&self.order.words(value));
    }

    /// Puts a verdict into the ring and in the place of the last; gives its sequence number.
    pub(super) fn tell(&mut self, telling: &Telling) -> u16 {
        let sequence = self.sequence().wrapping_add(1);
        let part = wrapped(telling.part.0);
        let verdict = verdict_word(&telling.verdict);
        let is_reject = telling.signal == GateSignal::Reject;
        let signal = if is_reject { 2 } else { 1 };
        let reason = reason::code(&telling.verdict, &self.defects);
        let at = ring_slot(sequence).start;
        self.set_u32(at + slot::PART, part);
        self.words[at + slot::VERDICT] = verdict;
        self.words[at + slot::SIGNAL] = signal;
        self.words[at + slot::REASON] = reason;
        self.words[at + slot::SEQUENCE] = sequence;
        self.set_u32(station::LAST_PART, part);
        self.set_u32(station::LAST_TOOK, micros(telling.took));
        self.words[station::LAST_VERDICT] = verdict;
        self.words[station::LAST_SIGNAL] = signal;
        self.words[station::LAST_REASON_CLASS] = reason::class(reason);
        self.words[station::LAST_REASON] = reason;
        self.words[station::SEQUENCE] = sequence;
        self.set_bit(flag::LAST_REJECT, is_reject);
        sequence
    }

    /// Opens or closes the gate.
    pub(super) fn gate(&mut self, open: bool) {
        self.set_bit(flag::GATE, open);
    }

    /// Shows `status`, and beats the heart once.
    pub(super) fn status(&mut self, status: &PlcStatus) {
        let beat = self.words[station::HEARTBEAT].wrapping_add(1);
        self.words[station::HEARTBEAT] = beat;
        self.words[station::STATE] = state_word(status.state);
        self.words[station::RECIPE] = status.recipe;
        self.set_bit(flag::READY, status.state.is_ready());
        self.set_bit(flag::BEAT, beat & 1 == 1);
        let counters = [
            (station::TRIGGERED, status.parts.triggered),
            (station::PASSED, status.parts.passed),
            (station::REJECTED, status.parts.rejected),
            (station::UNDECIDED, status.parts.undecided),
            (station::IN_LINE, status.parts.in_line),
            (station::TOLD_REJECT, status.told_reject),
            (station::DEADLINE_MISSES, status.deadline_misses),
            (station::CAMERA_FAULTS, status.camera_faults),
            (station::REJECTS_UNCONFIRMED, status.rejects_unconfirmed),
        ];
        for (at, count) in counters {
            self.set_u32(at, wrapped(count));
        }
        self.set_u32(station::TOOK_MIN, micros(status.took_min));
        self.set_u32(station::TOOK_MEAN, micros(status.took_mean));
        self.set_u32(station::TOOK_MAX, micros(status.took_max));
    }

    /// Shows how far the PLC's command is. Whether anything changed.
    pub(super) fn command(&mut self, answered: u16, answer: u16) -> bool {
        let words = &mut self.words[station::COMMAND_ANSWERED..=station::COMMAND_ANSWER];
        let changed = words != [answered, answer];
        words.copy_from_slice(&[answered, answer]);
        changed
    }
}

#[cfg(test)]
mod tests {
    use domain::{AnsweredBy, Conservation, MonoTime, PartId, Why};

    use super::*;

    fn telling(part: u64) -> Telling {
        Telling {
            part: PartId(part),
            signal: GateSignal::Reject,
            verdict: Verdict::Undecided { why: Why::Deadline },
            answered_by: AnsweredBy::FailSafe,
            took: Duration::from_millis(70),
            told_at: MonoTime::ZERO,
        }
    }

    #[test]
    fn a_verdict_lies_in_its_slot_and_in_the_last_place() {
        let mut image = Image::new(WordOrder::HighFirst, vec![], 7);
        assert_eq!(image.tell(&telling(0x0001_0002)), 1);
        let words = image.words();
        assert_eq!(words[ring_slot(1)], [1, 3, 1, 2, 2, 501]);
        assert_eq!(
            words[32..42],
            [1, 2, 1, 4464, 3, 2, 5, 501, 4, 1],
            "70 000 µs: 1 · 2^16 + 4464"
        );
        assert!(image.bit(flag::LAST_REJECT) && !image.bit(flag::READY));
    }

    #[test]
    fn the_sixteen_last_verdicts_are_there_even_when_the_sequence_wraps() {
        let mut image = Image::new(WordOrder::LowFirst, vec![], 7);
        for part in 1..=70_000 {
            image.tell(&telling(part));
        }
        for back in 0..16_u16 {
            let sequence = image.sequence().wrapping_sub(back);
            let entry = &image.words()[ring_slot(sequence)];
            assert_eq!(entry[slot::SEQUENCE], sequence);
            let part = WordOrder::LowFirst.value(entry[slot::PART], entry[slot::PART + 1]);
            assert_eq!(part, 70_000 - u32::from(back));
        }
    }

    #[test]
    fn a_status_beats_the_heart_and_wraps_counters() {
        let mut image = Image::new(WordOrder::HighFirst, vec![], 7);
        let parts = Conservation { triggered: (1 << 32) + 5, ..Conservation::default() };
        let status =
            PlcStatus { state: LineState::Running, parts, recipe: 3, ..Default::default() };
        image.gate(true);
        image.status(&status);
        assert_eq!(image.words()[..10], [1, 7, 1, 2, 16, 3, 0, 0, 0, 5]);
        assert_eq!(image.words()[station::FLAGS], 0b1011);
        image.gate(false);
        image.status(&PlcStatus { state: LineState::Degraded, ..status });
        assert_eq!(image.words()[2..4], [2, 3]);
        assert_eq!(image.words()[station::FLAGS], 0, "no ready, no gate, the beat bit fell");
    }
}
