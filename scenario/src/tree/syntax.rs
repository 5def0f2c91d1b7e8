use granit_parser::{ErrorKind, ScanError};

use crate::{ScenarioError, Source, Span};

/// A syntax error of YAML, said in the words of who wrote the file, with a hint where the cause is one of YAML's traps.
pub(super) fn explain(source: &Source, error: &ScanError) -> ScenarioError {
    let text = source.text();
    let mut start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut label = error.info();
    if let Some((_, rest)) = label.split_once("did not find expected ") {
        label = format!("expected {rest}");
    }
    let place = Span { start, end: start };
    let (number, column) = source.line_column(start);
    let line = source.line(number).unwrap_or_default();
    let help = trap(error.kind(), line, column);
    let error = ScenarioError::new("this is not YAML", place, label);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The hint for a line that fell into one of YAML's traps.
fn trap(kind: &ErrorKind, line: &str, column: usize) -> Option<String> {
    let indentation: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let tabs = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    if tabs || indentation.contains('\t') {
        return Some("indent with spaces: YAML allows no tabs".to_owned());
    }
    match kind {
        ErrorKind::MissingAnchorOrAliasName | ErrorKind::UnknownAnchor => Some(
            "an unquoted `*` begins a YAML alias and `&` an anchor: quote the value, as in `[\"*\"]`".to_owned(),
        ),
        ErrorKind::RecursionLimitExceeded => Some("nothing in the language is nested that deeply".to_owned()),
        ErrorKind::DirectiveDisallowed => Some("leave the `%` line out".to_owned()),
        ErrorKind::UnexpectedCharacter { character: '@' | '`' | '%' } => {
            Some("quote a value that begins with this character".to_owned())
        }
        _ if line.chars().take(column).any(|c| matches!(c, '{' | '[')) => Some(
            "between `{ … }` and `[ … ]` the characters `{ } [ ] ,` end an unquoted value: quote it, or write the step \
             over several lines"
                .to_owned(),
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            Some("quote a value that contains `: `".to_owned())
        }
        ErrorKind::UnclosedQuotedScalar => Some("close the quote".to_owned()),
        _ => None,
    }
}
