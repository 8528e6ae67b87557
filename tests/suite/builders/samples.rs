//! Samples of every format: real ones from `sample_logs/`, and small ones written here that hold what real ones
//! rarely do.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use epochscope::formats::{Candidate, FORMATS, Format, HEAD_BYTES, Recognised, recognise};

/// A file to read.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its path below `sample_logs/`, or its name alone: some formats keep names in those of folders.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Sample {
    /// A sample of that name and content.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into() }
    }

    /// What the registry says of it.
    pub fn recognised(&self) -> Recognised {
        let head = &self.bytes[..self.bytes.len().min(HEAD_BYTES)];
        let whole = head.len() == self.bytes.len();
        let path = Path::new(&self.name);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        recognise(&Candidate { path, name: &name, head, whole })
    }

    /// The name of the format that claims it.
    pub fn format(&self) -> Option<&'static dyn Format> {
        match self.recognised() {
            Recognised::As(format) => Some(format),
            _ => None,
        }
    }

    /// Its first bytes, cut anywhere.
    pub fn beginning(&self, bytes: usize) -> &[u8] {
        &self.bytes[..self.bytes.len().min(bytes)]
    }
}

/// Twenty records of the native log.
pub fn native_log() -> Sample {
    let mut text = String::from(
        r#"{"epochscope":1,"t":"run","name":"tiny","goal":{"metric":"val/loss","mode":"min"},"steps_total":10}
{"t":"hparams","values":{"lr":0.1,"opt":"sgd"}}
{"t":"classes","names":["cat","dog"]}
"#,
    );
    for step in 1..=12 {
        let loss = if step == 9 { "NaN".to_owned() } else { format!("{:.3}", 2.0 / f64::from(step)) };
        let wall = 1_750_000_000 + step;
        let _ = writeln!(
            text,
            "{{\"t\":\"scalar\",\"step\":{step},\"wall\":{wall}.5,\"split\":\"train\",\"v\":{{\"loss\":{loss},\"lr\":0.1}}}}"
        );
    }
    text.push_str(
        r#"{"t":"layer","step":12,"name":"fc1","kind":"grad","norm":0.5,"nan":0}
{"t":"hist","step":12,"name":"fc1","kind":"weight","edges":[-1,0,1],"counts":[3,4]}
{"t":"confusion","step":12,"split":"val","rows":"true","m":[[5,1],[2,4]]}
{"t":"text","step":12,"name":"note","v":"ä NaN \u00e4 \ud83d\ude00"}
{"t":"event","kind":"end","status":"finished"}
"#,
    );
    Sample::new("tiny.scope.jsonl", text)
}

/// JSON lines with everything awkward.
pub fn json_lines() -> Sample {
    Sample::new(
        "metrics.jsonl",
        concat!(
            "\u{feff}{\"step\": 1, \"train\": {\"loss\": 2.5, \"lr\": \"0.1\"}, \"per_class\": [0.5, 0.25], \"done\": false}\n",
            "\n",
            "{\"step\": 2, \"train\": {\"loss\": NaN, \"lr\": \"0.1\"}, \"per_class\": [-Infinity, 1e999]}\r\n",
            "{\"step\": 3, \"train\": {\"loss\": 2.25, \"loss\": 2.125}, \"note\": \"NaN \\\"quoted\\\" \\u00e4\"}\n",
            "{\"step\": 4, \"train\": {\"loss\": \n",
            "{\"step\": 2, \"train\": {\"loss\": 2.0}, \"config\": {\"lr\": 0.1}}\n",
            "{\"step\": 3, \"train\": {\"loss\": 1.875}}",
        ),
    )
}

/// A table with everything awkward.
pub fn table() -> Sample {
    Sample::new(
        "results.csv",
        concat!(
            "\u{feff}step , epoch,\"train, loss\",note,val_loss\r\n",
            " 0,0, 2.5 ,\"two\nlines, \"\"quoted\"\"\",\r\n",
            "1,0,2.25,plain,NA\r\n",
            "2,1,nan,,2.0\r\n",
            "3,1\r\n",
            "4,2,inf,x,None\r\n",
            "step , epoch,\"train, loss\",note,val_loss\r\n",
            "0,0,1.5,x,1.75",
        ),
    )
}

/// Every file below `sample_logs/` that some format claims.
fn real() -> Vec<Sample> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_logs");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(&root), std::fs::read(&path)) {
                let sample = Sample::new(&name.to_string_lossy(), bytes);
                if sample.format().is_some() {
                    found.push(sample);
                }
            }
        }
    }
    found.sort_by(|a, b| (a.bytes.len(), &a.name).cmp(&(b.bytes.len(), &b.name)));
    found
}

/// The files below `sample_logs/` that some format claims, by their paths there.
pub fn claimed_paths() -> Vec<PathBuf> {
    real().into_iter().map(|sample| PathBuf::from(sample.name)).collect()
}

/// Every format with its samples, smallest first.
pub fn by_format() -> Vec<(&'static dyn Format, Vec<Sample>)> {
    let mut all = vec![native_log(), json_lines(), table()];
    all.extend(real());
    let of = |format: &'static dyn Format| {
        let mine = |s: &&Sample| s.format().is_some_and(|f| f.name() == format.name());
        (format, all.iter().filter(mine).cloned().collect())
    };
    FORMATS.iter().map(|format| of(*format)).collect()
}
