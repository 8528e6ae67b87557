//! A command line split into words as a shell would split it, without running one.

/// The words of `text`: blanks separate, quotes and backslashes keep together; nothing is expanded.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            c if c.is_whitespace() => all.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a quote ' is not closed".to_owned()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => match letters.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("a quote \" is not closed".to_owned()),
                        },
                        Some(c) => word.push(c),
                        None => return Err("a quote \" is not closed".to_owned()),
                    }
                }
            }
            '\\' => match letters.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("it ends in a backslash".to_owned()),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    if all.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, wanted) in [
            ("notify-send  epochscope\tnow", &["notify-send", "epochscope", "now"][..]),
            ("sh -c 'scancel \"$SLURM_JOB_ID\"'", &["sh", "-c", "scancel \"$SLURM_JOB_ID\""]),
            (r#"a "b \"c\" \n" d\ e ''"#, &["a", r#"b "c" \n"#, "d e", ""]),
            ("a;b $(c) > d", &["a;b", "$(c)", ">", "d"]),
        ] {
            assert_eq!(words(text).unwrap(), wanted, "{text}");
        }
        for bad in ["", "  ", "a 'b", "a \"b", "a \\", "\"a\\"] {
            assert!(words(bad).is_err(), "{bad}");
        }
    }
}
