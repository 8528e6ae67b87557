//! Where messages go: what every channel does, and the list of all of them.

use std::{sync::Arc, time::Duration};

use super::{bell, command, desktop, flags::NotifyFlags, notice::Message, webhook};
use crate::{app::error::AppError, model::Clock};

/// Makes a channel if the flags ask for it.
type Make = fn(&NotifyFlags, &Surroundings) -> Result<Option<Box<dyn Channel>>, AppError>;

/// All channels. Another one is a file and a line here.
pub const CHANNELS: &[Make] = &[bell::channel, desktop::channel, command::channel, webhook::channel];

/// Writes to the terminal that the user looks at; false if that was not possible.
pub type Terminal = Arc<dyn Fn(Vec<u8>) -> bool + Send + Sync>;

/// Says a line to the user: what could not be delivered, and why.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// What channels are handed.
#[derive(Clone)]
pub struct Surroundings {
    /// The terminal.
    pub terminal: Terminal,
    /// What goes wrong is said here.
    pub say: Say,
    /// For deadlines.
    pub clock: Arc<dyn Clock>,
    /// A screen is up, which nobody else may write to.
    pub screen: bool,
    /// We run inside tmux.
    pub tmux: bool,
}

/// A way out for messages.
pub trait Channel: Send {
    /// Its name in what is said to the user.
    fn name(&self) -> &'static str;

    /// What sets it apart from another channel of this name: whoever changes the address is told again.
    fn address(&self) -> String {
        String::new()
    }

    /// Takes a message, without waiting for anything; false if there is no room for it.
    fn send(&mut self, message: &Message) -> bool;

    /// Tries to get rid of what waits, for so long at most; returns how many messages are lost.
    fn finish(&mut self, patience: Duration) -> u64 {
        let _ = patience;
        0
    }
}
