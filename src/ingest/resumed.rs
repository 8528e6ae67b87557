//! Runs with which their tracker goes on in another folder: W&B makes `run-<time>-<id>` at each start. What says that it
//! resumes a run of the same project belongs to the first folder of that run.

use super::{claim::first_records, inquiry::Claim, scout::Scout};

/// Time and identifier in the name of a folder that W&B makes when it starts a run.
fn start_of(folder: &str) -> Option<(&str, &str)> {
    let (time, id) =
        folder.strip_prefix("offline-").unwrap_or(folder).strip_prefix("run-")?.split_once('-')?;
    let is_time = time.len() == 15 && time.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    (is_time && !id.is_empty()).then_some((time, id))
}

impl Scout {
    /// Joins the run of a log that a tracker wrote to the one that it resumes. False as long as the log does not say
    /// whether it does, unless it has its `last_chance`.
    pub fn join_resumed(&mut self, at: usize, claim: &Claim, last_chance: bool) -> bool {
        let name = |at: usize| {
            let folder = self.folders.get(at)?;
            Some(folder.path.file_name()?.to_string_lossy().into_owned())
        };
        let Some((own, above)) = name(at).zip(self.folders.get(at).and_then(|f| f.above)) else {
            return true;
        };
        let Some((time, id)) = start_of(&own) else { return true };
        let start = (above, id.to_owned());
        let known = self.starts.get(&start).and_then(|known| Some((*known, name(*known)?)));
        let Some((known, other)) = known.filter(|(known, _)| *known != at) else {
            self.starts.insert(start, at);
            return true;
        };
        let known_is_first = start_of(&other).is_some_and(|(other, _)| other <= time);
        let (first, later) = if known_is_first { (known, at) } else { (at, known) };
        let said = |at: usize| {
            let path = self.folders.get(at)?.path.join(&claim.name);
            first_records(claim.format, &path).ok()?.start
        };
        let (begun, resumed) = (said(first), said(later));
        if resumed.is_none() && later == at && !last_chance {
            return false;
        }
        self.starts.insert(start, first);
        let same =
            begun.zip(resumed).is_some_and(|(begun, resumed)| resumed.resumes && begun.run == resumed.run);
        if same && let Some((first, later)) = self.folders.get(first).zip(self.folders.get(later)) {
            self.tree.resume(later.node, first.node);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_told_by_the_name_of_its_folder() {
        assert_eq!(start_of("run-20261123_175752-6flxxuar"), Some(("20261123_175752", "6flxxuar")));
        assert_eq!(start_of("offline-run-20261123_175752-a-b"), Some(("20261123_175752", "a-b")));
        for other in ["run-1", "run-20261123_175752-", "run-20261123-1757522-x", "latest-run"] {
            assert_eq!(start_of(other), None, "{other}");
        }
    }
}
