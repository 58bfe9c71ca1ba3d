//! Pictures of the page for whoever works on it: `LOOK_AT=folder cargo test look`. Nothing is
//! compared here.

use std::path::PathBuf;

use egui_kittest::Harness;
use sightline_ui::{Language, Settings};

use crate::Hand;
use crate::support::calibration::Scene;

#[test]
fn look() {
    let Some(folder) = std::env::var_os("LOOK_AT").map(PathBuf::from) else { return };
    for (language, is_dark) in [(Language::English, true), (Language::German, false)] {
        for scene in Scene::ALL {
            let settings = Settings { language, is_dark, ..Settings::default() };
            let mut hand = Hand::built(scene.news(), settings, Harness::builder().wgpu());
            let name = format!("{scene:?}-{language:?}.png").to_lowercase();
            hand.harness.render().unwrap().save(folder.join(name)).unwrap();
        }
    }
}
