//! `projector_config.pbtxt`, which `SummaryWriter.add_embedding` rewrites whole in the run's folder at each call
//! (tensorboard `plugins/projector/projector_config.proto`, as protobuf text).
//!
//! Only what the embeddings are called and where their points lie is read: the points, in files of their own, are
//! read when somebody looks at them.

use std::{path::Path, sync::Arc};

use super::{
    Candidate, Claim, Consumed, Decoded, Decoder, Fatal, Format, Opening, Standing,
    wire::{lines::trim, paths::path_below},
};
use crate::model::{Artefact, ArtefactKind, Payload, Record, WallTime};

/// Embeddings of one file that are kept: one a call of `add_embedding`.
const EMBEDDINGS_LIMIT: usize = 4096;

/// Blocks within blocks.
const DEPTH_LIMIT: usize = 16;

/// Where the points of embeddings lie.
pub struct Projector;

impl Format for Projector {
    fn name(&self) -> &'static str {
        "projector"
    }

    fn summary(&self) -> &'static str {
        "TensorBoard's projector_config.pbtxt: which embeddings a run wrote and where their points lie"
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["projector_config.pbtxt"]
    }

    fn recognises(&self, file: &Candidate<'_>) -> Claim {
        if file.name != "projector_config.pbtxt" {
            return Claim::No("");
        }
        match trim(file.head) {
            [] => Claim::NotYet,
            head if head.starts_with(b"embeddings") || head.starts_with(b"model_checkpoint_path") => {
                Claim::Yes
            }
            _ => Claim::No("does not begin with embeddings"),
        }
    }

    fn standing(&self, _path: &Path) -> Standing {
        Standing::side(0)
    }

    fn decoder(&self, _opening: &Opening<'_>) -> Box<dyn Decoder> {
        Box::new(ProjectorDecoder)
    }
}

struct ProjectorDecoder;

impl Decoder for ProjectorDecoder {
    fn decode(&mut self, available: &[u8], out: &mut Decoded) -> Result<Consumed, Fatal> {
        let text = String::from_utf8_lossy(available);
        let Some(embeddings) = embeddings(&text) else { return Ok(Consumed::default()) };
        for embedding in embeddings {
            out.count_records(1);
            out.record(Record::Artefact(embedding.artefact(available.len() as u64)));
        }
        Ok(Consumed::all(available.len()))
    }

    fn whole_document(&self) -> bool {
        true
    }
}

#[derive(Debug, Default, PartialEq)]
struct Embedding {
    name: String,
    tensors: String,
    metadata: String,
    shape: Vec<usize>,
}

impl Embedding {
    /// The step is the part of the name after the colon, as torch writes it (`digits:00126`).
    fn artefact(self, bytes: u64) -> Artefact {
        let (name, step) = match self.name.rsplit_once(':') {
            Some((name, step)) if !name.is_empty() => match step.parse() {
                Ok(step) => (name, Some(step)),
                Err(_) => (self.name.as_str(), None),
            },
            _ => (self.name.as_str(), None),
        };
        let mut fields = Vec::new();
        for (field, path, shape) in
            [("points", &self.tensors, &self.shape), ("metadata", &self.metadata, &Vec::new())]
        {
            if let Ok(path) = path_below(path) {
                fields.push((Arc::from(field), Payload::File { path, shape: shape.clone() }));
            } else if !path.is_empty() {
                fields.push((Arc::from(field), Payload::Text(Arc::from(path.as_str()))));
            }
        }
        let kind = ArtefactKind::Embedding;
        Artefact { kind, name: Arc::from(name), step, wall: WallTime::UNKNOWN, offset: 0, bytes, fields }
    }
}

