//! `DVCLive`'s files beside its tables: `metrics.json` with the latest value of each metric, and
//! `plots/sklearn/*.json` with a confusion matrix as a list of samples.
//!
//! The whole curves are in `plots/metrics/*.tsv`, which are read as tables and win; the summary counts where those are
//! missing. Source: `iterative/dvclive`, `src/dvclive/live.py` and `plots/sklearn.py`.

use std::path::Path;

use super::{
    Candidate, Claim, Decoded, Decoder, Format, Opening, Standing,
    document::{Document, Unread, first_keys, folder_above, summary, whole_json},
    matrices::{Found, samples, say},
    wire::{
        json_tree::{Json, Object},
        lines::{named, trim, without_mark},
    },
};
use crate::model::{Point, SeriesKey, Step, Tag};

/// Values of a summary that are kept.
const VALUES_LIMIT: usize = 1 << 16;

/// `dvclive/metrics.json`, `dvclive/plots/sklearn/*.json`
pub struct DvcLive;

impl Format for DvcLive {
    fn name(&self) -> &'static str {
        "dvclive"
    }

    fn summary(&self) -> &'static str {
        "DVCLive `metrics.json` and confusion matrices (`plots/sklearn/*.json`); its curves are tables"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["metrics.json", "*.json"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if in_plots(file.path) && named(file.name, ".json") {
            return has_samples(file);
        }
        if file.name != "metrics.json" {
            return Claim::No("");
        }
        let head = without_mark(file.head);
        // indented, as `DVCLive` writes it: one object per line is somebody else's log
        let indented = head.starts_with(b"{\n") || head.starts_with(b"{\r\n");
        let home = folder_above(file.path, 0) == Some("dvclive");
        let keys = first_keys(head);
        if indented && (home || keys.iter().any(|key| key == "step")) {
            Claim::Yes
        } else if file.head.is_empty() {
            Claim::NotYet
        } else {
            Claim::No("no summary of DVCLive: not indented, or without step")
        }
    }

    fn standing(&self, path: &Path) -> Standing {
        Standing::side(if in_plots(path) { 2 } else { 0 })
    }

    fn decoder(&self, opening: &Opening<'_>) -> Box<dyn Decoder> {
        let path = opening.path.to_path_buf();
        Box::new(Document(move |bytes: &[u8], out: &mut Decoded| read(&path, bytes, out)))
    }
}

fn in_plots(path: &Path) -> bool {
    folder_above(path, 0) == Some("sklearn") && folder_above(path, 1) == Some("plots")
}

/// A list whose objects have a true and a predicted class; other plots (ROC, calibration) are objects.
fn has_samples(file: &Candidate<'_>) -> Claim {
    let head = trim(without_mark(file.head));
    let Some(rest) = head.strip_prefix(b"[") else {
        return if head.is_empty() { Claim::NotYet } else { Claim::No("a plot that is no confusion matrix") };
    };
    let keys = first_keys(rest);
    match keys.iter().any(|k| k == "actual") && keys.iter().any(|k| k == "predicted") {
        true => Claim::Yes,
        false if file.head.len() < 64 => Claim::NotYet,
        false => Claim::No("a plot that is no confusion matrix"),
    }
}

fn read(path: &Path, bytes: &[u8], out: &mut Decoded) -> Result<(), Unread> {
    let json = Json::parse(whole_json(bytes)?)?;
    if let Json::Object(object) = &json {
        latest(object, bytes.len(), out);
    } else {
        let found = match samples(&json) {
            Ok(matrix) => Found::Matrix(matrix, None),
            Err(reason) => Found::Other(reason),
        };
        say(path, bytes.len(), found, out);
    }
    out.count_records(1);
    Ok(())
}

/// The latest values stand at the step that is among them; without one nobody knows where they stand.
fn latest(object: &Object<'_>, bytes: usize, out: &mut Decoded) {
    match object.integer("step") {
        Some(step) => {
            let mut left = VALUES_LIMIT;
            values(object, "", step, &mut left, out);
        }
        None => out.record(summary("metrics", object, bytes)),
    }
}

fn values(object: &Object<'_>, prefix: &str, step: Step, left: &mut usize, out: &mut Decoded) {
    for (key, value) in object.entries() {
        if *left == 0 {
            return;
        }
        let name = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") };
        if let Some(inner) = value.object() {
            values(inner, &name, step, left, out);
        } else if let Some(value) = value.number()
            && name != "step"
        {
            *left -= 1;
            out.point(&SeriesKey::plain(Tag::new(name)), Point { step, wall: f64::NAN, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Record;

    fn decode(path: &str, text: &str) -> crate::formats::Part {
        let mut out = Decoded::new();
        DvcLive.decoder(&Opening::at(Path::new(path))).decode(text.as_bytes(), &mut out).unwrap();
        out.take().parts.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn the_latest_values_stand_at_the_step_among_them() {
        let part =
            decode("dvclive/metrics.json", "{\n \"train\": {\"loss\": NaN}, \"acc\": 0.5, \"step\": 4\n}");
        let found: Vec<_> = part.columns.iter().map(|c| (c.key.label(), c.points[0].step)).collect();
        assert_eq!(found, [("train/loss".to_owned(), 4), ("acc".to_owned(), 4)]);
        let part = decode("dvclive/metrics.json", "{\n \"acc\": 0.5\n}");
        assert!(part.columns.is_empty() && matches!(part.records[0], Record::Artefact(_)));
    }

    #[test]
    fn a_file_of_this_name_is_claimed_only_as_dvclive_writes_it() {
        let claim = |path: &str, head: &str| {
            let path = Path::new(path);
            let name = path.file_name().unwrap().to_str().unwrap();
            DvcLive.recognises(&Candidate { path, name, head: head.as_bytes(), whole: true })
        };
        assert_eq!(claim("a/metrics.json", "{\n \"loss\": 0.5,\n \"step\": 3\n}"), Claim::Yes);
        assert_eq!(claim("dvclive/metrics.json", "{\n \"loss\": 0.5\n}"), Claim::Yes);
        assert!(matches!(claim("a/metrics.json", "{\n \"loss\": 0.5\n}"), Claim::No(_)));
        assert!(matches!(claim("a/metrics.json", "{\"loss\": 0.5, \"step\": 3}\n"), Claim::No(_)));
        assert_eq!(
            claim("d/plots/sklearn/cm.json", "[\n {\"actual\": \"0\", \"predicted\": \"0\"},"),
            Claim::Yes
        );
        assert!(matches!(claim("d/plots/sklearn/roc.json", "{\"roc\": []}"), Claim::No(_)));
    }
}
