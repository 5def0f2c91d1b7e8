//! A place in a scenario file, shown with its line and a caret.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::{ScenarioError, Source, Span, Warning};

/// The excerpt that a failure report shows: file, line and column, the line before, the line itself, and a caret with
/// `label` beside it. A place of several lines is shown by its first.
pub fn caret(source: &Source, span: &Span, label: &str) -> String {
    excerpt(source, span, label, &[], false)
}

/// [`caret`] with further lines below it, each after `= `, and with ANSI escapes if `color` is set.
pub fn excerpt(source: &Source, span: &Span, label: &str, notes: &[String], color: bool) -> String {
    let place = first_line(source, span);
    let line = source.line_column(place.start).0;
    let lines = Lines::new(source, line.saturating_sub(1).max(1), line);
    let mut marks = vec![
        AnnotationKind::Primary
            .span(lines.inside(&place))
            .label(label.to_owned()),
    ];
    if line > 1 {
        marks.push(AnnotationKind::Visible.span(0..0));
    }
    let mut group = Group::with_level(Level::ERROR).element(lines.snippet(source, marks));
    group = group.elements(notes.iter().map(|note| Level::NOTE.no_name().message(note.clone())));
    renderer(color).render(&[group])
}

/// One error of a file.
pub(crate) fn error(source: &Source, error: &ScenarioError, color: bool) -> String {
    let place = first_line(source, &error.span);
    let other = error
        .other
        .as_ref()
        .map(|(span, label)| (first_line(source, span), label));
    let line = source.line_column(place.start).0;
    let other_line = other
        .as_ref()
        .map_or(line, |(place, _)| source.line_column(place.start).0);
    let lines = Lines::new(source, line.min(other_line), line.max(other_line));
    let mut marks = vec![
        AnnotationKind::Primary
            .span(lines.inside(&place))
            .label(error.label.clone()),
    ];
    if let Some((place, label)) = &other {
        marks.push(
            AnnotationKind::Context
                .span(lines.inside(place))
                .label((*label).clone()),
        );
    }
    let mut group = Group::with_title(Level::ERROR.primary_title(error.title.clone()))
        .element(Element::from(lines.snippet(source, marks)));
    if let Some(help) = &error.help {
        group = group.element(Level::HELP.message(help.clone()));
    }
    renderer(color).render(&[group])
}

/// One warning of a file.
pub(crate) fn warning(source: &Source, warning: &Warning, color: bool) -> String {
    let place = first_line(source, &warning.span);
    let line = source.line_column(place.start).0;
    let lines = Lines::new(source, line, line);
    let marks = vec![AnnotationKind::Primary.span(lines.inside(&place))];
    let mut group = Group::with_title(Level::WARNING.primary_title(warning.text.clone()))
        .element(Element::from(lines.snippet(source, marks)));
    if let Some(help) = &warning.help {
        group = group.element(Level::HELP.message(help.clone()));
    }
    renderer(color).render(&[group])
}

fn renderer(color: bool) -> Renderer {
    if color {
        Renderer::styled().hyperlink(false)
    } else {
        Renderer::plain()
    }
}

/// The part of a place that is in its first line.
fn first_line(source: &Source, span: &Span) -> Range<usize> {
    let text = source.text();
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let length = text[start..end].find(['\n', '\r']).unwrap_or(end - start);
    start..start + length
}

/// Some whole lines of a source: only these are rendered, however long the file is.
struct Lines {
    number: usize,
    start: usize,
    text: String,
}

// === impl Lines ===

impl Lines {
    /// The lines `first..=last`, counted from 1.
    fn new(source: &Source, first: usize, last: usize) -> Self {
        let range = source.line_range(first).start..source.line_range(last).end;
        Self {
            number: first,
            start: range.start,
            text: source.text().get(range).unwrap_or_default().to_owned(),
        }
    }

    fn inside(&self, place: &Range<usize>) -> Range<usize> {
        let at = |byte: usize| byte.saturating_sub(self.start).min(self.text.len());
        at(place.start)..at(place.end)
    }

    fn snippet<'a>(&self, source: &Source, marks: Vec<Annotation<'a>>) -> Snippet<'a, Annotation<'a>> {
        Snippet::source(self.text.clone())
            .path(source.path().display().to_string())
            .line_start(self.number)
            .annotations(marks)
    }
}
