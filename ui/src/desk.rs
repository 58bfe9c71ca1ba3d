//! Where commands leave the screen: takes what pages ask for, gives it to the station once the
//! person at the screen may ask for it, and keeps the answers for whoever waits for them.

use std::collections::BTreeMap;

use domain::{Command, Role};
use serde::{Deserialize, Serialize};

use crate::{Person, Station};

/// A command that was given, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ask(pub u64);

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It is done; what was to be written is on disk.
    Done,
    /// It is done, and this is worth knowing.
    Said(String),
    /// It is not done.
    Refused(Refusal),
}

/// Why a command is not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// A command that a page wants to know the fate of, from before it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What has become of a command so far.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It waits until somebody who may has logged in.
    Held,
    /// The station has it and has not answered.
    Given,
    /// The station has answered; told once.
    Answered(Answer),
    /// It was never given: the log-in was left, or another command took its place.
    Dropped,
}

/// The desk.
#[derive(Default)]
pub struct Desk {
    /// Asked for on this pass.
    fresh: Vec<(Option<Ticket>, Command)>,
    /// Waits until somebody who may has logged in.
    pub(crate) held: Option<Command>,
    held_as: Option<Ticket>,
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
    tickets: u64,
    given_as: BTreeMap<Ticket, Ask>,
}

impl Desk {
    /// Asks for `command`. When the person at the screen may not, it is kept and the log-in is
    /// shown; it is given as soon as somebody who may has logged in.
    pub fn ask(&mut self, who: Option<&Person>, command: Command) {
        self.put(who, None, command);
    }

    /// As [`Self::ask`], for a page that keeps asking for its [`Fate`].
    pub fn order(&mut self, who: Option<&Person>, command: Command) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.put(who, Some(ticket), command);
        ticket
    }

    fn put(&mut self, who: Option<&Person>, ticket: Option<Ticket>, command: Command) {
        let may = command.needs().is_none_or(|least| who.is_some_and(|who| who.role >= least));
        if may {
            self.fresh.push((ticket, command));
        } else {
            (self.held, self.held_as) = (Some(command), ticket);
        }
    }

    /// What has become of an ordered command. An answer is told once; after it, and after
    /// [`Fate::Dropped`], the ticket is worth nothing.
    pub fn fate(&mut self, ticket: Ticket) -> Fate {
        if let Some(&ask) = self.given_as.get(&ticket) {
            let Some(answer) = self.answers.remove(&ask) else { return Fate::Given };
            self.given_as.remove(&ticket);
            return Fate::Answered(answer);
        }
        let is_held = self.held.is_some() && self.held_as == Some(ticket);
        let is_fresh = self.fresh.iter().any(|(of, _)| *of == Some(ticket));
        match (is_held, is_fresh) {
            (true, _) => Fate::Held,
            (_, true) => Fate::Given,
            (false, false) => Fate::Dropped,
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
            let ticket = self.held_as.take();
            self.put(who, ticket, command);
        }
        self.last.clear();
        for (ticket, command) in std::mem::take(&mut self.fresh) {
            let is_log_in = matches!(command, Command::LogIn { .. });
            let ask = station.ask(command);
            if is_log_in {
                self.log_in = Some(ask);
            }
            self.last.push(ask);
            self.given_as.extend(ticket.map(|ticket| (ticket, ask)));
        }
        for (ask, answer) in station.answers() {
            self.take_in(ask, answer);
        }
        // A page that was left does not wait for its answers any more, unless it holds a ticket.
        while self.answers.len() > 64 + self.given_as.len() {
            let kept = |ask: &Ask| self.given_as.values().any(|given| given == ask);
            let Some(oldest) = self.answers.keys().find(|ask| !kept(ask)).copied() else { break };
            self.answers.remove(&oldest);
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
