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
    let help = trap(error.kind(), line, column).or_else(|| unclosed(error.kind(), source, number));
    let title = match error.kind() {
        ErrorKind::RecursionLimitExceeded => "the file is nested too deeply",
        _ => "this is not YAML",
    };
    let error = ScenarioError::new(title, place, label);
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

/// How far back the brace is looked for that an error of a later line belongs to.
const LINES_BACK: usize = 8;

/// The hint for a brace that an earlier line opened: what closes it may have become a comment.
fn unclosed(kind: &ErrorKind, source: &Source, number: usize) -> Option<String> {
    let flow = matches!(
        kind,
        ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::InvalidFlowScalarIndent
            | ErrorKind::BlockEntryInFlowCollection
    );
    if !flow {
        return matches!(kind, ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation)
            .then(|| "check the indentation: the line fits nothing above it".to_owned());
    }
    let earlier = (number.saturating_sub(LINES_BACK)..number)
        .rev()
        .filter_map(|number| Some((number, source.line(number)?)));
    let count = |line: &str, of: [char; 2]| line.chars().filter(|c| of.contains(c)).count();
    let mut open = earlier.filter(|(_, line)| {
        let (before, _) = line.split_once(" #").unwrap_or((line, ""));
        count(before, ['{', '[']) > count(before, ['}', ']'])
    });
    Some(match open.next() {
        Some((number, line)) if line.contains(" #") => {
            format!("in line {number} ` #` begins a comment, which took the rest of the line: quote the value")
        }
        Some((number, _)) => format!("a `{{` or `[` of line {number} is not closed"),
        None => "a `{` or `[` is not closed".to_owned(),
    })
}
