//! What a person can see: every page in every state, and what comes up on it when something is
//! touched; for tests that hold of all of it.

use std::cell::RefCell;
use std::rc::Rc;

use domain::{Judgement, Label, PartId, PartKey, PersonId, Role};
use egui::{Key, Pos2, Rect, Vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, HarnessBuilder};
use sightline_ui::words::Words;
use sightline_ui::{Answer, News, Page, Refusal, Settings};
use store::{NewLabel, Store};
use tempfile::TempDir;

use super::calibration::Scene as Calibration;
use super::states::State;
use super::{Behind, NOW, people};

/// What a person does.
pub enum Step {
    Tap(String),
    /// The first that is called so and more.
    TapFirst(String),
    Key(Key),
    /// A box over the middle of the picture.
    Draw,
    /// The first field to write into.
    Field,
    /// The first number to write.
    Spin,
}

/// What a scene is set with.
pub struct Set {
    news: News,
    settings: Settings,
    folder: TempDir,
    answer: Answer,
}

/// Something that can be seen.
pub struct Scene {
    pub name: &'static str,
    pub page: Page,
    pub state: State,
    /// What the station is like besides.
    prepare: fn(&mut Set),
    steps: fn(&Words) -> Vec<Step>,
}

fn tap(name: &str) -> Step {
    Step::Tap(name.to_owned())
}

/// A lower limit, on the Recipe page.
fn less(words: &Words) -> Step {
    tap(&words.recipe.less.replace("{}", words.recipe.undecided_from))
}

/// The button of a filter, whose name goes on with what it is set to.
fn filter(name: &str) -> Step {
    Step::TapFirst(format!("{name}: "))
}

impl Scene {
    const fn new(
        (name, page, state): (&'static str, Page, State),
        steps: fn(&Words) -> Vec<Step>,
    ) -> Self {
        Self { name, page, state, prepare: |_| {}, steps }
    }

    const fn prepared(mut self, prepare: fn(&mut Set)) -> Self {
        self.prepare = prepare;
        self
    }

    /// The screen once all of it was done.
    pub fn harness(&self, settings: Settings) -> (Harness<'static>, Rc<RefCell<Behind>>) {
        self.built(settings, Harness::builder())
    }

    /// As [`Self::harness`], painted by what `builder` says.
    pub fn built(
        &self,
        settings: Settings,
        builder: HarnessBuilder<()>,
    ) -> (Harness<'static>, Rc<RefCell<Behind>>) {
        let (folder, answer) = (self.state.folder(), Answer::Done);
        let mut set = Set { news: self.state.news(), settings, folder, answer };
        (self.prepare)(&mut set);
        let words = Words::of(set.settings.language);
        let made = super::screen_with(set.news, Some(set.folder.path()), self.page, set.settings);
        let (mut screen, behind) = made;
        behind.borrow_mut().answer = set.answer;
        behind.borrow_mut().folder = Some(set.folder);
        let builder = builder.with_size(egui::vec2(1280.0, 800.0));
        let mut harness = builder.build_ui(move |ui| super::show(&mut screen, ui));
        harness.run_steps(4);
        for step in (self.steps)(words) {
            match step {
                Step::Tap(name) => harness.get_all_by_label(&name).last().unwrap().click(),
                Step::TapFirst(name) => {
                    harness.get_all_by_label_contains(&name).next().unwrap().click();
                }
                Step::Key(key) => harness.key_press(key),
                Step::Draw => draw(&mut harness),
                Step::Field => focus(&harness, egui::accesskit::Role::TextInput),
                Step::Spin => focus(&harness, egui::accesskit::Role::SpinButton),
            }
            harness.run_steps(4);
        }
        (harness, behind)
    }
}

fn focus(harness: &Harness<'_>, field: egui::accesskit::Role) {
    harness.get_all_by_role(field).next().unwrap().click();
}

fn draw(harness: &mut Harness<'_>) {
    let image = egui::accesskit::Role::Image;
    let pane = harness.get_all_by_role(image).map(|node| node.rect());
    let pane: Rect = pane.max_by(|a, b| a.area().total_cmp(&b.area())).unwrap();
    let [from, to]: [Pos2; 2] =
        [pane.center() - Vec2::splat(60.0), pane.center() + Vec2::new(50.0, 30.0)];
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    harness.hover_at(from.lerp(to, 0.5));
    harness.step();
    harness.hover_at(to);
    harness.step();
    harness.drop_at(to);
}

/// Everybody has said something of the first parts.
fn labelled(set: &mut Set) {
    let mut labels = Store::create_or_open(set.folder.path()).unwrap().labels().unwrap();
    for number in 1..=12 {
        for (index, person) in people()[..2].iter().enumerate() {
            let is_bad = number % 3 == 0 || (number == 4 && index == 1);
            let label = if is_bad { bad() } else { Label::unmarked(Judgement::Good, true) };
            say(&mut labels, number, &person.id, &label, index > 0);
        }
    }
}

fn bad() -> Label {
    let text = r#"{"judgement": "bad", "is_blind": true, "marks":
        [{"class": "dent", "view": 0, "shape": "whole", "by": "hand"}]}"#;
    serde_json::from_str(text).unwrap()
}

