//! What the search passes over, and why: every file is told of, and a million of them in little memory.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::PassedOver;

/// Groups that are told apart; what comes later is counted only.
const GROUPS: usize = 2000;
/// Endings longer than this are parts of names.
const ENDING: usize = 12;

/// Files of one folder, of one ending and of one reason make a group.
#[derive(Debug, Default)]
pub struct Passed {
    groups: FxHashMap<(String, String, String), usize>,
}

impl Passed {
    /// Adds `count` files of `folder` (as shown; empty for a watched path) that end as `name` does.
    pub fn add(&mut self, list: &mut Vec<PassedOver>, folder: &str, name: &str, count: u64, why: &str) {
        let like = like(name);
        let key = (folder.to_owned(), like, why.to_owned());
        if let Some(group) = self.groups.get(&key).and_then(|at| list.get_mut(*at)) {
            if group.count == 1 {
                group.path = join(folder, &key.1).into();
            }
            group.count += count;
        } else if list.len() < GROUPS {
            let path = if count == 1 { join(folder, name) } else { join(folder, &key.1) };
            self.groups.insert(key, list.len());
            list.push(PassedOver { path: Arc::from(path), count, reason: Arc::from(why) });
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder == "." { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The pattern of files that end as `name` does: `*.pt`, `*.<number>`, or `*` where it has no ending.
pub fn like(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.is_empty() && ending.len() <= ENDING => {
            if ending.bytes().all(|b| b.is_ascii_digit()) {
                "*.<number>".to_owned()
            } else {
                format!("*.{ending}")
            }
        }
        _ => "*".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_ending_and_one_reason_are_one_group() {
        let (mut passed, mut list) = (Passed::default(), Vec::new());
        passed.add(&mut list, "run", "model.pt", 1, "unknown");
        passed.add(&mut list, ".", "notes.txt", 1, "quiet");
        assert_eq!(&*list[0].path, "run/model.pt", "one file is called by its name");
        passed.add(&mut list, "run", "other.pt", 9, "unknown");
        passed.add(&mut list, "run", "part.00017", 3, "unknown");
        passed.add(&mut list, "run", "LICENSE", 2, "unknown");
        let told: Vec<(&str, u64)> = list.iter().map(|g| (&*g.path, g.count)).collect();
        assert_eq!(told, [("run/*.pt", 10), ("notes.txt", 1), ("run/*.<number>", 3), ("run/*", 2)]);
    }

    #[test]
    fn the_groups_are_bounded() {
        let (mut passed, mut list) = (Passed::default(), Vec::new());
        for n in 0..5000 {
            passed.add(&mut list, &format!("folder {n}"), "x.pt", 1, "unknown");
        }
        assert_eq!(list.len(), GROUPS);
    }
}
