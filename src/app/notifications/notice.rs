//! What is told of one alert, and the messages that one or many of them become.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    app::report::{AlertRecord, VERSION},
    detect::Severity,
    model::{RunId, sanitise},
};

/// Characters of a text from a log that a message carries.
const LONGEST_TEXT: usize = 2000;
/// Alerts that a summary names one by one.
const NAMED: usize = 20;
/// Lines of a summary's text.
const LINES: usize = 5;

/// What happened to an alert.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// It opened, or came back.
    Open,
    /// It got worse.
    Escalate,
    /// Its condition ended.
    Close,
}

impl Event {
    /// The word in JSON and in lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Escalate => "escalate",
            Self::Close => "close",
        }
    }
}

/// One alert at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The run.
    pub run: RunId,
    /// What the screen calls the run.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// The alert.
    pub alert: AlertRecord,
    /// It was there before anybody looked.
    pub standing: bool,
    /// It may leave the program: it is no consequence of another one, and the user has not put it aside.
    pub disturbs: bool,
}

/// A line of JSON about one alert.
#[derive(Serialize)]
pub struct NoticeJson<'a> {
    version: u32,
    event: &'static str,
    run: &'a str,
    #[serde(flatten)]
    alert: &'a AlertRecord,
}

impl Notice {
    /// For JSON lines: the keys of the alert behind those of the event.
    pub fn json(&self) -> NoticeJson<'_> {
        NoticeJson { version: VERSION, event: self.event.name(), run: self.run.as_str(), alert: &self.alert }
    }

    /// `critical nan in train/loss of run a at step 30`.
    pub fn headline(&self) -> String {
        let mut text = format!("{} {}", self.alert.severity, self.alert.rule);
        if !self.alert.place().is_empty() {
            text.extend([" in ", self.alert.place()]);
        }
        text.extend([" of ", self.title.as_str()]);
        if let Some(step) = self.alert.step {
            let _ = write!(text, " at step {step}");
        }
        if self.event == Event::Escalate {
            text.push_str(" (worse than before)");
        }
        short(&text, LONGEST_TEXT)
    }
}

/// Harmless and not too long.
pub fn short(text: &str, most: usize) -> String {
    let text = sanitise(text);
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}

/// Why several alerts are told of together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// They were open when watching began.
    Standing,
    /// There were too many, or it was night.
    Held,
}

/// What a channel is given.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// One alert.
    One(Box<Notice>),
    /// Several.
    Many {
        /// Why they come together.
        why: Why,
        /// Those that are known one by one, the worst first.
        notices: Vec<Notice>,
        /// How many more there were.
        more: u64,
    },
}

impl Message {
    /// Several alerts as one message, or the only one as itself.
    pub fn many(why: Why, mut notices: Vec<Notice>, more: u64) -> Option<Self> {
        if more == 0 && notices.len() < 2 {
            return notices.pop().map(|n| Self::One(Box::new(n)));
        }
        notices.sort_by_key(|n| std::cmp::Reverse(n.severity));
        Some(Self::Many { why, notices, more })
    }

    /// How bad the worst of it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::One(notice) => notice.severity,
            Self::Many { notices, .. } => notices.iter().map(|n| n.severity).max().unwrap_or(Severity::Warn),
        }
    }

    /// How many alerts it speaks of.
    pub fn count(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Many { notices, more, .. } => notices.len() as u64 + more,
        }
    }

    /// What sets commands that may not run at once apart: run and rule; empty for a summary.
    pub fn subject(&self) -> (String, &'static str) {
        match self {
            Self::One(notice) => (notice.run.as_str().to_owned(), notice.alert.rule),
            Self::Many { .. } => (String::new(), ""),
        }
    }

    /// One line that says what it is about.
    pub fn headline(&self) -> String {
        match self {
            Self::One(notice) => notice.headline(),
            Self::Many { why, notices, more } => {
                let count = notices.len() as u64 + more;
                let (alerts, is) = if count == 1 { ("alert", "is") } else { ("alerts", "are") };
                let mut text = match why {
                    Why::Standing => format!("{count} {alerts} {is} open: "),
                    Why::Held => format!("{count} more {alerts}: "),
                };
                text.push_str(&sums(notices));
                if *more > 0 {
                    let _ = write!(text, " and {more} others");
                }
                short(&text, LONGEST_TEXT)
            }
        }
    }

    /// What is said below the headline; lines are separated by line breaks, each is harmless.
    pub fn details(&self) -> String {
        match self {
            Self::One(notice) => {
                let (message, advice) = (&notice.alert.message, &notice.alert.advice);
                format!("{}\n{}", short(message, LONGEST_TEXT), short(advice, LONGEST_TEXT))
            }
            Self::Many { notices, .. } => {
                let mut lines: Vec<String> = notices.iter().take(LINES).map(Notice::headline).collect();
                if notices.len() > LINES {
                    lines.push("…".to_owned());
                }
                lines.join("\n")
            }
        }
    }

    /// The whole as one JSON object: that of the alert, or `event` `summary` with a list of the first of them.
    pub fn json(&self) -> String {
        let said = Said {
            headline: self.headline(),
            count: self.count(),
            alerts: match self {
                Self::One(_) => None,
                Self::Many { notices, .. } => Some(notices.iter().take(NAMED).map(Notice::json).collect()),
            },
        };
        let text = match self {
            Self::One(notice) => serde_json::to_string(&WithText { notice: notice.json(), said }),
            Self::Many { .. } => serde_json::to_string(&Summary {
                version: VERSION,
                event: "summary",
                severity: self.severity().name(),
                said,
            }),
        };
        // Nothing in it can fail to be written as JSON: keys are texts, numbers that are none are texts.
        text.unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Said<'a> {
    headline: String,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<Vec<NoticeJson<'a>>>,
}

