//! The screen on a display. Takes a screen and how its window is; runs until it is closed.

use egui::ViewportBuilder;

use crate::Screen;

/// How the window is.
#[derive(Clone, Debug)]
pub struct Window {
    /// Its title.
    pub title: String,
    /// Without borders, over all of the display.
    pub is_kiosk: bool,
}

struct App {
    screen: Screen,
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.screen.show(ui);
    }
}

/// Shows `screen` until its window is closed. Nothing here ends the program: a line runs on threads
/// of its own and does not notice when this returns, so whoever called goes on without a screen,
/// and may try again when the display is back.
///
/// One way out is not ours: when an X server goes away, Xlib itself ends the whole program (it
/// prints "X connection broken" and exits with 1), before this can return. A line that has to
/// outlive its display needs a handler of its own there (`XSetIOErrorExitHandler`), or its screen
/// in a process of its own.
///
/// # Errors
/// When there is no display, or a display that is not X goes away.
pub fn run(window: &Window, mut screen: Screen) -> Result<(), eframe::Error> {
    let viewport = ViewportBuilder::default()
        .with_title(&window.title)
        .with_inner_size([1280.0, 800.0])
        .with_fullscreen(window.is_kiosk)
        .with_decorations(!window.is_kiosk);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let attached = |cc: &eframe::CreationContext<'_>| {
        screen.attach(&cc.egui_ctx)?;
        Ok(Box::new(App { screen }) as Box<dyn eframe::App>)
    };
    eframe::run_native(&window.title, options, Box::new(attached))
}
