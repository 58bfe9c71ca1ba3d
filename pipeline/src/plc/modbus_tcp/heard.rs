//! What the PLC writes. Takes its block of words; gives field inputs and commands, and how far the
//! PLC's command is.

use std::ops::Range;

use crossbeam_channel::{Receiver, TryRecvError};
use domain::MonoTime;

use super::map::{self, answer, command, plc};
use super::words::{Unwrapped, WordOrder, step};
use crate::plc::{Asked, CommandAnswer, FieldInput, Inputs, PlcCommand};

/// Who carries the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The PLC writes them as things happen.
    Writing,
    /// We read them every few milliseconds.
    Polling,
}

/// Follows what the PLC wrote.
pub(super) struct Heard {
    by: By,
    order: WordOrder,
    triggers: [Count; map::TRIGGERS],
    confirms: Count,
    encoder: Encoder,
    commands: Commands,
}

impl Heard {
    pub(super) fn new(by: By, order: WordOrder) -> Self {
        Self {
            by,
            order,
            triggers: Default::default(),
            confirms: Count::default(),
            encoder: Encoder::default(),
            commands: Commands::default(),
        }
    }

    /// Takes in the block, of which `fresh` was written or read at `at`.
    pub(super) fn hear(
        &mut self,
        words: &[u16; plc::WORDS],
        fresh: &Range<usize>,
        at: MonoTime,
        inputs: &Inputs,
    ) {
        let order = self.order;
        let double = |place: usize| {
            fresh.contains(&place).then(|| order.value(words[place], words[place + 1]))
        };
        for (input, trigger) in (0..).zip(&mut self.triggers) {
            if let Some(count) = double(plc::TRIGGER_COUNT + 2 * usize::from(input))
                && trigger.follow(count, self.by)
            {
                inputs.hear(FieldInput::Trigger { input, count, at });
            }
        }
        if let Some(count) = double(plc::CONFIRM_COUNT)
            && self.confirms.follow(count, self.by)
        {
            inputs.hear(FieldInput::Confirm { count, at });
        }
        if let Some(count) = double(plc::ENCODER).and_then(|now| self.encoder.follow(now)) {
            inputs.hear(FieldInput::Encoder { count, at });
        }
        if fresh.contains(&plc::COMMAND_REQUEST) {
            self.commands.asked = Some(Request {
                number: words[plc::COMMAND_REQUEST],
                command: words[plc::COMMAND],
                argument: words[plc::COMMAND_ARGUMENT],
            });
        }
        self.commands.turn(inputs);
    }

    /// The request last answered, and the word for the answer.
    pub(super) fn answered(&mut self, inputs: &Inputs) -> (u16, u16) {
        self.commands.turn(inputs);
        let busy = self.commands.running.is_some();
        (self.commands.answered, if busy { answer::BUSY } else { self.commands.answer })
    }
}

/// A count of the PLC's.
#[derive(Clone, Copy, Default)]
struct Count {
    last: Option<u32>,
}

impl Count {
    /// Whether something was counted since the last value. The first value, and one after the PLC
    /// started anew, only says where counting starts, or a part would be made up of every restart;
    /// but 1, written as it happens, is the first part.
    fn follow(&mut self, now: u32, by: By) -> bool {
        match self.last.replace(now).map(|last| step(last, now)) {
            None | Some(i32::MIN..0) => by == By::Writing && now == 1,
            Some(forward) => forward > 0,
        }
    }
}

/// The encoder. One that never moves is none, and is told of once only.
#[derive(Default)]
struct Encoder {
    unwrapped: Unwrapped,
    first: Option<i64>,
    moved: bool,
}

impl Encoder {
    fn follow(&mut self, now: u32) -> Option<i64> {
        let count = self.unwrapped.follow(now);
        let is_first = self.first.is_none();
        self.moved |= *self.first.get_or_insert(count) != count;
        (is_first || self.moved).then_some(count)
    }
}

#[derive(Clone, Copy)]
struct Request {
    number: u16,
    command: u16,
    argument: u16,
}

/// The handshake: one command at a time, each request number once.
#[derive(Default)]
struct Commands {
    asked: Option<Request>,
    taken: Option<u16>,
    running: Option<(u16, Receiver<CommandAnswer>)>,
    answered: u16,
    answer: u16,
}

impl Commands {
    /// Looks for the answer to what runs, then takes up what is asked.
    fn turn(&mut self, inputs: &Inputs) {
        if let Some((number, answered)) = &self.running {
            let answer = match answered.try_recv() {
                Ok(CommandAnswer::Done) => answer::DONE,
                Ok(CommandAnswer::Refused) | Err(TryRecvError::Disconnected) => answer::REFUSED,
                Err(TryRecvError::Empty) => return,
            };
            (self.answered, self.answer) = (*number, answer);
            self.running = None;
        }
        let Some(asked) = self.asked.filter(|asked| Some(asked.number) != self.taken) else {
            return;
        };
        // What is found as the station starts was asked of the station before; it may be long past.
        let is_stale = self.taken.is_none();
        self.taken = Some(asked.number);
        match command_from(asked) {
            _ if asked.number == 0 => (self.answered, self.answer) = (0, answer::NONE),
            Some(command) if !is_stale => {
                let (asking, answered) = Asked::new(command);
                inputs.ask(asking);
                self.running = Some((asked.number, answered));
            }
            _ => (self.answered, self.answer) = (asked.number, answer::REFUSED),
        }
    }
}

