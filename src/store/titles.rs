//! What runs are called on screen: by the name that their owner gave them, told apart by path where it is not unique.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Run;
use crate::model::RunId;

/// Runs by the name that their owner gave them.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    groups: FxHashMap<Arc<str>, Group>,
}

/// Runs of one name.
#[derive(Debug, Default)]
struct Group {
    runs: Vec<RunId>,
    /// Bytes at the start and the end of the paths that all of them share, in whole parts.
    shared: (usize, usize),
}

impl Titles {
    /// The run `id` is called `now` from now on, `before` until now. Returns the runs whose titles change, with the
    /// new ones; `None` is the path.
    pub(crate) fn rename(
        &mut self,
        id: &RunId,
        before: Option<&Arc<str>>,
        now: Option<&Arc<str>>,
    ) -> Vec<(RunId, Option<Arc<str>>)> {
        let mut changed = Vec::new();
        if let Some(group) = before.and_then(|name| self.groups.get_mut(name)) {
            group.runs.retain(|run| run != id);
            group.shared = shared(&group.runs);
            changed.extend(before.into_iter().flat_map(|name| group.titles(name)));
            self.groups.retain(|_, group| !group.runs.is_empty());
        }
        let Some(name) = now.filter(|name| !says_nothing(id, name)) else {
            changed.push((id.clone(), None));
            return changed;
        };
        let group = self.groups.entry(Arc::clone(name)).or_default();
        let (alone, before) = (group.runs.len(), group.shared);
        group.shared = match group.runs.first() {
            Some(first) => narrowed(group.shared, first.as_str(), id.as_str()),
            None => (id.as_str().len(), id.as_str().len()),
        };
        group.runs.push(id.clone());
        if alone == 1 || group.shared != before {
            changed.extend(group.titles(name));
        } else {
            changed.push((id.clone(), Some(group.title(id, name))));
        }
        changed
    }
}

impl Group {
    fn titles(&self, name: &Arc<str>) -> Vec<(RunId, Option<Arc<str>>)> {
        self.runs.iter().map(|id| (id.clone(), Some(self.title(id, name)))).collect()
    }

    fn title(&self, id: &RunId, name: &Arc<str>) -> Arc<str> {
        if self.runs.len() < 2 {
            return Arc::clone(name);
        }
        let path = id.as_str();
        let (start, end) = self.shared;
        let differs = path.get(start..path.len().saturating_sub(end)).map(|part| part.trim_matches('/'));
        format!("{name} ({})", differs.filter(|part| !part.is_empty()).unwrap_or(path)).into()
    }
}

/// A name that the path ends in says nothing new, and the path says more.
fn says_nothing(id: &RunId, name: &str) -> bool {
    let path = id.as_str();
    name.trim().is_empty()
        || path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

fn shared(runs: &[RunId]) -> (usize, usize) {
    let Some(first) = runs.first() else { return (0, 0) };
    let whole = first.as_str().len();
    runs.iter().skip(1).fold((whole, whole), |now, run| narrowed(now, first.as_str(), run.as_str()))
}

/// What is shared when `other` joins runs that share `now` with `first`.
fn narrowed(now: (usize, usize), first: &str, other: &str) -> (usize, usize) {
    let start = first.bytes().zip(other.bytes()).take(now.0).take_while(|(a, b)| a == b).count();
    let start =
        first.as_bytes().get(..start).and_then(|s| s.iter().rposition(|b| *b == b'/')).map_or(0, |at| at + 1);
    let end = first.bytes().rev().zip(other.bytes().rev()).take(now.1).take_while(|(a, b)| a == b).count();
    let from = first.len().saturating_sub(end);
    let end =
        first.as_bytes().get(from..).and_then(|s| s.iter().position(|b| *b == b'/')).map_or(0, |at| end - at);
    (start, end)
}

impl Run {
    /// What it is called on screen: the name that its owner gave it, its path if there is none.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(runs: &[(&str, &str)]) -> Vec<String> {
        let mut titles = Titles::default();
        let mut now: FxHashMap<RunId, Option<Arc<str>>> = FxHashMap::default();
        for (id, name) in runs {
            now.extend(titles.rename(&RunId::from(*id), None, Some(&Arc::from(*name))));
        }
        let title =
            |id: &str| now.get(&RunId::from(id)).cloned().flatten().map_or(id.to_owned(), |t| t.to_string());
        runs.iter().map(|(id, _)| title(id)).collect()
    }

    #[test]
    fn equal_names_are_told_apart_by_the_part_of_the_path_that_differs() {
        assert_eq!(titled(&[("wandb/run-1", "quiet-sun")]), ["quiet-sun"]);
        assert_eq!(
            titled(&[("wandb/run-1", "base"), ("wandb/run-2", "base"), ("x", "other")]),
            ["base (run-1)", "base (run-2)", "other"]
        );
        assert_eq!(
            titled(&[("a/x/tb", "base"), ("b/x/tb", "base"), ("c/x/tb", "base")]),
            ["base (a)", "base (b)", "base (c)"]
        );
        assert_eq!(titled(&[("a", "base"), ("a/b", "base")]), ["base (a)", "base (a/b)"]);
        assert_eq!(titled(&[("runs/seed-1", "seed-1")]), ["runs/seed-1"], "the path says more");
    }

    #[test]
    fn a_name_that_is_free_again_stands_alone() {
        let mut titles = Titles::default();
        let name: Arc<str> = Arc::from("base");
        titles.rename(&RunId::from("p/1"), None, Some(&name));
        titles.rename(&RunId::from("p/2"), None, Some(&name));
        let changed = titles.rename(&RunId::from("p/1"), Some(&name), None);
        assert!(changed.contains(&(RunId::from("p/2"), Some(Arc::clone(&name)))), "{changed:?}");
        assert!(changed.contains(&(RunId::from("p/1"), None)), "{changed:?}");
    }
}
