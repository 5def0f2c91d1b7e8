use crate::Spanned;

/// The width that lines are broken at, in characters.
const WIDTH: usize = 100;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and(items: &[String]) -> String {
    join(items, "and")
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn or(items: &[String]) -> String {
    join(items, "or")
}

fn join(items: &[String], word: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// Text as it is written, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

pub(super) fn names(items: &[Spanned<String>]) -> Vec<String> {
    items.iter().map(|item| item.value.clone()).collect()
}

/// `1 entry`, `2 entries`.
pub(super) fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

/// A text in lines after `indent` blanks, the first of them after `head` instead.
pub(super) fn paragraph(head: &str, indent: usize, text: &str) -> String {
    let mut lines = String::new();
    let mut line = format!("{head:indent$}");
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = " ".repeat(indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(&[], "nothing")]
    #[case(&["a"], "a")]
    #[case(&["a", "b"], "a and b")]
    #[case(&["a", "b", "c"], "a, b and c")]
    fn several_things_are_listed_as_one_says_them(#[case] items: &[&str], #[case] said: &str) {
        let items: Vec<String> = items.iter().map(|item| (*item).to_owned()).collect();
        assert_eq!(and(&items), said);
    }

    #[test]
    fn long_text_is_broken_and_indented() {
        let text = paragraph("1.", 4, &"word ".repeat(30));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("1.  word") && lines[1].starts_with("    word"));
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() <= WIDTH && !line.ends_with(' '))
        );
    }
}