#[derive(Serialize)]
struct WithText<'a> {
    #[serde(flatten)]
    notice: NoticeJson<'a>,
    #[serde(flatten)]
    said: Said<'a>,
}

#[derive(Serialize)]
struct Summary<'a> {
    version: u32,
    event: &'static str,
    severity: &'static str,
    #[serde(flatten)]
    said: Said<'a>,
}

/// `8 nan, 4 divergence in 3 runs`.
fn sums(notices: &[Notice]) -> String {
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let mut runs: Vec<&RunId> = Vec::new();
    for notice in notices {
        *rules.entry(notice.alert.rule).or_default() += 1;
        runs.push(&notice.run);
    }
    runs.sort_unstable();
    runs.dedup();
    let mut rules: Vec<(&str, usize)> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{count} {rule}")).collect();
    let runs = if runs.len() == 1 { "1 run".to_owned() } else { format!("{} runs", runs.len()) };
    format!("{} in {runs}", rules.join(", "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A notice to test with.
    pub fn notice(run: &str, rule: &'static str, severity: Severity) -> Notice {
        Notice {
            event: Event::Open,
            run: RunId::from(run),
            title: run.to_owned(),
            severity,
            alert: AlertRecord {
                rule,
                severity: severity.name(),
                state: "open",
                series: Some("train/loss".into()),
                layer: None,
                step: Some(30),
                since_step: Some(30),
                time: None,
                message: "it is \x1b[31mNaN".into(),
                advice: "Stop.".into(),
                evidence: BTreeMap::from([("value".to_owned(), crate::app::report::Number(f64::NAN))]),
                caused_by: None,
            },
            standing: false,
            disturbs: true,
        }
    }

    #[test]
    fn one_alert_is_said_in_a_line_and_in_json() {
        let one = Message::many(Why::Held, vec![notice("a", "nan", Severity::Critical)], 0).unwrap();
        assert_eq!(one.headline(), "critical nan in train/loss of a at step 30");
        assert_eq!(one.details(), "it is ␛[31mNaN\nStop.");
        let json: serde_json::Value = serde_json::from_str(&one.json()).unwrap();
        assert_eq!((&json["event"], &json["run"], &json["step"]), (&"open".into(), &"a".into(), &30.into()));
        assert_eq!(json["evidence"]["value"], "NaN");
    }

    #[test]
    fn many_alerts_are_summed_up_with_the_worst_first() {
        let mut all: Vec<Notice> = (0..30)
            .map(|n| notice(if n % 2 == 0 { "a" } else { "b" }, "divergence", Severity::Warn))
            .collect();
        all.push(notice("c", "nan", Severity::Critical));
        let many = Message::many(Why::Held, all, 969).unwrap();
        assert_eq!(many.headline(), "1000 more alerts: 30 divergence, 1 nan in 3 runs and 969 others");
        assert!(many.details().starts_with("critical nan in train/loss of c"));
        assert_eq!((many.details().lines().count(), many.count()), (6, 1000));
        let json: serde_json::Value = serde_json::from_str(&many.json()).unwrap();
        assert_eq!((&json["event"], json["alerts"].as_array().unwrap().len()), (&"summary".into(), 20));
        assert_eq!(json["severity"], "critical");
    }
}
