//! Every grammar against lines that its framework really printed, and against lines that nobody would.

mod hostile;
mod lines;

use super::{GRAMMARS, Line, State};

/// Asks the grammars as the engine does before it prefers any.
struct Reader {
    states: Vec<State>,
}

impl Reader {
    fn new() -> Self {
        Self { states: vec![State::default(); GRAMMARS.len()] }
    }

    /// Who read the line, and what came out.
    fn read<'a>(&mut self, line: &'a str, prefix: &'a str) -> Option<(&'static str, Line<'a>)> {
        GRAMMARS.iter().zip(&mut self.states).find_map(|(grammar, state)| {
            let mut out = Line { prefix, ..Line::default() };
            (grammar.may(line) && grammar.read(line, state, &mut out)).then(|| (grammar.name(), out))
        })
    }
}

/// Step, or epoch with batch; context; numbers with units.
fn shown(out: &Line<'_>) -> String {
    let mut text = String::new();
    let mut say = |word: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{word}{value} "));
        }
    };
    let number = |n: Option<i64>| n.map_or_else(String::new, |n| n.to_string());
    let real = |n: Option<f64>| n.map_or_else(String::new, |n| n.to_string());
    say("step=", number(out.step));
    say("of=", number(out.steps_total));
    say("epoch=", real(out.epoch));
    say("epochs=", real(out.epochs_total));
    say("batch=", number(out.batch));
    say("batches=", number(out.batches));
    say("context=", out.context.to_string());
    let values: Vec<_> = out.values.iter().map(|v| format!("{}={}{}", v.tag, v.value, v.unit)).collect();
    format!("{text}| {}", values.join(", ")).trim_end().to_owned()
}

/// The lines after each other; what is said of the last one.
fn last(lines: &[&str]) -> (String, String) {
    let mut reader = Reader::new();
    let mut said = (String::new(), String::new());
    for line in lines {
        said = match reader.read(line, "") {
            Some((name, out)) => (name.to_owned(), shown(&out)),
            None => (String::new(), String::new()),
        };
    }
    said
}

#[test]
fn grammars_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = GRAMMARS.iter().map(|g| g.name()).collect();
    assert_eq!(names.len(), GRAMMARS.len());
    assert!(GRAMMARS.iter().all(|g| g.summary().contains('`')));
}
