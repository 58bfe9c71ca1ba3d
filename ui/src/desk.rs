//! Where commands leave the screen: takes what pages ask for, gives it to the station once the
//! person at the screen may ask for it, and keeps the answers for whoever waits for them.

use std::collections::BTreeMap;

use domain::{Command, Role};

use crate::{Person, Station};

/// A command that was given, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask(pub u64);

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is done; what was to be written is on disk.
    Done,
    /// It is done, and this is worth knowing.
    Said(String),
    /// It is not done.
    Refused(Refusal),
}

/// Why a command is not done.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Nobody is logged in.
    LogInFirst,
    /// Who is logged in may not.
    Needs(Role),
    /// That is not their PIN.
    WrongPin,
    /// Too many wrong PINs; not before so many seconds.
    Wait(u32),
    /// The PLC holds the line.
    PlcHolds,
    /// It went wrong, in English: what, and what would be right.
    Failed(String),
}

/// The desk.
#[derive(Default)]
pub struct Desk {
    /// Asked for on this pass.
    fresh: Vec<Command>,
    /// Waits until somebody who may has logged in.
    pub(crate) held: Option<Command>,
    /// Somebody who may as much is wanted at the screen, without a command.
    pub(crate) wanted: Option<Role>,
    /// The log-in that is being checked.
    log_in: Option<Ask>,
    /// What became of it.
    pub(crate) logged_in: Option<Answer>,
    /// What was refused last, until the screen has shown it.
    pub(crate) refused: Option<Refusal>,
    answers: BTreeMap<Ask, Answer>,
    last: Vec<Ask>,
}

impl Desk {
    /// Asks for `command`. When the person at the screen may not, it is kept and the log-in is
    /// shown; it is given as soon as somebody who may has logged in.
    pub fn ask(&mut self, who: Option<&Person>, command: Command) {
        let may = command.needs().is_none_or(|least| who.is_some_and(|who| who.role >= least));
        if may {
            self.fresh.push(command);
        } else {
            self.held = Some(command);
        }
    }

    /// Shows the log-in to whoever may as much as `role`.
    pub const fn want(&mut self, role: Role) {
        self.wanted = Some(role);
    }

    /// What the answers to this pass's commands will be known by, in their order; called once a
    /// pass by the screen.
    pub(crate) fn give(&mut self, station: &mut dyn Station, who: Option<&Person>) {
        if let Some(command) = self.held.take() {
            self.ask(who, command);
        }
        self.last.clear();
        for command in self.fresh.drain(..) {
            let is_log_in = matches!(command, Command::LogIn { .. });
            let ask = station.ask(command);
            if is_log_in {
                self.log_in = Some(ask);
            }
            self.last.push(ask);
        }
        for (ask, answer) in station.answers() {
            self.take_in(ask, answer);
        }
        // A page that was left does not wait for its answers any more.
        while self.answers.len() > 64 {
            self.answers.pop_first();
        }
    }

    fn take_in(&mut self, ask: Ask, answer: Answer) {
        if self.log_in == Some(ask) {
            self.log_in = None;
            self.logged_in = Some(answer);
            return;
        }
        if let Answer::Refused(why) = &answer {
            self.refused = Some(why.clone());
        }
        self.answers.insert(ask, answer);
    }

    /// What was given on the last pass, in the order it was asked for.
    #[must_use]
    pub fn given(&self) -> &[Ask] {
        &self.last
    }

    /// Whether something came that the next pass shows.
    pub(crate) const fn has_news(&self) -> bool {
        self.logged_in.is_some() || self.refused.is_some()
    }

    /// The answer to `ask`, once.
    pub fn take(&mut self, ask: Ask) -> Option<Answer> {
        self.answers.remove(&ask)
    }
}
