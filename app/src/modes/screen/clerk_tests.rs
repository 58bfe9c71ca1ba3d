//! The clerk, asked as a screen asks: who may what, what is noted, what the line answers.

use std::sync::mpsc::channel;

use domain::{Judgement, Label, PartId};
use pipeline::clock::SimulatedClock;
use store::{AuditFilter, PinCost, Reader, Store};
use tempfile::TempDir;
use ui::{Facts, RecipeFacts};

use super::*;

/// A clerk of a station with two people and a line that is only listened to.
struct Office {
    folder: TempDir,
    clerk: Clerk,
    answers: Receiver<ToScreen>,
    inbox: Receiver<Inbox>,
    wishes: Receiver<Wish>,
    asked: u64,
    people: [PersonId; 2],
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits.to_owned())
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(folder.path()).unwrap();
        let people = People::open_with(folder.path(), PinCost::CHEAP).unwrap();
        let operator = people.add("Jörg Weiß", Role::Operator, &pin("7391")).unwrap();
        let engineer = people.add("Kim Lee", Role::Engineer, &pin("5820")).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::default());
        let hall = Arc::new(Hall::new(facts(), None, Arc::clone(&clock)));
        let (answers, answered) = channel();
        let (to_clerk, inbox) = channel();
        let (wishes, wished) = channel();
        let clerk = Clerk {
            hall,
            labels: Ok(store.labels().unwrap()),
            people: Some(people),
            wishes: Some(wishes),
            calibrator: None,
            answers,
            inbox: to_clerk,
            export: Arc::new(|format, out: &Path| Ok(format!("{format} {}", out.display()))),
            facts: Box::new(|| Ok(facts())),
            keep: Box::new(|_| Ok(())),
            clock,
        };
        clerk.show_people();
        let people = [operator, engineer];
        Self { folder, clerk, answers: answered, inbox, wishes: wished, asked: 0, people }
    }

    /// What is answered at once, if it is.
    fn ask(&mut self, command: Command) -> Option<Answer> {
        self.asked += 1;
        match self.clerk.execute(Ask(self.asked), command) {
            Ok(answer) => answer,
            Err(refusal) => Some(Answer::Refused(refusal)),
        }
    }

    fn log_in(&mut self, person: usize, digits: &str) -> Answer {
        let person = self.people[person].clone();
        self.ask(Command::LogIn { person, pin: pin(digits) }).unwrap()
    }

    /// What the line answers to the wish that it hears.
    fn line_says(&mut self, result: anyhow::Result<()>) -> Answer {
        let Ok(Wish::Asked(_, asker)) = self.wishes.try_recv() else { panic!("nothing was asked") };
        asker.answer(result);
        let Ok(Inbox::Done(done)) = self.inbox.try_recv() else { panic!("nothing came back") };
        self.clerk.finish(*done);
        let said = self.answers.try_iter().find_map(|message| match message {
            ToScreen::Answer(_, answer) => Some(answer),
            _ => None,
        });
        said.unwrap()
    }

    /// What the audit log has, the oldest first.
    fn audit(&self) -> Vec<(String, Option<PersonId>)> {
        let reader = Reader::open(self.folder.path()).unwrap();
        let mut rows = reader.audit(&AuditFilter::default()).unwrap();
        rows.reverse();
        rows.into_iter().map(|row| (row.action, row.by)).collect()
    }
}

fn facts() -> Facts {
    let text = r#"{"name": "bracket", "model": "m", "region": null,
        "locate": {"kind": "every-frame"}, "limits": {"reject_at": 0.6}}"#;
    let recipe: domain::Recipe = serde_json::from_str(text).unwrap();
    let sha256 = domain::Sha256::of(b"recipe");
    let recipe = RecipeFacts { number: 1, recipe, sha256, model_sha256: None, classes: vec![] };
    Facts {
        station: "s".to_owned(),
        software: "test".to_owned(),
        recipes: vec![recipe],
        in_force: None,
        cameras: vec![],
    }
}

fn label() -> Command {
    Command::Label {
        part: PartKey { run: 1, part: PartId(1) },
        label: Label::unmarked(Judgement::Good, false),
        is_second: false,
    }
}

