//! A command line, split into words as a shell does, with nothing expanded.

/// The words: blanks separate them, quotes join, a backslash takes the next character as it is.
///
/// # Errors
/// What is wrong with it, a fragment.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' | '"' => quoted(c, &mut characters, word.get_or_insert_default())?,
            '\\' => match characters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("a backslash with nothing after it".to_owned()),
            },
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err("expected a program and its arguments".to_owned()),
    }
}

fn quoted(quote: char, characters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), String> {
    while let Some(c) = characters.next() {
        match c {
            c if c == quote => return Ok(()),
            // Between double quotes a backslash is only special before these.
            '\\' if quote == '"' => match characters.next() {
                Some(next @ ('"' | '\\' | '$' | '`')) => word.push(next),
                Some(next) => word.extend(['\\', next]),
                None => break,
            },
            c => word.push(c),
        }
    }
    Err(format!("a quote {quote} that is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("aws s3 ls", &["aws", "s3", "ls"])]
    #[case("  sh -c 'echo \"$A\"  b' ", &["sh", "-c", "echo \"$A\"  b"])]
    #[case(r#"a "b \" \n" c\ d"#, &["a", r#"b " \n"#, "c d"])]
    #[case("a ''", &["a", ""])]
    #[case("echo $HOME *", &["echo", "$HOME", "*"])]
    fn a_command_is_split_as_a_shell_does_and_nothing_expanded(#[case] line: &str, #[case] words: &[&str]) {
        assert_eq!(split(line).unwrap(), words);
    }

    #[rstest::rstest]
    #[case("a 'b", "not closed")]
    #[case("a \"b\\", "not closed")]
    #[case("a \\", "nothing after it")]
    #[case("   ", "expected a program")]
    #[case("'' a", "expected a program")]
    fn a_command_that_a_shell_would_not_take_is_refused(#[case] line: &str, #[case] reason: &str) {
        assert!(split(line).is_err_and(|error| error.contains(reason)));
    }
}
