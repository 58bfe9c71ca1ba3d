//! Which parts a person looks at, one after the other: takes the store's queue and the second
//! opinions that are due, gives them in one order, with what became of each.

use std::collections::{BTreeMap, VecDeque};

use domain::{Judgement, PartKey, PersonId};
use store::{QueueAsk, VerdictWord, WhyAsked};

use crate::page::Cx;

/// So many parts are asked for at a time.
const PAGE: usize = 200;
/// One second opinion after so many other parts.
const EVERY: usize = 5;
/// So many parts that are done stay in the list, to go back to.
const KEPT: usize = 100;

/// A part to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The part.
    pub key: PartKey,
    /// Whether it is a second opinion: neither verdict nor labels are shown.
    pub is_second: bool,
    /// Its verdict; never known of a second opinion.
    pub verdict: Option<VerdictWord>,
    /// Why it is asked about; nothing when a person chose it.
    pub why: Option<WhyAsked>,
}

/// Which parts of the queue are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sieve {
    /// All.
    #[default]
    All,
    /// Of which the station did not know.
    Undecided,
    /// That were thrown out.
    Rejected,
    /// That passed, and were chosen.
    Samples,
}

impl Sieve {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::All, Self::Undecided, Self::Rejected, Self::Samples];

    /// Whether a part is shown. A second opinion only among all: elsewhere it would tell its
    /// verdict.
    #[must_use]
    pub fn lets(self, item: &Item) -> bool {
        match self {
            Self::All => true,
            Self::Undecided => item.verdict == Some(VerdictWord::Undecided),
            Self::Rejected => item.verdict == Some(VerdictWord::Reject),
            Self::Samples => item.verdict == Some(VerdictWord::Pass),
        }
    }
}

/// The parts, in order.
#[derive(Default)]
pub struct Queue {
    items: Vec<Item>,
    at: Option<PartKey>,
    sieve: Sieve,
    done: BTreeMap<PartKey, Judgement>,
    is_read: bool,
    who: Option<PersonId>,
    /// Why the store could not be asked, in English.
    pub trouble: Option<String>,
}

impl Queue {
    /// Reads the queue when it was not read yet; what is done and what is looked at stay in it.
    pub fn read(&mut self, cx: &Cx<'_>) {
        let who = cx.news.who.as_ref().map(|who| &who.id);
        if who != self.who.as_ref() {
            self.leave(who.cloned());
        }
        if self.is_read || cx.shelf.reader().is_none() {
            return;
        }
        self.is_read = true;
        let share = f64::from(cx.settings.second_opinion);
        let asked = cx.shelf.ask(|reader| {
            let queue = reader.label_queue(&QueueAsk { limit: PAGE, ..QueueAsk::default() })?;
            let due = match who {
                Some(who) => reader.second_opinions_due(share, who, PAGE / EVERY)?,
                None => vec![],
            };
            Ok((queue, due))
        });
        match asked {
            Err(error) => self.trouble = Some(error.to_string()),
            Ok((queue, due)) => {
                self.trouble = None;
                // What is due for a second opinion is asked blind, whatever else it is asked for.
                let once = queue.into_iter().filter(|item| !due.contains(&item.key));
                let asked: Vec<Item> = once
                    .map(|item| Item {
                        key: item.key,
                        is_second: false,
                        verdict: Some(item.verdict),
                        why: Some(item.why),
                    })
                    .collect();
                let seconds = due.into_iter().map(|key| Item {
                    key,
                    is_second: true,
                    verdict: None,
                    why: None,
                });
                self.take_in(mixed(asked, seconds.collect()));
            }
        }
    }

    /// Another person stands at the screen: nothing that only the one before them was asked.
    fn leave(&mut self, who: Option<PersonId>) {
        self.who = who;
        self.is_read = false;
        self.items.retain(|item| !item.is_second);
        if self.at().is_none() {
            self.at = None;
        }
    }

    /// Asks the store again on the next pass.
    pub const fn refresh(&mut self) {
        self.is_read = false;
    }

    fn take_in(&mut self, fresh: Vec<Item>) {
        let (done, at) = (&self.done, self.at);
        self.items.retain(|item| done.contains_key(&item.key) || at == Some(item.key));
        let surplus = self.items.len().saturating_sub(KEPT);
        self.items.drain(..surplus);
        for item in fresh {
            if !self.items.iter().any(|known| known.key == item.key) {
                self.items.push(item);
            }
        }
        if self.at.is_none() {
            self.next_open();
        }
    }

