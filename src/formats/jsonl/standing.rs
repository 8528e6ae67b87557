//! Which names of JSON lines speak for their folder.

use std::path::Path;

use crate::formats::{RunPart, Standing, split_of};

/// Names that a writer uses once per run: Detectron2, SB3, Ray, LLaMA-Factory, Composer's and others' habit.
const OF_A_RUN: &[&str] =
    &["metrics.json", "metrics.jsonl", "progress.json", "result.json", "trainer_log.jsonl", "scalars.json"];

/// How the log at `path` stands to its run.
pub fn standing(path: &Path) -> Standing {
    let name = path.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy()).unwrap_or_default();
    if folder == "vis_data" {
        return Standing::folder(1);
    }
    if OF_A_RUN.contains(&&*name) || is_openmmlab(&name) {
        return Standing::folder(0);
    }
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    match split_of(stem) {
        Some(split) => Standing::folder(0).within(split),
        None => Standing { part: RunPart::Log, ..Standing::default() },
    }
}

/// MMCV begins a new `<stamp>.log.json` in the same folder whenever training is started or resumed.
pub fn is_openmmlab(name: &str) -> bool {
    name.ends_with(".log.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_writers_use_once_per_run_speak_for_the_folder() {
        for (path, up, part, context) in [
            ("out/trainer_log.jsonl", 0, RunPart::Folder, ""),
            ("w/1/vis_data/20261123_181859.json", 1, RunPart::Folder, ""),
            ("w/None.log.json", 0, RunPart::Folder, ""),
            ("a/valid.log", 0, RunPart::Folder, "valid"),
            ("runs/sweep-3.jsonl", 0, RunPart::Log, ""),
        ] {
            let found = standing(Path::new(path));
            assert_eq!((found.up, found.part, &*found.context), (up, part, context), "{path}");
        }
    }
}
