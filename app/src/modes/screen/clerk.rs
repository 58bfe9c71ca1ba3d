//! Does what people ask for at the screen: takes commands; gives answers, and an entry in the audit
//! log for each. What it has answered with done is on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::Builder;

use domain::recipe::Limits;
use domain::{CalibrationStep, CameraId, Command, PartKey, PersonId, Pin, Role};
use pipeline::clock::Clock;
use serde_json::{Value, json};
use store::{Action, Labels, NewEntry, NewLabel, People, PeopleError};
use ui::{Answer, Ask, Person, Refusal, Settings};

use super::calibrator::Asked;
use super::hall::Hall;
use super::wire::ToScreen;
use crate::modes::calibrate::session::Taken;
use crate::modes::run::{Asker, FloorWish, Held, Wish};

/// What comes to the clerk.
pub enum Inbox {
    /// Somebody asks.
    Asked(Ask, Command),
    /// What took a while is done, or not.
    Done(Box<LaterDone>),
    /// The screen is set up so.
    Keep(Settings),
    /// A screen was started; whoever stood at the one before is not known to stand at this one.
    NewScreen,
    /// Nobody goes on with the calibration of this camera, and why.
    CalibrationLeft(CameraId, String),
}

/// What became of what took a while.
pub struct LaterDone {
    ask: Ask,
    by: Person,
    action: Action,
    /// For the audit log, in which not everything is worth an entry.
    detail: Option<Value>,
    result: anyhow::Result<Answer>,
}

/// Writes labelled parts out in a format, into a folder; says how many.
pub type Exporter = Arc<dyn Fn(&str, &Path) -> anyhow::Result<String> + Send + Sync>;
/// Keeps how the screen is set up.
pub type Keeper = Box<dyn Fn(&Settings) -> anyhow::Result<()> + Send>;

/// Everything that the clerk works with.
pub struct Clerk {
    /// What the screen is told.
    pub hall: Arc<Hall>,
    /// The store's write half, or why there is none.
    pub labels: Result<Labels, String>,
    /// Who may use the station; `None` where anyone may, who has the files anyway.
    pub people: Option<People>,
    /// Where wishes to the line go; `None` without a line.
    pub wishes: Option<Sender<Wish>>,
    /// Who calibrates cameras; `None` where there are none.
    pub calibrator: Option<Sender<Asked>>,
    /// Where answers go.
    pub answers: Sender<ToScreen>,
    /// Comes back when the line has done something.
    pub inbox: Sender<Inbox>,
    /// Writes labelled parts out: format, folder.
    pub export: Exporter,
    /// Says what a station is, once its recipes have changed.
    pub facts: Box<dyn Fn() -> anyhow::Result<ui::Facts> + Send>,
    /// Keeps the screen's settings.
    pub keep: Keeper,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

type Done = Result<Answer, Refusal>;

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(error.to_string())
}

impl Clerk {
    /// Works until nobody can ask any more.
    pub fn work(mut self, inbox: &Receiver<Inbox>) {
        self.show_people();
        for message in inbox {
            match message {
                Inbox::Asked(ask, command) => {
                    let answer = match self.execute(ask, command) {
                        Ok(Some(answer)) => answer,
                        Ok(None) => continue,
                        Err(refusal) => Answer::Refused(refusal),
                    };
                    self.answer(ask, answer);
                }
                Inbox::Done(done) => self.finish(*done),
                Inbox::Keep(settings) => {
                    if let Err(error) = (self.keep)(&settings) {
                        tracing::warn!(target: "screen", "settings are not kept: {error:#}");
                    }
                }
                Inbox::NewScreen => {
                    if self.people.is_some() {
                        self.hall.set_who(None);
                    }
                    // Nobody to hear it: then nothing is being calibrated.
                    let _ = self.calibrator.as_ref().map(|it| it.send(Asked::Left));
                }
                Inbox::CalibrationLeft(camera, why) => {
                    let detail = json!({ "camera": camera, "step": "end", "why": why });
                    if let Err(refusal) = self.note(None, Action::Calibrate, &detail) {
                        tracing::error!(target: "screen", "{refusal:?}");
                    }
                }
            }
        }
    }

    fn answer(&self, ask: Ask, answer: Answer) {
        // The news first, so that a screen that hears the answer sees what it changed.
        let _ = self.answers.send(ToScreen::News(Box::new(self.hall.news())));
        let _ = self.answers.send(ToScreen::Answer(ask, answer));
    }