fn command_from(asked: Request) -> Option<PlcCommand> {
    match asked.command {
        command::START => Some(PlcCommand::Start),
        command::STOP => Some(PlcCommand::Stop),
        command::SELECT_RECIPE if asked.argument > 0 => {
            Some(PlcCommand::SelectRecipe(asked.argument))
        }
        command::RESET => Some(PlcCommand::Reset),
        command::HOLD => Some(PlcCommand::Hold),
        command::RELEASE => Some(PlcCommand::Release),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkReceiver;
    use crate::plc::inputs;

    struct Bench {
        heard: Heard,
        words: [u16; plc::WORDS],
        inputs: Inputs,
        fields: LinkReceiver<FieldInput>,
        asked: LinkReceiver<Asked>,
    }

    fn bench(by: By) -> Bench {
        let (inputs, mut fields, asked) = inputs(1);
        let heard = Heard::new(by, WordOrder::HighFirst);
        Bench { heard, words: [0; plc::WORDS], inputs, fields: fields.remove(0), asked }
    }

    impl Bench {
        fn write(&mut self, at: usize, words: &[u16]) -> Vec<FieldInput> {
            let fresh = at..at + words.len();
            self.words[fresh.clone()].copy_from_slice(words);
            self.heard.hear(&self.words, &fresh, MonoTime::ZERO, &self.inputs);
            std::iter::from_fn(|| self.fields.try_recv()).collect()
        }

        fn ask(&mut self, number: u16, command: u16, argument: u16) -> (u16, u16) {
            self.write(plc::COMMAND, &[command, argument, number]);
            self.heard.answered(&self.inputs)
        }
    }

    fn triggers(inputs: &[FieldInput]) -> Vec<(u8, u32)> {
        let of = |heard: &FieldInput| match *heard {
            FieldInput::Trigger { input, count, .. } => Some((input, count)),
            _ => None,
        };
        inputs.iter().filter_map(of).collect()
    }

    #[test]
    fn a_trigger_is_a_count_that_moved() {
        let mut bench = bench(By::Writing);
        assert_eq!(triggers(&bench.write(2, &[0, 1])), [(1, 1)], "the first part of a fresh PLC");
        assert_eq!(triggers(&bench.write(2, &[0, 1])), [], "written again is not counted again");
        assert_eq!(triggers(&bench.write(0, &[0, 57])), [], "where counting starts");
        assert_eq!(triggers(&bench.write(0, &[0, 58, 0, 5])), [(0, 58), (1, 5)], "a jump is one");
        assert_eq!(triggers(&bench.write(0, &[0, 0])), [], "the PLC started anew");
        assert_eq!(triggers(&bench.write(0, &[0, 1])), [(0, 1)]);
        assert_eq!(triggers(&bench.write(0, &[0xFFFF, 0xFFFF])), [], "backwards by two");
        assert_eq!(triggers(&bench.write(0, &[0, 0])), [(0, 0)], "wraps");
        assert!(matches!(bench.write(10, &[0, 1])[..], [FieldInput::Confirm { count: 1, .. }]));
    }

    #[test]
    fn what_is_polled_first_is_where_counting_starts() {
        let mut bench = bench(By::Polling);
        let mut block = [0; plc::WORDS];
        block[1] = 1;
        assert_eq!(triggers(&bench.write(0, &block)), []);
        block[1] = 2;
        assert_eq!(triggers(&bench.write(0, &block)), [(0, 2)]);
    }

    #[test]
    fn an_encoder_is_told_of_while_it_moves_and_when_it_stands_afterwards() {
        let mut bench = bench(By::Polling);
        let mut counts = |high: u16, low: u16| {
            let told = bench.write(plc::ENCODER, &[high, low]);
            told.iter()
                .filter_map(|heard| match heard {
                    FieldInput::Encoder { count, .. } => Some(*count),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(counts(0x7FFF, 0xFFFF), [i64::from(i32::MAX)]);
        assert!(counts(0x7FFF, 0xFFFF).is_empty(), "may be no encoder at all");
        assert_eq!(counts(0x8000, 0), [i64::from(i32::MAX) + 1], "on beyond 32 bits");
        assert_eq!(counts(0x8000, 0), [i64::from(i32::MAX) + 1], "standing still is worth knowing");
    }

    #[test]
    fn a_command_runs_once_and_its_answer_comes_back() {
        let mut bench = bench(By::Writing);
        assert_eq!(bench.ask(0, 0, 0), (0, answer::NONE));
        assert_eq!(bench.ask(1, command::SELECT_RECIPE, 4), (0, answer::BUSY));
        let asked = bench.asked.try_recv().unwrap();
        assert_eq!(asked.command, PlcCommand::SelectRecipe(4));
        assert_eq!(bench.ask(1, command::SELECT_RECIPE, 4), (0, answer::BUSY));
        assert!(bench.asked.try_recv().is_none(), "once");
        assert_eq!(bench.ask(2, command::STOP, 0), (0, answer::BUSY), "one at a time");
        asked.answer(CommandAnswer::Done);
        assert_eq!(bench.heard.answered(&bench.inputs), (1, answer::BUSY), "then the next");
        drop(bench.asked.try_recv());
        assert_eq!(bench.heard.answered(&bench.inputs), (2, answer::REFUSED));
    }

    #[test]
    fn what_nobody_can_mean_is_refused() {
        let mut bench = bench(By::Writing);
        assert_eq!(
            bench.ask(9, command::START, 0),
            (9, answer::REFUSED),
            "asked before we started"
        );
        assert_eq!(bench.ask(10, 77, 0), (10, answer::REFUSED));
        assert_eq!(bench.ask(11, command::SELECT_RECIPE, 0), (11, answer::REFUSED));
        assert!(bench.asked.try_recv().is_none());
        assert_eq!(bench.ask(0, command::START, 0), (0, answer::NONE));
        assert_eq!(bench.ask(12, command::START, 0), (0, answer::BUSY));
    }
}
