//! What a record of predictions says of each instance in it.

use std::sync::Arc;

use crate::model::Payload;

/// One instance at one epoch; `None` is what the record does not say.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Sight {
    /// Number of its class.
    pub class: Option<usize>,
    /// Whether it was predicted right.
    pub right: Option<bool>,
    /// Probability of its class.
    pub confidence: Option<f64>,
    /// Logit of its class minus the largest other one.
    pub margin: Option<f64>,
    /// A probability or logit was not finite, so that there is neither confidence nor margin.
    pub broken: bool,
}

/// A probability of zero is taken as this where its logarithm is needed; 32-bit softmax rounds to zero below it.
const LEAST: f64 = 1e-38;

/// The instances of a record of predictions: `id`, and of `y`, `yhat`, `p`, `logits` what there is. Instances without
/// an id are left out: they cannot be met again.
///
/// Logits give probabilities by softmax. Probabilities give margins as well: logits differ as their logarithms do.
pub fn sights(fields: &[(Arc<str>, Payload)]) -> Vec<(Arc<str>, Sight)> {
    let field = |name: &str| fields.iter().find(|(n, _)| &**n == name).map(|(_, payload)| payload);
    let (y, yhat) = (field("y"), field("yhat"));
    let (logits, p) = (field("logits").and_then(Rows::of), field("p").and_then(Rows::of));
    let count = field("id").map_or(0, length);
    let mut all = Vec::with_capacity(count);
    for at in 0..count {
        let Some(id) = field("id").and_then(|ids| word(ids, at)) else { continue };
        let class = y.and_then(|y| number(y, at));
        let mut sight = Sight { class, ..Sight::default() };
        let row = logits.as_ref().and_then(|rows| rows.row(at)).map(|row| (row, true));
        let row = row.or_else(|| p.as_ref().and_then(|rows| rows.row(at)).map(|row| (row, false)));
        if let Some((row, logits)) = row {
            look(&mut sight, row, logits);
        }
        let said = yhat.and_then(|yhat| Some((word(yhat, at)?, word(y?, at)?)));
        if let Some((predicted, label)) = said {
            sight.right = Some(predicted == label);
        }
        all.push((id, sight));
    }
    all
}

fn look(sight: &mut Sight, row: &[f64], logits: bool) {
    let Some(class) = sight.class.filter(|class| *class < row.len()) else { return };
    if row.iter().any(|v| !v.is_finite()) {
        (sight.broken, sight.right) = (true, Some(false));
        return;
    }
    let own = row[class];
    let others = row.iter().enumerate().filter(|(i, _)| *i != class).map(|(_, v)| *v);
    let rival = others.fold(f64::NEG_INFINITY, f64::max);
    // The first of equal ones is what argmax predicts.
    let first = row.iter().position(|v| *v >= own.max(rival));
    sight.right = Some(first == Some(class));
    if logits {
        let top = own.max(rival);
        sight.confidence = Some((own - top).exp() / row.iter().map(|v| (v - top).exp()).sum::<f64>());
    } else {
        sight.confidence = Some(own);
    }
    if row.len() > 1 {
        let log = |v: f64| if logits { v } else { v.max(LEAST).ln() };
        sight.margin = Some(log(own) - log(rival));
    }
}

/// A matrix with a row for each instance.
struct Rows<'a> {
    values: &'a [f64],
    width: usize,
}

impl<'a> Rows<'a> {
    fn of(payload: &'a Payload) -> Option<Self> {
        match payload {
            Payload::Array(a) if a.shape().len() == 2 => {
                Some(Self { values: a.values(), width: a.shape().get(1).copied().filter(|w| *w > 0)? })
            }
            _ => None,
        }
    }

    fn row(&self, at: usize) -> Option<&'a [f64]> {
        self.values.get(at * self.width..(at + 1) * self.width)
    }
}

/// How many words or numbers a field holds.
pub fn length(payload: &Payload) -> usize {
    match payload {
        Payload::Texts(texts) => texts.len(),
        Payload::Array(a) => a.values().len(),
        _ => 0,
    }
}

fn word(payload: &Payload, at: usize) -> Option<Arc<str>> {
    match payload {
        Payload::Texts(texts) => texts.get(at).cloned().flatten(),
        Payload::Array(a) => a.values().get(at).filter(|v| v.is_finite()).map(|v| v.to_string().into()),
        _ => None,
    }
}

/// A class as a number; a class written as text has none that rows could be looked up by.
fn number(payload: &Payload, at: usize) -> Option<usize> {
    match payload {
        Payload::Array(a) => {
            let v = *a.values().get(at)?;
            ((0.0..1e9).contains(&v) && v.fract() == 0.0).then_some(v as usize)
        }
        _ => None,
    }
}
