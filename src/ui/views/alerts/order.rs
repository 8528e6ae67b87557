//! The order of alerts: what is open and unexplained by how bad it is, each with what it explains folded below it;
//! then what is muted or put off; then what is over, the newest first.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    detect::{Alert, AlertBook, Severity},
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
    /// How many it explains.
    pub explains: usize,
    /// They are not shown.
    pub folded: bool,
}

/// The rows, kept until something changes.
#[derive(Default)]
pub(super) struct Order {
    /// From above.
    pub entries: Vec<Entry>,
    /// The same with what is folded.
    pub all: Vec<Entry>,
    unfolded: BTreeSet<u64>,
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
        self.all = sorted(book, store, run, filter);
        self.made_for = Some((book.generation(), run.cloned(), filter.to_owned()));
        self.fold();
    }

    /// Shows what `root` explains, or hides it.
    pub fn unfold(&mut self, root: u64, open: bool) {
        let changed = if open { self.unfolded.insert(root) } else { self.unfolded.remove(&root) };
        if changed {
            self.fold();
        }
    }

    /// The alert above `id` that it is folded below, or itself.
    pub fn root_of(&self, id: u64) -> u64 {
        let at = self.all.iter().position(|e| e.id == id).unwrap_or(0);
        self.all.iter().take(at + 1).rfind(|e| !e.below).map_or(id, |e| e.id)
    }

    fn fold(&mut self) {
        self.entries.clear();
        let mut open = true;
        for entry in &self.all {
            if !entry.below {
                open = self.unfolded.contains(&entry.id);
            }
            if open || !entry.below {
                self.entries.push(Entry { folded: entry.explains > 0 && !open, ..*entry });
            }
        }
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
    // The newest first among equals; of one time by name, for files are read side by side.
    let time = |a: &Alert| a.time.known().unwrap_or(f64::NEG_INFINITY);
    shown.sort_by(|a, b| {
        let names = |a: &Alert| (a.run.clone(), a.rule, a.place());
        rank(b).cmp(&rank(a)).then(time(b).total_cmp(&time(a))).then_with(|| names(a).cmp(&names(b)))
    });
    let here: BTreeSet<u64> = shown.iter().map(|a| a.id).collect();
    let mut explained: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut roots = Vec::new();
    for alert in &shown {
        match alert.caused_by {
            Some(cause)
                if cause != alert.id && alert.is_open() && !alert.is_quiet() && here.contains(&cause) =>
            {
                explained.entry(cause).or_default().push(alert.id);
            }
            _ => roots.push(alert.id),
        }
    }
    let mut entries = Vec::with_capacity(shown.len());
    for root in roots {
        let place = entries.len();
        entries.push(Entry { id: root, below: false, explains: 0, folded: false });
        // A chain of causes is flattened: what a consequence explains stands below the same root.
        let mut pending = explained.remove(&root).unwrap_or_default();
        while let Some(id) = pending.first().copied() {
            pending.remove(0);
            entries.push(Entry { id, below: true, explains: 0, folded: false });
            pending.extend(explained.remove(&id).unwrap_or_default());
        }
        entries[place].explains = entries.len() - place - 1;
    }
    // Causes that form a ring have no root; they are still shown.
    entries.extend(explained.into_values().flatten().map(|id| Entry {
        id,
        below: false,
        explains: 0,
        folded: false,
    }));
    entries
}

/// Higher comes first. Of what is over only the time counts, in seconds.
fn rank(alert: &Alert) -> (bool, bool, Severity, bool, i64) {
    if alert.is_open() {
        (true, !alert.is_quiet(), alert.severity, !alert.acknowledged, 0)
    } else {
        (false, false, Severity::Info, false, alert.time.known().map_or(i64::MIN, |time| time as i64))
    }
}
