//! The time cursor: which step is "one back".

use crate::{detect::tags, model::Step, store::Run};

/// Steps of the cursor along a run's main loss (or its longest series); thinned as the store has them.
pub fn moved(run: &Run, cursor: Option<Step>, by: isize) -> Option<Step> {
    let main = tags::main_loss(run).and_then(|key| run.series_of(&key));
    let series = main.or_else(|| run.series().max_by_key(|s| s.summary().points))?;
    let steps: Vec<Step> = series.buckets(None).iter().map(|b| b.last.step).collect();
    among(&steps, cursor, by)
}

/// The step `by` places from the cursor in ascending `steps`; `None` (live) beyond the end.
pub fn among(steps: &[Step], cursor: Option<Step>, by: isize) -> Option<Step> {
    let last = steps.len().checked_sub(1)?;
    let at = match cursor {
        None if by >= 0 => return None,
        None => last,
        Some(step) => steps.partition_point(|s| *s <= step).saturating_sub(1),
    };
    let next = at.saturating_add_signed(by);
    if next > last { None } else { steps.get(next).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_walks_the_steps_and_leaves_them_at_the_end() {
        let steps = [10, 20, 30];
        assert_eq!(among(&steps, None, -1), Some(20));
        assert_eq!(among(&steps, Some(20), -10), Some(10));
        assert_eq!(among(&steps, Some(25), 1), Some(30));
        assert_eq!(among(&steps, Some(30), 1), None);
        assert_eq!(among(&steps, None, 1), None);
        assert_eq!(among(&[], None, -1), None);
    }
}