    /// Does it, or has the line do it, which answers later.
    fn execute(&mut self, ask: Ask, command: Command) -> Result<Option<Answer>, Refusal> {
        let least = match command.needs() {
            None => return self.session(command).map(Some),
            Some(least) => least,
        };
        // Asked again here: the screen is another process.
        let who = self.hall.who().ok_or(Refusal::LogInFirst)?;
        if who.role < least {
            return Err(Refusal::Needs(least));
        }
        let action = command.name();
        match command {
            Command::Start => self.wish(ask, who, Action::Start, json!({}), FloorWish::Start),
            Command::Stop => self.wish(ask, who, Action::Stop, json!({}), FloorWish::Stop),
            Command::SelectRecipe { number } => {
                let detail = json!({ "number": number });
                self.wish(ask, who, Action::SelectRecipe, detail, FloorWish::SelectRecipe(number))
            }
            Command::ChangeLimits { number, limits, why } => {
                let detail = self.change_of_limits(number, &limits, &why)?;
                let wish = FloorWish::ChangeLimits { number, limits };
                self.wish(ask, who, Action::ChangeLimits, detail, wish)
            }
            Command::Acknowledge { alarm } => self.acknowledge(&who, &alarm).map(Some),
            Command::Label { part, label, is_second } => {
                self.label(&who, part, &label, is_second).map(Some)
            }
            Command::Unlabel { part } => self.unlabel(&who, part).map(Some),
            Command::Export { format, out } => self.export(ask, who, format, out).map(|()| None),
            Command::Calibrate { camera, step } => {
                self.calibrate(ask, who, camera, step).map(|()| None)
            }
            Command::AddPerson { name, role, pin } => {
                self.add_person(&who, &name, role, &pin).map(Some)
            }
            Command::RemovePerson { person } => self.remove_person(&who, &person).map(Some),
            Command::LogIn { .. } | Command::LogOut => Err(failed(action)),
        }
    }

    fn session(&mut self, command: Command) -> Done {
        match command {
            Command::LogIn { person, pin } => self.log_in(&person, &pin),
            _ => {
                let who = self.hall.who();
                if self.people.is_some() {
                    self.hall.set_who(None);
                }
                self.note(who.as_ref(), Action::LogOut, &json!({}))?;
                Ok(Answer::Done)
            }
        }
    }

