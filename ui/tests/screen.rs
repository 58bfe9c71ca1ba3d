//! The screen's buttons, pressed as a person would.

mod support;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sightline_ui::Page;

#[test]
fn every_page_is_reached_by_its_button() {
    let (mut screen, _) = support::screen(support::running(), None, Page::Live);
    let mut harness =
        Harness::builder().with_size(egui::vec2(1280.0, 800.0)).build_ui(move |ui| screen.show(ui));
    harness.get_by_label("Health").click();
    harness.run();
}
