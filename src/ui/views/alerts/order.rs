//! The order of alerts: what is open and unexplained by how bad it is, each with what it explains below it; then
//! what is muted, then what is over.

use std::collections::BTreeMap;

use crate::{
    detect::{Alert, AlertBook},
    model::RunId,
    store::{Run, Store},
    ui::filter::Filter,
};

/// One row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// The alert's number.
    pub id: u64,
    /// It stands below the alert that explains it.
    pub below: bool,
}

/// The rows, kept until something changes.
#[derive(Default)]
pub(super) struct Order {
    /// From above.
    pub entries: Vec<Entry>,
    made_for: Option<(u64, Option<RunId>, String)>,
}

impl Order {
    /// Sorts anew if the book, the run or the filter are not those of last time.
    pub fn refresh(&mut self, (book, store): (&AlertBook, &Store), run: Option<&RunId>, filter: &str) {
        let same = self.made_for.as_ref().is_some_and(|(generation, of, words)| {
            *generation == book.generation() && of.as_ref() == run && words == filter
        });
        if same {
            return;
        }
        self.entries = sorted(book, store, run, filter);
        self.made_for = Some((book.generation(), run.cloned(), filter.to_owned()));
    }
}

fn sorted(book: &AlertBook, store: &Store, run: Option<&RunId>, filter: &str) -> Vec<Entry> {
    let mut filter = Filter::new(filter);
    // By path and by name.
    let run_words = |id: &RunId| match store.run(id).map(Run::title) {
        Some(title) if title != id.as_str() => format!("{id} {title}"),
        _ => id.to_string(),
    };
    let mut shown: Vec<&Alert> = book
        .alerts()
        .filter(|a| run.is_none_or(|r| r == &a.run))
        .filter(|a| filter.matches(&format!("{} {} {} {}", run_words(&a.run), a.rule, a.place(), a.message)))
        .collect();
    // The book gives the newest first; the sort keeps that among equals.
    shown.sort_by_key(|a| std::cmp::Reverse(rank(a)));
    let here: std::collections::BTreeSet<u64> = shown.iter().map(|a| a.id).collect();
    let mut explained: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut roots = Vec::new();
    for alert in &shown {
        match alert.caused_by {
            Some(cause) if cause != alert.id && alert.is_open() && !alert.muted && here.contains(&cause) => {
                explained.entry(cause).or_default().push(alert.id);
            }
            _ => roots.push(alert.id),
        }
    }
    let mut entries = Vec::with_capacity(shown.len());
    for root in roots {
        entries.push(Entry { id: root, below: false });
        // A chain of causes is flattened: what a consequence explains stands below the same root.
        let mut pending = explained.remove(&root).unwrap_or_default();
        while let Some(id) = pending.first().copied() {
            pending.remove(0);
            entries.push(Entry { id, below: true });
            pending.extend(explained.remove(&id).unwrap_or_default());
        }
    }
    // Causes that form a ring have no root; they are still shown.
    entries.extend(explained.into_values().flatten().map(|id| Entry { id, below: true }));
    entries
}

fn rank(alert: &Alert) -> (bool, bool, crate::detect::Severity, bool) {
    (alert.is_open(), !alert.muted, alert.severity, !alert.acknowledged)
}
