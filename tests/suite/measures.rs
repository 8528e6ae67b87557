//! What the numbers mean: every view that shows measures explains them, and docs/MEASURES.md holds the same texts.
//!
//! `UPDATE_DOCS=1 cargo test --test suite measures` writes the page anew.

use std::{collections::BTreeSet, env, fs, path::Path};

use epochscope::ui::{VIEWS, View, explanation};

fn views() -> Vec<Box<dyn View>> {
    VIEWS.iter().map(|make| make()).collect()
}

#[test]
fn the_page_holds_what_the_views_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/MEASURES.md");
    let wanted = explanation::markdown(&views());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, wanted).unwrap();
        return;
    }
    let have = fs::read_to_string(&path).unwrap();
    for (line, (have, want)) in have.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(
            have,
            want,
            "docs/MEASURES.md:{}; `UPDATE_DOCS=1 cargo test --test suite measures`",
            line + 1
        );
    }
    assert_eq!(have.lines().count(), wanted.lines().count(), "docs/MEASURES.md lacks lines");
}

#[test]
fn explanations_are_whole_and_named_once() {
    for view in views() {
        let mut names = BTreeSet::new();
        assert!(view.explanations().len() >= 4, "{} explains nothing", view.name());
        for e in view.explanations() {
            assert!(names.insert(e.name), "{}: {} is explained twice", view.name(), e.name);
            assert!(
                !e.name.is_empty() && e.meaning.len() > 15,
                "{}: {} says too little",
                view.name(),
                e.name
            );
            assert!(
                !e.formula.is_empty() && !e.source.is_empty(),
                "{}: {} lacks its formula or its source",
                view.name(),
                e.name
            );
        }
    }
}
