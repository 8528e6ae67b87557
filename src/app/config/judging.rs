//! `[roles]` and `[rules]`: what series mean, and how loud rules may be.

use toml::{Spanned, de::DeValue};

use super::{Wrong, text, texts, unknown};
use crate::{detect::RuleLimit, model::Told};

/// `[roles]`: `"TAG" = "loss,min"`, or a list of the words. Globs stand before names, so that a name wins.
pub(super) fn roles(value: &Spanned<DeValue<'_>>) -> Result<Vec<(String, Told)>, Wrong> {
    let DeValue::Table(table) = value.get_ref() else {
        let advice = "write `[roles]` and below it `\"my/cost\" = \"loss,min\"`";
        return Err(Wrong::at(value, "`roles` is no table", advice));
    };
    let mut roles = Vec::new();
    for (tag, words) in table {
        let tag = tag.get_ref().to_string();
        let told = Told::parse(&texts(&tag, words)?.join(","))
            .map_err(|why| Wrong::at(words, why, "write it as `--role` takes it, such as \"loss,min\""))?;
        roles.push((tag, told));
    }
    // A table has no order that a user would count on.
    roles.sort_by_key(|(tag, _)| !tag.contains(['*', '?']));
    Ok(roles)
}

/// `[rules]`: `overfitting = "info"`, `{ severity = "info", runs = "sweep/*" }`, or a list of these.
pub(super) fn rules(value: &Spanned<DeValue<'_>>) -> Result<Vec<RuleLimit>, Wrong> {
    let DeValue::Table(table) = value.get_ref() else {
        let advice = "write `[rules]` and below it `plateau = \"off\"`";
        return Err(Wrong::at(value, "`rules` is no table", advice));
    };
    let mut rules = Vec::new();
    for (rule, said) in table {
        let name = rule.get_ref().as_ref();
        let one = std::slice::from_ref(said);
        let all: Box<dyn Iterator<Item = &Spanned<DeValue<'_>>>> = match said.get_ref() {
            DeValue::Array(all) => Box::new(all.iter()),
            _ => Box::new(one.iter()),
        };
        for said in all {
            for words in words(name, said)? {
                let limit = RuleLimit::parse(name, &words).map_err(|why| {
                    let place = if why.starts_with("there is no rule") { rule.span() } else { said.span() };
                    let advice =
                        "write off, info, warn or critical; `epochscope --help` and docs/DETECTION.md";
                    Wrong { at: Some(place), why, advice: advice.to_owned() }
                })?;
                rules.push(limit);
            }
        }
    }
    Ok(rules)
}

/// One entry as `--rule` takes it, behind the `=`; several where it names several runs.
fn words(rule: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Wrong> {
    let DeValue::Table(table) = value.get_ref() else { return Ok(vec![text(rule, value)?]) };
    let (mut severity, mut runs) = (None, Vec::new());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            name @ "severity" => severity = Some(text(name, value)?),
            name @ "runs" => runs = texts(name, value)?,
            _ => return Err(unknown(key, ["severity", "runs"].iter())),
        }
    }
    let Some(severity) = severity else {
        return Err(Wrong::at(value, format!("`{rule}` has no `severity`"), "add severity = \"info\""));
    };
    if runs.is_empty() {
        return Ok(vec![severity]);
    }
    Ok(runs.iter().map(|runs| format!("{severity}@{runs}")).collect())
}
