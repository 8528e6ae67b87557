//! Which axis of a matrix holds the true classes, from the words on it.

/// What an axis is, as far as its words say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    True,
    Predicted,
}

const TRUE: &[&str] =
    &["actual", "actuals", "true", "truth", "truelabel", "gt", "target", "reference", "observed", "expected"];
const PREDICTED: &[&str] = &["predicted", "prediction", "predictions", "pred", "preds", "hypothesis"];

/// What the words of a text say; `None` if nothing, or both.
pub(super) fn side(text: &str) -> Option<Side> {
    let lower = text.to_ascii_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    let has = |list: &[&str]| words().any(|word| list.contains(&word));
    match (has(TRUE), has(PREDICTED)) {
        (true, false) => Some(Side::True),
        (false, true) => Some(Side::Predicted),
        _ => None,
    }
}

/// What the corner of a table says of rows and columns: `actual\predicted` of both, a single word of the rows.
pub(super) fn corner(text: &str) -> (Option<Side>, Option<Side>) {
    match text.split_once(['\\', '/', '|', '×']) {
        Some((rows, columns)) => (side(rows), side(columns)),
        None => (side(text), None),
    }
}

/// What all names of an axis begin with: `pred_cat`, `pred_dog`.
pub(super) fn of_names<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<Side> {
    let begins =
        |name: &str| side(name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default());
    let first = begins(names.next()?)?;
    names.all(|name| begins(name) == Some(first)).then_some(first)
}

/// The name of a class without the word that says which axis it stands on.
pub(super) fn without_side(name: &str) -> &str {
    let rest = name.split_once(|c: char| !c.is_ascii_alphanumeric()).map_or("", |(_, rest)| rest);
    let rest = rest.trim_matches(|c: char| !c.is_alphanumeric());
    if rest.is_empty() { name } else { rest }
}

/// Whether rows are true, from what is known of both axes: `Ok(None)` if nothing is, `Err` if they cannot both be right.
pub(super) fn agree(rows: Option<Side>, columns: Option<Side>) -> Result<Option<bool>, &'static str> {
    match (rows, columns) {
        (None, None) => Ok(None),
        (Some(rows), Some(columns)) if rows == columns => {
            Err("a confusion matrix whose words contradict each other about its axes")
        }
        (Some(rows), _) => Ok(Some(rows == Side::True)),
        (None, Some(columns)) => Ok(Some(columns == Side::Predicted)),
    }
}

/// The same from the titles of the axes.
pub(in crate::formats) fn rows_are_true(rows: &str, columns: &str) -> Result<Option<bool>, &'static str> {
    agree(side(rows), side(columns))
}
