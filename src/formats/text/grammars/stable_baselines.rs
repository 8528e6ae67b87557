//! The boxed tables of `Stable-Baselines3`, and of OpenAI's older loggers.

use super::{Grammar, Line, State, scan::value_of};
use crate::formats::wire::numbers::integer;

/// A box with a row per number; a name that ends in `/` is the group of the rows under it:
///
/// ```text
/// ---------------------------------
/// | rollout/           |          |
/// |    ep_rew_mean     | 22.3     |
/// | time/              |          |
/// |    total_timesteps | 256      |
/// ---------------------------------
/// ```
///
/// The step stands in the middle, so that nothing is said before the box is closed.
pub(super) struct StableBaselines;

/// Names of the step, best first.
const STEPS: &[&str] =
    &["time/total_timesteps", "total_timesteps", "total_timesteps/", "TotalEnvInteracts", "Epoch"];
/// A box is open.
const OPEN: u64 = 1;

impl Grammar for StableBaselines {
    fn name(&self) -> &'static str {
        "stable-baselines"
    }

    fn summary(&self) -> &'static str {
        "Stable-Baselines3 boxed tables `| rollout/ |`, `|    ep_rew_mean | 22.3 |`"
    }

    fn may(&self, line: &str) -> bool {
        matches!(line.as_bytes(), [b'|', ..] | [b'-', b'-', b'-', ..])
    }

    fn read<'a>(&self, line: &'a str, state: &mut State, out: &mut Line<'a>) -> bool {
        if line.starts_with('-') {
            return line.bytes().all(|b| b == b'-') && border(state, out);
        }
        if state.count != OPEN {
            return false;
        }
        row(line, state).unwrap_or_else(|| {
            // a table of another kind
            state.count = 0;
            state.drop_held();
            false
        })
    }
}

/// Opens a box, or closes it and gives its numbers.
fn border(state: &mut State, out: &mut Line<'_>) -> bool {
    if state.count == OPEN && state.holds() {
        state.release(out);
        let step = STEPS.iter().find_map(|name| {
            let at = out.values.iter().position(|value| value.tag == *name)?;
            integer(out.values.get(at)?.value).map(|step| (at, step))
        });
        state.count = 0;
        state.context.clear();
        let Some((at, step)) = step else {
            out.values.clear();
            return false;
        };
        out.values.remove(at);
        out.step = Some(step);
        return true;
    }
    state.count = OPEN;
    state.context.clear();
    state.drop_held();
    false
}

/// `None`: no row of a box with two columns.
fn row(line: &str, state: &mut State) -> Option<bool> {
    let inside = line.strip_prefix('|')?.strip_suffix('|')?;
    let (name, value) = inside.split_once('|').filter(|(_, value)| !value.contains('|'))?;
    let (indented, name, value) = (name.starts_with("    "), name.trim(), value.trim());
    if value.is_empty() && name.ends_with('/') {
        name.clone_into(&mut state.context);
        return Some(true);
    }
    if let Some(value) = value_of(value) {
        // right-aligned names of other loggers look indented
        let tag = if indented { format!("{}{name}", state.context) } else { name.to_owned() };
        state.hold(&tag, value);
    }
    Some(true)
}
