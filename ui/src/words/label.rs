//! Words of the Label page.

/// The words.
pub struct Words {
    /// Title of the tools.
    pub tools: &'static str,
    /// Takes hold of marks.
    pub select: &'static str,
    /// Draws boxes.
    pub rectangle: &'static str,
    /// Draws polygons.
    pub polygon: &'static str,
    /// Paints pixels.
    pub brush: &'static str,
    /// Takes pixels away.
    pub erase: &'static str,
    /// Radius of the brush.
    pub radius: &'static str,
    /// `{}` is the number of pixels.
    pub radius_px: &'static str,
    /// Title of the classes.
    pub classes: &'static str,
    /// Title of the marks.
    pub marks: &'static str,
    /// There are no marks yet.
    pub no_marks: &'static str,
    /// A defect somewhere on the part.
    pub whole: &'static str,
    /// A box; `{}` is its size.
    pub shape_box: &'static str,
    /// A polygon; `{}` is how many corners.
    pub shape_polygon: &'static str,
    /// A mask; `{}` is how many pixels.
    pub shape_mask: &'static str,
    /// What the model suggests.
    pub suggested: &'static str,
    /// Takes a suggestion over.
    pub accept: &'static str,
    /// Takes a suggestion over; `{}` is its class.
    pub accept_of: &'static str,
    /// Removes the selected mark.
    pub remove: &'static str,
    /// Removes a mark; `{}` is its class.
    pub remove_of: &'static str,
    /// Where the crosshair is; `{}` are x and y.
    pub place: &'static str,
    /// How a box is drawn.
    pub hint_box: &'static str,
    /// How a polygon is drawn.
    pub hint_polygon: &'static str,
    /// How a brush is used.
    pub hint_brush: &'static str,
    /// How the eraser is used.
    pub hint_erase: &'static str,
    /// How marks are moved.
    pub hint_select: &'static str,
    /// Nothing can be drawn without a picture.
    pub no_place: &'static str,
}

pub const ENGLISH: Words = Words {
    tools: "Draw with",
    select: "Select",
    rectangle: "Box",
    polygon: "Polygon",
    brush: "Brush",
    erase: "Erase",
    radius: "Brush size",
    radius_px: "{} px",
    classes: "Class",
    marks: "Marks",
    no_marks: "Nothing marked yet",
    whole: "Somewhere on the part",
    shape_box: "{} px",
    shape_polygon: "{} corners",
    shape_mask: "{} px",
    suggested: "Suggested by the model",
    accept: "Accept",
    accept_of: "Accept {}",
    remove: "Remove",
    remove_of: "Remove {}",
    place: "x {}, y {}",
    hint_box: "Drag from corner to corner. Arrows move, Shift: by 10; Enter sets.",
    hint_polygon: "Tap corner by corner; the first corner or Enter closes.",
    hint_brush: "Wipe over the defect. [ and ] change the size.",
    hint_erase: "Select a mask, then wipe away what does not belong.",
    hint_select: "Tap a mark; drag it or its handles.",
    no_place: "Without a picture nothing can be drawn. Say what it is on the right.",
};

pub const GERMAN: Words = Words {
    tools: "Zeichnen mit",
    select: "Auswählen",
    rectangle: "Rahmen",
    polygon: "Vieleck",
    brush: "Pinsel",
    erase: "Radieren",
    radius: "Pinselgröße",
    radius_px: "{} px",
    classes: "Fehlerart",
    marks: "Markierungen",
    no_marks: "Noch nichts markiert",
    whole: "Irgendwo am Teil",
    shape_box: "{} px",
    shape_polygon: "{} Ecken",
    shape_mask: "{} px",
    suggested: "Vorschlag des Modells",
    accept: "Übernehmen",
    accept_of: "{} übernehmen",
    remove: "Entfernen",
    remove_of: "{} entfernen",
    place: "x {}, y {}",
    hint_box: "Von Ecke zu Ecke ziehen. Pfeile: bewegen, Enter: setzen.",
    hint_polygon: "Ecke für Ecke tippen; die erste Ecke oder Enter schließt.",
    hint_brush: "Über den Fehler wischen. [ und ] ändern die Größe.",
    hint_erase: "Maske wählen, dann wegwischen, was nicht dazugehört.",
    hint_select: "Markierung antippen; sie oder ihre Griffe ziehen.",
    no_place: "Ohne Bild kann nichts gezeichnet werden. Rechts sagen, was es ist.",
};
