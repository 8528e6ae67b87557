//! Lines that nobody would print: nothing panics, and no number comes out that is not in the text.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{super::scan::quantity, GRAMMARS, Reader};

/// Pieces that lead into the grammars, and pieces that lead them astray.
const PIECES: &[&str] = &[
    "iteration ",
    " | ",
    "lm loss: ",
    "validation loss at ",
    "Training epoch ",
    "step=",
    ", ",
    "skipped=",
    "lr=[",
    "]",
    "mom=",
    "global_step=",
    "SamplesPerSec=",
    "iter ",
    "step ",
    ": ",
    "loss ",
    "train loss ",
    "step:",
    " ",
    "val_loss:",
    "ms",
    "s:",
    "trl:",
    "step: ",
    "  ",
    "loss: ",
    "memory: ",
    "GiB(",
    "%)",
    "Step ",
    "[metric][batch=",
    "]: ",
    "[batch=",
    "]:",
    "Train ",
    "Epoch(train) ",
    "Epoch(val) ",
    "Iter",
    "[",
    "/",
    "Epoch [",
    "\t",
    "eta: ",
    "iter: ",
    "lr: ",
    "copypaste: ",
    "Task: ",
    "Epoch: [",
    "Test: ",
    "Averaged stats: ",
    "* Acc@1 ",
    "(",
    ")",
    "global step ",
    "epoch: ",
    "eval ",
    "[TRAIN] ",
    "epoch ",
    "num_updates",
    "=",
    "{\"epoch\": ",
    "\"",
    "}",
    "]\t",
    ":\t",
    "learn: ",
    "+",
    "-----",
    "| ",
    "|",
    "time/",
    "total_timesteps",
    "Epoch ",
    "GPU_mem ",
    "100%",
    "%|",
    "all ",
    "Class ",
    "Box(P",
    "Validating ",
    " - ",
    "/step",
    "train_loss ",
    "time",
    "{'",
    "': ",
    "'",
    "epoch",
    "nan",
    "inf",
    "é",
    "损失",
    "<",
    "it/s",
    "0",
    "1",
    "12",
    "3.5",
    "1e-3",
    "-2",
    "1,234",
    "999999999999999999999",
    "1:02:03",
    "0x1f",
    "1.2.3",
    "total_timesteps | 7 |",
];

/// Every number that a text holds, wherever it may begin.
fn numbers(text: &str) -> Vec<u64> {
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    text.char_indices()
        .filter_map(|(at, _)| text.get(at..))
        .flat_map(|rest| {
            // a number may be cut off by what a grammar takes as the end: try every length
            (1..=rest.len().min(40)).filter_map(move |end| quantity(rest.get(..end)?))
        })
        .map(|found| bits(found.value))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_number_is_invented(lines in vec(vec(select(PIECES), 1..14), 1..8)) {
        let lines: Vec<String> = lines.iter().map(|pieces| pieces.concat().trim().to_owned()).collect();
        let all = numbers(&lines.join("\n"));
        let mut reader = Reader::new();
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let Some((name, out)) = reader.read(line, "") else { continue };
            for value in &out.values {
                let bits = if value.value.is_nan() { f64::NAN.to_bits() } else { value.value.to_bits() };
                prop_assert!(all.contains(&bits), "{name} made {} of {lines:?}", value.value);
                prop_assert!(!value.tag.is_empty(), "{name}: {lines:?}");
            }
        }
    }

    #[test]
    fn arbitrary_text_breaks_no_grammar(lines in vec("\\PC{1,60}", 1..6)) {
        for grammar in GRAMMARS {
            let mut state = super::State::default();
            for line in lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()) {
                let mut out = super::Line::default();
                grammar.may(line);
                // whatever `may` says: a grammar must stand any line
                grammar.read(line, &mut state, &mut out);
            }
        }
    }

    #[test]
    fn a_grammar_stands_any_line_of_another(lines in vec(vec(select(PIECES), 1..14), 1..8)) {
        let lines: Vec<String> = lines.iter().map(|pieces| pieces.concat().trim().to_owned()).collect();
        for grammar in GRAMMARS {
            let mut state = super::State::default();
            for line in lines.iter().filter(|line| !line.is_empty()) {
                let mut out = super::Line::default();
                grammar.read(line, &mut state, &mut out);
            }
        }
    }
}
