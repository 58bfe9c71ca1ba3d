//! Holds the house rules on this very tree: who may import whom, the doors to outside libraries,
//! the order of the stages, sizes and names. Takes `cargo metadata` and the sources; gives a list
//! of `file:line: what is wrong and what would be right`. Each rule is also fed a breach of itself.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/order.rs"]
mod order;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/tree.rs"]
mod tree;

use tree::{Breach, Source, Tree};

/// Fails with all breaches at once, so that one run shows everything.
fn hold(breaches: Vec<Breach>) {
    let lines: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} breaches:\n{}", lines.len(), lines.join("\n"));
}

fn in_rust(rule: fn(&Source) -> Vec<Breach>) -> Vec<Breach> {
    let tree = Tree::read();
    assert!(tree.rust().count() > 20, "the sources were not found");
    tree.rust().flat_map(rule).collect()
}

fn in_texts(rule: fn(&Source) -> Vec<Breach>) -> Vec<Breach> {
    Tree::read().sources.iter().flat_map(rule).collect()
}

#[test]
fn crates_import_only_what_the_house_allows() {
    let edges = imports::edges();
    assert!(edges.len() > 30, "cargo metadata lists too few dependencies");
    hold(edges.iter().filter_map(imports::wrong_import).collect());
}

#[test]
fn outside_libraries_have_one_door() {
    let doors = imports::edges().iter().filter_map(imports::wrong_door).collect();
    hold([doors, in_rust(imports::wrong_name)].concat());
}

#[test]
fn stages_do_not_know_each_other() {
    hold(in_rust(imports::sibling_stages));
}

#[test]
fn stages_are_in_line_order() {
    hold(order::stage_order(&domain::Stage::ALL.map(domain::Stage::name)));
}

#[test]
fn line_spawns_the_last_stage_first() {
    hold(order::spawn_order(&Tree::read().file("pipeline/src/line.rs")));
}

#[test]
fn architecture_has_a_heading_a_stage_in_line_order() {
    hold(order::headings(&Tree::read().file("ARCHITECTURE.md")));
}

#[test]
fn files_functions_and_lines_are_short() {
    let code = [in_rust(shape::long_file), in_rust(shape::long_functions)].concat();
    hold([code, in_texts(shape::long_lines)].concat());
}

#[test]
fn files_say_what_they_are() {
    let names = Tree::read().paths.iter().filter_map(|path| shape::vague_name(path)).collect();
    hold([names, in_rust(shape::no_opening)].concat());
}

#[test]
fn nothing_is_left_undone() {
    hold([in_rust(shape::undone), in_texts(shape::left_marks)].concat());
}

#[test]
fn nothing_is_huge_or_of_one_machine() {
    let tree = Tree::read();
    let huge = tree.sizes().filter_map(|(path, bytes)| shape::huge(path, bytes)).collect();
    hold([huge, in_texts(shape::machine_paths)].concat());
}

#[test]
fn crates_take_the_workspace_lints() {
    let tree = Tree::read();
    let manifests = tree.sources.iter().filter(|s| s.path.ends_with("/Cargo.toml"));
    hold(manifests.filter_map(shape::own_lints).collect());
}
