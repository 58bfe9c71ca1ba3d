//! What people said of parts, on its way to the store: takes labels, gives those that are on disk.
//! Nothing is forgotten that was not acknowledged: what was refused, and what nobody answered,
//! stays until it is sent again or given up by hand.

use domain::{Command, Label, PartKey, PersonId, WallTime};

use crate::page::Cx;
use crate::{Answer, Fate, Refusal, Ticket};

/// After so long without an answer a person is told, nanoseconds.
const LATE_NS: i64 = 5_000_000_000;

/// What is said of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// This is what it is.
    Label {
        /// What it is.
        label: Label,
        /// Whether it is a second opinion.
        is_second: bool,
    },
    /// What was said last is taken back.
    Back,
}

/// How far it is on its way.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Somebody has to log in first.
    Held,
    /// The station has it.
    Sent,
    /// The station has had it for long.
    Late,
    /// The station did not do it.
    Refused(Refusal),
    /// Nobody logged in.
    Dropped,
}

/// Something said, on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Of which part.
    pub key: PartKey,
    /// What.
    pub said: Said,
    /// How far it is.
    pub state: State,
    /// Whether the next part is shown once it is on disk.
    pub leads_on: bool,
    ticket: Ticket,
    sent_at: WallTime,
}

impl Letter {
    /// Whether it will not arrive unless somebody does something.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        matches!(self.state, State::Late | State::Refused(_) | State::Dropped)
    }

    /// Whether sending it again can do no harm: a label said twice is the same label, but taking
    /// back twice is not taking back once.
    #[must_use]
    pub fn may_go_again(&self) -> bool {
        self.is_stuck() && (self.said != Said::Back || self.state != State::Late)
    }
}

/// What is on its way, and what has arrived.
#[derive(Default)]
pub struct Outbox {
    letters: Vec<Letter>,
    /// Labels that are on disk, the newest last, and who said them.
    landed: Vec<(PartKey, Option<PersonId>)>,
}

impl Outbox {
    /// Sends what is said of a part. What was said of it before and did not arrive is replaced by
    /// it, as it would be in the store.
    pub fn send(&mut self, cx: &mut Cx<'_>, key: PartKey, said: Said, leads_on: bool) {
        self.letters.retain(|letter| letter.key != key || !letter.is_stuck());
        let ticket = cx.order(command(key, &said));
        let (state, sent_at) = (State::Sent, cx.news.now);
        self.letters.push(Letter { key, said, state, leads_on, ticket, sent_at });
    }

    /// Looks what has become of everything; gives what is on disk now.
    pub fn look(&mut self, cx: &mut Cx<'_>) -> Vec<Letter> {
        let mut done = Vec::new();
        for letter in std::mem::take(&mut self.letters) {
            match next(letter, cx) {
                (letter, false) => self.letters.push(letter),
                (letter, true) => {
                    let who = cx.news.who.as_ref().map(|who| who.id.clone());
                    match letter.said {
                        Said::Label { .. } => self.landed.push((letter.key, who)),
                        Said::Back => self.forget_landed(letter.key),
                    }
                    done.push(letter);
                }
            }
        }
        done
    }

    fn forget_landed(&mut self, key: PartKey) {
        if let Some(at) = self.landed.iter().rposition(|(of, _)| *of == key) {
            self.landed.remove(at);
        }
    }

    /// Sends again what did not arrive of a part.
    pub fn again(&mut self, cx: &mut Cx<'_>, key: PartKey) {
        let now = cx.news.now;
        for letter in self.letters.iter_mut().filter(|it| it.key == key && it.may_go_again()) {
            letter.ticket = cx.order(command(key, &letter.said));
            (letter.state, letter.sent_at) = (State::Sent, now);
        }
    }

    /// Gives up what did not arrive of a part.
    pub fn give_up(&mut self, key: PartKey) {
        self.letters.retain(|letter| letter.key != key || !letter.is_stuck());
    }

    /// The last that was said of a part and has not arrived.
    #[must_use]
    pub fn of(&self, key: PartKey) -> Option<&Letter> {
        self.letters.iter().rev().find(|letter| letter.key == key)
    }

    /// The first that will not arrive unless somebody does something, of any part.
    #[must_use]
    pub fn stuck(&self) -> Option<&Letter> {
        self.letters.iter().find(|letter| letter.is_stuck())
    }

    /// Whether something is still on its way.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.letters.iter().any(|letter| letter.state == State::Sent)
    }

    /// The part of which `who` said something last that arrived: what is taken back next.
    #[must_use]
    pub fn last_of(&self, who: Option<&PersonId>) -> Option<PartKey> {
        let (key, by) = self.landed.last()?;
        (by.as_ref() == who && who.is_some()).then_some(*key)
    }
}

fn command(key: PartKey, said: &Said) -> Command {
    match said.clone() {
        Said::Label { label, is_second } => Command::Label { part: key, label, is_second },
        Said::Back => Command::Unlabel { part: key },
    }
}

/// What has become of a letter, and whether it has arrived.
fn next(mut letter: Letter, cx: &mut Cx<'_>) -> (Letter, bool) {
    let is_over = matches!(letter.state, State::Refused(_) | State::Dropped);
    if is_over {
        return (letter, false);
    }
    let waited_ns = cx.news.now.unix_ns.saturating_sub(letter.sent_at.unix_ns);
    letter.state = match cx.desk.fate(letter.ticket) {
        Fate::Held => {
            letter.sent_at = cx.news.now;
            State::Held
        }
        Fate::Given if waited_ns > LATE_NS => State::Late,
        Fate::Given => State::Sent,
        Fate::Dropped => State::Dropped,
        Fate::Answered(Answer::Refused(why)) => State::Refused(why),
        Fate::Answered(Answer::Done | Answer::Said(_)) => return (letter, true),
    };
    (letter, false)
}
