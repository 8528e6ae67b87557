//! `--bell`: the terminal's bell, once a message.

use super::{
    channel::{Channel, Surroundings, Terminal},
    flags::NotifyFlags,
    notice::Message,
};
use crate::app::error::AppError;

struct Bell(Terminal);

/// The bell, if it is asked for.
#[expect(clippy::unnecessary_wraps, reason = "as all channels are made; others can fail")]
pub fn channel(flags: &NotifyFlags, around: &Surroundings) -> Result<Option<Box<dyn Channel>>, AppError> {
    Ok(flags.bell.then(|| Box::new(Bell(around.terminal.clone())) as Box<dyn Channel>))
}

impl Channel for Bell {
    fn name(&self) -> &'static str {
        "bell"
    }

    fn send(&mut self, _message: &Message) -> bool {
        (self.0)(vec![0x07])
    }
}