#[test]
fn nobody_does_what_they_may_not() {
    let mut office = Office::new();
    assert_eq!(office.ask(label()), Some(Answer::Refused(Refusal::LogInFirst)));
    assert_eq!(office.log_in(0, "7392"), Answer::Refused(Refusal::WrongPin));
    assert_eq!(office.ask(label()), Some(Answer::Refused(Refusal::LogInFirst)));
    assert_eq!(office.log_in(0, "7391"), Answer::Done);
    let needs = office.ask(Command::Stop);
    assert_eq!(needs, Some(Answer::Refused(Refusal::Needs(Role::Engineer))));
    let Some(Answer::Refused(Refusal::Failed(why))) = office.ask(label()) else { panic!() };
    assert!(why.contains("part") && why.contains('1'), "it is not there: {why}");
    assert_eq!(office.ask(Command::LogOut), Some(Answer::Done));
    assert_eq!(office.clerk.hall.who(), None);
    let operator = Some(office.people[0].clone());
    let wanted = [("log_in_refused", None), ("log_in", operator.clone()), ("log_out", operator)];
    assert_eq!(office.audit(), wanted.map(|(action, by)| (action.to_owned(), by)));
}

#[test]
fn what_the_line_does_is_noted_when_it_is_done() {
    let mut office = Office::new();
    office.log_in(1, "5820");
    let out = office.folder.path().join("out");
    office.ask(Command::Export { format: "coco".to_owned(), out });
    let Ok(Inbox::Done(done)) = office.inbox.recv() else { panic!("nothing came back") };
    assert!(matches!(&done.result, Ok(Answer::Said(said)) if said.starts_with("coco ")));
    assert_eq!(office.ask(Command::SelectRecipe { number: 1 }), None, "the line answers");
    assert_eq!(office.line_says(Err(Held.into())), Answer::Refused(Refusal::PlcHolds));
    assert_eq!(office.audit().len(), 1, "nothing was done");
    let limits = facts().recipes[0].recipe.limits.clone();
    let change = |why: &str| Command::ChangeLimits {
        number: 1,
        limits: limits.clone(),
        why: why.to_owned(),
    };
    assert!(matches!(office.ask(change(" ")), Some(Answer::Refused(Refusal::Failed(_)))));
    assert_eq!(office.ask(change("a bad part escaped")), None);
    assert_eq!(office.line_says(Ok(())), Answer::Done);
    let (action, by) = office.audit().pop().unwrap();
    assert_eq!((action.as_str(), by), ("change_limits", Some(office.people[1].clone())));
    let failed = anyhow::anyhow!("one.toml:3: `limits`");
    office.ask(Command::Start);
    let answer = office.line_says(Err(failed));
    assert_eq!(answer, Answer::Refused(Refusal::Failed("one.toml:3: `limits`".to_owned())));
}

#[test]
fn people_come_and_go() {
    let mut office = Office::new();
    office.log_in(1, "5820");
    let (name, role) = ("Ana".to_owned(), Role::Quality);
    let add = Command::AddPerson { name, role, pin: pin("8264") };
    assert_eq!(office.ask(add), Some(Answer::Done));
    assert_eq!(office.clerk.hall.people().len(), 3);
    let person = office.people[0].clone();
    assert_eq!(office.ask(Command::RemovePerson { person }), Some(Answer::Done));
    assert_eq!(office.clerk.hall.people().len(), 2);
    let person = office.people[1].clone();
    let last = office.ask(Command::RemovePerson { person });
    assert!(matches!(last, Some(Answer::Refused(Refusal::Failed(_)))), "the last engineer stays");
    let database = std::fs::read(office.folder.path().join("station.db")).unwrap();
    let holds = |name: &[u8]| database.windows(name.len()).any(|window| window == name);
    assert!(!holds("Jörg".as_bytes()) && !holds(b"Kim Lee") && !holds(b"5820"));
}

#[test]
fn a_store_that_somebody_else_has_is_looked_at_only() {
    let mut office = Office::new();
    office.clerk.labels = Err("in use by process 7".to_owned());
    office.clerk.people = None;
    let who = Person { id: PersonId::new("p-local"), name: "local".into(), role: Role::Quality };
    office.clerk.hall.set_who(Some(who));
    let refused = Answer::Refused(Refusal::Failed("in use by process 7".to_owned()));
    assert_eq!(office.ask(label()), Some(refused));
}
