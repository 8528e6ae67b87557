//! `--webhook URL`: a JSON object is posted for each message, by a thread of its own.
//!
//! What certainly did not arrive is tried again: nobody could be reached, the server said 429 or 5xx. A server that
//! took the message and never answers is not asked twice, because it may well have told everybody already.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::Receiver},
    thread,
    time::Duration,
};

use ureq::{Agent, http::Uri};

use super::{
    background::{Background, Shared},
    body::{body, target},
    channel::{Channel, Say, Surroundings},
    flags::{NotifyFlags, WebhookStyle},
    notice::Message,
};
use crate::{
    app::error::AppError,
    model::{Clock, WallTime},
};

/// Times that one message is tried: with the waits in between for about five minutes.
const TRIES: u32 = 9;
/// After so many tries it is said that something is wrong.
const SAID_AFTER: u32 = 4;
/// The longest wait between two tries; also of what a server asks for.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// The longest wait that we choose ourselves.
const LONGEST_STEP: Duration = Duration::from_mins(1);
/// Seconds for an answer where the user does not say.
const TIME_LIMIT_S: f64 = 15.0;

struct Webhook {
    url: String,
    background: Background,
}

/// The webhook, if one is asked for; an error if its address is none.
pub fn channel(flags: &NotifyFlags, around: &Surroundings) -> Result<Option<Box<dyn Channel>>, AppError> {
    let Some(url) = flags.webhook.clone().filter(|url| !url.trim().is_empty()) else { return Ok(None) };
    // The address may hold a secret: it is not repeated.
    let wrong = |why: String| {
        AppError::new(
            "cannot post to the address of --webhook",
            why,
            "give a whole address, like https://hooks.slack.com/services/…; for ntfy with the topic at its end",
        )
    };
    let uri: Uri = url.trim().parse().map_err(|_| wrong("it is no address".to_owned()))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("it does not begin with http:// or https:// and a host".to_owned()));
    }
    let style = flags.webhook_style.unwrap_or_default();
    let target = target(style, url.trim()).map_err(wrong)?;
    let limit = Duration::from_secs_f64(flags.webhook_timeout.unwrap_or(TIME_LIMIT_S));
    let (agent, host) = (agent(limit), uri.host().unwrap_or_default().to_owned());
    let (say, clock) = (Arc::clone(&around.say), Arc::clone(&around.clock));
    let background = Background::start("webhook", move |receiver, shared| {
        Poster { agent, host, target, style, say, clock, shared }.work(receiver);
    })
    .map_err(|e| wrong(e.to_string()))?;
    Ok(Some(Box::new(Webhook { url, background })))
}

