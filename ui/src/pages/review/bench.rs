//! Where parts are looked at and judged: takes the queue and what a person does; gives the part
//! that is shown and what is said of it. The Review and the Label page stand at the same bench.

use std::sync::Arc;
use std::time::Duration;

use domain::{Judgement, Label, PartKey, PersonId};
use egui::Ui;
use store::{PartDetail, RunId};

use super::clip::Player;
use super::open::{self, Open};
use super::outbox::{Letter, Outbox, Said, State};
use super::queue::Queue;
use crate::canvas::pane::Pane;
use crate::page::Cx;
use crate::widgets::{digit_key, pressed};

/// While the queue is empty it is asked for again this often, seconds.
const LOOK_AGAIN_S: f64 = 5.0;
/// While something is on its way, the answer is looked for this often.
const ANSWER_EVERY: Duration = Duration::from_millis(100);

/// The bench.
pub struct Bench {
    /// What there is to look at.
    pub queue: Queue,
    /// What is looked at.
    pub open: Option<Open>,
    /// Why it can't be, in English.
    pub trouble: Option<String>,
    /// What was said and is on its way.
    pub outbox: Outbox,
    /// How the picture is looked at.
    pub pane: Pane,
    /// Which of the part's pictures.
    pub view: usize,
    /// Whether the heatmap is shown, and how strong.
    pub heat: (bool, f32),
    /// Whether a good part is shown beside it.
    pub compares: bool,
    /// The clip, when it is looked at.
    pub player: Option<Player>,
    /// It is bad, and the class is still to be said.
    pub asks_class: bool,
    /// Grows whenever the part or its labels were read anew.
    pub reads: u64,
    golden: Option<(PartKey, Option<PartDetail>)>,
    looked_at_s: f64,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            queue: Queue::default(),
            open: None,
            trouble: None,
            outbox: Outbox::default(),
            pane: Pane::default(),
            view: 0,
            heat: (true, 0.6),
            compares: false,
            player: None,
            asks_class: false,
            reads: 0,
            golden: None,
            looked_at_s: 0.0,
        }
    }
}

/// Who stands at the screen.
#[must_use]
pub fn who<'a>(cx: &Cx<'a>) -> Option<&'a PersonId> {
    cx.news.who.as_ref().map(|who| &who.id)
}

impl Bench {
    /// Begins a pass: takes what was answered, opens what is to be looked at.
    pub fn begin(&mut self, ui: &Ui, cx: &mut Cx<'_>) {
        if let Some(key) = cx.part.take() {
            self.queue.go_to(key);
        }
        self.look_again(ui);
        self.queue.read(cx);
        for letter in self.outbox.look(cx) {
            self.landed(cx, &letter);
        }
        if self.outbox.is_waiting() {
            ui.ctx().request_repaint_after(ANSWER_EVERY);
        }
        self.keep_open(cx);
    }

    /// An empty queue fills while the line runs.
    fn look_again(&mut self, ui: &Ui) {
        let now_s = ui.input(|input| input.time);
        if self.queue.at().is_some() {
            self.looked_at_s = now_s;
        } else if now_s - self.looked_at_s > LOOK_AGAIN_S {
            self.looked_at_s = now_s;
            self.queue.refresh();
        }
    }

    /// Something that was said is on disk.
    fn landed(&mut self, cx: &Cx<'_>, letter: &Letter) {
        match &letter.said {
            Said::Label { label, .. } => self.queue.say(letter.key, Some(label.judgement)),
            Said::Back => {
                let rows = cx.shelf.ask(|reader| reader.labels(letter.key)).unwrap_or_default();
                let mine = rows.iter().find(|row| row.holds && Some(&row.by) == who(cx));
                self.queue.say(letter.key, mine.map(|row| row.label.judgement));
                self.queue.go_to(letter.key);
            }
        }
        let is_open = self.open.as_ref().is_some_and(|open| open.item.key == letter.key);
        if is_open {
            self.reopen();
        }
        if letter.leads_on && self.queue.at().is_some_and(|item| item.key == letter.key) {
            self.queue.next_open();
            if self.queue.at().is_none_or(|item| item.key == letter.key) {
                self.queue.refresh();
            }
        }
    }

    /// Has the part read anew.
    pub fn reopen(&mut self) {
        self.open = None;
    }

    fn keep_open(&mut self, cx: &Cx<'_>) {
        let Some(item) = self.queue.at() else {
            (self.open, self.trouble) = (None, None);
            return;
        };
        let is_other = self.open.as_ref().is_none_or(|open| open.item.key != item.key);
        if !is_other {
            return;
        }
        self.reads += 1;
        match Open::read(cx, item) {
            Ok(Some(open)) => (self.open, self.trouble) = (Some(open), None),
            Ok(None) => {
                let gone = cx.words.review.gone.to_owned();
                (self.open, self.trouble) = (None, Some(gone));
            }
            Err(why) => (self.open, self.trouble) = (None, Some(why)),
        }
    }

