//! kops' `additionalPolicies`: JSON text, or the same as a YAML list.

use serde_json::Value;

use crate::{
    Source, Span,
    tree::{Kind, Node, Style},
};

/// The statements of either form.
///
/// # Errors
/// Where the JSON text is wrong, and what is expected there.
pub(super) fn parse(source: &Source, node: &Node) -> Result<Vec<Value>, (Span, String)> {
    let Some(text) = node.text() else {
        return Ok(node.items().iter().map(Node::json).collect());
    };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let reason = error.to_string();
        // The place is shown by the caret; what remains is what is wrong there.
        let reason = reason.split(" at line ").next().unwrap_or(&reason).to_owned();
        (
            place(source, node, text, error.line(), error.column()),
            format!("not JSON: {reason}"),
        )
    })?;
    match value {
        Value::Array(statements) if statements.iter().all(Value::is_object) => Ok(statements),
        _ => Err((node.span.clone(), "expected a list of statements".to_owned())),
    }
}

/// The ARNs in statements that were written as JSON text, each with its place.
pub(super) fn arns(source: &Source, node: &Node, statements: &[Value]) -> Vec<(String, Span)> {
    let written = source.text().get(node.span.range()).unwrap_or_default();
    let mut all = Vec::new();
    let mut rest: Vec<&Value> = statements.iter().collect();
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) if text.starts_with("arn:") => {
                let at = written.find(text.as_str()).map(|at| node.span.start + at);
                let span = at.map_or_else(|| node.span.clone(), |at| (at..at + text.len()).into());
                all.push((text.clone(), span));
            }
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => rest.extend(members.values()),
            _ => {}
        }
    }
    all
}

/// The place in the file of a line and column (from 1, in bytes) of the text of a node.
fn place(source: &Source, node: &Node, text: &str, line: usize, column: usize) -> Span {
    let Kind::Scalar { style, .. } = &node.kind else {
        return node.span.clone();
    };
    let start = match style {
        Style::Literal => {
            // The text's lines are the file's, without their indentation, from the line after the `|` on.
            let header = source.line_column(node.span.start).0;
            let first = source
                .text()
                .get(node.span.start..node.span.end)
                .is_some_and(|text| text.starts_with('|'));
            let number = header + line - usize::from(!first);
            let range = source.line_range(number);
            let content = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            let written = source
                .text()
                .get(range.clone())
                .unwrap_or_default()
                .trim_end_matches('\r');
            range.start + written.len().saturating_sub(content.len()) + column.saturating_sub(1).min(content.len())
        }
        // Without escapes a quoted text is written as it reads, after its quote.
        Style::Quoted
            if line == 1
                && source
                    .text()
                    .get(node.span.start + 1..)
                    .is_some_and(|rest| rest.starts_with(text)) =>
        {
            node.span.start + column.min(text.len())
        }
        _ => return node.span.clone(),
    };
    // JSON counts in bytes, and a place is whole characters.
    let mut start = start.min(source.text().len());
    while !source.text().is_char_boundary(start) {
        start -= 1;
    }
    let width = source.text()[start..].chars().next().map_or(0, char::len_utf8);
    Span {
        start,
        end: start + width,
    }
}
