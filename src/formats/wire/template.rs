//! Lines of JSON that differ from each other in their numbers only, which is how loops write them.
//!
//! The text between the numbers of one line, compared byte by byte with the next line, says where that line's numbers
//! are and what they mean, without looking at a key.

use super::{
    json::{Cursor, DEPTH_LIMIT, JsonError, Kind},
    numbers::leading_number,
};

/// Longer lines are not learned by heart.
const LENGTH_LIMIT: usize = 64 << 10;
/// Lines of so many shapes are remembered at a time.
const SHAPES: usize = 8;

/// The text of a line around its numbers.
#[derive(Debug)]
struct Template {
    /// All text without the numbers.
    text: Vec<u8>,
    /// Where in `text` each number stood, ascending.
    holes: Vec<usize>,
}

/// A number of a line, and the keys that lead to it with `/` between them, as they are written.
#[derive(Clone, PartialEq, Debug)]
pub struct Hole {
    /// Its keys.
    pub path: Vec<u8>,
    /// The number.
    pub value: f64,
}

/// The shapes of a file's lines, each with what a reader made of it.
#[derive(Debug)]
pub struct Templates<T> {
    known: Vec<(Template, T, usize)>,
    last: usize,
    learned: usize,
    hits: usize,
    values: Vec<f64>,
}

impl<T> Default for Templates<T> {
    fn default() -> Self {
        Self { known: Vec::new(), last: 0, learned: 0, hits: 0, values: Vec::new() }
    }
}

impl<T> Templates<T> {
    /// What was made of a line of this shape, and the line's numbers in order. `None`: look at the line itself.
    #[inline]
    pub fn read(&mut self, line: &[u8]) -> Option<(&mut T, &[f64])> {
        let guess = self.known.get(self.last)?.2;
        let fits = |at: usize, values: &mut Vec<f64>| {
            self.known.get(at).is_some_and(|(template, _, _)| template.read(line, values))
        };
        let mut at = guess;
        if !fits(at, &mut self.values) {
            at = (0..self.known.len()).find(|at| *at != guess && fits(*at, &mut self.values))?;
            if let Some(last) = self.known.get_mut(self.last) {
                last.2 = at;
            }
        }
        self.last = at;
        self.hits = self.hits.saturating_add(1);
        let (_, made, _) = self.known.get_mut(at)?;
        Some((made, &self.values))
    }

    /// Remembers the shape of a line that had to be looked at, if `make` makes something of its numbers. Lines that
    /// never come again in the same shape are soon not learned any more.
    pub fn learn(&mut self, line: &[u8], make: impl FnOnce(&[Hole]) -> Option<T>) {
        if line.len() > LENGTH_LIMIT || self.learned > 2 * SHAPES + self.hits / 8 {
            return;
        }
        self.learned += 1;
        let Ok((template, holes)) = Template::of(line) else { return };
        let Some(made) = make(&holes) else { return };
        let at = self.known.len() % SHAPES;
        if self.known.len() < SHAPES {
            self.known.push((template, made, at));
            self.last = at;
        } else {
            let at = self.learned % SHAPES;
            if let Some(place) = self.known.get_mut(at) {
                *place = (template, made, at);
            }
            self.last = at;
        }
    }
}

impl Template {
    /// Cuts the numbers out of a line. Lists are refused: they differ in length.
    fn of(line: &[u8]) -> Result<(Self, Vec<Hole>), JsonError> {
        let mut holes = Vec::new();
        let mut places = Vec::new();
        let mut cursor = Cursor::new(line);
        walk(&mut cursor, &mut Vec::new(), 0, &mut |path, from, to, value| {
            holes.push(Hole { path: path.to_vec(), value });
            places.push((from, to));
        })?;
        cursor.end()?;
        let (mut text, mut at) = (Vec::with_capacity(line.len()), 0);
        let mut starts = Vec::new();
        for (from, to) in places {
            text.extend_from_slice(line.get(at..from).unwrap_or_default());
            starts.push(text.len());
            at = to;
        }
        text.extend_from_slice(line.get(at..).unwrap_or_default());
        Ok((Self { text, holes: starts }, holes))
    }

