//! Sub-folders that one writer of event files makes for one run: `add_scalars`, `add_hparams`.

use std::{path::Path, sync::Arc};

/// The context of what `add_hparams` wrote to a folder that is called after the time.
pub const HPARAMS: &str = "hparams";

/// Who wrote an event file: host and process number of `events.out.tfevents.<time>.<host>.<pid>.<n>`, or the host
/// alone where the writer (tensorboardX) leaves the rest out. `None` for TensorFlow's own files (`….v2`), which never
/// make sub-folders for one run, and for names of another shape.
pub fn writer(name: &str) -> Option<&str> {
    let (_, after) = name.split_once("tfevents.")?;
    let (time, host) = after.split_once('.')?;
    let number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !number(time) || host.is_empty() || Path::new(host).extension().is_some_and(|e| e == "v2") {
        return None;
    }
    match host.rsplit_once('.') {
        Some((host_and_pid, n))
            if number(n) && host_and_pid.rsplit_once('.').is_some_and(|(_, pid)| number(pid)) =>
        {
            Some(host_and_pid)
        }
        _ => Some(host),
    }
}

/// What the first records of a sub-folder's event file hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FirstRecords {
    /// Tags of its scalars, in order of first appearance.
    pub tags: Vec<Arc<str>>,
    /// It describes hyper-parameters.
    pub hyperparameters: bool,
    /// There is something else in it.
    pub others: bool,
    /// Of which run it says that it is.
    pub start: Option<Start>,
}

/// The start of a run, or one more of a run that is resumed, as its tracker notes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// Identifier and project.
    pub run: (Arc<str>, Option<Arc<str>>),
    /// It goes on where the run stopped.
    pub resumes: bool,
}

impl FirstRecords {
    /// Hyper-parameters and no value.
    pub fn is_settings(&self) -> bool {
        self.hyperparameters && self.tags.is_empty()
    }
}

/// Whether a folder is called after the time, as `add_hparams` does.
pub fn is_time(folder: &str) -> bool {
    folder.contains('.') && folder.parse::<f64>().is_ok_and(|t| t > 1e9)
}

/// What a sub-folder is to the folder above it, which has an event file of the same writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Relation {
    /// A run of its own.
    Separate,
    /// Part of the run above, with this context.
    Folded(Arc<str>),
    /// Too little is written to tell.
    Undecided,
}

/// The relation of the sub-folder `sub` (path below the run's folder) to the run above. `above_has_data`: the event
/// file there holds more than its header.
pub fn relation(sub: &str, first: &FirstRecords, above_has_data: bool) -> Relation {
    if first.hyperparameters {
        return match (above_has_data, is_time(sub)) {
            // settings of the run above, which writes nothing else before it trains, or of a trial whose metrics follow
            (false, true) if first.is_settings() => Relation::Undecided,
            (false, _) => Relation::Separate,
            (true, true) => Relation::Folded(Arc::from(HPARAMS)),
            (true, false) => Relation::Folded(Arc::from(sub)),
        };
    }
    match first.tags.as_slice() {
        [] if first.others => Relation::Separate,
        [] => Relation::Undecided,
        [tag] => scalars_context(sub, tag).map_or(Relation::Separate, |k| Relation::Folded(Arc::from(k))),
        _ => Relation::Separate,
    }
}

/// `k` of a sub-folder that `add_scalars(tag, {k: …})` made: torch writes `<tag with / as _>_<k>`, tensorboardX
/// `<tag>/<k>`.
fn scalars_context<'a>(sub: &'a str, tag: &str) -> Option<&'a str> {
    let after = sub.strip_prefix(&tag.replace('/', "_")).and_then(|rest| rest.strip_prefix('_'));
    after.or_else(|| sub.strip_prefix(tag)?.strip_prefix('/')).filter(|k| !k.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_of_an_event_file_is_host_and_process() {
        let cases = [
            ("events.out.tfevents.1795456254.vm.31066.1", Some("vm.31066")),
            ("events.out.tfevents.1622543341.janoshs-mbp.lan.86862.4", Some("janoshs-mbp.lan.86862")),
            ("events.out.tfevents.1534804046.ip-172-30-1-91", Some("ip-172-30-1-91")),
            ("events.out.tfevents.1795458165.vm.30438.0.v2", None),
            ("events.out.tfevents", None),
            ("metrics.csv", None),
        ];
        for (name, expected) in cases {
            assert_eq!(writer(name), expected, "{name}");
        }
    }

    #[test]
    fn sub_folders_of_one_writer_fold_only_when_their_content_says_so() {
        let tags = |tags: &[&str]| FirstRecords {
            tags: tags.iter().map(|t| Arc::from(*t)).collect(),
            ..FirstRecords::default()
        };
        let hparams = FirstRecords { hyperparameters: true, ..FirstRecords::default() };
        let folded = |k: &str| Relation::Folded(Arc::from(k));
        assert_eq!(relation("loss_both_train", &tags(&["loss_both"]), true), folded("train"));
        assert_eq!(relation("loss_both_train", &tags(&["loss/both"]), true), folded("train"));
        assert_eq!(relation("loss/train", &tags(&["loss"]), true), folded("train"), "tensorboardX");
        assert_eq!(relation("exp1", &tags(&["loss"]), true), Relation::Separate);
        assert_eq!(relation("loss_x", &tags(&["loss", "acc"]), true), Relation::Separate);
        assert_eq!(relation("loss_x", &tags(&[]), true), Relation::Undecided);
        assert_eq!(relation("1795456269.4217", &hparams, true), folded("hparams"));
        assert_eq!(relation("hp", &hparams, true), folded("hp"));
        assert_eq!(relation("hp", &hparams, false), Relation::Separate, "a trial of a sweep");
        assert_eq!(
            relation("1795456269.4217", &hparams, false),
            Relation::Undecided,
            "accelerate's first words"
        );
        let trial = FirstRecords { hyperparameters: true, ..tags(&["best"]) };
        assert_eq!(relation("1795456269.4217", &trial, false), Relation::Separate);
    }
}