    /// Shows the part so many places on.
    pub fn step(&mut self, by: isize) {
        self.queue.step(by);
        self.turn_to_part();
    }

    /// Begins anew with the part that is shown.
    pub fn turn_to_part(&mut self) {
        self.view = 0;
        self.asks_class = false;
        self.player = None;
    }

    /// Whether something was said of the part that is neither on disk nor stuck: a second word now
    /// would be meant for the next part.
    #[must_use]
    pub fn is_saving(&self) -> bool {
        let key = self.open.as_ref().map(|open| open.item.key);
        key.and_then(|key| self.outbox.of(key))
            .is_some_and(|letter| matches!(letter.state, State::Sent | State::Held))
    }

    /// Says what the whole part is, and goes on to the next once that is on disk.
    pub fn judge(&mut self, cx: &mut Cx<'_>, judgement: Judgement) {
        let Some(open) = &self.open else { return };
        if judgement == Judgement::Bad {
            match (open.likely(), open.classes.len()) {
                (Some(class), _) => self.judge_bad(cx, class),
                (None, 1) => self.judge_bad(cx, 0),
                (None, _) => self.asks_class = true,
            }
            return;
        }
        let label = Label::unmarked(judgement, open.is_blind());
        self.say(cx, label, true);
    }

    /// Says that the part is bad, by a class.
    pub fn judge_bad(&mut self, cx: &mut Cx<'_>, class: usize) {
        let Some(open) = &self.open else { return };
        let Some(class) = open.classes.get(class).map(Arc::clone) else { return };
        let label = open::bad(open.marks(who(cx)), &class, self.view, open.is_blind());
        self.say(cx, label, true);
    }

    /// Says something of the part that is shown. A judgement is not said twice while the first is
    /// on its way; marks may be, each takes the place of the one before.
    pub fn say(&mut self, cx: &mut Cx<'_>, label: Label, leads_on: bool) {
        if leads_on && self.is_saving() {
            return;
        }
        let Some(open) = &self.open else { return };
        let (key, is_second) = (open.item.key, open.is_blind());
        self.asks_class = false;
        self.outbox.send(cx, key, Said::Label { label, is_second }, leads_on);
    }

    /// Whether there is something to take back.
    #[must_use]
    pub fn may_undo(&self, cx: &Cx<'_>) -> bool {
        let here = self.open.as_ref().and_then(|open| self.outbox.of(open.item.key));
        here.is_some_and(Letter::is_stuck) || self.outbox.last_of(who(cx)).is_some()
    }

    /// Takes back what did not arrive, or else what arrived last.
    pub fn undo(&mut self, cx: &mut Cx<'_>) {
        let here = self.open.as_ref().map(|open| open.item.key);
        let stuck = here.filter(|&key| self.outbox.of(key).is_some_and(Letter::is_stuck));
        if let Some(key) = stuck {
            self.outbox.give_up(key);
            self.reopen();
        } else if let Some(key) = self.outbox.last_of(who(cx))
            && self.outbox.of(key).is_none()
        {
            self.outbox.send(cx, key, Said::Back, false);
        }
    }

    /// A good part of the same recipe, to hold beside; never of one that is asked about blind,
    /// whose verdict it would not tell, but whose recipe may not be known.
    pub fn golden(&mut self, cx: &Cx<'_>) -> Option<&PartDetail> {
        let open = self.open.as_ref()?;
        let key = open.item.key;
        if self.golden.as_ref().is_none_or(|(of, _)| *of != key) {
            let name = open.recipe.as_ref().map(|recipe| recipe.name.clone());
            let found = name.and_then(|name| {
                let found = cx.shelf.ask(|reader| {
                    let Some(golden) = reader.golden(&name, key)? else { return Ok(None) };
                    reader.part(RunId(golden.run), golden.part)
                });
                found.ok().flatten()
            });
            self.golden = Some((key, found));
        }
        self.golden.as_ref()?.1.as_ref()
    }
}

/// Whether keys are for the page: nobody types, nobody is asked to log in.
#[must_use]
pub fn hears(ui: &Ui, cx: &Cx<'_>) -> bool {
    cx.desk.held.is_none() && cx.desk.wanted.is_none() && !ui.ctx().text_edit_focused()
}

/// Whether arrows and Enter are for the page too: no button has them.
#[must_use]
pub fn hears_arrows(ui: &Ui) -> bool {
    ui.memory(|memory| memory.focused()).is_none()
}

/// The class that a digit key which was pressed now means.
#[must_use]
pub fn class_key(ui: &Ui) -> Option<usize> {
    (1..=9).position(|digit| digit_key(digit).is_some_and(|key| pressed(ui, key)))
}
