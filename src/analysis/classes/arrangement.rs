//! In which order classes stand, and which of them belong together.

use std::sync::Arc;

use super::{
    LogitCorrelation, confusion_similarity, evaluations_needed,
    names::{beginning, group_name, hierarchy},
};
use crate::{
    analysis::{
        Cancel,
        cluster::{Distances, Structure, Tree, average_linkage, order, structure},
    },
    model::PackedMatrix,
};

/// Classes of which two groups of two can be made.
const LEAST_FOR_GROUPS: usize = 4;

/// What is known of some classes. Owned, so that it can be worked on elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// How many.
    pub classes: usize,
    /// Their names; fewer or none where the log does not say.
    pub names: Vec<Arc<str>>,
    /// How their logits correlate, where instances were logged.
    pub correlation: Option<LogitCorrelation>,
    /// Confusion matrices in ascending order of time.
    pub evaluations: Vec<PackedMatrix>,
}

/// Where an order comes from, the more trustworthy first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderSource {
    /// A hierarchy in the names, with its separator. Blocks itself uses a given hierarchy.
    Names(char),
    /// Correlation of logits over so many instances; 0 where the log brings the correlation itself.
    Logits(usize),
    /// Confusion, summed over so many of the last evaluations.
    Confusion(usize),
    /// The order of the matrix: there is nothing to go by.
    Index,
}

/// An order with its groups.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrangement {
    /// Where it comes from.
    pub source: OrderSource,
    /// Classes by place.
    pub order: Vec<usize>,
    /// The tree that the order is one of; `None` for [`OrderSource::Index`].
    pub tree: Option<Tree>,
    /// The group of each class; groups are numbered by place. All 0 where there is only one.
    pub groups: Vec<usize>,
    /// What each group is called.
    pub group_names: Vec<String>,
    /// How clear the groups are; `None` where they are given or there are none.
    pub structure: Option<Structure>,
}

impl Arrangement {
    /// Classes as logged, all in one group.
    pub fn by_index(classes: usize) -> Self {
        Self {
            source: OrderSource::Index,
            order: (0..classes).collect(),
            tree: None,
            groups: vec![0; classes],
            group_names: vec!["all classes".to_owned()],
            structure: None,
        }
    }

    /// The groups are no clearer than chance makes them.
    pub fn is_weak(&self) -> bool {
        self.structure.is_some_and(|s| s.is_weak())
    }

    /// How many groups.
    pub fn group_count(&self) -> usize {
        self.group_names.len()
    }

    /// Classes of a group by place.
    pub fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        self.order.iter().copied().filter(move |class| self.groups[*class] == group)
    }
}

/// Orders by a hierarchy in the names, else by the correlation of logits, else by confusion, else as logged.
///
/// Correlations and confusions become distances `1 − S / max S`, are clustered by average linkage and ordered
/// optimally. `None` when cancelled.
pub fn arrange(evidence: &Evidence, cancel: &Cancel) -> Option<Arrangement> {
    let n = evidence.classes;
    if evidence.names.len() == n
        && let Some(found) = hierarchy(&evidence.names)
    {
        let order = found.tree.plain_order();
        let groups = found.tree.cut(found.groups);
        return Some(finish(evidence, OrderSource::Names(found.separator), order, found.tree, groups, None));
    }
    let correlation = evidence.correlation.as_ref().filter(|c| c.similarity.nrows() == n);
    let (source, similarity) = if let Some(found) = correlation {
        (OrderSource::Logits(found.instances), found.similarity.clone())
    } else {
        let needed = evaluations_needed(&evidence.evaluations);
        let last = &evidence.evaluations[evidence.evaluations.len() - needed..];
        (OrderSource::Confusion(needed), confusion_similarity(last))
    };
    let some = similarity.indexed_iter().any(|((i, j), s)| i != j && *s > 0.0);
    if similarity.nrows() != n || n < 3 || !some {
        return Some(Arrangement::by_index(n));
    }
    let distances = Distances::of_similarity(&similarity);
    let tree = average_linkage(&distances, cancel)?;
    let order = order(&tree, &distances, cancel)?;
    if n < LEAST_FOR_GROUPS {
        return Some(finish(evidence, source, order, tree, vec![0; n], None));
    }
    let structure = structure(&distances, &tree, cancel)?;
    let groups = tree.cut(structure.groups);
    Some(finish(evidence, source, order, tree, groups, Some(structure)))
}

fn finish(
    evidence: &Evidence,
    source: OrderSource,
    order: Vec<usize>,
    tree: Tree,
    mut groups: Vec<usize>,
    structure: Option<Structure>,
) -> Arrangement {
    // By place.
    let mut number = vec![usize::MAX; evidence.classes];
    let mut members: Vec<Vec<usize>> = Vec::new();
    for class in &order {
        let at = &mut number[groups[*class]];
        if *at == usize::MAX {
            *at = members.len();
            members.push(Vec::new());
        }
        members[*at].push(*class);
    }
    for group in &mut groups {
        *group = number[*group];
    }
    let name =
        |class: usize| evidence.names.get(class).map_or_else(|| class.to_string(), ToString::to_string);
    let all: Vec<String> = evidence.names.iter().map(ToString::to_string).collect();
    let common = beginning(&all);
    let group_names = members.iter().map(|classes| group_name(classes, common, name)).collect();
    Arrangement { source, order, tree: Some(tree), groups, group_names, structure }
}
