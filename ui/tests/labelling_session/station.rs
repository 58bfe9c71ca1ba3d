//! A station that keeps labels in a real store: takes what the screen asks for, does it, refuses it
//! or leaves it unanswered, as the test wants.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use domain::{
    Command, Label, PartId, PartKey, PersonId, PixelFormat, Pixels, Role, SizePx, WallTime,
};
use egui::{Key, Modifiers, Pos2, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use sightline_ui::station::Developer;
use sightline_ui::{
    Answer, Ask, ClipFrame, ClipView, News, Page, Refusal, RgbPicture, Screen, Settings, Shelf,
    Station,
};
use store::{LabelRow, Labels, NewLabel, Reader, RunId, Store};
use tempfile::TempDir;

use crate::support::{self, NOW, parts};

/// What the station does with labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Does {
    /// Writes them down.
    #[default]
    All,
    /// Does not answer.
    Nothing,
    /// Refuses.
    Refuses(Refusal),
}

/// The world behind the screen.
pub struct World {
    pub news: News,
    pub does: Does,
    /// Labels and withdrawals that were asked for.
    pub asked: Vec<Command>,
    /// Of these, how many are on disk.
    pub acknowledged: usize,
    /// Pictures of the clip; none when there is none.
    pub clip: u32,
    labels: Labels,
    answers: Vec<(Ask, Answer)>,
    asks: u64,
    now: i64,
    pub folder: TempDir,
}

impl World {
    fn answer(&mut self, command: &Command) -> Option<Answer> {
        self.now += 1_000_000;
        let at = WallTime { unix_ns: NOW.unix_ns + self.now };
        let who = self.news.who.clone();
        match command {
            Command::LogIn { person, .. } => {
                self.news.who = self.news.people.iter().find(|it| it.id == *person).cloned();
                return Some(Answer::Done);
            }
            Command::LogOut => self.news.who = None,
            Command::Label { part, label, is_second } => {
                self.asked.push(command.clone());
                let who = who.expect("somebody is logged in");
                match &self.does {
                    Does::Nothing => return None,
                    Does::Refuses(why) => return Some(Answer::Refused(why.clone())),
                    Does::All => {}
                }
                let (key, by, is_second) = (*part, &who.id, *is_second);
                let new = NewLabel { key, at, by, role: who.role, label, is_second };
                return Some(match self.labels.add(&new) {
                    Ok(_) => {
                        self.acknowledged += 1;
                        Answer::Done
                    }
                    Err(error) => Answer::Refused(Refusal::Failed(error.to_string())),
                });
            }
            Command::Unlabel { part } => {
                self.asked.push(command.clone());
                let who = who.expect("somebody is logged in");
                self.labels.withdraw(*part, &who.id, who.role, at).unwrap();
                self.acknowledged += 1;
            }
            _ => {}
        }
        Some(Answer::Done)
    }

    pub fn reader(&self) -> Reader {
        Reader::open(self.folder.path()).unwrap()
    }

    /// What stands in the store of a part, the newest first.
    pub fn labels(&self, part: u64) -> Vec<LabelRow> {
        self.reader().labels(key(part)).unwrap()
    }

    /// What holds of a part.
    pub fn holds(&self, part: u64) -> Option<Label> {
        self.labels(part).into_iter().find(|row| row.holds).map(|row| row.label)
    }

    /// What somebody else said before.
    pub fn somebody_said(&mut self, part: u64, label: &Label) {
        let by = PersonId::new("p-other");
        let at = WallTime { unix_ns: NOW.unix_ns - 1 };
        let (key, role) = (key(part), Role::Operator);
        let new = NewLabel { key, at, by: &by, role, label, is_second: false };
        self.labels.add(&new).unwrap();
    }
}

pub fn key(part: u64) -> PartKey {
    PartKey { run: 1, part: PartId(part) }
}

struct Behind(Rc<RefCell<World>>);

impl Station for Behind {
    fn news(&mut self) -> News {
        self.0.borrow().news.clone()
    }

    fn ask(&mut self, command: Command) -> Ask {
        let mut world = self.0.borrow_mut();
        world.asks += 1;
        let ask = Ask(world.asks);
        let answer = world.answer(&command);
        world.answers.extend(answer.map(|answer| (ask, answer)));
        ask
    }

    fn answers(&mut self) -> Vec<(Ask, Answer)> {
        std::mem::take(&mut self.0.borrow_mut().answers)
    }

    fn developer(&self) -> Developer {
        Arc::new(gray)
    }

    fn clip(&mut self, _: PartKey, number: u32) -> ClipView {
        let of = self.0.borrow().clip;
        if of == 0 {
            return ClipView::None;
        }
        let number = number.min(of - 1);
        let shade = u8::try_from(number * 8 % 256).unwrap();
        let size = SizePx::new(32, 24);
        let picture = RgbPicture { size, rgb: vec![shade; 32 * 24 * 3] };
        let (at_ms, lasts_ms) = (u64::from(number) * 250, 250);
        let judged = Some(of / 2);
        ClipView::Frame(Arc::new(ClipFrame { picture, number, of, at_ms, lasts_ms, judged }))
    }

    fn keep(&mut self, _: &Settings) {}

    fn wake_by(&mut self, _: Box<dyn Fn() + Send + Sync>) {}
}