/// The embeddings of a whole text; `None` while it is torn: a block or a string is open at its end.
fn embeddings(text: &str) -> Option<Vec<Embedding>> {
    let mut found: Vec<Embedding> = Vec::new();
    let mut blocks: Vec<&str> = Vec::new();
    let mut name = "";
    let mut tokens = Tokens(text);
    while let Some(token) = tokens.next()? {
        match token {
            Token::Name(word) => {
                let value = blocks.last() == Some(&"embeddings") && name == "tensor_shape";
                if let (true, Ok(size), Some(at)) = (value, word.parse(), found.last_mut()) {
                    at.shape.push(size);
                }
                name = word;
            }
            Token::Open if blocks.len() < DEPTH_LIMIT => {
                if blocks.is_empty() && name == "embeddings" && found.len() < EMBEDDINGS_LIMIT {
                    found.push(Embedding::default());
                }
                blocks.push(name);
            }
            Token::Open => return Some(Vec::new()),
            Token::Close => {
                blocks.pop();
            }
            Token::Text(value) => {
                if let (["embeddings"], Some(at)) = (blocks.as_slice(), found.last_mut()) {
                    match name {
                        "tensor_name" => at.name = value,
                        "tensor_path" => at.tensors = value,
                        "metadata_path" => at.metadata = value,
                        _ => {}
                    }
                }
            }
        }
    }
    (blocks.is_empty() && !found.is_empty()).then_some(found)
}

enum Token<'a> {
    /// A field's name, or a number.
    Name(&'a str),
    Open,
    Close,
    Text(String),
}

/// What is left of a protobuf text.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    /// The next token; `Some(None)` at the end, `None` where a string is not closed.
    #[expect(clippy::option_option, reason = "the end, and an end that came too early")]
    fn next(&mut self) -> Option<Option<Token<'a>>> {
        loop {
            let rest = self.0.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | ';'));
            let Some(first) = rest.chars().next() else {
                self.0 = "";
                return Some(None);
            };
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            match first {
                '#' => self.0 = after.split_once('\n').map_or("", |(_, next)| next),
                '{' | '<' => {
                    self.0 = after;
                    return Some(Some(Token::Open));
                }
                '}' | '>' => {
                    self.0 = after;
                    return Some(Some(Token::Close));
                }
                '"' | '\'' => return Some(Some(Token::Text(self.quoted(first, after)?))),
                _ => {
                    let end = |c: char| c.is_whitespace() || ":{}<>\"'#,;".contains(c);
                    let (word, next) = rest.split_at(rest.find(end).unwrap_or(rest.len()));
                    self.0 = next;
                    return Some(Some(Token::Name(word)));
                }
            }
        }
    }

    fn quoted(&mut self, quote: char, text: &'a str) -> Option<String> {
        let mut value = String::new();
        let mut letters = text.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => value.push(letters.next()?.1),
                '\n' => return None,
                _ if letter == quote => {
                    self.0 = text.get(at + quote.len_utf8()..).unwrap_or_default();
                    return Some(value);
                }
                _ => value.push(letter),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN_BY_TORCH: &str = "embeddings {\n  tensor_name: \"digits:00126\"\n  metadata_path: \"00126/digits/metadata.tsv\"\n  sprite {\n    image_path: \"00126/digits/sprite.png\"\n    single_image_dim: 8\n    single_image_dim: 8\n  }\n  tensor_path: \"00126/digits/tensors.tsv\"\n}\n";

    #[test]
    fn torchs_file_names_its_embedding_and_where_the_points_lie() {
        let found = embeddings(WRITTEN_BY_TORCH).unwrap();
        assert_eq!(found.len(), 1);
        let artefact = found.into_iter().next().unwrap().artefact(1);
        assert_eq!((&*artefact.name, artefact.step), ("digits", Some(126)));
        let path: Arc<str> = Arc::from("00126/digits/tensors.tsv");
        assert_eq!(artefact.fields[0].1, Payload::File { path, shape: vec![] });
    }

    #[test]
    fn a_torn_file_says_nothing_yet_and_a_second_call_adds_one() {
        for cut in 1..WRITTEN_BY_TORCH.len() - 2 {
            assert_eq!(embeddings(&WRITTEN_BY_TORCH[..cut]), None, "cut at {cut}");
        }
        let twice =
            format!("{WRITTEN_BY_TORCH}embeddings {{ tensor_name: 'a' tensor_shape: 7 tensor_shape: 3 }}");
        let found = embeddings(&twice).unwrap();
        assert_eq!((found.len(), found[1].shape.as_slice()), (2, [7, 3].as_slice()));
    }
}