    /// The numbers of a line of this shape; false if it has another.
    #[inline]
    fn read(&self, line: &[u8], values: &mut Vec<f64>) -> bool {
        values.clear();
        let (mut rest, mut at) = (line, 0);
        for hole in &self.holes {
            let literal = self.text.get(at..*hole).unwrap_or_default();
            let Some(after) = rest.strip_prefix(literal) else { return false };
            let Some((value, length)) = leading_number(after).or_else(|| word(after)) else { return false };
            values.push(value);
            rest = after.get(length..).unwrap_or_default();
            at = *hole;
        }
        self.text.get(at..).is_some_and(|end| end == rest)
    }
}

/// The words for numbers that are not finite.
#[cold]
fn word(text: &[u8]) -> Option<(f64, usize)> {
    let words: [(&[u8], f64); 3] =
        [(b"NaN", f64::NAN), (b"Infinity", f64::INFINITY), (b"-Infinity", f64::NEG_INFINITY)];
    words.iter().find(|(word, _)| text.starts_with(word)).map(|(word, value)| (*value, word.len()))
}

fn walk(
    cursor: &mut Cursor<'_>,
    path: &mut Vec<u8>,
    depth: usize,
    number: &mut impl FnMut(&[u8], usize, usize, f64),
) -> Result<(), JsonError> {
    if depth > DEPTH_LIMIT {
        return Err(JsonError::TooDeep);
    }
    match cursor.kind()? {
        Kind::Object => {
            cursor.open()?;
            let mut first = true;
            while let Some(key) = cursor.key(&mut first)? {
                let before = path.len();
                if before > 0 {
                    path.push(b'/');
                }
                path.extend_from_slice(key);
                walk(cursor, path, depth + 1, number)?;
                path.truncate(before);
            }
            Ok(())
        }
        Kind::Array => {
            cursor.open()?;
            if cursor.element(&mut true)? { Err(JsonError::Unexpected) } else { Ok(()) }
        }
        Kind::Number => {
            let from = cursor.at();
            let value = cursor.number()?;
            number(path, from, cursor.at(), value);
            Ok(())
        }
        _ => cursor.skip(depth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(line: &str) -> Templates<usize> {
        let mut templates = Templates::default();
        templates.learn(line.as_bytes(), |holes| Some(holes.len()));
        templates
    }

    #[test]
    fn a_line_of_the_same_shape_gives_its_numbers() {
        let mut templates = learned(r#"{"step": 1, "train": {"loss": 2.5, "n": []}, "note": "7"}"#);
        let line = r#"{"step": -12, "train": {"loss": NaN, "n": []}, "note": "7"}"#;
        let (count, values) = templates.read(line.as_bytes()).unwrap();
        assert_eq!((*count, values[0]), (2, -12.0));
        assert!(values[1].is_nan());
        for other in [
            r#"{"step": 1, "train": {"loss": 2.5, "n": []}, "note": "8"}"#,
            r#"{"step": 1, "train": {"loss": 2.5x, "n": []}, "note": "7"}"#,
            r#"{"step": 1, "train": {"loss": , "n": []}, "note": "7"}"#,
            r#"{"step": 1, "train": {"loss": 2.5, "n": []}, "note": "7"}}"#,
            r#"{"step": 1"#,
            "",
        ] {
            assert_eq!(templates.read(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn paths_lead_to_the_numbers_and_lists_are_refused() {
        let (_, holes) = Template::of(br#"{"a": {"b": 1}, "c": "2", "d": 3}"#).unwrap();
        let paths: Vec<_> = holes.iter().map(|h| String::from_utf8_lossy(&h.path).into_owned()).collect();
        assert_eq!(paths, ["a/b", "d"]);
        assert!(Template::of(br#"{"a": [1]}"#).is_err());
        assert!(Template::of(br#"{"a": 1"#).is_err());
    }

    #[test]
    fn shapes_that_take_turns_are_all_known_and_memory_is_bounded() {
        let mut templates = Templates::default();
        for n in 0..1000 {
            let line = format!("{{\"k{}\": {n}}}", n % 3);
            if templates.read(line.as_bytes()).is_none() {
                templates.learn(line.as_bytes(), |_| Some(()));
            }
        }
        assert_eq!((templates.known.len(), templates.hits), (3, 997));
        for n in 0..1000 {
            templates.learn(format!("{{\"n{n}\": 1}}").as_bytes(), |_| Some(()));
        }
        assert_eq!(templates.known.len(), SHAPES);
    }
}
