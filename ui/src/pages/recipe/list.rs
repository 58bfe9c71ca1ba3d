//! The recipes, and the selecting of one: takes the facts, gives the command once it was tapped
//! twice.

use domain::Command;
use egui::{Frame, RichText, ScrollArea, Stroke, Ui};

use crate::page::Cx;
use crate::theme::TOUCH;
use crate::{Facts, RecipeFacts, widgets};

/// How long the second tap is waited for.
const AGAIN_S: f64 = 3.0;

/// What the list remembers.
#[derive(Default)]
pub struct List {
    /// The one whose limits are shown; the one in force when nobody chose.
    looked_at: Option<u16>,
    /// Tapped once, and when.
    tapped: Option<(u16, f64)>,
}

/// Why nothing may be selected or changed now.
pub fn hindrance(cx: &Cx<'_>) -> Option<&'static str> {
    match &cx.news.line {
        None => Some(cx.words.recipe.no_line),
        Some(line) if line.plc_holds => Some(cx.words.shell.plc_holds),
        Some(_) => None,
    }
}

impl List {
    /// The recipe whose limits are shown.
    pub fn shown<'a>(&self, facts: &'a Facts) -> Option<&'a RecipeFacts> {
        let wanted = self.looked_at.or(facts.in_force);
        let recipes = &facts.recipes;
        recipes.iter().find(|it| Some(it.number) == wanted).or_else(|| recipes.first())
    }

    /// Shows the list.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let facts = std::sync::Arc::clone(&cx.news.facts);
        ui.label(RichText::new(cx.words.recipe.recipes).heading());
        if let Some(why) = hindrance(cx) {
            ui.label(RichText::new(why).color(cx.theme.undecided_ink));
        }
        let shown = self.shown(&facts).map(|recipe| recipe.number);
        ScrollArea::vertical().id_salt("list").show(ui, |ui| {
            for recipe in &facts.recipes {
                let is_in_force = facts.in_force == Some(recipe.number);
                self.card(ui, cx, recipe, is_in_force, shown == Some(recipe.number));
            }
        });
    }

    fn card(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        recipe: &RecipeFacts,
        is_in_force: bool,
        is_shown: bool,
    ) {
        let (theme, words) = (cx.theme, &cx.words.recipe);
        let edge = if is_shown { theme.accent } else { theme.card };
        let frame: Frame = theme.card().stroke(Stroke::new(2.0, edge));
        let is_tapped = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 4.0;
            let name = format!("{} · {}", recipe.number, recipe.recipe.name);
            let look = ui.add(
                egui::Button::new(RichText::new(name).strong())
                    .frame(false)
                    .min_size(egui::vec2(ui.available_width(), TOUCH)),
            );
            let model = recipe.model_sha256.map_or_else(
                || words.not_armed.to_owned(),
                |hash| words.model.replace("{}", &hash.to_string()[..12]),
            );
            ui.label(RichText::new(model).small().color(theme.weak));
            if is_in_force {
                let text = RichText::new(words.in_force).color(theme.on_accent).strong();
                Frame::new().fill(theme.pass).corner_radius(8).inner_margin(8).show(ui, |ui| {
                    ui.label(text);
                });
            } else {
                self.select(ui, cx, recipe.number);
            }
            look.clicked()
        });
        if is_tapped.inner {
            self.looked_at = Some(recipe.number);
        }
    }

    fn select(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, number: u16) {
        let now_s = ui.input(|input| input.time);
        self.tapped.take_if(|(_, at_s)| now_s - *at_s > AGAIN_S);
        let is_tapped = self.tapped.is_some_and(|(tapped, _)| tapped == number);
        let words = &cx.words.recipe;
        let text = if is_tapped { words.select_again } else { words.select };
        let may = hindrance(cx).is_none();
        let button =
            ui.add_enabled_ui(may, |ui| widgets::button(ui, cx.theme, text, is_tapped)).inner;
        if is_tapped {
            ui.ctx().request_repaint_after_secs(0.5);
        }
        if button.clicked() && is_tapped {
            self.tapped = None;
            cx.ask(Command::SelectRecipe { number });
        } else if button.clicked() {
            self.tapped = Some((number, now_s));
        }
    }
}
