//! Questions to the store that take longer than a pass of the screen: takes a question, gives the
//! last answer there is and has the new one looked up on a thread of its own. Only the newest
//! question is looked up; a question that was answered is not asked again.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::Context;
use store::{Reader, StoreError};

use crate::page::Cx;

/// How a question is answered.
pub(crate) type Look<Q, A> = fn(&Reader, &Q) -> Result<A, StoreError>;

type Answered<Q, A> = (Q, Result<A, String>);
type Thread<Q, A> = (Sender<Q>, Receiver<Answered<Q, A>>);

/// A clerk for one kind of question.
pub(crate) struct Clerk<Q, A> {
    name: &'static str,
    look: Look<Q, A>,
    thread: Option<Thread<Q, A>>,
    asked: Option<Q>,
    answered: Option<Answered<Q, A>>,
    answers: u64,
}

impl<Q, A> Clerk<Q, A>
where
    Q: Clone + PartialEq + Send + 'static,
    A: Default + Send + 'static,
{
    /// A clerk who answers by `look`, on a thread of that name.
    pub(crate) const fn new(name: &'static str, look: Look<Q, A>) -> Self {
        Self { name, look, thread: None, asked: None, answered: None, answers: 0 }
    }

    /// Asks `question` unless it is the one that was asked last.
    pub(crate) fn ask(&mut self, ctx: &Context, cx: &Cx<'_>, question: Q) {
        if let Some((_, answers)) = &self.thread
            && let Some(answered) = answers.try_iter().last()
        {
            self.answered = Some(answered);
            self.answers += 1;
        }
        if self.asked.as_ref() == Some(&question) {
            return;
        }
        self.asked = Some(question.clone());
        if let Some(folder) = cx.shelf.read_apart_from()
            && self.send(ctx, folder, &question)
        {
            return;
        }
        let answer = cx.shelf.ask(|reader| (self.look)(reader, &question));
        self.answered = Some((question, answer.map_err(|error| error.to_string())));
        self.answers += 1;
    }

    /// The last answer, which may be to an earlier question.
    pub(crate) fn answer(&self) -> Option<&Result<A, String>> {
        self.answered.as_ref().map(|(_, answer)| answer)
    }

    /// How many answers there were; for who keeps something made from the last one.
    pub(crate) const fn answers(&self) -> u64 {
        self.answers
    }

    /// Whether the last answer is to the last question.
    pub(crate) fn is_current(&self) -> bool {
        self.asked.as_ref() == self.answered.as_ref().map(|(question, _)| question)
    }

    /// Whether it was passed on to the thread, which is started for the first one.
    fn send(&mut self, ctx: &Context, folder: &Path, question: &Q) -> bool {
        if self.thread.is_none() {
            let (asks, asked) = channel::<Q>();
            let (answers, answered) = channel();
            let (folder, look, ctx) = (folder.to_owned(), self.look, ctx.clone());
            let work = move || {
                while let Ok(question) = asked.recv() {
                    let question = asked.try_iter().last().unwrap_or(question);
                    let answer = Reader::open(&folder).and_then(|reader| look(&reader, &question));
                    let answer = answer.map_err(|error| error.to_string());
                    if answers.send((question, answer)).is_err() {
                        return;
                    }
                    ctx.request_repaint();
                }
            };
            let builder = std::thread::Builder::new().name(self.name.to_owned());
            if builder.spawn(work).is_err() {
                return false;
            }
            self.thread = Some((asks, answered));
        }
        self.thread.as_ref().is_some_and(|(asks, _)| asks.send(question.clone()).is_ok())
    }
}

/// Grows when there may be something new in the store: with new parts, at most every two seconds,
/// and when a page is shown again, for labels may have been given meanwhile.
#[derive(Default)]
pub(crate) struct Tide {
    recorded: u64,
    at_s: f64,
    pass: u64,
    number: u64,
}

impl Tide {
    /// How often there may have been; asked for on every pass that the page is shown.
    pub(crate) fn number(&mut self, ctx: &Context, cx: &Cx<'_>) -> u64 {
        let recorded = cx.news.line.as_ref().map_or(0, |line| line.snapshot.recorded);
        let now_s = ctx.input(|input| input.time);
        if recorded != self.recorded && now_s - self.at_s >= 2.0 {
            (self.recorded, self.at_s) = (recorded, now_s);
            self.number += 1;
        }
        let pass = ctx.cumulative_pass_nr();
        self.number += u64::from(pass > self.pass + 1);
        self.pass = pass;
        self.number
    }
}
