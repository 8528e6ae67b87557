//! What is posted to a webhook, in the words of the service behind it.

use serde_json::json;

use super::{
    flags::WebhookStyle,
    notice::{Message, short},
};
use crate::detect::Severity;

/// Discord refuses longer contents.
const DISCORD: usize = 1900;
/// ntfy turns longer messages into attachments.
const NTFY: usize = 3000;

/// The address as it is used, or what is wrong with it for this style.
pub fn target(style: WebhookStyle, url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    if style == WebhookStyle::Ntfy && (topic(url).is_empty() || !server(url).contains("://")) {
        return Err("it does not end in a topic".to_owned());
    }
    Ok(url.to_owned())
}

/// The address without its topic.
pub fn server(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let server = url.rsplit_once('/').map_or(url, |(server, _)| server);
    // `https://topic`: that is a host.
    if server.ends_with(":/") || server.ends_with(':') { "" } else { server }
}

fn topic(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    url.rsplit_once('/').map_or("", |(_, topic)| topic)
}

/// The JSON object that is posted.
pub fn body(style: WebhookStyle, message: &Message, url: &str) -> String {
    let (headline, details) = (message.headline(), message.details());
    let object = match style {
        WebhookStyle::Json => return message.json(),
        WebhookStyle::Slack => {
            let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": format!("*epochscope: {}*\n{}", escape(&headline), escape(&details)) })
        }
        WebhookStyle::Discord => {
            let text = format!("**epochscope: {headline}**\n{details}");
            // A name in a log must not call everybody.
            json!({ "content": cut(&text, DISCORD), "allowed_mentions": { "parse": [] } })
        }
        WebhookStyle::Ntfy => {
            let (priority, tag) = match message.severity() {
                Severity::Critical => (5, "rotating_light"),
                Severity::Warn => (4, "warning"),
                Severity::Info => (3, "information_source"),
            };
            json!({
                "topic": topic(url),
                "title": format!("epochscope: {}", short(&headline, 200)),
                "message": cut(&details, NTFY),
                "priority": priority,
                "tags": [tag],
            })
        }
    };
    object.to_string()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::notice::tests::notice, *};

    fn posted(style: WebhookStyle) -> Value {
        let mut notice = notice("<!channel> & @everyone", "nan", Severity::Critical);
        notice.alert.message = "x".repeat(5000);
        let url = target(style, "https://ntfy.example/base/my-topic/").unwrap();
        serde_json::from_str(&body(style, &Message::One(Box::new(notice)), &url)).unwrap()
    }

    #[test]
    fn each_service_is_spoken_to_in_its_words_and_nobody_is_called_by_a_log() {
        assert_eq!(posted(WebhookStyle::Json)["rule"], "nan");
        let slack = posted(WebhookStyle::Slack)["text"].as_str().unwrap().to_owned();
        assert!(slack.contains("of &lt;!channel&gt; &amp; @everyone") && !slack.contains('<'), "{slack}");
        let discord = posted(WebhookStyle::Discord);
        assert!(discord["content"].as_str().unwrap().chars().count() <= 2000);
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let ntfy = posted(WebhookStyle::Ntfy);
        assert_eq!((&ntfy["topic"], &ntfy["priority"]), (&json!("my-topic"), &json!(5)));
        assert_eq!(server("https://ntfy.example/base/my-topic"), "https://ntfy.example/base");
        for bad in ["https://ntfy.sh", "https://ntfy.sh/"] {
            assert!(target(WebhookStyle::Ntfy, bad).is_err(), "{bad}");
        }
    }
}