    fn log_in(&mut self, id: &PersonId, pin: &Pin) -> Done {
        let Some(people) = &self.people else { return Ok(Answer::Done) };
        let detail = json!({ "person": id });
        match people.verify(id, pin, self.clock.wall()) {
            Ok(Some(role)) => {
                let named = self.hall.people().iter().find(|person| person.id == *id).cloned();
                let who = named.map(|person| Person { role, ..person });
                self.hall.set_who(who.clone());
                self.note(who.as_ref(), Action::LogIn, &json!({}))?;
                Ok(Answer::Done)
            }
            Ok(None) => {
                self.note(None, Action::LogInRefused, &detail)?;
                Err(Refusal::WrongPin)
            }
            Err(PeopleError::Wait { seconds }) => {
                Err(Refusal::Wait(u32::try_from(seconds).unwrap_or(u32::MAX)))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn acknowledge(&mut self, who: &Person, alarm: &str) -> Done {
        if self.hall.acknowledge(alarm) {
            self.note(Some(who), Action::Acknowledge, &json!({ "alarm": alarm }))?;
        }
        Ok(Answer::Done)
    }

    fn label(
        &mut self,
        who: &Person,
        key: PartKey,
        label: &domain::Label,
        is_second: bool,
    ) -> Done {
        let at = self.clock.wall();
        let new = NewLabel { key, at, by: &who.id, role: who.role, label, is_second };
        self.labels()?.add(&new).map_err(failed)?;
        Ok(Answer::Done)
    }

    fn unlabel(&mut self, who: &Person, key: PartKey) -> Done {
        let at = self.clock.wall();
        self.labels()?.withdraw(key, &who.id, who.role, at).map_err(failed)?;
        Ok(Answer::Done)
    }

    fn add_person(&mut self, who: &Person, name: &str, role: Role, pin: &Pin) -> Done {
        let people = self.people.as_ref().ok_or_else(|| failed("nobody logs in here"))?;
        let id = people.add(name, role, pin).map_err(failed)?;
        let detail = json!({ "person": id, "role": role });
        self.note(Some(who), Action::AddPerson, &detail)?;
        self.show_people();
        Ok(Answer::Done)
    }

    fn remove_person(&mut self, who: &Person, id: &PersonId) -> Done {
        let people = self.people.as_ref().ok_or_else(|| failed("nobody logs in here"))?;
        people.remove(id).map_err(failed)?;
        self.note(Some(who), Action::RemovePerson, &json!({ "person": id }))?;
        self.show_people();
        Ok(Answer::Done)
    }

    /// What is changed, for the audit log.
    fn change_of_limits(&self, number: u16, after: &Limits, why: &str) -> Result<Value, Refusal> {
        if why.trim().is_empty() {
            return Err(failed("say why the limits are changed"));
        }
        let facts = self.hall.facts();
        let recipe = facts.recipes.iter().find(|recipe| recipe.number == number);
        let recipe = recipe.ok_or_else(|| failed(format!("there is no recipe {number}")))?;
        let before = &recipe.recipe.limits;
        Ok(json!({ "number": number, "before": before, "after": after, "why": why.trim() }))
    }

    /// Writes labelled parts out, on a thread of its own: it may take minutes.
    fn export(&self, ask: Ask, by: Person, format: String, out: PathBuf) -> Result<(), Refusal> {
        let (export, inbox) = (Arc::clone(&self.export), self.inbox.clone());
        let work = move || {
            let result = export(&format, &out).map(Answer::Said);
            let detail = json!({ "format": format, "out": out });
            let detail = Some(detail);
            let done = LaterDone { ask, by, action: Action::Export, detail, result };
            // Nobody to hear it: the program ends.
            let _ = inbox.send(Inbox::Done(Box::new(done)));
        };
        Builder::new().name("export".to_owned()).spawn(work).map(drop).map_err(failed)
    }

    /// Has the line do it.
    fn wish(
        &self,
        ask: Ask,
        by: Person,
        action: Action,
        detail: Value,
        wish: FloorWish,
    ) -> Result<Option<Answer>, Refusal> {
        let gone = || failed("there is no line here");
        let wishes = self.wishes.as_ref().ok_or_else(gone)?;
        let inbox = self.inbox.clone();
        let reply = move |result: anyhow::Result<()>| {
            let (detail, result) = (Some(detail), result.map(|()| Answer::Done));
            // Nobody to hear it: the program ends.
            let _ =
                inbox.send(Inbox::Done(Box::new(LaterDone { ask, by, action, detail, result })));
        };
        let asker = Asker::Person(Box::new(reply));
        wishes.send(Wish::Asked(wish, asker)).map_err(|_| gone())?;
        Ok(None)
    }

    /// Has whoever calibrates do it.
    fn calibrate(
        &self,
        ask: Ask,
        by: Person,
        camera: CameraId,
        step: CalibrationStep,
    ) -> Result<(), Refusal> {
        let gone = || failed(format!("the camera `{camera}` can't be calibrated here"));
        let calibrator = self.calibrator.as_ref().ok_or_else(gone)?;
        // Parts become undecided, or are measured otherwise from the next arming on.
        let changes = matches!(step, CalibrationStep::Begin | CalibrationStep::Accept);
        if changes && self.hall.plc_holds() {
            return Err(Refusal::PlcHolds);
        }
        let mut detail = step.is_noted().then(|| json!(step));
        if let Some(detail) = &mut detail {
            detail["camera"] = json!(camera);
        }
        let (inbox, who) = (self.inbox.clone(), by.id.clone());
        let reply = move |taken: anyhow::Result<Taken>| {
            let result = taken.map(|Taken { said, profile }| {
                if let Some((detail, profile)) = detail.as_mut().zip(profile) {
                    detail["profile"] = json!(profile);
                }
                said.map_or(Answer::Done, Answer::Said)
            });
            let done = LaterDone { ask, by, action: Action::Calibrate, detail, result };
            // Nobody to hear it: the program ends.
            let _ = inbox.send(Inbox::Done(Box::new(done)));
        };
        let asked = Asked::Step { camera: camera.clone(), step, by: who, reply: Box::new(reply) };
        calibrator.send(asked).map_err(|_| gone())
    }

    fn finish(&mut self, done: LaterDone) {
        let LaterDone { ask, by, action, detail, result } = done;
        let answer = match result {
            Ok(answer) => {
                let noted = detail.map_or(Ok(()), |it| self.note(Some(&by), action, &it));
                noted.map_or_else(Answer::Refused, |()| answer)
            }
            Err(error) if error.is::<Held>() => Answer::Refused(Refusal::PlcHolds),
            Err(error) => Answer::Refused(failed(format!("{error:#}"))),
        };
        if action == Action::ChangeLimits {
            match (self.facts)() {
                Ok(facts) => self.hall.set_facts(facts),
                Err(error) => tracing::warn!(target: "screen", "{error:#}"),
            }
        }
        self.answer(ask, answer);
    }

    fn labels(&mut self) -> Result<&mut Labels, Refusal> {
        self.labels.as_mut().map_err(|why| Refusal::Failed(why.clone()))
    }

    fn note(
        &mut self,
        who: Option<&Person>,
        action: Action,
        detail: &Value,
    ) -> Result<(), Refusal> {
        let at = self.clock.wall();
        let by = who.map(|who| (&who.id, who.role));
        self.labels()?.note(&NewEntry { at, by, action, detail }).map_err(failed)
    }

    fn show_people(&self) {
        let Some(people) = &self.people else { return };
        match people.list() {
            Ok(list) => {
                let shown = list
                    .into_iter()
                    .filter(|person| person.is_active)
                    .map(|person| Person { id: person.id, name: person.name, role: person.role });
                self.hall.set_people(shown.collect());
            }
            Err(error) => tracing::error!(target: "screen", "{error}"),
        }
    }
}

#[cfg(test)]
#[path = "clerk_tests.rs"]
mod tests;
