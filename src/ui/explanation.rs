//! What the numbers of a view mean: shown by `?` and written to docs/MEASURES.md from the same table.

use std::fmt::Write as _;

use super::View;

/// One number or mark that a view shows. All texts are plain sentences or clauses; empty where there is nothing to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// As it is called on screen.
    pub name: &'static str,
    /// What it says, for somebody who has not read the paper.
    pub meaning: &'static str,
    /// How it is worked out, with units.
    pub formula: &'static str,
    /// Where formula or number come from.
    pub source: &'static str,
    /// When it misleads.
    pub pitfalls: &'static str,
}

impl Explanation {
    /// The labelled parts that are not empty, the meaning first.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [("", self.meaning), ("how", self.formula), ("from", self.source), ("mind", self.pitfalls)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
    }
}

/// The tables of all views as Markdown.
pub fn markdown(views: &[Box<dyn View>]) -> String {
    let mut text = String::from(
        "# What the numbers mean\n\nThe same texts that `?` shows in each view. Written by \
         `UPDATE_DOCS=1 cargo test --test suite measures`.\n",
    );
    for view in views {
        let _ = write!(text, "\n## {}\n\n{}.\n", view.title(), capitalised(view.summary()));
        for explanation in view.explanations() {
            let _ = write!(text, "\n**{}**: {}\n", explanation.name, explanation.meaning);
            for (label, part) in explanation.parts().skip(1) {
                let label = match label {
                    "how" => "How",
                    "from" => "Source",
                    _ => "Mind",
                };
                let _ = writeln!(text, "- {label}: {part}");
            }
        }
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