    /// The parts that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| self.sieve.lets(item))
    }

    /// How many parts one sieve would show and are not done.
    #[must_use]
    pub fn left(&self, sieve: Sieve) -> usize {
        let open = |item: &&Item| sieve.lets(item) && !self.done.contains_key(&item.key);
        self.items.iter().filter(open).count()
    }

    /// How many were done.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done.len()
    }

    /// What became of a part.
    #[must_use]
    pub fn said(&self, key: PartKey) -> Option<Judgement> {
        self.done.get(&key).copied()
    }

    /// Remembers what became of a part; nothing when it was taken back.
    pub fn say(&mut self, key: PartKey, said: Option<Judgement>) {
        match said {
            Some(judgement) => self.done.insert(key, judgement),
            None => self.done.remove(&key),
        };
    }

    /// Which sieve is used.
    #[must_use]
    pub const fn sieve(&self) -> Sieve {
        self.sieve
    }

    /// Uses another sieve.
    pub fn sift(&mut self, sieve: Sieve) {
        self.sieve = sieve;
        let is_shown = self.at.is_some_and(|at| self.shown().any(|item| item.key == at));
        if !is_shown {
            self.at = None;
            self.next_open();
        }
    }

    /// The part that is looked at.
    #[must_use]
    pub fn at(&self) -> Option<&Item> {
        let at = self.at?;
        self.items.iter().find(|item| item.key == at)
    }

    /// Looks at a part; when it is not in the queue, it is put before all others.
    pub fn go_to(&mut self, key: PartKey) {
        if !self.items.iter().any(|item| item.key == key) {
            self.items.insert(0, Item { key, is_second: false, verdict: None, why: None });
        }
        self.at = Some(key);
        if !self.shown().any(|item| item.key == key) {
            self.sieve = Sieve::All;
        }
    }

    /// Looks at the part so many places on; stays where there is none.
    pub fn step(&mut self, by: isize) {
        let shown: Vec<PartKey> = self.shown().map(|item| item.key).collect();
        let here = self.at.and_then(|at| shown.iter().position(|&key| key == at));
        let next = here.map_or(Some(0), |here| here.checked_add_signed(by));
        if let Some(&key) = next.and_then(|next| shown.get(next)) {
            self.at = Some(key);
        }
    }

    /// Looks at the next part that is not done; when there is none, the store is asked again.
    pub fn next_open(&mut self) {
        let shown: Vec<PartKey> = self.shown().map(|item| item.key).collect();
        let here = self.at.and_then(|at| shown.iter().position(|&key| key == at));
        let after = shown.iter().skip(here.map_or(0, |here| here + 1));
        let before = shown.iter().take(here.unwrap_or(0));
        let open = after.chain(before).find(|key| !self.done.contains_key(*key)).copied();
        match open {
            Some(key) => self.at = Some(key),
            None if self.sieve == Sieve::All => self.at = None,
            None => {}
        }
    }
}

/// Second opinions strewn among the others.
fn mixed(asked: Vec<Item>, seconds: Vec<Item>) -> Vec<Item> {
    let mut seconds = VecDeque::from(seconds);
    let mut all = Vec::with_capacity(asked.len() + seconds.len());
    for (position, item) in asked.into_iter().enumerate() {
        all.push(item);
        if position % EVERY == EVERY - 1 {
            all.extend(seconds.pop_front());
        }
    }
    all.extend(seconds);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PartId;

    fn key(part: u64) -> PartKey {
        PartKey { run: 1, part: PartId(part) }
    }

    fn item(part: u64, verdict: Option<VerdictWord>) -> Item {
        Item { key: key(part), is_second: verdict.is_none(), verdict, why: None }
    }

    fn queue() -> Queue {
        let mut queue = Queue::default();
        let (bad, pass) = (Some(VerdictWord::Reject), Some(VerdictWord::Pass));
        queue.take_in(vec![item(1, bad), item(2, pass), item(3, None), item(4, bad)]);
        queue
    }

    fn at(queue: &Queue) -> Option<u64> {
        queue.at().map(|item| item.key.part.0)
    }

    #[test]
    fn one_goes_on_to_what_is_not_done_and_back_to_what_is() {
        let mut queue = queue();
        assert_eq!(at(&queue), Some(1));
        queue.say(key(1), Some(Judgement::Good));
        queue.say(key(2), Some(Judgement::Good));
        queue.next_open();
        assert_eq!(at(&queue), Some(3));
        queue.step(-1);
        assert_eq!(at(&queue), Some(2));
        queue.step(-5);
        assert_eq!(at(&queue), Some(2), "there is nothing before the first");
        queue.say(key(2), None);
        queue.step(2);
        queue.next_open();
        assert_eq!(at(&queue), Some(2), "what was passed over comes again");
    }

    #[test]
    fn a_second_opinion_is_shown_among_all_only() {
        let mut queue = queue();
        for sieve in [Sieve::Undecided, Sieve::Rejected, Sieve::Samples] {
            queue.sift(sieve);
            assert!(queue.shown().all(|item| !item.is_second));
        }
        assert_eq!((queue.left(Sieve::All), queue.left(Sieve::Rejected)), (4, 2));
    }

    #[test]
    fn reading_again_keeps_what_is_looked_at_and_what_is_done() {
        let mut queue = queue();
        queue.say(key(2), Some(Judgement::Bad));
        queue.go_to(key(4));
        queue.take_in(vec![item(9, Some(VerdictWord::Pass)), item(4, None)]);
        let keys: Vec<u64> = queue.shown().map(|item| item.key.part.0).collect();
        assert_eq!((keys, at(&queue)), (vec![2, 4, 9], Some(4)));
    }

    #[test]
    fn second_opinions_are_strewn_among_the_others() {
        let asked = (1..=12).map(|part| item(part, Some(VerdictWord::Reject))).collect();
        let all = mixed(asked, (101..=104).map(|part| item(part, None)).collect());
        let places: Vec<usize> =
            all.iter().enumerate().filter(|(_, it)| it.is_second).map(|(at, _)| at).collect();
        assert_eq!(places, [5, 11, 14, 15]);
        assert!(mixed(vec![], vec![]).is_empty());
    }
}
