//! The flags of notifications; the same before and behind `follow`, and as keys of a configuration.

use clap::{Args, ValueEnum};

use super::quiet_hours::QuietHours;
use crate::app::units;

/// How alerts leave the program.
#[derive(Args, Clone, PartialEq, Debug, Default)]
#[command(next_help_heading = "Notifications (of the monitor and of `follow`)")]
pub struct NotifyFlags {
    /// Ring the terminal's bell.
    #[arg(long)]
    pub bell: bool,
    /// Show a notification of the desktop (OSC 9 and OSC 777; inside tmux `allow-passthrough` must be on).
    #[arg(long)]
    pub desktop: bool,
    /// Run this command: words as in a shell, but without one. The alert is a JSON object on its standard input and
    /// in variables `EPOCHSCOPE_RULE`, `EPOCHSCOPE_SEVERITY`, `EPOCHSCOPE_RUN`, `EPOCHSCOPE_MESSAGE`, …
    #[arg(long, value_name = "COMMAND")]
    pub on_alert: Option<String>,
    /// A command that takes longer is killed, with all that it started [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = time_limit)]
    pub on_alert_timeout: Option<f64>,
    /// Post the alert to this address. A secret address is better put into the variable or into your own configuration.
    #[arg(long, value_name = "URL", env = "EPOCHSCOPE_WEBHOOK", hide_env_values = true)]
    pub webhook: Option<String>,
    /// What is posted [default: json].
    #[arg(long, value_enum, value_name = "STYLE")]
    pub webhook_style: Option<WebhookStyle>,
    /// A server that has not answered after this is not waited for [default: 15s].
    #[arg(long, value_name = "DURATION", value_parser = time_limit)]
    pub webhook_timeout: Option<f64>,
    /// At most so many messages an hour on each channel, half of them at once; what is more is summed up later. 0: no
    /// limit [default: 20].
    #[arg(long, value_name = "N")]
    pub notify_limit: Option<u32>,
    /// Hours, local time, in which only critical alerts are sent; warnings wait for their end (22:00-07:00).
    #[arg(long, value_name = "FROM-TO")]
    pub quiet_hours: Option<QuietHours>,
}

/// What a webhook is sent.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WebhookStyle {
    /// The alert's own keys.
    #[default]
    Json,
    /// Slack, and what understands the same (Mattermost, Rocket.Chat).
    Slack,
    /// Discord.
    Discord,
    /// ntfy.sh or a server of your own; the address ends in the topic.
    Ntfy,
}

impl NotifyFlags {
    /// These where they are given, else `below`'s.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            bell: self.bell || below.bell,
            desktop: self.desktop || below.desktop,
            on_alert: self.on_alert.or(below.on_alert),
            on_alert_timeout: self.on_alert_timeout.or(below.on_alert_timeout),
            webhook: self.webhook.or(below.webhook),
            webhook_style: self.webhook_style.or(below.webhook_style),
            webhook_timeout: self.webhook_timeout.or(below.webhook_timeout),
            notify_limit: self.notify_limit.or(below.notify_limit),
            quiet_hours: self.quiet_hours.or(below.quiet_hours),
        }
    }

    /// Some of these were typed, rather than taken from the environment.
    pub fn typed(&self) -> bool {
        let surrounding = std::env::var("EPOCHSCOPE_WEBHOOK").ok();
        let webhook = self.webhook.clone().filter(|url| surrounding.as_ref() != Some(url));
        Self { webhook, ..self.clone() } != Self::default()
    }

    /// Some channel is asked for.
    pub fn any(&self) -> bool {
        self.bell || self.desktop || self.on_alert.is_some() || self.webhook.is_some()
    }
}

fn time_limit(text: &str) -> Result<f64, String> {
    let seconds = units::seconds(text)?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(format!("`{text}` is not between 0.1s and 1d"))
    }
}