fn say(labels: &mut store::Labels, part: u64, by: &PersonId, label: &Label, is_second: bool) {
    let key = PartKey { run: 1, part: PartId(part) };
    let new = NewLabel { key, at: NOW, by, role: Role::Operator, label, is_second };
    labels.add(&new).unwrap();
}

/// Somebody else has said all of it, and each is asked about again.
fn asked_twice(set: &mut Set) {
    set.settings.second_opinion = 1.0;
    let mut labels = Store::create_or_open(set.folder.path()).unwrap().labels().unwrap();
    let by = PersonId::new("p-other");
    for part in 1..=48 {
        say(&mut labels, part, &by, &Label::unmarked(Judgement::Good, false), false);
    }
}

fn refusing(set: &mut Set) {
    set.answer = Answer::Refused(Refusal::PlcHolds);
}

fn refusing_pins(set: &mut Set) {
    set.answer = Answer::Refused(Refusal::WrongPin);
}

/// All of them.
pub fn all() -> Vec<Scene> {
    let mut all = vec![];
    for page in Page::ALL {
        for state in State::ALL {
            all.push(Scene::new(("page", page, state), |_| vec![]));
        }
        let fault = State::Fault;
        all.push(Scene::new(("people", page, fault), |_| vec![Step::Key(Key::F12)]));
        all.push(Scene::new(("PIN", page, fault), |_| {
            vec![Step::Key(Key::F12), Step::Key(Key::Num1), Step::Key(Key::Num4)]
        }));
    }
    let wrong = Scene::new(("wrong PIN", Page::Live, State::Fault), |_| {
        [Key::F12, Key::Num1, Key::Num4, Key::Enter].map(Step::Key).into()
    });
    all.push(wrong.prepared(refusing_pins));
    all.extend(of_review());
    all.extend(of_label());
    all.extend(of_history());
    all.extend(of_calibrate());
    all.extend(of_the_rest());
    all
}

fn of_review() -> Vec<Scene> {
    let (page, state) = (Page::Review, State::Idle);
    let scene = |name, steps| Scene::new((name, page, state), steps);
    vec![
        scene("which class", |words| vec![tap(words.review.samples), Step::Key(Key::B)]),
        scene("good part beside", |_| vec![Step::Key(Key::O)]),
        scene("some said", |_| [Key::G, Key::Num1, Key::D, Key::S].map(Step::Key).into()),
        scene("closer", |_| [Key::Plus, Key::Plus].map(Step::Key).into()),
        scene("second opinion", |_| vec![]).prepared(asked_twice),
        scene("refused", |_| vec![Step::Key(Key::G)]).prepared(refusing),
        Scene::new(("nobody there", page, State::Fault), |_| vec![Step::Key(Key::G)]),
    ]
}

fn of_label() -> Vec<Scene> {
    let scene = |name, steps| Scene::new((name, Page::Label, State::Idle), steps);
    vec![
        scene("polygon", |_| vec![Step::Key(Key::P)]),
        scene("brush", |_| vec![Step::Key(Key::M), Step::Draw]),
        scene("eraser", |_| vec![Step::Key(Key::E)]),
        scene("a box", |_| vec![Step::Draw]),
        scene("a suggestion taken", |_| vec![Step::Key(Key::A), Step::Key(Key::V)]),
        scene("whole", |_| vec![Step::Key(Key::B)]),
        scene("second opinion", |_| vec![]).prepared(asked_twice),
        scene("refused", |_| vec![Step::Draw]).prepared(refusing),
    ]
}

fn of_history() -> Vec<Scene> {
    let scene = |name, steps| Scene::new((name, Page::History, State::Idle), steps);
    vec![
        scene("period", |words| vec![filter(words.history.period)]),
        scene("verdict", |words| vec![filter(words.history.verdict)]),
        scene("class", |words| vec![filter(words.history.class)]),
        scene("recipe", |words| vec![filter(words.history.recipe)]),
        scene("part number", |words| vec![filter(words.history.part)]),
        scene("part number typed", |words| vec![filter(words.history.part), Step::Field]),
        scene("nothing fits", |words| {
            vec![filter(words.history.part), tap("9"), tap("9"), tap(words.shell.ok)]
        }),
        scene("charts", |words| vec![tap(words.history.tabs[1])]),
        Scene::new(("no charts", Page::History, State::Empty), |words| {
            vec![tap(words.history.tabs[1])]
        }),
        scene("no agreement", |words| vec![tap(words.history.tabs[2])]),
        scene("agreement", |words| vec![tap(words.history.tabs[2])]).prepared(labelled),
        scene("a bad part", |_| vec![Step::TapFirst("#45 ".to_owned())]),
        scene("a good part", |_| vec![Step::TapFirst("#46 ".to_owned())]),
        scene("its heat", |words| {
            vec![Step::TapFirst("#40 ".to_owned()), tap(words.history.heatmap)]
        }),
    ]
}