fn gray(pixels: &dyn Pixels, _: u32) -> Option<RgbPicture> {
    let (size, plane) = (pixels.size(), pixels.plane(0));
    let rows = (0..size.height as usize).flat_map(|y| plane.row(y));
    let rgb = rows.flat_map(|&gray| [gray; 3]).collect();
    (pixels.format() == PixelFormat::Gray8).then_some(RgbPicture { size, rgb })
}

/// A person in front of the screen.
pub struct Session {
    pub harness: Harness<'static>,
    pub world: Rc<RefCell<World>>,
}

impl Session {
    /// Ana stands before a station that has seen so many parts.
    pub fn new(count: u64, page: Page) -> Self {
        Self::set_up(count, page, Settings::default(), |_| {})
    }

    /// As [`Self::new`], with a world that is changed before the screen comes up.
    pub fn set_up(
        count: u64,
        page: Page,
        settings: Settings,
        change: impl FnOnce(&mut World),
    ) -> Self {
        Self::built(count, page, settings, change, Harness::builder())
    }

    pub fn built(
        count: u64,
        page: Page,
        settings: Settings,
        change: impl FnOnce(&mut World),
        builder: egui_kittest::HarnessBuilder,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        if count > 0 {
            parts::store_of(folder.path(), count);
        }
        let store = Store::create_or_open(folder.path()).unwrap();
        let labels = store.labels().unwrap();
        let mut news = support::idle();
        news.who = support::people().into_iter().find(|person| person.role == Role::Quality);
        let mut world = World {
            news,
            does: Does::All,
            asked: vec![],
            acknowledged: 0,
            clip: 0,
            labels,
            answers: vec![],
            asks: 0,
            now: 0,
            folder,
        };
        change(&mut world);
        let world = Rc::new(RefCell::new(world));
        let station = Behind(Rc::clone(&world));
        let shelf = Shelf::open(Some(world.borrow().folder.path()), station.developer());
        let screen = Screen::new(Box::new(station), shelf, settings);
        let mut screen = screen.in_zone(jiff::tz::TimeZone::UTC);
        screen.go(page);
        let builder = builder.with_size(egui::vec2(1280.0, 800.0));
        let mut harness = builder.build_ui(move |ui| screen.show(ui));
        harness.run();
        Self { harness, world }
    }

    pub fn key(&mut self, key: Key) {
        self.harness.key_press(key);
        self.harness.run();
    }

    pub fn key_with(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run();
    }

    pub fn click(&mut self, name: &str) {
        self.harness.get_by_label(name).click();
        self.harness.run();
    }

    pub fn sees(&self, name: &str) -> bool {
        self.harness.query_all_by_label(name).next().is_some()
    }

    pub fn sees_part_of(&self, text: &str) -> bool {
        self.harness.query_all_by_label_contains(text).next().is_some()
    }

    /// The number of the part whose picture is shown.
    pub fn part(&self) -> u64 {
        let node = self.harness.query_all_by_label_contains("Picture of part").next();
        let name = node.and_then(|node| node.accesskit_node().label()).unwrap_or_default();
        name.rsplit('P').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    /// Where the picture's pane is.
    pub fn pane(&self) -> Rect {
        self.harness.get_by_label_contains("Picture of part").rect()
    }

    /// Where a place of the frame is on the screen while all of the picture is seen: the parts'
    /// pictures cover 160 x 120 px from (20, 20) on.
    pub fn at(&self, x: f32, y: f32) -> Pos2 {
        let pane = self.pane();
        let zoom = (pane.width() / 160.0).min(pane.height() / 120.0).min(32.0);
        pane.center() + egui::vec2(x - 100.0, y - 80.0) * zoom
    }

    /// A button of a mouse from one place to another.
    pub fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.hover_at(from);
        self.harness.step();
        self.harness.drag_at(from);
        self.harness.step();
        for share in [0.3, 0.7, 1.0] {
            self.harness.hover_at(from.lerp(to, share));
            self.harness.step();
        }
        self.harness.drop_at(to);
        self.harness.run();
    }

    /// A finger goes down, along `way`, and up, as a window tells egui: the touch, and the pointer
    /// that stands for it.
    pub fn finger(&mut self, way: &[Pos2]) {
        let touch = |phase, pos| egui::Event::Touch {
            device_id: egui::TouchDeviceId(1),
            id: egui::TouchId(1),
            phase,
            pos,
            force: None,
        };
        let button = |pos, pressed| egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let (first, last) = (way[0], way[way.len() - 1]);
        self.harness.event(touch(egui::TouchPhase::Start, first));
        self.harness.event(egui::Event::PointerMoved(first));
        self.harness.event(button(first, true));
        self.harness.step();
        for &pos in &way[1..] {
            self.harness.event(touch(egui::TouchPhase::Move, pos));
            self.harness.event(egui::Event::PointerMoved(pos));
            self.harness.step();
        }
        self.harness.event(touch(egui::TouchPhase::End, last));
        self.harness.event(button(last, false));
        self.harness.event(egui::Event::PointerGone);
        self.harness.run();
    }

    /// Ends the picture files of a part as if the disk had lost them.
    pub fn images(world: &World, part: u64) -> Vec<std::path::PathBuf> {
        let reader = world.reader();
        let detail = reader.part(RunId(1), PartId(part)).unwrap().unwrap();
        detail.images.iter().filter_map(|image| reader.image_file(image)).collect()
    }
}
