//! In which order layers became stable, and which could be frozen: networks converge from the input on (SVCCA, Raghu et
//! al. 2017).

use super::{stability::Verdict, state::State, subjects::Subject};
use crate::model::{LayerName, Step};

/// Layers that are stable, with since when, the earliest first; those of one step in the order of the network.
pub fn became_stable<'a>(
    verdicts: impl Iterator<Item = (&'a LayerName, Verdict)>,
) -> Vec<(&'a LayerName, Step)> {
    let mut all: Vec<(&LayerName, Step)> = verdicts
        .filter(|(_, v)| v.state == State::Stable)
        .filter_map(|(name, v)| Some((name, v.since?)))
        .collect();
    all.sort_by_key(|(_, since)| *since);
    all
}

/// Whether layers could be frozen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FreezeHint {
    /// No layer has parameters, as far as the log says.
    NoParameters,
    /// The log lists its layers by name: which is the first of the network is not known.
    NoOrder,
    /// A layer holds numbers that are none: nothing is at rest that can be trusted.
    Broken(LayerName),
    /// The first layer is not at rest.
    FirstIs {
        /// Which.
        layer: LayerName,
        /// What it does.
        state: State,
    },
    /// The first layers are at rest, others are not.
    Prefix {
        /// How many.
        layers: usize,
        /// Of how many with parameters.
        of: usize,
        /// The first one.
        first: LayerName,
        /// The last one of them.
        last: LayerName,
        /// The last one of them became stable here; `None` if all are frozen already.
        since: Option<Step>,
    },
    /// All of them are.
    All {
        /// How many.
        layers: usize,
        /// The last one became stable here.
        since: Option<Step>,
    },
}

impl FreezeHint {
    /// From the layers in their order in the network with what is said of them. Layers without parameters are passed over.
    pub fn of(layers: &[(&Subject<'_>, Verdict)]) -> Self {
        let trained: Vec<&(&Subject<'_>, Verdict)> =
            layers.iter().filter(|(subject, _)| subject.has_parameters()).collect();
        let Some((first, verdict)) = trained.first() else { return Self::NoParameters };
        if !order_is_known(trained.iter().map(|(subject, _)| subject.name.as_str())) {
            return Self::NoOrder;
        }
        let rest = trained.iter().take_while(|(_, v)| v.state.is_settled());
        let since = rest.clone().filter(|(_, v)| v.state == State::Stable).filter_map(|(_, v)| v.since).max();
        match rest.clone().last() {
            None => Self::FirstIs { layer: first.name.clone(), state: verdict.state },
            Some(_) if rest.clone().count() == trained.len() => Self::All { layers: trained.len(), since },
            Some((last, _)) => Self::Prefix {
                layers: rest.count(),
                of: trained.len(),
                first: first.name.clone(),
                last: last.name.clone(),
                since,
            },
        }
    }

    /// Whether anything could be frozen.
    pub fn is_one(&self) -> bool {
        matches!(self, Self::Prefix { since: Some(_), .. } | Self::All { since: Some(_), .. })
    }

    /// The sentence on screen.
    pub fn sentence(&self) -> String {
        let at = |since: &Option<Step>| since.map_or_else(String::new, |step| format!(" since step {step}"));
        match self {
            Self::NoParameters => "no freeze hint: no layer with parameters was logged".to_owned(),
            Self::NoOrder => {
                "no freeze hint: the log lists its layers by name, not in the order of the network".to_owned()
            }
            Self::Broken(layer) => format!("no freeze hint: {layer} holds NaN or infinite numbers"),
            Self::FirstIs { layer, state: State::NotApplicable } => {
                format!("no freeze hint: nothing in the log says whether the first layer, {layer}, moves")
            }
            Self::FirstIs { layer, state } => format!("no freeze hint: the first layer, {layer}, is {state}"),
            Self::Prefix { layers, of, last, since: None, .. } => format!(
                "no freeze hint: the first {layers} of {of} layers (up to {last}) do not move at all, frozen or cut off"
            ),
            Self::All { layers, since: None } => {
                format!("no freeze hint: none of {layers} layers moves at all")
            }
            Self::Prefix { layers: 1, of, first, since, .. } => {
                format!("freeze hint: the first of {of} layers is at rest{} ({first})", at(since))
            }
            Self::Prefix { layers, of, first, last, since } => {
                format!(
                    "freeze hint: the first {layers} of {of} layers are at rest{} ({first} to {last})",
                    at(since)
                )
            }
            Self::All { layers, since } => format!("all {layers} layers are at rest{}", at(since)),
        }
    }
}

/// Writers that go through their model name its weights before its biases. Where every bias stands before its weight and
/// all names ascend, somebody has sorted them, and their order says nothing.
fn order_is_known<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let names: Vec<&str> = names.collect();
    let pairs = || names.windows(2).map(|pair| (pair[0], pair[1]));
    let ascending = pairs().all(|(a, b)| crate::model::natural(a, b).is_lt()) || pairs().all(|(a, b)| a < b);
    let swapped = pairs().any(|(a, b)| {
        let stem = |name: &'a str, word: &str| name.strip_suffix(word);
        matches!((stem(a, "bias"), stem(b, "weight").or_else(|| stem(b, "kernel"))), (Some(x), Some(y)) if x == y)
    });
    !(ascending && swapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_names_are_no_order_of_the_network() {
        assert!(order_is_known(["conv1.weight", "conv1.bias", "fc.weight", "fc.bias"].into_iter()));
        assert!(!order_is_known(["conv1.bias", "conv1.weight", "fc.bias", "fc.weight"].into_iter()));
        assert!(order_is_known(["conv1", "conv2", "fc"].into_iter()));
        assert!(order_is_known(["b.bias", "b.weight", "a.bias", "a.weight"].into_iter()), "not sorted");
        assert!(order_is_known(std::iter::empty()));
    }
}