/// The Calibrate page at each step.
pub fn of_calibrate() -> Vec<Scene> {
    let scene = |name, steps| Scene::new((name, Page::Calibrate, State::Idle), steps);
    vec![
        scene("cards", |_| vec![]).prepared(|set| set.news = Calibration::Cards.news()),
        scene("really begin", |words| vec![tap(&words.calibrate.begin.replace("{}", "top"))])
            .prepared(|set| set.news = Calibration::Cards.news()),
        scene("a camera alone", |_| vec![]).prepared(|set| set.news = Calibration::Alone.news()),
        scene("begun", |_| vec![]).prepared(|set| set.news = Calibration::Begun.news()),
        scene("a number is typed", |_| vec![Step::Spin])
            .prepared(|set| set.news = Calibration::Begun.news()),
        scene("collecting", |_| vec![]).prepared(|set| set.news = Calibration::Collecting.news()),
        scene("fitted", |words| vec![Step::Key(Key::Num2), tap(words.calibrate.live)])
            .prepared(fitted),
        scene("residuals", |words| vec![Step::Key(Key::Num2), tap(words.calibrate.residuals)])
            .prepared(fitted),
        scene("views", |words| vec![Step::Key(Key::Num2), tap(words.calibrate.lists[0])])
            .prepared(fitted),
        scene("on the belt", |_| vec![]).prepared(|set| set.news = Calibration::Plane.news()),
        scene("places are picked", |words| {
            vec![Step::Key(Key::Num3), tap(words.calibrate.pick_two)]
        })
        .prepared(fitted),
        scene("flat", |_| vec![]).prepared(|set| set.news = Calibration::Flat.news()),
        scene("flat is done", |_| vec![Step::Key(Key::Num4)]).prepared(ready),
        scene("a landmark is picked", |words| {
            vec![Step::Key(Key::Num5), tap(words.calibrate.pick_landmark)]
        })
        .prepared(ready),
        scene("belt", |_| vec![Step::Key(Key::Num6)]).prepared(ready),
        scene("refused", |_| vec![]).prepared(|set| set.news = Calibration::Refused.news()),
        scene("ready", |_| vec![]).prepared(ready),
        scene("ends", |words| vec![tap(words.calibrate.end)]).prepared(ready),
        scene("accepted", |_| vec![]).prepared(|set| set.news = Calibration::Accepted.news()),
        scene("objected", |_| vec![]).prepared(|set| set.news = Calibration::Objected.news()),
    ]
}

fn fitted(set: &mut Set) {
    set.news = Calibration::Fitted.news();
}

fn ready(set: &mut Set) {
    set.news = Calibration::Ready.news();
}

fn of_the_rest() -> Vec<Scene> {
    vec![
        Scene::new(("limits moved", Page::Recipe, State::Running), |words| vec![less(words)]),
        Scene::new(("another reason", Page::Recipe, State::Running), |words| {
            vec![less(words), tap(words.recipe.other)]
        }),
        Scene::new(("a reason is typed", Page::Recipe, State::Running), |words| {
            vec![less(words), tap(words.recipe.other), Step::Field]
        }),
        Scene::new(("limits of a class", Page::Recipe, State::Running), |words| {
            vec![tap("dent"), less(words), tap(words.recipe.reasons[1])]
        }),
        Scene::new(("applied", Page::Recipe, State::Running), |words| {
            vec![less(words), tap(words.recipe.reasons[1]), tap(words.recipe.apply)]
        }),
        Scene::new(("really stop", Page::Health, State::Running), |words| {
            vec![tap(words.health.stop)]
        }),
        Scene::new(("refused", Page::Health, State::Running), |words| {
            vec![tap(words.health.stop), tap(words.health.really_stop)]
        })
        .prepared(refusing),
        Scene::new(("a name is typed", Page::Settings, State::Running), |_| vec![Step::Field]),
        Scene::new(("really remove", Page::Settings, State::Running), |words| {
            vec![Step::TapFirst(words.settings.remove.to_owned())]
        }),
    ]
}

/// What a node of the tree is called.
pub fn name(node: &egui_kittest::Node<'_>) -> String {
    let of_tree = node.accesskit_node();
    of_tree.label().or_else(|| of_tree.value()).unwrap_or_default()
}