fn agent(limit: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A connection that the server closes while it idles would look as if a message was lost.
        .max_idle_connections(0)
        .user_agent(concat!("epochscope/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(limit))
        .timeout_connect(Some(limit))
        .timeout_send_request(Some(limit))
        .timeout_send_body(Some(limit))
        .timeout_recv_response(Some(limit))
        .build()
        .into()
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn address(&self) -> String {
        self.url.clone()
    }

    fn send(&mut self, message: &Message) -> bool {
        self.background.send(message)
    }

    fn finish(&mut self, patience: Duration) -> u64 {
        self.background.finish(patience, Duration::ZERO)
    }
}

struct Poster {
    agent: Agent,
    host: String,
    target: String,
    style: WebhookStyle,
    say: Say,
    clock: Arc<dyn Clock>,
    shared: Shared,
}

/// How one try ended.
#[derive(Clone, PartialEq, Debug)]
enum Answer {
    Taken,
    /// It did not arrive; the server may have said when to come again.
    Again(String, Option<Duration>),
    /// It is of no use to try again.
    Refused(String),
}

impl Poster {
    fn work(&self, receiver: &Receiver<Message>) {
        while let Ok(message) = receiver.recv() {
            if let Err(why) = self.deliver(&message) {
                let count = message.count();
                let what = if count == 1 { "an alert".to_owned() } else { format!("{count} alerts") };
                (self.say)(&format!("webhook: {what} may not have arrived at {}: {why}", self.host));
            }
            self.shared.waiting.fetch_sub(1, Ordering::SeqCst);
            if self.shared.hurry.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    fn deliver(&self, message: &Message) -> Result<(), String> {
        let body = body(self.style, message, &self.target);
        let mut wait = Duration::from_secs(1);
        for tried in 1..=TRIES {
            let (why, asked) = match self.post(&body) {
                Answer::Taken => return Ok(()),
                Answer::Refused(why) => return Err(why),
                Answer::Again(why, asked) => (why, asked),
            };
            if tried == SAID_AFTER {
                (self.say)(&format!("webhook: {} cannot be reached, trying again: {why}", self.host));
            }
            if tried == TRIES {
                return Err(format!("{why}, {TRIES} times"));
            }
            if !self.pause(asked.unwrap_or(wait).min(LONGEST_WAIT)) {
                return Err(why);
            }
            wait = (wait * 2).min(LONGEST_STEP);
        }
        Ok(())
    }

    /// False if it was cut short.
    fn pause(&self, time: Duration) -> bool {
        let end = self.clock.elapsed() + time;
        while self.clock.elapsed() < end {
            if self.shared.hurry.load(Ordering::SeqCst) {
                return false;
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        true
    }

    fn post(&self, body: &str) -> Answer {
        let url = match self.style {
            WebhookStyle::Ntfy => super::body::server(&self.target),
            _ => self.target.as_str(),
        };
        let sent = self.agent.post(url).header("Content-Type", "application/json").send(body);
        match sent {
            Ok(response) => {
                let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                answer(response.status().as_u16(), after, self.clock.now())
            }
            Err(error) => failure(&error),
        }
    }
}

fn answer(status: u16, after: Option<&str>, now: WallTime) -> Answer {
    match status {
        200..=299 => Answer::Taken,
        429 | 500..=599 => {
            Answer::Again(format!("it answered {status}"), after.and_then(|text| retry_after(text, now)))
        }
        300..=399 => Answer::Refused(format!("it answered {status}: the address has changed")),
        _ => Answer::Refused(format!("it answered {status}")),
    }
}

/// `Retry-After`: seconds or a date.
fn retry_after(text: &str, now: WallTime) -> Option<Duration> {
    let seconds = text.trim().parse::<f64>().ok().or_else(|| {
        let then = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp().as_second();
        Some(then as f64 - now.known()?)
    })?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

fn failure(error: &ureq::Error) -> Answer {
    use ureq::{Error, Timeout};
    let why = error.to_string();
    match error {
        // The handshake: a certificate that nobody vouches for is none in a minute either.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Answer::Refused(why),
        // Before anything of the message was sent, or while the connection broke.
        Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Io(_) => Answer::Again(why, None),
        Error::Timeout(_) => Answer::Refused("it took the message and did not answer".to_owned()),
        _ => Answer::Refused(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_arrive_is_tried_again_and_what_may_have_arrived_is_not() {
        let now = WallTime(1_445_412_480.0 - 90.0);
        assert_eq!(answer(204, None, now), Answer::Taken);
        let again = |after| match answer(429, after, now) {
            Answer::Again(_, wait) => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!(again(None), None);
        assert_eq!(again(Some("2.5")), Some(Duration::from_millis(2500)));
        assert_eq!(again(Some("Wed, 21 Oct 2015 07:28:00 GMT")), Some(Duration::from_secs(90)));
        assert_eq!(again(Some("soon")), None);
        assert!(matches!(answer(503, None, now), Answer::Again(..)));
        assert!(matches!(answer(404, None, now), Answer::Refused(_)));
        assert!(matches!(answer(301, None, now), Answer::Refused(_)));
        assert!(matches!(failure(&ureq::Error::ConnectionFailed), Answer::Again(..)));
        assert!(matches!(failure(&ureq::Error::Timeout(ureq::Timeout::RecvResponse)), Answer::Refused(_)));
    }
}
